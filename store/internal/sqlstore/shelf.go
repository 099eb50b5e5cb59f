package sqlstore

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A shelf holds the documents of a company that some writes are about, as they
// stand, or as they would stand after writes that are only planned.
type shelf struct {
	tx      Tx
	company string
	byID    map[string]documentRow
	named   map[externalName]string // ids
}

// An externalName is what a document is known by where it comes from.
type externalName struct{ agentID, externalID string }

// readShelf reads the documents that writes may be about. A step that writes gives
// the lock under which they stay as they are.
func readShelf(tx Tx, company string, writes []knowledge.Write, lock string) (*shelf, error) {
	s := &shelf{tx: tx, company: company, byID: map[string]documentRow{}, named: map[externalName]string{}}
	var ids, names []string
	for _, w := range writes {
		if w.ID != "" {
			ids = append(ids, w.ID)
		}
		if w.ExternalID != "" {
			names = append(names, w.ExternalID)
		}
	}
	for _, by := range []struct {
		column, behind string
		values         []string
	}{{`id`, ``, ids}, {`external_id`, ` AND source_id = '' AND external_id <> ''`, names}} { // as the index has it
		err := among(tx, `SELECT `+documentColumns+` FROM documents WHERE company = ? AND `+by.column+` IN `, by.behind+lock, []any{company},
			slices.Compact(slices.Sorted(slices.Values(by.values))), func(r Rows) error {
				d, err := scanDocument(r)
				if err == nil {
					s.put(d)
				}
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// put notes a document as it stands after a write.
func (s *shelf) put(d documentRow) {
	if old, there := s.byID[d.ID]; there {
		delete(s.named, externalName{old.AgentID, old.ExternalID})
	}
	s.byID[d.ID] = d
	if d.ExternalID != "" && d.SourceID == "" {
		s.named[externalName{d.AgentID, d.ExternalID}] = d.ID
	}
}

// byExternalID returns the document of an agent with an external id, if there is
// one.
func (s *shelf) byExternalID(agentID, externalID string) (documentRow, bool) {
	d, there := s.byID[s.named[externalName{agentID, externalID}]]
	return d, there
}

// existing finds the document that a write replaces.
func (s *shelf) existing(w knowledge.Write) (d documentRow, found bool, err error) {
	if w.ID == "" {
		d, found = s.byExternalID(w.AgentID, w.ExternalID)
		return d, found, nil
	}
	if d, found = s.byID[w.ID]; !found {
		err = store.NotFound("document", w.ID)
	}
	return d, found, err
}

// judge returns a document as it is after a write, what the write does to it, and
// whether it has another text. The events of the row count the one that will tell
// of it.
func (s *shelf) judge(w knowledge.Write) (d documentRow, status knowledge.Status, newText bool, err error) {
	old, found, err := s.existing(w)
	if err != nil {
		return old, "", false, err
	}
	if found && w.AgentID == "" {
		w.AgentID = old.AgentID
	}
	if err := s.allowed(old, found, w); err != nil {
		return old, "", false, err
	}
	if found && bytes.Equal(old.hash, w.Hash[:]) {
		return old, knowledge.Unchanged, false, nil
	}
	if !found && w.AgentID != "" {
		if err := haveAgent(s.tx, s.company, w.AgentID, ""); err != nil {
			return old, "", false, err
		}
	}
	if w.ID != "" {
		if other, taken := s.byExternalID(w.AgentID, w.ExternalID); taken && other.ID != old.ID {
			return old, "", false, fmt.Errorf("document %s: %w: external id %q is that of document %s", old.ID, store.ErrConflict, w.ExternalID, other.ID)
		}
	}
	d = documentRow{Document: w.Document, hash: w.Hash[:], textHash: w.TextHash[:], events: old.events + 1}
	d.ID, d.Text, d.State, status, newText = w.NewID, "", knowledge.StateReady, knowledge.Created, true
	d.CreatedAt, d.UpdatedAt = moment(micros(d.CreatedAt)), moment(micros(d.UpdatedAt))
	if found {
		d.ID, d.Version, d.CreatedAt, status = old.ID, old.Version, old.CreatedAt, knowledge.Updated
		if !d.UpdatedAt.After(old.UpdatedAt) {
			d.UpdatedAt = old.UpdatedAt.Add(time.Microsecond)
		}
		if newText = !w.KeepText && !bytes.Equal(old.textHash, w.TextHash[:]); !newText {
			d.textHash = old.textHash
		}
	}
	if newText {
		d.Version++
	}
	return d, status, newText, nil
}

// allowed returns why a write may not be made to the document that is there.
func (s *shelf) allowed(old documentRow, found bool, w knowledge.Write) error {
	switch {
	case old.SourceID != "":
		return fmt.Errorf("document %s: %w: it comes from source %s: change it there, or delete it", old.ID, store.ErrConflict, old.SourceID)
	case w.SourceID != "":
		return fmt.Errorf("document %s: %w: documents of source %s are written by its runs", cmp.Or(old.ID, w.NewID), store.ErrConflict, w.SourceID)
	case w.KeepText && !found:
		return store.NotFound("document", w.ExternalID)
	case found && old.Kind != w.Kind:
		return fmt.Errorf("document %s: %w: it is of kind %q, and keeps it", old.ID, store.ErrConflict, old.Kind)
	case found && old.AgentID != w.AgentID:
		return fmt.Errorf("document %s: %w: it is %s, and stays so", old.ID, store.ErrConflict, owner(old.AgentID))
	case w.IfVersion != 0 && old.Version != w.IfVersion:
		return fmt.Errorf("document %s: %w: it is at version %d, not %d: read it again", old.ID, store.ErrConflict, old.Version, w.IfVersion)
	case !w.IfUpdated.IsZero() && micros(old.UpdatedAt) != micros(w.IfUpdated):
		return fmt.Errorf("document %s: %w: it has changed since it was read: read it again", old.ID, store.ErrConflict)
	}
	return nil
}

func owner(agentID string) string {
	if agentID == "" {
		return "all agents'"
	}
	return "agent " + agentID + "'s"
}
