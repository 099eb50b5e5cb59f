package sqlstore

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
)

const selectKey = `SELECT company, id, name, scope, plan, hint, hash, created_at, expires_at, last_used_at, replaced_by FROM api_keys`

// keyRow is a key as it is stored.
type keyRow struct {
	access.Key
	hash []byte
}

func scanKeyRow(r Rows) (k keyRow, err error) {
	var scope, plan string
	var created, expires, used int64
	err = r.Scan(&k.Company, &k.ID, &k.Name, &scope, &plan, &k.Hint, &k.hash, &created, &expires, &used, &k.ReplacedBy)
	k.Scope, k.Plan = access.Scope(scope), access.Plan(plan)
	k.CreatedAt, k.ExpiresAt, k.LastUsedAt = moment(created), moment(expires), moment(used)
	return k, err
}

func scanKey(r Rows) (access.Key, error) {
	k, err := scanKeyRow(r)
	return k.Key, err
}

// getKey reads the key that a condition names. What is not found has the id given.
func (s *Store) getKey(ctx context.Context, id, where string, args ...any) (k keyRow, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		found := false
		err := all(tx, func(r Rows) error {
			found = true
			k, err = scanKeyRow(r)
			return err
		}, selectKey+where, args...)
		if err == nil && !found {
			return store.NotFound("key", id)
		}
		return err
	})
	return k, err
}

// Key implements [access.Store].
func (s *Store) Key(ctx context.Context, company, id string) (access.Key, error) {
	k, err := s.getKey(ctx, id, ` WHERE company = ? AND id = ?`, company, id)
	return k.Key, err
}

// KeyByHash implements [access.Store]. That the row has the hash which was looked
// for is seen once more by a comparison that takes equally long for all of them.
func (s *Store) KeyByHash(ctx context.Context, hash [32]byte) (access.Key, error) {
	k, err := s.getKey(ctx, "", ` WHERE hash = ?`, hash[:])
	if err != nil {
		return access.Key{}, err
	}
	if subtle.ConstantTimeCompare(k.hash, hash[:]) != 1 {
		return access.Key{}, store.NotFound("key", "")
	}
	return k.Key, nil
}

// Keys implements [access.Store].
func (s *Store) Keys(ctx context.Context, company string, p store.Page) (store.List[access.Key], error) {
	return list(ctx, s, p, []string{"keys", company}, func(k access.Key) string { return k.ID }, scanKey,
		selectKey+` WHERE company = ?`, company)
}

// CreateKey implements [access.Store].
func (s *Store) CreateKey(ctx context.Context, cm store.Commit, k access.Key, hash [32]byte) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, cm.Company, keyShare); err != nil {
			return err
		}
		if err := addKey(tx, cm.Company, k, hash); err != nil {
			return err
		}
		return s.write(cm, tx)
	})
}

func addKey(tx Tx, company string, k access.Key, hash [32]byte) error {
	n, err := tx.Exec(`INSERT INTO api_keys (company, id, name, scope, plan, hint, hash, created_at, expires_at, last_used_at, replaced_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '') ON CONFLICT DO NOTHING`,
		company, k.ID, k.Name, string(k.Scope), string(k.Plan), k.Hint, hash[:], micros(k.CreatedAt), micros(k.ExpiresAt))
	if err == nil && n == 0 {
		return fmt.Errorf("key %s: %w: it is there already", k.ID, store.ErrConflict)
	}
	return err
}

// RotateKey implements [access.Store].
func (s *Store) RotateKey(ctx context.Context, cm store.Commit, oldID string, oldExpires time.Time, k access.Key, hash [32]byte) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, cm.Company, keyShare); err != nil {
			return err
		}
		n, err := tx.Exec(`UPDATE api_keys SET replaced_by = ?, expires_at = ? WHERE company = ? AND id = ? AND replaced_by = ''`,
			k.ID, micros(oldExpires), cm.Company, oldID)
		if err != nil {
			return err
		}
		if n == 0 {
			return whyKept(tx, cm.Company, oldID)
		}
		if err := addKey(tx, cm.Company, k, hash); err != nil {
			return err
		}
		return s.write(cm, tx)
	})
}

// whyKept says why a key cannot be replaced.
func whyKept(tx Tx, company, id string) error {
	var by string
	found, err := one(tx, []any{&by}, `SELECT replaced_by FROM api_keys WHERE company = ? AND id = ?`, company, id)
	switch {
	case err != nil:
		return err
	case !found:
		return store.NotFound("key", id)
	}
	return fmt.Errorf("key %s: %w: it was replaced by key %s: rotate that one", id, store.ErrConflict, by)
}

// RevokeKey implements [access.Store].
func (s *Store) RevokeKey(ctx context.Context, cm store.Commit, id string) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		n, err := tx.Exec(`DELETE FROM api_keys WHERE company = ? AND id = ?`, cm.Company, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.NotFound("key", id)
		}
		return s.write(cm, tx)
	})
}

// UseKey implements [access.Store].
func (s *Store) UseKey(ctx context.Context, company, id string, at time.Time) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		_, err := tx.Exec(`UPDATE api_keys SET last_used_at = ? WHERE company = ? AND id = ? AND last_used_at < ?`,
			micros(at), company, id, micros(at))
		return err
	})
}
