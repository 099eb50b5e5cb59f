package client

import (
	"errors"
	"iter"
)

// errNoCursor means that a page says there is another one, and not which.
var errNoCursor = errors.New("client: a page says that there are more items and has no cursor to them")

// errSameCursor means that the pages of a list go round in a circle: the server,
// or something before it, does not heed the cursor.
var errSameCursor = errors.New("client: a page leads back to one that was read before")

// A list is a page of any kind.
type list[T any] interface {
	~struct {
		Data       []T    `json:"data"`
		HasMore    bool   `json:"has_more"`
		NextCursor string `json:"next_cursor,omitempty,omitzero"`
	}
}

// all yields the items of a list from the page that params ask for to the last
// one: cursor says where params have their cursor, and read reads a page.
func all[P any, L list[T], T any](params *P, cursor func(*P) **string, read func(*P) (*L, error)) iter.Seq2[*T, error] {
	var begin P
	if params != nil {
		begin = *params
	}
	return func(yield func(*T, error) bool) {
		p := begin
		var mark string // a cursor seen before; Brent's way to find a circle without keeping all
		for n := 1; ; n++ {
			l, err := read(&p)
			if err != nil {
				yield(nil, err)
				return
			}
			page := struct {
				Data       []T
				HasMore    bool
				NextCursor string
			}(*l)
			for i := range page.Data {
				if !yield(&page.Data[i], nil) {
					return
				}
			}
			switch next := page.NextCursor; {
			case !page.HasMore:
				return
			case next == "":
				yield(nil, errNoCursor)
				return
			case next == mark:
				yield(nil, errSameCursor)
				return
			}
			if n&(n-1) == 0 { // powers of two
				mark = page.NextCursor
			}
			*cursor(&p) = &page.NextCursor
		}
	}
}
