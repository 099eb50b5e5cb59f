package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
)

// An fts5 is a full-text table of SQLite, through modernc.org/sqlite, with as much
// care for the disk as a desk takes: WAL, and synchronous=FULL.
type fts5 struct{ db *sql.DB }

func openFTS5(place string) (subject, error) {
	if err := os.MkdirAll(place, 0o700); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(place, "fts5.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE VIRTUAL TABLE IF NOT EXISTS documents USING fts5(id UNINDEXED, title, text, tokenize = 'porter unicode61')`)
	return &fts5{db}, err
}

func (x *fts5) ingest(ctx context.Context, plain string) (err error) {
	insert, err := x.db.PrepareContext(ctx, `INSERT INTO documents (id, title, text) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	var tx *sql.Tx
	n := 0
	for d, err := range corpus.Unpacked(plain) {
		if err != nil {
			return err
		}
		if tx == nil {
			if tx, err = x.db.BeginTx(ctx, nil); err != nil {
				return err
			}
		}
		if _, err := tx.Stmt(insert).ExecContext(ctx, d.ExternalID, d.Title, d.Text); err != nil {
			return err
		}
		if n++; n%*batch == 0 {
			if err := tx.Commit(); err != nil {
				return err
			}
			tx = nil
		}
	}
	if tx != nil {
		return tx.Commit()
	}
	return nil
}

func (x *fts5) find(ctx context.Context, question string) (ids []string, err error) {
	words := strings.Fields(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`"'()*:^+-,.`, r) {
			return ' '
		}
		return r
	}, question))
	rows, err := x.db.QueryContext(ctx, `SELECT id FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT 10`, `"`+strings.Join(words, `" OR "`)+`"`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (x *fts5) count(ctx context.Context) (documents, passages int, err error) {
	err = x.db.QueryRowContext(ctx, `SELECT count(*) FROM documents`).Scan(&documents)
	return documents, documents, err
}

func (x *fts5) close() error { return x.db.Close() }
