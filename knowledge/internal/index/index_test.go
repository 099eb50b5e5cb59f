package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

func doc(id string, bodies ...string) Document {
	d := Document{ID: id, Version: 1}
	for i, b := range bodies {
		d.Passages = append(d.Passages, Passage{Ordinal: i, Body: b})
	}
	return d
}

func ids(r Result) string {
	var list []string
	for _, h := range r.Hits {
		list = append(list, fmt.Sprintf("%s/%d", h.DocumentID, h.Ordinal))
	}
	return strings.Join(list, " ")
}

func TestSearch(t *testing.T) {
	x := New(nil)
	x.Apply([]Change{
		{Put: new(doc("hours", "We open at nine and close at five.", "On Sundays the shop is closed."))},
		{Put: new(doc("keys", "API keys are rotated in the settings.", "Set API_KEY in the environment of v1.2.3."))},
		{Put: &Document{ID: "returns", Passages: []Passage{{Title: "Returns", Heading: "Refunds", Body: "Within 30 days."}}}},
		{Put: &Document{ID: "qa", Passages: []Passage{{Ordinal: 4, Questions: []string{"Do you deliver?", "Is shipping possible?"}, Body: "Yes, by bicycle."}}}},
	})
	for _, tt := range []struct{ query, want string }{
		{"When do you open?", "hours/0 qa/4"},
		{"opening", "hours/0"},
		{"rotating a key", "keys/0 keys/1"},
		{"api_key", "keys/1 keys/0"},
		{"V1.2.3", "keys/1"},
		{"refund", "returns/0"},
		{"return", "returns/0"},
		{"shipping", "qa/4"},
		{"bicycle delivery", "qa/4"},
		{"the", ""},
		{"", ""},
		{"zebra", ""},
	} {
		if got := ids(x.Search(Query{Text: tt.query})); got != tt.want {
			t.Errorf("Search(%q) = %q, want %q", tt.query, got, tt.want)
		}
	}
	if got := x.Passages(); got != 6 {
		t.Errorf("Passages() = %d, want 6", got)
	}
	x.Delete("hours")
	x.Put(doc("keys", "Nothing here opens."))
	if got := ids(x.Search(Query{Text: "open settings"})); got != "keys/0" {
		t.Errorf("Search after a delete and a put = %q, want keys/0", got)
	}
	if got := x.Passages(); got != 3 {
		t.Errorf("Passages() = %d, want 3", got)
	}
}

func TestMatched(t *testing.T) {
	x := New(nil)
	x.Put(doc("a", "green tea"))
	x.Put(doc("b", "tea from China"))
	r := x.Search(Query{Text: "green China tea, unheard of"})
	var got []string
	for _, h := range r.Hits {
		var held []string
		for i, term := range r.Terms {
			if h.Matched&(1<<i) != 0 {
				held = append(held, term.Text)
			}
		}
		got = append(got, h.DocumentID+":"+strings.Join(held, "+"))
	}
	if want := []string{"a:green+tea", "b:china+tea"}; !slices.Equal(got, want) {
		t.Errorf("matched terms = %q, want %q", got, want)
	}
}

// TestSearchWhileWriting: every search sees whole batches.
func TestSearchWhileWriting(t *testing.T) {
	x := New(nil)
	batch := func(version int) []Change {
		var list []Change
		for i := range 40 {
			d := doc(fmt.Sprint("doc", i), "alpha beta", "alpha gamma")
			d.Version, d.Metadata = version, map[string]any{"n": float64(100*version + i)}
			d.Passages[0].Questions = []string{"Alpha?", fmt.Sprintf("And in version%d?", version)}
			list = append(list, Change{Put: &d})
		}
		return list
	}
	x.Apply(batch(0))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for _, filter := range []Filter{nil, nil, Has{"n", []Test{{Op: Gte, Value: 0.0}}}, Not{Has{"n", []Test{{Op: Lt, Value: 0.0}}}}} {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := x.Search(Query{Text: "alpha", Limit: 100, Filter: filter})
				if len(r.Hits) != 80 {
					t.Errorf("%d hits, want 80", len(r.Hits))
					return
				}
				for _, h := range r.Hits {
					if h.Version != r.Hits[0].Version {
						t.Errorf("versions %d and %d in one result", h.Version, r.Hits[0].Version)
						return
					}
					if (h.Asked == 1) != (h.Ordinal == 0) {
						t.Errorf("hit %+v is asked, want the first passages and no others", h)
						return
					}
				}
			}
		})
	}
	for v := range 60 {
		x.Apply(batch(v))
	}
	if r := x.Search(Query{Text: "and in version58"}); r.Signals.Asked == 1 {
		t.Errorf("a question that is gone is asked: %+v", r.Hits)
	}
	close(stop)
	wg.Wait()
}

