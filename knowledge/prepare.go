package knowledge

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/split"
)

// splitting is the version of how text becomes passages. Raising it makes
// putting the same document again cut it anew.
const splitting = "1"

// maxAnswer is up to how many bytes the answer of a pair is one passage, so that
// it is quoted whole.
const maxAnswer = 8 << 10

// prepare checks a document and turns it into what is stored: its text and the
// passages in it.
func prepare(ctx context.Context, d Document) (Write, error) {
	if err := d.complete(); err != nil {
		return Write{}, err
	}
	if d.ID != "" {
		canonical, err := parse(d.ID)
		if err != nil {
			return Write{}, err
		}
		d.ID = canonical
	}
	hash := hashOf(d)
	res, err := extract.Extract(extract.Format(d.Format), []byte(d.Text))
	if err != nil {
		if _, ok := errors.AsType[*extract.EncodingError](err); ok || errors.Is(err, extract.ErrTooLarge) {
			return Write{}, invalid("text", "%v", err)
		}
		return Write{}, err
	}
	w := Write{Document: d, NewID: id.New(id.Document), Hash: hash}
	w.Text = res.Text
	passages := split.Split(res.Text, res.Blocks)
	if n := len(passages); d.Kind == KindQA && n > 1 && passages[n-1].End-passages[0].Start <= maxAnswer {
		passages = []split.Passage{{Start: passages[0].Start, End: passages[n-1].End}}
	}
	for _, p := range passages {
		w.Passages = append(w.Passages, Passage{
			Ref: Ref{Ordinal: len(w.Passages)}, Start: p.Start, End: p.End, Heading: p.Heading, Text: res.Text[p.Start:p.End],
		})
	}
	if len(w.Passages) == 0 {
		return Write{}, invalid("text", "holds nothing that could be cited")
	}
	if w.Title == "" {
		w.Title = title(d, res)
	}
	w.TextHash = sha256.Sum256([]byte(splitting + "\x00" + string(d.Kind) + "\x00" + string(d.Format) + "\x00" + res.Text))
	w.UpdatedAt = time.Now().UTC().Truncate(time.Microsecond)
	w.CreatedAt = w.UpdatedAt
	return w, nil
}

// complete checks a document, and brings its fields into the form they are stored
// in.
func (d *Document) complete() (err error) {
	if err = d.check(); err == nil {
		d.Metadata, err = normal(d.Metadata)
	}
	return err
}

// title is what a document without a title is called.
func title(d Document, res extract.Result) string {
	if res.Title != "" {
		return clip(strings.TrimSpace(res.Title), MaxTitle)
	}
	if d.ExternalID != "" {
		return clip(path.Base(d.ExternalID), MaxTitle)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(res.Text), "\n")
	return clip(strings.TrimSpace(line), 80)
}

// hashOf sums up everything of a document that its caller chose and that may
// change.
func hashOf(d Document) [32]byte {
	h := sha256.New()
	// Marshal cannot fail: the metadata has been through it in check.
	head, _ := json.Marshal([]any{splitting, d.Kind, d.Title, d.URL, d.ExternalID, d.Metadata, d.Format, d.Questions, len(d.Text)})
	h.Write(head)
	h.Write([]byte(d.Text))
	return [32]byte(h.Sum(nil))
}
