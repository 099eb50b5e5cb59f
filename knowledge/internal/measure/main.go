// Measure ranks judged sets with the index as it is, without a store: what its
// quality is beside Lucene's, and what confidence to put in it.
//
//	go run ./knowledge/internal/measure -data DIR quality
//	go run ./knowledge/internal/measure -data DIR fit
//
// DIR holds a folder for each set, as its README.md describes them, and in that
// README the table of what Lucene reaches.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	data := flag.String("data", "", "`folder` of the judged sets")
	flag.Parse()
	var err error
	switch flag.Arg(0) {
	case "quality":
		err = quality(os.Stdout, *data)
	case "fit":
		err = fit(os.Stdout, *data)
	default:
		err = fmt.Errorf("say quality or fit, not %q", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// A report is written line by line; the first error is kept.
type report struct {
	w   io.Writer
	err error
}

func (r *report) line(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format+"\n", args...)
	}
}
