package knowledge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// meanings is an embedder for which a text is the things that it speaks of, in
// whatever words.
type meanings struct {
	space string

	mu      sync.Mutex
	err     error // of every call
	hangs   bool  // until the context ends
	largest int   // bytes of texts at once; 0: any
	asked   int   // calls
	texts   []string
}

// things are words for the same thing.
var things = [][]string{{"physician", "doctor"}, {"automobile", "car"}, {"bread", "loaf"}, {"refund", "reimburse"}, {"lamp", "light"}}

func (m *meanings) Space() string { return m.space }

func (m *meanings) Embed(ctx context.Context, role llm.InputType, texts []string) (llm.Embeddings, error) {
	m.mu.Lock()
	err, hangs, largest := m.err, m.hangs, m.largest
	m.asked++
	if role == llm.Passage {
		m.texts = append(m.texts, texts...)
	}
	m.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return llm.Embeddings{}, ctx.Err()
	}
	if largest > 0 && len(strings.Join(texts, "")) > largest {
		err = &llm.Error{Provider: "test", Kind: llm.TooLarge}
	}
	if err != nil {
		return llm.Embeddings{}, err
	}
	var out llm.Embeddings
	for _, text := range texts {
		v := make([]float32, len(things)+1)
		v[len(things)] = .1
		for i, words := range things {
			for _, w := range words {
				v[i] += float32(strings.Count(strings.ToLower(text), w))
			}
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

// change changes what the embedder does.
func (m *meanings) change(fn func(*meanings)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn(m)
}

// An embedded is the knowledge of a company with an embedder, in a process of its
// own.
type embedded struct {
	*knowledge.Base
	lib   *knowledge.Library
	store *sqlite.Store
	log   *bytes.Buffer
}

func newEmbedded(t *testing.T, st *sqlite.Store, opts knowledge.Options) *embedded {
	t.Helper()
	log := &bytes.Buffer{}
	opts.Logger = slog.New(slog.NewTextHandler(&lockedWriter{to: log}, nil))
	lib := knowledge.New(st, &opts)
	return &embedded{Base: lib.Company(company(t, st)), lib: lib, store: st, log: log}
}

type lockedWriter struct {
	mu sync.Mutex
	to *bytes.Buffer
}

func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

// works does what is queued for a while, in fake time.
func (e *embedded) works(t *testing.T, while time.Duration) {
	t.Helper()
	stop := e.start(t)
	time.Sleep(while)
	stop()
}

// start does what is queued until it is stopped.
func (e *embedded) start(t *testing.T) (stop func()) {
	t.Helper()
	runner, err := work.New(e.store, &work.Options{Poll: 500 * time.Millisecond, DrainTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.lib.Schedule(runner); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = runner.Run(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// search returns what is found.
func search(t *testing.T, kb *knowledge.Base, q knowledge.Query) knowledge.Results {
	t.Helper()
	r, err := kb.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("Search(%+v) = error %v", q, err)
	}
	return r
}

func titled(title, text string) knowledge.Document {
	return knowledge.Document{Title: title, ExternalID: title, Text: text}
}

// clinic is knowledge in which each thing is named by the first of its words.
var clinic = []knowledge.Document{
	titled("Hours", "The physician is there on Mondays."), titled("Parking", "Leave the automobile behind the house."),
	titled("Bakery", "Bread is sold next to the entrance."), titled("Money", "We refund what was paid twice."),
}

func putClinic(t *testing.T, kb *knowledge.Base) {
	t.Helper()
	if _, err := kb.PutAll(t.Context(), clinic...); err != nil {
		t.Fatal(err)
	}
}

// A passage that says the same in other words is found once it has a vector, and
// what is found by words as before.
func TestOtherWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: &meanings{space: "test:a"}})
		putClinic(t, e.Base)
		asks := knowledge.Query{Text: "doctor", Limit: 1}
		if titles := found(t, e.Base, asks); len(titles) > 0 {
			t.Errorf("before there are vectors, %v is found", titles)
		}
		e.works(t, 2*time.Second)
		r := search(t, e.Base, asks)
		if len(r.Hits) != 1 || r.Hits[0].Title != "Hours" {
			t.Fatalf("Search = %+v, want the hours of the physician", r.Hits)
		}
		h := r.Hits[0]
		_, words := h.Scores[knowledge.ScoreBM25]
		if words || h.Scores[knowledge.ScoreVector] < .9 || h.Scores[knowledge.ScoreFused] != h.Score || h.Score != .5 || len(r.Reasons) == 0 || slices.Contains(r.Reasons, "embedder_failed") {
			t.Errorf("the hit has score %v of %v, reasons %v, want .5, which vectors count", h.Score, h.Scores, r.Reasons)
		}
		both := search(t, e.Base, knowledge.Query{Text: "physician"}).Hits
		if len(both) != len(clinic) || both[0].Title != "Hours" || both[0].Score != 1 || both[0].Scores[knowledge.ScoreBM25] <= 0 || both[1].Score >= .5 {
			t.Errorf("Search of a word that is there = %+v, want both legs to agree", both)
		}
		for i := range both[1:] {
			if a, b := both[i], both[i+1]; a.Score < b.Score || a.Score == b.Score && a.DocumentID > b.DocumentID {
				t.Errorf("hit %d has score %v of %s, and the next %v of %s", i, a.Score, a.DocumentID, b.Score, b.DocumentID)
			}
		}
	})
}

