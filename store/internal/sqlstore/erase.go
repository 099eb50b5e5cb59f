package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// DeleteDocument implements [knowledge.Store].
func (s *Store) DeleteDocument(ctx context.Context, c store.Commit, documentID string) (out knowledge.Deleted, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		if err := lockKnowledge(tx, c.Company); err != nil {
			return err
		}
		d, err := readDocument(tx, c.Company, documentID, "")
		if err != nil {
			return err
		}
		out = knowledge.Deleted{DocumentID: d.ID, DeletedAt: time.Now().UTC().Truncate(time.Microsecond)}
		if err := bury(tx, c.Company, d, out.DeletedAt); err != nil {
			return err
		}
		gone, err := removeDocuments(tx, c.Company, []string{d.ID}, &out)
		if err != nil {
			return err
		}
		if out.Revision, err = advance(tx, c.Company, d.ID); err != nil {
			return err
		}
		c.Events = append(foreign(c.Events), deletions(gone, out.DeletedAt, "")...)
		return s.write(c, tx)
	})
	return out, err
}

// bury leaves a tombstone for a document of a source, and takes out of the way what
// the source's runs have staged of it.
func bury(tx Tx, company string, d documentRow, at time.Time) error {
	if d.SourceID == "" {
		return nil
	}
	if _, _, err := lockSource(tx, company, d.SourceID, forChange); err != nil {
		return err
	}
	texts := [][]byte{d.textHash} // of all that is kept of it
	err := all(tx, func(r Rows) error {
		var hash []byte
		err := r.Scan(&hash)
		if !slices.ContainsFunc(texts, func(t []byte) bool { return bytes.Equal(t, hash) }) {
			texts = append(texts, hash)
		}
		return err
	}, `SELECT text_hash FROM document_versions WHERE company = ? AND document_id = ?`, company, d.ID)
	if err != nil {
		return err
	}
	type place struct {
		where string
		args  []any
	}
	staged := []place{
		{`document_id = ?`, []any{d.ID}},
		{`source_id = ? AND external_id = ?`, []any{d.SourceID, d.ExternalID}},
	}
	var rows [][]any
	for _, hash := range texts {
		rows = append(rows, []any{company, d.SourceID, d.ID, externalHash(d.ExternalID), hash, micros(at)})
		staged = append(staged, place{`source_id = ? AND text_hash = ? AND change <> 'deleted'`, []any{d.SourceID, hash}})
	}
	if err := tx.Each(`INSERT INTO tombstones (company, source_id, document_id, external_hash, text_hash, created_at)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, rows); err != nil {
		return err
	}
	for _, what := range staged {
		if err := unstage(tx, company, what.where, what.args...); err != nil {
			return err
		}
	}
	return nil
}

// externalHash is how a tombstone holds an external id.
func externalHash(externalID string) []byte {
	h := sha256.Sum256([]byte(externalID))
	return h[:]
}

// deletions returns the events that tell of documents that are gone.
func deletions(gone []documentRow, at time.Time, runID string) []event.Event {
	events := make([]event.Event, len(gone))
	for i, d := range gone {
		events[i] = event.Event{
			ID: id.New(id.Event), Type: event.ContentDeleted, Stream: d.ID, Sequence: d.events + 1, CreatedAt: at,
			Refs: event.Refs{AgentID: d.AgentID, DocumentID: d.ID, SourceID: d.SourceID, RunID: runID},
		}
	}
	return events
}

// removeDocuments removes the rows of documents and their quotes, counts them, and
// returns what the documents were. What runs have staged of them is not counted.
func removeDocuments(tx Tx, company string, ids []string, out *knowledge.Deleted) (gone []documentRow, err error) {
	ids = slices.Sorted(slices.Values(ids))
	each := make([][]any, len(ids))
	for i, d := range ids {
		each[i] = []any{company, d}
	}
	err = tx.QueryEach(`SELECT `+documentColumns+` FROM documents WHERE company = ? AND id = ?`+forUpdate, each, func(r Rows) error {
		d, err := scanDocument(r)
		gone = append(gone, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := eraseQuotes(tx, company, each, out); err != nil {
		return nil, err
	}
	count := func(n *int, query string, each [][]any) error {
		return tx.QueryEach(query, each, func(r Rows) error {
			var some int
			err := r.Scan(&some)
			*n += some
			return err
		})
	}
	older := make([][]any, len(gone))
	for i, d := range gone {
		older[i] = []any{company, d.ID, d.Version}
	}
	out.Versions += len(gone) // the live ones, whether they have rows or not
	if err := count(&out.Versions, `SELECT COUNT(*) FROM document_versions WHERE company = ? AND document_id = ? AND version <> ?`, older); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(gone, func(d documentRow) bool { return d.SourceID != "" }) {
		if err := unstageEach(tx, company, each); err != nil {
			return nil, err
		}
	}
	if err := count(&out.Passages, `SELECT COUNT(*) FROM passages WHERE company = ? AND document_id = ?`, each); err != nil {
		return nil, err
	}
	if err := dropVectors(tx, each); err != nil {
		return nil, err
	}
	for _, query := range []string{
		`DELETE FROM passages WHERE company = ? AND document_id = ?`,
		`DELETE FROM document_versions WHERE company = ? AND document_id = ?`,
		`DELETE FROM documents WHERE company = ? AND id = ?`,
	} {
		if err := tx.Each(query, each); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// A place is where a reply stands.
type place struct {
	conversation string
	seq          int64
}

// addSummaries adds the replies that keep a summary of the conversation before them to
// those that quote documents, where a reply before them does: it may be of that one.
func addSummaries(tx Tx, company string, quoted map[place][]string) error {
	first, documents := map[string]int64{}, map[string][]string{}
	for p, ds := range quoted {
		if at, ok := first[p.conversation]; !ok || p.seq < at {
			first[p.conversation] = p.seq
		}
		documents[p.conversation] = append(documents[p.conversation], ds...)
	}
	var each [][]any
	for _, conversation := range slices.Sorted(maps.Keys(first)) {
		each = append(each, []any{company, conversation, first[conversation]})
	}
	return tx.QueryEach(`SELECT conversation_id, seq FROM messages
		WHERE company = ? AND conversation_id = ? AND seq > ? AND role = 'agent' AND body LIKE '%"summary":{%'`, each, func(r Rows) error {
		var p place
		err := r.Scan(&p.conversation, &p.seq)
		for _, d := range documents[p.conversation] {
			if !slices.Contains(quoted[p], d) {
				quoted[p] = append(quoted[p], d)
			}
		}
		return err
	})
}

// eraseQuotes takes what came from documents out of the replies that cite them:
// each has company and document.
func eraseQuotes(tx Tx, company string, each [][]any, out *knowledge.Deleted) error {
	quoted := map[place][]string{} // documents
	err := tx.QueryEach(`SELECT conversation_id, seq, document_id FROM citations WHERE company = ? AND document_id = ?`, each, func(r Rows) error {
		var p place
		var document string
		err := r.Scan(&p.conversation, &p.seq, &document)
		quoted[p] = append(quoted[p], document)
		return err
	})
	if err != nil {
		return err
	}
	replies := len(quoted)
	if err := addSummaries(tx, company, quoted); err != nil {
		return err
	}
	places := make([]place, 0, len(quoted))
	for p := range quoted {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(strings.Compare(a.conversation, b.conversation), cmp.Compare(a.seq, b.seq))
	})
	for _, p := range places {
		m, err := readMessage(tx, `company = ? AND conversation_id = ? AND seq = ?`, company, p.conversation, p.seq)
		if errors.Is(err, store.ErrNotFound) {
			continue // its conversation was deleted just now
		}
		if err != nil {
			return err
		}
		if m.Reply == nil {
			return corrupt("messages", m.ID, fmt.Errorf("a message that cites is not a reply"))
		}
		erased := *m.Reply
		var quotes []string
		for _, document := range quoted[p] {
			quotes = append(quotes, erased.Quotes(document)...)
			erased = erased.Erase(document)
		}
		if err := eraseSteps(tx, company, p.conversation, p.seq/2, quotes); err != nil {
			return err
		}
		m.Reply, m.Text = &erased, erased.Text
		body, err := messageBody(m)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE messages SET text = ?, body = ? WHERE company = ? AND conversation_id = ? AND seq = ?`,
			m.Text, body, company, p.conversation, p.seq); err != nil {
			return err
		}
	}
	out.Replies += replies
	return tx.Each(`DELETE FROM citations WHERE company = ? AND document_id = ?`, each)
}

// deleteAgentDocuments removes the documents of one agent, whose conversations, which
// alone may cite them, were removed before, and counts them.
func deleteAgentDocuments(tx Tx, company, agentID string, out *agent.Deleted) error {
	ids, err := column(tx, `SELECT id FROM documents WHERE company = ? AND agent_id = ? AND agent_id <> '' ORDER BY id`, company, agentID)
	if err != nil {
		return err
	}
	var gone knowledge.Deleted
	if _, err := removeDocuments(tx, company, ids, &gone); err != nil {
		return err
	}
	out.Versions, out.Passages = gone.Versions, gone.Passages
	out.Revision, err = advance(tx, company, ids...)
	return err
}
