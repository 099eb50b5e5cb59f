package knowledge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/store"
)

// A Patch changes parts of a document; nil fields stay as they are.
type Patch struct {
	Title     *string // empty: taken from the text again, or from the first question
	URL       *string // empty: none
	Text      *string
	Format    *Format // only together with the text
	Questions []string

	// Metadata is merged: a nil value removes its key.
	Metadata map[string]any

	// IfUpdated is the UpdatedAt that the document must have, which every change
	// moves on; zero means any.
	IfUpdated time.Time
}

func (p Patch) apply(d Document) Document {
	if p.Questions != nil {
		if d.Kind == KindQA && d.Title == titleOfPair(d.Questions) {
			d.Title = "" // follows the first question
		}
		d.Questions = slices.Clone(p.Questions)
	}
	set(&d.Title, p.Title)
	set(&d.URL, p.URL)
	if p.Text != nil {
		d.Text, d.Language = *p.Text, "" // which is told again
		if d.Format != Markdown && d.Format != HTML {
			d.Format = Text // it is not that of a file any more
		}
	}
	set(&d.Format, p.Format)
	if len(p.Metadata) > 0 {
		d.Metadata = maps.Clone(d.Metadata)
		if d.Metadata == nil {
			d.Metadata = map[string]any{}
		}
		maps.Copy(d.Metadata, p.Metadata)
		maps.DeleteFunc(d.Metadata, func(_ string, v any) bool { return v == nil })
	}
	return d
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// patchTries bounds how often a patch begins again because of others.
const patchTries = 100

// Patch changes parts of a document, and returns it without its text. A new text
// raises its version; when somebody else has given it another text meanwhile, that
// is a [store.ErrConflict]. Of patches to other fields at the same time none is
// lost. When the document is not as [Patch.IfUpdated] says, that is [ErrChanged].
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
		if !p.IfUpdated.IsZero() && !there.UpdatedAt.Equal(p.IfUpdated.Truncate(time.Microsecond)) {
			return Document{}, fmt.Errorf("document %s: %w: it was updated at %s", canonical, ErrChanged, there.UpdatedAt.Format(time.RFC3339Nano))
		}
		if p.Text != nil && there.Version != version {
			return Document{}, fmt.Errorf("document %s: %w: it has another text by now, version %d: read it again", canonical, store.ErrConflict, there.Version)
		}
		w, changes, err := b.patched(ctx, there, p)
		if err != nil {
			return Document{}, err
		}
		if !changes {
			return there, b.settle(ctx, AppendResult(b.result(), []WrittenDocument{{there, Unchanged}}))
		}
		out, err := b.write(ctx, b.request.Ending(b.commit("document.update", canonical), b.result()), []Write{w})
		if errors.Is(err, store.ErrConflict) && tries < patchTries {
			continue // it has changed since it was read
		}
		if err != nil {
			return Document{}, alone(err)
		}
		return out[0].Document, nil
	}
}

// patched returns how to store a document that is there with a patch applied, and
// whether that changes it.
func (b *Base) patched(ctx context.Context, there Document, p Patch) (w Write, changes bool, err error) {
	d := p.apply(there)
	if p.Text != nil {
		if w, err = prepare(ctx, d); err != nil {
			return Write{}, false, err
		}
		w.IfVersion, w.IfUpdated = there.Version, there.UpdatedAt
		return w, true, nil
	}
	if p.Format != nil && *p.Format != there.Format {
		return Write{}, false, invalid("format", "can only change together with the text")
	}
	if err := d.complete(); err != nil {
		return Write{}, false, err
	}
	if d.Title == "" {
		if d.Title, err = b.titleOf(ctx, d); err != nil {
			return Write{}, false, err
		}
	}
	if reflect.DeepEqual(d, there) {
		return Write{}, false, nil
	}
	d.UpdatedAt = time.Now().UTC().Truncate(time.Microsecond)
	w = Write{Document: d, IfUpdated: there.UpdatedAt, KeepText: true}
	w.Hash, err = d.hash()
	return w, true, err
}

// titleOf takes a title from the text that is stored of a document.
func (b *Base) titleOf(ctx context.Context, d Document) (string, error) {
	text, err := b.lib.store.DocumentText(ctx, b.company, d.ID, d.Version)
	if err != nil {
		return "", err
	}
	format := extract.Text // which is what is stored of a page
	if d.Format == Markdown {
		format = extract.Markdown
	}
	res, err := extract.Extract(format, []byte(text))
	if err != nil {
		return "", fmt.Errorf("document %s: %w", d.ID, err)
	}
	return title(d, res), nil
}
