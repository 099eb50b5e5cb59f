package extract

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// outline writes a result's blocks, one a line.
func outline(r Result) string {
	var b strings.Builder
	for _, bl := range r.Blocks {
		fmt.Fprintf(&b, "%v", bl.Kind)
		if bl.Level > 0 {
			fmt.Fprintf(&b, " %d", bl.Level)
		}
		if bl.Anchor != "" {
			fmt.Fprintf(&b, " #%s", bl.Anchor)
		}
		fmt.Fprintf(&b, ": %s\n", strings.ReplaceAll(r.Text[bl.Start:bl.End], "\n", "⏎"))
	}
	return b.String()
}

func TestExtract(t *testing.T) {
	tests := []struct {
		name        string
		format      Format
		in          string
		title, want string
	}{
		{"text paragraphs", Text, "Opening hours\n\nWe open at 9.\nWe close at 5.\n\n\nSundays never.\n", "Opening hours",
			"paragraph: Opening hours\nparagraph: We open at 9.⏎We close at 5.\nparagraph: Sundays never.\n"},
		{"text underlined title", Text, "Returns\r\n=======\r\n\r\nWithin 30 days.", "Returns",
			"paragraph: Returns\r⏎=======\nparagraph: Within 30 days.\n"},
		{"text without a title", Text, "We open at 9.\n\nWe close at 5.", "", "paragraph: We open at 9.\nparagraph: We close at 5.\n"},
		{"text with a byte order mark", Text, "\ufeffHello there", "", "paragraph: Hello there\n"},
		{"empty", Markdown, "", "", ""},
		{"markdown headings", Markdown, "# API *keys*\n\nIntro\nwraps.\n\nRotate a key\n---\n\n## Rotate a key ##\n\n### Named {#own}\n", "API *keys*",
			"heading 1 #api-keys: API *keys*\nparagraph: Intro⏎wraps.\nheading 2 #rotate-a-key: Rotate a key\n" +
				"heading 2 #rotate-a-key-1: Rotate a key\nheading 3 #own: Named\n"},
		{"markdown front matter", Markdown, "---\ntitle: \"Keys\"\ntags: [a]\n---\n\ntext\n", "Keys", "paragraph: text\n"},
		{"markdown without front matter", Markdown, "---\n\ntext\n", "", "paragraph: text\n"},
		{"markdown lists", Markdown, "- one\n- two\n  more\n\n  - deep\n1. first\n\n   second paragraph\n", "",
			"list item 1: one\nlist item 1: two⏎  more\nlist item 2: deep\nlist item 1: first\nlist item 1: second paragraph\n"},
		{"markdown code", Markdown, "```go\nx := 1\n\ny := 2\n```\n\n    indented\n", "", "code: x := 1⏎⏎y := 2\ncode: indented\n"},
		{"markdown table", Markdown, "Prices:\n| Plan | Price |\n|------|------:|\n| Free | 0 |\n| Pro | 20 |\n\nAfter", "",
			"paragraph: Prices:\ntable: | Plan | Price |⏎|------|------:|⏎| Free | 0 |⏎| Pro | 20 |\nparagraph: After\n"},
		{"markdown quote", Markdown, "> said\n> twice\n", "", "quote: said⏎> twice\n"},
		{"markdown comments and definitions", Markdown, "<!-- hidden -->\n\n<div>shown</div>\n\n<a id=\"x\"></a>\n\n[a]: https://example.com\n\nend", "",
			"paragraph: <div>shown</div>\nparagraph: end\n"},
		{"html", HTML, `<!doctype html><html><head><title>Our  shop</title><style>x{}</style></head><body>
			<nav><a href=/>Home</a></nav><h1 id=top>Shop</h1><p>We sell <b>tea</b> &amp; c&ocirc;ffee.<p>Call&nbsp;us.
			<ul><li>One<li>Two <ol><li>a<li><p>b</p><p>c</p></ol></ul><script>bad()</script><footer>(c)</footer>`, "Our shop",
			"heading 1 #top: Shop\nparagraph: We sell tea & côffee.\nparagraph: Call us.\nlist item 1: One\nlist item 1: Two\n" +
				"list item 2: a\nlist item 2: b\nlist item 2: c\n"},
		{"html table", HTML, `<table><tr><th>Plan<th>Price<tr><td><p>Pro</p><td>20<br>a month</table>`, "", "table: Plan | Price⏎Pro | 20 a month\n"},
		{"html layout table", HTML, `<table><tr><td><h2>Hours</h2>Nine<td><table><tr><td>a<td>b</table></table>`, "",
			"heading 2: Hours\nparagraph: Nine\ntable: a | b\n"},
		{"html pre", HTML, "<pre>\nif x {\n\ty()   // z\n}\n</pre>", "", "code: if x {⏎\ty()   // z⏎}\n"},
		{"html hidden", HTML, `<p hidden>a</p><p style="Display : none">b</p><div aria-hidden=true>c<p>d</div><template>e</template><p>shown`, "", "paragraph: shown\n"},
		{"html hidden without an end", HTML, `<ul><li hidden>a<p>b</ul><p>shown`, "", "paragraph: shown\n"},
		{"html collapsed answer", HTML, `<h3><button aria-controls=a1>When do you open?</button></h3><div id=a1 hidden>At nine.</div>`, "",
			"heading 3: When do you open?\nparagraph: At nine.\n"},
		{"html main", HTML, `<header><p>Menu</header><div>Advert</div><main><header><h1>Tea</h1></header><p>Green and black tea.</main><footer>(c)</footer>`, "Tea",
			"heading 1: Tea\nparagraph: Green and black tea.\n"},
		{"html small main", HTML, `<main><p>x</main><p>All of the text is outside of it.`, "", "paragraph: x\nparagraph: All of the text is outside of it.\n"},
		{"html only furniture", HTML, `<footer>Call us at 555.</footer>`, "", "paragraph: Call us at 555.\n"},
		{"html misnested", HTML, `<div><b><p>one</b> two</div></p></div>three<td>four`, "", "paragraph: one two\nparagraph: three\nparagraph: four\n"},
		{"html stray end in a cell", HTML, `<div><table><tr><td>a</div>b</td><td>c</table>d</div>`, "", "table: ab | c\nparagraph: d\n"},
		{"html words in buttons", HTML, `<button>Yes</button><button>No</button>`, "", "paragraph: Yes No\n"},
		{"html summary", HTML, `<details><summary>How?</summary>So.</details>`, "", "paragraph: How?\nparagraph: So.\n"},
		{"html title in a comment", HTML, `<!--{"Title": "Go Memory"}--><h2>x ¶</h2>`, "Go Memory", "heading 2: x\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Extract(tt.format, []byte(tt.in))
			if err != nil {
				t.Fatalf("Extract(%q) = %v", tt.in, err)
			}
			if got := outline(r); got != tt.want {
				t.Errorf("Extract(%q) blocks:\n%s\nwant:\n%s", tt.in, got, tt.want)
			}
			if r.Title != tt.title {
				t.Errorf("Extract(%q) title = %q, want %q", tt.in, r.Title, tt.title)
			}
			if tt.format != HTML && r.Text != strings.TrimPrefix(tt.in, "\ufeff") {
				t.Errorf("Extract(%q) text = %q, want the file's own", tt.in, r.Text)
			}
			checkResult(t, r)
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	for _, tt := range []struct {
		format Format
		in     string
		offset int
	}{
		{Text, "abc\x80def", 3}, {HTML, "ab\x00", 2}, {Markdown, "\xff\xfea\x00", 0}, {Text, "a\x00\x80", 1},
	} {
		_, err := Extract(tt.format, []byte(tt.in))
		bad, ok := errors.AsType[*EncodingError](err)
		if !ok || bad.Offset != tt.offset {
			t.Errorf("Extract(%q) = %v, want an EncodingError at %d", tt.in, err, tt.offset)
		}
	}
	if _, err := Extract(Text, make([]byte, MaxBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Extract(%d bytes) = %v, want ErrTooLarge", MaxBytes+1, err)
	}
	if _, err := Extract("doc", nil); !errors.Is(err, ErrFormat) {
		t.Errorf("Extract(doc) = %v, want ErrFormat", err)
	}
}

// TestGoDocumentation reads the pages that come with every Go tree.
func TestGoDocumentation(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		title  string
		blocks int
	}{
		"go_mem.html":  {"The Go Memory Model", 100},
		"go_spec.html": {"The Go Programming Language Specification", 1000},
	} {
		data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "doc", name))
		if errors.Is(err, os.ErrNotExist) {
			t.Logf("%s does not come with this Go tree", name)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := Extract(HTML, data)
		if err != nil {
			t.Fatalf("Extract(%s) = %v", name, err)
		}
		if r.Title != want.title || len(r.Blocks) < want.blocks {
			t.Errorf("Extract(%s) = title %q, %d blocks, want %q and at least %d", name, r.Title, len(r.Blocks), want.title, want.blocks)
		}
		checkResult(t, r)
	}
}

// TestHostile gives each reader what makes careless ones slow or fat.
func TestHostile(t *testing.T) {
	var attributes strings.Builder
	for i := range 500 {
		fmt.Fprintf(&attributes, "<b a=%d>", i)
	}
	for name, in := range map[string]struct {
		format Format
		unit   string
		n      int
	}{
		"html deep":          {HTML, "<div>", 400_000},
		"html stray ends":    {HTML, "</p></b></li>", 200_000},
		"html unclosed":      {HTML, "<li><table><td>", 100_000},
		"html formatting":    {HTML, attributes.String() + strings.Repeat("<div>x</div>", 2000), 20},
		"html paragraphs":    {HTML, "<p>a", 500_000},
		"markdown quotes":    {Markdown, ">", 1_000_000},
		"markdown lists":     {Markdown, "- ", 500_000},
		"markdown numbers":   {Markdown, "1. ", 500_000},
		"markdown brackets":  {Markdown, "[", 1_000_000},
		"markdown table":     {Markdown, "|-", 200_000},
		"markdown cells":     {Markdown, strings.Repeat("|a", 500) + "\n" + strings.Repeat("|-", 500) + "\n" + strings.Repeat("|\n", 50_000), 1},
		"markdown ticks":     {Markdown, "`", 500_000},
		"markdown underline": {Markdown, "a\n-\n", 60_000},
		"markdown lines":     {Markdown, "a\n\n", 500_000},
		"text paragraphs":    {Text, "a\n\n", 500_000},
	} {
		t.Run(name, func(t *testing.T) {
			data := strings.Repeat(in.unit, in.n)
			begin := time.Now()
			r, err := Extract(in.format, []byte(data))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Blocks) > maxBlocks {
				t.Errorf("%d blocks, want at most %d", len(r.Blocks), maxBlocks)
			}
			checkResult(t, r)
			// Linear work takes well under a second; quadratic work takes minutes.
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("took %v for %d bytes", took, len(data))
			}
		})
	}
}

