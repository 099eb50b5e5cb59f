package access

import (
	"context"
	"errors"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Principal is who calls.
type Principal struct {
	ID      string // goes into the audit log: the id of a key, or what the host calls its callers
	Company string
	Scope   Scope
	Plan    Plan
}

// A Key lets a program call in the name of a company. It is not the secret,
// which nobody can read again, but what may be shown of it.
type Key struct {
	ID         string    `json:"id"`
	Company    string    `json:"company_id"`
	Name       string    `json:"name"`
	Scope      Scope     `json:"scope"`
	Plan       Plan      `json:"plan"`
	Hint       string    `json:"hint"` // the last 4 characters of the secret
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`   // zero: never
	LastUsedAt time.Time `json:"last_used_at,omitzero"` // to the minute or so; zero: never
	ReplacedBy string    `json:"replaced_by,omitzero"`  // the key that this one was rotated to
}

// expired reports whether a key is of no more use.
func (k Key) expired(at time.Time) bool { return !k.ExpiresAt.IsZero() && !at.Before(k.ExpiresAt) }

// useEvery is how old a key's last use must be to be written again.
const useEvery = time.Minute

// Authenticate returns the principal whose secret it is given. What is not a
// secret by its form is refused without asking the store; any other one costs
// one look into it, whether or not there is such a key, so that a revoked key is
// refused from the next call on, in every process. The error wraps
// [ErrInvalidKey] or [ErrExpiredKey], or is the store's.
//
// The secret is looked up by its SHA-256, and whoever times the lookups learns
// about hashes of what they sent, which they know, and not about secrets.
func Authenticate(ctx context.Context, s Store, secret string) (Principal, error) {
	if !wellFormed(secret) {
		return Principal{}, ErrInvalidKey
	}
	k, err := s.KeyByHash(ctx, hashOf(secret))
	if errors.Is(err, store.ErrNotFound) {
		return Principal{}, ErrInvalidKey
	}
	if err != nil {
		return Principal{}, err
	}
	now := time.Now()
	if k.expired(now) {
		return Principal{}, ErrExpiredKey
	}
	if now.Sub(k.LastUsedAt) >= useEvery {
		_ = s.UseKey(ctx, k.Company, k.ID, now) // a store that cannot write now can still answer
	}
	return Principal{ID: k.ID, Company: k.Company, Scope: k.Scope, Plan: k.Plan}, nil
}
