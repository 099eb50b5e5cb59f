package llmtest_test

import (
	"fmt"
	"testing"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

func TestConformance(t *testing.T) {
	for _, dims := range []int{0, 16, 384} {
		llmtest.TestEmbedder(t, func() llm.Embedder { return &llmtest.Embedder{Dims: dims} })
	}
}

// TestNear holds that texts which share words are nearer than those that share
// parts of words, and those nearer than others.
func TestNear(t *testing.T) {
	e := &llmtest.Embedder{}
	got, err := e.Embed(t.Context(), llm.Passage, []string{
		"When does the harbour open?",
		"The harbour is open when the sun shines.",
		"Opening of harbours",
		"My invoice has a wrong address",
	})
	if err != nil {
		t.Fatal(err)
	}
	var near []float64
	for _, v := range got.Vectors[1:] {
		c := 0.0
		for i, x := range v {
			c += float64(x) * float64(got.Vectors[0][i])
		}
		near = append(near, c)
	}
	if near[0] < near[1] || near[1] < near[2]+.1 {
		t.Errorf("cosines = %.2f, want them to fall", near)
	}
	if got.Tokens != 5+8+3+6 {
		t.Errorf("Tokens = %d, want 22, one a word", got.Tokens)
	}
}

func ExampleEmbedder() {
	e := &llmtest.Embedder{Dims: 64}
	fmt.Println(e.Space())
	// Output: llmtest:hash:64
}
