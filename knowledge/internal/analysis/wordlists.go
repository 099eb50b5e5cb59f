package analysis

import (
	"strings"
	"unicode/utf8"
)

// wordLists are lists made ready.
type wordLists struct {
	words map[string]flags // by normalized word
	// unspaced are the words of asking in a script that parts no words, and
	// longest how many bytes the longest has.
	unspaced map[string]bool
	longest  int
	// syllables is whether endings are written in syllables of their own, as
	// Japanese does.
	syllables bool
}

func (l *language) wordLists() wordLists {
	m := wordLists{words: map[string]flags{}}
	add := func(list string, f flags) {
		for w := range strings.FieldsSeq(list) {
			norm := l.normalize(w)
			m.words[norm] |= f
			if l.accent == leftOutLater && f != stop|function {
				m.words[unaccent(norm)] |= f
			}
		}
	}
	add(l.lists.stop, stop|function)
	add(l.lists.long, long|function)
	add(l.lists.function, function)
	if l.script.unspaced() {
		m.unspaced, m.syllables = set(l.lists.function), l.script == kana
		for w := range m.unspaced {
			m.longest = max(m.longest, len(w))
		}
	}
	return m
}

func (m *wordLists) flags(norm string) flags { return m.words[norm] }

// asking returns how many bytes of text, from its beginning, are a word of asking
// in a script that parts no words.
func (m *wordLists) asking(text string) int {
	for n := min(m.longest, len(text)); n > 0; n-- {
		if (n == len(text) || utf8.RuneStart(text[n])) && m.unspaced[text[:n]] {
			return n
		}
	}
	return 0
}
