package knowledge

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// Versions returns the texts that a document has had and that are still kept, newest
// first. [Base.Text] reads one.
func (b *Base) Versions(ctx context.Context, documentID string) ([]Version, error) {
	canonical, err := parse(documentID)
	if err != nil {
		return nil, err
	}
	return b.lib.sources.Versions(ctx, b.company, canonical)
}

// Rollback gives a document an earlier text again, with the passages it had: it
// becomes a new version. If ifUpdated is not zero, it is the UpdatedAt that the
// document must have, else that is [ErrChanged]. A document of a source is written
// by its source alone, which is a [store.ErrConflict].
func (b *Base) Rollback(ctx context.Context, documentID string, version int, ifUpdated time.Time) (Document, error) {
	there, err := b.Get(ctx, documentID)
	if err != nil {
		return Document{}, err
	}
	if !ifUpdated.IsZero() && !there.UpdatedAt.Equal(ifUpdated.Truncate(time.Microsecond)) {
		return Document{}, fmt.Errorf("document %s: %w: it was updated at %s", there.ID, ErrChanged, there.UpdatedAt.Format(time.RFC3339Nano))
	}
	w := Write{Document: there, IfVersion: there.Version, IfUpdated: there.UpdatedAt}
	versions, err := b.lib.sources.Versions(ctx, b.company, there.ID)
	if err != nil {
		return Document{}, err
	}
	found := false
	for _, v := range versions {
		if v.Version == version {
			found, w.Format = true, v.Format
		}
	}
	if !found {
		return Document{}, store.NotFound("document version", fmt.Sprintf("%s version %d", there.ID, version))
	}
	if w.Text, err = b.lib.store.DocumentText(ctx, b.company, there.ID, version); err != nil {
		return Document{}, err
	}
	if w.Passages, err = b.lib.sources.VersionPassages(ctx, b.company, there.ID, version); err != nil {
		return Document{}, err
	}
	w.Language = cmp.Or(w.Language, languageOf(strings.Join(w.Questions, "\n"), w.Text)) // a text in between may have told none
	w.UpdatedAt = time.Now().UTC().Truncate(time.Microsecond)
	w.TextHash = textHash(w.Document, w.Text, w.Passages)
	w.Hash = sha256.Sum256(append([]byte("rolled back\x00"), w.TextHash[:]...)) // what no caller gave
	out, err := b.write(ctx, b.request.Ending(b.commit("document.rollback", there.ID), b.result()), []Write{w})
	if err != nil {
		return Document{}, alone(err)
	}
	return out[0].Document, nil
}
