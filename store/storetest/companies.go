package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var companies = []promise{
	{
		name: "first", fresh: true,
		text:  "FirstCompany makes the first company once, and from then on returns that one and writes nothing",
		check: firstCompany,
	},
	{
		name:  "create",
		text:  "a company reads back as it was given, with a default agent of its name and default settings",
		check: createCompany,
	},
	{
		name:  "create for a request",
		text:  "a company is made with the receipt of another company's request, or not at all",
		check: createForRequest,
	},
	{
		name:  "create twice",
		text:  "a company that is there already is a conflict, and stays as it is",
		check: createCompanyTwice,
	},
	{
		name:  "unknown",
		text:  "a company that is not there is not found, whatever is done to it",
		check: unknownCompany,
	},
	{
		name: "list", fresh: true,
		text:  "companies are listed newest first, the first one last",
		check: listCompanies,
	},
	{
		name: "first stays", fresh: true,
		text:  "the first company cannot be deleted",
		check: firstStays,
	},
	{
		name: "first at once", empty: true,
		text:  "of many that make the first company at once one does, and all get that one",
		check: firstAtOnce,
	},
	{
		name: "first by making", fresh: true,
		text:  "a company that was created earlier by its own account, but made later, does not become the first one",
		check: firstByMaking,
	},
}

func firstCompany(t *testing.T, k *kit) {
	oldest := first(t, k)
	before := read(t, k, oldest.ID)
	var (
		wg  sync.WaitGroup
		got [8]access.Company
	)
	for i := range got {
		wg.Go(func() {
			c, cm := newCompany("Late")
			var err error
			if got[i], err = k.FirstCompany(t.Context(), cm, c); err != nil {
				t.Errorf("FirstCompany: %v", err)
			}
		})
	}
	wg.Wait()
	for _, c := range got {
		same(t, "FirstCompany", c, oldest)
	}
	same(t, "the first company after later calls", read(t, k, oldest.ID), before)
	all := everyPage(t, 0, func(p store.Page) (store.List[access.Company], error) { return k.Companies(t.Context(), p) })
	if len(all) != 2 { // the kit's own is the second
		t.Errorf("there are %d companies, want 2", len(all))
	}
	evs := before.Events
	if len(evs) != 1 || evs[0].Type != event.AgentCreated || evs[0].Stream != oldest.DefaultAgent || evs[0].Sequence != 1 {
		t.Errorf("the first company's events are %s, want one of its default agent", canonical(evs))
	}
}

func createCompany(t *testing.T, k *kit) {
	c, cm := newCompany(`Пекарня "Роза" 🌹 100%`)
	ok(t, "CreateCompany", k.CreateCompany(t.Context(), cm, c))
	got, err := k.Company(t.Context(), c.ID)
	ok(t, "Company", err)
	if !got.CreatedAt.Equal(c.CreatedAt) {
		t.Errorf("the company was created at %v, want %v", got.CreatedAt, c.CreatedAt)
	}
	same(t, "Company", got, c)

	byID, err := k.Agent(t.Context(), c.ID, c.DefaultAgent)
	ok(t, "Agent", err)
	byDefault, err := k.Agent(t.Context(), c.ID, "")
	ok(t, `Agent("")`, err)
	same(t, `Agent("")`, byDefault, byID)
	if byID.Version != 1 || !byID.Default || byID.CreatedAt.IsZero() || byID.UpdatedAt.IsZero() {
		t.Errorf("the default agent is %s, want version 1, default, with its times", canonical(byID))
	}
	same(t, "the default agent's settings", byID.Settings, agent.Settings{Name: c.Name})

	got2 := read(t, k, c.ID)
	if len(got2.Agents) != 1 || len(got2.Documents)+len(got2.Conversations)+len(got2.Audit)+len(got2.Changes) > 0 || got2.Revision != 0 {
		t.Errorf("a new company has %s, want its default agent and nothing else", canonical(got2))
	}
	if evs := got2.Events; len(evs) != 1 || evs[0].ID != cm.Events[0].ID || evs[0].Sequence != 1 || evs[0].Company != c.ID {
		t.Errorf("a new company's events are %s, want the one given, with number 1", canonical(evs))
	}
}

func createForRequest(t *testing.T, k *kit) {
	operator := &kit{Store: k.Store, company: first(t, k).ID}
	request := id.New(id.Request)
	claimed := operator.claimed(t, request, long)
	c, cm := newCompany("Asked for")
	cm.Receipt = &store.Receipt{Scope: claimed.Scope, Key: claimed.Key, Fence: claimed.Fence - 1, Result: c.ID, Done: true, Company: operator.company}
	refused(t, "CreateCompany under an old receipt", k.CreateCompany(t.Context(), cm, c), store.ErrFenced)
	_, err := k.Company(t.Context(), c.ID)
	missing(t, "Company", err)
	cm.Receipt.Fence = claimed.Fence
	ok(t, "CreateCompany", k.CreateCompany(t.Context(), cm, c))
	if s := operator.claim(t, request, "hash", long); s.Claimed || !s.Done || s.Result != c.ID {
		t.Errorf("the receipt is %+v, want one done with result %s", s, c.ID)
	}
}

