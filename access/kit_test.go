package access_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A watched store counts what Authenticate asks of it, and can fail to write.
type watched struct {
	*sqlite.Store
	lookups, uses atomic.Int64
	readOnly      bool
}

func (w *watched) KeyByHash(ctx context.Context, hash [32]byte) (access.Key, error) {
	w.lookups.Add(1)
	return w.Store.KeyByHash(ctx, hash)
}

func (w *watched) UseKey(ctx context.Context, company, id string, at time.Time) error {
	w.uses.Add(1)
	if w.readOnly {
		return store.ErrUnavailable
	}
	return w.Store.UseKey(ctx, company, id, at)
}

// newStore opens a store in a folder of its own, with its first company.
func newStore(t testing.TB) (st *watched, company string) {
	t.Helper()
	return openStore(t, t.TempDir())
}

func openStore(t testing.TB, dir string) (st *watched, company string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := access.NewCompanies(s).First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &watched{Store: s}, c.ID
}

// newKey creates a key for a web shop.
func newKey(t testing.TB, ks *access.Keys, n access.NewKey) (access.Key, string) {
	t.Helper()
	if n.Name == "" {
		n.Name = "Web shop"
	}
	if n.Scope == "" {
		n.Scope = access.ScopeWrite
	}
	k, secret, err := ks.Create(t.Context(), n)
	if err != nil {
		t.Fatalf("Create(%+v): %v", n, err)
	}
	return k, secret
}

// accepts fails the test unless a secret is that of a key.
func accepts(t *testing.T, s access.Store, secret string, k access.Key) {
	t.Helper()
	want := access.Principal{ID: k.ID, Company: k.Company, Scope: k.Scope, Plan: k.Plan}
	if got, err := access.Authenticate(t.Context(), s, secret); got != want || err != nil {
		t.Errorf("Authenticate = %+v, %v, want %+v", got, err, want)
	}
}

// refuses fails the test unless a secret is refused with an error.
func refuses(t *testing.T, s access.Store, secret string, want error) {
	t.Helper()
	if got, err := access.Authenticate(t.Context(), s, secret); got != (access.Principal{}) || !errors.Is(err, want) {
		t.Errorf("Authenticate(%.60q) = %+v, %v, want %v", secret, got, err, want)
	}
}

// now is a time as it is stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
