package knowledge

import (
	"context"
	"errors"

	"github.com/answerdesk-go/answerdesk/store"
)

// MaxBatch is how many documents [Base.PutAll] takes at once.
const MaxBatch = 1000

// Put adds a document, or replaces the one with the same id or external id, and
// returns it as stored, without its text. Searches that begin after Put returned
// find it. Putting the same again changes nothing. A document that is replaced
// keeps its agent and its kind.
//
// It returns an [InvalidError] for a field that cannot be stored, a
// [store.NotFoundError] for a document or agent id that names nothing, and a
// [store.ErrConflict] for an id and an external id of two documents, and for
// another kind or agent than that of the document there.
func (b *Base) Put(ctx context.Context, d Document) (Document, error) {
	out, err := b.PutAll(ctx, d)
	if err != nil {
		return Document{}, err
	}
	return out[0].Document, nil
}

// PutAll puts up to [MaxBatch] documents, all or none, and says of each what was
// done. Of several, an [ItemError] names the one that cannot be taken.
func (b *Base) PutAll(ctx context.Context, docs ...Document) ([]WrittenDocument, error) {
	if len(docs) > MaxBatch {
		return nil, invalid("documents", "%d are more than the %d that are put at once", len(docs), MaxBatch)
	}
	if len(docs) == 0 {
		return nil, b.settle(ctx, b.result())
	}
	bt := prepareAll(ctx, docs)
	err := bt.refused()
	var out []WrittenDocument
	if err == nil {
		out, err = b.write(ctx, b.request.Ending(b.commit("document.put", ""), b.result()), bt.writes)
	}
	if len(docs) == 1 {
		err = alone(err)
	}
	return out, err
}

// alone leaves out of an error which of several documents it is about.
func alone(err error) error {
	if item, ok := errors.AsType[*ItemError](err); ok {
		return item.Err
	}
	return err
}

// PutQA adds or replaces a question and its answer. Alternates are other ways to
// ask the question.
func (b *Base) PutQA(ctx context.Context, question, answer string, alternates ...string) (Document, error) {
	return b.Put(ctx, Document{Kind: KindQA, Questions: append([]string{question}, alternates...), Text: answer})
}

// Unchanged reports which of the documents are stored just as given, by their
// external ids and agents, without reading their texts any further.
func (b *Base) Unchanged(ctx context.Context, docs ...Document) ([]bool, error) {
	same, _, err := b.compare(ctx, docs...)
	return same, err
}

// compare is Unchanged, and returns the sums of those that are.
func (b *Base) compare(ctx context.Context, docs ...Document) (same []bool, hashes [][32]byte, err error) {
	type name struct{ agentID, externalID string }
	names := make([]name, len(docs))
	byAgent := map[string][]string{}
	for i := range docs {
		d := docs[i]
		if d.ID != "" || d.ExternalID == "" || d.complete() != nil {
			continue
		}
		names[i] = name{d.AgentID, d.ExternalID}
		byAgent[d.AgentID] = append(byAgent[d.AgentID], d.ExternalID)
	}
	there := map[name][32]byte{}
	for agentID, externals := range byAgent {
		found, err := b.lib.store.DocumentHashes(ctx, b.company, agentID, externals)
		if err != nil {
			return nil, nil, err
		}
		for externalID, h := range found {
			there[name{agentID, externalID}] = h
		}
	}
	same, hashes = make([]bool, len(docs)), make([][32]byte, len(docs))
	for i := range docs {
		h, ok := there[names[i]]
		if d := docs[i]; ok && d.complete() == nil {
			given, err := d.hash() // a file that cannot be read now is told of when it is put
			same[i], hashes[i] = err == nil && h == given, given
		}
	}
	return same, hashes, nil
}

// write stores documents and lets the index follow.
func (b *Base) write(ctx context.Context, c store.Commit, writes []Write) ([]WrittenDocument, error) {
	if len(writes) > 0 {
		c.Work = append(c.Work, b.lib.embedding.work()...)
		defer b.lib.wake(queueEmbeddings)
	}
	ahead := b.lib.indexes.foresee(ctx, b.company, writes)
	out, err := b.lib.store.WriteDocuments(ctx, c, writes)
	if err != nil {
		return nil, err
	}
	b.lib.indexes.followWrite(ctx, b.company, writes, out, ahead)
	return out.Documents, nil
}

// settle completes the request's receipt, if there is one, where nothing else is
// to be written.
func (b *Base) settle(ctx context.Context, result string) error {
	if b.request.Receipt == nil {
		return nil
	}
	_, err := b.write(ctx, b.request.Ending(b.request.Commit(b.company), result), nil)
	return err
}

// Delete removes a document with all its versions. When it returns, no search,
// reply or citation holds its text any more, and earlier replies have lost what
// they quoted of it.
func (b *Base) Delete(ctx context.Context, documentID string) (Deleted, error) {
	canonical, err := parse(documentID)
	if err != nil {
		return Deleted{}, err
	}
	out, err := b.lib.store.DeleteDocument(ctx, b.request.Ending(b.commit("document.delete", canonical), b.result()), canonical)
	if err != nil {
		return Deleted{}, err
	}
	out.OutOfReach = b.OutOfReach()
	b.lib.indexes.follow(ctx, b.company, out.Revision)
	return out, nil
}

// OutOfReach returns where copies may be, of anything that is deleted, that the
// store cannot reach: in plain words, such as "backups made before".
func (b *Base) OutOfReach() []string { return b.lib.store.OutOfReach() }

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
	agentID, err := parseAgent(f.AgentID)
	if err != nil {
		return store.List[Document]{}, err
	}
	f.AgentID = agentID
	return b.lib.store.Documents(ctx, b.company, f, p)
}

// Revision returns the revision of the company's knowledge, which every write
// that changes what can be found raises by one. Told after a write, it is what
// [Query.MinRevision] asks for to find that write.
func (b *Base) Revision(ctx context.Context) (int64, error) {
	return b.lib.store.Revision(ctx, b.company)
}
