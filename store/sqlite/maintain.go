package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Maintain overwrites what SQLite left of deleted rows, and empties the write-ahead
// log if nobody reads it, so that their bytes leave it too. Deleting does the
// second at once, and the first in a database of up to 8 MiB; for the rest, or
// when readers were in the way, [answerdesk.Desk.Run] calls it again within a
// minute, and Close does. It reports whether nothing is left to be done.
//
// [answerdesk.Desk.Run]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk#Desk.Run
func (s *Store) Maintain(ctx context.Context) (bool, error) {
	if s.wiper.pending() {
		if err := s.wipe(ctx, wipeable); err != nil {
			return false, err
		}
	}
	return s.empty(ctx)
}

// empty empties the write-ahead log, and reports whether it could.
func (s *Store) empty(ctx context.Context) (bool, error) {
	if s.path != "" { // empty already, perhaps by another process
		info, err := os.Stat(s.path + "-wal")
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			return true, nil
		}
	}
	defer s.mover.alone()()
	err := s.writer.outside(ctx, (*conn).truncate)
	if errors.Is(err, errBusy) {
		return false, nil
	}
	return err == nil, err
}

// OutOfReach implements [knowledge.Store].
func (*Store) OutOfReach() []string { return []string{"backups made before"} }

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
func (s *Store) DeleteConversation(ctx context.Context, c store.Commit, id string) (agent.Deleted, error) {
	out, err := s.Store.DeleteConversation(ctx, c, id)
	if err != nil {
		return out, err
	}
	s.scrub(ctx)
	return out, nil
}

// DeleteAgent implements [agent.AgentStore].
func (s *Store) DeleteAgent(ctx context.Context, c store.Commit, id string) (agent.Deleted, error) {
	out, err := s.Store.DeleteAgent(ctx, c, id)
	if err != nil {
		return out, err
	}
	s.scrub(ctx)
	return out, nil
}

// DeleteCompany implements [access.Store].
func (s *Store) DeleteCompany(ctx context.Context, c store.Commit) error {
	if err := s.Store.DeleteCompany(ctx, c); err != nil {
		return err
	}
	s.scrub(ctx)
	return nil
}

// DeleteUser implements [agent.UserStore].
func (s *Store) DeleteUser(ctx context.Context, c store.Commit, userID string) (agent.DeletedUser, error) {
	out, err := s.Store.DeleteUser(ctx, c, userID)
	if err != nil {
		return out, err
	}
	s.scrub(ctx)
	return out, nil
}

// DeleteSource implements [knowledge.SourceStore].
func (s *Store) DeleteSource(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	out, err := s.Store.DeleteSource(ctx, c, id)
	if err != nil {
		return out, err
	}
	s.scrub(ctx)
	return out, nil
}

// EndRun implements [knowledge.RunStore]. What vanished at its source is deleted.
func (s *Store) EndRun(ctx context.Context, c store.Commit, l store.Lease, r knowledge.Run) (knowledge.Run, error) {
	out, err := s.Store.EndRun(ctx, c, l, r)
	if err == nil && out.SourceID != "" && out.Counts.Deleted > 0 {
		s.scrub(ctx)
	}
	return out, err
}

// Sweep implements [knowledge.RunStore]. The space of texts that went is overwritten
// by [Store.Maintain].
func (s *Store) Sweep(ctx context.Context, r knowledge.Retention, limit int) (knowledge.Swept, error) {
	swept, err := s.Store.Sweep(ctx, r, limit)
	if swept["versions"]+swept["conversations"]+swept["attachments"] > 0 {
		s.wiper.wanted.Add(1)
	}
	return swept, err
}

// scrub tries to leave nothing of what was deleted. That it could not is no error
// of the delete, which is done.
func (s *Store) scrub(ctx context.Context) {
	s.wiper.wanted.Add(1)
	ctx = context.WithoutCancel(ctx)
	if s.wiper.able {
		_ = s.wipe(ctx, wipedAtOnce)
	}
	_, _ = s.empty(ctx)
}
