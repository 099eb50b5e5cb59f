package access_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

func TestCreate(t *testing.T) {
	st, company := newStore(t)
	ks := access.NewKeys(st, company)
	expires := time.Now().Add(time.Hour).In(time.FixedZone("", 3600))
	k, secret, err := ks.Create(t.Context(), access.NewKey{Name: "  Web shop ", Scope: access.ScopeRead, ExpiresAt: expires})
	if err != nil {
		t.Fatal(err)
	}
	want := access.Key{
		ID: k.ID, Company: company, Name: "Web shop", Scope: access.ScopeRead, Plan: access.PlanStandard, Hint: secret[len(secret)-4:],
		CreatedAt: k.CreatedAt, ExpiresAt: expires.UTC().Truncate(time.Microsecond),
	}
	if k != want {
		t.Errorf("Create = %+v, want %+v", k, want)
	}
	for _, spelling := range []string{k.ID, id.UUID(k.ID), strings.ToUpper(k.ID)} {
		if got, err := ks.Get(t.Context(), spelling); got != k || err != nil {
			t.Errorf("Get(%s) = %+v, %v, want %+v", spelling, got, err, k)
		}
	}
	other, _ := newKey(t, ks, access.NewKey{Plan: access.PlanUnlimited})
	l, err := ks.List(t.Context(), store.Page{})
	if err != nil || !slices.Equal(l.Data, []access.Key{other, k}) || l.HasMore {
		t.Errorf("List = %+v, %v, want %+v", l, err, []access.Key{other, k})
	}
	accepts(t, st, secret, k)
	b, err := json.Marshal(l)
	if err != nil || strings.Contains(string(b), secret) || strings.Contains(string(b), "0001-01-01") {
		t.Errorf("List as JSON = %s, %v, want no secret and no zero time", b, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	st, company := newStore(t)
	ks := access.NewKeys(st, company)
	for _, tt := range []struct {
		key   access.NewKey
		field string
	}{
		{access.NewKey{Scope: access.ScopeRead}, "name"},
		{access.NewKey{Name: " \t", Scope: access.ScopeRead}, "name"},
		{access.NewKey{Name: strings.Repeat("é", 201), Scope: access.ScopeRead}, "name"},
		{access.NewKey{Name: "a\xff", Scope: access.ScopeRead}, "name"},
		{access.NewKey{Name: "a"}, "scope"},
		{access.NewKey{Name: "a", Scope: "admin"}, "scope"},
		{access.NewKey{Name: "a", Scope: "Read"}, "scope"},
		{access.NewKey{Name: "a", Scope: access.ScopeRead, Plan: "gold"}, "plan"},
		{access.NewKey{Name: "a", Scope: access.ScopeRead, ExpiresAt: time.Now()}, "expires_at"},
		{access.NewKey{Name: "a", Scope: access.ScopeRead, ExpiresAt: time.Now().Add(-time.Hour)}, "expires_at"},
		{access.NewKey{Name: "a", Scope: access.ScopeRead, ExpiresAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}, "expires_at"},
	} {
		k, secret, err := ks.Create(t.Context(), tt.key)
		invalid, ok := errors.AsType[*access.InvalidError](err)
		if !ok || invalid.Field != tt.field || !errors.Is(err, access.ErrInvalid) || k != (access.Key{}) || secret != "" {
			t.Errorf("Create(%.50q, %q, %q, %v) = %+v, %q, %v, want an error about %s", tt.key.Name, tt.key.Scope, tt.key.Plan, tt.key.ExpiresAt, k, secret, err, tt.field)
		}
	}
	if l, err := ks.List(t.Context(), store.Page{}); err != nil || len(l.Data) != 0 {
		t.Errorf("List = %+v, %v, want no key", l, err)
	}
	newKey(t, ks, access.NewKey{Name: strings.Repeat("é", 200)})
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, company := newStore(t)
		ks := access.NewKeys(st, company)
		k, secret := newKey(t, ks, access.NewKey{ExpiresAt: time.Now().Add(time.Hour)})
		forever, other := newKey(t, ks, access.NewKey{})
		time.Sleep(time.Hour - time.Microsecond)
		accepts(t, st, secret, k)
		time.Sleep(time.Microsecond)
		refuses(t, st, secret, access.ErrExpiredKey)
		if got, err := ks.Get(t.Context(), k.ID); err != nil || got.ExpiresAt != k.ExpiresAt {
			t.Errorf("Get of an expired key = %+v, %v, want it with its expiry", got, err)
		}
		if _, _, err := ks.Rotate(t.Context(), k.ID, 0); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Rotate of an expired key = %v, want a conflict", err)
		}
		time.Sleep(200 * 365 * 24 * time.Hour)
		accepts(t, st, other, forever)
	})
}

