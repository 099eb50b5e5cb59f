package knowledge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// answer returns the first hit for a query, and the confidence.
func answer(t testing.TB, kb *knowledge.Base, q knowledge.Query) (knowledge.Hit, float64) {
	t.Helper()
	r, err := kb.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("Search(%+v) = error %v", q, err)
	}
	if len(r.Hits) == 0 {
		return knowledge.Hit{}, r.Confidence
	}
	return r.Hits[0], r.Confidence
}

// A pair that is asked comes first, however loud other documents are, and is
// answered with confidence, in any script.
func TestPairsAnswerFirst(t *testing.T) {
	kb := newBase(t)
	docs := make([]knowledge.Document, 60)
	for i := range docs {
		docs[i].Title, docs[i].Text = fmt.Sprint("Page ", i), strings.Repeat("Do you deliver? Delivery, deliver, delivered: we deliver to Linz. ", 3+i)
	}
	if _, err := kb.PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	alternates := []string{"你们送货吗？", "هل توصلون الطلبات؟", "배달 되나요?", "Liefert ihr auch nach Hause?", "Доставляете ли вы?", "ส่งของไหม", "配達できますか？"}
	for i := range 92 {
		alternates = append(alternates, fmt.Sprintf("Is there a courier number %d?", i))
	}
	pair, err := kb.PutQA(t.Context(), "Do you deliver?", "By bicycle, on Mondays. "+strings.Repeat("And so on. ", 300), alternates...)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range append([]string{"do you deliver", "DO YOU DELIVER?!"}, alternates...) {
		hit, sure := answer(t, kb, knowledge.Query{Text: query, Limit: 1})
		if hit.DocumentID != pair.ID || hit.Scores[knowledge.ScoreQA] != 1 || sure < 0.9 || hit.Kind != knowledge.KindQA {
			t.Errorf("Search(%q) = %.40q with scores %v at confidence %.2f, want the pair", query, hit.Text, hit.Scores, sure)
		}
	}
	r, err := kb.Search(t.Context(), knowledge.Query{Text: "Could you please tell me whether you deliver"})
	if err != nil || len(r.Hits) != knowledge.DefaultHits {
		t.Fatalf("Search = %d hits, %v, want %d", len(r.Hits), err, knowledge.DefaultHits)
	}
	for i, h := range r.Hits {
		if i > 0 && (h.Score > r.Hits[i-1].Score || h.Scores[knowledge.ScoreQA] != 0 || h.Scores[knowledge.ScoreBM25] > h.Score) {
			t.Errorf("hit %d has score %v and %v, want less than the one before, and no share in the pair", i, h.Score, h.Scores)
		}
	}
	if hit, sure := answer(t, kb, knowledge.Query{Text: "Can you deliver?"}); hit.DocumentID != pair.ID || hit.Scores[knowledge.ScoreQA] < 0.85 || hit.Scores[knowledge.ScoreQA] == 1 || sure < 0.9 {
		t.Errorf("Search of nearly the question = %.40q with scores %v at %.2f, want the pair", hit.Text, hit.Scores, sure)
	}
	for _, query := range []string{"Don't you deliver?", "Why do you deliver?", "Do you deliver pianos?", "Is there a courier number 92?", "deliver deliver linz"} {
		if hit, _ := answer(t, kb, knowledge.Query{Text: query}); hit.Scores[knowledge.ScoreQA] != 0 {
			t.Errorf("Search(%q) = %.40q with scores %v, want no pair that asks this", query, hit.Text, hit.Scores)
		}
	}
}

