package client

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A RateLimit is what an answer's headers say of the tightest window of the key.
type RateLimit struct {
	Limit     int64     // requests in a window; 0 if not said
	Remaining int64     // requests left in this one
	Reset     time.Time // when the next one begins, by the clock of the server; zero if not said
}

// ReadRateLimit reads the rate limit of an answer, such as one that
// [WithResponse] gave: X-RateLimit-Limit, -Remaining and -Reset or, where they
// are missing, the RateLimit header of the IETF's draft. What cannot be read
// counts as not said; without a number of requests left the answer is false.
func ReadRateLimit(h http.Header) (RateLimit, bool) {
	return readRateLimit(h, serverTime(h, time.Now()))
}

// ReadKnowledgeRevision reads which revision the company's knowledge had after a
// change of it, from the headers that [WithResponse] gave: X-Knowledge-Revision.
// As the MinRevision of a message or a search it asks for an answer made from
// knowledge with that change. Without such a header the answer is false.
func ReadKnowledgeRevision(h http.Header) (int64, bool) {
	return count(first(h, "X-Knowledge-Revision"))
}

func readRateLimit(h http.Header, now time.Time) (RateLimit, bool) {
	var limit RateLimit
	remaining, reset := first(h, "X-Ratelimit-Remaining"), first(h, "X-Ratelimit-Reset")
	if remaining == "" {
		remaining, reset = draftLimit(first(h, "Ratelimit"))
	}
	var ok bool
	if limit.Remaining, ok = count(remaining); !ok {
		return RateLimit{}, false
	}
	limit.Limit, _ = count(first(h, "X-Ratelimit-Limit"))
	if n, ok := count(reset); ok {
		limit.Reset = resetTime(n, now)
	}
	return limit, true
}

// draftLimit reads r and t of the first item of a RateLimit header, as in
// `"default";r=50;t=30` (draft-ietf-httpapi-ratelimit-headers).
func draftLimit(v string) (remaining, reset string) {
	v, _, _ = strings.Cut(v, ",")
	for param := range strings.SplitSeq(v, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		switch name {
		case "r":
			remaining = value
		case "t":
			reset = value
		}
	}
	return remaining, reset
}

// deltaBelow parts seconds from now from Unix seconds: it is early in 1973 and
// more than three years.
const deltaBelow = 1e8

// resetTime reads Unix seconds, as the contract has them, or the seconds from
// now that others send.
func resetTime(n int64, now time.Time) time.Time {
	switch {
	case n < deltaBelow:
		return now.Add(time.Duration(n) * time.Second)
	case n > math.MaxUint32*2: // some send milliseconds; no clock is there
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// askedWait returns how long an answer asks to wait before the next request:
// Retry-After or, of a 429 without it, until its window ends.
func askedWait(status int, h http.Header, now time.Time) (time.Duration, bool) {
	if d, ok := retryAfter(first(h, "Retry-After"), serverTime(h, now)); ok {
		return d, true
	}
	if status != http.StatusTooManyRequests {
		return 0, false
	}
	there := serverTime(h, now)
	limit, ok := readRateLimit(h, there)
	if !ok || limit.Remaining > 0 || limit.Reset.IsZero() {
		return 0, false
	}
	return max(0, limit.Reset.Sub(there)), true
}

// retryAfter reads a Retry-After header: seconds, also with a fraction, or one
// of the dates of HTTP (RFC 9110 section 10.2.3). What is neither is not said.
func retryAfter(v string, now time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	if strings.Trim(v, "0123456789.") == "" {
		s, err := strconv.ParseFloat(v, 64)
		switch {
		case err != nil && !math.IsInf(s, 1):
			return 0, false
		case s > longest.Seconds():
			return longest, true
		}
		return time.Duration(s * float64(time.Second)), true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	return min(max(0, at.Sub(now)), longest), true
}

// longest is how long a wait can be said to be: 146 years, and room to add to it.
const longest = time.Duration(math.MaxInt64 / 2)

// serverTime is when the answer was made by the server's clock, which is the one
// that its times are of; now if it does not say.
func serverTime(h http.Header, now time.Time) time.Time {
	if v := first(h, "Date"); v != "" {
		if at, err := http.ParseTime(v); err == nil {
			return at
		}
	}
	return now
}

// count reads a number of requests or seconds. A list's first item counts, as in
// `100, 100;w=60`.
func count(v string) (int64, bool) {
	if i := strings.IndexAny(v, ",;"); i >= 0 {
		v = v[:i]
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

// first returns the first value of a header by its canonical name.
func first(h http.Header, canonical string) string {
	if v := h[canonical]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}