// Agent, filter and company hold for what vectors find as for what words find.
func TestVectorsAreFiltered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := openStore(t, t.TempDir())
		e := newEmbedded(t, st, knowledge.Options{Embedder: &meanings{space: "test:a"}})
		mine, other := e.newAgent(t), e.newAgent(t)
		everyones, own := titled("Everyone's", "A physician."), titled("Own", "A physician, too.")
		everyones.Metadata = map[string]any{"floor": 1}
		own.AgentID, own.Metadata = mine, map[string]any{"floor": 2}
		for _, d := range []knowledge.Document{everyones, own} {
			put(t, e.Base, d)
		}
		beside := e.lib.Company(newCompany(t, st))
		put(t, beside, titled("Another company's", "The physician's automobile."))
		e.works(t, 5*time.Second)
		for _, c := range []struct {
			kb   *knowledge.Base
			q    knowledge.Query
			want []string
		}{
			{e.Base, knowledge.Query{}, []string{"Everyone's", "Own"}},
			{e.Base, knowledge.Query{AgentID: mine}, []string{"Everyone's", "Own"}},
			{e.Base, knowledge.Query{AgentID: other}, []string{"Everyone's"}},
			{e.Base, knowledge.Query{Filter: map[string]any{"floor": 2}}, []string{"Own"}},
			{e.Base, knowledge.Query{Filter: map[string]any{"floor": map[string]any{"$lt": 2}}}, []string{"Everyone's"}},
			{e.Base, knowledge.Query{Filter: map[string]any{"floor": 3}}, []string{}},
			{e.Base, knowledge.Query{AgentID: other, Filter: map[string]any{"floor": 2}}, []string{}},
			{beside, knowledge.Query{}, []string{"Another company's"}},
			{beside, knowledge.Query{AgentID: mine}, []string{"Another company's"}},
		} {
			c.q.Text = "doctor"
			if got := sorted(t, c.kb, c.q); !slices.Equal(got, c.want) {
				t.Errorf("Search(%+v) finds %q, want %q", c.q, got, c.want)
			}
		}
	})
}

