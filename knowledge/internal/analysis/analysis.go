package analysis

import (
	"hash/maphash"
	"strings"
	"sync"
)

// English is the language of an [Analyzer] that is asked for none.
const English = "en"

// An Analyzer makes terms for texts in one language. It may be used by many
// goroutines at once.
type Analyzer struct {
	language language
	lists    wordLists
	cache    cache
	seed     maphash.Seed // of a Vocabulary's hashes
}

var (
	analyzersMu sync.Mutex
	analyzers   = map[string]*Analyzer{}
)

// For returns the analyzer of a language by its ISO 639-1 code ("en", "ar"; a
// region as in "pt-BR" is ignored). One it has no rules for is indexed without
// stems and stop words, by whatever script it is written in.
func For(code string) *Analyzer {
	code = base(code)
	analyzersMu.Lock()
	defer analyzersMu.Unlock()
	a := analyzers[code]
	if a == nil {
		l, ok := languages[code]
		if !ok {
			code = "und"
			if a = analyzers[code]; a != nil {
				return a
			}
		}
		a = &Analyzer{language: l, seed: maphash.MakeSeed()}
		a.lists = l.wordLists()
		analyzers[code] = a
	}
	return a
}

// base returns the code of a language without script and region.
func base(code string) string {
	code, _, _ = strings.Cut(strings.ToLower(code), "-")
	if same, ok := sameAs[code]; ok {
		return same
	}
	return code
}

// A Token is a term of a document and where in it it stands.
type Token struct {
	Term string
	// At counts words from 0. Stop words count though they are no terms, so words
	// that stand beside each other have places that do. What is written as one of
	// several words stands where the last of them does.
	At uint32
	// Stop is whether it is a stop word: it says something beside its neighbours
	// only, as in "log in" and "how to".
	Stop bool
}

// Tokens appends the terms of a document's text to dst, in the order of their
// places, and its stop words. Terms may share text's memory: clone what is to
// outlive it.
func (a *Analyzer) Tokens(dst []Token, text string) []Token {
	s := scanner{text: text}
	at := uint32(0)
	for s.next() {
		switch s.kind {
		case plainWord:
			if w := a.word(s.token); w.term != "" {
				dst = append(dst, Token{w.term, at, w.is(stop)})
			}
			at++
		case pair:
			dst = append(dst, Token{s.token, at, false})
			at++
		case wholeWord:
			dst = append(dst, Token{a.compound(s.token), at - 1, false})
		}
	}
	return dst
}

// Terms appends the terms of a document's text to dst, as Tokens does, without
// stop words.
func (a *Analyzer) Terms(dst []string, text string) []string {
	s := scanner{text: text}
	for s.next() {
		switch s.kind {
		case plainWord:
			if w := a.word(s.token); w.term != "" && !w.is(stop) {
				dst = append(dst, w.term)
			}
		case pair:
			dst = append(dst, s.token)
		case wholeWord:
			dst = append(dst, a.compound(s.token))
		}
	}
	return dst
}

// word returns what becomes of a word, from the cache if it was seen lately.
func (a *Analyzer) word(raw string) *word {
	slot := a.cache.slot(raw)
	if w := a.cache.find(raw, slot); w != nil {
		return w
	}
	w := a.analyze(raw)
	a.cache.keep(raw, slot, w)
	return w
}

func (a *Analyzer) analyze(raw string) *word {
	l := &a.language
	norm := l.normalize(raw)
	if s := startsIn(norm); s != l.script {
		if code := foreign(s); code != "" && (s != latin || l.script != noScript) {
			w := For(code).analyze(raw)
			w.flags &^= stop // "A" between Chinese characters is no article
			return w
		}
	}
	w := &word{flags: a.lists.flags(norm), term: norm}
	if l.stem != nil && norm != "" {
		w.term = l.stem(norm)
	}
	if l.accent == leftOutLater {
		w.term = unaccent(w.term)
	}
	if l.dotless {
		w.term = strings.ReplaceAll(w.term, "ı", "i") // İPTAL, iptal, and IPTAL of a foreign keyboard
	}
	w.term = strings.Clone(w.term)
	return w
}
