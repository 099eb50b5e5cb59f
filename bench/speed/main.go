// Speed measures how fast questions find passages, and what that takes: through a
// desk, in its index alone, and beside them in bleve (scorch, BM25), in the full-text
// index of SQLite (FTS5) and, for vectors, in chromem-go, in one run:
//
//	go run ./speed -data DIR [-documents 100000] [-only index,bleve] [-check]
//	go run ./speed -data DIR -growth [-picture FILE]
//	go run ./speed -data DIR -short
//
// DIR holds msdocs100k, whose 1,000 questions are half headings and half windows of
// twelve words, each with the document it was taken from. Every engine is a process
// of its own. One builds the index and closes it; then another one opens it, finds
// the documents that the questions were taken from, and is timed only then. CPU is
// that of the process, in the program and in the kernel.
//
// "Narrow" is what a reply asks: by an agent that may use seven eighths of the
// documents, with a filter that about three quarters pass, in title and text, where
// words that stand together count more. "Wide" is the words alone, in all documents.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

var (
	data      = flag.String("data", "../../shared/data", "`folder` of the judged sets")
	dir       = flag.String("dir", "", "folder for what is stored; a temporary one if empty")
	documents = flag.Int("documents", 100_000, "how many documents, a passage each")
	rounds    = flag.Int("rounds", 3, "rounds of questions; of each the best counts")
	budget    = flag.Duration("budget", 12*time.Second, "CPU for a round of questions at most; what is left over is not asked")
	only      = flag.String("only", "", "which to measure, with commas; all if empty: index, desk, bleve, fts5, vectors, writes")
	grow      = flag.Bool("growth", false, "measure the index as it grows from 1,000 to 1,000,000 passages, and draw it")
	sizes     = flag.String("sizes", "1000,3000,10000,30000,100000,300000,1000000", "passages at which growth is measured")
	picture   = flag.String("picture", "../docs/pictures/growth.svg", "file for the picture of growth")
	short     = flag.Bool("short", false, "little of everything, to see that it works: no figures to keep")
	check     = flag.Bool("check", false, "fail if any limit is missed")
	profile   = flag.String("cpuprofile", "", "file for a CPU profile of the narrow questions in the index")

	child   = flag.String("child", "", "used by child processes: what to do")
	place   = flag.String("place", "", "used by child processes: where")
	plain   = flag.String("plain", "", "used by child processes: the documents, unpacked")
	asking  = flag.String("questions", "", "used by child processes: the questions")
	seconds = flag.Float64("seconds", 10, "used by child processes: how long")
	vectors = flag.String("vectors", "", "used by child processes: a file of vectors")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *child != "" {
		err = obey(ctx)
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
		*documents, *rounds, *budget, *sizes = 3000, 1, time.Second, "500,1000,2000"
	}
	tmp, err := os.MkdirTemp(*dir, "speed")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	b, err := prepare(ctx, tmp)
	if err != nil {
		return err
	}
	machine.Print(tmp, b.documents, " documents, ", b.text, " bytes of titles and texts; ", len(b.questions), " questions, best of ", *rounds, " rounds")
	if *grow {
		err = b.growth(ctx)
	} else {
		err = b.compare(ctx)
	}
	if err != nil {
		return err
	}
	machine.Print(tmp, "the end")
	if *short {
		fmt.Println("# -short: these are no figures to keep")
		return nil
	}
	return b.verdicts(*check)
}

func (b *bench) compare(ctx context.Context) error {
	b.heading()
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"index", b.index}, {"desk", b.desk}, {"bleve", b.bleve}, {"fts5", b.fts5},
	} {
		if wanted(part.name) {
			if err := part.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	b.footing()
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"vectors", b.vectors}, {"writes", b.writes},
	} {
		if wanted(part.name) {
			if err := part.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	return nil
}

func wanted(name string) bool {
	return *only == "" || slices.Contains(strings.Split(*only, ","), name)
}

// in returns a new folder for what somebody stores.
func (b *bench) in(name string) (string, error) {
	p := filepath.Join(b.tmp, name)
	return p, os.MkdirAll(p, 0o700)
}
