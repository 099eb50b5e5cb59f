package server

import (
	"strconv"
	"strings"
	"time"
)

// An agent's tag is its version, a document's the time of its last change, which
// every change moves on. Both are strong: the same tag is the same answer.

func agentTag(version int) string { return `"` + strconv.Itoa(version) + `"` }

func documentTag(updated time.Time) string {
	return `"` + strconv.FormatInt(updated.UnixMicro(), 36) + `"`
}

// holds reports whether a list of tags, as in If-None-Match, has one.
func holds(list, tag string) bool {
	if list == "" || tag == "" {
		return false
	}
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == tag {
			return true
		}
	}
	return false
}

// ifAgent returns the version that If-Match asks for; 0 is any.
func ifAgent(match *string) (int, error) {
	tag := oneTag(match)
	if tag == "" {
		return 0, nil
	}
	version, err := strconv.Atoi(tag)
	if err != nil || version < 1 {
		return 0, stale
	}
	return version, nil
}

// ifDocument returns the time of the change that If-Match asks for; zero is any.
func ifDocument(match *string) (time.Time, error) {
	tag := oneTag(match)
	if tag == "" {
		return time.Time{}, nil
	}
	micros, err := strconv.ParseInt(tag, 36, 64)
	if err != nil {
		return time.Time{}, stale
	}
	return time.UnixMicro(micros).UTC(), nil
}

// stale is the answer to a tag that nothing here ever had.
var stale = &problem{code: preconditionFailed, message: "If-Match is not the ETag of what is there: read it again"}

// oneTag returns what stands between the quotes; "" means that any will do.
func oneTag(match *string) string {
	if match == nil || *match == "*" {
		return ""
	}
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(*match), "W/"), `"`)
}
