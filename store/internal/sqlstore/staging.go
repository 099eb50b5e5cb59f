package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// What a run does to a document it has staged.
const (
	stagedCreate = "created"
	stagedUpdate = "updated"
	stagedDelete = "deleted"
)

// A stagedRow is what a run will do to a document.
type stagedRow struct {
	documentRow        // as it will be; of one to be deleted only the ids
	change      string //
	base        int64  // when the live document was updated; 0 if there is none
	newText     bool   // it has passages of its own
	moved       bool   // the live document has another external id
	bytes       int    // of its text

	write *knowledge.Write // with passages that are still to be written
}

const stagedColumns = `change, base_at, new_text, moved, version, bytes, external_hash, agent_id, source_id, kind, title, url, external_id,
	language, metadata, format, questions, state, hash, text_hash, created_at, updated_at`

// A stage is what a run has staged of some documents, and what of them is live.
type stage struct {
	tx      Tx
	company string
	run     runRow
	agentID string // of the source

	live   map[string]documentRow // documents of the company, by id
	names  map[string]string      // ids of live documents of the source, by external id
	staged map[string]*stagedRow  // by document id
	was    map[string]stagedRow   // as they were before this step
	taken  map[string][]int       // versions under which other runs have staged passages, by document id

	named       map[string]string // ids of staged documents, by external id
	buriedNames set               // hashes of external ids that somebody has deleted
	buriedTexts set               // hashes of texts that somebody has deleted
	touched     set               // documents whose rows this step changes
}

// openStage locks a run with its source, for the holder of a lease.
func openStage(tx Tx, l store.Lease, runID string) (*stage, error) {
	if err := haveCompany(tx, l.Company, keyShare); err != nil {
		return nil, err
	}
	st := &stage{
		tx: tx, company: l.Company, live: map[string]documentRow{}, names: map[string]string{}, staged: map[string]*stagedRow{},
		was: map[string]stagedRow{}, taken: map[string][]int{}, named: map[string]string{},
		buriedNames: set{}, buriedTexts: set{}, touched: set{},
	}
	if _, err := one(tx, []any{&st.agentID}, `SELECT agent_id FROM sources WHERE company = ? AND id =
		(SELECT source_id FROM runs WHERE company = ? AND id = ?)`+forChange, l.Company, l.Company, runID); err != nil {
		return nil, err
	}
	var err error
	if st.run, err = hold(tx, l.Company, l, runID); err != nil {
		return nil, err
	}
	if st.run.SourceID == "" {
		return nil, fmt.Errorf("run %s: %w: it is of no source", runID, store.ErrConflict)
	}
	return st, nil
}

// keys returns the arguments of a statement that is run for each of some values.
func keys(values set, before ...any) (args [][]any) {
	for _, v := range slices.Sorted(maps.Keys(values)) {
		if v != "" {
			args = append(args, append(slices.Clone(before), v))
		}
	}
	return args
}

// A set of texts.
type set = map[string]bool

// read reads what documents with some ids or external ids of the source are.
func (st *stage) read(ids, names set) error {
	note := func(r Rows) error {
		d, err := scanDocument(r)
		st.live[d.ID] = d
		if d.SourceID == st.run.SourceID && d.ExternalID != "" {
			st.names[d.ExternalID] = d.ID
		}
		return err
	}
	if err := st.tx.QueryEach(`SELECT `+documentColumns+` FROM documents WHERE company = ? AND source_id = ? AND external_id = ?
		AND external_id <> ''`, keys(names, st.company, st.run.SourceID), note); err != nil {
		return err
	}
	ids = maps.Clone(ids)
	if err := st.tx.QueryEach(`SELECT document_id FROM staged WHERE company = ? AND source_id = ? AND external_id = ? AND run_id = ?`,
		appended(keys(names, st.company, st.run.SourceID), st.run.ID), func(r Rows) error {
			var id string
			err := r.Scan(&id)
			ids[id] = true
			return err
		}); err != nil {
		return err
	}
	if err := st.tx.QueryEach(`SELECT `+documentColumns+` FROM documents WHERE company = ? AND id = ?`, keys(ids, st.company), note); err != nil {
		return err
	}
	for id := range st.live {
		ids[id] = true
	}
	return st.tx.QueryEach(`SELECT run_id, document_id, `+stagedColumns+` FROM staged WHERE company = ? AND document_id = ?`,
		keys(ids, st.company), func(r Rows) error {
			runID, row, err := scanStaged(r)
			switch {
			case err != nil:
				return err
			case runID == st.run.ID:
				st.was[row.ID] = row
				st.put(row)
			case row.newText:
				st.taken[row.ID] = append(st.taken[row.ID], row.Version)
			}
			return nil
		})
}

