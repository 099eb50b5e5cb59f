package analysis

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func TestTerms(t *testing.T) {
	for _, tt := range []struct{ language, in, want string }{
		{"", "", ""},
		{"", "The cats' owner doesn't run a shop; it's closed.", "cat owner doesnt run shop it close"},
		{"", "What do you do, and how?", "what do you do how"},
		{"", "Rotating API_KEY in go_mem.html", "rotat api key api_key go mem html go_mem.html"},
		{"", "v1.2.3 costs $1,250.50 on 2024-01-31", "v1 2 3 v1.2.3 cost 1 250 50 1250.50 2024 01 31 2024-01-31"},
		{"", "mail sales@example.com or R&D", "mail sale exampl com sales@example.com r d r&d"},
		{"", "C# and C++, F#.", "c c# c c++ f f#"},
		{"", "well-known part AB-12", "well known part ab 12 ab-12"},
		{"", "The end.Next one, or 'quoted'", "end next one quot"},
		{"", "camelCase HTTPServer", "camelcas httpserver"},
		{"", "Café naïve façade resume\u0301 STRASSE straße", "cafe naiv facad resum strass strass"},
		{"", "ＡＢＣ１２ don’t", "abc12 dont"},
		{"", "soft\u00adhyphen", "softhyphen"},
		{"zh", "黑豹队 308分", "黑豹 豹队 308 分"},
		{"ja", "カタカナとa", "カタ タカ カナ ナと a"},
		{"ko", "한국어", "한국 국어"},
		{"th", "ที่นี่", "ที่นี่"},
		{"ar", "الْكِتَاب ٣٠٨", "كتاب 308"},
		{"ar", "الى إلى", ""},
		{"de", "Die Häuser öffnen", "haus offn"},
		{"en", "إلى الكتاب", "ال كتاب"},
		{"zh", "A计划 settings", "a 计划 set"},
		{"xx", "The Running", "the running"},
	} {
		got := strings.Join(For(tt.language).Terms(nil, tt.in), " ")
		if got != tt.want {
			t.Errorf("Terms(%q) in %q = %q, want %q", tt.in, tt.language, got, tt.want)
		}
	}
}