// Another embedder's vectors come beside those that are there, which go when all
// passages have the new ones; what is found by words is found all the while.
func TestAnotherEmbedder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := openStore(t, t.TempDir())
		before := newEmbedded(t, st, knowledge.Options{Embedder: &meanings{space: "test:a"}})
		putClinic(t, before.Base)
		before.works(t, 2*time.Second)
		if n := before.vectors(t, "test:a"); n != len(clinic) {
			t.Fatalf("%d passages have vectors, want %d", n, len(clinic))
		}
		next := &meanings{space: "test:b", err: &llm.Error{Provider: "test", Kind: llm.Server}}
		after := newEmbedded(t, st, knowledge.Options{Embedder: next})
		if err := after.lib.Embed(t.Context(), after.company(t)); err != nil {
			t.Fatal(err)
		}
		after.works(t, 3*time.Second)
		if a, b := after.vectors(t, "test:a"), after.vectors(t, "test:b"); a != len(clinic) || b != 0 {
			t.Errorf("while the embedder fails, there are %d old and %d new vectors", a, b)
		}
		if titles := found(t, after.Base, knowledge.Query{Text: "physician"}); !slices.Equal(titles, []string{"Hours"}) {
			t.Errorf("meanwhile %v is found by words", titles)
		}
		next.change(func(m *meanings) { m.err = nil })
		after.works(t, 2*time.Minute)
		if a, b := after.vectors(t, "test:a"), after.vectors(t, "test:b"); a != 0 || b != len(clinic) {
			t.Errorf("in the end there are %d old and %d new vectors, want the new ones alone", a, b)
		}
		if titles := found(t, after.Base, knowledge.Query{Text: "doctor", Limit: 1}); !slices.Equal(titles, []string{"Hours"}) {
			t.Errorf("in the end %v is found by vectors", titles)
		}
		if titles := found(t, before.Base, knowledge.Query{Text: "physician"}); !slices.Equal(titles, []string{"Hours"}) {
			t.Errorf("a process with the embedder before finds %v by words", titles)
		}
		asked := next.asked
		if err := after.lib.Embed(t.Context(), after.company(t)); err != nil {
			t.Fatal(err)
		}
		after.works(t, time.Minute)
		if next.asked != asked {
			t.Errorf("the embedder was asked %d times for what has its vectors", next.asked-asked)
		}
	})
}

// An embedder that fails costs what its vectors would have found, and nothing else.
func TestEmbedderFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meanings{space: "test:a", err: fmt.Errorf("no answer about Mondays")}
		e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: m})
		putClinic(t, e.Base)
		e.works(t, 10*time.Second)
		if log := e.log.String(); !strings.Contains(log, "kind=error") || strings.Contains(log, "Mondays") {
			t.Errorf("logged is %q, want the kind of the error alone", log)
		}
		if m.asked > 6 {
			t.Errorf("in ten seconds the embedder was asked %d times, want fewer and fewer", m.asked)
		}
		m.change(func(m *meanings) { m.err = nil })
		e.works(t, 2*time.Minute)
		hours := func(what string, words string, failed bool, within time.Duration) {
			t.Helper()
			start := time.Now()
			r := search(t, e.Base, knowledge.Query{Text: words, Limit: 1})
			if len(r.Hits) != 1 || r.Hits[0].Title != "Hours" || slices.Contains(r.Reasons, "embedder_failed") != failed {
				t.Errorf("%s, Search(%q) = %+v, reasons %v, want the hours", what, words, r.Hits, r.Reasons)
			}
			if took := time.Since(start); took > within {
				t.Errorf("%s, a search takes %v", what, took)
			}
		}
		hours("when it has recovered", "doctor", false, 0)
		m.change(func(m *meanings) { m.err = &llm.Error{Provider: "test", Kind: llm.RateLimit} })
		hours("when it refuses", "physician", true, 0)
		if r := search(t, e.Base, knowledge.Query{Text: "doctor"}); len(r.Hits) > 0 || !slices.Contains(r.Reasons, "embedder_failed") {
			t.Errorf("Search without words or vectors = %+v, reasons %v", r.Hits, r.Reasons)
		}
		if !strings.Contains(e.log.String(), "kind=rate_limit") {
			t.Errorf("logged is %q, want rate_limit", e.log)
		}
		m.change(func(m *meanings) { m.err, m.hangs = nil, true })
		hours("when it hangs", "physician", true, 2*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.Search(ctx, knowledge.Query{Text: "physician"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Search whose caller has gone = %v", err)
		}
		m.change(func(m *meanings) { m.hangs = false })
		hours("when it answers again", "doctor", false, 0)
	})
}

// A passage that alone is too large for an embedder keeps none of the others from
// their vectors.
func TestTooLargeToEmbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meanings{space: "test:a", largest: 60}
		e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: m})
		putClinic(t, e.Base)
		put(t, e.Base, titled("Long", "Whoever comes from far away is told here at length where the lamp is."))
		e.works(t, 2*time.Second)
		if n := e.vectors(t, "test:a"); n != len(clinic) {
			t.Errorf("%d passages have vectors, want the %d that are not too large", n, len(clinic))
		}
		if titles := found(t, e.Base, knowledge.Query{Text: "doctor", Limit: 1}); !slices.Equal(titles, []string{"Hours"}) {
			t.Errorf("%v is found", titles)
		}
		if !strings.Contains(e.log.String(), "too large for the embedder") {
			t.Errorf("logged is %q", e.log)
		}
	})
}

