package sqlstore

import (
	"context"

	"github.com/answerdesk-go/answerdesk/store"
)

// list reads a page of rows, newest id first. The query ends in its WHERE
// clause; scope is what binds the page's cursor to it.
func list[T any](ctx context.Context, s *Store, p store.Page, scope []string, id func(T) string,
	scan func(Rows) (T, error), query string, args ...any) (store.List[T], error) {

	return listBy(ctx, s, p, scope, order{"id", "?"}, id, scan, query, args...)
}

// An order is the column that sorts a list, and the parameter it is compared
// with, which is always given as text.
type order struct{ column, param string }

// listBy is list for rows that another column orders.
func listBy[T any](ctx context.Context, s *Store, p store.Page, scope []string, o order, key func(T) string,
	scan func(Rows) (T, error), query string, args ...any) (store.List[T], error) {

	p, err := p.Check()
	if err != nil {
		return store.List[T]{}, err
	}
	last, err := store.DecodeCursor(p.Cursor, scope...)
	if err != nil {
		return store.List[T]{}, err
	}
	if last != "" {
		query += ` AND ` + o.column + ` < ` + o.param
		args = append(args, last)
	}
	query += ` ORDER BY ` + o.column + ` DESC LIMIT ?`
	args = append(args, p.Limit+1)

	out := store.List[T]{Data: []T{}}
	err = s.engine.Get(ctx, func(tx Tx) error {
		out.Data = out.Data[:0]
		return all(tx, func(r Rows) error {
			v, err := scan(r)
			out.Data = append(out.Data, v)
			return err
		}, query, args...)
	})
	if err != nil {
		return store.List[T]{}, err
	}
	if len(out.Data) > p.Limit {
		out.Data = out.Data[:p.Limit]
		out.HasMore = true
		out.NextCursor = store.EncodeCursor(key(out.Data[p.Limit-1]), scope...)
	}
	return out, nil
}
