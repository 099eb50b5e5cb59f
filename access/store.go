package access

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Store is what this room needs of a store, as storetest checks it.
type Store interface {
	// FirstCompany returns the operator's company. If there is none yet, it makes
	// c the first one, as CreateCompany would.
	FirstCompany(ctx context.Context, cm store.Commit, c Company) (Company, error)

	// CreateCompany adds a company, and an agent with the id c.DefaultAgent,
	// the name c.Name and default settings. The events, work and audit entry of
	// cm are the new company's; a receipt names the company that asked for it.
	CreateCompany(ctx context.Context, cm store.Commit, c Company) error

	// Company returns a company by its id, or a [store.NotFoundError].
	Company(ctx context.Context, id string) (Company, error)

	// Companies lists the companies, newest first.
	Companies(ctx context.Context, p store.Page) (store.List[Company], error)

	// DeleteCompany removes a company with everything that is its. The first
	// company stays: deleting it is a [store.ErrConflict].
	DeleteCompany(ctx context.Context, cm store.Commit) error

	// CreateKey adds a key to the company of cm, with the hash of its secret.
	// An id or a hash that is there already is a [store.ErrConflict].
	CreateKey(ctx context.Context, cm store.Commit, k Key, hash [32]byte) error

	// KeyByHash returns the key whose secret has a hash, or a
	// [store.NotFoundError] that names no id. It is the one method that looks
	// through all companies: who sends a secret says by it which one is meant.
	KeyByHash(ctx context.Context, hash [32]byte) (Key, error)

	// Key returns a key by its id, or a [store.NotFoundError].
	Key(ctx context.Context, company, id string) (Key, error)

	// Keys lists a company's keys, newest first, also those that have expired.
	Keys(ctx context.Context, company string, p store.Page) (store.List[Key], error)

	// RotateKey adds the key k, as CreateKey does, and in the same step writes
	// to the key oldID that k replaces it and that it expires at oldExpires. If
	// oldID was replaced before, that is a [store.ErrConflict]; if it is not
	// there, a [store.NotFoundError].
	RotateKey(ctx context.Context, cm store.Commit, oldID string, oldExpires time.Time, k Key, hash [32]byte) error

	// RevokeKey removes a key, or returns a [store.NotFoundError]. When it has
	// returned, no process finds the key any more.
	RevokeKey(ctx context.Context, cm store.Commit, id string) error

	// UseKey notes that a key was used. It only moves the last use forward, and
	// does nothing if the key is not there.
	UseKey(ctx context.Context, company, id string, at time.Time) error
}
