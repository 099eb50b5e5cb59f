package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// events are those of a reply, each as it is sent.
var events = []string{
	event(1, "message.started", ""),
	event(2, "text.delta", `"delta":"At ",`),
	": a comment, to show that somebody is there\n\n" + event(3, "text.delta", `"delta":"nine.",`),
	event(4, "something.new", ""),
	event(5, "message.completed", `"reply":{"id":"msg_1","text":"At nine."},`),
}

func event(sequence int, kind, more string) string {
	return fmt.Sprintf("id: %d\nevent: %s\ndata: {\"type\":%[2]q,%s\"sequence\":%[1]d,\"message_id\":\"msg_1\",\"conversation_id\":\"conv_1\"}\n\n", sequence, kind, more)
}

// A turn is a server that answers one message: the same request again, and the
// resumption of its events, get the events of the same reply.
var turn = clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	after := 0
	switch {
	case r.Header.Get("Accept") != "text/event-stream":
		w.WriteHeader(http.StatusNotAcceptable)
		return
	case r.Method == "POST" && r.URL.Path == "/v1/message/stream" && r.Header.Get("Idempotency-Key") != "":
	case r.Method == "GET" && r.URL.Path == "/v1/messages/msg_1/events" && r.Header.Get("Idempotency-Key") == "":
		after, _ = strconv.Atoi(r.Header.Get("Last-Event-ID"))
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	for _, ev := range events[after:] {
		io.WriteString(w, ev)
		w.(http.Flusher).Flush()
	}
}))

// follow reads a stream to its end, and says which events came.
func follow(stream iter.Seq2[api.StreamEvent, error]) (sequences []int64, reply string, err error) {
	for ev, e := range stream {
		if e != nil {
			err = e
			continue // there must be nothing after it
		}
		sequences = append(sequences, ev.Sequence)
		reply = ev.Reply.Text
	}
	return sequences, reply, err
}

var whole = []int64{1, 2, 3, 4, 5}

func stream(ctx context.Context, c *client.Client, opts ...client.Option) iter.Seq2[api.StreamEvent, error] {
	return c.Messages.Stream(ctx, api.MessageRequest{Message: "When do you open?"}, opts...)
}

// TestStreamCut cuts a stream at every byte, in two ways, and once more in the
// middle of its resumption: each event comes once and in order.
func TestStreamCut(t *testing.T) {
	length := len(strings.Join(events, ""))
	for n := range length + 1 {
		for name, script := range map[string][]clienttest.Step{
			"closed":       {turn.Truncate(clienttest.Stage(n)), turn},
			"reset":        {turn.Reset(clienttest.Stage(n)), turn},
			"twice":        {turn.Truncate(clienttest.Stage(n)), turn.Reset(clienttest.Stage(n / 2)), turn},
			"and a 503":    {turn.Truncate(clienttest.Stage(n)), clienttest.Respond(503, nil), turn},
			"ended early":  {clienttest.SSE(strings.Join(events, "")[:n]), turn},
			"in the front": {turn.Reset(clienttest.AfterReading), turn.Truncate(clienttest.Stage(n)), turn},
		} {
			synctest.Test(t, func(t *testing.T) {
				s := clienttest.NewInMemory(t, script...)
				got, reply, err := follow(stream(t.Context(), to(t, s)))
				if !slices.Equal(got, whole) || reply != "At nine." || err != nil {
					t.Errorf("%s at byte %d: events %v, %q, %v", name, n, got, reply, err)
				}
				posts := map[string]bool{}
				for _, r := range s.Requests() {
					if r.Method == "POST" {
						posts[r.Header.Get("Idempotency-Key")] = true
					}
				}
				if len(posts) != 1 || len(s.Requests()) > 3 {
					t.Errorf("%s at byte %d: %d keys over %d requests", name, n, len(posts), len(s.Requests()))
				}
			})
		}
	}
}

