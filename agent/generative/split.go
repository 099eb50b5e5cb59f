package generative

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/sentence"
)

// A unit is what is shown at a time: a sentence, or a line or a block that is none.
type unit struct {
	before string // the white space that parts it from the unit before
	text   string
	code   bool // it is a block of code, or within one

	about []agent.Citation // what it speaks of, if it says nothing by itself
}

// A splitter cuts text that comes bit by bit into units. Where it cuts depends on the
// text alone, not on the bits.
type splitter struct {
	buf  string
	seen int // bytes of the unit at the beginning of buf in which it does not end
}

// maxUnit bounds a unit, in bytes: a longer one is cut at a space.
const maxUnit = 8 << 10

// add returns the units that are whole, with a bit more of the text.
func (s *splitter) add(delta string) (out []unit) {
	s.buf += delta
	for {
		u, ok := s.next(false)
		if !ok {
			return out
		}
		out = append(out, u)
	}
}

// rest returns what is left at the end of the text.
func (s *splitter) rest() (out []unit) {
	for {
		u, ok := s.next(true)
		if !ok {
			return out
		}
		out = append(out, u)
	}
}

func (s *splitter) next(final bool) (unit, bool) {
	text := strings.TrimLeftFunc(s.buf, unicode.IsSpace)
	if text == "" {
		return unit{}, false
	}
	before := s.buf[:len(s.buf)-len(text)]
	if len(text) < 3 && !final && strings.Trim(text, "`~") == "" {
		return unit{}, false // may open a block of code
	}
	code := strings.HasPrefix(text, "```") || strings.HasPrefix(text, "~~~")
	end := 0
	switch {
	case code:
		end = blockEnd(text)
	case text[0] == '|' || text[0] == '#':
		end = strings.IndexByte(text, '\n')
	default:
		end = s.sentenceEnd(text)
	}
	switch {
	case end > 0 && end <= maxUnit:
	case len(text) > maxUnit:
		end = strings.LastIndexByte(text[:maxUnit], ' ')
		if end < maxUnit/2 {
			for end = maxUnit; !utf8.RuneStart(text[end]); end-- {
			}
		}
	case final:
		end = len(text)
	default:
		return unit{}, false
	}
	s.buf, s.seen = text[end:], 0
	return unit{before: before, text: strings.TrimRightFunc(text[:end], unicode.IsSpace), code: code}, true
}

// blockEnd returns where a block of code ends, or 0.
func blockEnd(text string) int {
	fence := text[:3]
	for at := strings.IndexByte(text, '\n'); at >= 0; {
		rest := text[at+1:]
		line, _, ended := strings.Cut(rest, "\n")
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), fence) && ended {
			return at + 1 + len(line)
		}
		if !ended {
			return 0
		}
		at += 1 + len(line)
	}
	return 0
}

// sentenceEnd returns where the first sentence of a text ends, with the marks that
// belong to it, or 0 if that cannot be said yet.
func (s *splitter) sentenceEnd(text string) int {
	stop, broken := strings.IndexByte(text, '\n'), true
	if stop < 0 {
		stop, broken = len(text), false
	}
	for i := s.seen; i < stop; {
		r, n := utf8.DecodeRuneInString(text[i:stop])
		if !endsHere(text, i, r) {
			i += n
			s.seen = i
			continue
		}
		from := i
		if r != ' ' {
			from = i + n
		}
		from = closers(text[:stop], from)
		end, after := skipMarks(text[:stop], from)
		at := strings.IndexFunc(text[after:stop], isWord)
		if at < 0 || !broken && begun.MatchString(text[after:stop]) {
			if broken {
				break
			}
			return 0 // what follows tells
		}
		_, size := utf8.DecodeRuneInString(text[after+at:])
		if cuts(text[:from], marks.ReplaceAllString(text[from:after+at+size], "")) {
			return end
		}
		i += n
		s.seen = i
	}
	if broken {
		return stop
	}
	return 0
}

// endsHere reports whether a sentence may end with the character at i.
func endsHere(text string, i int, r rune) bool {
	switch {
	case r == ' ':
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		return unicode.In(before, unicode.Thai, unicode.Lao, unicode.Khmer)
	case r == '.' && ordinal.MatchString(text[:i]):
		return false // "am 24. November"
	case r < utf8.RuneSelf:
		return r == '.' || r == '!' || r == '?'
	}
	return unicode.Is(unicode.STerm, r)
}

// ordinal matches what ends in a number of a day, which some languages write with a full
// stop. A sentence that ends so goes on with the next.
var ordinal = regexp.MustCompile(`(?:^|\s)\d{1,2}$`)

// closers returns where the stops, quotes and brackets end that follow a stop.
func closers(text string, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !strings.ContainsRune(".!?\"')}*_`’”»", r) && !unicode.In(r, unicode.STerm) && (r < utf8.RuneSelf || r == '】' || !unicode.In(r, unicode.Pe, unicode.Pf)) {
			break
		}
		i += n
	}
	return i
}

// skipMarks returns where the marks end that stand behind a sentence, and where what
// comes then begins. Of a mark that is not whole it is where it begins.
func skipMarks(text string, i int) (end, after int) {
	end = i
	for {
		rest := strings.TrimLeft(text[i:], " \t")
		m := marks.FindStringIndex(rest)
		if m == nil || m[0] != 0 {
			return end, len(text) - len(rest)
		}
		end = len(text) - len(rest) + m[1]
		end = closers(text, end)
		i = end
	}
}

// cuts reports whether a sentence ends with a text that goes on with another.
func cuts(text, following string) bool {
	n := 0
	for range sentence.All(unmarked(text) + following) {
		n++
	}
	return n > 1
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
