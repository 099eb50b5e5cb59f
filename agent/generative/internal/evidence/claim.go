package evidence

import (
	"slices"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A Claim is what a sentence of a reply says.
type Claim struct {
	text  string
	by    map[string]*claimed
	kind  kind
	known bool
}

// claimed is a claim as read in one language.
type claimed struct {
	facts
	content []string // terms that are no figures, each once
	names   []string
	bigrams bool // the terms are pairs of characters, of which other words make other ones
}

// NewClaim reads a sentence.
func NewClaim(sentence string) *Claim {
	return &Claim{text: assent(sentence), by: map[string]*claimed{}}
}

// assent takes the yes or no off a sentence that goes on after it.
func assent(sentence string) string {
	word := strings.TrimSpace(sentence)
	i := strings.IndexAny(word, ",،，、.:!")
	if i < 0 || i > 12 {
		return sentence
	}
	switch strings.ToLower(strings.TrimSpace(word[:i])) {
	case "yes", "no", "ja", "nein", "oui", "non", "sí", "si", "sì", "sim", "não", "nee", "да", "нет", "نعم", "لا", "是", "是的", "不", "不是", "はい", "いいえ", "tidak", "ya":
		if rest := strings.TrimLeft(word[i:], ",،，、.:! "); strings.TrimSpace(rest) != "" {
			return rest
		}
	}
	return sentence
}

// in returns the claim as texts in a language have its words.
func (c *Claim) in(language string) *claimed {
	if r := c.by[language]; r != nil {
		return r
	}
	r := &claimed{facts: factsOf(c.text, language), names: names(c.text, language)}
	for _, t := range knowledge.QueryTerms(withoutStops(c.text), language) {
		if t.Weight > 0 && !isFigure(t.Text) && spellings[t.Text] == "" {
			r.content = append(r.content, t.Text)
			r.bigrams = r.bigrams || unicode.In([]rune(t.Text)[0], unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		}
	}
	c.by[language] = r
	return r
}

// Names reports whether a claim speaks of all that some words in a language do.
func (c *Claim) Names(words, language string) bool {
	r, n := c.in(language), 0
	for _, t := range knowledge.QueryTerms(words, language) {
		if t.Weight > 0 {
			if n++; !slices.Contains(r.content, t.Text) {
				return false
			}
		}
	}
	return n > 0
}

// Denies reports whether a claim in a language denies something.
func (c *Claim) Denies(language string) bool { return c.in(language).stance.denies }

type kind int

const (
	claims kind = iota
	courteous
	asks
)

// None reports whether a sentence in a language, such as "You are welcome." or "Which
// one do you have?", says nothing that could be borne out.
func (c *Claim) None(language string) bool {
	return c.kindIn(language) != claims
}

// Asks reports whether it is a question, without figures and names that it would say
// something with.
func (c *Claim) Asks(language string) bool { return c.kindIn(language) == asks }

func (c *Claim) kindIn(language string) kind {
	if c.known {
		return c.kind
	}
	c.known = true
	r := c.in(language)
	switch {
	case len(r.numbers) > 0 || len(r.names) > 0:
		c.kind = claims
	case strings.HasSuffix(strings.TrimRight(c.text, " \t\r\n*_\"')”」"), "?"), strings.HasSuffix(strings.TrimSpace(c.text), "？"), strings.HasSuffix(strings.TrimSpace(c.text), "؟"):
		c.kind = asks
	case onlyCourtesy(c.text, language):
		c.kind = courteous
	}
	return c.kind
}