// TestStreamRepeated resumes at a server that begins again from the start, or
// from too early: nothing is yielded twice.
func TestStreamRepeated(t *testing.T) {
	for n := range events {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, clienttest.SSE(strings.Join(events[:n], "")), clienttest.SSE(strings.Join(events, "")))
			if got, _, err := follow(stream(t.Context(), to(t, s))); !slices.Equal(got, whole) || err != nil {
				t.Errorf("cut after %d: %v, %v", n, got, err)
			}
		})
	}
}

// TestIncompleteStream cuts a stream more often than it may be taken up again,
// after each of its events.
func TestIncompleteStream(t *testing.T) {
	for n := range events[:4] {
		for retries := range 3 {
			synctest.Test(t, func(t *testing.T) {
				first := clienttest.SSE(strings.Join(events[:n], ""))
				silent := clienttest.SSE(": nothing\n\n")
				s := clienttest.NewInMemory(t, first, silent)
				got, _, err := follow(stream(t.Context(), to(t, s), client.WithMaxRetries(retries)))
				e, ok := errors.AsType[*client.Error](err)
				if !ok || !errors.Is(err, client.ErrIncompleteStream) || !errors.Is(err, io.ErrUnexpectedEOF) || e.StatusCode != 0 || len(e.Attempts) != retries+1 {
					t.Errorf("%d retries after %d events: %v", retries, n, err)
				}
				if !slices.Equal(got, whole[:n]) || len(s.Requests()) != retries+1 {
					t.Errorf("%d retries after %d events: events %v over %d requests", retries, n, got, len(s.Requests()))
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) { // the resumption is refused
		s := clienttest.NewInMemory(t, clienttest.SSE(events[0]), clienttest.Respond(404, nil))
		_, _, err := follow(stream(t.Context(), to(t, s)))
		if !errors.Is(err, client.ErrIncompleteStream) || !errors.Is(err, client.ErrNotFound) {
			t.Errorf("error %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the reply has an id that makes another path
		s := clienttest.NewInMemory(t, clienttest.SSE(strings.ReplaceAll(events[0], "msg_1", "..")), turn)
		_, _, err := follow(stream(t.Context(), to(t, s)))
		if err == nil || len(s.Requests()) != 1 {
			t.Errorf("%v after %d requests", err, len(s.Requests()))
		}
	})
	synctest.Test(t, func(t *testing.T) { // nothing left in the budget
		s := clienttest.NewInMemory(t, clienttest.SSE(events[0]))
		_, _, err := follow(stream(t.Context(), to(t, s, client.WithRetryBudget(4))))
		if !errors.Is(err, client.ErrIncompleteStream) || !errors.Is(err, client.ErrRetryBudget) || len(s.Requests()) != 1 {
			t.Errorf("%v after %d requests", err, len(s.Requests()))
		}
	})
	if _, err := client.Accumulate(func(func(api.StreamEvent, error) bool) {}); !errors.Is(err, client.ErrIncompleteStream) {
		t.Errorf("Accumulate of nothing: %v", err)
	}
}

// TestStreamBeforeFirst fails before the first event, as any call may.
func TestStreamBeforeFirst(t *testing.T) {
	for name, fault := range map[string]clienttest.Step{
		"503":        clienttest.Respond(503, nil),
		"html":       clienttest.HTML502(),
		"429":        clienttest.RateLimited("3"),
		"reset":      clienttest.Reset(clienttest.AfterReading),
		"no answer":  clienttest.Hang(),
		"no event":   clienttest.SSE(""),
		"no headers": turn.Reset(clienttest.AfterStatusLine),
		"silence":    clienttest.SSE(events[0]).Delay(2 * time.Minute),
	} {
		for failures := range 4 {
			synctest.Test(t, func(t *testing.T) {
				s := clienttest.NewInMemory(t, append(slices.Repeat([]clienttest.Step{fault}, failures), turn)...)
				got, reply, err := follow(stream(t.Context(), to(t, s)))
				if failures < 3 && (!slices.Equal(got, whole) || reply != "At nine." || err != nil) || failures == 3 && (err == nil || len(got) > 0) {
					t.Errorf("%s, %d times: events %v, %v", name, failures, got, err)
				}
				if len(keys(s)) != 1 || len(s.Requests()) != min(failures+1, 3) {
					t.Errorf("%s, %d times: keys %q over %d requests", name, failures, keys(s), len(s.Requests()))
				}
			})
		}
	}
	for name, answer := range map[string]clienttest.Step{
		"400":     clienttest.Respond(400, `{"error":{"code":"invalid_request","message":"no"}}`),
		"409":     clienttest.Respond(409, nil),
		"JSON":    clienttest.Respond(200, "{}"),
		"nothing": clienttest.Respond(204, nil),
		"a page":  clienttest.Respond(200, "<html>").Header("Content-Type", "text/html"),
	} {
		s := clienttest.New(t, answer)
		_, _, err := follow(stream(t.Context(), to(t, s)))
		if e, ok := errors.AsType[*client.Error](err); !ok || e.StatusCode == 0 || e.Message == "" || errors.Is(err, client.ErrIncompleteStream) || len(s.Requests()) != 1 {
			t.Errorf("%s: %v after %d requests", name, err, len(s.Requests()))
		}
	}
}

// slow is a stream whose events, and comments between them, come at a pace.
func slow(pace time.Duration, chunks ...string) clienttest.Step {
	return clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, chunk := range chunks {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(pace):
			case <-r.Context().Done():
				return
			}
		}
	}))
}

// TestStreamIdle counts silence of the server, and nothing else.
func TestStreamIdle(t *testing.T) {
	const comment = ":\n\n"
	synctest.Test(t, func(t *testing.T) { // comments keep it open, for longer than an attempt may take
		chunks := slices.Concat(events[:3], slices.Repeat([]string{comment}, 60), events[3:])
		s := clienttest.NewInMemory(t, slow(10*time.Second, chunks...))
		begin := time.Now()
		got, _, err := follow(stream(t.Context(), to(t, s)))
		if !slices.Equal(got, whole) || err != nil || len(s.Requests()) != 1 || time.Since(begin) < 10*time.Minute {
			t.Errorf("%v, %v over %d requests in %v", got, err, len(s.Requests()), time.Since(begin))
		}
	})
	synctest.Test(t, func(t *testing.T) { // silence does not, and the stream is taken up again
		s := clienttest.NewInMemory(t, slow(time.Hour, events[0]), turn)
		begin := time.Now()
		got, _, err := follow(stream(t.Context(), to(t, s)))
		if took := time.Since(begin); !slices.Equal(got, whole) || err != nil || took < 30*time.Second || took > 31*time.Second {
			t.Errorf("%v, %v in %v", got, err, took)
		}
		if r := s.Requests()[1]; r.Header.Get("Last-Event-ID") != "1" {
			t.Errorf("taken up after %q, want 1", r.Header.Get("Last-Event-ID"))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, slow(time.Hour, events[0]))
		_, _, err := follow(stream(t.Context(), to(t, s), client.WithMaxRetries(0), client.WithStreamIdleTimeout(5*time.Second)))
		e, ok := errors.AsType[*client.Error](err)
		if !ok || !errors.Is(err, client.ErrIncompleteStream) || !strings.Contains(err.Error(), "nothing came within 5s") || !e.Timeout() {
			t.Errorf("error %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a slow reader is not silence
		s := clienttest.NewInMemory(t, slow(time.Second, events...))
		n := 0
		for _, err := range stream(t.Context(), to(t, s)) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Minute)
			n++
		}
		if n != 5 || len(s.Requests()) != 1 {
			t.Errorf("%d events over %d requests", n, len(s.Requests()))
		}
	})
	synctest.Test(t, func(t *testing.T) { // 0 is no bound
		s := clienttest.NewInMemory(t, slow(time.Hour, events...))
		if got, _, err := follow(stream(t.Context(), to(t, s), client.WithStreamIdleTimeout(0))); !slices.Equal(got, whole) || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// TestStreamLeave leaves the loop after each event: the connection is closed, and
// nothing goes on. (A bubble fails its test when a goroutine stays.)
func TestStreamLeave(t *testing.T) {
	for n := range events {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, slow(time.Second, events...))
			seen := 0
			for _, err := range stream(t.Context(), to(t, s)) {
				if err != nil {
					t.Fatal(err)
				}
				if seen++; seen == n+1 {
					break
				}
			}
			synctest.Wait()
			s.Wait()
			if _, open := s.Connections(); open > 0 || !s.Requests()[0].Gone && n < 4 {
				t.Errorf("after %d events %d connections are open, and that the client is gone is %v", seen, open, s.Requests()[0].Gone)
			}
		})
	}
}

// TestStreamCancel ends ctx at every moment of a stream.
func TestStreamCancel(t *testing.T) {
	for name, script := range map[string][]clienttest.Step{
		"before the answer":     {clienttest.Hang()},
		"in the stream":         {slow(time.Hour, events[0])},
		"between two attempts":  {clienttest.Respond(503, nil).RetryAfter("30")},
		"in the resumption":     {clienttest.SSE(events[0]), clienttest.Hang()},
		"in the second attempt": {clienttest.Respond(503, nil), clienttest.Hang()},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, script...)
			ctx, cancel := context.WithCancel(t.Context())
			begin := time.Now()
			time.AfterFunc(10*time.Second, cancel)
			_, _, err := follow(stream(ctx, to(t, s)))
			if took := time.Since(begin); !errors.Is(err, context.Canceled) || errors.Is(err, client.ErrIncompleteStream) || took != 10*time.Second {
				t.Errorf("%s: %v after %v", name, err, took)
			}
		})
	}
}

