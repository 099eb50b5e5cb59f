package sqlstore

import (
	"bytes"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A shelf is a company's documents as they stand, or as they would stand after
// writes that are only planned.
type shelf struct {
	tx      Tx
	company string
	lock    string                 // of the agent that a new document is for
	planned map[string]documentRow // by id
}

// byID returns the document with an id, if there is one.
func (s shelf) byID(id string) (documentRow, bool, error) {
	if d, ok := s.planned[id]; ok {
		return d, true, nil
	}
	return findDocument(s.tx, `company = ? AND id = ?`, s.company, id)
}

// byExternalID returns the document of an agent with an external id, if there is
// one.
func (s shelf) byExternalID(agentID, externalID string) (documentRow, bool, error) {
	if externalID == "" {
		return documentRow{}, false, nil
	}
	for _, d := range s.planned {
		if d.AgentID == agentID && d.ExternalID == externalID {
			return d, true, nil
		}
	}
	d, found, err := findDocument(s.tx, `company = ? AND agent_id = ? AND external_id = ? AND external_id <> ''`, s.company, agentID, externalID)
	if _, renamed := s.planned[d.ID]; renamed {
		return documentRow{}, false, err
	}
	return d, found, err
}

// existing finds the document that a write replaces.
func (s shelf) existing(w knowledge.Write) (d documentRow, found bool, err error) {
	if w.ID == "" {
		return s.byExternalID(w.AgentID, w.ExternalID)
	}
	d, found, err = s.byID(w.ID)
	if err == nil && !found {
		err = store.NotFound("document", w.ID)
	}
	return d, found, err
}

// judge returns a document as it is after a write, what the write does to it, and
// whether it has another text. The events of the row count the one that will tell
// of it.
func (s shelf) judge(w knowledge.Write) (d documentRow, status knowledge.Status, newText bool, err error) {
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
		if err := haveAgent(s.tx, s.company, w.AgentID, s.lock); err != nil {
			return old, "", false, err
		}
	}
	if w.ID != "" {
		other, taken, err := s.byExternalID(w.AgentID, w.ExternalID)
		if err != nil {
			return old, "", false, err
		}
		if taken && other.ID != old.ID {
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
func (s shelf) allowed(old documentRow, found bool, w knowledge.Write) error {
	switch {
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
