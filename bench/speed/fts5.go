package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
)

// An fts5 is a full-text table of SQLite that stores no text, through
// modernc.org/sqlite, beside a table of what narrow questions filter by.
type fts5 struct {
	db   *sql.DB
	stop bool // words that stand everywhere are not asked for
}

func openFTS5(place string) (engine, error)     { return fts5At(place, false) }
func openFTS5Stop(place string) (engine, error) { return fts5At(place, true) }

func fts5At(place string, stop bool) (engine, error) {
	if err := os.MkdirAll(place, 0o700); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(place, "fts5.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE VIRTUAL TABLE IF NOT EXISTS documents USING fts5(title, text, content = '', tokenize = 'porter unicode61');
		CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, section TEXT NOT NULL, price INTEGER NOT NULL)`)
	return &fts5{db, stop}, err
}

func (x *fts5) build(ctx context.Context) error {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	text, err := tx.PrepareContext(ctx, `INSERT INTO documents (rowid, title, text) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	meta, err := tx.PrepareContext(ctx, `INSERT INTO meta VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	n := 0
	for d, err := range corpus.Unpacked(*plain) {
		if err != nil {
			return err
		}
		_, err = text.ExecContext(ctx, n+1, d.Title, d.Text)
		if err == nil {
			_, err = meta.ExecContext(ctx, n+1, owner(n), section(n), n%100)
		}
		if err != nil {
			return err
		}
		n++
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO documents (documents) VALUES ('optimize')`); err != nil {
		return err
	}
	return tx.Commit()
}

// common are the words that Lucene leaves out by default.
var common = strings.Fields("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with")

func (x *fts5) words(question string) []string {
	words := strings.FieldsFunc(question, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
	if x.stop {
		words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(common, strings.ToLower(w)) })
	}
	return words
}

func (x *fts5) wide(question string) ([]string, error) {
	return x.ask(`SELECT rowid - 1 FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT 10`, `"`+strings.Join(x.words(question), `" OR "`)+`"`)
}

func (x *fts5) narrow(question string) ([]string, error) {
	words := x.words(question)
	return x.ask(`SELECT d.rowid - 1 FROM documents d JOIN meta m ON m.id = d.rowid
		WHERE documents MATCH ? AND m.agent IN ('', 'asking') AND m.section IN ('s0', 's1', 's2', 's3') AND m.price < 95 ORDER BY d.rank LIMIT 10`,
		`"`+strings.Join(words, `" OR "`)+`" OR "`+strings.Join(words, ` `)+`"`)
}

func (x *fts5) typo(string) ([]string, error) { return nil, nil }

func (x *fts5) ask(query, match string) (ids []string, err error) {
	if match == `""` {
		return []string{}, nil
	}
	rows, err := x.db.Query(query, match)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	ids = []string{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (x *fts5) close() error { return x.db.Close() }