// appended returns lists of arguments with one more at the end of each.
func appended(args [][]any, last any) [][]any {
	for i := range args {
		args[i] = append(args[i], last)
	}
	return args
}

func (st *stage) put(row stagedRow) {
	st.drop(row.ID)
	st.staged[row.ID] = &row
	if row.change != stagedDelete {
		st.named[row.ExternalID] = row.ID
	}
}

func (st *stage) drop(id string) {
	if row, there := st.staged[id]; there {
		if st.named[row.ExternalID] == id {
			delete(st.named, row.ExternalID)
		}
		delete(st.staged, id)
	}
}

// readTombstones reads which of some documents, external ids and texts somebody has
// deleted.
func (st *stage) readTombstones(names, texts set) error {
	hashes := set{}
	for name := range names {
		hashes[string(externalHash(name))] = true
	}
	for _, what := range []struct {
		column string
		values set
		buried map[string]bool
	}{{"external_hash", hashes, st.buriedNames}, {"text_hash", texts, st.buriedTexts}} {
		var args [][]any
		for _, v := range slices.Sorted(maps.Keys(what.values)) {
			args = append(args, []any{st.company, st.run.SourceID, []byte(v)})
		}
		if err := st.tx.QueryEach(`SELECT `+what.column+` FROM tombstones WHERE company = ? AND source_id = ? AND `+what.column+` = ?`, args,
			func(r Rows) error {
				var hash []byte
				err := r.Scan(&hash)
				what.buried[string(hash)] = true
				return err
			}); err != nil {
			return err
		}
	}
	return nil
}

