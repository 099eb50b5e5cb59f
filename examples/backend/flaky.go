package main

import (
	"context"
	"errors"
	"os"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
)

// flaky is a desk in this process, behind a server that fails as it is told.
type flaky struct {
	url, key string
	close    func() error
}

func startFlaky(ctx context.Context) (*flaky, error) {
	dir, err := os.MkdirTemp("", "backend")
	if err != nil {
		return nil, err
	}
	desk, err := answerdesk.Open(ctx, dir, nil)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	f := &flaky{close: func() error { return errors.Join(desk.Close(), os.RemoveAll(dir)) }}
	_, err = desk.Knowledge().Put(ctx, knowledge.Document{Title: "Hours", Text: "We open at nine in the morning. On Sundays we stay closed."})
	if err == nil {
		_, f.key, err = desk.Keys().Create(ctx, access.NewKey{Name: "Backend", Scope: access.ScopeWrite})
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	api := clienttest.Handler(server.New(desk, nil))
	faulty := clienttest.Start(
		api.Reset(clienttest.AfterReading), // the reply is made and stored, and nobody is told
		clienttest.RateLimited("2"),        // come again in two seconds
		api,                                // this attempt gets that reply, and all that follow theirs
	)
	f.url = faulty.URL
	closeDesk := f.close
	f.close = func() error { faulty.Close(); return closeDesk() }
	return f, nil
}
