package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// english are the sets that may never be below Lucene by more than .01, and mixed
// those whose mean is held against Lucene's.
var (
	english = []string{"stackfaq", "cranfield", "cisi", "xquad-en", "clinc150"}
	mixed   = []string{"stackfaq", "cranfield", "cisi"}
)

// A measure is how well the answerable questions of a set were searched, as means.
type measure struct {
	ndcg, reciprocal, recall, first float64
}

// main is the figure that a set is compared by: nDCG@10, or the share of first hits
// with the right label.
func (m measure) main(s *judged.Set) float64 {
	if s.Label != nil {
		return m.first
	}
	return m.ndcg
}

// ask puts the answerable questions of a set to a search.
func ask(s *judged.Set, search func(question string) ([]string, error)) (m measure, err error) {
	n := 0.0
	for _, q := range s.Questions {
		if !s.Answerable(q.ID) {
			continue
		}
		ids, err := search(q.Text)
		if err != nil {
			return m, err
		}
		n++
		if len(ids) > 0 && s.Right(q.ID, ids[0]) {
			m.first++
		}
		if s.Label == nil {
			a, b, c := judged.Ranked(ids, s.Judged[q.ID])
			m.ndcg, m.reciprocal, m.recall = m.ndcg+a, m.reciprocal+b, m.recall+c
		}
	}
	m = measure{m.ndcg / n, m.reciprocal / n, m.recall / n, m.first / n}
	if s.Label != nil {
		m.ndcg, m.reciprocal, m.recall = math.NaN(), math.NaN(), math.NaN()
	}
	return m, nil
}

// rank searches in every set and prints the table.
func rank(ctx context.Context, tmp string, known map[string]published, v *verdicts) error {
	running := names(*beside)
	fmt.Println("\nnDCG@10 (clinc150: share of first hits with the right label). Lucene and best peer: as published with the sets; the peers after them: this run.")
	fmt.Printf("%-11s %8s %8s %8s %8s   %8s %8s", "set", "desk", "MRR@10", "rec@10", "hit@1", "Lucene", "best")
	for _, p := range running {
		fmt.Printf(" %11s", p)
	}
	fmt.Printf(" %11s %9s\n", "desk/Lucene", "search")
	sums := map[string]float64{}
	for _, name := range names(*sets) {
		s, err := read(name)
		if err != nil {
			return err
		}
		desk, err := fill(ctx, filepath.Join(tmp, name), s.Documents)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, _, err = search(ctx, desk, "load the index"); err != nil {
			return errors.Join(err, desk.Close())
		}
		cpu := machine.CPU()
		m, err := ask(s, func(q string) ([]string, error) { ids, _, err := search(ctx, desk, q); return ids, err })
		cpu = machine.CPU() - cpu
		if err := errors.Join(err, desk.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		p, got := known[name], m.main(s)
		fmt.Printf("%-11s %8s %8s %8s %8s   %8s %8s", name, tenths(got), tenths(m.reciprocal), tenths(m.recall), tenths(m.first), figure(p.lucene), figure(p.best))
		for _, peer := range running {
			f, err := askPeer(peer, filepath.Join(tmp, name+"-"+peer), s)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", peer, name, err)
			}
			fmt.Printf(" %11s", tenths(f))
			if s.Label == nil && !math.IsNaN(f) { // what is shown is held against it, too
				p.best = math.Max(p.best, f)
			}
		}
		ratio := "-"
		if p.lucene > 0 {
			ratio = fmt.Sprintf("%.3f", got/p.lucene)
		}
		fmt.Printf(" %11s %9v\n", ratio, (cpu / time.Duration(len(s.Questions))).Round(time.Microsecond))

		if slices.Contains(mixed, name) {
			sums["desk"] += got
			sums["lucene"] += p.lucene
			sums["sets"]++
		}
		if slices.Contains(english, name) && got < p.lucene-.01 {
			v.guard = append(v.guard, name)
		}
		if p.lucene > 0 {
			v.atLeast(name+" beside Lucene, less .005", got, p.lucene-.005, "")
		}
		if strings.HasPrefix(name, "xquad-") || strings.HasPrefix(name, "jsquad-") {
			v.atLeast(name+" beside the best peer, less .005", got, p.best-.005, "")
		}
		if name == "clinc150" {
			v.atLeast("clinc150 hit@1", got, .836, "")
		}
	}
	if sums["sets"] == float64(len(mixed)) {
		v.atLeast("mean of "+strings.Join(mixed, ", ")+" / Lucene's", sums["desk"]/sums["lucene"], 1.02, "1.05")
	}
	return nil
}

// figure prints one that may be unknown.
func figure(f float64) string {
	if f == 0 {
		return "-"
	}
	return tenths(f)
}
