//go:build unix

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// cpu returns the time that this process has spent on processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns how many bytes this process has in memory, as Linux counts them,
// once what is free was given back.
func resident() (int64, error) {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if s, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(s), " kB"), 10, 64)
			return kB << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status does not say how much memory is in use")
}

// A timing is what questions took: the best of some rounds.
type timing struct {
	CPU         time.Duration   // of all questions together
	Each        []time.Duration // wall time of each
	Allocations float64         // a question
	Found       [][]string      // ids
}

// timed asks all questions, in rounds.
func timed(x *index.Index, questions []string, query func(string) index.Query, rounds int) timing {
	t := timing{Each: make([]time.Duration, len(questions)), Found: make([][]string, len(questions))}
	for i, q := range questions { // not timed: what is found
		for _, h := range x.Search(query(q)).Hits {
			t.Found[i] = append(t.Found[i], h.DocumentID)
		}
	}
	queries := make([]index.Query, len(questions))
	for i, q := range questions {
		queries[i] = query(q)
	}
	var before, after runtime.MemStats
	for round := range rounds {
		runtime.ReadMemStats(&before)
		begun := cpu()
		for i, q := range queries {
			at := time.Now()
			x.Search(q)
			if took := time.Since(at); round == 0 || took < t.Each[i] {
				t.Each[i] = took
			}
		}
		if spent := cpu() - begun; round == 0 || spent < t.CPU {
			t.CPU = spent
		}
		runtime.ReadMemStats(&after)
		t.Allocations = float64(after.Mallocs-before.Mallocs) / float64(len(questions))
	}
	return t
}
