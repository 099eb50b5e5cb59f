package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

// measure is what a child process does.
func measure(ctx context.Context) error {
	i := slices.IndexFunc(subjects, func(s struct {
		name string
		open func(string) (subject, error)
	}) bool {
		return s.name == *child
	})
	if i < 0 {
		return fmt.Errorf("there is nothing called %q", *child)
	}
	last, err := titles(*plain)
	if err != nil {
		return err
	}
	s, err := subjects[i].open(*place)
	if err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	before, err := machine.Memory()
	if err != nil {
		return err
	}
	if err := machine.ForgetPeak(); err != nil {
		return err
	}
	cpu, begun := machine.CPU(), time.Now()

	if err := s.ingest(ctx, *plain); err != nil {
		return err
	}
	if err := finds(ctx, s, last[len(last)-1:]); err != nil {
		return err
	}
	f := figures{CPU: machine.CPU() - cpu, Wall: time.Since(begun)}
	if d, ok := s.(*desk); ok {
		f.Stages = d.stages(f.CPU)
	}

	peak, err := machine.Memory()
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	after, err := machine.Memory()
	if err != nil {
		return err
	}
	f.Peak, f.Held = peak.Peak, after.Resident-before.Resident

	cpu, begun = machine.CPU(), time.Now()
	if err := s.close(); err != nil {
		return err
	}
	closing := machine.CPU() - cpu
	pprof.StopCPUProfile()
	f.CPU, f.Wall = f.CPU+closing, f.Wall+time.Since(begun)
	if f.Stages != nil {
		f.Stages = append(f.Stages, stage{"closing", closing})
	}
	if f.Disk, err = size(*place); err != nil {
		return err
	}

	if s, err = subjects[i].open(*place); err != nil {
		return err
	}
	if f.Documents, f.Passages, err = s.count(ctx); err != nil {
		return err
	}
	if err := finds(ctx, s, last); err != nil {
		return err
	}
	if err := s.close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// A title is what a document is asked for by.
type title struct{ id, text string }

// titles returns those of some documents, whose titles are theirs alone, and of the
// last one of all of which that is so.
func titles(plain string) ([]title, error) {
	seen := map[string]int{}
	var all []title
	for d, err := range corpus.Unpacked(plain) {
		if err != nil {
			return nil, err
		}
		seen[d.Title]++
		all = append(all, title{d.ExternalID, d.Title})
	}
	all = slices.DeleteFunc(all, func(t title) bool { return seen[t.text] > 1 || len(t.text) < 30 })
	if len(all) < 20 {
		return nil, fmt.Errorf("only %d documents can be told by their titles", len(all))
	}
	var out []title
	for i := range 20 {
		out = append(out, all[(len(all)-1)*i/19])
	}
	return out, nil
}

// finds returns an error unless most documents are found by their titles. Who ranks
// better is measured elsewhere.
func finds(ctx context.Context, s subject, titles []title) error {
	missed := 0
	for _, t := range titles {
		found, err := s.find(ctx, t.text)
		if err != nil {
			return err
		}
		if !slices.Contains(found, t.id) {
			missed++
		}
	}
	if missed > len(titles)/4 {
		return fmt.Errorf("%d of %d documents are not found by their titles", missed, len(titles))
	}
	return nil
}

// size returns how many bytes the files in a folder have.
func size(dir string) (sum int64, err error) {
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