// TestStreamError ends with the error that the server tells.
func TestStreamError(t *testing.T) {
	failed := event(3, "error", `"error":{"code":"turn_failed","message":"the model is down","details":{"a":1},"request_id":"req_9"},`)
	for name, script := range map[string][]clienttest.Step{
		"at once": {clienttest.SSE(failed)},
		"later":   {clienttest.SSE(events[0] + events[1] + failed)},
		"resumed": {clienttest.SSE(events[0]), clienttest.SSE(events[1] + failed)},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, script...)
			_, err := client.Accumulate(stream(t.Context(), to(t, s)))
			e, ok := errors.AsType[*client.Error](err)
			if !ok || e.StatusCode != 200 || e.Code != "turn_failed" || e.Message != "the model is down" || e.RequestID != "req_9" || e.Details["a"] != 1.0 ||
				!errors.Is(err, client.ErrServer) || errors.Is(err, client.ErrIncompleteStream) || len(s.Requests()) != len(script) {
				t.Errorf("%s: %v after %d requests", name, err, len(s.Requests()))
			}
		})
	}
}

// TestStreamGarbage does not go on with what is none of the API.
func TestStreamGarbage(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		is   error
	}{
		"no JSON":    {"data: hello\n\n", client.ErrIncompleteStream},
		"other JSON": {"data: [1]\n\n", client.ErrIncompleteStream},
		"too large":  {"data: {\"delta\":\"" + strings.Repeat("x", 5<<20) + "\"}\n\n", client.ErrResponseTooLarge},
		"one line":   {strings.Repeat("x", 5<<20), client.ErrResponseTooLarge},
	} {
		s := clienttest.New(t, clienttest.SSE(events[0]+test.text))
		got, _, err := follow(stream(t.Context(), to(t, s)))
		if _, ok := errors.AsType[*client.Error](err); !ok || !errors.Is(err, test.is) || !slices.Equal(got, whole[:1]) || len(s.Requests()) != 1 || len(err.Error()) > 500 {
			t.Errorf("%s: %v, %v after %d requests", name, got, err, len(s.Requests()))
		}
	}
	s := clienttest.New(t, clienttest.SSE(strings.Join(events, "")))
	if _, _, err := follow(stream(t.Context(), to(t, s), client.WithMaxResponseBytes(100))); !errors.Is(err, client.ErrResponseTooLarge) {
		t.Errorf("an event longer than WithMaxResponseBytes: %v", err)
	}
}

