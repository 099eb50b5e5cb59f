package main

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"
)

// judge returns how long after its acknowledgement each document was shown, or
// what is wrong: a write that was lost, or a search that did not show what it must.
func (p phase) judge(w wrote, s searched, made map[int]int64, rows int) ([]time.Duration, error) {
	type ack struct{ at, revision int64 }
	var acks []ack
	for n, at := range w.Acked {
		if at == 0 {
			continue
		}
		revision, ok := made[n]
		if !ok {
			return nil, fmt.Errorf("document %d was acknowledged and is not in the tables", n)
		}
		acks = append(acks, ack{at, revision})
	}
	if len(acks) == 0 || len(made) != len(acks) || rows != *documents+len(acks) {
		return nil, fmt.Errorf("%d writes were acknowledged, %d are in the tables, which have %d documents, %d of them from before", len(acks), len(made), rows, *documents)
	}
	if len(s.Lost) > 0 {
		return nil, fmt.Errorf("%d documents were acknowledged and are not found, the first is %d", len(s.Lost), s.Lost[0])
	}
	if len(s.Seen) == 0 {
		return nil, fmt.Errorf("nothing was searched for while the writer wrote")
	}

	// By the time of each acknowledgement, the highest revision acknowledged.
	slices.SortFunc(acks, func(a, b ack) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(acks); i++ {
		acks[i].revision = max(acks[i].revision, acks[i-1].revision)
	}
	for _, x := range s.Seen {
		if !x.Found && x.Revision >= made[x.N] {
			return nil, fmt.Errorf("a search of revision %d does not show document %d, of revision %d", x.Revision, x.N, made[x.N])
		}
		if p.how == "told" && !x.Found {
			return nil, fmt.Errorf("a search with the revision after document %d does not show it", x.N)
		}
		before := x.Begun - int64(p.staleness)
		if i := sort.Search(len(acks), func(i int) bool { return acks[i].at >= before }); i > 0 && x.Revision < acks[i-1].revision {
			return nil, fmt.Errorf("a search shows revision %d, and %d was acknowledged more than %v before it", x.Revision, acks[i-1].revision, p.staleness)
		}
	}

	slices.SortFunc(s.Seen, func(a, b seen) int { return cmp.Compare(a.End, b.End) })
	var delays []time.Duration
	if p.how == "told" {
		asked := map[int]bool{}
		for _, x := range s.Seen {
			if !asked[x.N] {
				asked[x.N] = true
				delays = append(delays, time.Duration(x.End-w.Acked[x.N]))
			}
		}
		return delays, nil
	}
	// By the end of each search, the highest revision that one has shown.
	shown := make([]int64, len(s.Seen))
	for i, x := range s.Seen {
		shown[i] = x.Revision
		if i > 0 {
			shown[i] = max(shown[i], shown[i-1])
		}
	}
	for n, at := range w.Acked {
		if at == 0 {
			continue
		}
		if i := sort.Search(len(shown), func(i int) bool { return shown[i] >= made[n] }); i < len(shown) {
			delays = append(delays, max(0, time.Duration(s.Seen[i].End-at)))
		} // else it was acknowledged when the searches were at their end
	}
	if len(delays) < len(acks)/2 {
		return nil, fmt.Errorf("the searches have shown %d of %d documents", len(delays), len(acks))
	}
	return delays, nil
}
