package sqlstore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
)

// cited is the passage that a citation points to.
type cited struct {
	document string
	ordinal  int
}

// A passageRow is what stands there, and whose it is.
type passageRow struct {
	version, bodyAt int64
	owner, body     string
}

// checkCitations compares each quote of a reply with the stored text of the live
// version it cites, and notes which documents the reply quotes.
func checkCitations(tx Tx, company string, conv conversationRow, seq int64, citations []agent.Citation) error {
	live, err := citedPassages(tx, company, citations)
	if err != nil {
		return err
	}
	var documents []string
	for i, c := range citations {
		p, found := live[cited{c.DocumentID, c.Ordinal}]
		from, to := int64(c.Start)-p.bodyAt, int64(c.End)-p.bodyAt
		switch {
		case !found || p.version != int64(c.DocumentVersion):
			return fmt.Errorf("citation %d: %w: document %s version %d is not live", i, agent.ErrCitation, c.DocumentID, c.DocumentVersion)
		case p.owner != "" && p.owner != conv.agentID:
			return fmt.Errorf("citation %d: %w: document %s is another agent's", i, agent.ErrCitation, c.DocumentID)
		case from < 0 || to < from || to > int64(len(p.body)) || p.body[from:to] != c.Quote || c.Quote == "":
			return fmt.Errorf("citation %d: %w: the quote does not stand at %d to %d of document %s", i, agent.ErrCitation, c.Start, c.End, c.DocumentID)
		}
		documents = append(documents, c.DocumentID)
	}
	slices.Sort(documents)
	var rows [][]any
	for _, d := range slices.Compact(documents) {
		rows = append(rows, []any{company, d, conv.id, seq})
	}
	return tx.Each(`INSERT INTO citations (company, document_id, conversation_id, seq) VALUES (?, ?, ?, ?)`, rows)
}

// citedPassages returns the passages of live versions that citations point to. Their
// documents are locked, one after the other in the order of their ids, so that they
// are not deleted before the reply is there.
func citedPassages(tx Tx, company string, citations []agent.Citation) (map[cited]passageRow, error) {
	places := make([]cited, len(citations))
	for i, c := range citations {
		places[i] = cited{c.DocumentID, c.Ordinal}
	}
	slices.SortFunc(places, func(a, b cited) int {
		return cmp.Or(strings.Compare(a.document, b.document), cmp.Compare(a.ordinal, b.ordinal))
	})
	var args [][]any
	for _, at := range slices.Compact(places) {
		args = append(args, []any{company, at.document, at.ordinal})
	}
	live := make(map[cited]passageRow, len(args))
	err := tx.QueryEach(`SELECT d.id, p.ordinal, d.version, d.agent_id, p.body_at, p.body
		FROM documents d JOIN passages p ON p.company = d.company AND p.document_id = d.id AND p.version = d.version
		WHERE d.company = ? AND d.id = ? AND p.ordinal = ?`+keyShare+` OF d`, args, func(r Rows) error {
		var (
			at cited
			p  passageRow
		)
		err := r.Scan(&at.document, &at.ordinal, &p.version, &p.owner, &p.bodyAt, &p.body)
		live[at] = p
		return err
	})
	return live, err
}

// summaryStands reports whether all documents are there that the replies cite which a
// summary sums up, and keeps them from being deleted before it is stored.
func summaryStands(tx Tx, company string, s *agent.Summary) (bool, error) {
	if s == nil {
		return true, nil
	}
	documents := slices.Compact(slices.Sorted(slices.Values(s.Documents)))
	var each [][]any
	for _, d := range documents {
		each = append(each, []any{company, d})
	}
	n := 0
	err := tx.QueryEach(`SELECT d.id FROM documents d WHERE d.company = ? AND d.id = ?`+keyShare+` OF d`, each, func(r Rows) error {
		var id string
		n++
		return r.Scan(&id)
	})
	return n == len(documents), err
}
