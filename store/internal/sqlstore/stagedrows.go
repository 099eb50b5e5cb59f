package sqlstore

import (
	"encoding/json"
	"maps"
	"slices"
)

// scanStaged reads a staged row and which run it is of.
func scanStaged(r Rows) (runID string, s stagedRow, err error) {
	var (
		newText, moved      int64
		hash                []byte
		metadata, questions string
		created, updated    int64
	)
	if err := r.Scan(&runID, &s.ID, &s.change, &s.base, &newText, &moved, &s.Version, &s.bytes, &hash, &s.AgentID, &s.SourceID, &s.Kind,
		&s.Title, &s.URL, &s.ExternalID, &s.Language, &metadata, &s.Format, &questions, &s.State, &s.hash, &s.textHash, &created, &updated); err != nil {
		return "", s, err
	}
	if err := json.Unmarshal([]byte(metadata), &s.Metadata); err != nil {
		return "", s, corrupt("staged", s.ID, err)
	}
	if err := json.Unmarshal([]byte(questions), &s.Questions); err != nil {
		return "", s, corrupt("staged", s.ID, err)
	}
	s.newText, s.moved = newText == 1, moved == 1
	s.CreatedAt, s.UpdatedAt = moment(created), moment(updated)
	return runID, s, nil
}

// write writes the rows that a step has changed.
func (st *stage) write() error {
	var (
		old, texts, rows [][]any
		passages         documentRows
	)
	for _, id := range slices.Sorted(maps.Keys(st.touched)) {
		if was, there := st.was[id]; there {
			old = append(old, []any{st.company, id, st.run.ID})
			if was.newText {
				texts = append(texts, []any{st.company, id, was.Version})
			}
		}
		s, there := st.staged[id]
		if !there {
			continue
		}
		args, err := s.args(st.company, st.run.ID)
		if err != nil {
			return err
		}
		rows = append(rows, args)
		if s.write == nil {
			continue
		}
		if err := passages.addPassages(st.company, s.ID, s.Version, *s.write); err != nil {
			return err
		}
	}
	if err := st.tx.Each(deletePassages, texts); err != nil {
		return err
	}
	if err := st.tx.Each(`DELETE FROM staged WHERE company = ? AND document_id = ? AND run_id = ?`, old); err != nil {
		return err
	}
	if err := st.tx.Each(insertStaged, rows); err != nil {
		return err
	}
	return passages.writePassages(st.tx)
}

const insertStaged = `INSERT INTO staged (company, document_id, run_id, ` + stagedColumns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// args returns what [insertStaged] takes.
func (r *stagedRow) args(company, runID string) ([]any, error) {
	metadata, err := object("document", r.ID, r.Metadata)
	if err != nil {
		return nil, err
	}
	questions, err := object("document", r.ID, r.Questions)
	if err != nil {
		return nil, err
	}
	return []any{
		company, r.ID, runID, r.change, r.base, flag(r.newText), flag(r.moved), r.Version, r.bytes, externalHash(r.ExternalID),
		r.AgentID, r.SourceID, string(r.Kind), r.Title, r.URL, r.ExternalID, r.Language, metadata, string(r.Format), questions,
		string(r.State), r.hash, r.textHash, micros(r.CreatedAt), micros(r.UpdatedAt),
	}, nil
}

const deletePassages = `DELETE FROM passages WHERE company = ? AND document_id = ? AND version = ?`

// unstage removes what a condition chooses of what runs have staged.
func unstage(tx Tx, company, where string, args ...any) error {
	args = append([]any{company}, args...)
	var texts [][]any
	err := all(tx, func(r Rows) error {
		var (
			document string
			version  int
		)
		err := r.Scan(&document, &version)
		texts = append(texts, []any{company, document, version})
		return err
	}, `SELECT document_id, version FROM staged WHERE company = ? AND `+where+` AND new_text = 1`, args...)
	if err != nil {
		return err
	}
	if err := tx.Each(deletePassages, texts); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM staged WHERE company = ? AND `+where, args...)
	return err
}

// unstageEach removes what runs have staged of documents: each has company and
// document.
func unstageEach(tx Tx, company string, each [][]any) error {
	var texts [][]any
	err := tx.QueryEach(`SELECT document_id, version FROM staged WHERE company = ? AND document_id = ? AND new_text = 1`, each, func(r Rows) error {
		var (
			document string
			version  int
		)
		err := r.Scan(&document, &version)
		texts = append(texts, []any{company, document, version})
		return err
	})
	if err != nil {
		return err
	}
	if err := tx.Each(deletePassages, texts); err != nil {
		return err
	}
	return tx.Each(`DELETE FROM staged WHERE company = ? AND document_id = ?`, each)
}
