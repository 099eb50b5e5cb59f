package evals

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent"
)

// contains reports whether words stand in a text, in whatever case and spacing.
func contains(text, words string) bool {
	return strings.Contains(plain(text), plain(words))
}

func plain(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// within reports whether each of some arguments is among those of a call, of which
// objects may have more fields than were expected.
func within(some map[string]any, arguments json.RawMessage) bool {
	var all any
	return some == nil || json.Unmarshal(arguments, &all) == nil && holds(all, some)
}

func holds(all, some any) bool {
	want, ok := some.(map[string]any)
	if !ok {
		return reflect.DeepEqual(all, some)
	}
	got, ok := all.(map[string]any)
	for key, value := range want {
		other, there := got[key]
		ok = ok && there && holds(other, value)
	}
	return ok
}

// shown is a text in a message: on one line, and not too much of it.
func shown(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		cut := most
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// cited tells what a reply cites.
func cited(r agent.Reply) string {
	if len(r.Citations) == 0 {
		return fmt.Sprintf("nothing (%s with confidence %.2f)", r.Outcome, r.Confidence.Score)
	}
	all := make([]string, len(r.Citations))
	for i, c := range r.Citations {
		all[i] = documentOf(c) + " " + shown(c.Quote)
	}
	return strings.Join(all, ", ")
}

// documentOf names the document of a citation as a file of evals does.
func documentOf(c agent.Citation) string {
	switch {
	case c.ExternalID != "":
		return c.ExternalID
	case c.URL != "":
		return c.URL
	}
	return c.Title
}

// called tells what a reply called.
func called(r agent.Reply) string {
	if len(r.ToolCalls) == 0 {
		return "nothing"
	}
	all := make([]string, len(r.ToolCalls))
	for i, c := range r.ToolCalls {
		all[i] = fmt.Sprintf("%s %s (%s)", c.Name, compact(c.Arguments), c.State)
	}
	return strings.Join(all, ", ")
}

func compact(b json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return string(b)
	}
	return out.String()
}
