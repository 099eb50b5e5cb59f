package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/split"
)

// An example is what a search said of a question, and whether its best hit
// answers it.
type example struct {
	question string
	signals  index.Signals
	right    bool
	possible bool // some document answers it
}

// A group is the examples of companies of one kind and size. All groups weigh
// the same, unless they have a weight.
type group struct {
	name   string
	list   []example
	weight float64
}

// known are the sets that the confidence is fitted on. Their licences allow it; the
// others let it be tested and no more.
var known = []string{"clinc150", "msdocs100k"}

// unseen are the sets that it is only tested on.
var unseen = []string{"xquad-en", "xquad-ar", "xquad-de", "xquad-zh", "xquad-th", "jsquad-ja", "stackfaq", "cranfield", "cisi"}

// groups reads a set and asks companies that are drawn from it: one that has half of
// its documents, unless the confidence is fitted on it.
func groups(data, name string) ([]group, error) {
	s, err := judged.Read(data, name)
	switch {
	case err != nil:
		return nil, err
	case name == "clinc150":
		return clincCompanies(s), nil
	case name == "msdocs100k":
		return helpCompanies(s), nil
	}
	return []group{{name: name, list: halved(s)}}, nil
}

// ask asks up to most questions that have an answer, and as many that do not.
func ask(x *index.Index, questions []judged.Record, most int, possible func(question string) bool, right func(question, document string) bool) []example {
	var list []example
	for _, with := range []bool{true, false} {
		begin := len(list)
		for _, q := range questions {
			if possible(q.ID) == with && len(list)-begin < most {
				list = append(list, askOne(x, q, with, right))
			}
		}
		most = len(list)
	}
	return list
}

// askOne makes an example of a question.
func askOne(x *index.Index, q judged.Record, possible bool, right func(question, document string) bool) example {
	r := x.Search(index.Query{Text: q.Text})
	e := example{question: q.ID, signals: r.Signals, possible: possible}
	if len(r.Hits) > 0 && possible {
		_, document, _ := strings.Cut(r.Hits[0].DocumentID, " ")
		e.right = right(q.ID, document)
	}
	return e
}

// halved asks all questions of a company that has half of the documents, those
// of one thread or page together.
func halved(s *judged.Set) []example {
	x := build(slices.DeleteFunc(slices.Clone(s.Documents), func(d judged.Record) bool { return !s.Kept(d.ID) }), language(s.Name))
	var list []example
	for _, q := range s.Questions {
		possible := false
		for d := range s.Judged[q.ID] {
			possible = possible || s.Kept(d)
		}
		list = append(list, askOne(x, q, possible, s.Right))
	}
	return list
}

// language returns the code that the name of a set ends in, or English's.
func language(name string) string {
	if _, code, ok := strings.Cut(name, "-"); ok {
		return code
	}
	return "en"
}

// build indexes documents as those of a company are: cut into passages, with titles,
// those of equal score in the order given, and each in the language that its common
// words tell, which is all that a company looks at in English texts. Where they tell
// none, it is the one given.
func build(documents []judged.Record, language string) *index.Index {
	x := index.New(&index.Options{Language: language})
	changes := make([]index.Change, len(documents))
	for i, d := range documents {
		doc := &index.Document{ID: fmt.Sprintf("%06d %s", i, d.ID), Language: analysis.ByCommonWords(d.Text[:min(len(d.Text), languageSample)])}
		text, err := extract.Extract(extract.Text, []byte(d.Text))
		if err != nil {
			panic(err) // plain text
		}
		for n, p := range split.Split(text.Text, text.Blocks) {
			doc.Passages = append(doc.Passages, index.Passage{Ordinal: n, Title: cmp.Or(d.Title, path.Base(d.ID)), Body: text.Text[p.Start:p.End]})
		}
		changes[i].Put = doc
	}
	x.Apply(changes)
	return x
}

// languageSample is how many bytes of a text its language is told by, as in package
// knowledge.
const languageSample = 2 << 10
