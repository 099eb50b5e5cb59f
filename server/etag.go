package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// An agent's tag is its version, that of a document or a source the time of its last
// change, which every change moves on. Behind a dot it tells what changes by itself,
// such as how the crawl of a website stands: If-Match passes over that. All are
// strong: the same tag is the same answer, byte for byte. So an answer in gzip has
// another tag than the plain one; callers may send back either, and weak ones, into
// which some proxies turn them.

// gzipTag is what the tag of an answer in gzip ends with.
const gzipTag = "-gzip"

// settingsTag is the tag of an agent's settings, and of an agent without a website.
func settingsTag(version int) string { return `"` + strconv.Itoa(version) + `"` }

func agentTag(a api.Agent) string {
	tag := settingsTag(int(a.Version))
	if a.WebsiteID == "" {
		return tag
	}
	return moving(tag, a.WebsiteID+a.Status)
}

func documentTag(updated time.Time) string {
	return `"` + strconv.FormatInt(updated.UnixMicro(), 36) + `"`
}

// sourceTag is the tag of a source that was last changed at a time, and is answered
// with.
func sourceTag(updated time.Time, answer any) string {
	shown, err := json.Marshal(answer)
	if err != nil {
		return "" // nor can it be answered with
	}
	return moving(documentTag(updated), string(shown))
}

// moving is a tag that tells also what changes by itself.
func moving(tag, what string) string {
	sum := sha256.Sum256([]byte(what))
	return strings.TrimSuffix(tag, `"`) + "." + hex.EncodeToString(sum[:8]) + `"`
}

// holds reports whether If-None-Match has the tag of an answer.
func holds(list, tag string) bool {
	_, ok := held(list, tag)
	return ok
}

// held returns which of the tags in If-None-Match is that of an answer: the caller
// has it.
func held(list, tag string) (string, bool) {
	if list == "" || tag == "" {
		return "", false
	}
	for t := range strings.SplitSeq(list, ",") {
		switch t = strings.TrimSpace(t); {
		case t == "*":
			return tag, true
		case stateOf(t) == stateOf(tag), settled(stateOf(t)) == stateOf(tag):
			return t, true
		}
	}
	return "", false
}

// stateOf returns what a tag says about a state: what stands between its quotes,
// without the mark of gzip.
func stateOf(tag string) string {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	if inner, ok := strings.CutPrefix(tag, `"`); ok {
		tag = strings.TrimSuffix(inner, `"`)
	}
	return strings.TrimSuffix(tag, gzipTag)
}

// settled returns what a state says of what only callers change.
func settled(state string) string {
	state, _, _ = strings.Cut(state, ".")
	return state
}

// wanted returns the state that If-Match asks for, and false if any will do.
func wanted(match *string) (state string, ok bool) {
	if match == nil || strings.TrimSpace(*match) == "*" {
		return "", false
	}
	return settled(stateOf(*match)), true
}

// ifAgent returns the version that If-Match asks for; 0 is any.
func ifAgent(match *string) (int, error) {
	state, ok := wanted(match)
	if !ok {
		return 0, nil
	}
	version, err := strconv.Atoi(state)
	if err != nil || version < 1 {
		return 0, stale
	}
	return version, nil
}

// ifUpdated returns the time of the change that If-Match asks for; zero is any.
func ifUpdated(match *string) (time.Time, error) {
	state, ok := wanted(match)
	if !ok {
		return time.Time{}, nil
	}
	micros, err := strconv.ParseInt(state, 36, 64)
	if err != nil || micros < 1 {
		return time.Time{}, stale
	}
	return time.UnixMicro(micros).UTC(), nil
}

// contended is the answer to a change without If-Match that others have got in the
// way of again and again.
var contended = &problem{code: conflict, message: "others keep changing it: try again in a moment"}

// stale is the answer to a tag that nothing here ever had.
var stale = &problem{code: preconditionFailed, message: "If-Match is not the ETag of what is there: read it again"}
