package reference

import (
	"context"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
)

// key is a key, and the hash of its secret.
type key struct {
	access.Key
	hash [32]byte
}

// findKey returns the key with a hash, of whatever company.
func (s *Store) findKey(hash [32]byte) (access.Key, bool) {
	for _, c := range s.companies {
		for _, k := range c.keys {
			if k.hash == hash {
				return k.Key, true
			}
		}
	}
	return access.Key{}, false
}

// addKey adds a key to a company.
func (s *Store) addKey(c *tenant, k access.Key, hash [32]byte) error {
	_, taken := s.findKey(hash)
	if _, there := c.keys[k.ID]; there || taken {
		return fmt.Errorf("key %s: %w: it is there already", k.ID, store.ErrConflict)
	}
	k.Company, k.LastUsedAt, k.ReplacedBy = c.ID, time.Time{}, ""
	k.CreatedAt, k.ExpiresAt = stored(k.CreatedAt), stored(k.ExpiresAt)
	c.keys[k.ID] = key{k, hash}
	return nil
}

// CreateKey implements [access.Store].
func (s *Store) CreateKey(ctx context.Context, cm store.Commit, k access.Key, hash [32]byte) error {
	return s.step(ctx, cm, func(c *tenant, _ *store.Commit) error { return s.addKey(c, k, hash) })
}

// KeyByHash implements [access.Store].
func (s *Store) KeyByHash(ctx context.Context, hash [32]byte) (access.Key, error) {
	if err := s.enter(ctx); err != nil {
		return access.Key{}, err
	}
	defer s.mu.Unlock()
	k, found := s.findKey(hash)
	if !found {
		return k, store.NotFound("key", "")
	}
	return k, nil
}

// Key implements [access.Store].
func (s *Store) Key(ctx context.Context, company, id string) (out access.Key, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		k, there := c.keys[id]
		if !there {
			return store.NotFound("key", id)
		}
		out = k.Key
		return nil
	})
	return out, err
}

// Keys implements [access.Store].
func (s *Store) Keys(ctx context.Context, company string, p store.Page) (out store.List[access.Key], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []access.Key
		for _, k := range c.keys {
			all = append(all, k.Key)
		}
		out, err = newest(all, p, func(k access.Key) string { return k.ID }, "keys", company)
		return err
	})
	return out, err
}

// RotateKey implements [access.Store].
func (s *Store) RotateKey(ctx context.Context, cm store.Commit, oldID string, oldExpires time.Time, k access.Key, hash [32]byte) error {
	return s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		old, there := c.keys[oldID]
		if !there {
			return store.NotFound("key", oldID)
		}
		if old.ReplacedBy != "" {
			return fmt.Errorf("key %s: %w: it was replaced by key %s: rotate that one", oldID, store.ErrConflict, old.ReplacedBy)
		}
		if err := s.addKey(c, k, hash); err != nil {
			return err
		}
		old.ReplacedBy, old.ExpiresAt = k.ID, stored(oldExpires)
		c.keys[oldID] = old
		return nil
	})
}

// RevokeKey implements [access.Store].
func (s *Store) RevokeKey(ctx context.Context, cm store.Commit, id string) error {
	return s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		if _, there := c.keys[id]; !there {
			return store.NotFound("key", id)
		}
		delete(c.keys, id)
		return nil
	})
}

// UseKey implements [access.Store].
func (s *Store) UseKey(ctx context.Context, company, id string, at time.Time) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, c := range s.companies {
		if k, there := c.keys[id]; there && c.ID == company && stored(at).After(k.LastUsedAt) {
			k.LastUsedAt = stored(at)
			c.keys[id] = k
		}
	}
	return nil
}
