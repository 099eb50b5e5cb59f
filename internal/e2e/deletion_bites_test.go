package e2e

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// plants are stores that forget to delete something, or bring it back.
var plants = map[string]func(answerdesk.Store) answerdesk.Store{
	"a quote is not erased":                         func(s answerdesk.Store) answerdesk.Store { return &quoting{Store: s} },
	"a message that was erased is listed as it was": func(s answerdesk.Store) answerdesk.Store { return &listing{Store: s} },
	"what is staged stays":                          func(s answerdesk.Store) answerdesk.Store { return &hoarding{Store: s} },
	"a tombstone is passed by":                      func(s answerdesk.Store) answerdesk.Store { return unburied{s} },
	"what was deleted meanwhile is published":       func(s answerdesk.Store) answerdesk.Store { return &publishing{Store: s} },
	"a user's first conversation stays":             func(s answerdesk.Store) answerdesk.Store { return forgetful{s} },
	"an index does not hear of deletes":             func(s answerdesk.Store) answerdesk.Store { return &deaf{Store: s} },
	"versions outlive their document":               func(s answerdesk.Store) answerdesk.Store { return &archived{Store: s} },
	"a document is not deleted with its source":     func(s answerdesk.Store) answerdesk.Store { return sparing{s} },
	"a document that is there is lost":              func(s answerdesk.Store) answerdesk.Store { return &losing{Store: s} },
}

// plant returns a store with the bug of a name, or s itself.
func plant(name string, s answerdesk.Store) answerdesk.Store {
	if p := plants[name]; p != nil {
		return p(s)
	}
	return s
}

// plantedRuns is how many histories a planted bug may stay hidden in.
const plantedRuns = 100

// Each bug that somebody plants is found within some histories, and what it takes to
// show it is short.
func TestPlantedBugsAreFound(t *testing.T) {
	for name := range plants {
		t.Run(name, func(t *testing.T) {
			g := newGround(t)
			g.mutant = name
			for seed := uint64(1); seed <= plantedRuns; seed++ {
				history := newHistory(seed)
				what := g.happen(seed, history, seed%bytesEvery == 0)
				if what == "" {
					continue
				}
				t.Logf("found in history %d: %s", seed, what)
				return
			}
			t.Errorf("not found in %d histories", plantedRuns)
		})
	}
}

// quoting reads single messages as they were first stored.
type quoting struct {
	answerdesk.Store
	first sync.Map
}

func (s *quoting) Message(ctx context.Context, company, messageID string) (agent.Message, error) {
	m, err := s.Store.Message(ctx, company, messageID)
	if err != nil {
		return m, err
	}
	if first, there := s.first.LoadOrStore(messageID, m); there {
		return first.(agent.Message), nil
	}
	return m, nil
}

// listing lists messages as they were first listed.
type listing struct {
	answerdesk.Store
	first sync.Map
}

func (s *listing) Messages(ctx context.Context, company string, f agent.MessageFilter, p store.Page) (store.List[agent.Message], error) {
	l, err := s.Store.Messages(ctx, company, f, p)
	for i, m := range l.Data {
		if first, there := s.first.LoadOrStore(m.ID, m); there {
			l.Data[i] = first.(agent.Message)
		}
	}
	return l, err
}

// hoarding keeps what is staged in a job that nobody does.
type hoarding struct{ answerdesk.Store }

func (s *hoarding) Stage(ctx context.Context, l store.Lease, runID string, in knowledge.Staging) ([]knowledge.Staged, error) {
	out, err := s.Store.Stage(ctx, l, runID, in)
	for _, w := range in.Writes {
		err = errors.Join(err, s.Enqueue(ctx, store.Commit{Company: l.Company, Work: []store.Work{
			{ID: id.New(id.Work), Queue: "nobody's", Key: "none", Payload: []byte(w.Text[:min(len(w.Text), 1000)])},
		}}))
	}
	return out, err
}

// unburied stages what is refused all the same, as something else.
type unburied struct{ answerdesk.Store }

func (s unburied) Stage(ctx context.Context, l store.Lease, runID string, in knowledge.Staging) ([]knowledge.Staged, error) {
	out, err := s.Store.Stage(ctx, l, runID, in)
	for i, d := range out {
		if d.Status == knowledge.Refused {
			w := in.Writes[i]
			w.ID, w.NewID, w.ExternalID = "", id.New(id.Document), w.ExternalID+"?"
			w.TextHash[0]++
			if _, err := s.Store.Stage(ctx, l, runID, knowledge.Staging{Writes: []knowledge.Write{w}}); err != nil {
				return out, err
			}
		}
	}
	return out, err
}

// publishing writes what a run had staged of documents that are not there any more.
type publishing struct {
	answerdesk.Store
	staged sync.Map // of writes, by run
}

func (s *publishing) Stage(ctx context.Context, l store.Lease, runID string, in knowledge.Staging) ([]knowledge.Staged, error) {
	out, err := s.Store.Stage(ctx, l, runID, in)
	if err == nil && len(in.Writes) > 0 {
		s.staged.Store(runID, in.Writes)
	}
	return out, err
}

