package extract

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// readable ends the errors of [Recognize].
const readable = "text, Markdown, HTML, CSV, JSON, PDF, docx, pptx and xlsx are read"

// Recognize tells the format of a file among all that [ExtractReader] reads, by
// its bytes and, where they are text, by the media type it was sent with or, if
// that says no more, the extension of its name; both may be empty. What is not
// read is refused with an error that wraps [ErrFormat], [ErrPassword] or
// [ErrDamaged], names what the file looks like, and says what to save it as.
func Recognize(name, contentType string, r io.ReaderAt, size int64) (Format, error) {
	head := make([]byte, min(size, 8<<10))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return "", fmt.Errorf("read its beginning: %w", err)
	}
	if i := bytes.Index(head[:min(len(head), 1<<10)], []byte("%PDF-")); i == 0 || i > 0 && (bytes.IndexByte(head, 0) >= 0 || extension(name) == ".pdf") {
		return PDF, nil
	}
	if err := checkOldOffice(r); err != nil {
		return "", err
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return formatOfZip(r, size)
	}
	if what := looksLike(head); what != "" {
		return "", fmt.Errorf("%w: looks like %s; %s", ErrFormat, what, readable)
	}
	return formatOfText(name, contentType, head), nil
}

func utf16Text(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) ||
		looksLikeUTF16(head, 0) || looksLikeUTF16(head, 1)
}

// formatOfZip tells Office files from other archives, and each from the others.
func formatOfZip(r io.ReaderAt, size int64) (Format, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return "", fmt.Errorf("%w: it begins like a zip archive, as docx, pptx and xlsx are, and is cut off or broken: send it again", ErrDamaged)
	}
	types, found := false, Format("")
	for _, f := range z.File[:min(len(z.File), maxEntries)] {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		switch {
		case name == "[content_types].xml":
			types = true
		case name == "mimetype":
			return "", fmt.Errorf("%w: looks like an OpenDocument or EPUB file: save it as docx, pptx, xlsx or PDF", ErrFormat)
		case name == "xl/workbook.bin":
			return "", fmt.Errorf("%w: looks like a binary workbook (xlsb): save it as xlsx", ErrFormat)
		case found != "":
		case strings.HasPrefix(name, "word/"):
			found = DOCX
		case strings.HasPrefix(name, "ppt/"):
			found = PPTX
		case strings.HasPrefix(name, "xl/"):
			found = XLSX
		}
	}
	if !types || found == "" {
		return "", fmt.Errorf("%w: looks like a zip archive: unpack it and send the files in it; %s", ErrFormat, readable)
	}
	return found, nil
}

// checkOldOffice refuses the files of Office before 2007, and those of today
// that are protected by a password: both are OLE containers, which begin alike
// and name their streams in UTF-16.
func checkOldOffice(r io.ReaderAt) error {
	head := make([]byte, 512)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read its beginning: %w", err)
	}
	if !bytes.HasPrefix(head[:n], []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) {
		return nil
	}
	names := make([]byte, 4<<20) // the directory stands in the first sectors, or behind the data of a small file
	n, err = r.ReadAt(names, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read its beginning: %w", err)
	}
	for _, s := range []struct{ stream, what string }{
		{"WordDocument", "an old Word file: save it as docx"},
		{"Workbook", "an old Excel file: save it as xlsx"},
		{"Book", "an old Excel file: save it as xlsx"},
		{"PowerPoint Document", "an old PowerPoint file: save it as pptx"},
		{"__properties_version1.0", "a message of Outlook: save it as text or PDF"},
	} {
		if hasName(names[:n], s.stream) {
			return fmt.Errorf("%w: looks like %s", ErrFormat, s.what)
		}
	}
	if hasName(names[:n], "EncryptedPackage") {
		return fmt.Errorf("%w: open it in Office and save it without one", ErrPassword)
	}
	return fmt.Errorf("%w: looks like an old Office file: save it as docx, pptx or xlsx", ErrFormat)
}

// hasName reports whether a stream of an OLE container has that name.
func hasName(data []byte, name string) bool {
	var want []byte
	for _, u := range utf16.Encode([]rune(name + "\x00")) {
		want = append(want, byte(u), byte(u>>8))
	}
	return bytes.Contains(data, want)
}
