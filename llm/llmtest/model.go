package llmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest" //nolint:depguard // it is a suite for tests
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/llm"
)

// Key is the key that the models which [TestModel] opens are to send: in a header,
// and nowhere else.
const Key = "key-that-nobody-may-see"

// The recordings that every provider has, and what must be true of their answers.
// Of those whose name goes on, such as "text-ollama", the same must be true.
var needed = []struct {
	name  string
	kind  llm.Kind // of the error
	holds func(llm.Response) bool
}{
	{"text", "", func(r llm.Response) bool {
		return strings.ContainsRune(r.Text, '🛶') && len(r.ToolCalls) == 0 && r.Reason == llm.FinishStop
	}},
	{"call", "", func(r llm.Response) bool { return len(r.ToolCalls) == 1 && r.Reason == llm.FinishTools }},
	{"calls", "", func(r llm.Response) bool { return len(r.ToolCalls) == 2 && r.Reason == llm.FinishTools }},
	{"both", "", func(r llm.Response) bool {
		return r.Text != "" && len(r.ToolCalls) > 0 && r.Reason == llm.FinishTools
	}},
	{"cached", "", func(r llm.Response) bool { return r.Usage.Cached > 0 && !r.Usage.Estimated }},
	{"length", "", func(r llm.Response) bool { return r.Reason == llm.FinishLength }},
	{"filtered", "", func(r llm.Response) bool { return r.Reason == llm.FinishFiltered }},
	{"output", "", func(r llm.Response) bool { return json.Valid([]byte(r.Text)) }},
	{"failed", llm.Server, nil}, // after it had begun to answer
	{"auth", llm.Auth, nil},
	{"rate", llm.RateLimit, nil}, // with a time to wait
	{"large", llm.TooLarge, nil},
	{"bad", llm.BadRequest, nil},
	{"down", llm.Server, nil},
	{"overloaded", llm.Server, nil},
}

// TestModel holds a model to the contract of llm.Model with the recordings in a
// folder: what is sent; what is read of the answers, however they are cut into
// pieces, and of every beginning of them; what comes of a context that ends and of
// a loop that is left after each event; of silence, of endless answers and of bytes
// that are no text; and that nothing is said of keys and texts in errors.
//
// Open returns a model that makes its requests with the client, to its provider's
// usual address, with the key [Key]. If the test has a flag "update" that is true,
// the sections "request" and "want" of the recordings are written anew: read what
// they say then.
func TestModel(t *testing.T, folder string, open func(*http.Client) (llm.Model, error)) {
	f := flag.Lookup("update")
	s := &suite{open: open, update: f != nil && f.Value.String() == "true"}
	all := read(t, folder)
	for _, n := range needed {
		if !slices.ContainsFunc(all, func(r *recording) bool { return r.name == n.name }) {
			t.Errorf("%s has no recording %s.txtar", folder, n.name)
		}
	}
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			whole, err := s.whole(t, r)
			if !r.refused() {
				s.pieces(t, r, whole, err)
				s.cut(t, r, whole, err)
				s.left(t, r)
			}
			s.together(t, r)
		})
	}
	t.Run("endless", func(t *testing.T) { s.endless(t, all) })
	t.Run("no text", func(t *testing.T) { s.noText(t, all) })
}

type suite struct {
	open   func(*http.Client) (llm.Model, error)
	update bool
}