// Stage implements [knowledge.RunStore].
func (s *Store) Stage(ctx context.Context, l store.Lease, runID string, in knowledge.Staging) (out []knowledge.Staged, err error) {
	rows := 0
	err = s.engine.WriteLong(ctx, func(tx Tx) error {
		out, rows = make([]knowledge.Staged, 0, len(in.Writes)), 0
		st, err := openStage(tx, l, runID)
		if err != nil {
			return err
		}
		ids, names, texts := set{}, set{}, set{}
		for _, w := range in.Writes {
			ids[w.ID], ids[w.NewID], names[w.ExternalID], texts[string(w.TextHash[:])] = true, true, true, true
		}
		for _, id := range in.Deletes {
			ids[id] = true
		}
		if len(in.Writes)+len(in.Deletes) > 0 {
			if err := st.read(ids, names); err != nil {
				return err
			}
			for _, w := range in.Writes {
				if w.KeepText {
					texts[string(st.live[st.idOf(w)].textHash)] = true
				}
			}
			if err := st.readTombstones(names, texts); err != nil {
				return err
			}
		}
		for i, w := range in.Writes {
			staged, err := st.add(w)
			if err != nil {
				return ofItem(i, err)
			}
			out = append(out, staged)
		}
		for _, id := range in.Deletes {
			st.remove(id)
		}
		for id := range st.touched {
			if _, there := st.staged[id]; there {
				rows++
			}
		}
		if err := st.write(); err != nil {
			return err
		}
		if len(in.Pages) == 0 {
			return nil
		}
		before := st.run.pages
		if err := writePages(tx, st.company, &st.run, in.Pages); err != nil || st.run.pages == before {
			return err
		}
		_, err = tx.Exec(`UPDATE runs SET pages = ? WHERE company = ? AND id = ?`, st.run.pages, st.company, st.run.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.grew(ctx, &s.staging, "staged", rows)
	return out, nil
}

// ofSource returns the live document of an id if it is one of the run's source.
func (st *stage) ofSource(id string) (documentRow, bool) {
	d, there := st.live[id]
	return d, there && d.SourceID == st.run.SourceID
}

// byName returns the id of the document that has an external id by what is staged
// or, where nothing else is staged of it, by what is live.
func (st *stage) byName(externalID string) string {
	if externalID == "" {
		return ""
	}
	if id := st.named[externalID]; id != "" {
		return id
	}
	id := st.names[externalID]
	if row, there := st.staged[id]; there && row.change != stagedDelete {
		return "" // it will have another one
	}
	return id
}

// idOf returns the id of the document that a write is of, empty if that is new.
func (st *stage) idOf(w knowledge.Write) string {
	if w.ID != "" {
		return w.ID
	}
	return st.byName(w.ExternalID)
}

// add stages a write.
func (st *stage) add(w knowledge.Write) (out knowledge.Staged, err error) {
	id := st.idOf(w)
	old, found := st.ofSource(id)
	if err := st.allowed(w, id, old, found); err != nil {
		return out, err
	}
	textHash := w.TextHash[:]
	if w.KeepText {
		textHash = old.textHash
	}
	out = knowledge.Staged{DocumentID: id, ExternalID: w.ExternalID}
	copy(out.TextHash[:], textHash)
	switch {
	case found && bytes.Equal(old.hash, w.Hash[:]):
		out.Status = knowledge.Unchanged
		copy(out.TextHash[:], old.textHash)
		st.drop(id)
		st.touched[id] = true
		return out, nil
	case st.buriedNames[string(externalHash(w.ExternalID))] || st.buriedTexts[string(textHash)]:
		out.Status = knowledge.Refused
		return out, nil
	case id == "":
		id, out.DocumentID = w.NewID, w.NewID
	}
	row := stagedRow{
		documentRow: documentRow{Document: w.Document, hash: w.Hash[:], textHash: textHash},
		change:      stagedCreate, newText: true, bytes: len(w.Text),
	}
	row.ID, row.Text, row.State = id, "", knowledge.StateReady
	row.SourceID, row.AgentID, row.Version = st.run.SourceID, st.agentID, 1
	row.CreatedAt, row.UpdatedAt = moment(micros(row.CreatedAt)), moment(micros(row.UpdatedAt))
	out.Status = knowledge.Created
	if found {
		row.replace(old)
		row.newText = !w.KeepText && !bytes.Equal(old.textHash, textHash)
		out.Status = knowledge.Updated
	}
	if row.newText {
		row.Version, row.write = st.freeVersion(id, old.Version+1), &w
	}
	st.put(row)
	st.touched[id] = true
	return out, nil
}

// replace makes of a staged row one that changes a live document.
func (r *stagedRow) replace(old documentRow) {
	r.ID, r.change, r.base, r.moved = old.ID, stagedUpdate, micros(old.UpdatedAt), old.ExternalID != r.ExternalID
	r.Version, r.CreatedAt = old.Version, old.CreatedAt
	if !r.UpdatedAt.After(old.UpdatedAt) {
		r.UpdatedAt = old.UpdatedAt.Add(time.Microsecond)
	}
}

// freeVersion returns the first version from one on under which no other run has
// staged passages of a document. Where that is not the next one, publishing moves
// them there.
func (st *stage) freeVersion(id string, version int) int {
	for slices.Contains(st.taken[id], version) {
		version++
	}
	return version
}

// allowed returns why a write may not be staged.
func (st *stage) allowed(w knowledge.Write, id string, old documentRow, found bool) error {
	row, isStaged := st.staged[id]
	isStaged = isStaged && row.change != stagedDelete
	named := st.byName(w.ExternalID)
	if row, there := st.staged[named]; there && row.change == stagedDelete {
		named = "" // it makes room
	}
	switch {
	case w.ID != "" && !found && !isStaged:
		return store.NotFound("document", w.ID)
	case id != "" && named != "" && named != id:
		return fmt.Errorf("document %s: %w: external id %q is that of document %s", id, store.ErrConflict, w.ExternalID, named)
	case w.KeepText && !found:
		return store.NotFound("document", w.ExternalID)
	case found && old.Kind != w.Kind:
		return fmt.Errorf("document %s: %w: it is of kind %q, and keeps it", old.ID, store.ErrConflict, old.Kind)
	case w.IfVersion != 0 && old.Version != w.IfVersion:
		return fmt.Errorf("document %s: %w: it is at version %d, not %d: read it again", old.ID, store.ErrConflict, old.Version, w.IfVersion)
	case !w.IfUpdated.IsZero() && micros(old.UpdatedAt) != micros(w.IfUpdated):
		return fmt.Errorf("document %s: %w: it has changed since it was read: read it again", old.ID, store.ErrConflict)
	}
	if id == "" {
		_, live := st.live[w.NewID]
		if _, there := st.staged[w.NewID]; live || there {
			return fmt.Errorf("document %s: %w: it is there already", w.NewID, store.ErrConflict)
		}
	}
	return nil
}

// remove stages the deletion of a document.
func (st *stage) remove(id string) {
	st.drop(id)
	st.touched[id] = true
	if d, there := st.ofSource(id); there {
		st.put(stagedRow{documentRow: d, change: stagedDelete, base: micros(d.UpdatedAt)})
	}
}

// StagedDocuments implements [knowledge.RunStore].
func (s *Store) StagedDocuments(ctx context.Context, company, runID, after string, limit int) (out []knowledge.Staged, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		out = nil
		return all(tx, func(r Rows) error {
			var d knowledge.Staged
			var hash []byte
			err := r.Scan(&d.DocumentID, &d.ExternalID, &d.Status, &hash)
			copy(d.TextHash[:], hash)
			out = append(out, d)
			return err
		}, `SELECT document_id, external_id, change, text_hash FROM staged
			WHERE company = ? AND run_id = ? AND document_id > ? AND change <> 'deleted' ORDER BY document_id LIMIT ?`,
			company, runID, after, limit)
	})
	return out, err
}

// Restage implements [knowledge.RunStore].
func (s *Store) Restage(ctx context.Context, l store.Lease, runID, from, to string) error {
	return s.engine.WriteLong(ctx, func(tx Tx) error {
		st, err := openStage(tx, l, runID)
		if err != nil {
			return err
		}
		if err := st.read(set{from: true, to: true}, nil); err != nil {
			return err
		}
		moving, isStaged := st.was[from]
		old, found := st.ofSource(to)
		switch _, live := st.ofSource(from); {
		case !isStaged || moving.change == stagedDelete:
			return store.NotFound("staged document", from)
		case live:
			return fmt.Errorf("document %s: %w: it would not be new", from, store.ErrConflict)
		case !found:
			return store.NotFound("document", to)
		}
		if was, there := st.was[to]; there {
			if err := unstage(tx, st.company, `document_id = ? AND run_id = ?`, was.ID, st.run.ID); err != nil {
				return err
			}
		}
		next := moving
		next.replace(old)
		if next.newText = !bytes.Equal(old.textHash, moving.textHash); next.newText {
			next.Version = st.freeVersion(to, old.Version+1)
			if _, err := tx.Exec(`UPDATE passages SET document_id = ?, version = ? WHERE company = ? AND document_id = ? AND version = ?`,
				to, next.Version, st.company, from, moving.Version); err != nil {
				return err
			}
		}
		if err := unstage(tx, st.company, `document_id = ? AND run_id = ?`, from, st.run.ID); err != nil {
			return err
		}
		clear(st.was)
		st.put(next)
		st.touched[to] = true
		if err := st.write(); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE pages SET document_id = ? WHERE company = ? AND run_id = ? AND document_id = ? AND document_id <> ''`,
			to, st.company, st.run.ID, from)
		return err
	})
}
