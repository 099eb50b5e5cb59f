package main

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os"
	"strings"
)

// writePDF writes pages as a PDF, a page each, with the fonts that every reader
// has and compressed contents.
func writePDF(path string, pages []page) error {
	var out bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&out, format, args...)
		out.WriteString("\nendobj\n")
	}
	out.WriteString("%PDF-1.4\n")
	const fixed = 4 // objects before the pages
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", fixed+1+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Count %d /Kids [%s] >>", len(pages), kids.String())
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding %s >>", widths())
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding %s >>", widths())
	for i, p := range pages {
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents %d 0 R >>", fixed+2+2*i)
		var stream bytes.Buffer
		z := zlib.NewWriter(&stream)
		if _, err := z.Write(content(p)); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		object("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", stream.Len(), stream.String())
	}
	xref := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return os.WriteFile(path, out.Bytes(), 0o600)
}

// widths are those of the characters from the space on: near enough.
func widths() string {
	return "/FirstChar 32 /LastChar 126 /Widths [" + strings.Repeat("500 ", 126-32+1) + "]"
}

// content is what is drawn on a page.
func content(p page) []byte {
	var b bytes.Buffer
	y := 790.0
	escape := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`)
	show := func(font string, size, x float64, text string) {
		fmt.Fprintf(&b, "BT /%s %.1f Tf 1 0 0 1 %.2f %.2f Tm (%s) Tj ET\n", font, size, x, y, escape.Replace(text))
	}
	show("F2", 18, 56, p.title)
	y -= 30
	wrap := func(x float64, text string) {
		line := ""
		for w := range strings.FieldsSeq(text) {
			if len(line)+len(w) > 90 {
				show("F1", 10, x, line)
				y -= 12
				line = ""
			}
			line = strings.TrimPrefix(line+" "+w, " ")
		}
		show("F1", 10, x, line)
		y -= 12
	}
	for _, text := range p.paragraphs {
		wrap(56, text)
		y -= 8
	}
	for _, text := range p.items {
		wrap(70, "- "+text)
	}
	y -= 8
	for _, row := range p.rows {
		for i, cell := range row {
			show("F1", 10, 56+150*float64(i), cell)
		}
		y -= 14
	}
	return b.Bytes()
}
