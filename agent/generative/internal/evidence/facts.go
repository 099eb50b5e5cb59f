package evidence

import (
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// facts are what is compared of a text.
type facts struct {
	terms   map[string]bool // words of content, as the index knows them
	numbers []number
	stance  stance
	lower   string
}

// halves are the halves of a day with full stops.
var halves = regexp.MustCompile(`(?i)\b([ap])\.\s?m\b\.?`)

// withoutStops writes the halves of a day as words without full stops.
func withoutStops(text string) string {
	if i := strings.IndexByte(text, '.'); i < 0 || i == len(text)-1 {
		return text // as most sentences are, which costs nothing
	}
	return halves.ReplaceAllString(text, "${1}m")
}

func factsOf(text, language string) facts {
	text = withoutStops(text)
	f := facts{numbers: numbers(text, language), lower: strings.ToLower(text)}
	terms := knowledge.AppendTerms(nil, text, language)
	f.terms = make(map[string]bool, len(terms))
	for _, t := range terms {
		f.terms[t] = true
	}
	f.stance = stanceOf(f.lower)
	return f
}

// fields yields the words of a text, without punctuation.
func fields(text string) iter.Seq[string] {
	return strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) })
}

// isFigure reports whether a term is a number or has one in it, which is held to
// [number].
func isFigure(term string) bool { return strings.ContainsFunc(term, unicode.IsDigit) }

// names returns the words of a text that are names, as they are written: those in
// capitals or with capitals within, those with letters and digits, and, where nouns
// are not, those that begin with a capital inside a sentence. In German every noun
// does, and those are names that follow another capital or a word such as "in" that
// stands before names without an article. What begins a sentence is no name for its
// capital alone.
func names(text, language string) (out []string) {
	nouns := language == "de" || strings.HasPrefix(language, "de-") || language == "lb"
	opens, bare := true, false
	end := 0
	for start := range words(text, &end) {
		word := text[start:end]
		between := opens
		opens = false
		if end < len(text) {
			rest := strings.TrimLeft(text[end:], "\"'”’)]*_»")
			opens = rest != "" && strings.ContainsAny(rest[:1], ".!?:\n") || strings.HasPrefix(rest, "。")
		}
		r, n := utf8.DecodeRuneInString(word)
		rest := word[n:]
		letters := strings.ContainsFunc(word, unicode.IsLetter)
		switch lower := strings.ToLower(word); {
		case !letters, lower == "i" || lower == "ok" || lower == "faq", months[lower] != "", spellings[lower] != "", units[lower] != "":
		case strings.ContainsFunc(word, unicode.IsDigit) && strings.ContainsFunc(word, unicode.IsUpper):
			if unit(strings.TrimLeft(word, "0123456789")) == "" { // not "5GB"
				out = append(out, word)
			}
		case strings.ContainsFunc(rest, unicode.IsUpper):
			out = append(out, word)
		case unicode.IsUpper(r) && !between && rest != "" && (!nouns || bare):
			out = append(out, word)
		case unicode.Is(unicode.Katakana, r) && utf8.RuneCountInString(word) > 2:
			out = append(out, word)
		}
		bare = beforeNames[strings.ToLower(word)] || unicode.IsUpper(r) && !between
	}
	return slices.Compact(out)
}

// beforeNames are words of German that stand before names.
var beforeNames = map[string]bool{"in": true, "aus": true, "nach": true, "bei": true, "von": true, "durch": true, "frau": true, "herr": true, "herrn": true, "dr": true, "firma": true}

// words yields where the words of a text begin, and sets where they end: letters and
// digits, with hyphens and points between them.
func words(text string, end *int) iter.Seq[int] {
	return func(yield func(int) bool) {
		in := func(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.Nd) }
		for i := 0; i < len(text); {
			r, n := utf8.DecodeRuneInString(text[i:])
			if !in(r) {
				i += n
				continue
			}
			j := i
			script := scriptOf(r)
			for j < len(text) {
				r, n := utf8.DecodeRuneInString(text[j:])
				if r == '-' && j+1 < len(text) {
					if next, _ := utf8.DecodeRuneInString(text[j+1:]); in(next) {
						j++
						continue
					}
				}
				if !in(r) || script != scriptOf(r) && r != 'ー' {
					break
				}
				j += n
			}
			if j == i {
				j = i + n
			}
			*end = j
			if !yield(i) {
				return
			}
			i = j
		}
	}
}

// scriptOf parts what is written without spaces from names in other letters.
func scriptOf(r rune) int {
	switch {
	case unicode.Is(unicode.Katakana, r) || r == 'ー':
		return 1
	case unicode.In(r, unicode.Han, unicode.Hiragana):
		return 2
	}
	return 0
}

func isWordRune(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.Nd) }
