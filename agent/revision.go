package agent

import "context"

// A revisioned is a [Retriever] whose knowledge has a revision, as that of
// [knowledge.Library] has.
type revisioned interface {
	Revision(ctx context.Context, company string) (int64, error)
}

// reached refuses a message that asks for knowledge newer than there is, before it
// is stored. A Retriever that has no revisions answers for that itself.
func (e *Engine) reached(ctx context.Context, company string, m Message) error {
	if m.MinRevision == 0 {
		return nil
	}
	revision, known, err := e.revision(ctx, company)
	if known && err == nil && revision < m.MinRevision {
		return invalid("min_revision", "%d is more than %d, the revision that the company's knowledge has reached", m.MinRevision, revision)
	}
	return err
}

// revision returns the revision of a company's knowledge, if the Retriever knows it.
func (e *Engine) revision(ctx context.Context, company string) (revision int64, known bool, err error) {
	r, known := e.retriever.(revisioned)
	if known {
		revision, err = r.Revision(ctx, company)
	}
	return revision, known, err
}
