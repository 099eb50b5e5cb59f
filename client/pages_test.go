package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// paged answers with pages of one item, named for the cursor that asked for it,
// as next says from a cursor to the one after it.
func paged(next func(cursor string) (string, bool)) clienttest.Step {
	return clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cursor := r.URL.Query().Get("cursor")
		after, more := next(cursor)
		fmt.Fprintf(w, `{"data":[{"id":"at %s"}],"next_cursor":%q,"has_more":%v}`, cursor, after, more)
	}))
}

// TestAll reads all pages, however they end.
func TestAll(t *testing.T) {
	for name, test := range map[string]struct {
		next     func(string) (string, bool)
		requests int
		fails    bool
	}{
		"one page":          {func(string) (string, bool) { return "", false }, 1, false},
		"three":             {func(c string) (string, bool) { return c + "x", len(c) < 2 }, 3, false},
		"a cursor too many": {func(string) (string, bool) { return "x", false }, 1, false},
		"no cursor":         {func(string) (string, bool) { return "", true }, 1, true},
		"the same cursor":   {func(string) (string, bool) { return "x", true }, 2, true},
		"a circle of two":   {func(c string) (string, bool) { return map[string]string{"": "a", "a": "b", "b": "a"}[c], true }, 4, true},
		"a circle of four": {func(c string) (string, bool) {
			return map[string]string{"": "a", "a": "b", "b": "c", "c": "d", "d": "a"}[c], true
		}, 8, true},
		"a circle later on": {func(c string) (string, bool) {
			return map[string]string{"": "a", "a": "b", "b": "c", "c": "c"}[c], true
		}, 5, true},
		"a hundred, without": {func(c string) (string, bool) { return c + "x", len(c) < 99 }, 100, false},
	} {
		s := clienttest.New(t, paged(test.next))
		n, failed := 0, false
		var last *api.Agent
		for a, err := range to(t, s).Agents.All(t.Context(), nil) {
			if err != nil {
				failed = true
				continue
			}
			if n++; a == last {
				t.Errorf("%s: the same pointer twice", name)
			}
			last = a
		}
		if n != test.requests || len(s.Requests()) != test.requests || failed != test.fails {
			t.Errorf("%s: %d items over %d requests, failed %v; want %d and %v", name, n, len(s.Requests()), failed, test.requests, test.fails)
		}
	}
}

// TestAllParams keeps the filters on every page, begins where it is told, may be
// read again, and leaves the caller's params alone.
func TestAllParams(t *testing.T) {
	s := clienttest.New(t, paged(func(c string) (string, bool) { return c + "x", len(c) < 3 }))
	c := to(t, s)
	params := &api.ListDocumentsParams{Kind: new("qa"), Limit: new(int32(7)), Cursor: new("x")}
	all := c.Knowledge.Documents.All(t.Context(), params)
	params.Kind = new("page")
	for range 2 {
		for _, err := range all {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, r := range s.Requests() {
		if want := fmt.Sprintf("/v1/knowledge/documents?kind=qa&limit=7&cursor=%s", []string{"x", "xx", "xxx"}[i%3]); r.URL != want {
			t.Errorf("request %d is %s, want %s", i, r.URL, want)
		}
	}
	if n := len(s.Requests()); n != 6 || *params.Cursor != "x" {
		t.Errorf("%d requests, cursor %q", n, *params.Cursor)
	}
}

// TestAllLeave ends with the loop, and with an error.
func TestAllLeave(t *testing.T) {
	s := clienttest.New(t, paged(func(c string) (string, bool) { return c + "x", true }),
		clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })))
	c := to(t, s)
	for range c.Agents.All(t.Context(), nil) {
		break
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests for a loop that was left, want 1", n)
	}
	for a, err := range c.Agents.All(t.Context(), nil) {
		if a != nil || !errors.Is(err, client.ErrForbidden) {
			t.Errorf("%v, %v", a, err)
		}
	}
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// TestList has nothing in a query that was not set.
func TestList(t *testing.T) {
	s := clienttest.New(t, clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") })))
	c := to(t, s)
	c.Messages.List(t.Context(), nil)
	c.Messages.List(t.Context(), &api.ListMessagesParams{})
	c.Messages.List(t.Context(), &api.ListMessagesParams{Limit: new(int32(0)), UserID: new("a&b=c")})
	for i, want := range []string{"/v1/messages", "/v1/messages", "/v1/messages?user_id=a%26b%3Dc&limit=0"} {
		if got := s.Requests()[i].URL; got != want {
			t.Errorf("request %d is %s, want %s", i, got, want)
		}
	}
}
