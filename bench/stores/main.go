// Stores measures SQLite and PostgreSQL side by side, both waiting for the disk,
// on the same one and in the same run:
//
//	go run ./stores [-dir DIR] [-rounds 3] [-benchtime 1s] [-only REGEXP] [-callers 1,8,64]
//	go run ./stores -short
//
// First come single steps of a store, those of storetest.Benchmarks, then whole
// turns of a desk over 10,000 passages: of one company that has them all, and of 50
// that have as many each. Every measurement is made in a process of its own. The
// engines take turns, and the median of the rounds is printed.
//
// TMPDIR says on which disk PostgreSQL is, and -dir on which SQLite is. Before
// anything is printed the rows of both are counted, from outside: what was
// acknowledged must be there, and the same in both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/bench/stores/engine"
)

var (
	dir       = flag.String("dir", "", "folder for SQLite's databases; a temporary one if empty")
	rounds    = flag.Int("rounds", 3, "rounds, the engines in turn")
	benchtime = flag.Duration("benchtime", time.Second, "how long one measurement of a workload takes, about")
	only      = flag.String("only", ".", "regular expression for the workloads measured; desks are called desk-1 and desk-50")
	atOnce    = flag.String("callers", "1,8,64", "how many callers at once, up to 64")
	file      = flag.String("corpus", "../../shared/data/msdocs100k/corpus.jsonl.gz", "documents for the desks, gzipped JSON lines; without them the desks are left out")
	documents = flag.Int("documents", 10_000, "documents of the desks; those of msdocs100k are a passage each")
	turns     = flag.Int("turns", 3000, "turns of a desk in each measurement")
	short     = flag.Bool("short", false, "little of everything, to see that it works: no figures to keep")

	child      = flag.String("child", "", "used by child processes: what to measure")
	place      = flag.String("place", "", "used by child processes: where")
	postmaster = flag.Int("server", 0, "used by child processes: the postmaster")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	switch {
	case *child == "workload":
		workloadChild()
	case strings.HasPrefix(*child, "desk"):
		check(deskChild())
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err := run(ctx)
		stop()
		check(err)
	}
}

func run(ctx context.Context) error {
	if *short {
		*rounds, *benchtime, *documents, *turns = 1, 100*time.Millisecond, 500, 200
		*atOnce, *only = "8", "^(turn|write|hydrate10|desk-50)$"
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	var callers []int
	for s := range strings.SplitSeq(*atOnce, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 64 {
			return fmt.Errorf("-callers: %q is not between 1 and 64", s)
		}
		callers = append(callers, n)
	}
	engines, err := engine.Both(*dir)
	if err != nil {
		return err
	}
	notes, err := engine.Durable(ctx, engines)
	if err == nil {
		machine.Print(*dir, *rounds, " rounds, ", *benchtime, " a workload, ", *turns, " turns of a desk; medians of the rounds")
		for _, line := range notes {
			fmt.Println("#", line)
		}
		fmt.Println("# CPU and allocations are those of the calling process, an operation; server is PostgreSQL's CPU, an operation")
		fmt.Println("# each operation checks what it reads, and the rows are counted after each measurement")
		err = errors.Join(workloads(ctx, engines, wanted, callers), desks(ctx, engines, wanted, callers))
	}
	for _, e := range engines {
		err = errors.Join(err, e.Close())
	}
	if err == nil {
		machine.Print(*dir, "the end")
	}
	return err
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
