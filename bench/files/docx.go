package main

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"os"
	"strings"
)

const (
	contentTypes = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>`
	relations = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`
	documentRelations = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`
	styles = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/><w:sz w:val="36"/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="ListBullet"><w:name w:val="List Bullet"/><w:basedOn w:val="Normal"/></w:style></w:styles>`
)

// writeDOCX writes pages as a Word file, in runs of some words each, as editing
// leaves them.
func writeDOCX(path string, pages []page) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
		`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`)
	paragraph := func(properties, text string) {
		b.WriteString(`<w:p w:rsidR="00A77B3E" w:rsidRDefault="00A77B3E"><w:pPr>` + properties + `</w:pPr>`)
		for i := 0; i < len(text); {
			end := min(i+40, len(text))
			b.WriteString(`<w:r w:rsidRPr="00C41F2A"><w:rPr><w:lang w:val="en-US"/></w:rPr><w:t xml:space="preserve">`)
			_ = xml.EscapeText(&b, []byte(text[i:end])) // a strings.Builder takes all
			b.WriteString(`</w:t></w:r>`)
			i = end
		}
		b.WriteString(`</w:p>`)
	}
	for i, p := range pages {
		properties := `<w:pStyle w:val="Heading1"/>`
		if i > 0 {
			properties += `<w:pageBreakBefore/>`
		}
		paragraph(properties, p.title)
		for _, text := range p.paragraphs {
			paragraph("", text)
		}
		for _, text := range p.items {
			paragraph(`<w:pStyle w:val="ListBullet"/>`, text)
		}
		if p.rows == nil {
			continue
		}
		b.WriteString(`<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/></w:tblPr><w:tblGrid><w:gridCol w:w="3000"/><w:gridCol w:w="3000"/><w:gridCol w:w="3000"/></w:tblGrid>`)
		for _, row := range p.rows {
			b.WriteString(`<w:tr>`)
			for _, cell := range row {
				b.WriteString(`<w:tc><w:tcPr><w:tcW w:w="3000" w:type="dxa"/></w:tcPr>`)
				paragraph("", cell)
				b.WriteString(`</w:tc>`)
			}
			b.WriteString(`</w:tr>`)
		}
		b.WriteString(`</w:tbl>`)
	}
	b.WriteString(`</w:body></w:document>`)
	z := zip.NewWriter(f)
	for _, part := range []struct{ name, content string }{
		{"[Content_Types].xml", contentTypes}, {"_rels/.rels", relations}, {"word/document.xml", b.String()},
		{"word/_rels/document.xml.rels", documentRelations}, {"word/styles.xml", styles},
	} {
		w, err := z.Create(part.name)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(part.content)); err != nil {
			return err
		}
	}
	return z.Close()
}
