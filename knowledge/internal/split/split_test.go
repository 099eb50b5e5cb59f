package split

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

func split(t testing.TB, format extract.Format, text string) (string, []Passage) {
	t.Helper()
	r, err := extract.Extract(format, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r.Text, Split(r.Text, r.Blocks)
}

func TestSplit(t *testing.T) {
	sentence := "The key of an agent is rotated in its settings. "
	long := strings.TrimSpace(strings.Repeat(sentence, 14)) // 671 characters
	code := strings.TrimSpace(strings.Repeat("x = append(x, y)\n", 40))
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"short", "We open at 9.", "[] We open at 9.\n"},
		{"paragraphs go together", "One.\n\nTwo.", "[] One.⏎⏎Two.\n"},
		{"paragraphs part when full", long + "\n\n" + long, "[] " + long + "\n[] " + long + "\n"},
		{"sentences are kept", strings.TrimSpace(strings.Repeat(sentence, 28)),
			"[] " + strings.TrimSpace(strings.Repeat(sentence, 18)) + "\n[] " + strings.TrimSpace(strings.Repeat(sentence, 10)) + "\n"},
		{"a small rest joins", long + "\n\n" + long + "\n\nThe end.", "[] " + long + "\n[] " + long + "⏎⏎The end.\n"},
		{"headings part", "# API keys\n\n" + long + "\n\n## Rotating a `key`\n\n" + long,
			"[API keys] " + long + "\n[API keys/Rotating a key] " + long + "\n"},
		{"small headings do not part", "# A\n\nOne.\n\n#### B\n\nTwo.\n", "[A] One.⏎⏎#### B⏎⏎Two.\n"},
		{"small headings part full passages", "# A\n\n" + long + "\n\n#### B\n\n" + long, "[A] " + long + "\n[A/B] " + long + "\n"},
		{"tiny sections share", "# A\n\n## b\n\nOne.\n\n## c\n\nTwo.\n\n## d\n\n" + long, "[A] ## b⏎⏎One.⏎⏎## c⏎⏎Two.\n[A/d] " + long + "\n"},
		{"questions do not share", "# FAQ\n\n## When?\n\nNow.\n\n## Where?\n\nHere.", "[FAQ/When?] Now.\n[FAQ/Where?] Here.\n"},
		{"a heading alone", "# A\n\n# Is this empty?\n\n# C\n\n" + long, "[] # A\n[] # Is this empty?\n[C] " + long + "\n"},
		{"bullets and fences stay", long + "\n\n" + long + "\n\n- " + long + "\n- two\n\n```\n" + code + "\n```\n\nend", "[] " + long + "\n[] " + long + "\n[] - " + long +
			"⏎- two\n[] ```⏎" + strings.ReplaceAll(code, "\n", "⏎") + "⏎```⏎⏎end\n"},
		{"code stays with its words", "Run this:\n\n```\n" + code + "\n```\n", "[] Run this:⏎⏎```⏎" + strings.ReplaceAll(code, "\n", "⏎") + "⏎```\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, got := split(t, extract.Markdown, tt.in)
			var b strings.Builder
			for _, p := range got {
				fmt.Fprintf(&b, "[%s] %s\n", strings.Join(p.Heading, "/"), strings.ReplaceAll(text[p.Start:p.End], "\n", "⏎"))
			}
			if b.String() != tt.want {
				t.Errorf("Split(%q) =\n%s\nwant:\n%s", tt.in, b.String(), tt.want)
			}
			checkPassages(t, text, got)
		})
	}
}

