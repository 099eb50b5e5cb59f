// Embed mounts the hosted API in a program that has a mux and a login of its own:
// whoever is logged in may call it, and no API key is needed. Run it at the top of
// the repository, and ask it as ann:
//
//	go run ./examples/embed -data desk
//	curl -c jar -d user=ann -d password=apple http://127.0.0.1:8090/login
//	curl -b jar -d '{"title": "Hours", "text": "We open at nine."}' -H 'Content-Type: application/json' \
//		http://127.0.0.1:8090/support/v1/knowledge/documents
//	curl -b jar -d '{"message": "When do you open?"}' -H 'Content-Type: application/json' \
//		http://127.0.0.1:8090/support/v1/message
//
// bob, whose password is banana, may ask as well, and neither read nor change
// anything. Copy it, and put your own login in the place of login.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/server"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8090", "listen at `HOST:PORT`")
	data := flag.String("data", "desk", "keep the desk in the folder `DIR`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *data); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then lets everything that has begun end.
func run(ctx context.Context, addr, data string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	desk, err := answerdesk.Open(ctx, data, &answerdesk.Options{Logger: log})
	if err != nil {
		return err
	}
	defer desk.Close()

	people := newLogin(desk.ID())
	support := server.New(desk, &server.Options{BasePath: "/support", Authenticate: people.principal, Logger: log})
	mux := http.NewServeMux()
	mux.Handle("/support/", support)
	mux.HandleFunc("POST /login", people.in)
	mux.HandleFunc("POST /logout", people.out)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "This is your own program. The desk is at /support, for those who are logged in.\n")
	})

	// A cookie goes along with requests that other sites make of a browser: they
	// are refused.
	front := &http.Server{Handler: http.NewCrossOriginProtection().Handler(mux), ReadHeaderTimeout: 10 * time.Second}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())

	// What is to be done in the background goes on until the last request has ended.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := desk.Run(running); running.Err() == nil {
			log.Error("background work has stopped", "error", err)
		}
	})
	wg.Go(func() {
		<-ctx.Done()
		patience, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer done()
		if err := errors.Join(support.Drain(patience), front.Shutdown(patience)); err != nil {
			log.Error("cut short", "error", err)
		}
		stop()
	})
	err = front.Serve(listener)
	if ctx.Err() == nil {
		return err // the process ends, and so does what runs
	}
	wg.Wait()
	return nil
}
