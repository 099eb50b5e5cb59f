package knowledge

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/split"
)

// The versions of how text becomes passages, and of how files become text. Raising
// one makes putting the same document, or file, again read it anew.
const (
	splitting  = "2"
	extraction = "1"
)

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
	res, hash, err := d.read(ctx)
	if err != nil {
		return Write{}, err
	}
	w := Write{Document: d, NewID: id.New(id.Document), Hash: hash}
	w.Text, w.file = res.Text, nil
	passages := split.Split(res.Text, res.Blocks)
	if n := len(passages); d.Kind == KindQA && n > 1 && passages[n-1].End-passages[0].Start <= maxAnswer {
		passages = []split.Passage{{Start: passages[0].Start, End: passages[n-1].End}}
	}
	for _, p := range passages {
		w.Passages = append(w.Passages, Passage{
			Ref: Ref{Ordinal: len(w.Passages)}, Start: p.Start, End: p.End, Page: p.Page, Heading: p.Heading, Text: res.Text[p.Start:p.End],
		})
	}
	if len(w.Passages) == 0 {
		return Write{}, d.file.blank()
	}
	if w.Title == "" {
		w.Title = title(d, res)
	}
	w.Language = cmp.Or(d.Language, res.Language, languageOf(strings.Join(d.Questions, "\n"), res.Text))
	w.Metadata = withDates(d.Metadata, res)
	w.TextHash = textHash(w.Document, w.Text, w.Passages)
	w.UpdatedAt = time.Now().UTC().Truncate(time.Microsecond)
	w.CreatedAt = w.UpdatedAt
	return w, nil
}

// complete checks a document but for its text, and brings its fields into the form
// they are stored in.
func (d *Document) complete() (err error) {
	if err = d.check(); err == nil {
		d.Metadata, err = normal(d.Metadata)
	}
	return err
}

// read returns the text of a document with its structure, and the sum of everything
// that its caller gave.
func (d *Document) read(ctx context.Context) (res extract.Result, hash [32]byte, err error) {
	if d.fromFile() {
		err = d.file.read(func(content io.ReaderAt, size int64) error {
			if hash, err = hashOf(*d, content, size); err != nil {
				return err
			}
			res, err = extract.ExtractReader(ctx, extract.Format(d.Format), content, size, &extract.Options{Charset: d.file.charset})
			switch {
			case err != nil:
				return err
			case len(res.Text) > MaxText:
				return fmt.Errorf("%w: its text has %d bytes, more than the %d a document may have: split it", ErrFileTooLarge, len(res.Text), MaxText)
			}
			return readable(res.Text)
		})
		return res, hash, cmp.Or(ctx.Err(), err)
	}
	if err := d.checkText(); err != nil {
		return res, hash, err
	}
	if hash, err = d.hash(); err != nil {
		return res, hash, err
	}
	res, err = extract.Extract(extract.Format(d.Format), []byte(d.Text))
	if _, ok := errors.AsType[*extract.EncodingError](err); ok || errors.Is(err, extract.ErrTooLarge) {
		err = invalid("text", "%v", err)
	}
	return res, hash, err
}

// fromFile reports whether the text of a document is to be read from a file.
func (d *Document) fromFile() bool { return d.file != nil && d.Text == "" }

// blank is the error for a document without a passage.
func (f *file) blank() error {
	if f == nil {
		return invalid("text", "holds nothing that could be cited")
	}
	return fileError(f.name, fmt.Errorf("%w: it holds nothing that could be cited", ErrNoText))
}

// title is what a document without a title is called.
func title(d Document, res extract.Result) string {
	switch {
	case res.Title != "":
		return clip(strings.TrimSpace(res.Title), MaxTitle)
	case d.ExternalID != "":
		return clip(path.Base(d.ExternalID), MaxTitle)
	case d.file != nil && d.file.name != "":
		return clip(path.Base(strings.ReplaceAll(d.file.name, `\`, "/")), MaxTitle)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(res.Text), "\n")
	return clip(strings.TrimSpace(line), 80)
}

// hash sums up everything of a document that its caller gave and that may change.
func (d *Document) hash() (sum [32]byte, err error) {
	if !d.fromFile() {
		return hashOf(*d, strings.NewReader(d.Text), int64(len(d.Text)))
	}
	err = d.file.read(func(content io.ReaderAt, size int64) (err error) {
		sum, err = hashOf(*d, content, size)
		return err
	})
	return sum, err
}

// hashOf is the sum of a document whose text is in content, or is read from it.
func hashOf(d Document, content io.ReaderAt, size int64) ([32]byte, error) {
	h := sha256.New()
	given := []any{splitting, d.Kind, d.Title, d.URL, d.ExternalID, d.Language, d.Metadata, d.Format, d.Questions, size}
	if d.fromFile() {
		given = append(given, extraction, d.file.charset)
	}
	head, _ := json.Marshal(given) // it cannot fail: the metadata has been through it in check
	h.Write(head)
	err := pour(h, io.NewSectionReader(content, 0, size))
	return [32]byte(h.Sum(nil)), err
}

// buffers are for [pour]: there are as many documents as calls.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// pour writes all that is read from r to h, without memory of its own for it.
func pour(h io.Writer, r io.Reader) error {
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	_, err := io.CopyBuffer(h, struct{ io.Reader }{r}, b[:]) // a string would copy itself whole
	return err
}

// textHash sums up the text of a document and where its passages are in it.
func textHash(d Document, text string, passages []Passage) [32]byte {
	h := sha256.New()
	b := fmt.Appendf(nil, "%s\x00%s\x00", d.Kind, d.Format)
	for _, p := range passages {
		for _, n := range []int{p.Start, p.End, p.Page} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		for _, heading := range p.Heading {
			b = append(append(b, heading...), 0)
		}
	}
	h.Write(append(b, 0))
	_ = pour(h, strings.NewReader(text)) // neither of them fails
	return [32]byte(h.Sum(nil))
}
