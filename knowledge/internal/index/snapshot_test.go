package index

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// written returns a snapshot of a small index of several segments, of which
// something is gone.
func written(tb testing.TB) []byte {
	w := &world{rnd: rand.New(rand.NewPCG(7, 7)), words: 60, ids: 30}
	x := New(nil)
	for step := range 4 {
		x.change(w, map[string]Document{}, step)
	}
	x.Put(pair("pair", "By bicycle.", "Do you deliver?", "Is there delivery?"))
	var b bytes.Buffer
	if err := x.Snapshot(&b, []byte("revision 7")); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestSnapshotRefused(t *testing.T) {
	data := written(t)
	x := New(nil)
	x.Put(doc("kept", "Nothing else."))
	refused := func(what string, data []byte, into *Index) {
		t.Helper()
		if tag, err := into.Restore(data); !errors.Is(err, ErrSnapshot) || tag != nil || into.Passages() != 1 {
			t.Fatalf("Restore of a snapshot %s = %q, %v, with %d passages, want what there was", what, tag, err, into.Passages())
		}
	}
	rnd := rand.New(rand.NewPCG(1, 9))
	for range 300 {
		bad := slices.Clone(data)
		bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
		refused("with another bit", bad, x)
		refused("cut off", data[:rnd.IntN(len(data))], x)
	}
	refused("that goes on", append(slices.Clone(data), 0), x)
	refused("of nothing", nil, x)
	for _, o := range []Options{{K1: 1.3}, {B: 0.5}, {TitleWeight: 2}, {Language: "de"}} {
		other := New(&o)
		other.Put(doc("kept", "Nothing else."))
		refused("of an index with other options", data, other)
	}
	if err := x.Snapshot(&bytes.Buffer{}, make([]byte, MaxTag+1)); err == nil {
		t.Error("Snapshot takes a tag that is too long")
	}
	if tag, err := x.Restore(data); err != nil || string(tag) != "revision 7" || x.Passages() < 20 {
		t.Errorf("Restore = %q, %v, with %d passages", tag, err, x.Passages())
	}
	if r := x.Search(Query{Text: "do you deliver"}); len(r.Hits) == 0 || r.Hits[0].DocumentID != "pair" || r.Hits[0].Asked != 1 {
		t.Errorf("a question is not known any more: %+v", r.Hits)
	}
}

// Whatever stands before the right checksum, a snapshot is refused or can be
// searched, changed and merged.
func FuzzRestore(f *testing.F) {
	data := written(f)
	body := data[:len(data)-sha256.Size]
	f.Add(uint32(0), byte(0), uint32(0), byte(0))
	for i := range uint32(60) {
		f.Add(i*37, byte(i+1), i*101+40, byte(3*i))
	}
	f.Fuzz(func(t *testing.T, at uint32, by byte, other uint32, with byte) {
		bad := slices.Clone(body)
		bad[at%uint32(len(bad))] ^= by
		bad[other%uint32(len(bad))] += with
		sum := sha256.Sum256(bad)
		x := New(nil)
		if _, err := x.Restore(append(bad, sum[:]...)); err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatalf("Restore: %v", err)
			}
			return
		}
		for _, q := range []Query{{Text: "w1 w2 w3 the delivery quick help"}, {Text: "do you deliver", AgentID: "a", Filter: Has{"n", []Test{{Op: Gt, Value: 2}}}}} {
			for _, h := range x.Search(q).Hits {
				x.Explain(q, h.DocumentID, h.Ordinal)
			}
		}
		for range x.Stamps() {
		}
		x.Delete("doc_003")
		x.Maintain(t.Context())
		x.Search(Query{Text: "w1"})
	})
}
