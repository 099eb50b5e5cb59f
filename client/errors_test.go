package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzErrorBody expects of any body an error that fits a line of a log and keeps
// a bounded part of it.
func FuzzErrorBody(f *testing.F) {
	f.Add(404, "application/json", `{"error":{"code":"not_found","message":"no such agent","details":{"field":"id"},"request_id":"req_1"}}`)
	f.Add(502, "text/html", "<html>\r\n<h1>502 Bad Gateway</h1>")
	f.Add(500, "", "")
	f.Add(400, "application/json", `{"error":"a string"}`)
	f.Add(400, "application/json", `{"error":{"code":1}}`)
	f.Add(400, "application/json", `{"error":{"code":"x\ny","message":"`+strings.Repeat("é", 5000)+`"}}`)
	f.Add(302, "text/\x00", "\xff\xfe")
	f.Add(200, "application/json", strings.Repeat("[", 20000))
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		e := &Error{op: "getAgent"}
		e.read(status, http.Header{"Content-Type": {kind}, "X-Request-Id": {body}, "Retry-After": {body}, "Location": {kind}}, []byte(body), noon)
		got := e.Error()
		if len(got) > 1500 || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("error %q", got)
		}
		if len(e.Body) > maxSnippet || e.RetryAfter < 0 || e.StatusCode != status {
			t.Errorf("%+v", e)
		}
		if e.Code == "" && e.Message == "" && status != http.StatusNotModified {
			t.Errorf("nothing is said of status %d with %q", status, body)
		}
	})
}

// TestError prints errors of all kinds.
func TestError(t *testing.T) {
	for _, test := range []struct {
		err  *Error
		want string
	}{
		{&Error{op: "getAgent", StatusCode: 404, Code: "not_found", Message: "no such agent", RequestID: "req_1"},
			"client: getAgent: 404 not_found: no such agent (request req_1)"},
		{&Error{op: "getAgent", cause: os.ErrDeadlineExceeded, Attempts: make([]Attempt, 3)}, "client: getAgent: i/o timeout (3 attempts)"},
		{&Error{op: "getAgent", StatusCode: 429, Code: "rate_limit_exceeded", Message: "slow down", RetryAfter: 90e9, cause: ErrMaxRetryAfter},
			"client: getAgent: 429 rate_limit_exceeded: slow down: " + ErrMaxRetryAfter.Error() + " (retry after 1m30s)"},
		{&Error{op: "getAgent", StatusCode: 500, Message: "a\nb\x1b[31m\x00"}, "client: getAgent: 500: a b [31m "},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%+v prints %q, want %q", *test.err, got, test.want)
		}
	}
	e := &Error{cause: os.ErrDeadlineExceeded}
	if !e.Timeout() || (&Error{}).Timeout() || !errors.Is(e, os.ErrDeadlineExceeded) {
		t.Error("Timeout or Unwrap does not say that time ran out")
	}
	for code, want := range map[string]error{
		"not_found": ErrNotFound, "turn_failed": ErrServer, "internal_error": ErrServer, "rate_limit_exceeded": ErrRateLimited, "turn_cancelled": nil, "": nil,
	} {
		e := &Error{StatusCode: 200, Code: code}
		for _, kind := range []error{ErrNotFound, ErrServer, ErrRateLimited, ErrConflict} {
			if got := errors.Is(e, kind); got != errors.Is(want, kind) {
				t.Errorf("an error %q within a stream is %q: %v", code, kind, got)
			}
		}
	}
	if errors.Is(&Error{}, nil) {
		t.Error("an error without a status is nil")
	}
	if b, err := json.Marshal(&Error{StatusCode: 404, Attempts: []Attempt{{Err: errors.New("x")}}}); err != nil || !strings.Contains(string(b), "404") {
		t.Errorf("%s, %v", b, err)
	}
}
