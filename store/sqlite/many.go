package sqlite

import (
	"regexp"
	"slices"
	"strings"
)

// A statement that inserts one row costs as much around the row as in it, and looks
// for the row's place from the root of each b-tree. One that inserts many keeps its
// cursors where the row before went, which is where most rows go: their ids are in
// the order of time. So rows are inserted so many at a time, and then, of those that
// are left, fewer. There are few sizes because each is a statement that a connection
// keeps.
var manyRows = []int{32, 4}

// oneRow matches a statement that inserts one row of values, with its values apart.
var oneRow = regexp.MustCompile(`^(?s)(INSERT INTO .* VALUES )(\([^()]*\))([^?]*)$`)

// A many is a statement that inserts a row, in the sizes of [manyRows].
type many struct{ queries []string }

// manyOf returns a statement in its sizes, or nothing if it inserts no row of values.
func (c *conn) manyOf(query string) many {
	m, known := c.many[query]
	if !known {
		if len(c.many) >= maxStatements {
			clear(c.many)
		}
		if part := oneRow.FindStringSubmatch(query); part != nil {
			for _, n := range manyRows {
				m.queries = append(m.queries, part[1]+part[2]+strings.Repeat(", "+part[2], n-1)+part[3])
			}
		}
		c.many[query] = m
	}
	return m
}

// Each implements [sqlstore.Tx].
func (c *conn) Each(query string, args [][]any) error {
	if len(args) >= slices.Min(manyRows) {
		for i, together := range c.manyOf(query).queries {
			for n := manyRows[i]; len(args) >= n; args = args[n:] {
				if _, err := c.Exec(together, slices.Concat(args[:n]...)...); err != nil {
					return err
				}
			}
		}
	}
	for _, a := range args {
		if _, err := c.Exec(query, a...); err != nil {
			return err
		}
	}
	return nil
}