// What is put is there when a Builder is closed, the last version of each document.
func TestBuilder(t *testing.T) {
	x := New(nil)
	x.Put(doc("a", "the first kettle"))
	b := x.Builder()
	for i := range 300 {
		d := doc(fmt.Sprint("other", i%200), fmt.Sprintf("a lamp and version%d of it", i))
		b.Put(&d)
	}
	for _, d := range []Document{doc("a", "the second kettle"), doc("b", "a third kettle"), doc("a", "the last kettle"), {ID: "b"}} {
		b.Put(&d)
	}
	b.Close()
	if n := x.Passages(); n != 201 {
		t.Errorf("Passages() = %d, want 201", n)
	}
	for text, want := range map[string]string{"kettle": "a/0", "last": "a/0", "second": "", "third": "", "version150": "other150/0", "version250": "other50/0", "version50": ""} {
		if got := ids(x.Search(Query{Text: text})); got != want {
			t.Errorf("Search(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestBytesFollowTheContent(t *testing.T) {
	x := New(nil)
	empty := x.Bytes()
	for i := range 2000 {
		x.Put(doc(fmt.Sprint("doc", i), fmt.Sprintf("word%d and several others of a short passage", i)))
	}
	full := x.Bytes()
	if full < empty+2000*10 {
		t.Errorf("Bytes() = %d with 2000 passages, %d without", full, empty)
	}
	for i := range 2000 {
		x.Delete(fmt.Sprint("doc", i))
	}
	if left := x.Bytes(); left > full/4 {
		t.Errorf("Bytes() = %d after deleting everything, %d before", left, full)
	}
}

// synthetic returns n passages with words about as frequent as those of a
// language, and questions of six words that are not among its commonest.
func synthetic(n int) ([]Change, []string) {
	rnd := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(rnd, 1.2, 4, 60_000)
	text := func(words int, from uint64) string {
		var b strings.Builder
		for range words {
			fmt.Fprintf(&b, "w%dx ", from+zipf.Uint64())
		}
		return b.String()
	}
	changes := make([]Change, n)
	for i := range changes {
		d := doc(fmt.Sprint("doc", i), text(70, 0))
		d.Metadata = map[string]any{"tenth": i % 10, "price": rnd.Float64() * 100, "tags": []string{fmt.Sprint("t", i%7), fmt.Sprint("t", i%11)}}
		d.Fields = map[string]string{"$kind": "page", "$language": "en"}
		d.URL = fmt.Sprint("https://shop.example/page/", i)
		changes[i].Put = &d
	}
	queries := make([]string, 256)
	for i := range queries {
		queries[i] = text(6, 20)
	}
	return changes, queries
}

func BenchmarkSearch(b *testing.B) {
	changes, queries := synthetic(100_000)
	x := New(nil)
	x.Apply(changes)
	price := func(tests ...Test) Filter { return Has{"price", tests} }
	for _, f := range []struct {
		name   string
		filter Filter
	}{
		{"all", nil},
		{"10 % by value", Has{"tenth", []Test{{Op: Eq, Value: 3.0}}}},
		{"0 % by range", price(Test{Op: Gt, Value: 1000.0})},
		{"1 % by range", price(Test{Op: Gte, Value: 50.0}, Test{Op: Lt, Value: 51.0})},
		{"50 % by range", price(Test{Op: Lt, Value: 50.0})},
		{"1 % by prefix", Has{"$url", []Test{{Op: Prefix, Value: "https://shop.example/page/77"}}}},
		{"45 % by three", All{Not{Has{"tenth", []Test{{Op: Eq, Value: 3.0}}}}, Any{price(Test{Op: Lt, Value: 50.0}), Has{"no", nil}}, Has{"$url", nil}}},
	} {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				x.Search(Query{Text: queries[i%len(queries)], Filter: f.filter})
				i++
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	changes, _ := synthetic(1000)
	b.ReportAllocs()
	n := 0
	for _, c := range changes {
		n += len(c.Put.Passages[0].Body)
	}
	b.SetBytes(int64(n))
	for b.Loop() {
		New(nil).Apply(changes)
	}
}
