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
		{"ar", "الى إلى", "ال ال"},
		{"de", "Die Häuser öffnen", "die häuser öffnen"},
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
		if got := normalize(in, true); got != want {
			t.Errorf("normalize(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	a := For("en")
	text := strings.Repeat("rotating keys of agents in settings ", 20)
	want := a.Terms(nil, text)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if got := a.Terms(nil, text); !slices.Equal(got, want) {
					t.Errorf("Terms = %q, want %q", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzTerms(f *testing.F) {
	for _, s := range []string{"a_b.c@d-1,000", "C++#", "ที่x", "don't’", "الْ", "\xff.a", "a.\u0301", strings.Repeat("x", 100) + "." + strings.Repeat("界", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, language := range []string{"en", "ar"} {
			terms := For(language).Terms(nil, text)
			for _, term := range terms {
				if term == "" || len(term) > 4*maxToken || utf8.ValidString(text) && !utf8.ValidString(term) {
					t.Fatalf("Terms(%q) has %q", text, term)
				}
			}
			if again := For(language).Terms(nil, text); !slices.Equal(terms, again) {
				t.Fatalf("Terms(%q) = %q, then %q", text, terms, again)
			}
			For(language).Query(nil, text)
		}
	})
}

func BenchmarkTerms(b *testing.B) {
	text := strings.Repeat("Rotating a key: open the agent's settings, choose API keys, and press Rotate. The old key works for an hour. ", 20)
	a := For("en")
	var terms []string
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		terms = a.Terms(terms[:0], text)
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
