package access

import (
	"context"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// MaxOverlap bounds how long a key goes on working after it was rotated.
const MaxOverlap = 30 * 24 * time.Hour

// Keys creates, reads, rotates and revokes the keys of a company.
type Keys struct {
	store   Store
	company string
	by      store.Request
}

// NewKeys returns the keys that a company has in s.
func NewKeys(s Store, company string) *Keys { return &Keys{store: s, company: company} }

// By returns the same keys, whose changes are put down to a request: each is
// written to the audit log with who asked for it, and completes the receipt with
// the id of the key it made.
func (ks *Keys) By(r store.Request) *Keys {
	out := *ks
	out.by = r
	return &out
}

// NewKey is what a key is made with.
type NewKey struct {
	Name      string    // 1 to 200 characters, for those who manage the keys
	Scope     Scope     // required
	Plan      Plan      // empty means [PlanStandard]
	ExpiresAt time.Time // zero: never
}

// Create adds a key and returns it with its secret, which is stored nowhere and
// cannot be had again.
func (ks *Keys) Create(ctx context.Context, n NewKey) (Key, string, error) {
	k, err := n.check(now())
	if err != nil {
		return Key{}, "", err
	}
	k, secret := ks.mint(k)
	if err := ks.store.CreateKey(ctx, ks.commit("key.create", k.ID, k.ID), k, hashOf(secret)); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// check returns the key to be made, but for what is random about it.
func (n NewKey) check(at time.Time) (k Key, err error) {
	if k.Name, err = checkName(n.Name); err != nil {
		return k, err
	}
	if k.Scope, err = ParseScope(string(n.Scope)); err != nil {
		return k, err
	}
	if k.Plan, err = ParsePlan(string(n.Plan)); err != nil {
		return k, err
	}
	k.CreatedAt = at
	if !n.ExpiresAt.IsZero() {
		k.ExpiresAt = n.ExpiresAt.UTC().Truncate(time.Microsecond)
		if k.expired(at) || k.ExpiresAt.Year() > 9999 { // which JSON cannot tell
			return k, invalid("expires_at", "must be in the future, and before the year 10000")
		}
	}
	return k, nil
}

// mint gives a key its id and secret.
func (ks *Keys) mint(k Key) (Key, string) {
	secret := newSecret()
	k.ID, k.Company, k.Hint = id.New(id.Key), ks.company, hint(secret)
	return k, secret
}

// Get returns a key by its id.
func (ks *Keys) Get(ctx context.Context, keyID string) (Key, error) {
	canonical, err := id.Parse(id.Key, keyID)
	if err != nil {
		return Key{}, store.NotFound("key", keyID)
	}
	return ks.store.Key(ctx, ks.company, canonical)
}

// List returns keys, newest first, also those that have expired.
func (ks *Keys) List(ctx context.Context, p store.Page) (store.List[Key], error) {
	return ks.store.Keys(ctx, ks.company, p)
}

// Rotate adds a key of the same name, scope, plan and expiry as an old one, and
// returns it with its secret. The old key goes on working for overlap, from 0 to
// [MaxOverlap], unless it expires before. A key that was rotated before or has
// expired cannot be: that is a [store.ErrConflict].
func (ks *Keys) Rotate(ctx context.Context, keyID string, overlap time.Duration) (Key, string, error) {
	if overlap < 0 || overlap > MaxOverlap {
		return Key{}, "", invalid("overlap_seconds", "must be between 0 and %d, which is 30 days", MaxOverlap/time.Second)
	}
	old, err := ks.Get(ctx, keyID)
	if err != nil {
		return Key{}, "", err
	}
	at := now()
	if old.expired(at) && old.ReplacedBy == "" {
		return Key{}, "", fmt.Errorf("key %s: %w: it has expired: create a new one", old.ID, store.ErrConflict)
	}
	ends := at.Add(overlap)
	if !old.ExpiresAt.IsZero() && old.ExpiresAt.Before(ends) {
		ends = old.ExpiresAt
	}
	k, secret := ks.mint(Key{Name: old.Name, Scope: old.Scope, Plan: old.Plan, CreatedAt: at, ExpiresAt: old.ExpiresAt})
	if err := ks.store.RotateKey(ctx, ks.commit("key.rotate", old.ID, k.ID), old.ID, ends, k, hashOf(secret)); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// Revoke removes a key. Its secret is refused from the next call on, in every
// process.
func (ks *Keys) Revoke(ctx context.Context, keyID string) error {
	canonical, err := id.Parse(id.Key, keyID)
	if err != nil {
		return store.NotFound("key", keyID)
	}
	return ks.store.RevokeKey(ctx, ks.commit("key.revoke", canonical, canonical), canonical)
}

// commit is what a step writes besides the keys: who did what to object, and
// that the request is answered with result.
func (ks *Keys) commit(action, object, result string) store.Commit {
	cm := ks.by.Audited(ks.by.Commit(ks.company), id.New(id.Audit), action, object, now())
	return ks.by.Ending(cm, result)
}
