package storetest_test

import (
	"flag"
	"testing"

	"github.com/answerdesk-go/answerdesk/store/storetest"
	"github.com/answerdesk-go/answerdesk/store/storetest/internal/reference"
)

// TestBenchmarks makes each operation that is measured once for each number of
// callers, and fails if one of them does.
func TestBenchmarks(t *testing.T) {
	benchtime := flag.Lookup("test.benchtime").Value
	was := benchtime.String()
	defer benchtime.Set(was)
	if err := benchtime.Set("1x"); err != nil {
		t.Fatal(err)
	}
	failed := true
	testing.Benchmark(func(b *testing.B) {
		storetest.Benchmarks(b, func(b *testing.B) storetest.Store {
			s := &reference.Store{}
			b.Cleanup(func() { s.Close() })
			return s
		})
		failed = b.Failed()
	})
	if failed {
		t.Error("a benchmark failed: run BenchmarkStore of an engine to see which")
	}
}
