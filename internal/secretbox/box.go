package secretbox

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// A sealed secret is
//
//	version (1) | key id (4) | n (2) | wrapped key (n) | nonce (12) | ciphertext | tag (16)
//
// with n big-endian. Secret and wrapped key are AES-256-GCM (NIST SP 800-38D)
// with random nonces, and the Place as additional data. What comes before the
// wrapped key needs no seal of its own: changed, it leads to no key, or to one
// that does not open.
const (
	version    = 1
	headerSize = 1 + 4 + 2
	keySize    = 32
	maxWrapped = 4 << 10
	sealSize   = 12 + 16
)

// MaxSecret is the largest secret in bytes that can be sealed.
const MaxSecret = 64 << 10

// ErrOpen is wrapped by the error for a sealed secret that does not open where
// it is: altered, cut short, copied from another place, or never sealed.
var ErrOpen = errors.New("sealed secret does not open; it was altered or belongs to another place")

// A Place is where one sealed secret is stored. All four are required; the
// first company's own id stands for what belongs to the whole server.
type Place struct {
	Company, Table, Row, Column string
}

// data encodes p so that no two places have the same bytes.
func (p Place) data() ([]byte, error) {
	b := []byte("answerdesk secretbox v1")
	for _, part := range []string{p.Company, p.Table, p.Row, p.Column} {
		if part == "" {
			return nil, errors.New("place of a secret needs company, table, row and column")
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b, nil
}

// A KeyID names a master key, in four bytes that tell nothing about it.
type KeyID [4]byte

// String returns id in hexadecimal, as errors show it.
func (id KeyID) String() string { return fmt.Sprintf("%x", id[:]) }

// A Keyring holds master keys, here or in a service of the operator's, and
// seals the keys of secrets with them. It must be safe for concurrent use.
type Keyring interface {
	// Wrap seals key, 32 bytes, with the master key that new secrets use, and
	// binds it to data. The result is at most 4096 bytes.
	Wrap(ctx context.Context, data, key []byte) (KeyID, []byte, error)

	// Unwrap opens what Wrap made with master key id and the same data. It must
	// return an [*UnknownKeyError] if it does not have that master key, and an
	// error wrapping [ErrOpen] if the master key does not open it.
	Unwrap(ctx context.Context, id KeyID, data, wrapped []byte) ([]byte, error)
}

// A Box seals and opens secrets. It is safe for concurrent use.
type Box struct {
	keys Keyring
}

// New returns a box whose secrets' keys are sealed by keys.
func New(keys Keyring) *Box { return &Box{keys: keys} }

// Seal seals secret, of at most [MaxSecret] bytes, for the place at. With
// [Keys] the result is 95 bytes longer than secret. Sealing twice never gives
// the same bytes.
func (b *Box) Seal(ctx context.Context, at Place, secret []byte) ([]byte, error) {
	if len(secret) > MaxSecret {
		return nil, fmt.Errorf("seal secret: %d bytes are more than %d", len(secret), MaxSecret)
	}
	data, err := at.data()
	if err != nil {
		return nil, fmt.Errorf("seal secret: %w", err)
	}
	key := make([]byte, keySize)
	defer clear(key)
	_, _ = rand.Read(key) // never fails
	sealed, err := b.wrap(ctx, data, key, sealSize+len(secret))
	if err != nil {
		return nil, fmt.Errorf("seal secret: %w", err)
	}
	return gcm(key).Seal(sealed, nil, secret, data), nil
}

// Open returns the secret sealed for the place at. The error wraps [ErrOpen]
// or is an [*UnknownKeyError], or is the keyring's own.
func (b *Box) Open(ctx context.Context, at Place, sealed []byte) ([]byte, error) {
	secret, err := b.open(ctx, at, sealed)
	if err != nil {
		return nil, fmt.Errorf("open secret: %w", err)
	}
	return secret, nil
}

func (b *Box) open(ctx context.Context, at Place, sealed []byte) ([]byte, error) {
	data, err := at.data()
	if err != nil {
		return nil, err
	}
	_, key, value, err := b.unwrap(ctx, data, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	secret, err := gcm(key).Open(nil, nil, value, data)
	if err != nil {
		return nil, ErrOpen
	}
	return secret, nil
}

// Rewrap returns sealed with its key sealed by the master key that new secrets
// use, and the secret's own bytes untouched and unread. It returns sealed
// itself if that is so already, so a rotation may be broken off and repeated.
func (b *Box) Rewrap(ctx context.Context, at Place, sealed []byte) ([]byte, error) {
	out, err := b.rewrap(ctx, at, sealed)
	if err != nil {
		return nil, fmt.Errorf("rewrap secret: %w", err)
	}
	return out, nil
}

func (b *Box) rewrap(ctx context.Context, at Place, sealed []byte) ([]byte, error) {
	data, err := at.data()
	if err != nil {
		return nil, err
	}
	id, key, value, err := b.unwrap(ctx, data, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	out, err := b.wrap(ctx, data, key, len(value))
	if err != nil {
		return nil, err
	}
	if KeyID(out[1:5]) == id {
		return sealed, nil
	}
	return append(out, value...), nil
}

// KeyOf names the master key that sealed is sealed with: the bytes 1 to 4, so
// that a query can count and find those of an old key.
func KeyOf(sealed []byte) (KeyID, error) {
	id, _, _, err := parse(sealed)
	return id, err
}

// wrap returns the bytes before a secret of key's, with room for it.
func (b *Box) wrap(ctx context.Context, data, key []byte, room int) ([]byte, error) {
	id, wrapped, err := b.keys.Wrap(ctx, data, key)
	if err != nil {
		return nil, err
	}
	if len(wrapped) > maxWrapped {
		return nil, fmt.Errorf("master key %s wraps a key in %d bytes, more than %d", id, len(wrapped), maxWrapped)
	}
	out := make([]byte, 0, headerSize+len(wrapped)+room)
	out = append(out, version)
	out = append(out, id[:]...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(wrapped)))
	return append(out, wrapped...), nil
}

// unwrap returns the master key's id, the key of the secret, and the secret as
// that key sealed it.
func (b *Box) unwrap(ctx context.Context, data, sealed []byte) (id KeyID, key, value []byte, err error) {
	id, wrapped, value, err := parse(sealed)
	if err != nil {
		return id, nil, nil, err
	}
	key, err = b.keys.Unwrap(ctx, id, data, wrapped)
	if err != nil {
		return id, nil, nil, err
	}
	if len(key) != keySize {
		return id, nil, nil, fmt.Errorf("master key %s unwraps to %d bytes: %w", id, len(key), ErrOpen)
	}
	return id, key, value, nil
}

func parse(sealed []byte) (id KeyID, wrapped, value []byte, err error) {
	if len(sealed) < headerSize {
		return id, nil, nil, fmt.Errorf("%d bytes are too few: %w", len(sealed), ErrOpen)
	}
	if sealed[0] != version {
		return id, nil, nil, fmt.Errorf("format %d is not known here: %w", sealed[0], ErrOpen)
	}
	id = KeyID(sealed[1:5])
	n := int(binary.BigEndian.Uint16(sealed[5:headerSize]))
	rest := sealed[headerSize:]
	if n > maxWrapped || len(rest) < n+sealSize || len(rest) > n+sealSize+MaxSecret {
		return id, nil, nil, fmt.Errorf("%d bytes are not the size of one: %w", len(sealed), ErrOpen)
	}
	return id, rest[:n], rest[n:], nil
}

// gcm returns AES-256-GCM that makes its own nonces. A random nonce is good
// for 2^32 seals with one key (NIST SP 800-38D section 8.3).
func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the size of key is checked before
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size GCM needs
	}
	return aead
}
