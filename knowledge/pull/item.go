package pull

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Bounds of an item.
const (
	maxID            = 512      // bytes, as of a document's external id
	maxTitle         = 500      // characters, as of a document's
	maxText          = 16 << 20 // bytes, as of a document's
	maxItemURL       = 2048     // bytes
	maxMetadataBytes = 16 << 10 // of JSON, as of a document's
	maxValues        = 100      // in a list of metadata; more are left out
	maxValue         = 1000     // characters of a string of metadata; more are left out
)

// An Item is one entry of a list, taken to its parts as the [Mapping] says.
type Item struct {
	ID    string `json:"id"`
	Title string `json:"title,omitzero"`
	URL   string `json:"url,omitzero"`

	// Text is plain text, or HTML if HTML is set. What [Mapping.Flatten] adds to
	// it are lines of names and values, names in the order of their letters so
	// that the same item reads the same, lists of objects counted from 1, and
	// neither empty values nor strings of more than 256 bytes without a space.
	Text string `json:"text,omitzero"`
	HTML bool   `json:"html,omitzero"`

	// Metadata holds strings, int64, float64, booleans and lists of them.
	Metadata map[string]any `json:"metadata,omitzero"`

	// Hash is of all the fields above: equal for two items of equal content,
	// whatever the order of members and the parts that no path takes.
	Hash [32]byte `json:"-"`

	Page  int `json:"page"`  // which answer of the API it was in, from 1
	Index int `json:"index"` // its place there, from 0

	// Problems are parts of the item that do not fit, and were left out.
	Problems []Problem `json:"problems,omitzero"`

	// Err says why the item cannot be taken; then the fields above but ID, Page
	// and Index are not set, and ID may be "" too.
	Err *Error `json:"error,omitzero"`
}

// A Problem is a part of an item that a path does not fit.
type Problem struct {
	Field   string `json:"field"` // as in "metadata.tags"
	Path    string `json:"path"`
	Message string `json:"message"`
}

// String is the problem in one line.
func (p Problem) String() string { return p.Field + ": " + p.Path + " " + p.Message }

// sum is the hash of an item's content.
func (it *Item) sum() [32]byte {
	h := sha256.New()
	write := func(s string) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s)))) // never fails
		_, _ = h.Write([]byte(s))
	}
	metadata, err := json.Marshal(it.Metadata)
	if err != nil {
		panic(err) // it holds strings, numbers and booleans
	}
	for _, s := range []string{it.ID, it.Title, it.URL, it.Text, fmt.Sprint(it.HTML), string(metadata)} {
		write(s)
	}
	return [32]byte(h.Sum(nil))
}

// ownName is an id made of what the item says.
func (it *Item) ownName() string {
	sum := it.sum()
	return hex.EncodeToString(sum[:16])
}
