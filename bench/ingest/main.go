// Ingest measures how fast texts become searchable and durable, and what memory and
// disk that takes: in a desk on SQLite, beside bleve (scorch) and the full-text
// index of SQLite itself (FTS5), in one run:
//
//	go run ./ingest [-dir DIR] [-documents 100000] [-rounds 3] [-only desk,bleve]
//	go run ./ingest -short
//
// Each of them, in a process of its own, reads the same documents from a file that
// has been unpacked before, stores them, waits for the disk at each commit, finds
// the last one, and closes. CPU is what the process has used from the first document
// to the end of closing, in the program and in the kernel. Then it is opened once
// more: it must hold every document and find some of them by their titles.
//
// The desk is measured in two ways: as a server that has been asked before, whose
// index follows every commit, and as a command, whose index is loaded at the first
// question. Bleve is measured twice: as its documentation begins, with the mapping
// that it has by default, and as lean as it gets while doing what a desk does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

var (
	dir       = flag.String("dir", "", "folder for what is stored; a temporary one if empty")
	file      = flag.String("corpus", "../../shared/data/msdocs100k/corpus.jsonl.gz", "documents, gzipped JSON lines")
	documents = flag.Int("documents", 100_000, "how many of them")
	rounds    = flag.Int("rounds", 3, "rounds, all in turn; the median by CPU counts")
	only      = flag.String("only", "", "which to measure, with commas; all if empty")
	batch     = flag.Int("batch", 1000, "documents in a batch of bleve and in a transaction of FTS5; a desk takes 256")
	short     = flag.Bool("short", false, "little of everything, to see that it works: no figures to keep")
	check     = flag.Bool("check", false, "fail if a desk is not 3 times as fast as bleve")
	profile   = flag.String("cpuprofile", "", "file for a CPU profile of the last one measured")

	child = flag.String("child", "", "used by child processes: what to measure")
	place = flag.String("place", "", "used by child processes: where")
	plain = flag.String("plain", "", "used by child processes: the documents, unpacked")
)

// subjects are what is measured, in the order of the table.
var subjects = []struct {
	name string
	open func(place string) (subject, error)
}{
	{"desk", openServer},
	{"desk-cold", openCommand},
	{"fts5", openFTS5},
	{"bleve", openBleve},
	{"bleve-lean", openLean},
}

// A subject stores documents and finds them.
type subject interface {
	// ingest stores all documents, durably.
	ingest(ctx context.Context, plain string) error
	// find returns the external ids of the ten documents that a question finds.
	find(ctx context.Context, question string) ([]string, error)
	// count returns how many documents there are, and as how many passages.
	count(ctx context.Context) (documents, passages int, err error)
	close() error
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *child != "" {
		err = measure(ctx)
	} else {
		err = run(ctx)
	}
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	if *short {
		*documents, *rounds = 2000, 1
	}
	tmp, err := os.MkdirTemp(*dir, "ingest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	*plain = filepath.Join(tmp, "documents")
	n, bytes, err := corpus.Unpack(*file, *documents, *plain)
	if err != nil {
		return err
	}
	machine.Print(tmp, n, " documents, ", bytes, " bytes of text; ", *rounds, " rounds; all wait for the disk at each commit")
	var all [][]figures
	for range *rounds {
		var round []figures
		for _, s := range subjects {
			if *only != "" && !slices.Contains(strings.Split(*only, ","), s.name) {
				continue
			}
			f, err := start(ctx, s.name, filepath.Join(tmp, s.name))
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if f.Documents != n {
				return fmt.Errorf("%s holds %d documents, not %d", s.name, f.Documents, n)
			}
			round = append(round, f)
		}
		all = append(all, round)
	}
	fast := report(all, n, bytes)
	machine.Print(tmp, "the end")
	if *check && !fast {
		return fmt.Errorf("a desk takes less than %d times the passages that bleve takes", faster)
	}
	return nil
}

// start measures a subject in a process of its own, and removes what it stored.
func start(ctx context.Context, name, place string) (f figures, err error) {
	defer func() { err = errors.Join(err, os.RemoveAll(place)) }()
	args := []string{"-child", name, "-place", place, "-plain", *plain, "-batch", fmt.Sprint(*batch)}
	if *profile != "" {
		args = append(args, "-cpuprofile", *profile)
	}
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, err
	}
	err = json.Unmarshal(out, &f)
	f.Name = name
	return f, err
}

// figures are what a child process tells of itself.
type figures struct {
	Name                string
	Documents, Passages int
	CPU, Wall           time.Duration
	Peak, Held          int64 // bytes resident: at most, and afterwards more than before
	Disk                int64 // bytes
	Stages              []stage
}

// A stage is a part of the work that can be told from others.
type stage struct {
	Name string
	CPU  time.Duration
}
