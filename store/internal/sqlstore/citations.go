package sqlstore

import (
	"fmt"

	"github.com/answerdesk-go/answerdesk/agent"
)

// checkCitations compares each quote of a reply with the stored text of the live
// version it cites, and notes which documents the reply quotes.
func checkCitations(tx Tx, company string, conv conversationRow, seq int64, citations []agent.Citation) error {
	noted := make(map[string]bool, len(citations))
	for i, c := range citations {
		var (
			version, bodyAt int64
			owner, body     string
		)
		found, err := one(tx, []any{&version, &owner, &bodyAt, &body}, `SELECT d.version, d.agent_id, p.body_at, p.body
			FROM documents d JOIN passages p ON p.company = d.company AND p.document_id = d.id AND p.version = d.version
			WHERE d.company = ? AND d.id = ? AND p.ordinal = ?`+keyShare+` OF d`, company, c.DocumentID, c.Ordinal)
		if err != nil {
			return err
		}
		from, to := int64(c.Start)-bodyAt, int64(c.End)-bodyAt
		switch {
		case !found || version != int64(c.DocumentVersion):
			return fmt.Errorf("citation %d: %w: document %s version %d is not live", i, agent.ErrCitation, c.DocumentID, c.DocumentVersion)
		case owner != "" && owner != conv.agentID:
			return fmt.Errorf("citation %d: %w: document %s is another agent's", i, agent.ErrCitation, c.DocumentID)
		case from < 0 || to < from || to > int64(len(body)) || body[from:to] != c.Quote || c.Quote == "":
			return fmt.Errorf("citation %d: %w: the quote does not stand at %d to %d of document %s", i, agent.ErrCitation, c.Start, c.End, c.DocumentID)
		}
		if noted[c.DocumentID] {
			continue
		}
		noted[c.DocumentID] = true
		if _, err := tx.Exec(`INSERT INTO citations (company, document_id, conversation_id, seq) VALUES (?, ?, ?, ?)`,
			company, c.DocumentID, conv.id, seq); err != nil {
			return err
		}
	}
	return nil
}
