package main

import (
	"context"
	"errors"
	"slices"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// fill opens a desk that holds documents, as a user puts them: nothing is said of
// their language. Those without a text are left out: cranfield has two.
func fill(ctx context.Context, dir string, documents []judged.Record) (*answerdesk.Desk, error) {
	desk, err := answerdesk.Open(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	documents = slices.DeleteFunc(slices.Clone(documents), func(d judged.Record) bool { return d.Text == "" })
	for part := range slices.Chunk(documents, knowledge.MaxBatch) {
		docs := make([]knowledge.Document, len(part))
		for i, d := range part {
			docs[i] = knowledge.Document{ExternalID: d.ID, Title: d.Title, Text: d.Text, Format: knowledge.Text}
		}
		if _, err := desk.Knowledge().PutAll(ctx, docs...); err != nil {
			return nil, errors.Join(err, desk.Close())
		}
	}
	return desk, nil
}

// search returns the documents found, each once, best first.
func search(ctx context.Context, desk *answerdesk.Desk, question string) ([]string, knowledge.Results, error) {
	found, err := desk.Knowledge().Search(ctx, knowledge.Query{Text: question, Limit: 20})
	var ids []string
	for _, h := range found.Hits {
		if !slices.Contains(ids, h.ExternalID) {
			ids = append(ids, h.ExternalID)
		}
	}
	return ids, found, err
}