// checkResult holds what every result promises.
func checkResult(t testing.TB, r Result) {
	t.Helper()
	if !utf8.ValidString(r.Text) || !utf8.ValidString(r.Title) {
		t.Fatalf("text or title is not UTF-8")
	}
	end := 0
	for i, b := range r.Blocks {
		if b.Start < end || b.End <= b.Start || b.End > len(r.Text) {
			t.Fatalf("block %d = [%d, %d) after %d in %d bytes", i, b.Start, b.End, end, len(r.Text))
		}
		if !utf8.RuneStart(r.Text[b.Start]) || b.End < len(r.Text) && !utf8.RuneStart(r.Text[b.End]) {
			t.Fatalf("block %d = [%d, %d) cuts a character", i, b.Start, b.End)
		}
		if s := r.Text[b.Start:b.End]; strings.TrimSpace(s) != s {
			t.Fatalf("block %d has white space at its ends: %q", i, s)
		}
		if b.Kind == Heading && (b.Level < 1 || b.Level > 6) {
			t.Fatalf("heading %d has level %d", i, b.Level)
		}
		end = b.End
	}
}

func fuzz(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Extract(format, data)
		if err != nil {
			if !utf8.Valid(data) || strings.ContainsRune(string(data), 0) {
				return
			}
			t.Fatalf("Extract(%q) = %v", data, err)
		}
		checkResult(t, r)
	})
}

