package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// pack makes a zip archive of parts: names and what they hold, in turn.
func pack(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(parts[i+1]))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const relNS = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`

func rel(id, kind, target string) string {
	return fmt.Sprintf(`<Relationship Id=%q Type=%q Target=%q/>`, id, relNS+kind, target)
}

func rels(list ...string) string {
	return `<?xml version="1.0"?><Relationships>` + strings.Join(list, "") + `</Relationships>`
}

// word makes a docx with that body, and more parts.
func word(t testing.TB, body string, more ...string) []byte {
	return pack(t, slices.Concat([]string{
		"[Content_Types].xml", "<Types/>",
		"_rels/.rels", rels(rel("r1", "officeDocument", "word/document.xml")),
		"word/_rels/document.xml.rels", rels(rel("s", "styles", "styles.xml"), rel("n", "numbering", "numbering.xml"), rel("f", "footnotes", "/word/footnotes.xml")),
		"word/document.xml", `<w:document xmlns:w="x"><w:body>` + body + `</w:body></w:document>`,
	}, more)...)
}

func para(style, text string) string {
	return `<w:p><w:pPr><w:pStyle w:val="` + style + `"/></w:pPr><w:r><w:t>` + text + `</w:t></w:r></w:p>`
}

func TestWord(t *testing.T) {
	styles := `<w:styles>
		<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
		<w:style w:styleId="Eigene"><w:name w:val="Eigene"/><w:basedOn w:val="Zwischen"/></w:style>
		<w:style w:styleId="Zwischen"><w:name w:val="Zwischen"/><w:basedOn w:val="Eigene"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
		<w:style w:styleId="Verzeichnis1"><w:name w:val="toc 1"/></w:style>
		<w:style w:styleId="Zitat"><w:name w:val="Quote"/></w:style></w:styles>`
	numbering := `<w:numbering><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
		<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>
		<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="o"/></w:lvl></w:abstractNum>
		<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num></w:numbering>`
	footnotes := `<w:footnotes><w:footnote w:id="-1" w:type="separator"><w:p/></w:footnote><w:footnote w:id="2"><w:p><w:r><w:t>The note.</w:t></w:r></w:p></w:footnote></w:footnotes>`
	item := func(num, level, text string) string {
		return `<w:p><w:pPr><w:numPr><w:ilvl w:val="` + level + `"/><w:numId w:val="` + num + `"/></w:numPr></w:pPr><w:r><w:t>` + text + `</w:t></w:r></w:p>`
	}
	run := func(s string) string { return `<w:r><w:t xml:space="preserve">` + s + `</w:t></w:r>` }
	for _, tt := range []struct{ name, body, want string }{
		{"styles of another language", para("berschrift1", "Zeiten") + para("Eigene", "Montag") + para("Zitat", "Gesagt.") + para("Verzeichnis1", "Zeiten 1"),
			"heading 1: Zeiten\nheading 2: Montag\nquote: Gesagt.\n"},
		{"lists", item("1", "0", "one") + item("1", "1", "deep") + item("1", "1", "deeper") + item("1", "0", "two") + item("2", "0", "dot") + item("9", "0", "none"),
			"list item 1: one\nlist item 2: deep\nlist item 2: deeper\nlist item 1: two\nlist item 1: dot\nparagraph: none\n"},
		{"changes", `<w:p>` + run("We ") + `<w:del><w:r><w:delText>never </w:delText></w:r></w:del><w:ins>` + run("always ") + `</w:ins><w:moveFrom>` + run("gone ") + `</w:moveFrom><w:moveTo>` + run("moved ") + `</w:moveTo>` + run("open.") + `</w:p>`,
			"paragraph: We always moved open.\n"},
		{"fields and links", `<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK</w:instrText></w:r><w:r><w:t>no</w:t></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>` + run("shown") + `<w:r><w:fldChar w:fldCharType="end"/></w:r><w:hyperlink>` + run(" link") + `</w:hyperlink><w:r><w:tab/><w:t>tab</w:t><w:br/><w:t>line</w:t></w:r></w:p>`,
			"paragraph: shown link tab⏎line\n"},
		{"hidden", `<w:p>` + run("a") + `<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>b</w:t></w:r></w:p>`, "paragraph: ab\n"},
		{"footnote", `<w:p>` + run("Text.") + `<w:r><w:footnoteReference w:id="2"/></w:r></w:p>` + para("", "Next."), "paragraph: Text.\nparagraph: The note.\nparagraph: Next.\n"},
		{"text box once", `<w:p>` + run("Around.") + `<w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx><w:txbxContent>` + para("", "Boxed.") + `</w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:txbxContent>` + para("", "Boxed.") + `</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>`,
			"paragraph: Around.\nparagraph: Boxed.\n"},
		{"table in a content control", `<w:sdt><w:sdtContent><w:tbl><w:tr><w:tc>` + para("", "A") + `</w:tc><w:tc>` + para("", "B|b") + `</w:tc></w:tr><w:tr><w:trPr><w:del/></w:trPr><w:tc>` + para("", "gone") + `</w:tc></w:tr><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>` + para("", "both") + para("", "lines") + `</w:tc></w:tr></w:tbl></w:sdtContent></w:sdt>`,
			"table: | A | B/b |⏎| --- | --- |⏎| both lines |  |\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := read(t, "a.docx", word(t, tt.body, "word/styles.xml", styles, "word/numbering.xml", numbering, "word/footnotes.xml", footnotes), nil)
			if got := outline(r); err != nil || got != tt.want {
				t.Errorf("the document becomes\n%s%v\nwant\n%s", got, err, tt.want)
			}
			if tt.name == "lists" && !strings.Contains(r.Text, "1. one\n  1.a) deep\n  1.b) deeper\n2. two\n- dot") {
				t.Errorf("the list reads %q", r.Text)
			}
		})
	}
}

// A long table is one block: where it is cut is not for the reader to say.
func TestLongTable(t *testing.T) {
	var rows strings.Builder
	for i := range 200 {
		fmt.Fprintf(&rows, "<w:tr><w:tc>%s</w:tc><w:tc>%s</w:tc></w:tr>", para("", fmt.Sprintf("Part %d", i)), para("", "in stock"))
	}
	r, err := read(t, "a.docx", word(t, "<w:tbl><w:tr><w:tc>"+para("", "Name")+"</w:tc><w:tc>"+para("", "State")+"</w:tc></w:tr>"+rows.String()+"</w:tbl>"), nil)
	if err != nil || len(r.Blocks) != 1 || strings.Count(r.Text, "\n") != 201 || strings.Count(r.Text, "| Name | State |\n| --- | --- |\n| Part 0 |") != 1 {
		t.Errorf("a table of 200 rows becomes %d blocks, %v: %.200q, want one, with its header once", len(r.Blocks), err, r.Text)
	}
}

func TestCellFormats(t *testing.T) {
	for _, tt := range []struct {
		code string
		v    float64
		want string
	}{
		{"", 0.1 + 0.2, "0.3"}, {"General", 1234567, "1234567"}, {"0.00", 4.5, "4.50"}, {"0%", 0.15, "15%"}, {"0.0%", 0.155, "15.5%"}, {"0%", 0.155, "15.5%"},
		{`#,##0.00\ "€"`, 1234.5, "1234.50 €"}, {`[$$-409]#,##0.00`, -20, "-$20.00"}, {`"EUR" 0`, 20, "EUR20"}, {"0", 4.5, "4.5"},
		{"yyyy-mm-dd", 46037, "2026-01-15"}, {"d/m/yy h:mm", 46037.5, "2026-01-15 12:00"}, {"h:mm", 0.75, "18:00"}, {"[h]:mm", 1.5, "36:00"}, {"mm:ss", 0.0007, "00:01"},
		{"mmm-yy", 59, "1900-02-28"}, {"yyyy", 1e9, "1000000000"}, {`0" days"`, 3, "3 days"}, {"0.00E+00", 12345, "12345"},
	} {
		if got := parseFormat(tt.code).apply(tt.v, false); got != tt.want {
			t.Errorf("%v shown as %q = %q, want %q", tt.v, tt.code, got, tt.want)
		}
	}
	if got := parseFormat("yyyy-mm-dd").apply(44575, true); got != "2026-01-15" {
		t.Errorf("day 44575 from 1904 = %q, want 2026-01-15", got)
	}
}