// TestStreamOnce can be read once, and its connection is used again.
func TestStreamOnce(t *testing.T) {
	s := clienttest.New(t, turn)
	c := to(t, s)
	st := stream(t.Context(), c)
	if r, err := client.Accumulate(st); err != nil || r.Text != "At nine." {
		t.Fatal(r, err)
	}
	if _, _, err := follow(st); err == nil || len(s.Requests()) != 1 {
		t.Errorf("a stream was read twice: %v", err)
	}
	for range 5 {
		if got, _, err := follow(stream(t.Context(), c)); !slices.Equal(got, whole) || err != nil {
			t.Fatal(got, err)
		}
	}
	if opened, _ := s.Connections(); opened != 1 {
		t.Errorf("6 streams opened %d connections, want 1", opened)
	}
	synctest.Test(t, func(t *testing.T) { // a stream that ends a moment after its last event, and one that does not
		for pace, want := range map[time.Duration]int{10 * time.Millisecond: 1, time.Hour: 3} {
			s := clienttest.NewInMemory(t, slow(pace, strings.Join(events, "")))
			c := to(t, s)
			begin := time.Now()
			for range 3 {
				if _, err := client.Accumulate(stream(t.Context(), c)); err != nil {
					t.Fatal(err)
				}
			}
			if opened, _ := s.Connections(); opened != want || time.Since(begin) > time.Second {
				t.Errorf("3 streams that end after %v opened %d connections in %v, want %d", pace, opened, time.Since(begin), want)
			}
		}
	})
}

