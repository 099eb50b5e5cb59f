package openai

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// An Embedder asks a server for embeddings. It is safe for concurrent use and
// starts no goroutine.
type Embedder struct {
	o          EmbedderOptions
	api        *wire.API
	space      string
	dimensions atomic.Int64 // of all answers; 0 until the first
}

var _ llm.Embedder = (*Embedder)(nil)

// NewEmbedder returns an embedder. It makes no network call.
func NewEmbedder(o EmbedderOptions) (*Embedder, error) {
	api, err := o.fill()
	if err != nil {
		return nil, fmt.Errorf("openai embedder: %w", err)
	}
	o.APIKey = "" // the API has it, where printing does not find it
	e := &Embedder{o: o, api: api, space: space(o)}
	e.dimensions.Store(int64(o.Dimensions))
	return e, nil
}

// Space is "openai:MODEL", then ":DIMENSIONS" if Options name them, then a hash of
// the prefixes if there are any. The server's address is not part of it, so that a
// model can move to another server and its vectors stay.
func (e *Embedder) Space() string { return e.space }

func space(o EmbedderOptions) string {
	s := "openai:" + o.Model
	if o.Dimensions > 0 {
		s += fmt.Sprint(":", o.Dimensions)
	}
	if o.QuestionPrefix != "" || o.PassagePrefix != "" {
		s += fmt.Sprintf(":%x", sha256.Sum256(fmt.Appendf(nil, "%q %q", o.QuestionPrefix, o.PassagePrefix)))[:9]
	}
	return s
}

// Embed returns the vectors of texts, asked for in as many requests as
// [EmbedderOptions.MaxBatch] and [EmbedderOptions.MaxBatchBytes] make of them, one after the
// other. A request that fails for a while is made again as [EmbedderOptions.Retries] says.
// One that is too large is made in two halves; a single text that is too large is
// cut to half its length, again and again.
func (e *Embedder) Embed(ctx context.Context, role llm.InputType, texts []string) (llm.Embeddings, error) {
	prefix := e.o.PassagePrefix
	if role == llm.Question {
		prefix = e.o.QuestionPrefix
	}
	all := llm.Embeddings{Vectors: make([][]float32, 0, len(texts))}
	for len(texts) > 0 {
		var batch []string
		bytes := 0
		for _, t := range texts[:min(len(texts), e.o.MaxBatch)] {
			t = cut(t, e.o.MaxTextBytes)
			if bytes += len(prefix) + len(t); bytes > e.o.MaxBatchBytes && len(batch) > 0 {
				break
			}
			batch = append(batch, t)
		}
		texts = texts[len(batch):]
		some, err := e.halving(ctx, prefix, batch)
		if err != nil {
			return llm.Embeddings{}, err
		}
		all.Vectors = append(all.Vectors, some.Vectors...)
		all.Tokens += some.Tokens
	}
	return all, nil
}

// shortest is what no text is cut below, in bytes, when a server finds it too
// large: then it is something else that the server does not like.
const shortest = 128

// halving asks for the vectors of texts, of half of them and of half texts if they
// are too large.
func (e *Embedder) halving(ctx context.Context, prefix string, texts []string) (llm.Embeddings, error) {
	all, err := e.retrying(ctx, prefix, texts)
	if refused, ok := errors.AsType[*llm.Error](err); !ok || refused.Kind != llm.TooLarge {
		return all, err
	}
	if len(texts) == 1 {
		half := len(texts[0]) / 2
		if half < shortest {
			return llm.Embeddings{}, err
		}
		return e.halving(ctx, prefix, []string{cut(texts[0], half)})
	}
	all, err = e.halving(ctx, prefix, texts[:len(texts)/2])
	if err != nil {
		return llm.Embeddings{}, err
	}
	rest, err := e.halving(ctx, prefix, texts[len(texts)/2:])
	if err != nil {
		return llm.Embeddings{}, err
	}
	return llm.Embeddings{Vectors: slices.Concat(all.Vectors, rest.Vectors), Tokens: all.Tokens + rest.Tokens}, nil
}

// cut returns the beginning of a text, at most so many bytes of whole characters.
func cut(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	for bytes > 0 && !utf8.RuneStart(text[bytes]) {
		bytes--
	}
	return text[:bytes]
}
