package openai

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/answerdesk-go/answerdesk/llm"
)

// maxDimensions is how many numbers an llm.Embedder's vectors have at most.
const maxDimensions = 4096

// request makes one request, once.
func (e *Embedder) request(ctx context.Context, prefix string, texts []string) (llm.Embeddings, error) {
	body := struct {
		Model      string   `json:"model"`
		Input      []string `json:"input"`
		Dimensions int      `json:"dimensions,omitzero"`
		Format     string   `json:"encoding_format,omitzero"`
	}{Model: e.o.Model}
	for _, t := range texts {
		body.Input = append(body.Input, prefix+t)
	}
	if e.o.Shorten {
		body.Dimensions = e.o.Dimensions
	}
	if e.o.Base64 {
		body.Format = "base64"
	}
	answer, err := e.api.JSON(ctx, "/embeddings", body)
	if err != nil {
		return llm.Embeddings{}, err
	}
	return e.read(answer, len(texts))
}

// read takes the vectors of count texts out of an answer.
func (e *Embedder) read(answer []byte, count int) (llm.Embeddings, error) {
	var a struct {
		Data []struct {
			Index     int             `json:"index"`
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
		Usage struct {
			PromptTokens int `json:"prompt_tokens"`
			TotalTokens  int `json:"total_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return llm.Embeddings{}, e.api.Malformed("the answer is not the JSON of embeddings") // the cause may quote it
	}
	if len(a.Data) != count {
		return llm.Embeddings{}, e.api.Malformed("%d vectors for %d texts", len(a.Data), count)
	}
	all := llm.Embeddings{Vectors: make([][]float32, count), Tokens: max(0, a.Usage.PromptTokens)}
	if all.Tokens == 0 {
		all.Tokens = max(0, a.Usage.TotalTokens)
	}
	for _, d := range a.Data {
		if d.Index < 0 || d.Index >= count || all.Vectors[d.Index] != nil {
			return llm.Embeddings{}, e.api.Malformed("the indexes of %d vectors are not 0 to %d, each once", count, count-1)
		}
		v, err := e.vector(d.Embedding)
		if err != nil {
			return llm.Embeddings{}, err
		}
		if err := e.check(v); err != nil {
			return llm.Embeddings{}, err
		}
		all.Vectors[d.Index] = v
	}
	return all, nil
}

// vector reads numbers, or the base64 of their bits, the lowest byte first.
func (e *Embedder) vector(raw json.RawMessage) ([]float32, error) {
	if !bytes.HasPrefix(raw, []byte(`"`)) {
		var v []float32
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, e.api.Malformed("a vector is not a list of numbers that float32 can hold")
		}
		return v, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, e.api.Malformed("a vector is not a string of JSON")
	}
	bits, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(bits)%4 != 0 {
		return nil, e.api.Malformed("a vector is not the base64 of whole float32 numbers")
	}
	v := make([]float32, len(bits)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(bits[4*i:]))
	}
	return v, nil
}

// check refuses a vector that cannot be compared with the others.
func (e *Embedder) check(v []float32) error {
	if len(v) < 1 || len(v) > maxDimensions {
		return e.api.Malformed("a vector has %d dimensions, want 1 to %d", len(v), maxDimensions)
	}
	if e.dimensions.CompareAndSwap(0, int64(len(v))); e.dimensions.Load() != int64(len(v)) {
		return e.api.Malformed("a vector has %d dimensions, want %d", len(v), e.dimensions.Load())
	}
	zero := true
	for _, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return e.api.Malformed("a vector has a number that is not finite")
		}
		zero = zero && x == 0
	}
	if zero {
		return e.api.Malformed("a vector has only zeros")
	}
	return nil
}
