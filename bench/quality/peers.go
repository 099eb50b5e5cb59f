package main

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/standard"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/index/scorch"
	bleveindex "github.com/blevesearch/bleve_index_api"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// A peer searches one field, title and text, for any word of a question.
type peer interface {
	add(documents []judged.Record) error
	find(question string) ([]string, error)
	close() error
}

// askPeer measures a peer on a set by what the set is compared by. FTS5 takes some
// minutes for msdocs100k, and is left out there.
func askPeer(name, place string, s *judged.Set) (float64, error) {
	if name == "fts5" && s.Name == "msdocs100k" {
		return math.NaN(), nil
	}
	p, err := openPeer(name, place, s.Name)
	if err != nil {
		return 0, err
	}
	var m measure
	if err = p.add(s.Documents); err == nil {
		m, err = ask(s, p.find)
	}
	return m.main(s), errors.Join(err, p.close(), os.RemoveAll(place))
}

func openPeer(name, place, set string) (peer, error) {
	switch name {
	case "bleve-bm25":
		return openBleve(place, set, bleveindex.BM25Scoring)
	case "bleve-tfidf":
		return openBleve(place, set, bleveindex.TFIDFScoring)
	case "fts5":
		return openFTS5(place)
	}
	return nil, fmt.Errorf("there is no peer called %q", name)
}

// A bleveIndex is an index of bleve with its analyzer for the language of a set, or,
// where it has none for it, with its standard one.
type bleveIndex struct{ bleve.Index }

func openBleve(place, set, scoring string) (peer, error) {
	analyzer := en.AnalyzerName
	switch set {
	case "xquad-ar":
		analyzer = ar.AnalyzerName
	case "xquad-de":
		analyzer = de.AnalyzerName
	case "xquad-zh", "jsquad-ja":
		analyzer = cjk.AnalyzerName
	case "xquad-th", malay:
		analyzer = standard.Name
	}
	text := bleve.NewTextFieldMapping()
	text.Analyzer = analyzer
	text.Store, text.IncludeInAll, text.IncludeTermVectors, text.DocValues = false, false, false, false
	m := bleve.NewIndexMapping()
	m.ScoringModel = scoring
	m.DefaultAnalyzer = analyzer
	m.DefaultMapping = bleve.NewDocumentStaticMapping()
	m.DefaultMapping.AddFieldMappingsAt("text", text)
	x, err := bleve.NewUsing(place, m, scorch.Name, scorch.Name, nil)
	return &bleveIndex{x}, err
}

func (x *bleveIndex) add(documents []judged.Record) error {
	for part := range slices.Chunk(documents, 1000) {
		b := x.NewBatch()
		for _, d := range part {
			if err := b.Index(d.ID, map[string]any{"text": d.Title + "\n" + d.Text}); err != nil {
				return err
			}
		}
		if err := x.Batch(b); err != nil {
			return err
		}
	}
	return nil
}

func (x *bleveIndex) find(question string) ([]string, error) {
	q := bleve.NewMatchQuery(question)
	q.SetField("text")
	found, err := x.Search(bleve.NewSearchRequestOptions(q, 10, 0, false))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, h := range found.Hits {
		ids = append(ids, h.ID)
	}
	return ids, nil
}

func (x *bleveIndex) close() error { return x.Close() }

// An fts5 is a full-text table of SQLite with the stemmer that it has.
type fts5 struct{ db *sql.DB }

func openFTS5(place string) (peer, error) {
	if err := os.MkdirAll(place, 0o700); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(place, "fts5.db")+"?_pragma=synchronous(OFF)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE VIRTUAL TABLE documents USING fts5(id UNINDEXED, text, tokenize = 'porter unicode61')`)
	return &fts5{db}, err
}

func (x *fts5) add(documents []judged.Record) error {
	tx, err := x.db.Begin()
	if err != nil {
		return err
	}
	for _, d := range documents {
		if _, err := tx.Exec(`INSERT INTO documents (id, text) VALUES (?, ?)`, d.ID, d.Title+"\n"+d.Text); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (x *fts5) find(question string) (ids []string, err error) {
	words := strings.FieldsFunc(question, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
	if len(words) == 0 {
		return nil, nil
	}
	rows, err := x.db.Query(`SELECT id FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT 10`, `"`+strings.Join(words, `" OR "`)+`"`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (x *fts5) close() error { return x.db.Close() }
