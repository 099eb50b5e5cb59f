package postings

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// random returns rows, and how often each counts.
func random(rnd *rand.Rand, most int) (rows []uint32, counts []uint8) {
	n := 1 + rnd.IntN(most)
	gap, often := 1+rnd.IntN(1<<rnd.IntN(20)), 1+rnd.IntN(min(MaxFrequency, 1<<rnd.IntN(9)))
	row := uint32(rnd.IntN(gap))
	for range n {
		rows = append(rows, row)
		counts = append(counts, uint8(1+rnd.IntN(often)))
		row += 1 + uint32(rnd.IntN(gap))
	}
	return rows, counts
}

func TestLists(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 3))
	var w Writer
	type written struct {
		at     int
		rows   []uint32
		counts []uint8
	}
	var lists []written
	for range 400 {
		rows, counts := random(rnd, 1<<rnd.IntN(11))
		lists = append(lists, written{w.Len(), rows, counts})
		for i, r := range rows {
			w.Add(r, counts[i])
		}
		w.End()
	}
	data := append(slices.Clone(w.Bytes()), make([]byte, Padding)...)
	var again Writer
	for i, l := range lists {
		end := w.Len()
		if i+1 < len(lists) {
			end = lists[i+1].at
		}
		list := Open(data[l.at:])
		last := l.rows[len(l.rows)-1]
		if err := Check(data[l.at:end+Padding], last+1); err != nil {
			t.Fatalf("list %d: %v", i, err)
		}
		if Check(data[l.at:end+Padding], last) == nil || Check(data[l.at:end+Padding-1], last+1) == nil || Check(data[l.at:min(end+Padding+1, len(data))], last+1) == nil && end+Padding < len(data) {
			t.Fatalf("list %d is well formed with too few rows or another length", i)
		}
		var c Cursor
		c.Begin(list)
		at := 0
		for c.Next() {
			for j := range c.Len {
				count := uint8(1)
				if !c.Once {
					count += c.Counts[j]
				}
				if c.Rows[j] != l.rows[at] || count != l.counts[at] {
					t.Fatalf("list %d: row %d is %d, %d times, want %d, %d times", i, at, c.Rows[j], count, l.rows[at], l.counts[at])
				}
				again.Add(c.Rows[j], count)
				at++
			}
		}
		if at != len(l.rows) || list.Count != at {
			t.Fatalf("list %d has %d rows, want %d", i, at, len(l.rows))
		}
		again.End()
		for k := range 100 {
			row := uint32(rnd.IntN(int(last) + 3))
			if k%2 == 0 {
				row = l.rows[rnd.IntN(len(l.rows))]
			}
			want := uint8(0)
			if j, found := slices.BinarySearch(l.rows, row); found {
				want = l.counts[j]
			}
			if got := list.In(row); got != uint32(want) {
				t.Fatalf("list %d: In(%d) = %d, want %d", i, row, got, want)
			}
		}
	}
	if !slices.Equal(again.Bytes(), w.Bytes()) {
		t.Error("lists that are read and written again differ")
	}
}

// Whatever the bytes are, they are refused or can be read.
func FuzzCheck(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 5))
	for range 8 {
		var w Writer
		rows, counts := random(rnd, 300)
		for i, r := range rows {
			w.Add(r, counts[i])
		}
		w.End()
		f.Add(append(w.Bytes(), make([]byte, Padding)...), rows[len(rows)-1]+1)
	}
	f.Fuzz(func(t *testing.T, data []byte, rows uint32) {
		if Check(data, rows) != nil {
			return
		}
		list := Open(data)
		var c Cursor
		n := 0
		for c.Begin(list); c.Next(); {
			for i, r := range c.Rows[:c.Len] {
				if r >= rows {
					t.Fatalf("row %d of %d", r, rows)
				}
				want := uint32(1)
				if !c.Once {
					want += uint32(c.Counts[i])
				}
				if got := list.In(r); got != want {
					t.Fatalf("In(%d) = %d, want %d", r, got, want)
				}
				n++
			}
		}
		if n != list.Count {
			t.Errorf("%d rows, want %d", n, list.Count)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	var w Writer
	rnd := rand.New(rand.NewPCG(1, 7))
	row := uint32(0)
	for range 1 << 14 {
		row += 1 + uint32(rnd.IntN(12))
		w.Add(row, uint8(1+rnd.IntN(2)))
	}
	w.End()
	list := Open(append(w.Bytes(), make([]byte, Padding)...))
	var c Cursor
	for b.Loop() {
		for c.Begin(list); c.Next(); {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<14), "ns/row")
}
