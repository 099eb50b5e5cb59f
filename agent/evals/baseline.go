package evals

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// maxBaseline bounds a baseline, in bytes.
const maxBaseline = 16 << 20

// A Baseline is what conversations came to once, by [Result.ID], to be held to.
type Baseline map[string]Rate

// A Rate is how many of some runs passed.
type Rate struct {
	Passed int `json:"passed"`
	Runs   int `json:"runs"`
}

// NewBaseline is what results are to be held to from now on.
func NewBaseline(results []Result) Baseline {
	b := Baseline{}
	for _, r := range results {
		b[r.ID()] = Rate{r.Passed(), len(r.Runs)}
	}
	return b
}

// ReadBaseline reads what [Baseline.Write] wrote.
func ReadBaseline(r io.Reader) (Baseline, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBaseline+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBaseline {
		return nil, fmt.Errorf("the baseline is larger than %d bytes", maxBaseline)
	}
	var b Baseline
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("the baseline does not read: %w", err)
	}
	for id, rate := range b {
		if rate.Runs < 1 || rate.Passed < 0 || rate.Passed > rate.Runs {
			return nil, fmt.Errorf("the baseline says that %d of %d runs of %s passed", rate.Passed, rate.Runs, id)
		}
	}
	return b, nil
}

// Write writes the baseline as JSON, a line for each conversation, in order.
func (b Baseline) Write(w io.Writer) error {
	text := []byte("{\n")
	for i, id := range slices.Sorted(maps.Keys(b)) {
		name, err := json.Marshal(id)
		if err != nil {
			return err
		}
		if i > 0 {
			text = append(text, ",\n"...)
		}
		text = fmt.Appendf(text, "  %s: {\"passed\": %d, \"runs\": %d}", name, b[id].Passed, b[id].Runs)
	}
	_, err := w.Write(append(text, "\n}\n"...))
	return err
}

// Fell reports whether a conversation passes more seldom than it did, or is new and
// fails. What failed before may fail on.
func (b Baseline) Fell(r Result) bool {
	before, known := b[r.ID()]
	if !known {
		return !r.Always()
	}
	return r.Passed()*before.Runs < before.Passed*len(r.Runs)
}

// Gone returns the conversations that there are no results of, in order.
func (b Baseline) Gone(results []Result) (gone []string) {
	for _, id := range slices.Sorted(maps.Keys(b)) {
		if !slices.ContainsFunc(results, func(r Result) bool { return r.ID() == id }) {
			gone = append(gone, id)
		}
	}
	return gone
}

// Worse says in a line each what has become worse: conversations that fell, and
// those that are gone.
func (b Baseline) Worse(results []Result) (worse []string) {
	for _, r := range results {
		if !b.Fell(r) {
			continue
		}
		line := fmt.Sprintf("%s: passed %d of %d times", r.ID(), r.Passed(), len(r.Runs))
		if before, known := b[r.ID()]; known {
			line += fmt.Sprintf(", before %d of %d", before.Passed, before.Runs)
		}
		worse = append(worse, line)
	}
	for _, id := range b.Gone(results) {
		worse = append(worse, id+": is gone")
	}
	return worse
}
