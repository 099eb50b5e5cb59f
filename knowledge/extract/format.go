package extract

import (
	"bytes"
	"mime"
	"path"
	"strings"
)

// formatOfExtension tells files of text apart by their names.
var formatOfExtension = map[string]Format{
	".md": Markdown, ".markdown": Markdown, ".mdown": Markdown, ".mkd": Markdown, ".mdx": Markdown,
	".html": HTML, ".htm": HTML, ".xhtml": HTML,
	".csv": CSV, ".tsv": CSV, ".tab": CSV,
	".json": JSON, ".jsonl": JSONL, ".ndjson": JSONL,
	".txt": Text, ".text": Text, ".log": Text, ".rst": Text, ".adoc": Text, ".org": Text,
	".yaml": Text, ".yml": Text, ".toml": Text, ".ini": Text, ".tex": Text, ".srt": Text,
}

// formatOfType are the media types that say more of a text than that it is one.
var formatOfType = map[string]Format{
	"text/markdown": Markdown, "text/x-markdown": Markdown,
	"text/html": HTML, "application/xhtml+xml": HTML,
	"text/csv": CSV, "text/tab-separated-values": CSV,
	"application/json": JSON, "application/jsonl": JSONL, "application/x-jsonlines": JSONL, "application/x-ndjson": JSONL,
}

// formatOfText tells the format of a file of text: by the media type it was sent
// with, by the extension of its name, and where neither says anything by how it
// begins.
func formatOfText(name, contentType string, head []byte) Format {
	mediaType, _, _ := mime.ParseMediaType(contentType) // a bad one says nothing
	if f, ok := formatOfType[mediaType]; ok {
		return f
	}
	ext := extension(name)
	if f, ok := formatOfExtension[ext]; ok {
		return f
	}
	if looksLikeHTML(head) {
		return HTML
	}
	if ext == "" && looksLikeMarkdown(head) {
		return Markdown
	}
	return Text
}

// extension returns the extension of a name, in lower case, with its full stop.
func extension(name string) string {
	return strings.ToLower(path.Ext(strings.ReplaceAll(name, `\`, "/")))
}

// magics are how files begin that people upload and that hold no plain text.
var magics = []struct{ prefix, name string }{
	{"{\\rtf", "an RTF file: save it as docx or PDF"},
	{"\x89PNG", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"GIF8", "a picture"},
	{"\x1f\x8b", "a gzip file: unpack it"}, {"7z\xbc\xaf", "a 7z archive: unpack it"}, {"Rar!", "a RAR archive: unpack it"},
	{"ID3", "sound"}, {"OggS", "sound"}, {"\x7fELF", "a program"},
}

// looksLike says what bytes look like that hold no text; "" if they may.
func looksLike(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.prefix)) {
			return m.name
		}
	}
	if bytes.IndexByte(head, 0) >= 0 && !utf16Text(head) {
		return "a binary file"
	}
	return ""
}

// looksLikeHTML reports whether data begins, after comments, with a tag that
// begins pages.
func looksLikeHTML(data []byte) bool {
	s := bytes.TrimPrefix(data, utf8BOM)
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
