// Package sentence finds the sentences of stored text, which may be Markdown
// or plain text of any script.
package sentence

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// All yields the byte ranges of text's sentences, in order, without white
// space at their ends and without the bullet, the quote mark or the hashes a
// line may begin with. A blank line, a heading, a list item, a table row and a
// fence of code end a sentence; another line break does only where lines are
// too short to be wrapped prose. A row, and what stands between two fences, is
// one sentence. Stretches without a letter or digit are left out.
//
// Sentences end as Unicode's Sentence_Terminal property says, but not after
// abbreviations, initials and list numbers, nor before a lower-case word. Thai,
// Lao and Khmer, which write no full stops, are parted at spaces when long.
func All(text string) iter.Seq2[int, int] {
	return func(yield func(start, end int) bool) {
		for u := range units(text) {
			if u.whole {
				if !emit(text, u.start, u.end, yield) {
					return
				}
				continue
			}
			for start := u.start; start < u.end; {
				end := start + next(text[start:u.end], start == u.start)
				if !emit(text, start, end, yield) {
					return
				}
				start = end
			}
		}
	}
}

// emit yields what is left of a range after trimming, if it says anything.
func emit(text string, start, end int, yield func(int, int) bool) bool {
	s := text[start:end]
	t := strings.TrimLeftFunc(s, unicode.IsSpace)
	start += len(s) - len(t)
	t = strings.TrimRightFunc(t, unicode.IsSpace)
	if strings.IndexFunc(t, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0 {
		return true
	}
	return yield(start, start+len(t))
}

// next returns the length of s's first sentence. first says that s begins
// where its unit does.
func next(s string, first bool) int {
	spaceless, last := 0, 0 // characters of Thai, Lao or Khmer since the last one parted
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c != '.' && c != '!' && c != '?' {
				if c == ' ' && spaceless >= maxSpaceless && last == i {
					return i
				}
				i++
				continue
			}
			end, ok := stop(s, i, first)
			if ok {
				return end
			}
			i = end
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.Is(unicode.STerm, r) {
			return closers(s, i+n)
		}
		i += n
		if unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer) {
			spaceless++
			last = i
		}
	}
	return len(s)
}

// maxSpaceless is how many characters of a script without full stops make a
// sentence before its next space ends it.
const maxSpaceless = 60

// stop reports whether the full stop, exclamation or question mark at s[i]
// ends a sentence, and where.
func stop(s string, i int, first bool) (end int, ok bool) {
	end = closers(s, i+1)
	if end == len(s) {
		return end, true
	}
	after, _ := utf8.DecodeRuneInString(s[end:])
	if !unicode.IsSpace(after) {
		// "v1.2", "example.com"; but scripts without spaces go right on.
		return end, s[i] != '.' && unicode.Is(unicode.Lo, after)
	}
	following, _ := utf8.DecodeRuneInString(strings.TrimLeft(s[end:], " \t\r\n\"'“‘(["))
	lower := unicode.IsLower(following)
	if s[i] != '.' {
		return end, !(lower && end > i+1 && s[end-1] != '?' && s[end-1] != '!')
	}
	return end, !lower && !abbreviates(s[:i], first)
}

// closers returns where the marks end that belong to the sentence before i:
// more stops, closing quotes and brackets, the end of emphasis.
func closers(s string, i int) int {
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if strings.IndexByte(".!?\"')]}*_`", c) < 0 {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.In(r, unicode.STerm, unicode.Pe, unicode.Pf) {
			return i
		}
		i += n
	}
	return i
}

// abbreviations end in a full stop that ends no sentence. "etc", "Inc" and the
// like are not here, since they end sentences as often.
var abbreviations = map[string]bool{}

func init() {
	for w := range strings.FieldsSeq(`mr mrs ms mx dr prof st sr fr hon rev gen col lt sgt capt cf ca approx vs viz e.g i.e eg ie
		no nr fig figs eq sec ch vol pp p ed eds ref refs tel ext max min incl excl resp
		jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri bzw z.b usw d.h ggf bspw sra srta núm pág ex`) {
		abbreviations[w] = true
	}
}

// abbreviates reports whether the full stop after s belongs to its last word:
// an abbreviation, an initial, or a number that begins a list item.
func abbreviates(s string, first bool) bool {
	begin := strings.LastIndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("(\"'“‘[*_", r) }) + 1
	if begin > 0 && s[begin-1] >= utf8.RuneSelf { // LastIndexFunc gives where the character begins
		_, n := utf8.DecodeRuneInString(s[begin-1:])
		begin += n - 1
	}
	word := s[begin:]
	if word == "" {
		return false
	}
	if first && strings.TrimSpace(s[:begin]) == "" && len(word) <= 3 && strings.Trim(word, "0123456789") == "" {
		return true
	}
	if r, n := utf8.DecodeRuneInString(word); n == len(word) {
		return unicode.IsUpper(r) && r != 'I'
	}
	return len(word) <= 8 && abbreviations[strings.ToLower(word)]
}
