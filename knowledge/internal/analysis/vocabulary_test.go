package analysis

import (
	"fmt"
	"strings"
	"testing"
)

func TestVocabulary(t *testing.T) {
	var v Vocabulary
	texts := []string{
		"The running of the houses, API_KEY v1.2.3 and C++: don't run!", "配送料はいくらですか。ร้านเปิดกี่โมง running", "Die Häuser der Straße ' _ ran",
		"F# or a+ to+from 7+ x, y. Of a.b c-d 3-4 e' f'g h’ i_ j& k&l m@n 1,2 1,x", strings.Repeat("q", maxToken+1) + " " + strings.Repeat("r", maxToken) + ".",
	}
	for range 3 {
		for _, code := range []string{"en", "de", "und"} {
			a := For(code)
			for _, text := range texts {
				got, want := v.Tokens(nil, a, text), a.Tokens(nil, text)
				if len(got) != len(want) {
					t.Fatalf("%s: %d tokens of %q, want %d", code, len(got), text, len(want))
				}
				for i, w := range want {
					if g := (Token{v.Term(got[i].Number), got[i].At, got[i].Stop}); g != w {
						t.Errorf("%s: token %d of %q = %+v, want %+v", code, i, text, g, w)
					}
				}
			}
		}
		seen := map[string]bool{}
		for n := range uint32(v.Len()) {
			term := v.Term(n)
			if seen[term] || v.Number(term) != n {
				t.Errorf("%q has two numbers", term)
			}
			seen[term] = true
		}
	}
	for i := range 50000 { // more than there was room for
		word := fmt.Sprintf("q%dq", i)
		if got := v.Tokens(nil, For("und"), word+" "+word); len(got) != 2 || got[0].Number != got[1].Number || v.Term(got[0].Number) != word {
			t.Fatalf("tokens of %q = %+v", word, got)
		}
	}
}
