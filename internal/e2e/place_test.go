package e2e

import (
	"context"
	"errors"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A closingStore is a store that whoever opened it closes.
type closingStore interface {
	answerdesk.Store
	Close() error
}

// openStore opens the store at a place: a folder.
func openStore(ctx context.Context, place string) (closingStore, error) {
	return sqlite.Open(ctx, place, nil)
}

// openPlace opens a desk on the store at a place.
func openPlace(ctx context.Context, place string, opts *answerdesk.Options) (desk *answerdesk.Desk, closeBoth func() error, err error) {
	st, err := openStore(ctx, place)
	if err != nil {
		return nil, nil, err
	}
	if desk, err = answerdesk.New(ctx, st, opts); err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	return desk, func() error { return errors.Join(desk.Close(), st.Close()) }, nil
}
