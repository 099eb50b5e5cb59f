package knowledge_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// explained searches with an explanation, which changes nothing of what is found,
// and returns of each candidate its rank, its title, and why it is no hit.
func explained(t *testing.T, kb *knowledge.Base, q knowledge.Query) (knowledge.Results, []string) {
	t.Helper()
	plain := search(t, kb, q)
	if plain.Candidates != nil {
		t.Errorf("Search(%+v) has %d candidates, want none unless they are asked for", q, len(plain.Candidates))
	}
	q.Explain = true
	r := search(t, kb, q)
	if r.Confidence != plain.Confidence || len(r.Hits) != len(plain.Hits) {
		t.Fatalf("Search(%+v) explained = %d hits with confidence %v, otherwise %d with %v", q, len(r.Hits), r.Confidence, len(plain.Hits), plain.Confidence)
	}
	if len(r.Candidates) < len(r.Hits) || len(r.Candidates) > knowledge.MaxCandidates {
		t.Fatalf("Search(%+v) = %d candidates for %d hits", q, len(r.Candidates), len(r.Hits))
	}
	for i, h := range r.Hits {
		c := r.Candidates[i]
		if h.ID != plain.Hits[i].ID || h.Score != plain.Hits[i].Score || c.PassageID != h.ID || c.Score != h.Score || c.Rank != i+1 || c.Left != "" || !maps.Equal(c.Scores, h.Scores) {
			t.Errorf("hit %d = %s with score %v of %v, and candidate %+v; otherwise %s with %v", i, h.ID, h.Score, h.Scores, c, plain.Hits[i].ID, plain.Hits[i].Score)
		}
	}
	var out []string
	for _, c := range r.Candidates {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d %s %s", c.Rank, c.Title, c.Left)))
	}
	return r, out
}

// Each passage that was looked at says where it stands, or what left it out.
func TestExplain(t *testing.T) {
	kb := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{})
	mine, other := kb.newAgent(t), kb.newAgent(t)
	for _, d := range []knowledge.Document{
		{Title: "First", Text: "A boat, a boat, a boat.", Metadata: map[string]any{"floor": 1}},
		{Title: "Second", Text: "A boat, a boat, and a raft.", Metadata: map[string]any{"floor": 1}},
		{Title: "Third", Text: "A boat, and rafts and canoes.", AgentID: mine, Metadata: map[string]any{"floor": 1}},
		{Title: "Other's", Text: "A boat, a boat, a boat, a boat.", AgentID: other, Metadata: map[string]any{"floor": 1}},
		{Title: "Elsewhere", Text: "A boat, and beside it so many other things that nobody could count all of them.", Metadata: map[string]any{"floor": 2}},
		{Title: "Neither", Text: "Bread and butter.", Metadata: map[string]any{"floor": 1}},
	} {
		put(t, kb.Base, d)
	}
	floor := map[string]any{"floor": 1}
	for _, tt := range []struct {
		q    knowledge.Query
		want []string
	}{
		{knowledge.Query{}, []string{"1 Other's", "2 First", "3 Second", "4 Third", "5 Elsewhere"}},
		{knowledge.Query{Limit: 2}, []string{"1 Other's", "2 First", "3 Second limit", "4 Third limit", "5 Elsewhere limit"}},
		{knowledge.Query{Limit: 2, AgentID: mine}, []string{"1 First", "2 Second", "3 Third limit", "4 Elsewhere limit", "0 Other's agent"}},
		{knowledge.Query{Limit: 2, AgentID: mine, Filter: floor}, []string{"1 First", "2 Second", "3 Third limit", "0 Other's agent", "0 Elsewhere filter"}},
		{knowledge.Query{AgentID: other, Filter: map[string]any{"floor": 3}}, []string{"0 Other's filter", "0 First filter", "0 Second filter", "0 Third agent", "0 Elsewhere filter"}},
	} {
		tt.q.Text = "boat"
		r, got := explained(t, kb.Base, tt.q)
		if !slices.Equal(got, tt.want) {
			t.Errorf("Search(%+v) has candidates %q, want %q", tt.q, got, tt.want)
		}
		for _, c := range r.Candidates {
			if c.Scores[knowledge.ScoreBM25] <= 0 || (c.Score > 0) != (c.Rank > 0) || !strings.HasPrefix(c.PassageID, "psg_") {
				t.Errorf("candidate %+v, want its id, its scores, and one score if it has a rank", c)
			}
		}
	}
}

