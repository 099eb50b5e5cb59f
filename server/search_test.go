package server_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// A search that is explained tells just the passages, scores and order that the
// explanation of a reply to the same question tells, by words and by vectors.
func TestSearchIsWhatAReplyFinds(t *testing.T) {
	for _, opts := range []*answerdesk.Options{nil, {Embedder: &llmtest.Embedder{}}} {
		t.Run(fmt.Sprintf("embedder %t", opts != nil), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { searchIsWhatAReplyFinds(t, opts) })
		})
	}
}

func searchIsWhatAReplyFinds(t *testing.T, opts *answerdesk.Options) {
	h := open(t, opts, nil)
	var made api.Agent
	h.do(t, "POST", "/v1/agents", `{"name": "Shop", "languages": ["de", "en"]}`).read(t, http.StatusCreated, &made)
	docs := []knowledge.Document{
		{Kind: knowledge.KindQA, Questions: []string{"Do you repair bicycles on Sundays?"}, Text: "No, from Monday to Friday."},
		{Title: "Repairs", Text: "We repair bicycles from Monday to Friday.", AgentID: made.ID},
		{Title: "Fahrräder", Text: "Wir reparieren Fahrräder von Montag bis Freitag.", Language: "de"},
	}
	for i := range 15 {
		docs = append(docs, knowledge.Document{Title: fmt.Sprint("Tour ", i), Text: fmt.Sprintf("Tour %d on bicycles begins on Sundays at %d.", i, i)})
	}
	if _, err := h.desk.Knowledge().PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	works(t, h.desk)
	stages := map[string]bool{}
	for _, question := range []string{"Do you repair bicycles on Sundays?", "Who repairs bicycles on Fridays?", "When do tours on bicycles begin on Sundays?", "Wann werden Fahrräder repariert?"} {
		var reply api.Reply
		h.do(t, "POST", "/v1/message", fmt.Sprintf(`{"agent_id": %q, "message": %q}`, made.ID, question)).read(t, http.StatusOK, &reply)
		why, err := h.desk.Conversations().Explain(t.Context(), reply.ID)
		if err != nil {
			t.Fatal(err)
		}
		var found api.SearchResults
		h.do(t, "POST", "/v1/knowledge/search", fmt.Sprintf(`{"agent_id": %q, "query": %q, "explain": true}`, made.ID, question)).read(t, http.StatusOK, &found)
		if len(found.Data) == 0 || len(found.Data) != len(why.Candidates) || len(found.Candidates) < len(found.Data) || found.KnowledgeRevision != why.Revision {
			t.Fatalf("%q: a search finds %d of %d candidates at revision %d, and a reply had %d at %d",
				question, len(found.Data), len(found.Candidates), found.KnowledgeRevision, len(why.Candidates), why.Revision)
		}
		if !slices.Contains(found.Languages, reply.Language) {
			t.Errorf("%q is read in %q, and the reply is in %q", question, found.Languages, reply.Language)
		}
		if c := reply.Confidence; found.Confidence.Score != c.Score || found.Confidence.Calibrated != c.Calibrated || !slices.Equal(found.Confidence.Reasons, c.Reasons) {
			t.Errorf("%q is found with the confidence %+v, and the reply had %+v", question, found.Confidence, c)
		}
		for i, had := range why.Candidates {
			hit, c := found.Data[i], found.Candidates[i]
			if hit.PassageID != had.PassageID || hit.Score != had.Score || !maps.Equal(hit.Scores, had.Scores) {
				t.Errorf("%q: hit %d is %s with score %v of %v, and the reply had %s with %v of %v", question, i, hit.PassageID, hit.Score, hit.Scores, had.PassageID, had.Score, had.Scores)
			}
			if c.PassageID != had.PassageID || c.DocumentID != had.DocumentID || c.DocumentVersion != int64(had.Version) || c.Rank != int32(i+1) || c.Score != had.Score || !maps.Equal(c.Scores, had.Scores) || c.Left != "" {
				t.Errorf("%q: candidate %d is %+v, and the reply had %+v", question, i, c, had)
			}
			for stage := range had.Scores {
				stages[stage] = true
			}
		}
		if behind := found.Candidates[len(found.Data):]; len(found.Data) == 10 && (len(behind) == 0 || behind[0].Left != knowledge.LeftLimit || behind[0].Rank != 11) {
			t.Errorf("%q: behind ten hits there is %+v, want what the limit left out", question, behind)
		}
	}
	want := []string{knowledge.ScoreBM25, knowledge.ScoreProximity, knowledge.ScoreQA}
	if opts != nil {
		want = []string{knowledge.ScoreBM25, knowledge.ScoreFused, knowledge.ScoreProximity, knowledge.ScoreQA, knowledge.ScoreVector}
	}
	if got := slices.Sorted(maps.Keys(stages)); !slices.Equal(got, want) {
		t.Errorf("the explanations have the stages %q, want %q", got, want)
	}
}

// works does what a desk has to do in the background, for two minutes of fake time.
func works(t *testing.T, d *answerdesk.Desk) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	time.Sleep(2 * time.Minute)
	cancel()
	wg.Wait()
}

// Without being asked a search explains nothing; what the agent and the filter left
// out says so if it is.
func TestSearchExplain(t *testing.T) {
	h := open(t, nil, nil)
	var made, other api.Agent
	h.do(t, "POST", "/v1/agents", `{"name": "Shop"}`).read(t, http.StatusCreated, &made)
	h.do(t, "POST", "/v1/agents", `{"name": "Other"}`).read(t, http.StatusCreated, &other)
	for _, body := range []string{
		`{"text": "The harbour opens at six.", "metadata": {"area": "north"}}`,
		`{"text": "The harbour opens at seven, and it closes early.", "metadata": {"area": "south"}}`,
		fmt.Sprintf(`{"text": "The harbour opens at eight.", "agent_id": %q}`, other.ID),
	} {
		h.do(t, "POST", "/v1/knowledge/documents", body).read(t, http.StatusCreated, nil)
	}
	for explain, want := range map[string][]string{
		"": nil, `, "explain": false`: nil, `, "explain": true`: {"1 ", "0 agent", "0 filter"},
	} {
		var found api.SearchResults
		h.do(t, "POST", "/v1/knowledge/search", fmt.Sprintf(`{"agent_id": %q, "query": "harbour", "filter": {"area": "north"}%s}`, made.ID, explain)).read(t, http.StatusOK, &found)
		var got []string
		for _, c := range found.Candidates {
			got = append(got, fmt.Sprint(c.Rank, " ", c.Left))
		}
		if slices.Sort(got[min(1, len(got)):]); !slices.Equal(got, want) || len(found.Data) != 1 {
			t.Errorf("a search with %q tells the candidates %q, want %q", explain, got, want)
		}
	}
	h.do(t, "POST", "/v1/knowledge/search", `{"query": "harbour", "explain": "yes"}`).is(t, http.StatusBadRequest, "invalid_request")
}