func (s *suite) model(t *testing.T, transport http.RoundTripper) llm.Model {
	t.Helper()
	m, err := s.open(&http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// hear asks as a recording does and holds what comes to what is true of every
// answer: the order of events, whole texts, whole calls.
func (s *suite) hear(ctx context.Context, t *testing.T, r *recording, p *replay) (llm.Response, error) {
	t.Helper()
	var text strings.Builder
	var got llm.Response
	var failed error
	ended := false
	ids := map[string]bool{}
	for ev, err := range s.model(t, p).Generate(ctx, r.ask) {
		if ended {
			t.Errorf("%s: an event after the last: %v, %v", r.name, ev, err)
		}
		if err != nil {
			failed, ended = err, true
			continue
		}
		switch ev := ev.(type) {
		case llm.TextDelta:
			if ev.Text == "" || !utf8.ValidString(ev.Text) {
				t.Errorf("%s: delta %q, want whole characters", r.name, ev.Text)
			}
			text.WriteString(ev.Text)
		case llm.ToolCall:
			if ev.ID == "" || ids[ev.ID] || ev.Name == "" || !isObject(ev.Arguments) {
				t.Errorf("%s: call %+v (%s), want an id of its own, a name and an object", r.name, ev, ev.Arguments)
			}
			ids[ev.ID] = true
			got.ToolCalls = append(got.ToolCalls, ev)
		case llm.Done:
			got.Done, ended = ev, true
			s.usage(t, r, ev)
		default:
			t.Errorf("%s: event %T, want no such", r.name, ev)
		}
	}
	got.Text = text.String()
	if !ended {
		t.Errorf("%s: the sequence ends without a Done or an error", r.name)
	}
	if n := p.opened(); n != 0 {
		t.Errorf("%s: %d bodies are open after the loop", r.name, n)
	}
	if failed != nil {
		s.silent(t, r, failed)
	}
	return got, failed
}

func (s *suite) usage(t *testing.T, r *recording, d llm.Done) {
	t.Helper()
	u := d.Usage
	if u.Input <= 0 || u.Output < 0 || min(u.Cached, u.CacheNew, u.Reasoning) < 0 || u.Cached+u.CacheNew > u.Input || u.Reasoning > u.Output {
		t.Errorf("%s: usage = %+v, want parts that are not more than the whole", r.name, u)
	}
	if _, model, ok := strings.Cut(d.Model, ":"); !ok || model == "" || d.Reason == "" {
		t.Errorf("%s: model %q, reason %q, want both", r.name, d.Model, d.Reason)
	}
}

// silent holds that an error is one of the contract and says nothing it must not.
func (s *suite) silent(t *testing.T, r *recording, err error) {
	t.Helper()
	if _, ok := errors.AsType[*llm.Error](err); !ok {
		t.Errorf("%s: %v, want an llm.Error", r.name, err)
	}
	secrets := []string{Key, "http://", "https://"}
	for _, m := range r.ask.Messages {
		secrets = append(secrets, m.Text)
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error says %q: %v", r.name, secret, err)
		}
	}
}

// whole holds what is sent, and what is read of the answer as it came.
func (s *suite) whole(t *testing.T, r *recording) (llm.Response, error) {
	t.Helper()
	before, err := json.Marshal(r.ask)
	if err != nil {
		t.Fatal(err)
	}
	p := &replay{recording: r, body: r.body}
	s.model(t, p).Generate(t.Context(), r.ask) // and nobody reads it
	if len(p.asked) != 0 {
		t.Errorf("%s: a request was sent before the answer was read", r.name)
	}
	got, err := s.hear(t.Context(), t, r, p)
	if len(p.asked) != 1 {
		t.Fatalf("%s: %d requests, want 1", r.name, len(p.asked))
	}
	if after, _ := json.Marshal(r.ask); !bytes.Equal(before, after) {
		t.Errorf("%s: the request was changed to %s", r.name, after)
	}
	if req := p.asked[0]; strings.Contains(req.URL.String(), Key) || strings.Contains(p.sent[0], Key) || !strings.Contains(fmt.Sprint(req.Header), Key) {
		t.Errorf("%s: the key stands in %s, %v, want it in the header alone", r.name, req.URL, req.Header)
	}
	r.hold(t, s.update, "request", r.request, tidy([]byte(p.sent[0])))
	r.hold(t, s.update, "want", r.want, heard(got, err))

	for _, n := range needed {
		if r.name != n.name && !strings.HasPrefix(r.name, n.name+"-") {
			continue
		}
		e, _ := errors.AsType[*llm.Error](err)
		switch {
		case n.holds == nil && (e == nil || e.Kind != n.kind), n.holds != nil && (err != nil || !n.holds(got)):
			t.Errorf("%s = %s\nwhich is not what the name says", r.name, heard(got, err))
		case r.name == "rate" && e.RetryAfter == 0:
			t.Errorf("%s: %v, want a time to wait", r.name, err)
		case r.name == "failed" && got.Text == "":
			t.Errorf("%s: no text before %v", r.name, err)
		}
	}
	return got, err
}

// pieces reads an answer that comes in pieces, with other ends of lines and with
// comments.
func (s *suite) pieces(t *testing.T, r *recording, whole llm.Response, failed error) {
	t.Helper()
	want := heard(whole, failed)
	bodies := map[string]string{"as it is": r.body}
	if r.stream() {
		bodies["CRLF"] = strings.ReplaceAll(r.body, "\n", "\r\n")
		bodies["comments"] = ": at once\n\n" + strings.ReplaceAll(r.body, "\n\n", "\n\n: still here\n\n")
	}
	for name, body := range bodies {
		for _, chunk := range []int{1, 2, 3, 7, 64} {
			got, err := s.hear(t.Context(), t, r, &replay{recording: r, body: body, chunk: chunk})
			if h := heard(got, err); h != want {
				t.Errorf("%s, %s, %d bytes at a time = %s\nwant %s", r.name, name, chunk, h, want)
			}
		}
	}
}

// cut reads every beginning of an answer, which ends well or with the connection;
// one in thirteen of them if the test is to be short.
func (s *suite) cut(t *testing.T, r *recording, whole llm.Response, failed error) {
	t.Helper()
	step := 1
	if testing.Short() {
		step = 13
	}
	for n := 0; n < len(r.body); n += step {
		for _, end := range []error{nil, io.ErrUnexpectedEOF} {
			got, err := s.hear(t.Context(), t, r, &replay{recording: r, body: r.body[:n], err: end})
			if !strings.HasPrefix(whole.Text, got.Text) {
				t.Fatalf("%s, cut at byte %d: text %q, want a beginning of %q", r.name, n, got.Text, whole.Text)
			}
			for i, c := range got.ToolCalls {
				if i >= len(whole.ToolCalls) || !reflect.DeepEqual(c, whole.ToolCalls[i]) {
					t.Fatalf("%s, cut at byte %d: call %d = %+v, want a whole one", r.name, n, i, c)
				}
			}
			switch {
			case err == nil && failed == nil && (got.Text != whole.Text || len(got.ToolCalls) != len(whole.ToolCalls) || got.Reason != whole.Reason):
				t.Fatalf("%s, cut at byte %d: a Done after %q and %d calls", r.name, n, got.Text, len(got.ToolCalls))
			case err == nil && failed != nil:
				t.Fatalf("%s, cut at byte %d: a Done, want an error as of the whole", r.name, n)
			case err != nil && r.stream() && !errors.Is(err, llm.ErrIncomplete) && (failed == nil || err.Error() != failed.Error()):
				t.Fatalf("%s, cut at byte %d: %v, want llm.ErrIncomplete in it", r.name, n, err)
			}
		}
	}
}

// left leaves the loop, and ends the context, after each event; and waits in vain
// at the end of each event of the stream.
func (s *suite) left(t *testing.T, r *recording) {
	t.Helper()
	events := 0
	for _, err := range s.model(t, &replay{recording: r, body: r.body}).Generate(t.Context(), r.ask) {
		_ = err // whole has held it
		events++
	}
	for n := range events {
		p := &replay{recording: r, body: r.body, chunk: 16}
		seen := 0
		for _, err := range s.model(t, p).Generate(t.Context(), r.ask) {
			if _ = err; seen == n {
				break
			}
			seen++
		}
		if p.opened() != 0 {
			t.Errorf("%s: the body is open after the loop was left at event %d", r.name, n)
		}
		s.canceled(t, r, n, events)
	}
	if !r.stream() {
		return
	}
	for at := 0; at < len(r.body); {
		next := strings.Index(r.body[at:], "\n\n")
		if next < 0 {
			break
		}
		at += next + 2
		synctest.Test(t, func(t *testing.T) { // which ends when no goroutine is left
			began := time.Now()
			_, err := s.hear(t.Context(), t, r, &replay{recording: r, body: r.body[:at], hang: true})
			if took := time.Since(began); took > time.Hour || err == nil && at < len(r.body)/2 {
				t.Errorf("%s: silence after byte %d: %v after %v, want an error sooner", r.name, at, err, took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began = time.Now()
			_, err = s.hear(ctx, t, r, &replay{recording: r, body: r.body[:at], hang: true})
			took := time.Since(began)
			if took > time.Second || took == time.Second && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: silence after byte %d and a deadline: %v after %v, want context.DeadlineExceeded after 1s", r.name, at, err, took)
			}
		})
	}
}

// canceled ends the context at event n.
func (s *suite) canceled(t *testing.T, r *recording, n, events int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &replay{recording: r, body: r.body}
	seen := 0
	for ev, err := range s.model(t, p).Generate(ctx, r.ask) {
		if seen == n {
			cancel()
		}
		if seen > n && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: after the context ended at event %d: %v, %v, want context.Canceled", r.name, n, ev, err)
		}
		seen++
	}
	if want := min(n+2, events); seen != want {
		t.Errorf("%s: %d events with a context that ended at event %d, want %d", r.name, seen, n, want)
	}
	if p.opened() != 0 {
		t.Errorf("%s: the body is open after the context ended at event %d", r.name, n)
	}
}

// together asks one model many times at once, and one whose context has ended.
func (s *suite) together(t *testing.T, r *recording) {
	t.Helper()
	p := &replay{recording: r, body: r.body}
	m := s.model(t, p)
	want := heard(llm.Collect(m.Generate(t.Context(), r.ask)))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := heard(llm.Collect(m.Generate(t.Context(), r.ask))); got != want {
				t.Errorf("%s, among others = %s\nwant %s", r.name, got, want)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := len(p.asked)
	if _, err := llm.Collect(m.Generate(ctx, r.ask)); !errors.Is(err, context.Canceled) || len(p.asked) != before {
		t.Errorf("%s: with a context that has ended: %v, want context.Canceled and no request", r.name, err)
	}
}

// endless reads answers that never end.
func (s *suite) endless(t *testing.T, all []*recording) {
	t.Helper()
	for _, r := range all {
		if r.name != "text" && r.name != "auth" {
			continue
		}
		first, _, _ := strings.Cut(r.body, "\n\n")
		for name, piece := range map[string]string{
			"a line": "data: x", "lines": "data: x\n", "comments": ": x\n", "empty lines": "\n", "its beginning": first + "\n\n", "zeros": "\x00",
		} {
			read := 0
			m := s.model(t, transport(func(req *http.Request) (*http.Response, error) {
				return r.response(req, endless{strings.Repeat(piece, 1+2000/len(piece)), &read})
			}))
			_, err := llm.Collect(m.Generate(t.Context(), r.ask))
			if err == nil || read > 64<<20 {
				t.Errorf("%s of %s for ever: %v after %d bytes, want an error before 64 MiB", name, r.name, err, read)
			} else {
				s.silent(t, r, err)
			}
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// noText reads answers with bytes that are no UTF-8, wherever a character of more
// than one byte stood.
func (s *suite) noText(t *testing.T, all []*recording) {
	t.Helper()
	for _, r := range all {
		for i := range len(r.body) {
			if r.body[i] < utf8.RuneSelf {
				continue
			}
			for _, instead := range []string{"", "\xff", "\x80"} {
				body := r.body[:i] + instead + r.body[i+1:]
				if _, err := s.hear(t.Context(), t, r, &replay{recording: r, body: body, chunk: 1}); err != nil && r.name == "text" {
					t.Errorf("%s with %q at byte %d: %v, want text all the same", r.name, instead, i, err)
				}
			}
		}
	}
}
