package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A desk is one on SQLite, as answerdesk.Open opens it.
type desk struct {
	*answerdesk.Desk
	store *timed
	place string
	asked bool // before anything is stored
	spent []time.Duration
}

func openServer(place string) (subject, error)  { return openDesk(place, true) }
func openCommand(place string) (subject, error) { return openDesk(place, false) }

func openDesk(place string, asked bool) (subject, error) {
	ctx := context.Background()
	st, err := sqlite.Open(ctx, place, nil)
	if err != nil {
		return nil, err
	}
	d := &desk{store: &timed{Store: st}, place: place, asked: asked}
	if d.Desk, err = answerdesk.New(ctx, d.store, nil); err != nil {
		return nil, err
	}
	if asked {
		_, err = d.find(ctx, "Is there anything?")
	}
	d.store.rows = 0
	return d, err
}

func (d *desk) ingest(ctx context.Context, plain string) error {
	begun := machine.CPU()
	for in, err := range d.Knowledge().Ingest(ctx, corpus.Unpacked(plain)) {
		if err = errors.Join(err, in.Err); err != nil {
			return err
		}
	}
	d.spent = []time.Duration{machine.CPU() - begun, d.store.rows}
	return nil
}

// stages returns what parts of the CPU time went where.
func (d *desk) stages(all time.Duration) []stage {
	ingest, written := d.spent[0], d.spent[1]
	if d.asked {
		return []stage{{"rows", written}, {"the rest", all - written}}
	}
	read := d.store.rows - written
	return []stage{
		{"parsing", ingest - written}, {"rows", written}, {"reading them", read}, {"index", all - ingest - read},
	}
}

func (d *desk) find(ctx context.Context, question string) ([]string, error) {
	found, err := d.Knowledge().Search(ctx, knowledge.Query{Text: question, Limit: 10})
	var ids []string
	for _, h := range found.Hits {
		ids = append(ids, h.ExternalID)
	}
	return ids, err
}

func (d *desk) count(ctx context.Context) (documents, passages int, err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(d.place, sqlite.FileName))
	if err != nil {
		return 0, 0, err
	}
	err = db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)`).Scan(&documents, &passages)
	return documents, passages, errors.Join(err, db.Close())
}

func (d *desk) close() error { return errors.Join(d.Desk.Close(), d.store.Close()) }

// timed is a store that counts the CPU time of the process while a step about
// knowledge runs. One runs at a time here.
type timed struct {
	*sqlite.Store
	rows time.Duration
}

func (t *timed) count() func() {
	begun := machine.CPU()
	return func() { t.rows += machine.CPU() - begun }
}

func (t *timed) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	defer t.count()()
	return t.Store.WriteDocuments(ctx, c, writes)
}

func (t *timed) DocumentHashes(ctx context.Context, company, agentID string, externalIDs []string) (map[string][32]byte, error) {
	defer t.count()()
	return t.Store.DocumentHashes(ctx, company, agentID, externalIDs)
}

func (t *timed) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	defer t.count()()
	return t.Store.Changes(ctx, company, after, limit)
}

func (t *timed) LiveDocuments(ctx context.Context, company, after string, maxBytes int) ([]knowledge.Live, error) {
	defer t.count()()
	return t.Store.LiveDocuments(ctx, company, after, maxBytes)
}

func (t *timed) LiveDocument(ctx context.Context, company, id string) (knowledge.Live, error) {
	defer t.count()()
	return t.Store.LiveDocument(ctx, company, id)
}
