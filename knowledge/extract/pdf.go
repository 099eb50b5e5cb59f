package extract

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/extract/internal/pdf"
)

// pdfFile reads a PDF. What its readers have not thought of stops no server.
func pdfFile(ctx context.Context, data []byte) (res Result, err error) {
	defer func() {
		if x := recover(); x != nil {
			bug, ok := x.(runtime.Error)
			if !ok {
				panic(x)
			}
			res, err = Result{}, fmt.Errorf("%w: print it to PDF again: %v", ErrDamaged, bug)
		}
	}()
	return readPDF(ctx, data)
}

// readPDF reads the text of a PDF in the order in which it is read: by columns,
// without what runs over and under the pages.
func readPDF(ctx context.Context, data []byte) (Result, error) {
	f, err := pdf.Open(ctx, data)
	if err != nil {
		return Result{}, pdfError(err)
	}
	d := pdfDocument{}
	size, pictures, unknown, known := 0, 0, 0, 0
	for n := 1; n <= f.Pages(); n++ {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		c, err := f.Page(n)
		if err != nil && !errors.Is(err, pdf.ErrDamaged) {
			return Result{}, pdfError(err)
		}
		lines := pageLines(c)
		for i := range lines {
			size += len(lines[i].text())
		}
		if size > MaxBytes {
			return Result{}, fmt.Errorf("%w: its text has more than %d bytes: split it", ErrTooLarge, MaxBytes)
		}
		pictures, unknown, known = pictures+c.Pictures, unknown+c.Unknown, known+len(c.Glyphs)
		d.pages = append(d.pages, lines)
	}
	switch {
	case known == 0 && unknown > 0, unknown > 4*known:
		return Result{}, fmt.Errorf("%w: its fonts do not say which letters they draw: print it to PDF again, or run OCR over it", ErrNoText)
	case known == 0 && pictures > 0:
		return Result{}, fmt.Errorf("%w: its %d pages are pictures, as of a scan: run OCR over it", ErrNoText, f.Pages())
	case known == 0:
		return Result{}, fmt.Errorf("%w: its %d pages are empty, or drawn without letters", ErrNoText, f.Pages())
	}
	info, err := f.Info()
	if err != nil && !errors.Is(err, pdf.ErrDamaged) {
		return Result{}, pdfError(err)
	}
	w := &writer{ctx: ctx}
	d.write(w)
	return w.result(Result{
		Title: fileTitle(info.Title), Language: LanguageTag(info.Language), Created: info.Created, Modified: info.Modified,
	})
}

// pdfError says in words of this package why a file is not read.
func pdfError(err error) error {
	switch {
	case errors.Is(err, pdf.ErrPassword):
		return fmt.Errorf("%w: print it to PDF again without one", ErrPassword)
	case errors.Is(err, pdf.ErrTooMuch):
		return fmt.Errorf("%w: %v: split it", ErrTooLarge, err)
	case errors.Is(err, pdf.ErrDamaged):
		return fmt.Errorf("%w: %s: print it to PDF again", ErrDamaged, strings.TrimPrefix(err.Error(), pdf.ErrDamaged.Error()+": "))
	}
	return err
}