func createCompanyTwice(t *testing.T, k *kit) {
	before := read(t, k, k.company)
	c, cm := newCompany("Usurper")
	c.ID, cm.Company = k.company, k.company
	refused(t, "CreateCompany with an id that is there", k.CreateCompany(t.Context(), cm, c), store.ErrConflict)
	same(t, "the company there", read(t, k, k.company), before)
}

func unknownCompany(t *testing.T, k *kit) {
	c, _ := newCompany("Never made")
	_, err := k.Company(t.Context(), c.ID)
	missing(t, "Company", err)
	_, err = k.Company(t.Context(), "")
	missing(t, `Company("")`, err)
	missing(t, "DeleteCompany", k.DeleteCompany(t.Context(), store.Commit{Company: c.ID}))
	for _, s := range steps {
		if s.ready(t, newKit(t, k.Store)).good(t.Context(), store.Commit{Company: c.ID}) == nil {
			t.Errorf("%s wrote to a company that is not there", s.name)
		}
	}
	missing(t, "Enqueue", k.Enqueue(t.Context(), store.Commit{Company: c.ID, Work: []store.Work{newWork("key")}}))
	_, err = k.WriteDocuments(t.Context(), store.Commit{Company: c.ID}, []knowledge.Write{text("Hours", "We open at nine.")})
	missing(t, "WriteDocuments", err)
	_, err = k.ClaimReceipt(t.Context(), store.ReceiptClaim{Company: c.ID, Scope: "s", Key: "k", Hash: []byte("h"), Lease: long, Keep: long})
	missing(t, "ClaimReceipt", err)
	due, err := k.DueCompanies(t.Context(), queue, 10_000)
	ok(t, "DueCompanies", err)
	if slices.Contains(due, c.ID) {
		t.Error("DueCompanies names a company that is not there")
	}
}

func listCompanies(t *testing.T, k *kit) {
	oldest := first(t, k)
	want := []string{oldest.ID, k.company}
	for range 3 {
		want = append(want, newKit(t, k.Store).company)
	}
	slices.Reverse(want)
	for _, size := range []int{0, 1, 2, 5} {
		all := everyPage(t, size, func(p store.Page) (store.List[access.Company], error) { return k.Companies(t.Context(), p) })
		var got []string
		for _, c := range all {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Companies in pages of %d = %v, want %v", size, got, want)
		}
	}
}

func firstStays(t *testing.T, k *kit) {
	oldest := first(t, k)
	before := read(t, k, oldest.ID)
	err := k.DeleteCompany(t.Context(), store.Commit{Company: oldest.ID})
	refused(t, "DeleteCompany of the first company", err, store.ErrConflict)
	ok(t, "DeleteCompany of the second", k.DeleteCompany(t.Context(), k.commit()))
	refused(t, "DeleteCompany of the first, alone", k.DeleteCompany(t.Context(), store.Commit{Company: oldest.ID}), store.ErrConflict)
	same(t, "the first company", read(t, k, oldest.ID), before)
}

func firstAtOnce(t *testing.T, k *kit) {
	var got [16]access.Company
	together(len(got), func(i int) {
		c, cm := newCompany("First")
		var err error
		if got[i], err = k.FirstCompany(t.Context(), cm, c); err != nil {
			t.Errorf("FirstCompany: %v", err)
		}
	})
	all := everyPage(t, 0, func(p store.Page) (store.List[access.Company], error) { return k.Companies(t.Context(), p) })
	if len(all) != 1 {
		t.Fatalf("there are %d companies, want 1", len(all))
	}
	for _, c := range got {
		same(t, "FirstCompany", c, all[0])
	}
	k.company = all[0].ID
	k.asNew(t)
	refused(t, "DeleteCompany of the first company", k.DeleteCompany(t.Context(), k.commit()), store.ErrConflict)
}

func firstByMaking(t *testing.T, k *kit) {
	oldest := first(t, k)
	var earlier []access.Company
	for i := range 3 {
		c, cm := newCompany("Earlier")
		c.CreatedAt = oldest.CreatedAt.Add(-time.Duration(i+1) * time.Hour)
		if i == 2 { // and by its id
			made, err := id.Parse(id.Company, "00000000-0000-7000-8000-000000000001")
			ok(t, "id.Parse", err)
			c.ID, cm.Company = made, made
		}
		ok(t, "CreateCompany", k.CreateCompany(t.Context(), cm, c))
		earlier = append(earlier, c)
	}
	again := func() {
		t.Helper()
		c, cm := newCompany("Late")
		got, err := k.FirstCompany(t.Context(), cm, c)
		ok(t, "FirstCompany", err)
		same(t, "FirstCompany", got, oldest)
		refused(t, "DeleteCompany of the first company", k.DeleteCompany(t.Context(), store.Commit{Company: oldest.ID}), store.ErrConflict)
	}
	again()
	for _, c := range earlier {
		ok(t, "DeleteCompany of another one", k.DeleteCompany(t.Context(), store.Commit{Company: c.ID}))
		again()
	}
}
