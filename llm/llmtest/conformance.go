package llmtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/llm"
)

// maxDimensions is how many numbers a vector has at most, by the contract.
const maxDimensions = 4096

// TestEmbedder holds an embedder to the contract of llm.Embedder. Open returns one
// anew each time it is called, all of the same space. It embeds some 600 short
// texts and one of 100 KB.
func TestEmbedder(t *testing.T, open func() llm.Embedder) {
	t.Run("space", func(t *testing.T) {
		a, b := open(), open()
		before := a.Space()
		if before == "" || len(before) > 200 || !utf8.ValidString(before) || b.Space() != before {
			t.Errorf("Space() = %q and %q, want one name of 1 to 200 bytes", before, b.Space())
		}
		embed(t, a, llm.Passage, "Opening hours")
		if a.Space() != before {
			t.Errorf("Space() = %q after a call, want %q as before", a.Space(), before)
		}
	})

	t.Run("order", func(t *testing.T) {
		e := open()
		var texts []string
		for i := range llm.MaxEmbed {
			texts = append(texts, fmt.Sprintf("%d boats of type %c lie in harbour %d.", i+2, 'A'+i%26, i*i))
		}
		all := embed(t, e, llm.Passage, texts...)
		for _, i := range []int{0, 1, 31, 32, 100, llm.MaxEmbed - 1} {
			alone := embed(t, e, llm.Passage, texts[i])[0]
			if c := cosine(all[i], alone); c < .99 {
				t.Errorf("text %d among others and alone: cosine = %.4f, want 1 but for rounding", i, c)
			}
			best := 0
			for j := range all {
				if cosine(all[j], alone) > cosine(all[best], alone) {
					best = j
				}
			}
			if best != i && cosine(all[best], alone)-cosine(all[i], alone) > 1e-4 {
				t.Errorf("of all texts the nearest to text %d is text %d", i, best)
			}
		}
	})

	t.Run("the same again", func(t *testing.T) {
		const text = "How long may a boat be?"
		for _, role := range []llm.InputType{llm.Passage, llm.Question} {
			if c := cosine(embed(t, open(), role, text)[0], embed(t, open(), role, text)[0]); c < .999 {
				t.Errorf("a text embedded twice as role %d: cosine = %.4f, want 1 but for rounding", role, c)
			}
		}
	})

	t.Run("texts", func(t *testing.T) {
		e := open()
		if got, err := e.Embed(t.Context(), llm.Passage, nil); err != nil || len(got.Vectors) != 0 {
			t.Errorf("Embed of nothing = %d vectors, %v, want none", len(got.Vectors), err)
		}
		embed(t, e, llm.Passage, "x", "7", "متى تفتحون؟", "什么时候开门", "Bila anda buka?", "🛶", "a\x00b", "\"quoted\"\n\\", "bad \xff UTF-8")
		embed(t, e, llm.Passage, strings.Repeat("A boat is a thing that floats. ", 100<<10/31))
	})

	t.Run("many at once", func(t *testing.T) {
		e := open()
		want := embed(t, e, llm.Question, "Where is the harbour?")[0]
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got, err := e.Embed(t.Context(), llm.Question, []string{"Where is the harbour?"})
				if err != nil || len(got.Vectors) != 1 || cosine(got.Vectors[0], want) < .99 {
					t.Errorf("Embed by several goroutines = %d vectors, %v, want the one it was before", len(got.Vectors), err)
				}
			})
		}
		wg.Wait()
	})

	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := open().Embed(ctx, llm.Passage, []string{"a"}); !errors.Is(err, context.Canceled) {
			t.Errorf("Embed of a context that has ended = %v, want context.Canceled in it", err)
		}
	})
}

// embed returns the vectors of texts, and fails the test if there is anything
// wrong with one.
func embed(t *testing.T, e llm.Embedder, role llm.InputType, texts ...string) [][]float32 {
	t.Helper()
	got, err := e.Embed(t.Context(), role, texts)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Vectors) != len(texts) || got.Tokens < 0 {
		t.Fatalf("%d vectors and %d tokens for %d texts", len(got.Vectors), got.Tokens, len(texts))
	}
	for i, v := range got.Vectors {
		if len(v) < 1 || len(v) > maxDimensions || len(v) != len(got.Vectors[0]) {
			t.Fatalf("vector %d has %d dimensions, the first %d, want the same, 1 to %d", i, len(v), len(got.Vectors[0]), maxDimensions)
		}
		if !slices.ContainsFunc(v, func(x float32) bool { return x != 0 }) || slices.ContainsFunc(v, func(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }) {
			t.Fatalf("vector %d has a number that is not finite, or only zeros", i)
		}
	}
	return got.Vectors
}

// unit makes v of length 1.
func unit(v []float32) []float32 {
	squares := 0.0
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(squares))
	}
	return v
}

func cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}
