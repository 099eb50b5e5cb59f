package e2e

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/store/postgres"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// storeVar names the store that the tests of this package run on: unset, folders of
// their own; postgres://…, schemas of their own in that database.
const storeVar = "ANSWERDESK_STORE"

// newPlace returns where a test can keep the data of a desk: a folder that is not
// there yet or, if the environment names a database, a schema of it. Either is
// removed when the test ends.
func newPlace(t testing.TB) string {
	t.Helper()
	if base := os.Getenv(storeVar); isURL(base) {
		return newSchema(t, base)
	}
	return filepath.Join(t.TempDir(), "desk")
}

// isURL reports whether a place is in a database server.
func isURL(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// onlyFolder skips a test that is about the files of a folder when the tests run
// on another store.
func onlyFolder(t testing.TB, why string) {
	t.Helper()
	if isURL(os.Getenv(storeVar)) {
		t.Skip("this is about SQLite's files alone: " + why)
	}
}

// A closingStore is a store that whoever opened it closes.
type closingStore interface {
	answerdesk.Store
	Close() error
}

// openStore opens the store at a place.
func openStore(ctx context.Context, place string) (closingStore, error) {
	if isURL(place) {
		return postgres.Open(ctx, place, nil)
	}
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

// A testDesk is a desk that is closed with its store.
type testDesk struct {
	*answerdesk.Desk
	close func() error
}

// Close closes the desk, and then its store.
func (d testDesk) Close() error { return d.close() }

// open opens a desk.
func open(t testing.TB, place string) testDesk { return openWith(t, place, nil) }

func openWith(t testing.TB, place string, opts *answerdesk.Options) testDesk {
	t.Helper()
	desk, closeBoth, err := openPlace(context.WithoutCancel(t.Context()), place, opts)
	if err != nil {
		t.Fatal(err)
	}
	return testDesk{desk, closeBoth}
}

// raw opens the database of a place beside the store.
func raw(place string) (database, error) {
	if isURL(place) {
		return rawURL(place)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(place, sqlite.FileName)+"?_pragma=busy_timeout(10000)&_pragma=secure_delete(1)")
}

// A database takes statements whose parameters are written as question marks.
type database interface {
	Rows
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	Close() error
}
