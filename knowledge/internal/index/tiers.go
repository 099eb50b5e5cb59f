package index

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
)

// Segments whose rows need as many octal digits are of one tier. As soon as tier
// segments are of one, they are merged, so that a row is written again once a tier
// (the log-structured merge of O'Neil and others, 1996).
const (
	tier = 8
	// inline is up to how many rows a merge is part of a write, which it keeps
	// waiting for some 10 ms; larger ones are left to Maintain.
	inline = 1 << 15
	// mostParts is how many segments there are at most, whoever has to wait.
	mostParts = 40
)

func tierOf(p *part) int { return bits.Len32(p.live()) / 3 }

// tidied merges small segments that have become many, and writes those anew of
// which much is gone. The caller holds writer.
func (x *Index) tidied(parts []part) []part {
	parts = slices.DeleteFunc(parts, func(p part) bool { return p.live() == 0 })
	for i := range parts {
		p := &parts[i]
		if p.gone != nil && !x.keeping[p.segment] && p.gone.rows > 64+p.rows/4 && (p.rows <= inline || p.gone.rows > p.rows/2) {
			parts[i] = x.merged(parts[i : i+1])
		}
	}
	for {
		few := x.crowd(parts)
		if few == nil {
			return parts
		}
		parts = append(without(parts, few), x.merged(few))
	}
}

// merged merges parts of which something is left.
func (x *Index) merged(parts []part) part {
	g, _ := merge(context.Background(), &x.options, parts)
	return part{segment: g}
}

// without returns parts without others.
func without(parts, others []part) []part {
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool {
		return slices.ContainsFunc(others, func(o part) bool { return o.segment == p.segment })
	})
}

// crowd returns parts that a write has to merge, or nil.
func (x *Index) crowd(parts []part) []part {
	var free []part
	for _, p := range parts {
		if !x.keeping[p.segment] {
			free = append(free, p)
		}
	}
	slices.SortStableFunc(free, func(a, b part) int { return cmp.Compare(a.live(), b.live()) })
	for from := 0; from < len(free); {
		to, rows := from, 0
		for ; to < len(free) && tierOf(&free[to]) == tierOf(&free[from]); to++ {
			rows += int(free[to].live())
		}
		if to-from >= tier && rows <= inline {
			return free[from:to]
		}
		from = to
	}
	if len(parts) > mostParts && len(free) > 1 {
		return free[:min(len(free), len(parts)-mostParts/2)]
	}
	return nil
}

// Maintain merges what writes leave for it: segments that are large together, until
// each is many times as large as all smaller ones, and those of which much is gone.
// It reports whether there was anything to do. Searches and writes go on meanwhile.
// It is to be called now and then, and after a company was loaded; an index of which
// nobody does is right, and slower.
func (x *Index) Maintain(ctx context.Context) (did bool) {
	x.keeper.Lock()
	defer x.keeper.Unlock()
	for ctx.Err() == nil {
		list := x.keep()
		if list == nil {
			return did
		}
		g, moved := merge(ctx, &x.options, list)
		did = x.replace(list, g, moved) || did
	}
	return did
}

// keep chooses what to merge next, and keeps writes from merging it.
func (x *Index) keep() []part {
	x.writer.Lock()
	defer x.writer.Unlock()
	list := due(x.view.Load().parts)
	x.keeping = map[*segment]bool{}
	for _, p := range list {
		x.keeping[p.segment] = true
	}
	return list
}

// due returns parts that are to be merged, or nil.
func due(parts []part) []part {
	list := slices.Clone(parts)
	slices.SortStableFunc(list, func(a, b part) int { return cmp.Compare(a.live(), b.live()) })
	end, smaller := 0, 0
	for i := range list {
		if rows := int(list[i].live()); i > 0 && smaller*tier >= rows {
			end = i + 1
		}
		smaller += int(list[i].live())
	}
	if end > 0 {
		return list[:end]
	}
	for i, p := range list {
		if p.gone != nil && p.gone.rows > p.rows/5 {
			return list[i : i+1]
		}
	}
	return nil
}

// replace puts a segment in the place of the parts it was merged of, unless it was
// not finished. What went from them meanwhile is gone from it.
func (x *Index) replace(list []part, g *segment, moved [][]uint32) bool {
	x.writer.Lock()
	defer x.writer.Unlock()
	x.keeping = nil
	if g == nil {
		return false
	}
	out := part{segment: g}
	var late []uint32
	parts := x.view.Load().parts
	for i, old := range list {
		at := slices.IndexFunc(parts, func(p part) bool { return p.segment == old.segment })
		for d, n := range moved[i] {
			if n != noRow && (at < 0 || parts[at].isDocumentGone(uint32(d))) {
				late = append(late, n)
			}
		}
	}
	if len(late) > 0 {
		out.gone = out.less(late)
	}
	x.publish(x.tidied(append(without(parts, list), out)))
	return true
}
