//go:build unix

// Speed measures the index alone, for bench/speed, which starts it beside others and
// reads what it prints: one JSON object of figures.
//
//	speed -do build  -documents FILE -place DIR
//	speed -do search -documents FILE -place DIR -questions FILE
//	speed -do writes -documents FILE -questions FILE [-seconds 10]
//	speed -do growth -documents FILE -questions FILE -sizes 1000,10000
//	speed -do vectors -vectors FILE -dimensions 384 -count 100000
//
// The documents are in a file that costs next to nothing to read: of each the id, the
// title and the text, every one after its length as a uvarint. The questions are a
// JSON list of texts. Durations are printed in nanoseconds, and CPU is that of the
// process, in the program and in the kernel.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

var (
	do         = flag.String("do", "", "build, search, writes, growth or vectors")
	documents  = flag.String("documents", "", "file of documents")
	questions  = flag.String("questions", "", "file of questions")
	place      = flag.String("place", "", "folder of the snapshot")
	rounds     = flag.Int("rounds", 3, "rounds of questions; of each the best counts")
	seconds    = flag.Float64("seconds", 10, "how long writes are measured")
	sizes      = flag.String("sizes", "1000,10000,100000", "passages at which growth is measured")
	vectorFile = flag.String("vectors", "", "file of vectors")
	dimensions = flag.Int("dimensions", 384, "how many numbers a vector has")
	count      = flag.Int("count", 0, "how many vectors are searched in; those after them are asked for")
	steps      = flag.Bool("steps", false, "build as writes do, a batch of documents at a time")
	profile    = flag.String("cpuprofile", "", "file for a CPU profile of what is timed")
)

func main() {
	flag.Parse()
	var out any
	var err error
	switch *do {
	case "build":
		out, err = build()
	case "search":
		out, err = search()
	case "writes":
		out, err = writes()
	case "growth":
		out, err = growth()
	case "vectors":
		out, err = near()
	default:
		err = fmt.Errorf("-do: there is nothing called %q", *do)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}
