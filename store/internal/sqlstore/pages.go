package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

const pageColumns = `run_id, sequence, url, outcome, reason, status, depth, found_on, final, document_id, fetched_at,
	etag, last_modified, hash, canonical`

// scanPage reads the columns of a page, with more dest behind them.
func scanPage(r Rows, dest ...any) (p knowledge.Page, err error) {
	var fetched int64
	dest = append([]any{&p.RunID, &p.Sequence, &p.URL, &p.Outcome, &p.Reason, &p.Status, &p.Depth, &p.FoundOn, &p.Final, &p.DocumentID,
		&fetched, &p.ETag, &p.LastModified, &p.Hash, &p.Canonical}, dest...)
	err = r.Scan(dest...)
	p.FetchedAt = moment(fetched)
	return p, err
}

// address is how a page is found by its URL.
func address(url string) []byte {
	h := sha256.Sum256([]byte(url))
	return h[:]
}

// linksText returns links as a row holds them: a line each, which is read faster
// than JSON, or as JSON if they are no addresses.
func linksText(run string, links []string) (string, error) {
	if len(links) == 0 {
		return "", nil
	}
	text := strings.Join(links, "\n")
	if text == "" || strings.HasPrefix(text, "[") || strings.Count(text, "\n") >= len(links) {
		return object("pages", run, links)
	}
	return text, nil
}

// readLinks reads what [linksText] returned.
func readLinks(run, text string) (links []string, err error) {
	switch {
	case text == "":
		return nil, nil
	case !strings.HasPrefix(text, "["):
		return strings.Split(text, "\n"), nil
	}
	if err := json.Unmarshal([]byte(text), &links); err != nil {
		return nil, corrupt("pages", run, err)
	}
	return links, nil
}

// Page implements [knowledge.SourceStore].
func (s *Store) Page(ctx context.Context, company, runID, url string) (p knowledge.Page, found bool, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		return all(tx, func(r Rows) (err error) {
			var links string
			if p, err = scanPage(r, &links); err != nil {
				return err
			}
			found = true
			p.Links, err = readLinks(runID, links)
			return err
		}, `SELECT `+pageColumns+`, links FROM pages WHERE company = ? AND run_id = ? AND address = ?`, company, runID, address(url))
	})
	return p, found, err
}

// Pages implements [knowledge.SourceStore].
func (s *Store) Pages(ctx context.Context, company, runID string, p store.Page) (store.List[knowledge.Page], error) {
	return listBy(ctx, s, p, []string{"pages", company, runID}, order{"sequence", "CAST(? AS BIGINT)"},
		func(p knowledge.Page) string { return strconv.FormatInt(p.Sequence, 10) },
		func(r Rows) (knowledge.Page, error) { return scanPage(r) },
		`SELECT `+pageColumns+` FROM pages WHERE company = ? AND run_id = ?`, company, runID)
}

// writePages writes what a run saw. A page that is there already keeps its number,
// and the others get the next ones of the run.
func writePages(tx Tx, company string, r *runRow, pages []knowledge.Page) error {
	numbers := map[string]int64{}
	var each [][]any
	for _, p := range pages {
		each = append(each, []any{company, r.ID, address(p.URL)})
	}
	err := tx.QueryEach(`SELECT url, sequence FROM pages WHERE company = ? AND run_id = ? AND address = ?`, each, func(r Rows) error {
		var url string
		var sequence int64
		err := r.Scan(&url, &sequence)
		numbers[url] = sequence
		return err
	})
	if err != nil {
		return err
	}
	var rows [][]any
	for i, p := range pages {
		links, err := linksText(r.ID, p.Links)
		if err != nil {
			return err
		}
		sequence, there := numbers[p.URL]
		if !there {
			r.pages++
			sequence = r.pages
			numbers[p.URL] = sequence
		}
		rows = append(rows, append(each[i], sequence, p.URL, p.Outcome, p.Reason, p.Status, p.Depth, p.FoundOn, p.Final, p.DocumentID,
			micros(p.FetchedAt), p.ETag, p.LastModified, p.Hash, p.Canonical, links))
	}
	return tx.Each(`INSERT INTO pages (company, run_id, address, sequence, url, outcome, reason, status, depth, found_on, final, document_id,
			fetched_at, etag, last_modified, hash, canonical, links)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (company, run_id, address) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, status = excluded.status,
			depth = excluded.depth, found_on = excluded.found_on, final = excluded.final, document_id = excluded.document_id,
			fetched_at = excluded.fetched_at, etag = excluded.etag, last_modified = excluded.last_modified, hash = excluded.hash,
			canonical = excluded.canonical, links = excluded.links`, rows)
}
