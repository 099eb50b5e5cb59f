package sentence

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func split(text string) []string {
	var got []string
	for start, end := range All(text) {
		got = append(got, text[start:end])
	}
	return got
}

func TestAll(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"  \n\n ", nil},
		{"One. Two! Three? four", []string{"One.", "Two!", "Three?", "four"}},
		{"No end", []string{"No end"}},
		{"Use e.g. the Mr. Smith form, v1.2 of go.mod. It costs $3.50 approx. 5 times.", []string{"Use e.g. the Mr. Smith form, v1.2 of go.mod.", "It costs $3.50 approx. 5 times."}},
		{"J. K. Rowling wrote it. I did. So.", []string{"J. K. Rowling wrote it.", "I did.", "So."}},
		{"He said \"Why?\" and left. \"Really!\" She did.", []string{"He said \"Why?\" and left.", "\"Really!\"", "She did."}},
		{"Well... maybe. (See below.) Yes", []string{"Well... maybe.", "(See below.)", "Yes"}},
		{"wrapped lines of prose that go on for as long as a line is\nand end. Here\nit is", []string{"wrapped lines of prose that go on for as long as a line is\nand end.", "Here\nit is"}},
		{"The long first line of a paragraph that mentions the\nUnited Kingdom. End", []string{"The long first line of a paragraph that mentions the\nUnited Kingdom.", "End"}},
		{"Monday 9 to 5\nTuesday 9 to 5\nSunday closed", []string{"Monday 9 to 5", "Tuesday 9 to 5", "Sunday closed"}},
		{"# Title. Of it\nText\n\nmore", []string{"Title. Of it", "Text", "more"}},
		{"Title\n=====\ntext", []string{"Title", "text"}},
		{"- one\n  goes on. And on\n- two\n1. First. Then\n2) second", []string{"one\n  goes on.", "And on", "two", "1. First.", "Then", "2) second"}},
		{"| a | b |\n|---|---|\n| c. D | d |", []string{"| a | b |", "| c. D | d |"}},
		{"Plan | Price\nPro | 20", []string{"Plan | Price", "Pro | 20"}},
		{"Run this:\n```go\nx. Y\n\nz()\n```\nDone.", []string{"Run this:", "x. Y\n\nz()", "Done."}},
		{"> quoted. Twice\n> over", []string{"quoted.", "Twice\n> over"}},
		{"今日は晴れ。明日は？「雨です。」と言った", []string{"今日は晴れ。", "明日は？", "「雨です。」", "と言った"}},
		{"هل تفتحون؟ نعم. شكرا", []string{"هل تفتحون؟", "نعم.", "شكرا"}},
		{"नमस्ते। ठीक है।", []string{"नमस्ते।", "ठीक है।"}},
		{"really?yes", []string{"really?yes"}},
		{"Is it?是的。", []string{"Is it?", "是的。"}},
		{"**Bold end.** Next one.", []string{"**Bold end.**", "Next one."}},
		{"See No. 5 and Fig. 3. Done", []string{"See No. 5 and Fig. 3.", "Done"}},
	} {
		if got := split(tt.in); !slices.Equal(got, tt.want) {
			t.Errorf("All(%q) =\n%q, want\n%q", tt.in, got, tt.want)
		}
	}
}

func TestThaiIsPartedAtSpaces(t *testing.T) {
	phrase := strings.Repeat("ร้านเปิดทุกวัน", 3)
	got := split(strings.TrimSpace(strings.Repeat(phrase+" ", 8)))
	if len(got) != 4 || got[0] != phrase+" "+phrase {
		t.Errorf("%d sentences, the first %q, want 4 of two phrases each", len(got), got[0])
	}
}

// TestHostile: text that makes other splitters look ahead again and again.
func TestHostile(t *testing.T) {
	for _, unit := range []string{"a. ", ".", ". ", "?)", "a.\n", "``", "\n> ", "1.", "a.          ", "ก ", "("} {
		begin := time.Now()
		text := "A." + strings.Repeat(unit, 300_000) + "x"
		n := 0
		for range All(text) {
			n++
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("All of %q over and over took %v, %d sentences", unit, took, n)
		}
	}
}

func FuzzAll(f *testing.F) {
	for _, s := range []string{"One. Two\n\n- a\n| b |", "```\nx", "“e.g. A”. B", "。。a.\xff", "# \n#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for start, end := range All(text) {
			if start < last || end <= start || end > len(text) {
				t.Fatalf("All(%q): [%d, %d) after %d", text, start, end, last)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[start:end]) {
				t.Fatalf("All(%q): [%d, %d) cuts a character", text, start, end)
			}
			if s := text[start:end]; strings.TrimSpace(s) != s {
				t.Fatalf("All(%q): %q has white space at its ends", text, s)
			}
			last = end
		}
	})
}

func BenchmarkAll(b *testing.B) {
	text := strings.Repeat("A key is rotated in the settings of its agent.\nThe old one, e.g. of a lost phone, works for an hour more. Is that enough? Mostly!\n\n", 100)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for range All(text) {
		}
	}
}
