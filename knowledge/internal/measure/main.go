// Measure fits the confidence in what the index finds, and says how well it does
// on sets it was not fitted on:
//
//	go run ./knowledge/internal/measure -data DIR
//
// DIR holds a folder for each set, as its README.md describes them. What the
// ranking is worth is measured through a whole desk, by bench/quality.
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
	err := fit(os.Stdout, *data)
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
