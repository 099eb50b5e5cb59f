package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/server"
)

var serveCommand = command{
	name: "serve", about: "answer over HTTP, until it is interrupted",
	more: `Serves the API that openapi.yaml describes; /docs shows it for reading. Callers
need an API key: answerdesk keys create makes one, also while this runs. The first
line on standard output says where it listens. The log goes to standard error, a
JSON object a line, without customers' words and without keys.

Each setting is taken from the first place that has it: its flag, the environment
variable ANSWERDESK_ and its name in capitals, such as ANSWERDESK_MAX_STREAMS, the
file that --config names, such as {"max_streams": 500}.

An interrupt (Ctrl-C, SIGTERM) lets the replies that are being made end, and takes
no new messages meanwhile; the status is 0 if all have ended. A second one ends the
program at once, and nothing that was acknowledged is lost.`,
	settings: serveSettings, lasts: true, do: serve,
}

// Bounds on what a connection may cost. How long a body may take is the server's
// own affair, since it depends on what the operation takes.
const (
	headerTime = 10 * time.Second // to send the header of a request
	idleTime   = 2 * time.Minute  // between two requests
	maxHeader  = 64 << 10         // bytes of a request's header
	partTime   = 5 * time.Second  // for answers that are on their way when all turns have ended
)

// serve answers requests until ctx ends.
func serve(ctx context.Context, given *call) (err error) {
	s := &given.serving
	log := slog.New(slog.NewJSONHandler(given.stderr, &slog.HandlerOptions{Level: s.logLevel}))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	model, err := given.model.open()
	if err != nil {
		return err
	}
	desk, err := given.store.open(ctx, answerdesk.Options{
		Model: model, Models: given.model.named(model),
		IndexMemory: s.indexMemory, Staleness: s.staleness, AllowNetworks: s.networks(), DrainTimeout: s.drainTimeout, Migrate: s.migrate, Logger: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	if s.dev {
		log.Warn("--dev is on: what the server fetches or calls may be on this machine; never use it where others can send requests")
	}
	handler := server.New(desk.Desk, &server.Options{
		BasePath: s.basePath, PublicURL: s.publicURL, AllowedOrigins: s.allowedOrigins, MaxStreams: s.maxStreams,
		Version: programVersion(), Logger: log,
	})
	quiet := &silent{conns: map[net.Conn]bool{}}
	front := &http.Server{
		ConnState: quiet.follow,
		Handler:   handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}

	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 2) // what ends by itself ends the program
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := desk.Run(running); running.Err() == nil {
			ended <- fmt.Errorf("background work has stopped: %w", err)
		}
	})
	wg.Go(func() {
		if err := front.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			ended <- err
		}
	})
	address := "http://" + reachable(listener.Addr().String())
	if _, err := fmt.Fprintf(given.stdout, "answerdesk: listening on %s\n", address); err != nil {
		ended <- err
	}
	log.Info("listening", "address", address, "base_path", s.basePath, "store", given.store.String(), "version", programVersion())

	select {
	case <-ctx.Done():
	case err = <-ended:
	}
	log.Info("draining", "timeout", s.drainTimeout.String())
	err = errors.Join(err, drain(handler, front, quiet, s.drainTimeout))
	stop()
	wg.Wait()
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// drain lets the turns that run end, then the requests that are being answered.
func drain(handler *server.Server, front *http.Server, quiet *silent, patience time.Duration) error {
	turns, done := context.WithTimeout(context.Background(), patience)
	defer done()
	err := handler.Drain(turns)
	if err != nil {
		err = fmt.Errorf("after %v some replies were cut short: %w", patience, err)
	}
	quiet.close()
	requests, done := context.WithTimeout(context.Background(), partTime)
	defer done()
	if late := front.Shutdown(requests); late != nil {
		err = errors.Join(err, fmt.Errorf("some requests were cut short: %w", late), front.Close())
	}
	return err
}

// reachable is an address at which this machine reaches a listener: one that
// listens on all addresses is named by the loopback address.
func reachable(address string) string {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().IsUnspecified() {
		return address
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()).String()
}
