package knowledge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A filter chooses by metadata before anything is ranked.
func TestFilter(t *testing.T) {
	kb := newBase(t)
	for title, m := range map[string]map[string]any{
		"none": nil,
		"a":    {"lang": "en", "year": 2025, "tags": []string{"new", "boat"}, "public": true},
		"b":    {"lang": "de", "year": 2026, "tags": []string{"old"}, "public": false},
		"c":    {"lang": "en", "year": 2026.0, "tags": []any{}, "size": "2026"},
	} {
		put(t, kb, knowledge.Document{Title: title, Text: "We open at nine.", Metadata: m})
	}
	for _, tt := range []struct {
		filter map[string]any
		want   []string
	}{
		{nil, []string{"a", "b", "c", "none"}},
		{map[string]any{}, []string{"a", "b", "c", "none"}},
		{map[string]any{"lang": "en"}, []string{"a", "c"}},
		{map[string]any{"lang": "EN"}, []string{}},
		{map[string]any{"lang": []string{"en", "de"}}, []string{"a", "b", "c"}},
		{map[string]any{"lang": []any{"de", "fr"}}, []string{"b"}},
		{map[string]any{"lang": []string{}}, []string{}},
		{map[string]any{"year": 2026}, []string{"b", "c"}},
		{map[string]any{"year": []int{2025, 2026}}, []string{"a", "b", "c"}},
		{map[string]any{"year": "2026"}, []string{}},
		{map[string]any{"size": "2026"}, []string{"c"}},
		{map[string]any{"size": 2026}, []string{}},
		{map[string]any{"tags": "boat"}, []string{"a"}},
		{map[string]any{"tags": []string{"boat", "old"}}, []string{"a", "b"}},
		{map[string]any{"public": true}, []string{"a"}},
		{map[string]any{"public": false}, []string{"b"}},
		{map[string]any{"public": []bool{false, true}}, []string{"a", "b"}},
		{map[string]any{"lang": "en", "year": 2026}, []string{"c"}},
		{map[string]any{"lang": "de", "year": 2025}, []string{}},
		{map[string]any{"nothing": "has"}, []string{}},
	} {
		if got := sorted(t, kb, knowledge.Query{Text: "When do you open?", Filter: tt.filter}); !slices.Equal(got, tt.want) {
			t.Errorf("Search with filter %v = %q, want %q", tt.filter, got, tt.want)
		}
	}
}

// What an agent may use: its own documents and those of all.
func TestSearchAsAgent(t *testing.T) {
	st := openStore(t, t.TempDir())
	id := company(t, st)
	lib := knowledge.New(st, nil)
	kb := lib.Company(id)
	var agents []string
	for _, name := range []string{"one", "two"} {
		a, err := agent.New(st, lib, nil, nil).Agents(id).Create(t.Context(), agent.Settings{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		agents = append(agents, a.ID)
		put(t, kb, knowledge.Document{AgentID: a.ID, Title: name, Text: "We open at nine."})
	}
	put(t, kb, knowledge.Document{Title: "all", Text: "We open at nine."})
	for _, tt := range []struct {
		agent string
		want  []string
	}{
		{"", []string{"all", "one", "two"}},
		{agents[0], []string{"all", "one"}},
		{agents[1], []string{"all", "two"}},
		{strings.ToUpper(agents[1]), []string{"all", "two"}},
		{"agt_01999999999999999999999999", []string{"all"}},
	} {
		if got := sorted(t, kb, knowledge.Query{Text: "open", AgentID: tt.agent}); !slices.Equal(got, tt.want) {
			t.Errorf("Search as agent %q = %q, want %q", tt.agent, got, tt.want)
		}
		r, err := lib.Retrieve(t.Context(), id, knowledge.Query{Text: "open", AgentID: tt.agent})
		if err != nil || len(r.Hits) != len(tt.want) {
			t.Errorf("Retrieve as agent %q = %d hits, %v, want what Search finds", tt.agent, len(r.Hits), err)
		}
	}

	// A document that is replaced by its id keeps its agent.
	page, err := kb.List(t.Context(), knowledge.Filter{AgentID: agents[0]}, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	own := page.Data[0].ID
	if d := put(t, kb, knowledge.Document{ID: own, Title: "one", Text: "We open at ten."}); d.AgentID != agents[0] || d.Version != 2 {
		t.Errorf("Put by id without an agent = %+v, want the next version of agent %s", d, agents[0])
	}
	if _, err := kb.Put(t.Context(), knowledge.Document{ID: own, AgentID: agents[1], Text: "We open at ten."}); !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), agents[0]) {
		t.Errorf("Put by id with another agent = error %v, want %v that names whose it is", err, store.ErrConflict)
	}
	if got := sorted(t, kb, knowledge.Query{Text: "open", AgentID: agents[1]}); !slices.Equal(got, []string{"all", "two"}) {
		t.Errorf("Search as another agent = %q, want nothing of it", got)
	}
}

// A search returns the best hits first, the same ones every time, and no more
// than were asked for.
func TestSearchLimit(t *testing.T) {
	kb := newBase(t)
	docs := make([]knowledge.Document, 150)
	for i := range docs {
		docs[i].Text = "We open at nine." + strings.Repeat(" And so on.", i%7)
	}
	if _, err := kb.PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]int{0: knowledge.DefaultHits, 1: 1, 25: 25, knowledge.MaxHits: knowledge.MaxHits} {
		var ids []string
		for range 3 {
			r, err := kb.Search(t.Context(), knowledge.Query{Text: "When do you open?", Limit: limit})
			if err != nil || len(r.Hits) != want {
				t.Fatalf("Search with limit %d = %d hits, %v, want %d", limit, len(r.Hits), err, want)
			}
			var got []string
			for i, h := range r.Hits {
				got = append(got, h.ID)
				if i > 0 && h.Score > r.Hits[i-1].Score {
					t.Errorf("hit %d has score %v after %v, want the best first", i, h.Score, r.Hits[i-1].Score)
				}
			}
			if ids != nil && !slices.Equal(got, ids) {
				t.Errorf("Search with limit %d found others the second time", limit)
			}
			ids = got
		}
	}
}

