package knowledge

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// MaxBatch is how many documents [Base.PutAll] takes at once.
const MaxBatch = 1000

// Put adds a document, or replaces the one with the same id or external id, and
// returns it as stored, without its text. Searches that begin after Put returned
// find it. Putting the same again changes nothing.
//
// It returns an [InvalidError] for a field that cannot be stored, and a
// [store.NotFoundError] for a document or agent id that names nothing.
func (b *Base) Put(ctx context.Context, d Document) (Document, error) {
	out, err := b.PutAll(ctx, d)
	if err != nil {
		return Document{}, err
	}
	return out[0].Document, nil
}

// PutAll puts up to [MaxBatch] documents, all or none, and says of each what was
// done.
func (b *Base) PutAll(ctx context.Context, docs ...Document) ([]WrittenDocument, error) {
	if len(docs) > MaxBatch {
		return nil, invalid("documents", "%d are more than the %d that are put at once", len(docs), MaxBatch)
	}
	writes := make([]Write, len(docs))
	for i, d := range docs {
		w, err := prepare(d)
		if err != nil {
			if len(docs) > 1 {
				err = fmt.Errorf("document %d: %w", i, err)
			}
			return nil, err
		}
		writes[i] = w
	}
	return b.write(ctx, writes)
}

// PutQA adds or replaces a question and its answer. Alternates are other ways to
// ask the question.
func (b *Base) PutQA(ctx context.Context, question, answer string, alternates ...string) (Document, error) {
	return b.Put(ctx, Document{Kind: KindQA, Questions: append([]string{question}, alternates...), Text: answer})
}

// Unchanged reports which of the documents are stored just as given, by their
// external ids and agents, without reading their texts any further.
func (b *Base) Unchanged(ctx context.Context, docs ...Document) ([]bool, error) {
	byAgent := map[string][]string{}
	for _, d := range docs {
		byAgent[d.AgentID] = append(byAgent[d.AgentID], d.ExternalID)
	}
	out := make([]bool, len(docs))
	for agentID, externals := range byAgent {
		hashes, err := b.lib.store.DocumentHashes(ctx, b.company, agentID, externals)
		if err != nil {
			return nil, err
		}
		for i, d := range docs {
			if d.AgentID != agentID {
				continue
			}
			if h, ok := hashes[d.ExternalID]; ok && d.check() == nil {
				out[i] = h == hashOf(d)
			}
		}
	}
	return out, nil
}

// Patch changes parts of a document, and returns it without its text. A new text
// raises its version; when somebody else has given it another text meanwhile, that
// is a [store.ErrConflict]. Of patches to other fields at the same time none is
// lost.
func (b *Base) Patch(ctx context.Context, documentID string, p Patch) (Document, error) {
	canonical, err := parse(documentID)
	if err != nil {
		return Document{}, err
	}
	version := 0
	for tries := 0; ; tries++ {
		there, err := b.lib.store.Document(ctx, b.company, canonical)
		if err != nil {
			return Document{}, err
		}
		if version == 0 {
			version = there.Version
		}
		if p.Text != nil && there.Version != version {
			return Document{}, fmt.Errorf("document %s: %w: it has another text by now, version %d: read it again", canonical, store.ErrConflict, there.Version)
		}
		w, changes, err := patched(there, p)
		if err != nil || !changes {
			return there, err
		}
		out, err := b.write(ctx, []Write{w})
		if errors.Is(err, store.ErrConflict) && tries < patchTries {
			continue // it has changed since it was read
		}
		if err != nil {
			return Document{}, err
		}
		return out[0].Document, nil
	}
}

// patchTries bounds how often a patch begins again because of others.
const patchTries = 100

// patched returns how to store a document that is there with a patch applied, and
// whether that changes it.
func patched(there Document, p Patch) (w Write, changes bool, err error) {
	d := p.apply(there)
	if p.Text != nil {
		if w, err = prepare(d); err != nil {
			return Write{}, false, err
		}
		w.IfVersion, w.IfUpdated = there.Version, there.UpdatedAt
		return w, true, nil
	}
	if p.Format != nil && *p.Format != there.Format {
		return Write{}, false, invalid("format", "can only change together with the text")
	}
	d.Text = "-" // not looked at
	if err := d.check(); err != nil {
		return Write{}, false, err
	}
	d.Text = ""
	if d.Metadata, err = normal(d.Metadata); err != nil {
		return Write{}, false, err
	}
	if reflect.DeepEqual(d, there) {
		return Write{}, false, nil
	}
	d.UpdatedAt = time.Now().UTC().Truncate(time.Microsecond)
	return Write{Document: d, IfUpdated: there.UpdatedAt, KeepText: true, Hash: hashOf(d)}, true, nil
}

// write stores documents and lets the index follow.
func (b *Base) write(ctx context.Context, writes []Write) ([]WrittenDocument, error) {
	out, err := b.lib.store.WriteDocuments(ctx, store.Commit{Company: b.company}, writes)
	if err != nil {
		return nil, err
	}
	b.lib.indexes.follow(ctx, b.company, out.Revision)
	return out.Documents, nil
}

// Delete removes a document with all its versions. When it returns, no search,
// reply or citation holds its text any more, and earlier replies have lost what
// they quoted of it.
func (b *Base) Delete(ctx context.Context, documentID string) (Deleted, error) {
	canonical, err := parse(documentID)
	if err != nil {
		return Deleted{}, err
	}
	out, err := b.lib.store.DeleteDocument(ctx, store.Commit{Company: b.company}, canonical)
	if err != nil {
		return Deleted{}, err
	}
	out.OutOfReach = []string{"backups made before"}
	b.lib.indexes.follow(ctx, b.company, out.Revision)
	return out, nil
}

// Get returns a document without its text.
func (b *Base) Get(ctx context.Context, documentID string) (Document, error) {
	canonical, err := parse(documentID)
	if err != nil {
		return Document{}, err
	}
	return b.lib.store.Document(ctx, b.company, canonical)
}

// Text returns the stored text of a version of a document, which the ranges of
// its passages and citations count in; version 0 is the newest.
func (b *Base) Text(ctx context.Context, documentID string, version int) (string, error) {
	canonical, err := parse(documentID)
	if err != nil {
		return "", err
	}
	return b.lib.store.DocumentText(ctx, b.company, canonical, version)
}

// List returns documents without their texts, newest first.
func (b *Base) List(ctx context.Context, f Filter, p store.Page) (store.List[Document], error) {
	if f.AgentID != "" {
		canonical, err := id.Parse(id.Agent, f.AgentID)
		if err != nil {
			return store.List[Document]{}, store.NotFound("agent", clip(f.AgentID, 64))
		}
		f.AgentID = canonical
	}
	return b.lib.store.Documents(ctx, b.company, f, p)
}

// Revision returns the revision of the company's knowledge, which every write
// that changes what can be found raises by one.
func (b *Base) Revision(ctx context.Context) (int64, error) {
	return b.lib.store.Revision(ctx, b.company)
}
