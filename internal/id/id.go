// Package id makes and reads the identifiers of everything Answerdesk stores.
//
// An id is opaque to its users: a prefix that names the kind, an underscore, and
// a UUIDv7 (RFC 9562) in Crockford base32, 26 lower-case characters, so that ids
// of one kind sort by the time they were made. [Parse] also accepts the plain
// UUID in its usual hyphenated spelling.
package id

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Kind is the prefix of an id: what the id names.
type Kind string

// The kinds in use.
const (
	Company      Kind = "cmp"
	Agent        Kind = "agt"
	Conversation Kind = "conv"
	Message      Kind = "msg"
	Document     Kind = "doc"
	Passage      Kind = "psg"
	Event        Kind = "evt"
	Work         Kind = "wrk"
	Call         Kind = "call"
	Key          Kind = "key"
	Audit        Kind = "aud"
	Request      Kind = "req"
	Source       Kind = "src"
	Run          Kind = "run"
	Attachment   Kind = "att"
)

// alphabet is Crockford's base32 in lower case: no i, l, o, u.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// length is how many base32 characters hold 128 bits.
const length = 26

// New returns a new id of kind k. Ids made by one process increase.
func New(k Kind) string {
	return format(k, uuid.Must(uuid.NewV7()))
}

// First returns the id of kind k that sorts before all that are made at a time, or
// later, and after those made before its millisecond.
func First(k Kind, at time.Time) string {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], uint64(max(at.UnixMilli(), 0))<<16)
	return format(k, u)
}

// Parse returns s in its canonical spelling if it is an id of kind k, written
// with its prefix or as a plain UUID. Letters may be of either case.
func Parse(k Kind, s string) (string, error) {
	if len(s) == 36 {
		u, err := uuid.Parse(s)
		if err != nil {
			return "", fmt.Errorf("%q is neither an id beginning with %s_ nor a UUID", clip(s), k)
		}
		return format(k, u), nil
	}
	rest, ok := strings.CutPrefix(strings.ToLower(s), string(k)+"_")
	if !ok || len(rest) != length {
		return "", fmt.Errorf("%q is not an id beginning with %s_", clip(s), k)
	}
	u, ok := decode(rest)
	if !ok {
		return "", fmt.Errorf("%q is not an id beginning with %s_", clip(s), k)
	}
	return format(k, u), nil
}

// Derive returns the id of kind k that belongs to a numbered part of parent,
// such as a passage of a document version: the same parts give the same id, on
// every machine. It keeps the parent's time, so such ids sort beside it.
func Derive(k Kind, parent string, numbers ...int) string {
	h := sha256.New()
	h.Write([]byte(parent))
	var n [8]byte
	for _, v := range numbers {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	var u uuid.UUID
	copy(u[:], h.Sum(nil))
	if i := strings.LastIndexByte(parent, '_'); i >= 0 {
		if p, ok := decode(parent[i+1:]); ok {
			copy(u[:6], p[:6])
		}
	}
	u[6] = u[6]&0x0f | 0x70 // version 7
	u[8] = u[8]&0x3f | 0x80 // the variant of RFC 9562
	return format(k, u)
}

// UUID returns the plain UUID of an id in its canonical spelling, or "".
func UUID(s string) string {
	u, ok := decode(s[strings.LastIndexByte(s, '_')+1:])
	if !ok {
		return ""
	}
	return u.String()
}

// format writes the 128 bits most significant first, five a character, after
// two leading zero bits.
func format(k Kind, u uuid.UUID) string {
	hi, lo := binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
	b := make([]byte, len(k)+1+length)
	copy(b, k)
	b[len(k)] = '_'
	for i := len(b) - 1; i > len(k); i-- {
		b[i] = alphabet[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(b)
}

func decode(s string) (u uuid.UUID, ok bool) {
	if len(s) != length || s[0] > '7' { // the first character holds three bits
		return u, false
	}
	var hi, lo uint64
	for i := range len(s) {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 {
			return u, false
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(v)
	}
	binary.BigEndian.PutUint64(u[:8], hi)
	binary.BigEndian.PutUint64(u[8:], lo)
	return u, true
}

// clip bounds what an error repeats of a caller's input.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
