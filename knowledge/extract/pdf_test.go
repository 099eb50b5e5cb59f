package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// drawn makes a PDF of pages with that content, without a table of where its
// objects are: readers find them.
func drawn(pages ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Kids[")
	for i := range pages {
		fmt.Fprintf(&b, "%d 0 R ", 10+2*i)
	}
	fmt.Fprintf(&b, "]/Count %d/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R/B 4 0 R>>>>>> endobj\n", len(pages))
	b.WriteString("3 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj\n4 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>> endobj\n")
	for i, p := range pages {
		fmt.Fprintf(&b, "%d 0 obj <</Type/Page/Parent 2 0 R/Contents %d 0 R>> endobj\n%d 0 obj <</Length %d>> stream\n%s\nendstream endobj\n", 10+2*i, 11+2*i, 11+2*i, len(p), p)
	}
	b.WriteString("trailer <</Root 1 0 R>>\n")
	return b.Bytes()
}

// lines draws text line by line from the top.
func drawnLines(text ...string) string {
	return "BT /F 10 Tf 12 TL 50 700 Td (" + strings.Join(text, ") Tj T* (") + ") Tj ET"
}

func TestDrawn(t *testing.T) {
	for _, tt := range []struct{ name, content, want string }{
		{"hyphens", drawnLines("The office informs all of its neigh-", "bours about the well-", "Known plan of the city."), "paragraph: The office informs all of its neighbours about the well-Known plan of the city.\n"},
		{"list", drawnLines("1. First of all", "2. Then the rest", "\\267 not a bullet"), "list item 1: First of all\nlist item 1: Then the rest\nlist item 1: not a bullet\n"},
		{"heading", "BT /B 10 Tf 50 700 Td (Opening hours) Tj ET BT /F 10 Tf 50 680 Td (We open at nine.) Tj ET", "heading 1: Opening hours\nparagraph: We open at nine.\n"},
		{"actual text", "BT /F 10 Tf 50 700 Td (a) Tj /Span <</ActualText (ffi)>> BDC (xyz) Tj EMC (b) Tj ET", "paragraph: affib\n"},
		{"artifact", "/Artifact BMC BT /F 10 Tf 50 790 Td (Page 1) Tj ET EMC " + drawnLines("Words."), "paragraph: Words.\n"},
		{"gaps are spaces", "BT /F 10 Tf 50 700 Td [(Open)-300(at)-300(nine)] TJ ET", "paragraph: Open at nine\n"},
		{"letter by letter, twice", "BT /F 10 Tf 50 700 Td (H) Tj 7.2 0 Td (i) Tj ET BT /F 10 Tf 50.1 700 Td (H) Tj 7.2 0 Td (i) Tj ET", "paragraph: Hi\n"},
		{"picture in between", "BI /W 1 /H 1 ID \x00(\xff EI " + drawnLines("Words."), "paragraph: Words.\n"},
		{"on its side", "BT /F 10 Tf 0 1 -1 0 300 100 Tm (Words on their side.) Tj ET", "paragraph: Words on their side.\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := read(t, "a.pdf", drawn(tt.content), nil)
			if got := outline(r); err != nil || got != tt.want {
				t.Errorf("%s becomes\n%s%v\nwant\n%s", tt.content, got, err, tt.want)
			}
		})
	}
}

func TestHostilePDF(t *testing.T) {
	whole, err := os.ReadFile("testdata/handbook.pdf")
	if err != nil {
		t.Fatal(err)
	}
	doc := func(objects string) []byte { return []byte("%PDF-1.7\n" + objects + "\ntrailer <</Root 1 0 R>>\n") }
	catalog := "1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n"
	form := drawn("/X Do")
	form = bytes.Replace(form, []byte("/Font<<"), []byte("/XObject<</X 5 0 R/Y 6 0 R>>/Font<<"), 1)
	form = append(form, "5 0 obj <</Subtype/Form/Length 12>> stream\n/Y Do /Y Do \nendstream endobj 6 0 obj <</Subtype/Form/Length 12>> stream\n/X Do /X Do \nendstream endobj "...)
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ErrDamaged},
		{"no PDF", []byte("hello"), ErrDamaged},
		{"only a head", []byte("%PDF-1.7\n"), ErrDamaged},
		{"pages that hold themselves", doc(catalog + "2 0 obj <</Type/Pages/Kids[2 0 R 2 0 R]>> endobj"), ErrDamaged},
		{"a reference to itself", doc("1 0 obj 1 0 R endobj 2 0 obj 2 0 R endobj"), ErrDamaged},
		{"tables in a circle", []byte("%PDF-1.7\n" + catalog + "xref\n0 0\ntrailer <</Root 1 0 R/Prev 54>>\nstartxref\n46\n%%EOF"), ErrDamaged},
		{"a length that is itself", doc(catalog + "2 0 obj <</Type/Pages/Kids[3 0 R]>> endobj 3 0 obj <</Contents 4 0 R>> endobj 4 0 obj <</Length 4 0 R>> stream\nendstream endobj"), ErrNoText},
		{"deep arrays", doc(catalog + "2 0 obj " + strings.Repeat("[", 1<<20)), ErrDamaged},
		{"deep dictionaries", doc(catalog + "2 0 obj " + strings.Repeat("<</A", 1<<20)), ErrDamaged},
		{"many objects", []byte("%PDF-1.7\n" + strings.Repeat("9 0 obj ", 1<<20)), ErrDamaged},
		{"drawings in circles", form, ErrNoText},
		{"encrypted by others", doc(catalog + "3 0 obj <</Filter/Other/V 1/R 2>> endobj trailer <</Encrypt 3 0 R>>"), ErrPassword},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			if r, err := readPDF(t.Context(), tt.data); !errors.Is(err, tt.want) {
				t.Errorf("Extract = %q, %v, want %v", r.Text, err, tt.want)
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
	// Wherever a file is cut or broken, what comes is text or an error.
	good, err := Extract(PDF, whole)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(bytes.Clone(whole), []byte("startxref\n"), []byte("startxref\n1"), 1)
	if r, err := readPDF(t.Context(), broken); err != nil || r.Text != good.Text {
		t.Errorf("a file whose table is lost reads %q, %v, want what the whole does", r.Text, err)
	}
	for n := 0; n < len(whole); n += 2999 {
		readPDF(t.Context(), whole[:n])
		odd := bytes.Clone(whole)
		copy(odd[n:], "<<[(9 0 R")
		readPDF(t.Context(), odd)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ExtractReader(ctx, PDF, bytes.NewReader(whole), int64(len(whole)), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ExtractReader under an ended context = %v, want that it ended", err)
	}
}

// A manual of a thousand pages takes little more memory than its text.
func TestThousandPages(t *testing.T) {
	var text []string
	for i := range 40 {
		text = append(text, fmt.Sprintf("Line %d of a page tells what is done with the crates that came back.", i))
	}
	pages := make([]string, 1000)
	for i := range pages {
		pages[i] = drawnLines(append([]string{fmt.Sprintf("Chapter %d begins.", i+1)}, text...)...)
	}
	data := drawn(pages...)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	r, err := Extract(PDF, data)
	took := time.Since(begin)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d bytes, %d of text: %v, %d bytes allocated in all, %d kept", len(data), len(r.Text), took, after.TotalAlloc-before.TotalAlloc, int64(after.HeapAlloc)-int64(before.HeapAlloc))
	if last := r.Blocks[len(r.Blocks)-1]; last.Page != 1000 || len(r.Text) < 2<<20 {
		t.Errorf("the last block is on page %d of %d bytes of text, want 1000", last.Page, len(r.Text))
	}
}
