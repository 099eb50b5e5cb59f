package main

import (
	"context"
	"strconv"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search/query"
	bleveindex "github.com/blevesearch/bleve_index_api"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
)

// A bleveIndex is an index of bleve on scorch, which ranks by BM25 and stores no
// text: title and text in fields of their own, with the places of words, and what
// narrow questions filter by; or all in one field, for wide questions only.
type bleveIndex struct {
	bleve.Index
	one bool
}

func openBleve(place string) (engine, error)    { return bleveAt(place, false) }
func openBleveOne(place string) (engine, error) { return bleveAt(place, true) }

func bleveAt(place string, one bool) (engine, error) {
	if x, err := bleve.Open(place); err == nil {
		return &bleveIndex{x, one}, nil
	}
	field := func(f *mapping.FieldMapping) *mapping.FieldMapping {
		f.Store, f.IncludeInAll, f.DocValues = false, false, false
		return f
	}
	text := field(bleve.NewTextFieldMapping())
	text.Analyzer, text.IncludeTermVectors = en.AnalyzerName, !one
	m := bleve.NewIndexMapping()
	m.ScoringModel = bleveindex.BM25Scoring
	m.DefaultAnalyzer = en.AnalyzerName
	m.DefaultMapping = bleve.NewDocumentStaticMapping()
	m.DefaultMapping.AddFieldMappingsAt("text", text)
	if !one {
		word := field(bleve.NewKeywordFieldMapping())
		word.IncludeTermVectors = false
		m.DefaultMapping.AddFieldMappingsAt("title", text)
		m.DefaultMapping.AddFieldMappingsAt("agent", word)
		m.DefaultMapping.AddFieldMappingsAt("section", word)
		m.DefaultMapping.AddFieldMappingsAt("price", field(bleve.NewNumericFieldMapping()))
	}
	x, err := bleve.NewUsing(place, m, scorch.Name, scorch.Name, nil)
	return &bleveIndex{x, one}, err
}

func (x *bleveIndex) build(context.Context) error {
	b := x.NewBatch()
	n := 0
	for d, err := range corpus.Unpacked(*plain) {
		if err != nil {
			return err
		}
		doc := map[string]any{"text": d.Title + "\n" + d.Text}
		if !x.one {
			agent := owner(n)
			if agent == "" {
				agent = "all"
			}
			doc = map[string]any{"title": d.Title, "text": d.Text, "agent": agent, "section": section(n), "price": float64(n % 100)}
		}
		if err := b.Index(strconv.Itoa(n), doc); err != nil {
			return err
		}
		if n++; b.Size() == 1000 {
			if err := x.Batch(b); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return x.Batch(b)
}

// words are those of a question, in the fields there are.
func (x *bleveIndex) words(question string, fuzziness int) query.Query {
	text := bleve.NewMatchQuery(question)
	text.SetField("text")
	text.SetFuzziness(fuzziness)
	if x.one {
		return text
	}
	title := bleve.NewMatchQuery(question)
	title.SetField("title")
	title.SetFuzziness(fuzziness)
	return bleve.NewDisjunctionQuery(title, text)
}

func (x *bleveIndex) wide(question string) ([]string, error) { return x.ask(x.words(question, 0)) }

func (x *bleveIndex) typo(question string) ([]string, error) { return x.ask(x.words(question, 1)) }

func (x *bleveIndex) narrow(question string) ([]string, error) {
	if x.one {
		return nil, nil
	}
	is := func(field, value string) query.Query {
		q := bleve.NewTermQuery(value)
		q.SetField(field)
		return q
	}
	limit := 95.0
	price := bleve.NewNumericRangeQuery(nil, &limit)
	price.SetField("price")
	phrase := bleve.NewMatchPhraseQuery(question)
	phrase.SetField("text")
	q := bleve.NewBooleanQuery()
	q.AddMust(x.words(question, 0))
	q.AddShould(phrase)
	q.AddFilter(bleve.NewConjunctionQuery(
		bleve.NewDisjunctionQuery(is("agent", "all"), is("agent", "asking")),
		bleve.NewDisjunctionQuery(is("section", "s0"), is("section", "s1"), is("section", "s2"), is("section", "s3")),
		price,
	))
	return x.ask(q)
}

func (x *bleveIndex) ask(q query.Query) ([]string, error) {
	found, err := x.Search(bleve.NewSearchRequestOptions(q, 10, 0, false))
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, h := range found.Hits {
		ids = append(ids, h.ID)
	}
	return ids, nil
}

func (x *bleveIndex) close() error { return x.Close() }
