package index

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// runs is how many random indexes the tests look at: 300, or what the environment
// says.
func runs(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("ANSWERDESK_INDEX_RUNS")); err == nil {
		return n
	}
	if testing.Short() {
		return 60
	}
	return 300
}

// A world makes random documents and questions.
type world struct {
	rnd   *rand.Rand
	words int // different ones, about
	ids   int
}

var oddWords = strings.Fields(`the how what is running houses Häuser Straße geöffnet API_KEY v1.2.3 don't 退货政策 ร้านเปิด إلى الكتب "quick help" please
	delivery delivry devilery shipping shipings bicycle bicycel bycicle warranty waranty waranties Lieferung Leiferung بضائع بضايع`)

func (w *world) text(most int) string {
	var b strings.Builder
	for range w.rnd.IntN(most + 1) {
		if w.rnd.IntN(6) == 0 {
			b.WriteString(oddWords[w.rnd.IntN(len(oddWords))] + " ")
			continue
		}
		fmt.Fprintf(&b, "w%d ", int(w.rnd.ExpFloat64()*float64(w.words)/4))
	}
	return b.String()
}

func (w *world) id() string { return fmt.Sprintf("doc_%03d", w.rnd.IntN(w.ids)) }

func (w *world) document(version int) Document {
	d := Document{ID: w.id(), Version: version, Stamp: int64(version) * 1e9, AgentID: []string{"", "a", "b"}[w.rnd.IntN(3)], Language: []string{"", "", "de", "en", "ar"}[w.rnd.IntN(5)]}
	d.Metadata = map[string]any{"n": w.rnd.IntN(9), "tag": []string{"x", "y", "z"}[w.rnd.IntN(3)]}
	if w.rnd.IntN(3) > 0 {
		d.ExternalID = "ext-" + d.ID
	}
	if w.rnd.IntN(2) > 0 {
		d.URL = "https://example.com/" + w.text(2) + "/" + d.ID
	}
	apart := 1 + w.rnd.IntN(2)
	for i := range w.rnd.IntN(4) {
		p := Passage{Ordinal: i * apart, Title: w.text(3), Heading: w.text(2), Body: w.text(30)}
		for range max(0, w.rnd.IntN(7)-4) {
			p.Questions = append(p.Questions, w.text(5)+" w"+strconv.Itoa(w.rnd.IntN(w.words)))
		}
		d.Passages = append(d.Passages, p)
	}
	return d
}

// filter returns a filter and what it means.
func (w *world) filter() (Filter, func(*Document) bool) {
	n := w.rnd.IntN(9)
	tag := []string{"x", "y", "none"}[w.rnd.IntN(3)]
	number := func(d *Document) int { return d.Metadata["n"].(int) }
	switch w.rnd.IntN(7) {
	case 0:
		return Has{"n", []Test{{Op: Gte, Value: n}, {Op: Lt, Value: 7}}}, func(d *Document) bool { return number(d) >= n && number(d) < 7 }
	case 1:
		return Has{"tag", []Test{{Op: Eq, Value: tag}}}, func(d *Document) bool { return d.Metadata["tag"] == tag }
	case 2:
		return Any{Has{"tag", []Test{{Op: Eq, Value: tag}}}, Not{Has{"n", []Test{{Op: Gt, Value: n}}}}}, func(d *Document) bool { return d.Metadata["tag"] == tag || number(d) <= n }
	case 3:
		return All{Has{"$external_id", []Test{{Op: Prefix, Value: "ext-doc_0"}}}, Has{"n", []Test{{Op: In, In: []any{1, 3, 5, n}}}}}, func(d *Document) bool {
			return strings.HasPrefix(d.ExternalID, "ext-doc_0") && slices.Contains([]int{1, 3, 5, n}, number(d))
		}
	}
	return nil, func(*Document) bool { return true }
}