func TestRecognize(t *testing.T) {
	ole := func(stream string) []byte {
		b := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 1024)...)
		for _, u := range utf16.Encode([]rune(stream + "\x00")) {
			b = append(b, byte(u), byte(u>>8))
		}
		return b
	}
	typed := []struct{ name, contentType, data, want string }{
		{"a", "text/markdown; charset=UTF-8; variant=GFM", "x", "markdown"},
		{"a.txt", "text/x-markdown", "x", "markdown"},
		{"a", "Text/HTML;charset=\"utf-8\"", "x", "html"},
		{"a.csv", "application/vnd.ms-excel", "a,b", "csv"}, // which is what browsers on Windows say
		{"a.md", "text/plain", "x", "markdown"},
		{"a.md", "application/octet-stream", "x", "markdown"},
		{"a", "application/json", "{}", "json"},
		{"a.json", "application/x-ndjson", "{}", "jsonl"},
		{"a.md", "application/pdf", "x", "markdown"}, // it is no PDF
		{"a.md", "nonsense; charset", "x", "markdown"},
		{"a.txt", "text/plain; charset=" + strings.Repeat("x", 1<<16), "x", "text"},
		{"a." + strings.Repeat("x", 1<<16), "", "x", "text"},
		{"A.HTML", "", "", "html"},
		{`C:\docs\notes.txt`, "", "<p>", "text"},
		{"README", "", "# Title\n\ntext", "markdown"},
		{"page", "", "\n<!-- c --> <!DOCTYPE html>", "html"},
		{"script.sh", "", "# comment\n\nset -e", "text"},
		{"", "", "plain", "text"},
	}
	for _, tt := range typed {
		if f, err := Recognize(tt.name, tt.contentType, strings.NewReader(tt.data), int64(len(tt.data))); err != nil || string(f) != tt.want {
			t.Errorf("Recognize(%.40q, %.40q, %q) = %s, %v, want %s", tt.name, tt.contentType, tt.data, f, err, tt.want)
		}
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string // a format, or what the error says
	}{
		{"a.docx", word(t, ""), "docx"},
		{"no extension", word(t, ""), "docx"},
		{"a.bin", pack(t, "[Content_Types].xml", "", "ppt/presentation.xml", ""), "pptx"},
		{"a.zip", pack(t, "[Content_Types].xml", "", "xl/workbook.xml", ""), "xlsx"},
		{"a.xlsb", pack(t, "[Content_Types].xml", "", "xl/workbook.bin", ""), "save it as xlsx"},
		{"a.odt", pack(t, "mimetype", "x", "content.xml", ""), "OpenDocument"},
		{"a.zip", pack(t, "a.txt", "x"), "unpack it"},
		{"a.zip", []byte("PK\x03\x04"), "cut off"},
		{"a.doc", ole("WordDocument"), "save it as docx"},
		{"a.xls", ole("Workbook"), "save it as xlsx"},
		{"a.ppt", ole("PowerPoint Document"), "save it as pptx"},
		{"a.docx", ole("EncryptedPackage"), "password"},
		{"a.pdf", []byte("%PDF-1.7\n"), "pdf"},
		{"a.pdf", []byte("junk\n%PDF-1.7\n"), "pdf"},
		{"a.txt", []byte("The header is %PDF-1.7."), "text"},
		{"a.csv", []byte("a,b"), "csv"},
		{"a.CSV", []byte("a\x00,\x00b\x00 \x00c\x00"), "csv"},
		{"a.json", []byte("{}"), "json"},
		{"a.ndjson", []byte("{}"), "jsonl"},
		{"a.md", []byte("# x"), "markdown"},
		{"a.yaml", []byte("a: b"), "text"},
		{"a.docx", word(t, "")[:300], "cut off"},
		{"a.txt", []byte("\xff\xfea\x00"), "text"},
		{"a.png", []byte("\x89PNG\r\n"), "looks like a picture"},
		{"a.rtf", []byte("{\\rtf1"), "RTF"},
		{"a.exe", []byte("MZ\x00\x01\x00"), "binary"},
	} {
		f, err := Recognize(tt.name, "", bytes.NewReader(tt.data), int64(len(tt.data)))
		if err != nil {
			if !strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrPassword) && !errors.Is(err, ErrDamaged) {
				t.Errorf("Recognize(%s, %.20q) = %v, want an error with %q", tt.name, tt.data, err, tt.want)
			}
		} else if string(f) != tt.want {
			t.Errorf("Recognize(%s, %.20q) = %s, want %s", tt.name, tt.data, f, tt.want)
		}
	}
	if _, err := Extract(DOCX, ole("EncryptedPackage")); !errors.Is(err, ErrPassword) {
		t.Errorf("Extract of an encrypted docx = %v, want ErrPassword", err)
	}
}

