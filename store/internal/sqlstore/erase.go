package sqlstore

import (
	"errors"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// removeDocument removes a document's rows and its quotes, and counts them.
func removeDocument(tx Tx, company, document string, out *knowledge.Deleted) error {
	if err := eraseQuotes(tx, company, document, out); err != nil {
		return err
	}
	var versions int64
	if _, err := one(tx, []any{&versions}, `SELECT COUNT(DISTINCT version) FROM passages WHERE company = ? AND document_id = ?`,
		company, document); err != nil {
		return err
	}
	passages, err := tx.Exec(`DELETE FROM passages WHERE company = ? AND document_id = ?`, company, document)
	if err != nil {
		return err
	}
	out.Versions += int(versions)
	out.Passages += int(passages)
	_, err = tx.Exec(`DELETE FROM documents WHERE company = ? AND id = ?`, company, document)
	return err
}

// eraseQuotes takes what came from a document out of the replies that cite it.
func eraseQuotes(tx Tx, company, document string, out *knowledge.Deleted) error {
	type place struct {
		conversation string
		seq          int64
	}
	var places []place
	err := all(tx, func(r Rows) error {
		var p place
		err := r.Scan(&p.conversation, &p.seq)
		places = append(places, p)
		return err
	}, `SELECT conversation_id, seq FROM citations WHERE company = ? AND document_id = ? ORDER BY conversation_id, seq`, company, document)
	if err != nil {
		return err
	}
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
		erased := m.Reply.Erase(document)
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
	out.Replies += len(places)
	_, err = tx.Exec(`DELETE FROM citations WHERE company = ? AND document_id = ?`, company, document)
	return err
}

// deleteAgentDocuments removes the documents of one agent, whose conversations, which
// alone may cite them, were removed before.
func deleteAgentDocuments(tx Tx, company, agentID string) error {
	ids, err := column(tx, `SELECT id FROM documents WHERE company = ? AND agent_id = ? ORDER BY id`, company, agentID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := removeDocument(tx, company, id, &knowledge.Deleted{}); err != nil {
			return err
		}
	}
	_, err = advance(tx, company, ids...)
	return err
}
