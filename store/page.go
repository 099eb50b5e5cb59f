package store

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// Limits of a page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// A Page asks for a part of a list, newest first.
type Page struct {
	Limit  int    // 0 means [DefaultLimit]; at most [MaxLimit]
	Cursor string // NextCursor of the page before; empty for the first
}

// A List is one page of a list.
type List[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor,omitempty"` // empty on the last page
	HasMore    bool   `json:"has_more"`
}

// Check returns the page with its defaults filled in.
func (p Page) Check() (Page, error) {
	if p.Limit == 0 {
		p.Limit = DefaultLimit
	}
	if p.Limit < 1 || p.Limit > MaxLimit {
		return p, fmt.Errorf("limit %d is not between 1 and %d", p.Limit, MaxLimit)
	}
	return p, nil
}

// EncodeCursor returns the cursor behind the item with the id last, in the list
// that scope names: the list, its company and its filter.
func EncodeCursor(last string, scope ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(scopeHash(scope) + last))
}

// DecodeCursor returns the id in a cursor that [EncodeCursor] made for the same
// scope, and "" for an empty one.
func DecodeCursor(cursor string, scope ...string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	last, ok := strings.CutPrefix(string(b), scopeHash(scope))
	if err != nil || !ok || last == "" || len(last) > 64 {
		return "", ErrCursor
	}
	return last, nil
}

// scopeHash is the part of a cursor that binds it to its list. It catches
// mistakes; it keeps no secret, since every query names its company.
func scopeHash(scope []string) string {
	sum := sha256.Sum256([]byte(strings.Join(scope, "\x00")))
	return string(sum[:6])
}
