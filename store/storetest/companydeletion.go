package storetest

import (
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// goneCompany fails the test if anything of a company can be read or claimed.
func goneCompany(t *testing.T, k *kit) {
	t.Helper()
	ctx := t.Context()
	_, err := k.Company(ctx, k.company)
	missing(t, "Company", err)
	_, err = k.Agent(ctx, k.company, "")
	missing(t, "Agent", err)
	_, err = k.Agent(ctx, k.company, k.agent)
	missing(t, "Agent", err)
	for name, n := range map[string]func() (int, error){
		"Agents": func() (int, error) { l, err := k.Agents(ctx, k.company, store.Page{}); return len(l.Data), err },
		"Conversations": func() (int, error) {
			l, err := k.Conversations(ctx, k.company, agent.ConversationFilter{}, store.Page{})
			return len(l.Data), err
		},
		"Documents": func() (int, error) {
			l, err := k.Documents(ctx, k.company, knowledge.Filter{}, store.Page{})
			return len(l.Data), err
		},
		"Stamps":        func() (int, error) { l, err := k.Stamps(ctx, k.company, "", 10); return len(l), err },
		"LiveDocuments": func() (int, error) { l, err := k.LiveDocuments(ctx, k.company, "", 1<<20); return len(l), err },
		"Changes":       func() (int, error) { l, err := k.Changes(ctx, k.company, 0, 10); return len(l), err },
		"Unembedded":    func() (int, error) { l, err := k.Unembedded(ctx, k.company, spaceOne, "", 10); return len(l), err },
		"Calibration":   func() (int, error) { _, err := k.Calibration(ctx, k.company); return 1, err },
		"Revision":      func() (int, error) { r, err := k.Revision(ctx, k.company); return int(r), err },
		"Events":        func() (int, error) { l, err := k.Events(ctx, k.company, "", 10); return len(l), err },
		"Sources": func() (int, error) {
			l, err := k.Sources(ctx, k.company, knowledge.SourceFilter{}, store.Page{})
			return len(l.Data), err
		},
		"Runs": func() (int, error) {
			l, err := k.Runs(ctx, k.company, knowledge.RunFilter{}, store.Page{})
			return len(l.Data), err
		},
		"AuditLog": func() (int, error) { l, err := k.AuditLog(ctx, k.company, store.Page{}); return len(l.Data), err },
		"DeadJobs": func() (int, error) {
			l, err := k.DeadJobs(ctx, k.company, queue, store.Page{})
			return len(l.Data), err
		},
		"ClaimKeys": func() (int, error) {
			l, err := k.ClaimKeys(ctx, k.company, queue, "worker", long, 10)
			return len(l), err
		},
	} {
		got, err := n()
		if err != nil {
			missing(t, name, err)
		} else if got != 0 {
			t.Errorf("%s of a deleted company returned %d", name, got)
		}
	}
	due, err := k.DueCompanies(ctx, queue, 10_000)
	ok(t, "DueCompanies", err)
	if slices.Contains(due, k.company) {
		t.Error("DueCompanies names a deleted company")
	}
	sources, err := k.DueSources(ctx, 10_000)
	ok(t, "DueSources", err)
	if slices.ContainsFunc(sources, func(s knowledge.DueSource) bool { return s.Company == k.company }) {
		t.Error("DueSources names a deleted company")
	}
	lapsed, err := k.LapsedTurns(ctx, 10_000)
	ok(t, "LapsedTurns", err)
	if slices.ContainsFunc(lapsed, func(l agent.Lapsed) bool { return l.Company == k.company }) {
		t.Error("LapsedTurns names a deleted company")
	}
}

func deleteCompany(t *testing.T, k *kit) {
	stays := newKit(t, k.Store)
	stays.fill(t)
	running, g := k.fill(t), k.gather(t, k.addSource(t, ""))
	lease := k.claimKey(t, long)
	var docs []string
	for _, d := range read(t, k, k.company).Documents {
		docs = append(docs, d.ID)
	}
	before := read(t, stays, stays.company)
	ok(t, "DeleteCompany", k.DeleteCompany(t.Context(), k.commit()))
	missing(t, "DeleteCompany again", k.DeleteCompany(t.Context(), k.commit()))
	goneCompany(t, k)
	if all, err := k.Vectors(t.Context(), k.company, spaceOne, docs); len(docs) == 0 || len(all) > 0 {
		t.Errorf("Vectors of %d documents of a deleted company = %s, %v", len(docs), canonical(all), err)
	}
	for name, err := range map[string]error{
		"RecordStep": k.RecordStep(t.Context(), k.commit(), running.TurnRef, agent.Step{CallID: "call_1", State: agent.StepIntent, Data: []byte(`{}`), At: now()}),
		"EndTurn":    k.EndTurn(t.Context(), k.commit(), running.TurnRef, reply(running, "Late.")),
		"RenewTurn":  k.RenewTurn(t.Context(), k.company, running.TurnRef, long),
		"FinishJobs": k.FinishJobs(t.Context(), lease, []store.Outcome{{ID: "wrk_1", Done: true}}),
		"ReleaseKey": k.ReleaseKey(t.Context(), lease),
	} {
		if err == nil {
			t.Errorf("%s wrote to a deleted company", name)
		}
	}
	_, err := k.TakeTurn(t.Context(), k.company, running.ConversationID, "another", long)
	missing(t, "TakeTurn", err)
	for name, step := range g.workerSteps() {
		among(t, name, step(t.Context()), store.ErrNotFound, store.ErrFenced)
		if step(t.Context()) == nil {
			t.Errorf("%s wrote to a deleted company", name)
		}
	}
	for _, s := range steps {
		a := s.ready(t, newKit(t, k.Store))
		if a.good(t.Context(), k.commit()) == nil {
			t.Errorf("%s wrote to a deleted company", s.name)
		}
	}
	goneCompany(t, k)
	same(t, "the other company", read(t, stays, stays.company), before)
}

// asNew fails the test unless a company has what a new one has, and no more.
func (k *kit) asNew(t *testing.T) {
	t.Helper()
	got := read(t, k, k.company)
	if len(got.Agents) != 1 || len(got.Documents)+len(got.Live)+len(got.Conversations)+len(got.Changes)+len(got.Audit)+len(got.Keys)+len(got.Dead)+len(got.Sources)+len(got.Runs) != 0 ||
		got.Calibration != nil || len(got.Vectors[spaceOne])+len(got.Vectors[spaceTwo]) != 0 || got.Revision != 0 || got.Due || len(got.Events) != 1 || got.Events[0].Sequence != 1 {
		t.Errorf("company %s has %s, want what a new one has", k.company, clip(canonical(got)))
	}
	if n := len(k.claimKeys(t, long, 10)); n != 0 {
		t.Errorf("company %s has %d keys with work, want what a new one has", k.company, n)
	}
}

func companyMadeAgain(t *testing.T, k *kit) {
	k.fill(t)
	c, err := k.Company(t.Context(), k.company)
	ok(t, "Company", err)
	ok(t, "DeleteCompany", k.DeleteCompany(t.Context(), k.commit()))
	cm := k.commit(tell(event.AgentCreated, c.DefaultAgent))
	ok(t, "CreateCompany", k.CreateCompany(t.Context(), cm, c))
	k.asNew(t)
	for _, key := range []string{"key", "half done"} {
		if s := k.claim(t, key, "another body", long); !s.Claimed || s.Differs {
			t.Errorf("a receipt of the deleted company is still there: %+v", s)
		}
	}
	k.enqueue(t, newWork("leased")) // no lease of before holds it
	if l := k.claimKeys(t, long, 10); len(l) != 1 {
		t.Errorf("ClaimKeys = %v, want the key just queued", keysOf(l))
	}
	if next := k.begin(t, agent.Message{User: agent.User{ID: "ann"}}); next.Number != 1 {
		t.Errorf("the user's first message begins turn %d", next.Number)
	}
}