// What a search says beside its hits.
func TestResults(t *testing.T) {
	kb := newBase(t)
	empty, err := kb.Search(t.Context(), knowledge.Query{Text: "When do you open?"})
	if err != nil || len(empty.Hits) != 0 || empty.Confidence != 0 || !slices.Contains(empty.Reasons, "nothing_found") || empty.Revision != 0 {
		t.Errorf("Search of nothing = %+v, %v, want no hits, no confidence, and why", empty, err)
	}
	put(t, kb, knowledge.Document{Text: "We are opening at nine."})
	r, err := kb.Search(t.Context(), knowledge.Query{Text: "When, when do you OPEN the xylophones?"})
	if err != nil || len(r.Hits) != 1 || r.Confidence < 0 || r.Confidence > 1 || r.Revision != 1 {
		t.Fatalf("Search = %+v, %v, want one hit and a probability", r, err)
	}
	seen := map[string]bool{}
	for _, term := range r.Terms {
		if seen[term.Text] || term.Weight < 0 {
			t.Errorf("term %+v comes twice or weighs less than nothing", term)
		}
		seen[term.Text] = true
	}
	for _, want := range knowledge.AppendTerms(nil, "opening xylophone", "") {
		if !seen[want] {
			t.Errorf("the terms are %+v, want %q among them, as AppendTerms has it", r.Terms, want)
		}
	}
}

func TestQueryTerms(t *testing.T) {
	for _, tt := range []struct {
		query, language string
		want            []string // a word of the text for each term; "-" before what weighs nothing
	}{
		{"When do you open?", "", []string{"-when", "-do", "-you", "open"}},
		{"opening, opened, open", "en", []string{"open"}},
		{"how do you do", "", []string{"how", "do", "you"}},
		{"Wann öffnen die Läden?", "de", []string{"-wann", "öffnen", "Laden"}},
		{"متى تفتح المحلات؟", "ar", []string{"-متى", "تفتح", "محلات"}},
		{"متى تفتح المحلات؟", "", []string{"-متى", "تفتح", "محلات"}},
		{"营业时间", "zh", []string{"营业", "业时", "时间"}},
		{"?!", "", nil},
		{"", "", nil},
	} {
		var want []knowledge.QueryTerm
		for _, w := range tt.want {
			word, free := strings.CutPrefix(w, "-")
			term := knowledge.QueryTerm{Text: knowledge.AppendTerms(nil, word, tt.language)[0]}
			if !free {
				term.Weight = 1
			}
			want = append(want, term)
		}
		if got := knowledge.QueryTerms(tt.query, tt.language); !slices.Equal(got, want) {
			t.Errorf("QueryTerms(%q, %q) = %v, want %v", tt.query, tt.language, got, want)
		}
	}
}
