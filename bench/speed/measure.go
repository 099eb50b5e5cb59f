package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

// A timing is what questions took: the best of some rounds.
type timing struct {
	CPU         time.Duration   // of all questions that were asked
	Each        []time.Duration // wall time of each
	Allocations float64         // a question
	Found       [][]string      // ids
}

// figures are what a child process tells.
type figures struct {
	CPU      time.Duration // building
	Opening  time.Duration // CPU until the first question is answered
	Resident int64         // bytes, more than before it was open
	Disk     int64         // bytes
	Narrow   timing
	Wide     timing
	Typos    timing
	Hydrate  time.Duration // CPU, of all narrow questions: reading what was found
}

// timed asks as many questions as the budget allows, in rounds.
func timed(questions []string, find func(string) ([]string, error)) (t timing, err error) {
	begun := machine.CPU()
	for _, q := range questions { // not timed: what is found
		found, err := find(q)
		if err != nil {
			return t, err
		}
		t.Found = append(t.Found, found)
		if machine.CPU()-begun > *budget {
			break
		}
	}
	questions = questions[:len(t.Found)]
	t.Each = make([]time.Duration, len(questions))
	var before, after runtime.MemStats
	for round := range *rounds {
		if round > 0 && t.CPU > *budget/2 {
			break // it is slow, and measured well enough
		}
		runtime.ReadMemStats(&before)
		begun := machine.CPU()
		for i, q := range questions {
			at := time.Now()
			if _, err := find(q); err != nil {
				return t, err
			}
			if took := time.Since(at); round == 0 || took < t.Each[i] {
				t.Each[i] = took
			}
		}
		if spent := machine.CPU() - begun; round == 0 || spent < t.CPU {
			t.CPU = spent
		}
		runtime.ReadMemStats(&after)
		t.Allocations = float64(after.Mallocs-before.Mallocs) / float64(len(questions))
	}
	return t, nil
}

// An engine is one that is built from documents and asked.
type engine interface {
	build(ctx context.Context) error
	narrow(question string) ([]string, error)
	wide(question string) ([]string, error)
	typo(question string) ([]string, error) // nil: it knows nothing of them
	close() error
}

// engines open what is in a folder, or make it.
var engines = map[string]func(place string) (engine, error){
	"bleve": openBleve, "bleve-one": openBleveOne, "fts5": openFTS5, "fts5-stop": openFTS5Stop,
}

// obey is what a child process does.
func obey(ctx context.Context) error {
	what, name, _ := strings.Cut(*child, " ")
	var out any
	var err error
	switch {
	case what == "build" && engines[name] != nil:
		out, err = buildEngine(ctx, name)
	case what == "search" && engines[name] != nil:
		out, err = searchEngine(name)
	case what == "build" && name == "desk":
		out, err = buildDesk(ctx)
	case what == "search" && name == "desk":
		out, err = searchDesk(ctx)
	case what == "write":
		out, err = writeDesk(ctx)
	case what == "vectors":
		out, err = askVectors(ctx)
	default:
		err = fmt.Errorf("-child: nobody can do %q", *child)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func buildEngine(ctx context.Context, name string) (f figures, err error) {
	begun := machine.CPU()
	e, err := engines[name](*place)
	if err != nil {
		return f, err
	}
	if err := errors.Join(e.build(ctx), e.close()); err != nil {
		return f, err
	}
	f.CPU = machine.CPU() - begun
	f.Disk, err = sizeOf(*place)
	return f, err
}

func searchEngine(name string) (f figures, err error) {
	questions, err := textOf(*asking)
	if err != nil {
		return f, err
	}
	typos, err := textOf(filepath.Join(filepath.Dir(*asking), "typos"))
	if err != nil {
		return f, err
	}
	before, err := resident()
	if err != nil {
		return f, err
	}
	begun := machine.CPU()
	e, err := engines[name](*place)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if _, err := e.wide("open"); err != nil {
		return f, err
	}
	f.Opening = machine.CPU() - begun
	if f.Narrow, err = timed(questions, e.narrow); err != nil {
		return f, err
	}
	if f.Wide, err = timed(questions, e.wide); err != nil {
		return f, err
	}
	after, err := resident()
	if err != nil {
		return f, err
	}
	f.Resident = after - before
	if found, err := e.typo(typos[0]); err == nil && found != nil {
		if f.Typos, err = timed(typos, e.typo); err != nil {
			return f, err
		}
	}
	return f, nil
}

// resident returns how many bytes this process has in memory, once what is free was
// given back.
func resident() (int64, error) {
	debug.FreeOSMemory()
	m, err := machine.Memory()
	return m.Resident, err
}

// sizeOf returns how many bytes the files in a folder have.
func sizeOf(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
