// Feed measures how soon one process's searches show what another one writes, on
// one PostgreSQL and on one folder of SQLite, both waiting for the disk:
//
//	go run ./feed [-dir DIR] [-seconds 5] [-paces 10,100,1000] [-searchers 1] [-writers 64]
//	go run ./feed -short
//
// One child process writes single documents at a pace, to a company that begins
// with 10,000 passages; the other one searches. In "polls" it searches all the time
// for the newest document that it knows to be acknowledged, and in "told" once, with
// the revision that the writer has told it, for the newest that it was told of.
// Delay is the time from the acknowledgement of a write to the end of the first
// search that shows it: with polls of every write, with told of every one asked for.
//
// The writer does not wait for one write before it begins the next, up to -writers
// of them at once: a pace that is not reached is marked "only". Afterwards every
// document is searched for, the rows are counted from outside, and every search is
// held against what it must have shown, given the staleness: only then is a line
// printed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/bench/stores/engine"
)

var (
	dir       = flag.String("dir", "", "folder for SQLite's databases; a temporary one if empty")
	file      = flag.String("corpus", "../../shared/data/msdocs100k/corpus.jsonl.gz", "documents to begin with, gzipped JSON lines")
	documents = flag.Int("documents", 10_000, "how many of them; those of msdocs100k are a passage each")
	seconds   = flag.Int("seconds", 5, "how long each measurement writes")
	paces     = flag.String("paces", "10,100,1000", "writes a second")
	searchers = flag.Int("searchers", 1, "searches at once")
	writers   = flag.Int("writers", 64, "writes at once at most")
	short     = flag.Bool("short", false, "little of everything, to see that it works: no figures to keep")

	child     = flag.String("child", "", "used by child processes: write, polls or told")
	place     = flag.String("place", "", "used by child processes: where")
	pace      = flag.Int("pace", 0, "used by child processes: writes a second")
	told      = flag.Bool("told", false, "used by child processes: the writer tells of revisions")
	staleness = flag.Duration("staleness", 0, "used by child processes: answerdesk.Options.Staleness")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	switch *child {
	case "":
		err = run(ctx)
	case "write":
		err = opened(ctx, write)
	default:
		err = opened(ctx, search)
	}
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	if *short {
		*documents, *seconds, *paces = 500, 1, "50"
	}
	engines, err := engine.Both(*dir)
	if err != nil {
		return err
	}
	defer func() {
		for _, e := range engines {
			err = errors.Join(err, e.Close())
		}
	}()
	notes, err := engine.Durable(ctx, engines)
	if err != nil {
		return err
	}
	machine.Print(*dir, *documents, " documents to begin with, ", *seconds, " s each; a writing and a searching process, searches at once: ", *searchers, ", writes at once at most: ", *writers)
	for _, line := range notes {
		fmt.Println("#", line)
	}
	fmt.Println("# delay: from the acknowledgement to the end of the first search that shows the document; 0 if that ended before")
	fmt.Println("# CPU: processors that the writer, the searcher and the server kept busy")
	bases := make([]string, len(engines))
	for i, e := range engines {
		var passages int
		if bases[i], passages, err = e.Fill(ctx, *file, *documents, 1); err != nil {
			return err
		}
		fmt.Printf("# %s: %d passages to begin with\n", e.Name, passages)
	}
	fmt.Printf("\n"+heading, "store", "stale", "how", "pace", "writes/s", "write p50", "p99", "delay p50", "p99", "max", "searches/s", "search p50", "p99", "CPU: writer", "searcher", "server")
	for _, stale := range []time.Duration{0, 250 * time.Millisecond} {
		for _, how := range []string{"polls", "told"} {
			for s := range strings.SplitSeq(*paces, ",") {
				p, err := strconv.Atoi(s)
				if err != nil || p < 1 {
					return fmt.Errorf("-paces: %q is no number of writes a second", s)
				}
				for i, e := range engines {
					if err := measure(ctx, e, bases[i], phase{stale, how, p}); err != nil {
						return fmt.Errorf("%s, staleness %v, %s, %d writes a second: %w", e.Name, stale, how, p, err)
					}
				}
			}
		}
	}
	machine.Print(*dir, "the end")
	return nil
}

// opened does something with a desk on the place that the flags name.
func opened(ctx context.Context, do func(context.Context, *answerdesk.Desk) error) (err error) {
	st, err := engine.Open(ctx, *place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	desk, err := answerdesk.New(ctx, st, &answerdesk.Options{Staleness: *staleness})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(desk.Close(), err) }()
	return do(ctx, desk)
}
