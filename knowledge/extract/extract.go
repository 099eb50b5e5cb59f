package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxBytes is the largest input that is read whole, which is what formats of
	// text are: 32 MiB. No document has more text than that either.
	MaxBytes = 32 << 20
	// MaxFile is the largest PDF or Office file that is read: 100 MB, most of
	// which is pictures.
	MaxFile = 100_000_000
)

// maxBlocks bounds the structure kept of one document, about 12 MB of it. A
// manual of a thousand pages has some twenty thousand blocks. What comes after
// the last one is added to it.
const maxBlocks = 1 << 18

// Errors that callers tell apart; each comes wrapped with what was found.
var (
	// ErrFormat is wrapped when the bytes are of a kind that is not read.
	ErrFormat = errors.New("unsupported format")
	// ErrTooLarge is wrapped when the input, what is packed in it, or its text is
	// larger than what is read: see [MaxBytes] and [MaxFile].
	ErrTooLarge = errors.New("file too large")
	// ErrNoText is wrapped when a file is in order and holds no text, as a scan does.
	ErrNoText = errors.New("file holds no text")
	// ErrPassword is wrapped when a file opens with a password only.
	ErrPassword = errors.New("file is protected by a password")
	// ErrDamaged is wrapped when a file is not what its format promises.
	ErrDamaged = errors.New("file is damaged")
)

// An EncodingError says where the input stops being UTF-8 text.
type EncodingError struct {
	Offset int    // of the first bad byte, in the input
	Found  string // what stands there: "a NUL byte", "a UTF-16 byte order mark" …
}

func (e *EncodingError) Error() string {
	return fmt.Sprintf("text must be UTF-8: %s at byte %d: save it as UTF-8", e.Found, e.Offset)
}

// Format says how bytes are to be read.
type Format string

// The formats that are read.
const (
	Text     Format = "text"
	Markdown Format = "markdown" // CommonMark with tables and front matter
	HTML     Format = "html"
	CSV      Format = "csv" // with commas, semicolons, tabs or upright bars
	JSON     Format = "json"
	JSONL    Format = "jsonl" // a JSON value a line
	PDF      Format = "pdf"
	DOCX     Format = "docx"
	PPTX     Format = "pptx"
	XLSX     Format = "xlsx"
)

// Kind says what a block is.
type Kind uint8

// The kinds of block. Code and Table are best kept whole.
const (
	Paragraph Kind = iota
	Heading
	ListItem
	Quote
	Code
	Table
)

