package packed

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

func TestInts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for width := range MaxWidth + 1 {
		list := make([]uint64, rnd.IntN(300))
		for i := range list {
			list[i] = rnd.Uint64() & (1<<width - 1)
		}
		if len(list) > 0 {
			list[0] = 1<<width - 1
		}
		data := AppendInts(nil, list)
		r := NewReader(data)
		a := r.Ints(len(list), 1<<width-1)
		if r.Err() != nil || r.Rest() != 0 {
			t.Fatalf("width %d: %v, %d bytes left", width, r.Err(), r.Rest())
		}
		for i, want := range list {
			if got := a.At(uint32(i)); got != want {
				t.Fatalf("width %d: At(%d) = %d, want %d", width, i, got, want)
			}
		}
		if width > 0 && len(list) > 0 {
			r := NewReader(data)
			if r.Ints(len(list), 1<<width-2); r.Err() == nil {
				t.Errorf("width %d: a number that is too large is read", width)
			}
		}
	}
	a := NewReader(AppendInts(nil, []uint32{0, 2, 2, 5})).Rising(4, 5)
	for v, want := range []uint32{0, 1, 1, 3, 3, 3, 4} {
		if got := a.Search(uint64(v)); got != want {
			t.Errorf("Search(%d) = %d, want %d", v, got, want)
		}
	}
}

func TestStrings(t *testing.T) {
	prefixes := []string{"", "aaaaaaaab", "\xff\xff\xff\xff\xff\xff\xff\xff\xff"} // many that begin alike
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{0, 1, 15, 16, 17, 400} {
		seen := map[string]bool{}
		for len(seen) < n {
			b := make([]byte, rnd.IntN(40))
			for i := range b {
				b[i] = "ab\x00\xff"[rnd.IntN(4)]
			}
			seen[prefixes[rnd.IntN(len(prefixes))]+string(b)] = true
		}
		var list []string
		for s := range seen {
			list = append(list, s)
		}
		for _, sorted := range []bool{false, true} {
			if sorted {
				slices.Sort(list)
			}
			var w StringsWriter
			for _, s := range list {
				w.AddString(s)
			}
			r := NewReader(w.AppendTo(nil))
			table := r.Strings(n, sorted)
			if r.Err() != nil || r.Rest() != 0 || table.Len() != n {
				t.Fatalf("%d strings: %v, %d bytes left", n, r.Err(), r.Rest())
			}
			walk := table.Walk(0)
			for i, want := range list {
				if got := table.Append([]byte("x"), uint32(i)); string(got) != "x"+want {
					t.Fatalf("Append(x, %d) = %q, want x%q", i, got, want)
				}
				if !walk.Next() || string(walk.Text()) != want || !table.Is(uint32(i), want) {
					t.Fatalf("walk to %d = %q, want %q", i, walk.Text(), want)
				}
				if from := table.Walk(uint32(i)); !from.Next() || string(from.Text()) != want {
					t.Fatalf("walk from %d = %q, want %q", i, from.Text(), want)
				}
			}
			if walk.Next() {
				t.Errorf("a walk over %d strings goes on", n)
			}
			if !sorted {
				continue
			}
			for range 500 {
				key := make([]byte, rnd.IntN(12))
				for i := range key {
					key[i] = "ab\x00\xff"[rnd.IntN(4)]
				}
				if n > 0 && rnd.IntN(2) == 0 {
					key = []byte(list[rnd.IntN(n)])
				}
				if rnd.IntN(2) == 0 {
					key = append([]byte(prefixes[rnd.IntN(len(prefixes))]), key...)
				}
				want := sort.SearchStrings(list, string(key))
				got, found := table.Find(key)
				if int(got) != want || found != (want < n && list[want] == string(key)) {
					t.Fatalf("Find(%q) among %d = %d, %v, want %d", key, n, got, found, want)
				}
			}
		}
	}
}

// Whatever the bytes are, a Reader refuses them or what it returns can be read.
func FuzzReader(f *testing.F) {
	var w StringsWriter
	for i := range 40 {
		w.AddString(fmt.Sprintf("string number %d", 100+i))
	}
	f.Add(AppendInts(w.AppendTo(nil), []uint32{0, 3, 7}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, sorted := range []bool{false, true} {
			r := NewReader(data)
			table := r.Strings(1000, sorted)
			numbers := r.Rising(3, 7)
			if r.Err() != nil {
				continue
			}
			if at := numbers.Search(4); at > 3 {
				t.Errorf("Search = %d", at)
			}
			n := 0
			for walk := table.Walk(0); walk.Next(); n++ {
				if !bytes.Equal(table.Append(nil, uint32(n)), walk.Text()) {
					t.Errorf("string %d is read in two ways", n)
				}
				if at, found := table.Find(walk.Text()); sorted && (!found || int(at) != n) {
					t.Errorf("string %d is found at %d", n, at)
				}
			}
			if n != table.Len() {
				t.Errorf("%d strings of %d", n, table.Len())
			}
		}
	})
}
