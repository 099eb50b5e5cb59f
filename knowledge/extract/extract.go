package extract

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes is the largest input Extract reads: 32 MiB.
const MaxBytes = 32 << 20

// maxBlocks bounds the structure kept of one document, about 12 MB of it. A
// manual of a thousand pages has some twenty thousand blocks. What comes after
// the last one is added to it.
const maxBlocks = 1 << 18

// Errors that callers tell apart; each comes wrapped with what was found.
var (
	// ErrFormat is wrapped when the bytes are of a kind that is not read.
	ErrFormat = errors.New("unsupported format")
	// ErrTooLarge is wrapped when the input is larger than [MaxBytes].
	ErrTooLarge = errors.New("file too large")
)

// An EncodingError says where the input stops being UTF-8 text.
type EncodingError struct {
	Offset int    // of the first bad byte, in the input
	Found  string // what stands there: "a NUL byte", "a UTF-16 byte order mark" …
}

func (e *EncodingError) Error() string {
	return fmt.Sprintf("text must be UTF-8: %s at byte %d", e.Found, e.Offset)
}

// Format says how bytes are to be read.
type Format string

// The formats that are read.
const (
	Text     Format = "text"
	Markdown Format = "markdown" // CommonMark with tables and front matter
	HTML     Format = "html"
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
}

// A Result is a document as it is stored.
type Result struct {
	Title  string // of the page or its first heading; "" if none can be told
	Text   string
	Blocks []Block // in the order of the text, not overlapping
}

// Extract reads data as f. Front matter, comments, link definitions, scripts
// and page furniture belong to no block.
func Extract(f Format, data []byte) (Result, error) {
	if len(data) > MaxBytes {
		return Result{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), MaxBytes)
	}
	if err := checkText(data); err != nil {
		return Result{}, err
	}
	data = bytes.TrimPrefix(data, utf8BOM)
	switch f {
	case Text:
		return plainText(string(data)), nil
	case Markdown:
		return markdown(data), nil
	case HTML:
		return htmlPage(data), nil
	}
	return Result{}, fmt.Errorf("%w %q: want text, markdown or html", ErrFormat, f)
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
