package agent

import (
	"slices"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// mostLeaning is how long a message is at most, in bytes, that leans on others.
const mostLeaning = 400

// A leaning is how messages in a language lean on what was said before.
type leaning struct {
	continues []string        // what a continuation begins with: words, or their beginnings with a "*" behind
	ends      []string        // what one ends with that asks nothing else: particles, in scripts that part no words
	asks      []string        // words of asking, beside which an end means nothing
	pointing  map[string]bool // words that point back
	article   map[string]bool // those that do unless a noun follows, where nouns have capitals
	parting   map[string]bool // what stands between none of them and its noun
	suffixes  []string        // endings that point back
	idle      []string        // what looks like pointing back, and does not
	courtesy  []string        // what says nothing to be looked up
	empty     map[string]bool // words that say little; nil: as the analysis of the language has it
	unspaced  bool            // words are not parted
	short     int             // how much a message says at most that leans by pointing back: words with content, or letters if unspaced
}

// leans reports whether a message leans on what was said before: it begins or ends like a
// continuation, points back while saying little itself, or says nothing that could be
// looked up. Its language is told by its letters, and among those that share them by the
// languages that the agent's users ask in, and English.
func leans(text string, languages []string) bool {
	if len(text) > mostLeaning {
		return false
	}
	return slices.ContainsFunc(readings(text, languages), func(tag string) bool { return leanings[tag].leans(text, tag) })
}

var english = []string{"en"}

// readings returns the languages that a message may be in, of those with a table.
func readings(text string, languages []string) []string {
	var known, latin []string
	for _, l := range languages {
		tag, _, _ := strings.Cut(strings.ToLower(l), "-")
		if leanings[tag] != nil {
			known = append(known, tag)
		}
	}
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) || unicode.Is(unicode.Latin, r):
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return []string{"ja"}
		case unicode.Is(unicode.Han, r):
			kana := func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }
			if strings.ContainsFunc(text, kana) || slices.Contains(known, "ja") && !slices.Contains(known, "zh") {
				return []string{"ja"}
			}
			return []string{"zh"}
		default:
			for tag, script := range scripts {
				if unicode.Is(script, r) {
					return []string{tag}
				}
			}
			return nil
		}
	}
	for _, tag := range known {
		if !leanings[tag].unspaced && scripts[tag] == nil && !slices.Contains(latin, tag) {
			latin = append(latin, tag)
		}
	}
	if len(languages) == 0 {
		if tag, sure := knowledge.DetectLanguage(text, latinLeanings); sure && tag != english[0] {
			return []string{tag}
		}
		return english
	}
	if !slices.Contains(latin, "en") {
		latin = append(latin, "en")
	}
	if len(latin) > 1 {
		if tag, sure := knowledge.DetectLanguage(text, latin); sure {
			return []string{tag}
		}
	}
	return latin
}

// leans goes by the table of one language.
func (l *leaning) leans(text, tag string) bool {
	written := wordsOf(text)
	plain := strings.ToLower(strings.Join(written, " "))
	lower := strings.Split(plain, " ")
	if plain == "" || l.isCourtesy(lower, plain) {
		return false // thanks, and nothing more
	}
	if l.begins(plain) || l.endsOpen(lower[len(lower)-1], plain) {
		return true
	}
	said := l.meant(plain)
	if l.unspaced {
		content := knowledge.ContentWords(plain, tag)
		return content == 0 || len([]rune(strings.ReplaceAll(plain, " ", ""))) <= l.short && l.points(said)
	}
	pronouns, content := 0, 0
	var left map[string]bool // beside what is idle, if anything is
	if said != plain {
		left = words(said)
	}
	for i, w := range lower {
		switch {
		case (left == nil || left[w]) && l.isPointing(written, i, w):
			pronouns++
		case l.empty != nil && !l.empty[w], l.empty == nil && knowledge.ContentWords(w, tag) > 0:
			content++
		}
	}
	return content == 0 || pronouns > 0 && content <= l.short
}

// meant is a message, in small letters, without what is idle.
func (l *leaning) meant(plain string) string {
	said := plain
	for _, idle := range l.idle {
		switch {
		case !strings.Contains(said, idle):
		case l.unspaced:
			said = strings.ReplaceAll(said, idle, " ")
		default:
			said = strings.TrimSpace(strings.ReplaceAll(" "+said+" ", " "+idle+" ", "  "))
		}
	}
	return said
}

// wordsOf parts a text where anything else than letters, digits and marks stands.
func wordsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' && !unicode.Is(unicode.M, r)
	})
}

func (l *leaning) isCourtesy(words []string, plain string) bool {
	if l.unspaced {
		return slices.ContainsFunc(l.courtesy, func(c string) bool { return strings.HasPrefix(plain, c) && len(plain) <= 2*len(c) })
	}
	return !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(l.courtesy, w) })
}

// begins reports whether a message begins like a continuation.
func (l *leaning) begins(plain string) bool {
	for _, c := range l.continues {
		start, part := strings.CutSuffix(c, "*")
		rest, ok := strings.CutPrefix(plain, start)
		if ok && (part || l.unspaced || rest == "" || rest[0] == ' ') && !slices.ContainsFunc(l.idle, func(idle string) bool { return strings.HasPrefix(plain, idle) }) {
			return true
		}
	}
	return false
}

// endsOpen reports whether a message ends like a continuation, and asks nothing itself.
func (l *leaning) endsOpen(last, plain string) bool {
	in := func(s string) bool { return strings.Contains(plain, s) }
	return slices.ContainsFunc(l.ends, func(end string) bool { return strings.HasSuffix(last, end) }) && !slices.ContainsFunc(l.asks, in)
}

// points reports whether something in a text without spaces points back.
func (l *leaning) points(said string) bool {
	for w := range l.pointing {
		if strings.Contains(said, w) {
			return true
		}
	}
	return false
}

// isPointing reports whether a word points back. Where nouns have capitals, what has one
// itself does not: it is a polite "you".
func (l *leaning) isPointing(written []string, i int, w string) bool {
	switch {
	case l.article != nil && written[i] != w:
		return false
	case l.article[w]:
		for _, next := range written[i+1 : min(i+3, len(written))] {
			if l.parting[next] {
				break
			}
			if next != strings.ToLower(next) {
				return false
			}
		}
		return true
	case l.pointing[w]:
		return true
	}
	return slices.ContainsFunc(l.suffixes, func(s string) bool {
		return strings.HasSuffix(w, s) && len([]rune(w))-len([]rune(s)) >= 3 && !slices.Contains(l.idle, w)
	})
}

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
