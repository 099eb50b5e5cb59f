package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/answerdesk-go/answerdesk/bench/stores/engine"
)

// A workload is a benchmark of storetest.
type workload struct {
	name string
	adds map[string]int // rows, an operation; of kept tables that are not named, none
	slow bool           // an operation is hundreds of rows
}

// The names, and what each operation leaves behind, are those of
// storetest.Benchmarks.
var list = []workload{
	{name: "turn", adds: map[string]int{"messages": 2}},
	{name: "hot", adds: map[string]int{"messages": 2}},
	{name: "last50"},
	{name: "list20"},
	{name: "write", adds: map[string]int{"documents": 1, "passages": 20, "knowledge_changes": 1}},
	{name: "bulk256", adds: map[string]int{"documents": 256, "passages": 512, "knowledge_changes": 256}, slow: true},
	{name: "hydrate10"},
	{name: "changes"},
	{name: "receipt", adds: map[string]int{"receipts": 1}},
	{name: "work"},
	{name: "events100"},
}

// kept are the tables whose rows follow from the number of operations alone, and
// not from which caller made which.
var kept = []string{"companies", "agents", "messages", "documents", "passages", "knowledge_changes", "receipts", "work_jobs", "work_dead"}

func workloads(ctx context.Context, engines []*engine.Engine, wanted *regexp.Regexp, callers []int) error {
	printHeading("workload")
	for _, w := range list {
		if !wanted.MatchString(w.name) {
			continue
		}
		for _, n := range callers {
			if err := w.compare(ctx, engines, n); err != nil {
				return fmt.Errorf("%s, %d callers: %w", w.name, n, err)
			}
		}
	}
	return nil
}

// compare measures the engines in turn. A first, short round tells how many
// operations the others are to make, and that the engines have the same rows after
// the same operations.
func (w workload) compare(ctx context.Context, engines []*engine.Engine, callers int) error {
	first, least := 4*callers, 50*callers // enough that new connections do not count
	if w.slow {
		first, least = max(2, callers/8), callers+2
	}
	if *short {
		least = first + 1
	}
	base := make([]map[string]int, len(engines))
	rate := make([]float64, len(engines))
	for i, e := range engines {
		f, rows, err := w.once(ctx, e, callers, first)
		if err != nil {
			return err
		}
		base[i], rate[i] = rows, f.PerSecond
	}
	for i, e := range engines {
		if err := engine.Differ(base[0], base[i]); err != nil {
			return fmt.Errorf("%s and %s: %w", engines[0].Name, e.Name, err)
		}
	}
	all := make([][]figures, len(engines))
	for range *rounds {
		for i, e := range engines {
			n := max(int(rate[i]*benchtime.Seconds()), least)
			f, rows, err := w.once(ctx, e, callers, n)
			if err != nil {
				return err
			}
			want := map[string]int{}
			for table, had := range base[i] {
				want[table] = had + (n-first)*w.adds[table]
			}
			if err := engine.Differ(want, rows); err != nil {
				return fmt.Errorf("%s after %d operations, as they should be and as they are: %w", e.Name, n, err)
			}
			rate[i] = f.PerSecond
			all[i] = append(all[i], f)
		}
	}
	for i, e := range engines {
		printRow(w.name, callers, e.Name, all[i])
	}
	return nil
}

// once makes n operations, and one before them, in an empty place, and counts the
// rows that are there then.
func (w workload) once(ctx context.Context, e *engine.Engine, callers, n int) (f figures, rows map[string]int, err error) {
	place, err := e.New(ctx)
	if err != nil {
		return f, nil, err
	}
	f, err = measured(ctx, e, engine.Warm(place, callers), "workload", "-test.benchmem", fmt.Sprintf("-test.benchtime=%dx", n),
		fmt.Sprintf("-test.bench=^BenchmarkStore$/^%s$/^%d$", w.name, callers))
	if err == nil && f.N != n {
		err = fmt.Errorf("%d operations were made, not %d", f.N, n)
	}
	if err == nil {
		rows, err = engine.Rows(ctx, place, kept...)
	}
	return f, rows, errors.Join(err, e.Remove(ctx, place))
}
