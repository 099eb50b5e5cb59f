package secretbox

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// An UnknownKeyError is returned for a secret whose master key is not loaded.
type UnknownKeyError struct {
	ID KeyID
}

func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("master key %s is not loaded; add it after the first key in %s or %s, with a comma between",
		e.ID, EnvName, FileName)
}

// Keys are master keys held in memory, a [Keyring]. The first seals, all open.
// Printed, logged or written as JSON, they show their ids alone.
type Keys struct {
	ring []masterKey
}

var _ Keyring = (*Keys)(nil)

type masterKey struct {
	id   KeyID
	aead cipher.AEAD
}

// ParseKeys reads master keys separated by commas, each 32 bytes in standard
// base64 or in hexadecimal. Its errors name a key by its place in the list.
func ParseKeys(list string) (*Keys, error) {
	k := new(Keys)
	for i, text := range strings.Split(list, ",") {
		secret, err := decodeKey(strings.TrimSpace(text))
		if err != nil || len(secret) != keySize {
			return nil, fmt.Errorf("master key %d is not 32 bytes in base64 or hexadecimal; make one with: openssl rand -base64 32", i+1)
		}
		key, err := newMasterKey(secret)
		if err != nil {
			return nil, fmt.Errorf("master key %d: %w", i+1, err)
		}
		if k.find(key.id) != nil {
			return nil, fmt.Errorf("master key %d is in the list before", i+1)
		}
		k.ring = append(k.ring, key)
	}
	return k, nil
}

// decodeKey reads a key, whose length tells in which of two ways it is written.
func decodeKey(text string) ([]byte, error) {
	if len(text) == hex.EncodedLen(keySize) {
		return hex.DecodeString(text)
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

// newMasterKey derives the key that wraps and the id from secret, so that
// neither is the secret and others may derive from it too (HKDF, RFC 5869).
func newMasterKey(secret []byte) (masterKey, error) {
	wrap, err := hkdf.Key(sha256.New, secret, nil, "answerdesk secretbox v1 wrap", keySize)
	if err != nil {
		return masterKey{}, err
	}
	id, err := hkdf.Key(sha256.New, secret, nil, "answerdesk secretbox v1 id", len(KeyID{}))
	if err != nil {
		return masterKey{}, err
	}
	return masterKey{id: KeyID(id), aead: gcm(wrap)}, nil
}

// String names the keys by their ids.
func (k *Keys) String() string {
	ids := make([]string, len(k.ring))
	for i, m := range k.ring {
		ids[i] = m.id.String()
	}
	return "master keys " + strings.Join(ids, ", ")
}

// GoString is String, for the verb %#v.
func (k *Keys) GoString() string { return k.String() }

// MarshalText is String, for JSON and for logs.
func (k *Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// First names the master key that seals new secrets.
func (k *Keys) First() KeyID { return k.ring[0].id }

// Check returns an [*UnknownKeyError] if the master key id is not in k: ask at
// start-up for each that the database names.
func (k *Keys) Check(id KeyID) error {
	if k.find(id) == nil {
		return &UnknownKeyError{ID: id}
	}
	return nil
}

// Wrap implements [Keyring] with the first key.
func (k *Keys) Wrap(_ context.Context, data, key []byte) (KeyID, []byte, error) {
	first := k.ring[0]
	return first.id, first.aead.Seal(nil, nil, key, data), nil
}

// Unwrap implements [Keyring].
func (k *Keys) Unwrap(_ context.Context, id KeyID, data, wrapped []byte) ([]byte, error) {
	master := k.find(id)
	if master == nil {
		return nil, &UnknownKeyError{ID: id}
	}
	key, err := master.aead.Open(nil, nil, wrapped, data)
	if err != nil {
		return nil, ErrOpen
	}
	return key, nil
}

func (k *Keys) find(id KeyID) *masterKey {
	i := slices.IndexFunc(k.ring, func(m masterKey) bool { return m.id == id })
	if i < 0 {
		return nil
	}
	return &k.ring[i]
}