func TestQuery(t *testing.T) {
	write := func(terms []Term) string {
		var list []string
		for _, term := range terms {
			s := term.Text
			if !term.Content {
				s = "(" + s + ")"
			}
			if term.Whole {
				s = "[" + s + "]"
			}
			list = append(list, s)
		}
		return strings.Join(list, " ")
	}
	long := strings.Repeat("filler ", 17)
	for _, tt := range []struct{ in, want string }{
		{"How can I please rotate the API_KEY?", "(how) (can) (i) (pleas) rotat api key [api_key]"},
		{"Who are you?", "(who) (you)"},
		{long + "what because", strings.TrimSpace(long) + " (what) (becaus)"},
		{long + "what because of it", strings.TrimSpace(long)},
		{"黑豹队", "黑豹 豹队"},
	} {
		if got := write(For("").Query(nil, tt.in)); got != tt.want {
			t.Errorf("Query(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestUnaccented(t *testing.T) {
	if len(unaccented) != 0x180-0xC0 {
		t.Fatalf("unaccented has %d letters, want %d", len(unaccented), 0x180-0xC0)
	}
	for in, want := range map[string]string{"ÀÉÎÕÜÝ": "aeiouy", "àéîõüýÿ": "aeiouyy", "Łódź": "lodz", "ŽŠČřğıŵſ": "zscrgiws", "Æðþ": "æðþ"} {
		if got := new(languages[English]).normalize(in); got != want {
			t.Errorf("normalize(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	text := strings.Repeat("rotating keys of agents in settings ключей مفاتيح ", 20)
	for _, language := range []string{"en", "zh"} { // of which the second asks the first
		a := For(language)
		want := a.Tokens(nil, text)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 100 {
					if got := a.Tokens(nil, text); !slices.Equal(got, want) {
						t.Errorf("Tokens in %s = %v, want %v", language, got, want)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

// Of words seen before nothing is allocated.
func TestAllocations(t *testing.T) {
	text := "Rotating a key: open the agent's settings in 黑豹队, pay 1299 and press sales@example.com"
	a := For("en")
	tokens, terms := a.Tokens(nil, text), a.Query(nil, text)
	if n := testing.AllocsPerRun(100, func() { tokens = a.Tokens(tokens[:0], text) }); n > 0 {
		t.Errorf("Tokens allocates %v times, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { terms = a.Query(terms[:0], text) }); n > 0 {
		t.Errorf("Query allocates %v times, want 0", n)
	}
	among := []string{"en", "ms", "de"}
	if n := testing.AllocsPerRun(100, func() { terms = Question(terms[:0], text, among) }); n > 0 {
		t.Errorf("Question allocates %v times, want 0", n)
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"a_b.c@d-1,000", "C++#", "ที่x", "don't’", "الْ", "\xff.a", "a.\u0301", strings.Repeat("x", 100) + "." + strings.Repeat("界", 40),
		"l'été 1\u00a0299,50 Straße İSTANBUL'da", "mengembalikan keselamatan berlangganan penyelenggaraan", "ﾊﾟｽﾜｰﾄﾞ 한\u1112\u1161\u11ab", "लड़कियों ९", "\ufdfa", "'’'a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for language := range languages {
			a := For(language)
			tokens, last := a.Tokens(nil, text), uint32(0)
			for _, token := range tokens {
				if token.Term == "" || len(token.Term) > 4*maxToken || utf8.ValidString(text) && !utf8.ValidString(token.Term) {
					t.Fatalf("Tokens(%q) in %s has %q", text, language, token.Term)
				}
				if token.At < last || int(token.At) > len(text) {
					t.Fatalf("Tokens(%q) in %s has %q at %d, after %d", text, language, token.Term, token.At, last)
				}
				last = token.At
			}
			if again := a.Tokens(nil, text); !slices.Equal(tokens, again) {
				t.Fatalf("Tokens(%q) in %s = %v, then %v", text, language, tokens, again)
			}
			var v Vocabulary
			for i, n := range v.Tokens(nil, a, text) {
				if i >= len(tokens) || tokens[i] != (Token{v.Term(n.Number), n.At, n.Stop}) {
					t.Fatalf("token %d of %q in %s: a vocabulary has %q, Tokens = %v", i, text, language, v.Term(n.Number), tokens)
				}
			}
			terms := a.Terms(nil, text)
			tokens = slices.DeleteFunc(tokens, func(t Token) bool { return t.Stop })
			if !slices.EqualFunc(terms, tokens, func(term string, token Token) bool { return term == token.Term }) {
				t.Fatalf("Terms(%q) in %s = %q, but Tokens = %v", text, language, terms, tokens)
			}
		}
	})
}

func FuzzQuestion(f *testing.F) {
	f.Add("How do I reset it?", "en ms")
	f.Add("macam mana nak reset password my account", "en ms")
	f.Add("如何重置 API 密码", "zh ja")
	f.Add("ｶﾀｶﾅを変えるには", "ja")
	f.Add("ที่นี่เปลี่ยนรหัสผ่านอย่างไร", "th en")
	f.Add("1.299,00 l'été \xff", "xx fr de pt-BR")
	f.Fuzz(func(t *testing.T, text, among string) {
		list := strings.Fields(among)
		best, _ := Detect(text, list)
		if best == "" {
			t.Fatalf("Detect(%q, %q) is nothing", text, list)
		}
		terms, last := Question(nil, text, list), uint32(0)
		at := map[uint32]int{}
		for _, term := range terms {
			if term.Text == "" || len(term.Text) > 4*maxToken || utf8.ValidString(text) && !utf8.ValidString(term.Text) {
				t.Fatalf("Question(%q, %q) has %q", text, list, term.Text)
			}
			if term.At < last || int(term.At) > len(text) {
				t.Fatalf("Question(%q, %q) has %q at %d, after %d", text, list, term.Text, term.At, last)
			}
			if last = term.At; !term.Whole {
				if at[last]++; at[last] > 2 {
					t.Fatalf("Question(%q, %q) reads the word at %d in more than two ways", text, list, last)
				}
			}
		}
		if again := Question(nil, text, list); !slices.Equal(terms, again) {
			t.Fatalf("Question(%q, %q) = %v, then %v", text, list, terms, again)
		}
	})
}

func BenchmarkTokens(b *testing.B) {
	text := strings.Repeat("Rotating a key: open the agent's settings, choose API keys, and press Rotate. The old key works for an hour. ", 20)
	a := For("en")
	var tokens []Token
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tokens = a.Tokens(tokens[:0], text)
	}
}

func BenchmarkQuery(b *testing.B) {
	a := For("en")
	var terms []Term
	b.ReportAllocs()
	for b.Loop() {
		terms = a.Query(terms[:0], "How do I rotate the API key of an agent?")
	}
}
