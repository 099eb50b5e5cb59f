package postgres_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// BenchmarkStore measures a server on this machine that waits for the disk of the
// temporary directory at each commit, and a pool of 64 connections.
func BenchmarkStore(b *testing.B) {
	server := pgtest.Own(b, &pgtest.Options{Fsync: true})
	config := newConfig(b, server.URL("postgres"))
	config.MaxConns = 64
	pool := connectPool(b, config)
	storetest.Benchmarks(b, func(b *testing.B) storetest.Store { return open(b, pool).Store })
}
