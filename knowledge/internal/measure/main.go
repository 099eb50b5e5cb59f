// Measure fits the confidence in what the index finds, and says how well it does
// on questions and sets it was not fitted on:
//
//	go run ./knowledge/internal/measure -data DIR [-write FILE] [-pictures DIR]
//	go run ./knowledge/internal/measure -data DIR -assumption
//
// DIR holds a folder for each set, as its README.md describes them. With -write
// knowledge/internal/confidence/weights.gen.go the confidence is made anew, which is
// due when the ranking or its signals change. What the ranking is worth is measured
// through a whole desk, by bench/quality.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	data := flag.String("data", "", "`folder` of the judged sets")
	write := flag.String("write", "", "`file` to write the fitted weights to, as Go")
	pictures := flag.String("pictures", "", "`folder` to draw reliability.svg and risk-coverage.svg in")
	left := flag.Bool("assumption", false, "fit on all sets but one and test on that one, for each")
	flag.Parse()
	r := &report{w: os.Stdout}
	var err error
	if *left {
		err = assumption(r, *data)
	} else {
		err = shipped(r, *data, *write, *pictures)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}