// TestStreamTimeout does not let the Timeout of an http.Client cut a stream.
func TestStreamTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, slow(5*time.Second, events...))
		hc := *s.Client()
		hc.Timeout = 3 * time.Second
		c := newClient(t, s.URL, client.WithHTTPClient(&hc))
		if got, _, err := follow(stream(t.Context(), c)); !slices.Equal(got, whole) || err != nil || len(s.Requests()) != 1 {
			t.Errorf("%v, %v over %d requests", got, err, len(s.Requests()))
		}
	})
}

// TestResume takes up a reply that another stream began.
func TestResume(t *testing.T) {
	for after := range int64(5) {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, clienttest.Respond(503, nil), turn.Truncate(20), turn)
			got, reply, err := follow(to(t, s).Messages.Resume(t.Context(), "msg_1", after))
			if !slices.Equal(got, whole[after:]) || reply != "At nine." || err != nil {
				t.Errorf("after %d: %v, %q, %v", after, got, reply, err)
			}
			want := ""
			if after > 0 {
				want = fmt.Sprint(after)
			}
			if r := s.Requests()[0]; r.URL != "/v1/messages/msg_1/events" || r.Header.Get("Last-Event-ID") != want {
				t.Errorf("after %d: requests %s with Last-Event-ID %q", after, r.URL, r.Header.Get("Last-Event-ID"))
			}
		})
	}
}

// TestStreamBearer gets another token for a resumption too.
func TestStreamBearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.SSE(events[0]), clienttest.Respond(401, nil), turn)
		n := 0
		c := newClient(t, s.URL, client.WithHTTPClient(s.Client()), client.WithBearer(func(context.Context) (string, error) {
			n++
			return fmt.Sprint("t", n), nil
		}))
		got, _, err := follow(stream(t.Context(), c))
		var sent []string
		for _, r := range s.Requests() {
			sent = append(sent, r.Header.Get("Authorization"))
		}
		if !slices.Equal(got, whole) || err != nil || fmt.Sprint(sent) != "[Bearer t1 Bearer t1 Bearer t2]" {
			t.Errorf("%v, %v with %v", got, err, sent)
		}
	})
}