// What a document said before is not found, by another text or none, and what it
// says now is once it has its vector.
func TestVectorsFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meanings{space: "test:a"}
		e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: m})
		d := put(t, e.Base, titled("One", "The physician is in."))
		put(t, e.Base, titled("Two", "The lamp is out."))
		e.works(t, 2*time.Second)
		best := func(words string) string {
			t.Helper()
			h := search(t, e.Base, knowledge.Query{Text: words, Limit: 1}).Hits
			if len(h) == 0 || h[0].Scores[knowledge.ScoreVector] < .5 {
				return ""
			}
			return h[0].Title
		}
		if best("doctor") != "One" || best("light") != "Two" {
			t.Fatal("the documents are not found")
		}
		put(t, e.Base, titled("One", "The automobile is sold."))
		if got := best("doctor"); got != "" {
			t.Errorf("after another text, %q is found by the one before", got)
		}
		e.works(t, 2*time.Second)
		if got := best("car"); got != "One" {
			t.Errorf("the new text finds %q", got)
		}
		asked := m.asked
		noted := titled("One", "The automobile is sold.")
		noted.Metadata = map[string]any{"a": "b"}
		put(t, e.Base, noted)
		if got := best("car"); got != "One" || m.asked != asked+1 {
			t.Errorf("after new metadata the text finds %q, and the embedder was asked %d times", got, m.asked-asked)
		}
		if _, err := e.Delete(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		if got := best("car"); got != "" {
			t.Errorf("after the delete %q is found", got)
		}
		if best("light") != "Two" {
			t.Error("after the delete another document is not found")
		}
	})
}

// Two processes on a folder search by the vectors that either has made, those of an
// index that is loaded as those of one that follows.
func TestVectorsOfTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		one := newEmbedded(t, openStore(t, dir), knowledge.Options{Embedder: &meanings{space: "test:a"}})
		two := newEmbedded(t, openStore(t, dir), knowledge.Options{Embedder: &meanings{space: "test:a"}})
		asks := knowledge.Query{Text: "doctor", Limit: 1}
		if len(found(t, two.Base, asks))+len(found(t, one.Base, asks)) > 0 {
			t.Fatal("something is found in nothing")
		}
		putClinic(t, one.Base)
		one.works(t, 2*time.Second)
		three := newEmbedded(t, openStore(t, dir), knowledge.Options{Embedder: &meanings{space: "test:a"}})
		for name, e := range map[string]*embedded{"that wrote": one, "that followed": two, "that was started": three} {
			if titles := found(t, e.Base, asks); !slices.Equal(titles, []string{"Hours"}) {
				t.Errorf("the process %s finds %v", name, titles)
			}
		}
		put(t, two.Base, titled("Hours", "Nobody is there."))
		for name, e := range map[string]*embedded{"that wrote": two, "that followed": one} {
			if h := search(t, e.Base, asks).Hits; len(h) > 0 && h[0].Title == "Hours" {
				t.Errorf("the process %s still finds what is not said any more", name)
			}
		}
		two.works(t, 2*time.Second)
		if n := one.vectors(t, "test:a"); n != len(clinic) {
			t.Errorf("%d passages have vectors, want %d", n, len(clinic))
		}
	})
}

// The answer of a pair that asks the question comes first, whatever vectors say.
func TestPairsComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fusion := range []knowledge.Fusion{{}, {Ranks: true}, {Weight: .95}} {
			e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: &meanings{space: "test:a"}, Fusion: fusion})
			putClinic(t, e.Base)
			if _, err := e.PutQA(t.Context(), "When is the doctor in?", "Ask at the desk."); err != nil {
				t.Fatal(err)
			}
			e.works(t, 2*time.Second)
			hits := search(t, e.Base, knowledge.Query{Text: "when is the doctor in"}).Hits
			if len(hits) < 2 || hits[0].Scores[knowledge.ScoreQA] != 1 || hits[0].Score <= hits[1].Score || hits[1].Title != "Hours" {
				t.Errorf("with %+v Search = %+v, want the pair and then the hours", fusion, hits)
			}
		}
	})
}

