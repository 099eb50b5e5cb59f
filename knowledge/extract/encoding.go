package extract

import (
	"bytes"
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// metaCharset finds what a page says of its own charset, in the first bytes of
// it, as browsers look for it.
var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{0,256}?charset\s*=\s*["']?\s*([\w.:-]{1,40})|<\?xml[^>]{0,256}?encoding\s*=\s*["']([\w.:-]{1,40})`)

// decode returns data as UTF-8 without a byte order mark. What the bytes
// themselves show goes before any label: a byte order mark, then whether they
// are valid UTF-8, then UTF-16 by its NULs. Only then is the charset believed
// that came with the file, or the one that a page names. Without any, short of
// guessing among a dozen tables, bytes are taken for windows-1252 if that makes
// them text of letters.
func decode(data []byte, label string, page bool) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, utf8BOM):
		data = data[len(utf8BOM):]
		return data, checkText(data)
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return transcode(data[2:], "utf-16le")
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return transcode(data[2:], "utf-16be")
	case looksLikeUTF16(data, 1):
		return transcode(data, "utf-16le")
	case looksLikeUTF16(data, 0):
		return transcode(data, "utf-16be")
	}
	if page && label == "" {
		if m := metaCharset.FindSubmatch(data[:min(len(data), 4<<10)]); m != nil {
			label = string(m[1]) + string(m[2])
		}
	}
	if utf8.Valid(data) && !escapes(data, label) {
		return data, checkText(data)
	}
	if enc, name := charset.Lookup(label); enc != nil && name != "utf-8" && name != "utf-16le" && name != "utf-16be" && name != "replacement" {
		return transcode(data, name)
	}
	if out, err := transcode(data, "windows-1252"); err == nil && western(data) {
		return out, nil
	}
	return nil, checkText(data)
}

// transcode reads data in the charset of that name. Text in which a good part
// is not of the charset was not written in it.
func transcode(data []byte, name string) ([]byte, error) {
	enc, _ := charset.Lookup(name)
	out, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		return nil, fmt.Errorf("%w: read as %s: %v", ErrDamaged, name, err)
	}
	if len(out) > 2*MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes of UTF-8, at most %d: split it", ErrTooLarge, len(out), 2*MaxBytes)
	}
	if bad := bytes.Count(out, []byte("\uFFFD")); bad*50 > len(out) {
		return nil, &EncodingError{Offset: max(invalidUTF8(data), 0), Found: fmt.Sprintf("text that is not %s, as it was labelled,", name)}
	}
	out = bytes.TrimPrefix(out, utf8BOM)
	if i := bytes.IndexByte(out, 0); i >= 0 {
		return nil, &EncodingError{Offset: i, Found: "a NUL character"}
	}
	return out, nil
}

// looksLikeUTF16 reports whether text without a byte order mark is UTF-16 whose
// high bytes stand at odd (1) or even (0) places, by the spaces and line ends
// in it. A text with a NUL somewhere is none.
func looksLikeUTF16(data []byte, high int) bool {
	if len(data) < 4 || len(data)%2 != 0 {
		return false
	}
	head := data[:min(len(data), 4<<10)&^1]
	spaces, ascii, other := 0, 0, 0
	for i := 0; i < len(head); i += 2 {
		lo, hi := head[i+1-high], head[i+high]
		switch {
		case hi == 0 && (lo == ' ' || lo == '\n' || lo == '\r' || lo >= 'a' && lo <= 'z'):
			spaces++
		case hi == 0 && lo == 0, lo == 0 && hi != 0 && hi < 0x80:
			other++
		case hi >= 'a' && hi <= 'z' && (lo == ' ' || lo >= 'a' && lo <= 'z'):
			ascii++
		}
	}
	return spaces > len(head)/32 && other*8 < spaces && ascii < spaces
}

// escapes reports whether a charset writes other characters with the bytes of
// ASCII, so that its text is valid UTF-8 and yet something else.
func escapes(data []byte, label string) bool {
	_, name := charset.Lookup(label)
	return name == "iso-2022-jp" && bytes.Contains(data, []byte("\x1b$"))
}

// western reports whether bytes read as windows-1252 are plausible: its bytes
// above ASCII stand for letters and typographic marks in text that is mostly
// ASCII, and there are no control characters.
func western(data []byte) bool {
	high := 0
	for _, c := range data {
		switch {
		case c == 0 || c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f',
			c == 0x81, c == 0x8d, c == 0x8f, c == 0x90, c == 0x9d:
			return false // undefined
		case c >= 0x80:
			high++
		}
	}
	return high*4 <= len(data)
}

// clean drops characters that are never seen and makes white space plain.
func clean(r rune) rune {
	switch {
	case r == 0xAD, r == 0x200B, r == 0xFEFF, r == 0xFFFC, r == 0:
		return -1
	case r == '\n':
		return r
	case unicode.IsSpace(r), unicode.IsControl(r):
		return ' '
	}
	return r
}
