package knowledge

import (
	"context"
	"io"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

// TextOf reads a file without keeping it, and returns what it says, cut at most bytes
// in whole characters. A file that cannot be taken is a [FileError].
func TextOf(ctx context.Context, f File, most int) (text string, format Format, err error) {
	d, err := f.document()
	if err != nil {
		return "", "", err
	}
	var res extract.Result
	err = d.file.read(func(content io.ReaderAt, size int64) (err error) {
		res, err = extract.ExtractReader(ctx, extract.Format(d.Format), content, size, &extract.Options{Charset: d.file.charset})
		return err
	})
	if err != nil {
		return "", "", err
	}
	text = strings.TrimSpace(res.Text)
	if text == "" {
		return "", "", d.file.blank()
	}
	return strings.Clone(strings.ToValidUTF8(text[:min(len(text), most)], "")), d.Format, nil
}

// MediaType returns the media type of files of a format.
func (f Format) MediaType() string {
	switch extract.Format(f) {
	case extract.Markdown:
		return "text/markdown"
	case extract.HTML:
		return "text/html"
	case extract.CSV:
		return "text/csv"
	case extract.JSON:
		return "application/json"
	case extract.JSONL:
		return "application/jsonl"
	case extract.PDF:
		return "application/pdf"
	case extract.DOCX:
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case extract.PPTX:
		return "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	case extract.XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/plain"
}
