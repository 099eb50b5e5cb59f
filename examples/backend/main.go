// Backend is a service that answers its own users with what a hosted Answerdesk
// says: it calls through package client, which waits out rate limits, tries again
// what has failed, and does nothing twice. Run it at the top of the repository:
//
//	go run ./examples/backend -addr 127.0.0.1:8091
//	curl -G http://127.0.0.1:8091/ask -d user=carol --data-urlencode "q=When do you open?"
//
// By itself it calls a desk in this process that answers the first question and loses
// the connection, and refuses the next attempt with 429: the third one gets the reply
// that was made. To call one that is hosted, say where it is, with a key of scope
// write:
//
//	DESK_URL=https://desk.example.com DESK_KEY=adk_… go run ./examples/backend
//
// It logs each attempt, and how long it waited. Copy it without flaky.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8091", "listen at `HOST:PORT`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, os.Getenv("DESK_URL"), os.Getenv("DESK_KEY")); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, url, key string) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if url == "" {
		var desk *flaky
		if desk, err = startFlaky(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, desk.close()) }()
		url, key = desk.url, desk.key
	}
	c, err := client.New(url,
		client.WithAPIKey(key),
		client.WithMaxRetries(4),
		client.WithTransportMiddleware(func(next http.RoundTripper) http.RoundTripper { return &attempts{next: next, log: log} }),
	)
	if err != nil {
		return err
	}

	mux := http.NewServeMux()
	mux.Handle("GET /ask", &service{desk: c, log: log})
	front := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		patience, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer done()
		ended <- front.Shutdown(patience)
	}()
	if err := front.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// A service answers questions of users, whom it knows in a way of its own.
type service struct {
	desk *client.Client
	log  *slog.Logger
}

// ServeHTTP asks the desk, for as long as the user waits and a minute at most.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, done := context.WithTimeout(r.Context(), time.Minute)
	defer done()
	begun := time.Now()
	reply, err := s.desk.Messages.Create(watched(ctx), api.MessageRequest{
		Message: r.FormValue("q"),
		User:    api.UserInput{ID: r.FormValue("user")}, // goes on with the user's conversation
	})
	if err != nil {
		s.refuse(w, err)
		return
	}
	s.log.Info("answered", "reply", reply.ID, "outcome", reply.Outcome, "took", time.Since(begun).Round(time.Millisecond))
	answer := map[string]any{"answer": reply.Text, "known": reply.Outcome == "answer", "sources": titles(reply.Citations)}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the user is gone
}

// refuse says what has failed, in words that are no business of the desk.
func (s *service) refuse(w http.ResponseWriter, err error) {
	s.log.Error("not answered", "error", err)
	status := http.StatusBadGateway
	e, ok := errors.AsType[*client.Error](err)
	switch {
	case errors.Is(err, client.ErrInvalidRequest):
		status = http.StatusBadRequest
	case ok && e.RetryAfter > 0: // longer than the client waits
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.Itoa(int(e.RetryAfter.Seconds())+1))
	}
	http.Error(w, http.StatusText(status), status)
}

func titles(citations []api.Citation) []string {
	out := []string{}
	for _, c := range citations {
		out = append(out, c.Title)
	}
	return out
}