func TestRotate(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		expires, overlap, ends time.Duration
	}{
		{"at once", 0, 0, 0},
		{"with an overlap", 0, time.Hour, time.Hour},
		{"with the longest overlap", 0, access.MaxOverlap, access.MaxOverlap},
		{"to expire later", 2 * time.Hour, time.Hour, time.Hour},
		{"to expire before the overlap ends", time.Minute, time.Hour, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st, company := newStore(t)
				ks := access.NewKeys(st, company)
				n := access.NewKey{Name: "Web shop", Scope: access.ScopeFull, Plan: access.PlanPro}
				if tt.expires > 0 {
					n.ExpiresAt = time.Now().Add(tt.expires)
				}
				old, oldSecret := newKey(t, ks, n)
				k, secret, err := ks.Rotate(t.Context(), old.ID, tt.overlap)
				if err != nil {
					t.Fatal(err)
				}
				if k.ID == old.ID || secret == oldSecret || k.Name != n.Name || k.Scope != n.Scope || k.Plan != n.Plan || k.ExpiresAt != old.ExpiresAt || k.ReplacedBy != "" {
					t.Errorf("Rotate of %+v = %+v, want another key like it", old, k)
				}
				got, err := ks.Get(t.Context(), old.ID)
				if want := now().Add(tt.ends); err != nil || got.ReplacedBy != k.ID || !got.ExpiresAt.Equal(want) {
					t.Errorf("the old key is %+v, %v, want it replaced by %s and to expire at %v", got, err, k.ID, want)
				}
				accepts(t, st, secret, k)
				if tt.ends > 0 {
					time.Sleep(tt.ends - time.Microsecond)
					accepts(t, st, oldSecret, old)
					accepts(t, st, secret, k)
					time.Sleep(time.Microsecond)
				}
				refuses(t, st, oldSecret, access.ErrExpiredKey)
				if _, _, err := ks.Rotate(t.Context(), old.ID, 0); !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), k.ID) {
					t.Errorf("Rotate again = %v, want a conflict that names %s", err, k.ID)
				}
			})
		})
	}
}

func TestRotateRefuses(t *testing.T) {
	st, company := newStore(t)
	ks := access.NewKeys(st, company)
	k, secret := newKey(t, ks, access.NewKey{})
	for _, overlap := range []time.Duration{-1, access.MaxOverlap + 1} {
		_, _, err := ks.Rotate(t.Context(), k.ID, overlap)
		if invalid, ok := errors.AsType[*access.InvalidError](err); !ok || invalid.Field != "overlap_seconds" {
			t.Errorf("Rotate with an overlap of %v = %v, want an error about it", overlap, err)
		}
	}
	if got, err := ks.Get(t.Context(), k.ID); got != k || err != nil {
		t.Errorf("the key is %+v, %v, want %+v", got, err, k)
	}
	accepts(t, st, secret, k)
}

func TestRevoke(t *testing.T) {
	dir := t.TempDir()
	st, company := openStore(t, dir)
	another, _ := openStore(t, dir) // as another process has it
	ks := access.NewKeys(st, company)
	k, secret := newKey(t, ks, access.NewKey{})
	accepts(t, another, secret, k)
	if err := ks.Revoke(t.Context(), id.UUID(k.ID)); err != nil {
		t.Fatal(err)
	}
	refuses(t, another, secret, access.ErrInvalidKey)
	refuses(t, st, secret, access.ErrInvalidKey)
	if err := ks.Revoke(t.Context(), k.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Revoke again = %v, want not found", err)
	}
}

func TestKeysOfAnotherCompany(t *testing.T) {
	st, company := newStore(t)
	k, secret := newKey(t, access.NewKeys(st, company), access.NewKey{})
	other, err := access.NewCompanies(st).Create(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	theirs := access.NewKeys(st, other.ID)
	for _, key := range []string{k.ID, id.UUID(k.ID), id.New(id.Key), id.New(id.Company), "", "key_1"} {
		_, err := theirs.Get(t.Context(), key)
		_, _, rotated := theirs.Rotate(t.Context(), key, 0)
		for what, err := range map[string]error{"Get": err, "Rotate": rotated, "Revoke": theirs.Revoke(t.Context(), key)} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s of %q = %v, want not found", what, key, err)
			}
		}
	}
	accepts(t, st, secret, k)
	if err := access.NewCompanies(st).Delete(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := theirs.Create(t.Context(), access.NewKey{Name: "Late", Scope: access.ScopeRead}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Create in a deleted company = %v, want not found", err)
	}
}

func TestLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, company := newStore(t)
		ks := access.NewKeys(st, company)
		k, secret := newKey(t, ks, access.NewKey{})
		last := func() time.Time {
			t.Helper()
			got, err := ks.Get(t.Context(), k.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.LastUsedAt
		}
		start := now()
		for range 60 {
			accepts(t, st, secret, k)
			time.Sleep(time.Second)
		}
		if got := last(); !got.Equal(start) || st.uses.Load() != 1 {
			t.Errorf("after a minute of calls the last use is %v, written %d times, want %v, once", got, st.uses.Load(), start)
		}
		accepts(t, st, secret, k)
		if got := last(); !got.Equal(start.Add(time.Minute)) || st.uses.Load() != 2 {
			t.Errorf("after a minute the last use is %v, written %d times, want %v, twice", got, st.uses.Load(), start.Add(time.Minute))
		}
		time.Sleep(time.Hour)
		st.readOnly = true
		accepts(t, st, secret, k)
		if st.uses.Load() != 3 || !last().Equal(start.Add(time.Minute)) {
			t.Errorf("a use that could not be written was tried %d times in all, want 3, and reads %v", st.uses.Load(), last())
		}
	})
}

// TestStoreFails tells a key that is not there from a store that is not.
func TestStoreFails(t *testing.T) {
	st, company := newStore(t)
	_, secret := newKey(t, access.NewKeys(st, company), access.NewKey{})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := access.Authenticate(t.Context(), st, secret)
	if errors.Is(err, access.ErrInvalidKey) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Authenticate on a closed store = %v, want %v", err, store.ErrUnavailable)
	}
}
