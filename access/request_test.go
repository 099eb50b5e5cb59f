package access_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// claim takes a request up, or looks at what became of it.
func claim(t *testing.T, st *watched, company, key string) store.ReceiptState {
	t.Helper()
	s, err := st.ClaimReceipt(t.Context(), store.ReceiptClaim{
		Company: company, Scope: "key_1 POST /v1/api-keys", Key: key, Hash: []byte("body"), Lease: time.Hour, Keep: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// request is one that is being taken care of.
func request(t *testing.T, st *watched, company, key string) store.Request {
	t.Helper()
	s := claim(t, st, company, key)
	if !s.Claimed {
		t.Fatalf("the claim of request %q is %+v", key, s)
	}
	s.Receipt.Company = company
	return store.Request{Actor: "actor of " + key, Receipt: &s.Receipt}
}

// entries are the audit log without what is random, newest first.
func entries(t *testing.T, st *watched, company string) []store.Audit {
	t.Helper()
	l, err := st.AuditLog(t.Context(), company, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range l.Data {
		if _, err := id.Parse(id.Audit, a.ID); err != nil || time.Since(a.At) > time.Minute {
			t.Errorf("entry %+v has no id or time of its own", a)
		}
		l.Data[i] = store.Audit{Actor: a.Actor, Action: a.Action, Object: a.Object}
	}
	return l.Data
}

func TestRequests(t *testing.T) {
	st, company := newStore(t)
	bare := access.NewKeys(st, company)
	quiet, _ := newKey(t, bare, access.NewKey{})

	k, _ := newKey(t, bare.By(request(t, st, company, "create")), access.NewKey{})
	next, _, err := bare.By(request(t, st, company, "rotate")).Rotate(t.Context(), id.UUID(k.ID), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := bare.By(request(t, st, company, "revoke")).Revoke(t.Context(), id.UUID(next.ID)); err != nil {
		t.Fatal(err)
	}
	c, err := access.NewCompanies(st).By(request(t, st, company, "company")).Create(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := bare.Revoke(t.Context(), quiet.ID); err != nil {
		t.Fatal(err)
	}

	for key, result := range map[string]string{"create": k.ID, "rotate": next.ID, "revoke": next.ID, "company": c.ID} {
		if s := claim(t, st, company, key); s.Claimed || !s.Done || s.Result != result {
			t.Errorf("the receipt of request %q is %+v, want one done with %s", key, s, result)
		}
	}
	want := []store.Audit{
		{Actor: "actor of revoke", Action: "key.revoke", Object: next.ID},
		{Actor: "actor of rotate", Action: "key.rotate", Object: k.ID},
		{Actor: "actor of create", Action: "key.create", Object: k.ID},
	}
	if got := entries(t, st, company); !slices.Equal(got, want) {
		t.Errorf("the audit log is %+v, want %+v", got, want)
	}
	want = []store.Audit{{Actor: "actor of company", Action: "company.create", Object: c.ID}}
	if got := entries(t, st, c.ID); !slices.Equal(got, want) {
		t.Errorf("the new company's audit log is %+v, want %+v", got, want)
	}
}

// TestRequestsThatFail leave no entry and an open receipt.
func TestRequestsThatFail(t *testing.T) {
	st, company := newStore(t)
	r := request(t, st, company, "failing")
	ks := access.NewKeys(st, company).By(r)
	if _, _, err := ks.Create(t.Context(), access.NewKey{Name: "No scope"}); !errors.Is(err, access.ErrInvalid) {
		t.Errorf("Create = %v, want it invalid", err)
	}
	if _, _, err := ks.Rotate(t.Context(), id.New(id.Key), 0); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Rotate = %v, want not found", err)
	}
	if err := ks.Revoke(t.Context(), id.New(id.Key)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Revoke = %v, want not found", err)
	}
	if _, err := access.NewCompanies(st).By(r).Create(t.Context(), ""); !errors.Is(err, access.ErrInvalid) {
		t.Errorf("Create of a company = %v, want it invalid", err)
	}
	if got := entries(t, st, company); len(got) != 0 {
		t.Errorf("the audit log is %+v, want nothing", got)
	}
	if s := claim(t, st, company, "failing"); s.Claimed || s.Done {
		t.Errorf("the receipt is %+v, want it claimed and not done", s)
	}
}

// TestRequestTakenUpAgain shows that who has lost a request makes nothing.
func TestRequestTakenUpAgain(t *testing.T) {
	st, company := newStore(t)
	r := request(t, st, company, "lost")
	r.Receipt.Fence--
	if _, _, err := access.NewKeys(st, company).By(r).Create(t.Context(), access.NewKey{Name: "Late", Scope: access.ScopeRead}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("Create = %v, want %v", err, store.ErrFenced)
	}
	if _, err := access.NewCompanies(st).By(r).Create(t.Context(), "Late"); !errors.Is(err, store.ErrFenced) {
		t.Errorf("Create of a company = %v, want %v", err, store.ErrFenced)
	}
	keys, err := st.Keys(t.Context(), company, store.Page{})
	if err != nil || len(keys.Data) != 0 {
		t.Errorf("the keys are %+v, %v, want none", keys.Data, err)
	}
	companies, err := st.Companies(t.Context(), store.Page{})
	if err != nil || len(companies.Data) != 1 {
		t.Errorf("the companies are %+v, %v, want the first one", companies.Data, err)
	}
}
