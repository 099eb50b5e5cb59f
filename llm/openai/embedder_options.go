package openai

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// EmbedderOptions say which server embeds, with which model, and how. Model is
// required.
type EmbedderOptions struct {
	// BaseURL is what "/embeddings" is appended to. The default is
	// "https://api.openai.com/v1".
	BaseURL string

	// APIKey is sent as a bearer token. Servers of one's own often need none.
	APIKey string

	// Model is the name that the server knows the model by, at most 128 bytes. It
	// is part of the space: where a server ignores it, give another name to another
	// model all the same.
	Model string

	// Dimensions is how many numbers a vector must have, at most 4,096. If it is 0
	// the first answer decides.
	Dimensions int

	// Shorten asks the model for vectors of Dimensions numbers instead of all that
	// it has, which only some can, such as text-embedding-3-small. Others refuse.
	Shorten bool

	// QuestionPrefix and PassagePrefix are put before each text of that role, such
	// as "query: " and "passage: " for models of the family e5.
	QuestionPrefix, PassagePrefix string

	// Base64 asks for vectors in base64, a quarter of the bytes. Both forms are
	// read in any case; some servers refuse to be asked.
	Base64 bool

	// MaxBatch is how many texts are sent in a request, by default 32, which is what
	// text-embeddings-inference takes unless told otherwise. MaxBatchBytes is how
	// many bytes of text, by default 256 KiB; a text longer than that is sent alone.
	MaxBatch, MaxBatchBytes int

	// MaxTextBytes is what a text is cut to before it is sent, by default 16 KiB.
	MaxTextBytes int

	// MaxAnswerBytes bounds what is read of an answer, by default 8 MiB.
	MaxAnswerBytes int64

	// Timeout bounds each request, by default 30 s; a shorter deadline of the
	// context counts.
	Timeout time.Duration

	// Retries is how often a request is made again after a rate limit, a failure of
	// the server or of the network: by default 3 times; less than 0 is never.
	// Between two it waits for half a second, then twice as long each time, a random
	// part of it left out, but at least as long as the server says. If that is more
	// than MaxWait, by default 20 s, or past the context's deadline, it gives up.
	Retries int
	MaxWait time.Duration

	// Client makes the requests. By default it is one that reaches public addresses
	// over https alone; for a server on this machine or a private network give
	// another, such as [http.DefaultClient].
	Client *http.Client
}

// fill checks o, puts the defaults in, and returns the server that they name.
func (o *EmbedderOptions) fill() (*wire.API, error) {
	switch {
	case o.Dimensions < 0 || o.Dimensions > maxDimensions:
		return nil, fmt.Errorf("dimensions = %d, want 0 to %d", o.Dimensions, maxDimensions)
	case o.Shorten && o.Dimensions == 0:
		return nil, errors.New("shorten needs to be told the dimensions")
	case len(o.QuestionPrefix) > 1024 || len(o.PassagePrefix) > 1024:
		return nil, errors.New("a prefix must be at most 1,024 bytes")
	case o.MaxBatch < 0 || o.MaxBatchBytes < 0 || o.MaxTextBytes < 0 || o.MaxWait < 0:
		return nil, errors.New("a limit is less than 0")
	}
	o.MaxBatch = cmp.Or(o.MaxBatch, 32)
	o.MaxBatchBytes = cmp.Or(o.MaxBatchBytes, 256<<10)
	o.MaxTextBytes = cmp.Or(o.MaxTextBytes, 16<<10)
	o.MaxAnswerBytes = cmp.Or(o.MaxAnswerBytes, 8<<20)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Retries = max(0, cmp.Or(o.Retries, 3))
	o.MaxWait = cmp.Or(o.MaxWait, 20*time.Second)
	return wire.New(provider, publicURL, wire.Options{
		BaseURL: o.BaseURL, APIKey: o.APIKey, Model: o.Model, Client: o.Client, Timeout: o.Timeout, MaxAnswerBytes: o.MaxAnswerBytes,
	}, sign)
}
