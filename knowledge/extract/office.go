package extract

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/net/html/charset"
)

// office reads a file of Word, PowerPoint or Excel, or of a program that writes
// what they do (ECMA-376, ISO/IEC 29500).
func office(ctx context.Context, f Format, r io.ReaderAt, size int64) (Result, error) {
	if err := checkOldOffice(r); err != nil {
		return Result{}, err
	}
	a, err := openArchive(ctx, r, size)
	if err != nil {
		return Result{}, err
	}
	rels, err := a.relations("")
	if err != nil {
		return Result{}, err
	}
	main := rels["type:officeDocument"]
	if main == "" {
		return Result{}, fmt.Errorf("%w: no document is in the archive", ErrDamaged)
	}
	res, err := a.properties(rels)
	if err != nil {
		return Result{}, err
	}
	w := &writer{ctx: ctx}
	switch f {
	case DOCX:
		err = readDocx(a, w, main)
	case PPTX:
		err = readPptx(a, w, main, &res)
	case XLSX:
		err = readXlsx(a, w, main)
	}
	if err != nil {
		return Result{}, err
	}
	if len(w.list) == 0 && !w.stopped() {
		return Result{}, fmt.Errorf("%w: it is empty, or all in it is pictures or hidden", ErrNoText)
	}
	return w.result(res)
}

// properties reads what a file says of itself.
func (a *archive) properties(rels map[string]string) (Result, error) {
	var r Result
	name := rels["type:core-properties"]
	if name == "" {
		return r, nil
	}
	x, err := a.open(name)
	if errors.Is(err, errNoPart) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer x.Close()
	for {
		tok := x.next()
		if tok == nil {
			return r, x.err
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "title":
			r.Title = fileTitle(x.text())
		case "language":
			r.Language = LanguageTag(x.text())
		case "created":
			r.Created = w3cDate(x.text())
		case "modified":
			r.Modified = w3cDate(x.text())
		}
	}
}

// w3cDate reads a date as document properties have it, or returns zero.
func w3cDate(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, oneLine(s)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// charsetOfXML reads parts that are not UTF-8: UTF-16 is the only other charset
// that Office files may have, and programs write others all the same.
func charsetOfXML(label string, r io.Reader) (io.Reader, error) {
	enc, _ := charset.Lookup(label)
	if enc == nil {
		return nil, fmt.Errorf("charset %.40q is not known", label)
	}
	return enc.NewDecoder().Reader(r), nil
}
