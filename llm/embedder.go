package llm

import "context"

// An Embedder turns texts into vectors that are near each other if the texts mean
// nearly the same. It is safe for use by many goroutines.
type Embedder interface {
	// Space names what the vectors can be compared with: the provider, the model
	// and the number of dimensions, such as "openai:text-embedding-3-small:1536".
	// It never changes, and two embedders of one space give the same vectors but
	// for rounding. At most 200 bytes.
	Space() string

	// Embed returns a vector for each text, in their order, all of the same number
	// of dimensions, from 1 to 4,096. They need not be of length 1. Texts longer
	// than the model reads are cut off by the embedder. There are at most
	// [MaxEmbed] of them.
	Embed(ctx context.Context, as InputType, texts []string) (Embeddings, error)
}

// MaxEmbed is how many texts an [Embedder] is given at a time, at most.
const MaxEmbed = 256

// An InputType is what a text is embedded as: some models put another word before
// questions than before what is to be found.
type InputType uint8

// The types of input.
const (
	Passage  InputType = iota // to be found
	Question                  // to find with
)

// Embeddings are the vectors of some texts, and what they cost.
type Embeddings struct {
	Vectors [][]float32
	Tokens  int // that the provider counted; 0 if it does not say
}
