package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

// A state is all that a database holds of a company.
type state struct {
	documents map[string]*documentRow // by id
	talks     map[string]*talk        // conversations by id
	events    []event.Event           // in the order of the log
	streams   map[string][]event.Event
	changes   map[string]int // entries of the feed, by document
	revisions []int64        // of the feed, each once
	revision  int64          // of the company
	loose     []Fault        // rows that belong to nothing, and damage
	jobs      int
	receipts  map[string]bool // by key: whether done
	audit     map[string]bool // by id
}

type documentRow struct {
	key             string
	version, events int
	step            int // that its metadata names
	texts           map[int]string
}

type talk struct {
	agent.Conversation
	messages []agent.Message // oldest first
	rows     int             // messages in the database
	quotes   []string        // message and document, as the index of citations has them
}

// read reads the state. It asks the store for what has a meaning there, and the
// database for the rows behind it.
func read(ctx context.Context, st answerdesk.Store, db Rows, company string) (*state, error) {
	s := &state{
		documents: map[string]*documentRow{}, talks: map[string]*talk{}, streams: map[string][]event.Event{},
		changes: map[string]int{}, receipts: map[string]bool{}, audit: map[string]bool{},
	}
	for _, part := range []func(context.Context, answerdesk.Store, Rows, string) error{
		s.readDocuments, s.readTalks, s.readEvents, s.readRest,
	} {
		if err := part(ctx, st, db, company); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Rows reads the database of a store: a [sql.DB] for SQLite, whose integrity is then
// checked too, and for any other engine something that takes a question mark for a
// parameter.
type Rows interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls scan for every row of a query.
func each(ctx context.Context, db Rows, query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	return rows.Err()
}

func (s *state) readDocuments(ctx context.Context, _ answerdesk.Store, db Rows, company string) error {
	err := each(ctx, db, `SELECT id, external_id, version, events, metadata FROM documents WHERE company = ?`, func(r *sql.Rows) error {
		var (
			d            = &documentRow{texts: map[int]string{}}
			id, metadata string
			noted        struct{ Step int }
		)
		if err := r.Scan(&id, &d.key, &d.version, &d.events, &metadata); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(metadata), &noted)
		d.step = noted.Step
		s.documents[id] = d
		return err
	}, company)
	if err != nil {
		return err
	}
	return each(ctx, db, `SELECT document_id, version, ordinal, body_at, body FROM passages WHERE company = ?
		ORDER BY document_id, version, ordinal`, func(r *sql.Rows) error {
		var (
			document, body      string
			version, ordinal, n int
		)
		if err := r.Scan(&document, &version, &ordinal, &n, &body); err != nil {
			return err
		}
		d := s.documents[document]
		switch {
		case d == nil:
			s.loose = append(s.loose, Fault{Half, fmt.Sprintf("passage %d of version %d of document %s is there without it", ordinal, version, document)})
		case len(d.texts[version]) != n:
			s.loose = append(s.loose, Fault{Half, fmt.Sprintf("passage %d of version %d of document %s does not follow the one before", ordinal, version, document)})
		default:
			d.texts[version] += body
		}
		return nil
	}, company)
}

func (s *state) readTalks(ctx context.Context, st answerdesk.Store, db Rows, company string) error {
	for p := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := st.Conversations(ctx, company, agent.ConversationFilter{}, p)
		if err != nil {
			return err
		}
		for _, c := range list.Data {
			s.talks[c.ID] = &talk{Conversation: c}
		}
		if p.Cursor = list.NextCursor; !list.HasMore {
			break
		}
	}
	for _, t := range s.talks {
		for p := (store.Page{Limit: store.MaxLimit}); ; {
			list, err := st.Messages(ctx, company, agent.MessageFilter{ConversationID: t.ID}, p)
			if err != nil {
				return err
			}
			t.messages = append(t.messages, list.Data...)
			if p.Cursor = list.NextCursor; !list.HasMore {
				break
			}
		}
		slices.Reverse(t.messages)
	}
	// Every row that belongs to a conversation, by table.
	for _, of := range []struct{ table, row string }{
		{"messages", "CAST(seq AS TEXT)"}, {"steps", "call_id"}, {"citations", "CAST(seq AS TEXT) || ' ' || document_id"},
	} {
		err := each(ctx, db, `SELECT conversation_id, `+of.row+` FROM `+of.table+` WHERE company = ?`, func(r *sql.Rows) error {
			var conversation, row string
			if err := r.Scan(&conversation, &row); err != nil {
				return err
			}
			t := s.talks[conversation]
			switch {
			case t == nil:
				s.loose = append(s.loose, Fault{Half, fmt.Sprintf("row %s of %s is there without its conversation %s", row, of.table, conversation)})
			case of.table == "messages":
				t.rows++
			case of.table == "citations":
				t.quotes = append(t.quotes, row)
			}
			return nil
		}, company)
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *state) readEvents(ctx context.Context, st answerdesk.Store, _ Rows, company string) error {
	for after := ""; ; {
		events, err := st.Events(ctx, company, after, 1000)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, ev := range events {
			s.events = append(s.events, ev)
			s.streams[ev.Stream] = append(s.streams[ev.Stream], ev)
			after = ev.Cursor
		}
	}
}

func (s *state) readRest(ctx context.Context, _ answerdesk.Store, db Rows, company string) error {
	err := each(ctx, db, `SELECT knowledge_revision FROM companies WHERE id = ?`, func(r *sql.Rows) error { return r.Scan(&s.revision) }, company)
	if err != nil {
		return err
	}
	err = each(ctx, db, `SELECT revision, document_id FROM knowledge_changes WHERE company = ? ORDER BY revision`, func(r *sql.Rows) error {
		var (
			revision int64
			document string
		)
		err := r.Scan(&revision, &document)
		s.changes[document]++
		if n := len(s.revisions); n == 0 || s.revisions[n-1] != revision {
			s.revisions = append(s.revisions, revision)
		}
		return err
	}, company)
	if err != nil {
		return err
	}
	err = each(ctx, db, `SELECT key, done FROM receipts WHERE company = ?`, func(r *sql.Rows) error {
		var (
			key  string
			done int
		)
		err := r.Scan(&key, &done)
		s.receipts[key] = done == 1
		return err
	}, company)
	if err != nil {
		return err
	}
	err = each(ctx, db, `SELECT id FROM audit_log WHERE company = ?`, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		s.audit[id] = true
		return err
	}, company)
	if err != nil {
		return err
	}
	for _, table := range []string{"work_jobs", "work_dead"} {
		var n int
		if err := each(ctx, db, `SELECT COUNT(*) FROM `+table, func(r *sql.Rows) error { return r.Scan(&n) }); err != nil {
			return err
		}
		s.jobs += n
	}
	if _, lite := db.(*sql.DB); !lite {
		return nil // a server keeps its files to itself
	}
	return each(ctx, db, `PRAGMA integrity_check`, func(r *sql.Rows) error {
		var line string
		err := r.Scan(&line)
		if line != "ok" {
			s.loose = append(s.loose, Fault{Corrupt, line})
		}
		return err
	})
}

// told reports whether an event tells of a job.
func (s *state) told(job string) bool {
	return slices.ContainsFunc(s.events, func(ev event.Event) bool { return ev.ID == eventOf(job) && ev.Type == queued })
}
