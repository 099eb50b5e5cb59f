package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// TestTruncatedJSON counts an answer that ends too early as a lost connection,
// although HTTP was told that it is whole, and another that is none at all as
// final.
func TestTruncatedJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(200, `{"id":"msg_1","te`), reply)
		if r, err := ask(t.Context(), to(t, s)); err != nil || r.Text != "At nine." {
			t.Error(r, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // its headers came, and tell what to ask about
		s := clienttest.NewInMemory(t, reply.Header("X-Request-Id", "req_5").Truncate(7))
		_, err := ask(t.Context(), to(t, s))
		if e, ok := errors.AsType[*client.Error](err); !ok || e.StatusCode != 0 || e.RequestID != "req_5" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v", err)
		}
	})
	for _, body := range []string{"", "<html>", "[1]", `"text"`, `{"id":1}`, `{"id":"a"}x`} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, clienttest.Respond(200, body).Header("Content-Type", "text/html"))
			_, err := ask(t.Context(), to(t, s))
			e, ok := errors.AsType[*client.Error](err)
			if !ok || e.StatusCode != 200 || string(e.Body) != body || e.Message == "" || len(s.Requests()) != 1 {
				t.Errorf("body %q: %v after %d requests", body, err, len(s.Requests()))
			}
		})
	}
}

// TestOneConnection keeps the connection whatever fails on it, and leaves none
// open that is not idle.
func TestOneConnection(t *testing.T) {
	s := clienttest.New(t, clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "bad") {
			w.WriteHeader(400)
			io.WriteString(w, strings.Repeat("x", 60<<10))
			return
		}
		io.WriteString(w, `{}`)
	})))
	c := to(t, s)
	for range 50 {
		if _, err := c.Agents.Get(t.Context(), "good"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Agents.Get(t.Context(), "bad"); !errors.Is(err, client.ErrInvalidRequest) {
			t.Fatal(err)
		}
	}
	if opened, _ := s.Connections(); opened != 1 {
		t.Errorf("100 calls opened %d connections, want 1", opened)
	}
}

// TestOthersConnections leaves the idle connections alone when a call fails.
func TestOthersConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, reply, clienttest.Respond(503, nil).RetryAfter("30"), reply)
		c := to(t, s)
		if _, err := ask(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := ask(ctx, c); !errors.Is(err, context.Canceled) || !errors.Is(err, client.ErrServer) {
			t.Errorf("error %v, want the 503 and why it was not repeated", err)
		}
		if _, err := ask(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if opened, _ := s.Connections(); opened != 1 {
			t.Errorf("%d connections, want 1", opened)
		}
	})
}

// TestNothingLeft ends the context of each attempt with the attempt.
func TestNothingLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []context.Context
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil), clienttest.Reset(clienttest.AfterReading), reply, turn)
		c := to(t, s, client.WithTransportMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return round(func(r *http.Request) (*http.Response, error) {
				attempts = append(attempts, r.Context())
				return next.RoundTrip(r)
			})
		}))
		if _, err := ask(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Accumulate(stream(t.Context(), c)); err != nil {
			t.Fatal(err)
		}
		for i, ctx := range attempts {
			if ctx.Err() == nil {
				t.Errorf("the context of attempt %d goes on", i+1)
			}
		}
	})
}

// TestQuiet quotes nothing of a request in an error, its query included.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Reset(clienttest.AfterReading))
		c := to(t, s)
		_, err := c.Conversations.List(t.Context(), &api.ListConversationsParams{UserID: new("ana@example.com")})
		s.RefuseDials(100)
		_, err2 := c.Agents.Get(t.Context(), "ana@example.com")
		if err == nil || err2 == nil || strings.Contains(err.Error()+err2.Error(), "ana") || strings.Contains(err.Error(), "/v1") {
			t.Errorf("errors %v and %v", err, err2)
		}
	})
}

// TestResponseTooLarge bounds an answer, and what an error keeps of one.
func TestResponseTooLarge(t *testing.T) {
	for _, size := range []int{99, 100, 101, 5000} {
		s := clienttest.New(t, clienttest.Respond(200, `"`+strings.Repeat("x", size-2)+`"`))
		_, err := ask(t.Context(), to(t, s, client.WithMaxResponseBytes(100)))
		if got := errors.Is(err, client.ErrResponseTooLarge); got != (size > 100) || got && !strings.Contains(err.Error(), "more than 100 bytes") || len(s.Requests()) != 1 {
			t.Errorf("%d bytes: %v after %d requests", size, err, len(s.Requests()))
		}
	}
	s := clienttest.New(t, clienttest.Respond(400, strings.Repeat("x", 1<<20)))
	_, err := ask(t.Context(), to(t, s, client.WithMaxResponseBytes(100)))
	if e, ok := errors.AsType[*client.Error](err); !ok || len(e.Body) != 4<<10 || len(e.Error()) > 1000 {
		t.Errorf("error %.200v keeps %d bytes, want 4 KiB", err, len(e.Body))
	}
}

// TestDialErrors repeats what no request was sent for.
func TestDialErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, reply)
		s.RefuseDials(2)
		if _, err := ask(t.Context(), to(t, s)); err != nil {
			t.Error(err)
		}
		s.RefuseDials(3)
		s.Client().CloseIdleConnections()
		_, err := ask(t.Context(), to(t, s))
		if e, ok := errors.AsType[*client.Error](err); !ok || e.StatusCode != 0 || !errors.Is(err, syscall.ECONNREFUSED) || len(e.Attempts) != 3 {
			t.Errorf("error %v", err)
		}
	})
}