func TestHostileOffice(t *testing.T) {
	text := strings.Repeat("a", 9<<20)
	many := []string{"[Content_Types].xml", ""}
	for i := range maxEntries {
		many = append(many, fmt.Sprintf("word/%d", i), "")
	}
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"a bomb", word(t, "<w:p>"+strings.Repeat("<w:r/>", 1<<20)+"</w:p>"), ErrTooLarge},
		{"a huge text", word(t, "<w:p><w:r><w:t>"+text), ErrTooLarge},
		{"many entries", pack(t, many...), ErrTooLarge},
		{"deep", word(t, strings.Repeat("<w:sdt><w:sdtContent>", 1000)), ErrDamaged},
		{"an entity", pack(t, "_rels/.rels", rels(rel("r", "officeDocument", "d.xml")), "d.xml", `<!DOCTYPE d [<!ENTITY e "x">]><d><body><p><r><t>&e;</t></r></p></body></d>`), ErrDamaged},
		{"an unknown entity", word(t, "<w:p><w:r><w:t>&e;</w:t></w:r></w:p>"), ErrDamaged},
		{"not closed", word(t, "<w:p><w:r>")[:400], ErrDamaged},
		{"no document", pack(t, "[Content_Types].xml", ""), ErrDamaged},
		{"a part that is missing", pack(t, "_rels/.rels", rels(rel("r", "officeDocument", "../../etc/passwd"))), ErrDamaged},
		{"empty", word(t, "<w:p/>"), ErrNoText},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			if r, err := Extract(DOCX, tt.data); !errors.Is(err, tt.want) {
				t.Errorf("Extract = %d bytes of text, %v, want %v", len(r.Text), err, tt.want)
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := word(t, strings.Repeat(para("", "x"), 1000))
	if _, err := ExtractReader(ctx, DOCX, bytes.NewReader(data), int64(len(data)), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ExtractReader under an ended context = %v, want that it ended", err)
	}
	if _, err := ExtractReader(t.Context(), PDF, bytes.NewReader(nil), MaxFile+1, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ExtractReader of %d bytes = %v, want ErrTooLarge", MaxFile+1, err)
	}
}

// A sheet whose cells stand far apart is not filled up between them.
func TestSparseSheet(t *testing.T) {
	var sheet strings.Builder
	sheet.WriteString(`<worksheet><row r="1">`)
	for range maxColumn {
		sheet.WriteString(`<c><v>1</v></c>`)
	}
	sheet.WriteString(`</row>`)
	for r := 2; r < 3000; r++ {
		fmt.Fprintf(&sheet, `<row r="%d"><c r="XFD%d"><v>2</v></c></row>`, r, r)
	}
	sheet.WriteString(`<mergeCell ref="A1:XFD1000000"/></worksheet>`)
	data := pack(t, "_rels/.rels", rels(rel("r", "officeDocument", "xl/workbook.xml")), "xl/_rels/workbook.xml.rels", rels(rel("s", "worksheet", "s.xml")),
		"xl/workbook.xml", `<workbook><sheet name="Wide" r:id="s"/></workbook>`, "xl/s.xml", sheet.String())
	r, err := Extract(XLSX, data)
	if err != nil || len(r.Text) > 1<<20 || len(r.Blocks) < 3000 {
		t.Errorf("a sparse sheet becomes %d bytes in %d blocks, %v", len(r.Text), len(r.Blocks), err)
	}
}
