package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/bench/stores/engine"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

func init() { testing.Init() } // its flags say which benchmark a child runs

// workloadChild runs the benchmark that the flags of package testing name, and
// prints its figures. Package testing prints a benchmark's name just before it is
// measured, and ends the line just after it: between the two, CPU is counted.
func workloadChild() {
	ours := os.Stdout
	out, in, err := os.Pipe()
	check(err)
	os.Stdout = in
	told, read := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		watch(out, ours, told)
	}()
	benchmark := func(b *testing.B) {
		storetest.Benchmarks(b, func(b *testing.B) storetest.Store {
			st, err := engine.Open(b.Context(), *place)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() {
				if !b.Failed() {
					<-told // the server's processes are counted while they are there
				}
				if err := st.Close(); err != nil {
					b.Error(err)
				}
			})
			return st
		})
		in.Close()
		<-read
	}
	testing.Main(regexp.MatchString, nil, []testing.InternalBenchmark{{Name: "BenchmarkStore", F: benchmark}}, nil)
}

// watch reads what package testing prints, and writes the figures of the one
// benchmark in it, after which it closes told. Anything else that is said, such as
// why it failed, goes to standard error.
func watch(out, figuresTo *os.File, told chan struct{}) {
	var said string
	var cpu, server time.Duration
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		if err != nil {
			return
		}
		said += string(buf[:n])
		for line, rest, whole := strings.Cut(said, "\n"); whole; line, rest, whole = strings.Cut(said, "\n") {
			said = rest
			if f, err := parse(line); err == nil {
				f.CPU = machine.CPU() - cpu
				f.Server = engine.ServerCPU(*postmaster) - server
				check(json.NewEncoder(figuresTo).Encode(f))
				close(told)
			} else if label, _, _ := strings.Cut(line, ": "); label != "goos" && label != "goarch" && label != "cpu" {
				fmt.Fprintln(os.Stderr, line)
			}
		}
		if strings.HasPrefix(said, "BenchmarkStore/") {
			server, cpu = engine.ServerCPU(*postmaster), machine.CPU()
		}
	}
}

// parse reads a line of a benchmark: a name, how often, and values with units.
func parse(line string) (f figures, err error) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(line, "BenchmarkStore/") {
		return f, fmt.Errorf("no benchmark: %s", line)
	}
	if f.N, err = strconv.Atoi(fields[1]); err != nil {
		return f, err
	}
	for i := 2; i+1 < len(fields); i += 2 {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return f, err
		}
		switch fields[i+1] {
		case "op/s":
			f.PerSecond = v
		case "p50-µs":
			f.P50 = time.Duration(v * float64(time.Microsecond))
		case "p99-µs":
			f.P99 = time.Duration(v * float64(time.Microsecond))
		case "allocs/op":
			f.Allocs = v
		case "B/op":
			f.Bytes = v
		}
	}
	return f, nil
}
