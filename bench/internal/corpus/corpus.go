// Package corpus reads documents to fill a desk with, and makes questions of them.
package corpus

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Documents yields the first n documents of a file: gzipped JSON lines, each an
// object {id, title, text}.
func Documents(path string, n int) iter.Seq2[knowledge.Document, error] {
	return func(yield func(knowledge.Document, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(knowledge.Document{}, err)
			return
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			yield(knowledge.Document{}, err)
			return
		}
		dec := json.NewDecoder(z)
		for range n {
			var d struct{ ID, Title, Text string }
			if err := dec.Decode(&d); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				yield(knowledge.Document{}, err)
				return
			}
			if !yield(knowledge.Document{ExternalID: d.ID, Title: d.Title, Text: d.Text}, nil) {
				return
			}
		}
	}
}

// Questions makes n questions of the titles of documents, every so many documents.
func Questions(docs iter.Seq2[knowledge.Document, error], n int) ([]string, error) {
	var titles []string
	for d, err := range docs {
		if err != nil {
			return nil, err
		}
		titles = append(titles, "How do I use "+d.Title+"?")
	}
	out := make([]string, n)
	for i := range out {
		out[i] = titles[i*7919%len(titles)]
	}
	return out, nil
}
