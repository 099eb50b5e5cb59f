//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// maintain lets an index put in order what writes have left for later.
func maintain(x *index.Index) {
	for x.Maintain(context.Background()) {
	}
}

// fill makes an index of all documents, as a store does that loads a company. CPU is
// what the index took, reading excepted.
func fill() (x *index.Index, spent time.Duration, err error) {
	x = index.New(nil)
	begun := cpu()
	b := x.Builder()
	spent = cpu() - begun
	var changes []index.Change
	n := 0
	apply := func() {
		begun := cpu()
		if *steps {
			x.Apply(changes)
		} else {
			for _, c := range changes {
				b.Put(c.Put)
			}
		}
		spent += cpu() - begun
		changes = changes[:0]
	}
	for d, err := range read(*documents) {
		if err != nil {
			return nil, 0, err
		}
		changes = append(changes, put(n, d))
		if n++; len(changes) == batch {
			apply()
		}
	}
	apply()
	begun = cpu()
	b.Close()
	maintain(x)
	return x, spent + cpu() - begun, nil
}

type built struct {
	CPU      time.Duration
	Passages int
	Memory   int64 // bytes, as the index counts them
	Disk     int64 // bytes of the snapshot
	Writing  time.Duration
}

// build makes the index and its snapshot.
func build() (b built, err error) {
	stop, err := profiled()
	if err != nil {
		return b, err
	}
	x, spent, err := fill()
	if err != nil {
		return b, err
	}
	stop()
	b.CPU, b.Passages, b.Memory = spent, x.Passages(), x.Bytes()
	f, err := os.Create(filepath.Join(*place, "snapshot"))
	if err != nil {
		return b, err
	}
	begun := cpu()
	err = errors.Join(x.Snapshot(f, nil), f.Close())
	b.Writing = cpu() - begun
	if err != nil {
		return b, err
	}
	info, err := os.Stat(f.Name())
	if err == nil {
		b.Disk = info.Size()
	}
	return b, err
}

type searched struct {
	Opening  time.Duration // CPU, of the snapshot
	Resident int64         // more than before the index was there
	Narrow   timing        // an agent and a filter
	Wide     timing        // none
}

// search opens the snapshot and asks.
func search() (s searched, err error) {
	list, err := asked()
	if err != nil {
		return s, err
	}
	before, err := resident()
	if err != nil {
		return s, err
	}
	x, err := opened(&s.Opening)
	if err != nil {
		return s, err
	}
	stop, err := profiled()
	if err != nil {
		return s, err
	}
	s.Narrow = timed(x, list, narrow, *rounds)
	stop()
	s.Wide = timed(x, list, wide, *rounds)
	after, err := resident()
	s.Resident = after - before
	runtime.KeepAlive(x) // it is what is resident
	return s, err
}

// opened reads the snapshot.
func opened(took *time.Duration) (*index.Index, error) {
	x := index.New(nil)
	begun := cpu()
	data, err := os.ReadFile(filepath.Join(*place, "snapshot"))
	if err == nil {
		_, err = x.Restore(data)
	}
	*took = cpu() - begun
	return x, err
}

// profiled begins the CPU profile that was asked for.
func profiled() (stop func(), err error) {
	if *profile == "" {
		return func() {}, nil
	}
	f, err := os.Create(*profile)
	if err != nil {
		return nil, err
	}
	return pprof.StopCPUProfile, pprof.StartCPUProfile(f)
}