var kindNames = [...]string{"paragraph", "heading", "list item", "quote", "code", "table"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// A Block is a stretch of text that belongs together. Its markup (the "## " of
// a heading, the "- " of an item, the fence of code) stands outside its range.
type Block struct {
	Kind       Kind
	Level      int    // of a heading, 1 to 6; how deep a list item is nested, from 1; else 0
	Start, End int    // bytes of [Result.Text], without white space at the ends, never empty
	Anchor     string // fragment that leads to a heading; "" if there is none
	Page       int    // of a PDF, slide of a presentation, sheet of a workbook, from 1; 0: none
}

// A Result is a document as it is stored.
type Result struct {
	Title  string // of the page or its first heading; "" if none can be told
	Text   string
	Blocks []Block // in the order of the text, not overlapping

	Language          string    // BCP 47 tag that the file gives for its text; "" if it gives none
	Created, Modified time.Time // as the file says, in UTC; zero if it does not say
}

// Options are what may be known of a file besides its bytes. The zero value is
// that nothing is.
type Options struct {
	// Charset is the name under which the text was sent, as in the charset of a
	// media type. It is believed where the bytes do not show it wrong.
	Charset string
}

// Extract reads data as f. Front matter, comments, link definitions, scripts
// and page furniture belong to no block. Text, Markdown and HTML must be UTF-8:
// what was sent as text has a charset already. [ExtractReader] reads files,
// which may be in another.
func Extract(f Format, data []byte) (Result, error) {
	switch f {
	case Text, Markdown, HTML:
		if err := checkSize(int64(len(data)), MaxBytes); err != nil {
			return Result{}, err
		}
		if err := checkText(data); err != nil {
			return Result{}, err
		}
		return extractText(f, bytes.TrimPrefix(data, utf8BOM)), nil
	}
	return ExtractReader(context.Background(), f, bytes.NewReader(data), int64(len(data)), nil)
}

// ExtractReader reads the file of size bytes behind r as f. Files of text are
// read in the charset that they are found to be in and become UTF-8; a Word or
// PowerPoint file or a workbook is read piece by piece, all others whole. It
// stops when ctx ends. A nil opts means that nothing more is known of the file.
func ExtractReader(ctx context.Context, f Format, r io.ReaderAt, size int64, opts *Options) (Result, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	limit := int64(MaxBytes)
	if f == PDF || f == DOCX || f == PPTX || f == XLSX {
		limit = MaxFile
	}
	if err := checkSize(size, limit); err != nil {
		return Result{}, err
	}
	switch f {
	case DOCX, PPTX, XLSX:
		return office(ctx, f, r, size)
	case Text, Markdown, HTML, CSV, JSON, JSONL, PDF:
	default:
		return Result{}, fmt.Errorf("%w %.64q: want %s", ErrFormat, string(f), allFormats)
	}
	data := make([]byte, size)
	if n, err := r.ReadAt(data, 0); int64(n) < size {
		return Result{}, fmt.Errorf("read %d of %d bytes: %w", n, size, err)
	}
	if f == PDF {
		return pdfFile(ctx, data)
	}
	data, err := decode(data, o.Charset, f == HTML)
	if err != nil {
		return Result{}, err
	}
	switch f {
	case CSV:
		return csvFile(ctx, string(data))
	case JSON, JSONL:
		return jsonFile(ctx, data, f == JSONL)
	}
	return extractText(f, data), nil
}

// allFormats names every format for an error.
const allFormats = "text, markdown, html, csv, json, jsonl, pdf, docx, pptx or xlsx"

// extractText reads UTF-8 without a byte order mark.
func extractText(f Format, data []byte) Result {
	switch f {
	case Markdown:
		return markdown(data)
	case HTML:
		return htmlPage(data)
	}
	return plainText(string(data))
}

func checkSize(size, limit int64) error {
	if size > limit {
		return fmt.Errorf("%w: %d bytes, at most %d: split it", ErrTooLarge, size, limit)
	}
	return nil
}

var utf8BOM = []byte("\xef\xbb\xbf")

// checkText refuses bytes that are not UTF-8 or hold NUL.
func checkText(data []byte) error {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return &EncodingError{Offset: 0, Found: "a UTF-16 byte order mark"}
	}
	nul := bytes.IndexByte(data, 0)
	if bad := invalidUTF8(data); bad >= 0 && (nul < 0 || bad < nul) {
		return &EncodingError{Offset: bad, Found: fmt.Sprintf("byte 0x%02x", data[bad])}
	}
	if nul >= 0 {
		return &EncodingError{Offset: nul, Found: "a NUL byte"}
	}
	return nil
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// blocks collects blocks in order, within the bound on their number.
type blocks struct {
	text string
	list []Block
}

// add appends b with white space trimmed from its ends, unless nothing is left
// or it begins before the last one ended.
func (bs *blocks) add(b Block) {
	b.Start, b.End = trim(bs.text, b.Start, b.End)
	if b.Start >= b.End {
		return
	}
	if n := len(bs.list); n > 0 {
		last := &bs.list[n-1]
		if b.Start < last.End {
			return
		}
		if n >= maxBlocks {
			last.End = b.End
			return
		}
	}
	bs.list = append(bs.list, b)
}

// trim narrows start, end to what is not white space at either end.
func trim(text string, start, end int) (int, int) {
	s := text[start:end]
	left := strings.TrimLeftFunc(s, unicode.IsSpace)
	start += len(s) - len(left)
	return start, start + len(strings.TrimRightFunc(left, unicode.IsSpace))
}
