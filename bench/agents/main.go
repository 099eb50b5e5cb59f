// Agents compares what a turn with one call of a tool costs the program that runs
// it, with models that answer at once: what is left is the framework's own work.
//
//	cd bench/agents && go run .
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// A contender is something that runs turns.
type contender struct {
	name string
	make func(context.Context) (turn, error)
}

// A turn asks, and waits for the reply. One that is streamed calls first when the
// reader of the stream gets its first text.
type turn func(ctx context.Context, first func()) error

func main() {
	turns := flag.Int("turns", 2000, "measure `N` turns of each")
	only := flag.String("only", "", "measure only those of `NAMES`, with commas between")
	profile := flag.String("cpuprofile", "", "write a profile of the CPU to `FILE`")
	flag.Parse()
	ctx := context.Background()
	defer func() {
		for _, f := range slices.Backward(atEnd) {
			f()
		}
	}()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "agents:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "contender\tCPU a turn\tp50\tp99\tfirst text p50\tp99\tallocations\tbytes\t")
	for _, c := range contenders {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), c.name) {
			continue
		}
		turn, err := c.make(ctx)
		if err == nil {
			err = measure(ctx, table, c.name, turn, *turns)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "agents: %s: %v\n", c.name, err)
			os.Exit(1)
		}
	}
	table.Flush()
}

// measure runs turns one after the other, a tenth of them before it counts.
func measure(ctx context.Context, table *tabwriter.Writer, name string, turn turn, turns int) error {
	took, text := make([]time.Duration, 0, turns), make([]time.Duration, 0, turns)
	var before, after runtime.MemStats
	var cpu time.Duration
	for i := -turns / 10; i < turns; i++ {
		if i == 0 {
			runtime.GC()
			runtime.ReadMemStats(&before)
			cpu = used()
		}
		begun := time.Now()
		first := func() {
			if i >= 0 {
				text = append(text, time.Since(begun))
			}
		}
		if err := turn(ctx, first); err != nil {
			return err
		}
		if i >= 0 {
			took = append(took, time.Since(begun))
		}
	}
	cpu = used() - cpu
	runtime.ReadMemStats(&after)
	n := uint64(turns)
	fmt.Fprintf(table, "%s\t%v\t%s\t%s\t%d\t%d\t\n", name, (cpu / time.Duration(turns)).Round(100*time.Nanosecond),
		spread(took), spread(text), (after.Mallocs-before.Mallocs)/n, (after.TotalAlloc-before.TotalAlloc)/n)
	return nil
}

// spread returns the median and the 99th percentile, in two columns.
func spread(took []time.Duration) string {
	if len(took) == 0 {
		return "-\t-"
	}
	slices.Sort(took)
	return fmt.Sprintf("%v\t%v", took[len(took)/2].Round(100*time.Nanosecond), took[len(took)*99/100].Round(100*time.Nanosecond))
}

// used is the CPU time that the process has had, of its own and of the system.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot fail with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// atEnd is what is left to do when all is measured, the last one first.
var atEnd []func()

var contenders = []contender{
	{"answerdesk: loop alone", loop},
	{"answerdesk: desk", whole},
	{"answerdesk: desk, streamed", streamed},
	{"langchaingo", langchain},
	{"genkit", genkitTurn},
	{"eino", einoTurn},
}
