package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// A judgedSet is a set to measure quality on, and the row of the README's table
// it is compared with.
var judgedSets = []struct {
	name, row string
	english   bool
}{
	{"stackfaq", "stackfaq", true},
	{"cranfield", "cranfield", true},
	{"cisi", "cisi", true},
	{"xquad-en", "xquad-en", true},
	{"clinc150", "clinc150 hit@1 / kNN10", true},
	{"msdocs100k", "", true},
	{"xquad-ar", "xquad-ar", false},
	{"xquad-de", "xquad-de", false},
	{"xquad-zh", "xquad-zh", false},
	{"xquad-th", "xquad-th", false},
	{"jsquad-ja", "jsquad-ja", false},
}

// quality prints what the index reaches beside Lucene.
func quality(w io.Writer, data string) error {
	lucene, err := luceneColumn(filepath.Join(data, "README.md"))
	if err != nil {
		return err
	}
	r := report{w: w}
	r.line("%-11s %8s %8s %8s %8s %8s %9s %9s", "set", "nDCG@10", "MRR@10", "rec@10", "hit@1", "Lucene", "build", "query")
	for _, j := range judgedSets {
		s, err := readSet(data, j.name)
		if err != nil {
			return err
		}
		begin := time.Now()
		x := build(s.documents, language(j.name))
		built := time.Since(begin)
		q := s.measure(x)
		main, verdict := q.ndcg, ""
		if len(s.label) > 0 {
			main = q.first
		}
		if want, ok := lucene[j.row]; ok && j.english {
			verdict = "ok"
			if main < want-0.01 {
				verdict = "BELOW by more than .01"
			}
		}
		r.line("%-11s %8.3f %8.3f %8.3f %8.3f %8.3f %9v %9v %s", j.name, q.ndcg, q.reciprocal, q.recall, q.first, lucene[j.row],
			built.Round(time.Millisecond), q.each.Round(time.Microsecond), verdict)
	}
	return r.err
}

// figures are means over the questions of a set.
type figures struct {
	ndcg, reciprocal, recall, first float64
	each                            time.Duration
}

// measure asks every judged question.
func (s *set) measure(x *index.Index) figures {
	var f figures
	n := 0.0
	begin := time.Now()
	for _, q := range s.questions {
		grades := s.judged[q.ID]
		if len(grades) == 0 && (s.label[q.ID] == "" || s.label[q.ID] == outOfScope) {
			continue
		}
		hits := x.Search(index.Query{Text: q.Text}).Hits
		n++
		if len(hits) > 0 && s.right(q.ID, hits[0].DocumentID) {
			f.first++
		}
		if len(grades) > 0 {
			ndcg, reciprocal, recall := ranked(hits, grades)
			f.ndcg += ndcg
			f.reciprocal += reciprocal
			f.recall += recall
		}
	}
	f.each = time.Since(begin) / time.Duration(max(n, 1))
	for _, v := range []*float64{&f.ndcg, &f.reciprocal, &f.recall, &f.first} {
		*v /= n
	}
	if len(s.label) > 0 {
		f.ndcg, f.reciprocal, f.recall = math.NaN(), math.NaN(), math.NaN()
	}
	return f
}

// outOfScope is the label of questions that nothing answers.
const outOfScope = "oos"

// right reports whether a document answers a question.
func (s *set) right(question, document string) bool {
	if len(s.label) > 0 {
		return s.label[question] == s.label[document]
	}
	return s.judged[question][document] > 0
}

// luceneColumn reads the first table of the README that has a column for it.
func luceneColumn(path string) (map[string]float64, error) {
	column := -1
	figures := map[string]float64{}
	err := readLines(path, func(field []string) error {
		cells := strings.Split(field[0], "|")
		if len(cells) < 4 {
			return nil
		}
		for i, c := range cells {
			if column < 0 && strings.Contains(c, "Lucene") {
				column = i
			}
		}
		if column < 0 || column >= len(cells) {
			return nil
		}
		figure, _, _ := strings.Cut(strings.Trim(cells[column], " *"), "/")
		if v, err := strconv.ParseFloat(figure, 64); err == nil {
			figures[strings.TrimSpace(cells[1])] = v
		}
		return nil
	})
	if err == nil && len(figures) == 0 {
		err = fmt.Errorf("%s: no table with a column for Lucene", path)
	}
	return figures, err
}