// With ranks in the place of scores a passage that both legs have first has most.
func TestFusionOfRanks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: &meanings{space: "test:a"}, Fusion: knowledge.Fusion{Ranks: true, Weight: .25}})
		putClinic(t, e.Base)
		e.works(t, 2*time.Second)
		h := search(t, e.Base, knowledge.Query{Text: "physician"}).Hits
		if want := 1.0 / 61; len(h) != len(clinic) || h[0].Title != "Hours" || h[0].Score != want || h[1].Score >= .25/61 {
			t.Errorf("Search = %+v, want the first with %v", h, want)
		}
	})
}

// What the vectors take counts as what the words take.
func TestVectorsTakeMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := openStore(t, t.TempDir())
		many := newEmbedded(t, st, knowledge.Options{Embedder: wide{}})
		var docs []knowledge.Document
		for i := range 300 {
			docs = append(docs, titled(fmt.Sprint("Number ", i), "The physician."))
		}
		if _, err := many.PutAll(t.Context(), docs...); err != nil {
			t.Fatal(err)
		}
		many.works(t, 2*time.Second)
		const room = 1 << 20 // 300 vectors of 2,048 numbers take more
		for _, c := range []struct {
			embedder llm.Embedder
			want     error
		}{{nil, nil}, {wide{}, knowledge.ErrTooLarge}} {
			kb := newEmbedded(t, st, knowledge.Options{Embedder: c.embedder, IndexMemory: room})
			if _, err := kb.Search(t.Context(), knowledge.Query{Text: "physician"}); !errors.Is(err, c.want) {
				t.Errorf("Search with embedder %v = %v, want %v", c.embedder, err, c.want)
			}
		}
	})
}

// wide is an embedder of long vectors.
type wide struct{}

func (wide) Space() string { return "test:wide" }

func (wide) Embed(_ context.Context, _ llm.InputType, texts []string) (out llm.Embeddings, err error) {
	for i := range texts {
		v := make([]float32, 2048)
		v[i] = 1
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

// What is embedded is the title, the headings and the text of a passage.
func TestWhatIsEmbedded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meanings{space: "test:a"}
		e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: m})
		put(t, e.Base, knowledge.Document{Title: "Guide", Format: knowledge.Markdown, Text: "# House\n\n## Cellar\n\nThe lamp is to the left.\n"})
		e.works(t, 2*time.Second)
		if all := strings.Join(m.texts, "|"); !strings.Contains(all, "Guide\n") || !strings.Contains(all, "Cellar") || !strings.Contains(all, "The lamp is to the left.") {
			t.Errorf("embedded is %q", m.texts)
		}
	})
}

// Searches beside writes, deletes and embedding find nothing that is gone.
func TestVectorsRace(t *testing.T) {
	e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: &meanings{space: "test:a"}})
	defer e.start(t)()
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for w := range 2 {
		writers.Go(func() {
			for i := range 60 {
				d, err := e.Put(t.Context(), titled(fmt.Sprint(w, i%3), []string{"A physician.", "An automobile.", "A lamp."}[i/3%3]+fmt.Sprint(i)))
				if err == nil && i%4 == 0 {
					_, err = e.Delete(t.Context(), d.ID)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				r, err := e.Search(t.Context(), knowledge.Query{Text: "doctor"})
				if err != nil {
					t.Error(err)
					return
				}
				for _, h := range r.Hits {
					if h.Scores[knowledge.ScoreVector] > .9 && !strings.Contains(h.Text, "physician") {
						t.Errorf("a search finds %q by the vector of another text", h.Text)
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

// newAgent makes an agent.
func (e *embedded) newAgent(t *testing.T) string {
	t.Helper()
	a := agent.Agent{ID: id.New(id.Agent), Settings: agent.Settings{Name: "One more"}, Version: 1, CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := e.store.CreateAgent(t.Context(), store.Commit{Company: e.company(t)}, a); err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// company returns the id of the company.
func (e *embedded) company(t *testing.T) string { return company(t, e.store) }

// vectors returns how many live passages have a vector in a space.
func (e *embedded) vectors(t *testing.T, space string) int {
	t.Helper()
	live, err := e.store.LiveDocuments(t.Context(), e.company(t), "", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var docs []string
	for _, l := range live {
		docs = append(docs, l.ID)
	}
	all, err := e.store.Vectors(t.Context(), e.company(t), space, docs)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
