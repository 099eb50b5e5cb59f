package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Maintain empties the write-ahead log if nobody reads it, so that the bytes of
// what was deleted leave it too. Deleting tries this at once; when readers were
// in the way, [answerdesk.Desk.Run] calls it again within a minute, and Close
// does. It reports whether the log is empty.
//
// [answerdesk.Desk.Run]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk#Desk.Run
func (s *Store) Maintain(ctx context.Context) (bool, error) {
	if s.path != "" { // empty already, perhaps by another process
		info, err := os.Stat(s.path + "-wal")
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			return true, nil
		}
	}
	err := s.writer.outside(ctx, (*conn).truncate)
	if errors.Is(err, errBusy) {
		return false, nil
	}
	return err == nil, err
}

// DeleteDocument implements [knowledge.Store].
func (s *Store) DeleteDocument(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	out, err := s.Store.DeleteDocument(ctx, c, id)
	if err != nil {
		return out, err
	}
	s.scrub(ctx)
	return out, nil
}

// DeleteConversation implements [agent.ConversationStore].
func (s *Store) DeleteConversation(ctx context.Context, c store.Commit, id string) error {
	if err := s.Store.DeleteConversation(ctx, c, id); err != nil {
		return err
	}
	s.scrub(ctx)
	return nil
}

// DeleteAgent implements [agent.AgentStore].
func (s *Store) DeleteAgent(ctx context.Context, c store.Commit, id string) error {
	if err := s.Store.DeleteAgent(ctx, c, id); err != nil {
		return err
	}
	s.scrub(ctx)
	return nil
}

// DeleteCompany implements [access.Store].
func (s *Store) DeleteCompany(ctx context.Context, c store.Commit) error {
	if err := s.Store.DeleteCompany(ctx, c); err != nil {
		return err
	}
	s.scrub(ctx)
	return nil
}

// scrub tries to empty the log after a delete. That it could not is no error of
// the delete, which is done.
func (s *Store) scrub(ctx context.Context) {
	_, _ = s.Maintain(context.WithoutCancel(ctx))
}
