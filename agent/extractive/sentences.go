package extractive

import (
	"strings"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/sentence"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A span is a sentence of a passage.
type span struct {
	start, end int // bytes of the passage's text
	heading    bool
	item       bool // of a list
	paragraph  bool // it begins one
	leads      bool // it ends in a colon, and what follows belongs to it
	question   bool
	row        bool // of a table
	head       int  // of a row: the number of the sentence, from 1, that names its columns; 0: none
	record     bool // it is of names and values that belong together
}

// header reports whether sentence number i, from 0, is the header of a table.
func (s span) header(i int) bool { return s.row && s.head == i+1 }

// spans returns the sentences of a passage.
func spans(p knowledge.Passage) []span {
	var out []span
	at := 0
	for start, end := range sentence.All(p.Text) {
		text, before := p.Text[start:end], p.Text[at:start]
		marks := "…" // of nothing, unless the sentence begins its line
		if i := strings.LastIndexByte(before, '\n'); i >= 0 || at == 0 {
			marks = strings.TrimSpace(before[i+1:])
		}
		s := span{
			start: start, end: end,
			item:      isBullet(marks) || marks == "" && isNumbered(text) || goesOn(out, before),
			paragraph: len(out) == 0 || strings.Count(before, "\n") > 1,
			leads:     endsIn(text, ":："),
			question:  endsIn(text, "?？؟"),
		}
		s.heading = strings.HasPrefix(marks, "#")
		for _, h := range p.Heading {
			s.heading = s.heading || h == text
		}
		out = append(out, s)
		at = end
	}
	markRows(p.Text, out)
	markRecords(p.Text, out)
	return out
}

// endsIn reports whether the last character of a text is one of some marks.
func endsIn(text, marks string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune(marks, r)
}

// isBullet reports whether what stands before a sentence on its line makes it an
// item of a list.
func isBullet(marks string) bool {
	const bullets = "-*+•–·◦▪"
	return strings.ContainsAny(marks, bullets) && strings.Trim(marks, bullets+"> \t") == ""
}

// goesOn reports whether a sentence belongs to the item of the one before it, by
// what stands between them: nothing, or a line break and the item's indent.
func goesOn(earlier []span, between string) bool {
	if len(earlier) == 0 || !earlier[len(earlier)-1].item {
		return false
	}
	_, indent, broken := strings.Cut(between, "\n")
	return !broken || indent != "" && strings.Trim(indent, " \t") == ""
}

// isNumbered reports whether a line begins with the number of an item of a list.
func isNumbered(line string) bool {
	rest := strings.TrimLeft(line, "0123456789")
	return 1 <= len(line)-len(rest) && len(line)-len(rest) <= 3 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") "))
}

// back are the words that point back to a sentence before, where they open one.
var back = list(`it its they their them this these those that he his him she her such both
	er sie es dies diese dieser dieses dabei dafür dazu davon danach damit dort sein seine ihr ihre
	ia ini itu mereka beliau dia
	هو هي هم وهو وهي هذا هذه ذلك تلك كما`,
	`它 他 她 这 此 该 其 それ これ その この 彼 そこ มัน เขา เธอ นี้ นี่ ซึ่ง`)

// pointsBack reports whether a sentence opens with a word that stands for what the
// one before it speaks of.
func pointsBack(sentence string) bool {
	for word := range fields(sentence[:min(openingBytes, len(sentence))]) {
		if back.spaced[strings.ToLower(word)] {
			return true
		}
		break
	}
	for _, s := range back.unspaced {
		if strings.HasPrefix(sentence, s) {
			return true
		}
	}
	return false
}