// A pair is asked by the questions it has now, of those who may ask it.
func TestPairsAsTheyAre(t *testing.T) {
	st := openStore(t, t.TempDir())
	id := company(t, st)
	lib := knowledge.New(st, nil)
	kb := lib.Company(id)
	a, err := agent.New(st, lib, nil, nil).Agents(id).Create(t.Context(), agent.Settings{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	put(t, kb, knowledge.Document{Title: "page", Text: "We lend boats."})
	pair := put(t, kb, knowledge.Document{
		Kind: knowledge.KindQA, AgentID: a.ID, Questions: []string{"Who are you?", "What is this?"}, Text: "A shop.", Metadata: m{"lang": "en"},
	})
	asked := func(when string, q knowledge.Query, want bool) {
		t.Helper()
		if hit, _ := answer(t, kb, q); (hit.Scores[knowledge.ScoreQA] == 1) != want || want && hit.DocumentID != pair.ID {
			t.Errorf("%s: Search(%+v) = %q with scores %v, want the pair: %t", when, q, hit.Text, hit.Scores, want)
		}
	}
	asked("new", knowledge.Query{Text: "who are you"}, true)
	asked("new", knowledge.Query{Text: "what is this"}, true)
	asked("its agent", knowledge.Query{Text: "what is this", AgentID: a.ID}, true)
	asked("another agent", knowledge.Query{Text: "what is this", AgentID: "agt_01999999999999999999999999"}, false)
	asked("its language", knowledge.Query{Text: "what is this", Filter: m{"lang": "en", "$kind": "qa"}}, true)
	asked("another language", knowledge.Query{Text: "what is this", Filter: m{"lang": m{"$ne": "en"}}}, false)

	for _, patch := range []struct {
		name      string
		questions []string
		old, now  string
	}{
		{"an alternate changed", []string{"Who are you?", "What do you sell?"}, "what is this", "what do you sell"},
		{"the question changed", []string{"Which shop is it?", "What do you sell?"}, "who are you", "which shop is it"},
	} {
		if _, err := kb.Patch(t.Context(), pair.ID, knowledge.Patch{Questions: patch.questions}); err != nil {
			t.Fatal(err)
		}
		asked(patch.name, knowledge.Query{Text: patch.old}, false)
		asked(patch.name, knowledge.Query{Text: patch.now}, true)
	}
	again := knowledge.New(st, nil).Company(id) // as another process reads it
	if hit, _ := answer(t, again, knowledge.Query{Text: "what do you sell"}); hit.DocumentID != pair.ID || hit.Scores[knowledge.ScoreQA] != 1 {
		t.Errorf("an index that is loaded anew finds %q with scores %v, want the pair", hit.Text, hit.Scores)
	}
	if _, err := kb.Delete(t.Context(), pair.ID); err != nil {
		t.Fatal(err)
	}
	asked("deleted", knowledge.Query{Text: "what do you sell"}, false)
	asked("deleted", knowledge.Query{Text: "which shop is it"}, false)
}

// Two pairs with one question both come, and what is left of many pairs is found
// after most of them have changed.
func TestManyPairs(t *testing.T) {
	kb := newBase(t)
	docs := make([]knowledge.Document, 900)
	for i := range docs {
		docs[i] = knowledge.Document{Kind: knowledge.KindQA, ExternalID: fmt.Sprint(i), Text: fmt.Sprintf("Answer %d.", i), Questions: []string{fmt.Sprintf("What about subject %d?", i), fmt.Sprintf("And what about matter %d?", i/2)}}
	}
	if _, err := kb.PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	look := func(i int) {
		t.Helper()
		if hit, _ := answer(t, kb, knowledge.Query{Text: fmt.Sprintf("what about subject %d", i)}); hit.ExternalID != fmt.Sprint(i) || hit.Scores[knowledge.ScoreQA] != 1 {
			t.Errorf("asked for subject %d, the answer is %q with scores %v", i, hit.Text, hit.Scores)
		}
		r, err := kb.Search(t.Context(), knowledge.Query{Text: fmt.Sprintf("and what about matter %d", i/2), Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range r.Hits {
			if h.Scores[knowledge.ScoreQA] == 1 {
				got = append(got, h.ExternalID)
			}
		}
		slices.Sort(got)
		if want := []string{fmt.Sprint(i / 2 * 2), fmt.Sprint(i/2*2 + 1)}; !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("asked for matter %d, the pairs are %q, want %q", i/2, got, want)
		}
	}
	look(7)
	for i := range 600 {
		docs[i].Questions = []string{fmt.Sprintf("What of topic %d?", i)}
	}
	if _, err := kb.PutAll(t.Context(), docs[:600]...); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{600, 750, 899} {
		look(i)
	}
	if hit, _ := answer(t, kb, knowledge.Query{Text: "what about subject 7"}); hit.Scores[knowledge.ScoreQA] == 1 {
		t.Errorf("asked for a question that is gone, the answer is %q with scores %v", hit.Text, hit.Scores)
	}
}
