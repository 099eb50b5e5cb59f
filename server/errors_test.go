package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// reserved are codes that the contract names for what is still to come.
var reserved = []string{"rate_limit_exceeded"}

// The contract and the registry have the same codes, each with a status that the
// design has.
func TestCodes(t *testing.T) {
	doc, _, err := load(answerdesk.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, c := range doc.Components.Schemas["ErrorBody"].Value.Properties["code"].Value.Extensions["x-known-values"].([]any) {
		named = append(named, c.(string))
	}
	registered := slices.Clone(reserved)
	for c := range codes {
		registered = append(registered, string(c))
	}
	slices.Sort(named)
	slices.Sort(registered)
	if !slices.Equal(named, registered) {
		t.Errorf("openapi.yaml names the codes\n%v, the registry has\n%v", named, registered)
	}
	statuses := []int{400, 401, 403, 404, 405, 409, 412, 413, 415, 429, 500, 503}
	for c, status := range codes {
		if !slices.Contains(statuses, status) {
			t.Errorf("%s has the status %d, want one of %v", c, status, statuses)
		}
	}
	for c := range retryAfter {
		if codes[c] != http.StatusServiceUnavailable {
			t.Errorf("%s says when to come again, and its status is %d", c, codes[c])
		}
	}
}

// Every operation has, in the contract, the statuses that it can answer with.
func TestStatuses(t *testing.T) {
	doc, ops, err := load(answerdesk.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		if op.scope == "" {
			continue
		}
		if !slices.Contains([]access.Scope{access.ScopeRead, access.ScopeWrite, access.ScopeFull}, op.scope) {
			t.Errorf("%s has the scope %q", op.id, op.scope)
		}
		want := []int{400, 401, 403, 500, 503}
		if op.media != "" {
			want = append(want, 413, 415)
		}
		if strings.Contains(op.path, "{") {
			want = append(want, 404)
		}
		if op.repeatable {
			want = append(want, 409)
		}
		for _, p := range op.params {
			switch p.Name {
			case "If-Match":
				want = append(want, 409, 412)
			case "If-None-Match":
				want = append(want, 304)
			}
		}
		has := doc.Paths.Find(op.path).GetOperation(op.method).Responses
		for _, status := range want {
			if has.Status(status) == nil {
				t.Errorf("%s can answer %d, which the contract does not say", op.id, status)
			}
		}
		for status := range has.Map() {
			if n, err := strconv.Atoi(status); err != nil || n >= 400 && n != 429 && !slices.Contains(slices.Collect(maps.Values(codes)), n) {
				t.Errorf("%s has the status %s, which no code has", op.id, status)
			}
		}
	}
}

// What the desk says is told in the words of the contract, and what nobody thought
// of is not told at all.
func TestProblemOf(t *testing.T) {
	odd := errors.New("pq: relation 17 of Sentinel")
	for _, tt := range []struct {
		err     error
		code    code
		message string
		details string
	}{
		{wrong("a", "is odd"), invalidRequest, "a: is odd", "map[field:a]"},
		{fmt.Errorf("wrapped: %w", wrong("a", "is odd")), invalidRequest, "a: is odd", "map[field:a]"},
		{&agent.InvalidError{Field: "message", Reason: "is empty"}, invalidRequest, "message: is empty", "map[field:message]"},
		{&access.InvalidError{Field: "name", Reason: "is empty"}, invalidRequest, "name: is empty", "map[field:name]"},
		{&knowledge.InvalidError{Field: "text", Reason: "is empty"}, invalidRequest, "text: is empty", "map[field:text]"},
		{&knowledge.ItemError{Index: 3, Err: &knowledge.InvalidError{Field: "text", Reason: "is empty"}}, invalidRequest, "text: is empty", "map[field:text]"},
		{store.NotFound("agent", "agt_1"), notFound, "there is no agent agt_1", "map[object:agent]"},
		{fmt.Errorf("wrapped: %w", store.NotFound("agent", "agt_1")), notFound, "there is no agent agt_1", "map[object:agent]"},
		{store.NotFound("agent", strings.Repeat("a", 100)), notFound, "there is no agent " + strings.Repeat("a", 64) + "…", "map[object:agent]"},
		{fmt.Errorf("list: %w", store.ErrCursor), invalidRequest, "cursor: does not belong to this list", "map[field:cursor]"},
		{agent.ErrTurnInProgress, turnInProgress, "is answering other messages", "map[]"},
		{fmt.Errorf("agent agt_1: %w", agent.ErrVersion), preconditionFailed, "the agent has changed", "map[]"},
		{fmt.Errorf("document doc_1: %w", knowledge.ErrChanged), preconditionFailed, "it has changed", "map[]"},
		{fmt.Errorf("key key_1: %w: rotated before", store.ErrConflict), conflict, "key key_1: conflict: rotated before", "map[]"},
		{fmt.Errorf("receipt: %w", store.ErrFenced), conflict, "while this was under way", "map[]"},
		{agent.ErrDraining, serverDraining, "about to stop", "map[]"},
		{fmt.Errorf("open: %w: %w", store.ErrUnavailable, odd), storeUnavailable, "cannot store anything now", "map[]"},
		{context.DeadlineExceeded, storeUnavailable, "took too long", "map[]"},
		{context.Canceled, serverDraining, "was broken off", "map[]"},
		{fmt.Errorf("index: %w", knowledge.ErrTooLarge), knowledgeTooLarge, "more memory", "map[]"},
		{&knowledge.FileError{Path: "a.png", Err: fmt.Errorf("%w: looks like a picture", knowledge.ErrFormat)}, unsupportedMediaType, "file: unsupported format: looks like a picture", "map[field:file]"},
		{fmt.Errorf("put: %w", &knowledge.FileError{Path: "a.pdf", Err: fmt.Errorf("%w: split it", knowledge.ErrFileTooLarge)}), requestTooLarge, "file: too large: split it", "map[field:file]"},
		{&knowledge.FileError{Path: "a.pdf", Err: knowledge.ErrPassword}, invalidRequest, "file: is protected by a password", "map[field:file]"},

		// How a turn has ended counts, whatever it was put down to.
		{agent.ErrFailed, turnFailed, "could not be made", "map[]"},
		{fmt.Errorf("%w: %w", agent.ErrFailed, odd), turnFailed, "could not be made", "map[]"},
		{fmt.Errorf("%w: %w", agent.ErrFailed, store.NotFound("document", "doc_1")), turnFailed, "could not be made", "map[]"},
		{fmt.Errorf("%w: %w", agent.ErrFailed, &knowledge.InvalidError{Field: "query", Reason: "Sentinel"}), turnFailed, "could not be made", "map[]"},
		{fmt.Errorf("%w: %w", agent.ErrFailed, store.ErrUnavailable), turnFailed, "could not be made", "map[]"},
		{fmt.Errorf("%w: %w", agent.ErrFailed, context.DeadlineExceeded), turnFailed, "could not be made", "map[]"},
		{fmt.Errorf("%w: %w", agent.ErrCancelled, context.Canceled), turnCancelled, "was cancelled", "map[]"},
		{fmt.Errorf("%w: %w", agent.ErrInterrupted, agent.ErrDraining), serverDraining, "stopped while it was answering", "map[]"},

		{odd, internalError, "something went wrong here", "map[]"},
		{fmt.Errorf("%v: %v", agent.ErrFailed, odd), internalError, "something went wrong here", "map[]"},
	} {
		p := problemOf(tt.err)
		body := p.body("req_1")
		if p.code != tt.code || !strings.Contains(p.message, tt.message) || fmt.Sprint(body.Details) != tt.details {
			t.Errorf("problemOf(%v) = %s %q %v, want %s %q %s", tt.err, p.code, p.message, body.Details, tt.code, tt.message, tt.details)
		}
		if strings.Contains(p.message, "Sentinel") {
			t.Errorf("problemOf(%v) tells %q", tt.err, p.message)
		}
		if body.RequestID != "req_1" || codes[p.code] == 0 {
			t.Errorf("problemOf(%v) = %+v, of status %d", tt.err, body, codes[p.code])
		}
	}
}

// An error answer has nothing of the answer that was on its way.
func TestProblemHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	for _, name := range []string{"ETag", "Location", "Content-Length", "Content-Encoding", "Content-Type"} {
		w.Header().Set(name, "7")
	}
	(&problem{code: serverDraining, message: "m"}).write(w, "req_1")
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != jsonMedia {
		t.Errorf("the answer is %d %v, want 503 with Retry-After: 1 in JSON", w.Code, w.Header())
	}
	for _, name := range []string{"ETag", "Location", "Content-Length", "Content-Encoding"} {
		if v := w.Header().Get(name); v != "" {
			t.Errorf("the error has %s: %s", name, v)
		}
	}
	w = httptest.NewRecorder()
	(&problem{code: missingKey, message: "m"}).write(w, "req_1")
	if got := w.Header().Get("WWW-Authenticate"); got != `Bearer realm="answerdesk"` {
		t.Errorf("a 401 has WWW-Authenticate: %q", got)
	}
}
