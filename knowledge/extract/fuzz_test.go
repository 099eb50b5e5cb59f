package extract

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// fuzzFile feeds bytes to the reader of a format: whatever they are, what comes
// is a result that keeps its promises, or an error.
func fuzzFile(f *testing.F, pattern string, seeds [][]byte, extract func(data []byte) (Result, error)) {
	names, err := filepath.Glob("testdata/" + pattern)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := extract(data); err == nil {
			checkResult(t, r)
		}
	})
}

func fuzzText(f *testing.F, format Format, seeds ...string) {
	var list [][]byte
	for _, s := range seeds {
		list = append(list, []byte(s))
	}
	fuzzFile(f, "none", list, func(data []byte) (Result, error) { return Extract(format, data) })
}

func FuzzCSV(f *testing.F) {
	fuzzText(f, CSV, "a,b\n1,2", "a;\"b\n\"\"\";c\r\n;;", "sep=|\na|b", "\xff\xfea\x00", "caf\xe9;1\n")
}

func FuzzJSON(f *testing.F) {
	fuzzText(f, JSON, `[{"a":[1,{"b":null}],"c":{"d":[[]]}}]`, `{"title":"x","a":[{"b":1},2]}`, `"\ud800"`, `1e999`)
}

func FuzzJSONL(f *testing.F) { fuzzText(f, JSONL, "{\"a\":1}\n\n[2]\n", "1\n2", "{") }

func FuzzPDF(f *testing.F) {
	seeds := [][]byte{drawn(drawnLines("Words.")), drawn("/X Do BI ID EI", "BT /F 1 Tf [(a) 5 <41>] TJ"), []byte("%PDF-1.7\nxref\n0 1\n0000000000 65535 f\ntrailer <<>>\nstartxref\n9\n%%EOF")}
	fuzzFile(f, "*.pdf", seeds, func(data []byte) (Result, error) { return readPDF(context.Background(), data) })
}

func FuzzDOCX(f *testing.F) {
	fuzzFile(f, "*.docx", nil, func(data []byte) (Result, error) { return Extract(DOCX, data) })
}

func FuzzPPTX(f *testing.F) {
	fuzzFile(f, "*.pptx", nil, func(data []byte) (Result, error) { return Extract(PPTX, data) })
}

func FuzzXLSX(f *testing.F) {
	fuzzFile(f, "*.xlsx", nil, func(data []byte) (Result, error) { return Extract(XLSX, data) })
}

// FuzzOffice puts odd XML into archives that are in order, which fuzzing of
// whole archives hardly ever makes.
func FuzzOffice(f *testing.F) {
	f.Add(`<d><body><p><r><t>a</t></r></p><tbl><tr><tc><p/></tc></tr></tbl></body></d>`)
	f.Add(`<sld><spTree><sp><txBody><p><pPr lvl="3"><buAutoNum/></pPr><r><t>a</t></r></p></txBody></sp><graphicFrame><tbl><tr><tc vMerge="1"/></tr></tbl></graphicFrame></spTree></sld>`)
	f.Add(`<worksheet><row r="2"><c r="B2" t="inlineStr"><is><t>a</t></is></c><c s="1"><v>5</v></c></row><row><c t="b"><v>1</v></c></row><mergeCell ref="A1:C2"/></worksheet>`)
	f.Add(`<p><pPr><numPr><numId val="1"/></numPr><outlineLvl val="9"/></pPr></p>`)
	f.Add(`<styles><style styleId="a"><basedOn val="a"/></style><numFmt numFmtId="200" formatCode="[$€-2]0.00"/><cellXfs><xf numFmtId="200"/></cellXfs><abstractNum abstractNumId="1"><lvl><lvlText val="%1"/></lvl></abstractNum></styles>`)
	f.Fuzz(func(t *testing.T, part string) {
		types := rels(rel("s", "styles", "s.xml"), rel("n", "numbering", "s.xml"), rel("h", "sharedStrings", "s.xml"), rel("x", "slide", "s.xml"))
		main := `<d><sheet name="a" id="x"/><sldId x:id="x"/>` + part + `</d>`
		data := pack(t, "_rels/.rels", rels(rel("r", "officeDocument", "d.xml")), "_rels/d.xml.rels", types, "d.xml", main, "s.xml", part)
		for _, format := range []Format{DOCX, PPTX, XLSX} {
			if r, err := Extract(format, data); err == nil {
				checkResult(t, r)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("<meta charset=shift_jis>\x82\xa0"), "")
	f.Add([]byte("caf\xe9"), "iso-8859-2")
	f.Add([]byte("\xfe\xff\xd8\x00"), "")
	f.Add([]byte("\x1b$B\x1b(B"), "iso-2022-jp")
	f.Fuzz(func(t *testing.T, data []byte, label string) {
		out, err := decode(data, label, true)
		if err == nil && (!utf8.Valid(out) || bytes.IndexByte(out, 0) >= 0) {
			t.Errorf("decode(%q, %q) = %q, want UTF-8 without NUL", data, label, out)
		}
	})
}

func FuzzRecognize(f *testing.F) {
	f.Add("a.pdf", []byte("%PDF-"))
	f.Add("a.csv", []byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		format, err := Recognize(name, "", bytes.NewReader(data), int64(len(data)))
		if (format == "") != (err != nil) {
			t.Errorf("Recognize(%q) = %q, %v", data, format, err)
		}
	})
}
