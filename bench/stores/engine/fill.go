package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Fill makes a place with a desk of the first documents of a corpus: all of the
// first company, or as many each for several companies. It returns how many
// passages there are.
func (e *Engine) Fill(ctx context.Context, file string, documents, companies int) (place string, passages int, err error) {
	if place, err = e.New(ctx); err != nil {
		return "", 0, err
	}
	if err := fill(ctx, place, file, documents, companies); err != nil {
		return "", 0, fmt.Errorf("fill %s: %w", e.Name, err)
	}
	rows, err := Rows(ctx, place, "documents", "passages")
	if err == nil && rows["documents"] != documents {
		err = fmt.Errorf("%s has %d documents of %d", e.Name, rows["documents"], documents)
	}
	return place, rows["passages"], err
}

func fill(ctx context.Context, place, file string, documents, companies int) (err error) {
	st, err := Open(ctx, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	desk, err := answerdesk.New(ctx, st, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(desk.Close(), err) }()
	for i := range companies {
		if companies > 1 {
			if _, err := desk.Companies().Create(ctx, fmt.Sprintf("Company %03d", i)); err != nil {
				return err
			}
		}
	}
	owners, err := Owners(ctx, desk, companies)
	if err != nil {
		return err
	}
	var docs []knowledge.Document
	for d, err := range corpus.Documents(file, documents) {
		if err != nil {
			return err
		}
		docs = append(docs, d)
	}
	if len(docs) != documents {
		return fmt.Errorf("%s has %d documents, not %d", file, len(docs), documents)
	}
	each := documents / companies
	for c, owner := range owners {
		part := func(yield func(knowledge.Document, error) bool) {
			for _, d := range docs[c*each : (c+1)*each] {
				if !yield(d, nil) {
					return
				}
			}
		}
		for in, err := range owner.Knowledge().Ingest(ctx, part) {
			if err := errors.Join(err, in.Err); err != nil {
				return err
			}
		}
	}
	return nil
}

// Owners returns the companies between which Fill has shared the documents, in
// their order.
func Owners(ctx context.Context, desk *answerdesk.Desk, companies int) ([]*answerdesk.Company, error) {
	if companies == 1 {
		return []*answerdesk.Company{desk.Company(desk.ID())}, nil
	}
	l, err := desk.Companies().List(ctx, store.Page{Limit: 100})
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(l.Data, func(c access.Company) bool { return c.ID == desk.ID() })
	if len(all) != companies {
		return nil, fmt.Errorf("%d companies, want %d", len(all), companies)
	}
	slices.SortFunc(all, func(a, b access.Company) int { return strings.Compare(a.Name, b.Name) })
	owners := make([]*answerdesk.Company, len(all))
	for i, c := range all {
		owners[i] = desk.Company(c.ID)
	}
	return owners, nil
}