// There are never more candidates than said, and half of the places are for what the
// hits leave them.
func TestExplainIsBounded(t *testing.T) {
	kb := newBase(t)
	var docs []knowledge.Document
	for i := range 260 {
		docs = append(docs, knowledge.Document{Title: fmt.Sprint(i), Text: "A boat.", Metadata: map[string]any{"even": i%2 == 0}})
	}
	if _, err := kb.PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		limit             int
		filter            map[string]any
		hits, ranked, out int
	}{
		{10, nil, 10, 100, 0},
		{100, nil, 100, 100, 0},
		{10, map[string]any{"even": true}, 10, 50, 50},
		{60, map[string]any{"even": true}, 60, 60, 40},
		{100, map[string]any{"even": true}, 100, 100, 0},
	} {
		r, _ := explained(t, kb, knowledge.Query{Text: "boat", Limit: tt.limit, Filter: tt.filter})
		ranked := 0
		for _, c := range r.Candidates {
			if c.Rank > 0 {
				ranked++
			}
		}
		if len(r.Hits) != tt.hits || ranked != tt.ranked || len(r.Candidates)-ranked != tt.out {
			t.Errorf("limit %d, filter %v: %d hits, %d candidates with a rank and %d without, want %d, %d and %d",
				tt.limit, tt.filter, len(r.Hits), ranked, len(r.Candidates)-ranked, tt.hits, tt.ranked, tt.out)
		}
	}
}

// What vectors find is explained as what words find.
func TestExplainVectors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEmbedded(t, openStore(t, t.TempDir()), knowledge.Options{Embedder: &meanings{space: "test:a"}})
		mine, other := e.newAgent(t), e.newAgent(t)
		words, meaning, others := titled("Words", "The physician's physician."), titled("Meaning", "A doctor."), titled("Other's", "The physician, a doctor.")
		meaning.AgentID, others.AgentID = mine, other
		for _, d := range []knowledge.Document{words, meaning, others} {
			put(t, e.Base, d)
		}
		e.works(t, 5*time.Second)
		r, got := explained(t, e.Base, knowledge.Query{Text: "physician", AgentID: mine, Limit: 1})
		if want := []string{"1 Words", "2 Meaning limit", "0 Other's agent"}; !slices.Equal(got, want) {
			t.Fatalf("the candidates are %q, want %q", got, want)
		}
		for i, stages := range [][]string{{"bm25", "fused", "vector"}, {"fused", "vector"}, {"bm25", "vector"}} {
			if got := slices.Sorted(maps.Keys(r.Candidates[i].Scores)); !slices.Equal(got, stages) {
				t.Errorf("%s has scores of %q, want %q", r.Candidates[i].Title, got, stages)
			}
		}
	})
}

// A losing store loses a document just before its passages are read.
type losing struct {
	*sqlite.Store
	lose func()
}

func (l *losing) Passages(ctx context.Context, company string, refs []knowledge.Ref) ([]knowledge.Passage, error) {
	if l.lose != nil {
		l.lose()
		l.lose = nil
	}
	return l.Store.Passages(ctx, company, refs)
}

// What is deleted while it is searched for is gone, and nothing is told of it but
// where it stood.
func TestExplainGone(t *testing.T) {
	st := &losing{Store: openStore(t, t.TempDir())}
	kb := knowledge.New(st, nil).Company(company(t, st.Store))
	best := put(t, kb, titled("Best", "A boat, a boat."))
	put(t, kb, titled("Next", "A boat and a raft."))
	elsewhere := knowledge.New(st.Store, nil).Company(company(t, st.Store))
	st.lose = func() {
		if _, err := elsewhere.Delete(t.Context(), best.ID); err != nil {
			t.Error(err)
		}
	}
	r := search(t, kb, knowledge.Query{Text: "boat", Explain: true})
	if len(r.Hits) != 1 || r.Hits[0].Title != "Next" || len(r.Candidates) != 2 {
		t.Fatalf("Search = %+v, want what is left, and two candidates", r)
	}
	gone, next := r.Candidates[0], r.Candidates[1]
	if gone.DocumentID != best.ID || gone.Left != knowledge.LeftGone || gone.Rank != 0 || gone.Score != 0 || gone.Title != "" || gone.PassageID != "" {
		t.Errorf("the deleted document is candidate %+v", gone)
	}
	if next.PassageID != r.Hits[0].ID || next.Rank != 1 || next.Left != "" {
		t.Errorf("the hit is candidate %+v, want the first rank", next)
	}
}

// A misspelt word is told with the one that was looked for instead.
func TestGuessedTerm(t *testing.T) {
	kb := newBase(t)
	put(t, kb, titled("Delivery", "Delivery takes three days."))
	for _, term := range search(t, kb, knowledge.Query{Text: "delivrey"}).Terms {
		if term.Text == "deliveri" && term.For == "delivrey" {
			return
		}
	}
	t.Error("no term says that it stands for the misspelt one")
}
