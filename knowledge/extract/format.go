package extract

import (
	"bytes"
	"fmt"
	"strings"
)

var formatOfExtension = map[string]Format{
	".txt": Text, ".text": Text, ".log": Text, ".rst": Text, ".adoc": Text, ".org": Text, ".csv": Text, ".tsv": Text,
	".json": Text, ".jsonl": Text, ".yaml": Text, ".yml": Text, ".toml": Text, ".ini": Text, ".tex": Text, ".srt": Text,
	".md": Markdown, ".markdown": Markdown, ".mdown": Markdown, ".mkd": Markdown, ".mdx": Markdown,
	".html": HTML, ".htm": HTML, ".xhtml": HTML,
}

// magics are how files begin that people upload and that hold no plain text.
var magics = []struct{ prefix, name string }{
	{"%PDF-", "a PDF file"},
	{"PK\x03\x04", "a zip archive (docx, xlsx, pptx, epub …)"},
	{"\xd0\xcf\x11\xe0", "an old Office file"},
	{"{\\rtf", "an RTF file"},
	{"\x89PNG", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"GIF8", "a picture"},
	{"\x1f\x8b", "a gzip file"}, {"7z\xbc\xaf", "a 7z archive"}, {"Rar!", "a RAR archive"},
	{"ID3", "sound"}, {"OggS", "sound"}, {"\x7fELF", "a program"},
}

// FormatOf tells the format of a file by the extension of its name, and where
// that says nothing by how data begins. Bytes that are plainly not text are
// refused with an error that wraps [ErrFormat] and names what they look like;
// text of an unknown extension is [Text].
func FormatOf(name string, data []byte) (Format, error) {
	for _, m := range magics {
		if bytes.HasPrefix(data, []byte(m.prefix)) {
			return "", fmt.Errorf("%w: looks like %s; text, Markdown and HTML are read", ErrFormat, m.name)
		}
	}
	if bytes.IndexByte(data[:min(len(data), 8<<10)], 0) >= 0 {
		return "", fmt.Errorf("%w: looks like a binary file; text, Markdown and HTML are read", ErrFormat)
	}
	ext := extension(name)
	if f, ok := formatOfExtension[ext]; ok {
		return f, nil
	}
	if looksLikeHTML(data) {
		return HTML, nil
	}
	if ext == "" && looksLikeMarkdown(data) {
		return Markdown, nil
	}
	return Text, nil
}

// looksLikeHTML reports whether data begins, after comments, with a tag that
// begins pages.
func looksLikeHTML(data []byte) bool {
	s := bytes.TrimPrefix(data, utf8BOM)
	s = s[:min(len(s), 64<<10)]
	for {
		s = bytes.TrimLeft(s, " \t\r\n\f")
		if !bytes.HasPrefix(s, []byte("<!--")) {
			break
		}
		_, rest, ok := bytes.Cut(s, []byte("-->"))
		if !ok {
			return false
		}
		s = rest
	}
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<style", "<article", "<main", "<h1", "<h2", "<div", "<p>"} {
		if len(s) >= len(tag) && strings.EqualFold(string(s[:len(tag)]), tag) {
			return true
		}
	}
	return false
}

// looksLikeMarkdown reports whether data begins with an ATX heading and a
// blank line.
func looksLikeMarkdown(data []byte) bool {
	s := bytes.TrimLeft(bytes.TrimPrefix(data, utf8BOM), " \t\r\n")
	line, rest, _ := bytes.Cut(s, []byte("\n"))
	hashes := len(line) - len(bytes.TrimLeft(line, "#"))
	if hashes == 0 || hashes > 6 || hashes == len(line) || line[hashes] != ' ' {
		return false
	}
	next, _, _ := bytes.Cut(rest, []byte("\n"))
	return len(bytes.TrimSpace(next)) == 0
}
