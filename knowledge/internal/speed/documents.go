//go:build unix

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// batch is how many documents are put at a time, as a store's steps have them.
const batch = 256

// A document as the file has it.
type document struct{ id, title, text string }

// read yields the documents of a file.
func read(path string) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(document{}, err)
			return
		}
		defer f.Close()
		for r := bufio.NewReaderSize(f, 1<<16); ; {
			var field [3]string
			for i := range field {
				n, err := binary.ReadUvarint(r)
				if i == 0 && errors.Is(err, io.EOF) {
					return
				}
				b := make([]byte, min(n, 64<<20))
				if _, readErr := io.ReadFull(r, b); errors.Join(err, readErr) != nil {
					yield(document{}, errors.Join(err, readErr))
					return
				}
				field[i] = string(b)
			}
			if !yield(document{field[0], field[1], field[2]}, nil) {
				return
			}
		}
	}
}

// asked reads the questions.
func asked() (list []string, err error) {
	b, err := os.ReadFile(*questions)
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s has no questions", *questions)
	}
	return list, err
}

// parent is what the documents' ids are derived from: bench/speed does it too, and so
// knows which document an id means.
const parent = "doc_01m80jqarvea0tqxkp6p9yga6t"

// put is the change that adds document n of a file as a passage. Every eighth is
// another agent's, every eighth the asking one's own, and they have metadata to
// filter by; bench/speed gives the same to all that it measures.
func put(n int, d document) index.Change {
	agent := ""
	switch n % 8 {
	case 0:
		agent = "other"
	case 1:
		agent = "asking"
	}
	return index.Change{Put: &index.Document{
		ID: id.Derive(id.Document, parent, n), Version: 1, AgentID: agent, ExternalID: d.id,
		Metadata: map[string]any{"section": fmt.Sprint("s", n%5), "price": float64(n % 100)},
		Fields:   map[string]string{"$kind": "upload"},
		Passages: []index.Passage{{Title: d.title, Body: d.text}},
	}}
}

// narrow is a question by an agent that may use seven eighths of the documents, with
// a filter that about three quarters of them pass.
func narrow(text string) index.Query {
	return index.Query{Text: text, Limit: 10, AgentID: "asking", Filter: index.All{
		index.Has{Name: "section", Tests: []index.Test{{Op: index.In, In: []any{"s0", "s1", "s2", "s3"}}}},
		index.Has{Name: "price", Tests: []index.Test{{Op: index.Lt, Value: 95.0}}},
	}}
}

// wide is a question to all documents.
func wide(text string) index.Query { return index.Query{Text: text, Limit: 10} }