func FuzzText(f *testing.F) { fuzz(f, Text, "a\n\nb", "\ufeffa\r\n\r\nb", "\n", "t\n===\n\nx") }

func FuzzMarkdown(f *testing.F) {
	fuzz(f, Markdown, "# a\n\n- b\n  - c\n\n> d\n\n```\ne\n```\n\n|a|b|\n|-|-|\n|1|2|", "---\ntitle: x\n---\n\ny", "a\n=\n[b]: c", "\t- a\n\t\tb", "1) a\r\n2) b {#c}")
}

func FuzzHTML(f *testing.F) {
	fuzz(f, HTML, "<h1>a</h1><p>b<ul><li>c</ul><table><tr><td>d<td>e</table><pre>f</pre>", "<main hidden></p><nav>x</main>y",
		"<table><table><td><li></table>a", "<svg><title>a</title></svg>b", "0</td>", "<!--{\"Title\":\"x\"}--><br>a&nbsp;&shy;&#0;")
}

func BenchmarkExtract(b *testing.B) {
	page := strings.Repeat("<h2 id=a>Rotating a key</h2><p>Open <b>Settings</b>,\nthen choose <i>Rotate</i> &amp; confirm.</p><ul><li>One<li>Two</ul>\n", 1000)
	text := strings.Repeat("## Rotating a key\n\nOpen **Settings**,\nthen choose *Rotate* and confirm.\n\n- One\n- Two\n\n", 1000)
	for _, in := range []struct {
		format Format
		data   string
	}{{HTML, page}, {Markdown, text}, {Text, text}} {
		b.Run(string(in.format), func(b *testing.B) {
			data := []byte(in.data)
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := Extract(in.format, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
