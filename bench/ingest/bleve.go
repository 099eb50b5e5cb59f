package main

import (
	"context"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
)

// A bleveIndex is an index of bleve on scorch, whose batches are durable when they
// return, as it has them by default.
type bleveIndex struct{ bleve.Index }

// openBleve takes the mapping that bleve's documentation begins with.
func openBleve(place string) (subject, error) { return openWith(place, bleve.NewIndexMapping()) }

// openLean leaves out what is not needed to find texts and to show them: each
// document's text is stored and indexed in English, once.
func openLean(place string) (subject, error) {
	text := bleve.NewTextFieldMapping()
	text.Analyzer = en.AnalyzerName
	text.IncludeInAll, text.IncludeTermVectors, text.DocValues = false, false, false
	m := bleve.NewIndexMapping()
	m.DefaultMapping = bleve.NewDocumentStaticMapping()
	m.DefaultMapping.AddFieldMappingsAt("title", text)
	m.DefaultMapping.AddFieldMappingsAt("text", text)
	return openWith(place, m)
}

func openWith(place string, m mapping.IndexMapping) (subject, error) {
	index, err := bleve.Open(place)
	if err != nil {
		index, err = bleve.NewUsing(place, m, scorch.Name, scorch.Name, nil)
	}
	return &bleveIndex{index}, err
}

func (x *bleveIndex) ingest(_ context.Context, plain string) error {
	b := x.NewBatch()
	for d, err := range corpus.Unpacked(plain) {
		if err != nil {
			return err
		}
		if err := b.Index(d.ExternalID, map[string]any{"title": d.Title, "text": d.Text}); err != nil {
			return err
		}
		if b.Size() == *batch {
			if err := x.Batch(b); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return x.Batch(b)
}

func (x *bleveIndex) find(ctx context.Context, question string) ([]string, error) {
	title, text := bleve.NewMatchQuery(question), bleve.NewMatchQuery(question)
	title.SetField("title")
	text.SetField("text")
	found, err := x.SearchInContext(ctx, bleve.NewSearchRequest(bleve.NewDisjunctionQuery(title, text)))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, h := range found.Hits {
		ids = append(ids, h.ID)
	}
	return ids, nil
}

func (x *bleveIndex) count(context.Context) (documents, passages int, err error) {
	n, err := x.DocCount()
	return int(n), int(n), err
}

func (x *bleveIndex) close() error { return x.Close() }