// Steps are kept whole with what leads up to them, and so are tables; what is cut
// off a long table stands under its header.
func TestSplitKeepsWhole(t *testing.T) {
	filler := strings.TrimSpace(strings.Repeat("The key of an agent is rotated in its settings. ", 12))
	var steps, bullets, many, rows strings.Builder
	for i := range 20 {
		fmt.Fprintf(&steps, "%d. Open the settings, choose what is to be done, and confirm.\n", i+1)
		fmt.Fprintf(&bullets, "- Open the settings, choose what is to be done, and confirm.\n")
	}
	for i := range 60 {
		fmt.Fprintf(&many, "%d. Open the settings, choose what is to be done, and confirm.\n", i+1)
		fmt.Fprintf(&rows, "| part %d | in *stock* | %d euros in all of the shops |\n", i, i)
	}
	table := "| Part | **State** | Price |\n| --- | --- | --: |\n"
	for _, tt := range []struct {
		name, in string
		want     []string // how each passage begins and ends, under which headings
	}{
		{"steps", filler + "\n\nTo do it:\n\n" + steps.String() + "\n" + filler, []string{"[] The key of…ettings.", "[] To do it:\n…confirm.", "[] The key of…ettings."}},
		{"steps with code", filler + "\n\n1. Run this:\n\n   ```\n   go run .\n   ```\n\n2. Wait.\n\n" + filler, []string{"[] The key of…2. Wait.", "[] The key of…ettings."}},
		{"bullets are no steps", bullets.String(), []string{"[] - Open the…confirm.", "[] - Open the…confirm."}},
		{"more steps than fit", many.String(), []string{"[] 1. Open th…confirm.", "[] 15. Open t…confirm.", "[] 29. Open t…confirm.", "[] 43. Open t…confirm."}},
		{"a long table", "# Parts\n\n" + table + rows.String(), []string{"[Parts] | Part | *… shops |", "[Parts/Part | State | Price] | part 15 … shops |", "[Parts/Part | State | Price] | part 31 … shops |", "[Parts/Part | State | Price] | part 47 … shops |"}},
		{"the end of a table goes back", "# Parts\n\n" + table + strings.Repeat("| part | "+strings.Repeat("é", 195)+" | a |\n", 5), []string{"[Parts] | Part | *…é | a |"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, list := split(t, extract.Markdown, tt.in)
			checkPassages(t, text, list)
			var got []string
			for _, p := range list {
				s := text[p.Start:p.End]
				got = append(got, fmt.Sprintf("[%s] %s…%s", strings.Join(p.Heading, "/"), s[:min(10, len(s))], s[max(0, len(s)-8):]))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("Split =\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

// A passage stays on its page, unless a list goes on over the next.
func TestSplitPages(t *testing.T) {
	type block struct {
		kind extract.Kind
		page int
		text string
	}
	for _, tt := range []struct {
		name   string
		blocks []block
		want   string
	}{
		{"paragraphs", []block{{extract.Paragraph, 1, "One."}, {extract.Paragraph, 1, "Two."}, {extract.Paragraph, 2, "Three."}}, "1 One.⏎⏎Two.\n2 Three.\n"},
		{"tiny sections", []block{{extract.Heading, 1, "A"}, {extract.Paragraph, 1, "One."}, {extract.Heading, 2, "B"}, {extract.Paragraph, 2, "Two."}, {extract.Heading, 2, "C"}, {extract.Paragraph, 2, "Three."}},
			"1 One.\n2 B⏎⏎Two.⏎⏎C⏎⏎Three.\n"},
		{"a section over two pages", []block{{extract.Heading, 1, "A"}, {extract.Paragraph, 1, "One."}, {extract.Paragraph, 2, "Two."}}, "1 One.\n2 Two.\n"},
		{"a list", []block{{extract.ListItem, 3, "one"}, {extract.ListItem, 4, "two"}, {extract.Paragraph, 4, "End."}}, "3 one⏎⏎two\n4 End.\n"},
		{"what is led up to", []block{{extract.Paragraph, 3, "To rent:"}, {extract.ListItem, 4, "one"}}, "3 To rent:⏎⏎one\n"},
		{"a heading at the foot", []block{{extract.Heading, 1, "A"}, {extract.Heading, 2, "B"}, {extract.Paragraph, 2, "One."}}, "1 A\n2 One.\n"},
	} {
		var text strings.Builder
		var blocks []extract.Block
		for i, b := range tt.blocks {
			if i > 0 {
				text.WriteString("\n\n")
			}
			level := 0
			if b.kind == extract.Heading {
				level = 1
			}
			blocks = append(blocks, extract.Block{Kind: b.kind, Level: level, Start: text.Len(), End: text.Len() + len(b.text), Page: b.page})
			text.WriteString(b.text)
		}
		var got strings.Builder
		list := Split(text.String(), blocks)
		checkPassages(t, text.String(), list)
		for _, p := range list {
			fmt.Fprintf(&got, "%d %s\n", p.Page, strings.ReplaceAll(text.String()[p.Start:p.End], "\n", "⏎"))
		}
		if got.String() != tt.want {
			t.Errorf("%s: Split =\n%s\nwant\n%s", tt.name, got.String(), tt.want)
		}
	}
}

func TestSplitCutsWhatIsTooLong(t *testing.T) {
	for name, in := range map[string]string{
		"a sentence":  strings.Repeat("on and ", 2000),
		"a word":      strings.Repeat("é", 5000),
		"code":        "```\n" + strings.Repeat("x := y\n", 2000) + "```\n",
		"one line":    "```\n" + strings.Repeat("x", 9000) + "\n```\n",
		"a table":     "|a|b|\n|-|-|\n" + strings.Repeat("|row|cell|\n", 2000),
		"a paragraph": strings.Repeat("今日は晴れ。", 2000),
	} {
		text, got := split(t, extract.Markdown, in)
		if len(got) < 4 {
			t.Errorf("%s of %d bytes: %d passages, want more", name, len(in), len(got))
		}
		for _, p := range got {
			if p.End-p.Start > 2*whole {
				t.Errorf("%s: a passage of %d bytes, want at most %d", name, p.End-p.Start, 2*whole)
			}
		}
		checkPassages(t, text, got)
	}
}

// checkPassages holds what Split promises.
func checkPassages(t testing.TB, text string, list []Passage) {
	t.Helper()
	end := 0
	for i, p := range list {
		if p.Start < end || p.End <= p.Start || p.End > len(text) {
			t.Fatalf("passage %d = [%d, %d) after %d in %d bytes", i, p.Start, p.End, end, len(text))
		}
		s := text[p.Start:p.End]
		if strings.TrimSpace(s) != s || !utf8.ValidString(s) {
			t.Fatalf("passage %d = %q", i, s)
		}
		end = p.End
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("# a\n\nb. c\n\n## d\n\n- e\n\n```\nf\n```\n|g|\n|-|\n")
	f.Add("#### a\n## b\n# c\n")
	f.Add("> ```\n> x\n")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := extract.Extract(extract.Markdown, []byte(in))
		if err != nil {
			return
		}
		got := Split(r.Text, r.Blocks)
		checkPassages(t, r.Text, got)
		for _, b := range r.Blocks { // every paragraph is in some passage
			if b.Kind == extract.Heading {
				continue
			}
			within := false
			for _, p := range got {
				within = within || p.Start < b.End && b.Start < p.End
			}
			if words := strings.IndexFunc(r.Text[b.Start:b.End], func(r rune) bool { return r >= 'a' && r <= 'z' }); !within && words >= 0 {
				t.Fatalf("Split(%q) lost %v %q", in, b.Kind, r.Text[b.Start:b.End])
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	text := strings.Repeat("## Rotating a key\n\n"+strings.Repeat("Open **Settings**, then choose *Rotate* and confirm.\n", 30)+"\n\n- One\n- Two\n\n", 100)
	r, err := extract.Extract(extract.Markdown, []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Split(r.Text, r.Blocks)
	}
}
