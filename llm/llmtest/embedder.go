package llmtest

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk/llm"
)

// An Embedder makes vectors of the words of a text and of the parts of words, so
// that texts which share many are near each other. The same text always has the
// same vector, whatever its role. It knows no synonyms: it is for tests, not for
// finding.
type Embedder struct {
	Dims int // of the vectors; 0 means 256
}

var _ llm.Embedder = (*Embedder)(nil)

// Space is "llmtest:hash:DIMENSIONS".
func (e *Embedder) Space() string { return fmt.Sprint("llmtest:hash:", e.dims()) }

func (e *Embedder) dims() int { return cmp.Or(e.Dims, 256) }

// Embed returns a vector of length 1 for each text. A token is a word. The only
// error is that of a context that has ended.
func (e *Embedder) Embed(ctx context.Context, _ llm.InputType, texts []string) (llm.Embeddings, error) {
	if err := ctx.Err(); err != nil {
		return llm.Embeddings{}, err
	}
	all := llm.Embeddings{Vectors: make([][]float32, len(texts))}
	for i, text := range texts {
		words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
		all.Vectors[i] = e.vector(words)
		all.Tokens += len(words)
	}
	return all, nil
}

// vector adds up a direction for each word, and a shorter one for every three
// letters of it.
func (e *Embedder) vector(words []string) []float32 {
	v := make([]float32, e.dims())
	v[0] = .01 // texts without a word have a direction too
	for _, w := range words {
		add(v, w, 1)
		letters := []rune("<" + w + ">")
		for i := range len(letters) - 2 {
			add(v, string(letters[i:i+3]), .5)
		}
	}
	return unit(v)
}

// add adds a feature's direction, which has four numbers that are not 0.
func add(v []float32, feature string, weight float32) {
	h := fnv.New64a()
	h.Write([]byte(feature))
	bits := h.Sum64()
	for range 4 {
		// The constants of a linear congruential generator of period 2^64: Knuth,
		// "MMIX", 1999.
		bits = bits*6364136223846793005 + 1442695040888963407
		sign := weight
		if bits>>63 == 1 {
			sign = -weight
		}
		v[int(bits>>32&0x7fffffff)%len(v)] += sign
	}
}
