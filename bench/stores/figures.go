package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/stores/engine"
)

// Figures are what a child process tells of a measurement.
type figures struct {
	N         int           // operations
	PerSecond float64       // of them
	P50, P99  time.Duration // of one
	CPU       time.Duration // of the calling process, all operations together
	Server    time.Duration // the CPU of the server, all operations together
	Allocs    float64       // an operation
	Bytes     float64       // an operation
	Answers   string        `json:",omitempty"` // a hash of what was answered
}

// measured has a child process measure something in a place.
func measured(ctx context.Context, e *engine.Engine, place, what string, args ...string) (f figures, err error) {
	args = append([]string{"-child", what, "-place", place, "-server", fmt.Sprint(e.Server)}, args...)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return f, fmt.Errorf("%s on %s: %w\n%s", what, e.Name, err, out.String())
	}
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		return f, fmt.Errorf("%s on %s: %w: %s", what, e.Name, err, out.String())
	}
	return f, nil
}

// heading is printed above rows.
const heading = "%-10s %7s  %-10s %9s %10s %10s %9s %9s %8s %9s\n"

func printHeading(first string) {
	fmt.Printf("\n"+heading, first, "callers", "store", "per s", "p50", "p99", "CPU", "server", "allocs", "bytes")
}

// printRow prints the median of each figure over the rounds.
func printRow(name string, callers int, engine string, all []figures) {
	each := func(f figures, d time.Duration) time.Duration {
		return (d / time.Duration(max(f.N, 1))).Round(100 * time.Nanosecond)
	}
	server := "-"
	if d := median(all, func(f figures) time.Duration { return each(f, f.Server) }); d > 0 {
		server = d.String()
	}
	fmt.Printf(heading, name, fmt.Sprint(callers), engine,
		fmt.Sprintf("%.0f", median(all, func(f figures) float64 { return f.PerSecond })),
		median(all, func(f figures) time.Duration { return f.P50 }).Round(time.Microsecond),
		median(all, func(f figures) time.Duration { return f.P99 }).Round(time.Microsecond),
		median(all, func(f figures) time.Duration { return each(f, f.CPU) }), server,
		fmt.Sprintf("%.0f", median(all, func(f figures) float64 { return f.Allocs })),
		fmt.Sprintf("%.0f", median(all, func(f figures) float64 { return f.Bytes })))
}

func median[T cmp.Ordered](all []figures, of func(figures) T) T {
	values := make([]T, len(all))
	for i, f := range all {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