// TestAgainstModel changes an index at random, merges it, writes it out and reads it
// again, and compares it with one that is built anew and with one that ranks by the
// textbook: the results must be the same to the last bit.
func TestAgainstModel(t *testing.T) {
	asked, found, segments := 0, 0, 0
	defer func(rows, width uint32, ordered int) { commonRows, window, orderedRows = rows, width, ordered }(commonRows, window, orderedRows)
	for run := range runs(t) {
		commonRows = []uint32{1, 1 << 8}[run%2] // terms are common in small segments, too
		window, orderedRows = []uint32{64, 1 << 12, 1 << 17}[run%3], []int{1, 100, 1 << 15}[run/2%3]
		rnd := rand.New(rand.NewPCG(uint64(run), 2))
		w := &world{rnd: rnd, words: 4 + rnd.IntN(200), ids: 1 + rnd.IntN(60)}
		steps := 1 + rnd.IntN(12)
		if run%50 == 7 {
			w.ids, steps = 3000, 60 // several blocks and windows
		}
		o := Options{TitleWeight: 1 + rnd.IntN(3), HeadingWeight: 1, QuestionWeight: 1 + rnd.IntN(2)}
		x := New(&o)
		live := map[string]Document{}
		for step := range steps {
			x.change(w, live, step)
			switch rnd.IntN(8) {
			case 0:
				x.Maintain(t.Context())
			case 1:
				var b bytes.Buffer
				if err := x.Snapshot(&b, []byte("tag")); err != nil {
					t.Fatal(err)
				}
				y := New(&o)
				if tag, err := y.Restore(b.Bytes()); err != nil || string(tag) != "tag" {
					t.Fatalf("run %d: Restore = %q, %v", run, tag, err)
				}
				x = y
			case 2, 3: // what is known of the terms of a search stays right over what follows
				x.Search(Query{Text: w.text(8)})
			}
		}
		segments = max(segments, len(x.view.Load().parts))
		anew := New(&o)
		var all []Change
		passages := 0
		for _, d := range live { // in random order
			all = append(all, Change{Put: &d})
			passages += len(d.Passages)
		}
		for batch := range slices.Chunk(all, 1+rnd.IntN(len(all)+1)) {
			anew.Apply(batch)
		}
		if x.Passages() != passages || anew.Passages() != passages {
			t.Fatalf("run %d: Passages() = %d, anew %d, want %d", run, x.Passages(), anew.Passages(), passages)
		}
		stamps := maps.Collect(x.Stamps())
		for id, d := range live {
			if at, ok := x.Stamp(id); ok != (len(d.Passages) > 0) || ok && (at != d.Stamp || stamps[id] != at) {
				t.Fatalf("run %d: Stamp(%s) = %d, %v, want %d", run, id, at, ok, d.Stamp)
			}
		}
		textbook := newExhaustive(x.options, live)
		for range 4 {
			filter, allowed := w.filter()
			q := Query{Text: w.text(8), Limit: 1 + rnd.IntN(100), AgentID: []string{"", "a", "c"}[rnd.IntN(3)], Filter: filter}
			if rnd.IntN(4) == 0 {
				q.Languages = []string{"de", "en"}
			}
			got, rebuilt, want := x.Search(q), anew.Search(q), textbook.search(q, allowed)
			if !slices.Equal(got.Hits, rebuilt.Hits) || got.Signals != rebuilt.Signals || !slices.Equal(got.Terms, rebuilt.Terms) {
				t.Fatalf("run %d: Search(%+v) =\n%v %+v, anew\n%v %+v", run, q, got.Hits, got.Signals, rebuilt.Hits, rebuilt.Signals)
			}
			x.explained(t, q, got)
			if len(got.Hits) > 0 && got.Hits[0].Asked > 0 {
				asked++ // which the textbook knows nothing of
				continue
			}
			found += len(got.Hits)
			for i := range got.Hits {
				got.Hits[i].Matched = 0
			}
			if !slices.Equal(got.Hits, want) {
				t.Fatalf("run %d: Search(%+v) =\n%v, exhaustive\n%v", run, q, got.Hits, want)
			}
		}
		for id := range live {
			x.Delete(id)
		}
		if r := x.Search(Query{Text: "w1 w2"}); len(r.Hits) != 0 || x.Passages() != 0 || x.Bytes() != 0 {
			t.Errorf("an emptied index finds %d passages of %d in %d bytes", len(r.Hits), x.Passages(), x.Bytes())
		}
	}
	if asked == 0 && !testing.Short() || found < 1000 || segments < 4 {
		t.Errorf("%d questions of passages were asked, %d passages found, in up to %d segments: want more", asked, found, segments)
	}
}

// change makes random changes to an index and to what it should hold.
func (x *Index) change(w *world, live map[string]Document, version int) {
	var batch []Change
	for range 1 + w.rnd.IntN(w.ids) {
		if w.rnd.IntN(3) == 0 {
			id := w.id()
			batch = append(batch, Change{Delete: id})
			delete(live, id)
			continue
		}
		d := w.document(version)
		batch = append(batch, Change{Put: &d})
		live[d.ID] = d
	}
	if w.rnd.IntN(3) > 0 {
		x.Apply(batch)
		return
	}
	b := x.Builder()
	b.most = 1 + w.rnd.IntN(500)
	for _, c := range batch {
		if c.Put != nil {
			b.Put(c.Put)
			continue
		}
		b.Close()
		x.Delete(c.Delete)
		b = x.Builder()
	}
	b.Close()
}

// explained compares what Explain says with a result.
func (x *Index) explained(t *testing.T, q Query, r Result) {
	t.Helper()
	allow := x.Allow(q)
	for i, h := range r.Hits {
		if i > 2 {
			break
		}
		e := x.Explain(q, h.DocumentID, h.Ordinal)
		if !e.Found || !e.Allowed || e.Rank != i+1 || e.Hit != h || len(e.Terms) != len(r.Terms) {
			t.Fatalf("Explain(%+v, %s, %d) = %+v, want %+v at %d", q, h.DocumentID, h.Ordinal, e, h, i+1)
		}
		slices.SortStableFunc(e.Terms, func(a, b TermScore) int { return cmp.Compare(a.Passages, b.Passages) }) // as they are added up
		sum := float32(0)
		for _, term := range e.Terms {
			sum += float32(term.Score)
		}
		if float64(sum) != h.BM25 {
			t.Fatalf("Explain(%+v, %s, %d): the terms give %v, want %v", q, h.DocumentID, h.Ordinal, sum, h.BM25)
		}
		if allow != nil && !allow(h.DocumentID) {
			t.Fatalf("Allow(%+v) does not allow %s", q, h.DocumentID)
		}
	}
}
