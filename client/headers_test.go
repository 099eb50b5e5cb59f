package client

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestReadRateLimit(t *testing.T) {
	unix := func(s int64) time.Time { return time.Unix(s, 0) }
	for _, test := range []struct {
		header http.Header
		want   RateLimit
		ok     bool
	}{
		{http.Header{}, RateLimit{}, false},
		{http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"7"}, "X-Ratelimit-Reset": {"1790000000"}}, RateLimit{100, 7, unix(1790000000)}, true},
		{http.Header{"X-Ratelimit-Limit": {"100, 100;w=60"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"30"}}, RateLimit{100, 0, noon.Add(30 * time.Second)}, true},
		{http.Header{"X-Ratelimit-Remaining": {"7"}}, RateLimit{0, 7, time.Time{}}, true},
		{http.Header{"X-Ratelimit-Remaining": {"7"}, "X-Ratelimit-Limit": {"-1"}, "X-Ratelimit-Reset": {"tomorrow"}}, RateLimit{0, 7, time.Time{}}, true},
		{http.Header{"X-Ratelimit-Remaining": {"-7"}}, RateLimit{}, false},
		{http.Header{"X-Ratelimit-Remaining": {"many"}, "X-Ratelimit-Limit": {"100"}}, RateLimit{}, false},
		{http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1790000000000"}}, RateLimit{}, true}, // milliseconds: not said
		{http.Header{"Ratelimit": {`"default";r=50;t=30`}}, RateLimit{0, 50, noon.Add(30 * time.Second)}, true},
		{http.Header{"Ratelimit": {`"a"; t=5 ; r=0, "b";r=9`}}, RateLimit{0, 0, noon.Add(5 * time.Second)}, true},
		{http.Header{"Ratelimit": {`"default";t=30`}}, RateLimit{}, false},
		{http.Header{"Ratelimit": {`"default";r=50;t=30`}, "X-Ratelimit-Remaining": {"3"}, "X-Ratelimit-Reset": {"9"}}, RateLimit{0, 3, noon.Add(9 * time.Second)}, true},
	} {
		got, ok := readRateLimit(test.header, noon)
		if ok != test.ok || got.Limit != test.want.Limit || got.Remaining != test.want.Remaining || !got.Reset.Equal(test.want.Reset) {
			t.Errorf("readRateLimit(%v) = %+v, %v; want %+v, %v", test.header, got, ok, test.want, test.ok)
		}
	}
}

func TestReadKnowledgeRevision(t *testing.T) {
	for value, want := range map[string]int64{"": -1, "42": 42, "0": 0, "-1": -1, "many": -1, "9223372036854775807": math.MaxInt64, "9223372036854775808": -1} {
		h := http.Header{}
		if value != "" {
			h.Set("X-Knowledge-Revision", value)
		}
		got, ok := ReadKnowledgeRevision(h)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("ReadKnowledgeRevision(%q) = %d, %v; want %d", value, got, ok, want)
		}
	}
}

// FuzzRetryAfter expects a wait that is not negative, and room to add to it.
func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "1", "1.5", "-1", "+1", "1e9", "0x10", "inf", "NaN", ".", "..", "1.", ".5", "9223372036854775807", "9223372036854775808",
		strings.Repeat("9", 400), "0." + strings.Repeat("0", 400) + "1", "Sat, 21 Nov 2026 12:00:30 GMT", "Saturday, 21-Nov-26 12:00:30 GMT",
		"Sat Nov 21 12:00:30 2026", "Sat, 21 Nov 9999 12:00:30 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "１", "1 ", "1,2"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		d, ok := retryAfter(v, noon)
		if d < 0 || !ok && d != 0 || d > math.MaxInt64/2 {
			t.Errorf("retryAfter(%q) = %v, %v", v, d, ok)
		}
	})
}

// FuzzRateLimit expects limits that are not negative, and holds that end.
func FuzzRateLimit(f *testing.F) {
	f.Add("100", "0", "1790000000", `"default";r=50;t=30`, "Sat, 21 Nov 2026 12:00:30 GMT")
	f.Add("100, 100;w=60", "7", "30", ``, "")
	f.Add("-1", "-1", "-1", `;;;=;r;t=`, "x")
	f.Add("9223372036854775807", "0", "9223372036854775807", `r=0;t=99999999`, "Mon, 01 Jan 0001 00:00:00 GMT")
	f.Add("", "", "", `r=0;t=9223372036854775807`, "")
	f.Fuzz(func(t *testing.T, limit, remaining, reset, draft, date string) {
		h := http.Header{"X-Ratelimit-Limit": {limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}, "Ratelimit": {draft}, "Date": {date}}
		got, ok := readRateLimit(h, noon)
		if got.Limit < 0 || got.Remaining < 0 || !ok && got != (RateLimit{}) {
			t.Errorf("readRateLimit(%v) = %+v, %v", h, got, ok)
		}
		var g gate
		for _, status := range []int{200, 429} {
			g.learn(getAgent, status, h, noon, noon)
			if _, err := g.hold(time.Minute); err != nil && !g.until.After(noon) {
				t.Errorf("after %v a gate holds until %v: %v", h, g.until, err)
			}
		}
	})
}
