package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"sync"
	"syscall"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/server"
)

// host serves a store that may be a mutant, as the program of users serves one
// that is not, until it is asked to end.
func (r role) host(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	st, err := openStore(ctx, r.Store)
	if err != nil {
		return err
	}
	defer st.Close()
	desk, err := answerdesk.New(ctx, mutate(r.Mutant, st), nil)
	if err != nil {
		return err
	}
	defer desk.Close()
	l, err := net.Listen("tcp", r.Addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", r.Addr)
	handler := server.New(desk, nil)
	front := &http.Server{Handler: handler}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = desk.Run(ctx) })
	wg.Go(func() {
		<-ctx.Done()
		_ = errors.Join(handler.Drain(context.WithoutCancel(ctx)), front.Shutdown(context.WithoutCancel(ctx)))
	})
	if err := front.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
