// Quality measures on judged questions what a desk finds, how well it knows what it
// does not know, and what it answers without a model, beside bleve and the full-text
// index of SQLite (FTS5), in one run:
//
//	go run ./quality -data DIR [-sets stackfaq,cranfield] [-peers ""] [-verbatim] [-check]
//
// DIR holds a folder for each set, and a README.md whose table says what Lucene and
// other peers reach on them, where a document is one passage. The desk is searched as
// a reply searches it: through everything, with texts split into passages and stored
// in SQLite, their languages detected, and a document as good as its best passage.
//
// Without -check it fails if an English set is below Lucene by more than .01; with
// it, if any limit is missed that the end of the report lists.
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

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/internal/judged"
)

const everySet = "stackfaq,cranfield,cisi,clinc150,xquad-en,xquad-ar,xquad-de,xquad-zh,xquad-th,jsquad-ja,malay,msdocs100k"

var (
	data     = flag.String("data", "", "`folder` of the judged sets")
	own      = flag.String("own", "data", "`folder` of the sets that are part of the project: malay")
	sets     = flag.String("sets", everySet, "sets to search in")
	beside   = flag.String("peers", "bleve-bm25,bleve-tfidf,fts5", "peers to search in too; none if empty")
	half     = flag.String("half", "clinc150,xquad-en,stackfaq,xquad-ar,malay", "sets to measure the confidence on: clinc150 and malay whole, of others half the documents")
	quoted   = flag.String("extractive", "xquad-en", "set to be answered without a model; none if empty")
	verbatim = flag.Bool("verbatim", false, "also ask every question of every set, and compare what is answered with the documents, byte by byte")
	check    = flag.Bool("check", false, "fail if any limit is missed")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	tmp, err := os.MkdirTemp("", "quality")
	if err == nil {
		err = run(ctx, tmp)
	}
	stop()
	_ = os.RemoveAll(tmp)
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, tmp string) error {
	machine.Print(tmp)
	known, err := readPublished(filepath.Join(*data, "README.md"))
	if err != nil {
		return err
	}
	var v verdicts
	if err := rank(ctx, tmp, known, &v); err != nil {
		return err
	}
	if err := confidences(ctx, tmp, &v); err != nil {
		return err
	}
	if *quoted != "" {
		if err := answers(ctx, tmp, *quoted, &v); err != nil {
			return err
		}
	}
	if *verbatim {
		if err := everyAnswer(ctx, tmp, &v); err != nil {
			return err
		}
	}
	machine.Print(tmp, "the end")
	return v.report(*check)
}

// names returns the names of a list with commas.
func names(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == "" })
}

// read reads a set from where it is.
func read(name string) (*judged.Set, error) {
	if dir := filepath.Join(*own, name); exists(filepath.Join(dir, "corpus.jsonl")) {
		return readPlain(dir)
	}
	return judged.Read(*data, name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tenths prints a figure between 0 and 1, or a dash for one that there is not.
func tenths(f float64) string {
	if f != f {
		return "-"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.3f", f), "0")
}