func (s *publishing) EndRun(ctx context.Context, c store.Commit, l store.Lease, r knowledge.Run) (knowledge.Run, error) {
	out, err := s.Store.EndRun(ctx, c, l, r)
	writes, ok := s.staged.Load(r.ID)
	if err != nil || !ok {
		return out, err
	}
	have := map[string]bool{}
	docs, err := s.SourceDocuments(ctx, l.Company, l.Key, "", 1000)
	for _, d := range docs {
		have[d.ExternalID] = true
	}
	for _, w := range writes.([]knowledge.Write) {
		if !have[w.ExternalID] && err == nil {
			w.ID, w.NewID, w.SourceID, w.Kind = "", id.New(id.Document), "", knowledge.KindUpload
			_, err = s.WriteDocuments(ctx, store.Commit{Company: l.Company}, []knowledge.Write{w})
		}
	}
	return out, err
}

// forgetful deletes all conversations of a user but the first.
type forgetful struct{ answerdesk.Store }

func (s forgetful) DeleteUser(ctx context.Context, c store.Commit, user string) (agent.DeletedUser, error) {
	l, err := s.UserConversations(ctx, c.Company, user, "", 1000)
	if err != nil || len(l) == 0 {
		return s.Store.DeleteUser(ctx, c, user)
	}
	for _, conversation := range l[1:] {
		_, failed := s.DeleteConversation(ctx, store.Commit{Company: c.Company}, conversation.ID)
		err = errors.Join(err, failed)
	}
	return agent.DeletedUser{UserID: user, Conversations: len(l)}, err
}

// deaf tells nobody of the revision of a delete, and finds passages that it has found
// before, whatever became of them: an index in front of it goes on as it was.
type deaf struct {
	answerdesk.Store
	deletes sync.Map // the revision of the last one, by company
	found   sync.Map
}

func (s *deaf) DeleteDocument(ctx context.Context, c store.Commit, documentID string) (knowledge.Deleted, error) {
	out, err := s.Store.DeleteDocument(ctx, c, documentID)
	if err == nil {
		s.deletes.Store(c.Company, out.Revision)
		out.Revision = 0
	}
	return out, err
}

func (s *deaf) Revision(ctx context.Context, company string) (int64, error) {
	revision, err := s.Store.Revision(ctx, company)
	if last, ok := s.deletes.Load(company); ok && last.(int64) == revision {
		revision--
	}
	return revision, err
}

func (s *deaf) Passages(ctx context.Context, company string, refs []knowledge.Ref) (out []knowledge.Passage, err error) {
	read, err := s.Store.Passages(ctx, company, refs)
	for _, p := range read {
		s.found.Store(p.Ref, p)
	}
	for _, ref := range refs {
		if p, ok := s.found.Load(ref); ok {
			out = append(out, p.(knowledge.Passage))
		}
	}
	return out, err
}

// archived reads texts that it has read before, whatever became of them.
type archived struct {
	answerdesk.Store
	texts sync.Map
}

func (s *archived) DocumentText(ctx context.Context, company, documentID string, version int) (string, error) {
	type name struct {
		id      string
		version int
	}
	text, err := s.Store.DocumentText(ctx, company, documentID, version)
	if err == nil {
		s.texts.Store(name{documentID, version}, text)
		return text, nil
	}
	if old, ok := s.texts.Load(name{documentID, version}); ok {
		return old.(string), nil
	}
	return text, err
}

// sparing leaves a document of a source that is deleted.
type sparing struct{ answerdesk.Store }

func (s sparing) DeleteSource(ctx context.Context, c store.Commit, sourceID string) (knowledge.Deleted, error) {
	docs, err := s.SourceDocuments(ctx, c.Company, sourceID, "", 1)
	if err != nil || len(docs) == 0 {
		return s.Store.DeleteSource(ctx, c, sourceID)
	}
	live, err := s.LiveDocument(ctx, c.Company, docs[0].ID)
	if err != nil {
		return knowledge.Deleted{}, err
	}
	text, err := s.DocumentText(ctx, c.Company, live.ID, 0)
	if err != nil {
		return knowledge.Deleted{}, err
	}
	out, err := s.Store.DeleteSource(ctx, c, sourceID)
	if err != nil {
		return out, err
	}
	w := knowledge.Write{Document: live.Document, NewID: id.New(id.Document), Passages: live.Passages}
	w.ID, w.SourceID, w.Kind, w.Text = "", "", knowledge.KindUpload, text
	_, err = s.WriteDocuments(ctx, store.Commit{Company: c.Company}, []knowledge.Write{w})
	return out, err
}

// losing deletes another document, too, now and then.
type losing struct {
	answerdesk.Store
	deletes int
}

func (s *losing) DeleteDocument(ctx context.Context, c store.Commit, documentID string) (knowledge.Deleted, error) {
	out, err := s.Store.DeleteDocument(ctx, c, documentID)
	if s.deletes++; err != nil || s.deletes%3 != 0 {
		return out, err
	}
	l, err := s.Documents(ctx, c.Company, knowledge.Filter{}, store.Page{Limit: 1})
	if err != nil || len(l.Data) == 0 {
		return out, err
	}
	_, err = s.Store.DeleteDocument(ctx, store.Commit{Company: c.Company}, l.Data[0].ID)
	return out, err
}
