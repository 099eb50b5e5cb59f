package index

import (
	"cmp"
	"fmt"
	"maps"
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

// exhaustive ranks by the textbook: no postings, no windows, no heap.
func exhaustive(x *Index, live map[string]Document, q Query) []Hit {
	type row struct {
		Hit
		tf     map[string]int
		length int
		doc    Document
	}
	var rows []row
	for _, d := range live {
		for _, p := range d.Passages {
			questions := p.Questions
			if len(questions) == 0 {
				questions = []string{""}
			}
			for _, question := range questions {
				r := row{Hit: Hit{DocumentID: d.ID, Version: d.Version, Ordinal: p.Ordinal}, tf: map[string]int{}, doc: d}
				for _, term := range x.analyzer.Terms(nil, p.Title+" \n"+p.Heading+" \n"+question+" \n"+p.Body) {
					r.tf[term]++
					r.length++
				}
				rows = append(rows, r)
			}
		}
	}
	total := 0
	df := map[string]int{}
	for _, r := range rows {
		total += r.length
		for term := range r.tf {
			df[term]++
		}
	}
	average := float64(total) / float64(len(rows))
	var terms []string
	count := map[string]int{}
	share := map[string]float64{}
	for _, term := range x.analyzer.Query(nil, q.Text) {
		if count[term.Text] == 0 {
			terms = append(terms, term.Text)
		}
		count[term.Text]++
		share[term.Text] = 1
		if !term.Content {
			share[term.Text] = 0.7 * float64(len(rows)) / float64(len(rows)+30)
		}
	}
	best := map[string]Hit{}
	for _, r := range rows {
		if q.AgentID != "" && r.doc.AgentID != "" && r.doc.AgentID != q.AgentID {
			continue
		}
		var score float32
		for _, term := range terms {
			if r.tf[term] == 0 {
				continue
			}
			weight := float32(idf(len(rows), df[term]) * 2.2 * float64(count[term]) * share[term])
			tf := float32(r.tf[term])
			score += weight * tf / (tf + float32(1.2*(1-0.75+0.75*float64(r.length)/average)))
		}
		r.Score, r.BM25 = float64(score), float64(score)
		key := fmt.Sprint(r.DocumentID, "/", r.Ordinal)
		if r.Score > best[key].Score {
			best[key] = r.Hit
		}
	}
	list := slices.SortedFunc(maps.Values(best), func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.DocumentID, b.DocumentID), cmp.Compare(a.Ordinal, b.Ordinal))
	})
	return list[:min(len(list), q.Limit)]
}

// TestAgainstModel makes random changes and compares the index with one built
// anew and with exhaustive ranking: scores must be the same to the last bit.
func TestAgainstModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range 1 + rnd.IntN(12) {
			fmt.Fprintf(&b, "word%d ", int(rnd.ExpFloat64()*12))
		}
		return b.String()
	}
	random := func(version int) Document {
		d := Document{ID: fmt.Sprintf("doc%d", rnd.IntN(400)), Version: version, AgentID: []string{"", "a", "b"}[rnd.IntN(3)]}
		for i := range rnd.IntN(5) {
			p := Passage{Ordinal: i, Title: text(), Heading: text(), Body: text()}
			for range max(0, rnd.IntN(6)-3) {
				p.Questions = append(p.Questions, text())
			}
			d.Passages = append(d.Passages, p)
		}
		return d
	}
	x := New(nil)
	live := map[string]Document{}
	asked := 0
	for step := range 60 {
		var batch []Change
		for range 1 + rnd.IntN(80) {
			if rnd.IntN(3) == 0 {
				id := fmt.Sprintf("doc%d", rnd.IntN(400))
				batch = append(batch, Change{Delete: id})
				delete(live, id)
				continue
			}
			d := random(step)
			batch = append(batch, Change{Put: &d})
			live[d.ID] = d
		}
		x.Apply(batch)
		if step%6 != 5 {
			continue
		}
		anew := New(nil)
		var all []Change
		passages := 0
		for _, d := range live { // in random order
			all = append(all, Change{Put: &d})
			passages += len(d.Passages)
		}
		anew.Apply(all)
		if x.Passages() != passages || anew.Passages() != passages {
			t.Fatalf("step %d: Passages() = %d, anew %d, want %d", step, x.Passages(), anew.Passages(), passages)
		}
		for range 20 {
			q := Query{Text: text(), Limit: 1 + rnd.IntN(120), AgentID: []string{"", "a", "c"}[rnd.IntN(3)]}
			got, rebuilt, want := x.Search(q), anew.Search(q), exhaustive(x, live, q)
			for i := range got.Hits {
				got.Hits[i].Matched = 0
			}
			for i := range rebuilt.Hits {
				rebuilt.Hits[i].Matched = 0
			}
			if !slices.Equal(got.Hits, rebuilt.Hits) || got.Signals != rebuilt.Signals {
				t.Fatalf("step %d: Search(%+v) =\n%v %+v, anew\n%v %+v", step, q, got.Hits, got.Signals, rebuilt.Hits, rebuilt.Signals)
			}
			if len(got.Hits) > 0 && got.Hits[0].Asked > 0 {
				asked++ // which the textbook knows nothing of
				continue
			}
			if !slices.Equal(got.Hits, want) {
				t.Fatalf("step %d: Search(%+v) =\n%v, exhaustive\n%v", step, q, got.Hits, want)
			}
		}
	}
	if asked < 5 || asked > 100 {
		t.Errorf("%d of 200 queries are questions of passages, want some and not most", asked)
	}
	if len(x.state.lengths) > 2*x.state.live {
		t.Errorf("%d rows for %d live ones: nothing was swept", len(x.state.lengths), x.state.live)
	}
	for id := range live {
		x.Delete(id)
	}
	if r := x.Search(Query{Text: "word1 word2"}); len(r.Hits) != 0 || x.Passages() != 0 {
		t.Errorf("an emptied index finds %d passages of %d", len(r.Hits), x.Passages())
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

func TestBytesFollowTheContent(t *testing.T) {
	x := New(nil)
	empty := x.Bytes()
	for i := range 2000 {
		x.Put(doc(fmt.Sprint("doc", i), fmt.Sprintf("word%d and several others of a short passage", i)))
	}
	full := x.Bytes()
	if full < empty+2000*50 {
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
