// Quality measures searches through a whole desk, as a reply makes them: texts
// are split into passages and stored in SQLite, and a document is as good as its
// best passage.
//
//	go run ./quality -data DIR [-sets stackfaq,cranfield]
//
// DIR holds the judged sets and a README.md with what Lucene reaches on them,
// where a document is one passage. The second table asks questions of which some
// have no answer, and tells how well the confidence knows.
package main

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

var (
	data = flag.String("data", "", "`folder` of the judged sets")
	sets = flag.String("sets", "stackfaq,cranfield,cisi,xquad-en,clinc150,msdocs100k,xquad-ar,xquad-de,xquad-zh,xquad-th,jsquad-ja", "sets to measure")
	half = flag.String("half", "clinc150,xquad-en,stackfaq", "sets to measure the confidence on: clinc150 whole, of others every second document")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	tmp, err := os.MkdirTemp("", "quality")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	if err := run(context.Background(), tmp); err != nil {
		log.Print(err)
	}
}

func run(ctx context.Context, tmp string) error {
	machine.Print(tmp)
	lucene, err := luceneColumn(filepath.Join(*data, "README.md"))
	if err != nil {
		return err
	}
	fmt.Printf("%-11s %8s %8s %8s %8s %8s %9s %9s\n", "set", "nDCG@10", "MRR@10", "rec@10", "hit@1", "Lucene", "ingest", "search")
	for name := range strings.FieldsFuncSeq(*sets, func(r rune) bool { return r == ',' }) {
		s, err := readSet(*data, name)
		if err != nil {
			return err
		}
		if err := quality(ctx, filepath.Join(tmp, name), s, lucene); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Printf("\n%-11s %9s %9s %18s %18s\n", "set", "questions", "answered", "AUROC answerable", "calibration error")
	for name := range strings.FieldsFuncSeq(*half, func(r rune) bool { return r == ',' }) {
		s, err := readSet(*data, name)
		if err != nil {
			return err
		}
		if err := refusal(ctx, filepath.Join(tmp, name+"-half"), s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// ingest opens a desk that holds documents.
func ingest(ctx context.Context, dir string, documents []record) (*answerdesk.Desk, error) {
	desk, err := answerdesk.Open(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	documents = slices.DeleteFunc(slices.Clone(documents), func(d record) bool { return d.Text == "" }) // cranfield has two
	for part := range slices.Chunk(documents, knowledge.MaxBatch) {
		docs := make([]knowledge.Document, len(part))
		for i, d := range part {
			docs[i] = knowledge.Document{ExternalID: d.ID, Title: d.Title, Text: d.Text, Format: knowledge.Text}
		}
		if _, err := desk.Knowledge().PutAll(ctx, docs...); err != nil {
			return nil, err
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

func quality(ctx context.Context, dir string, s *set, lucene map[string]float64) error {
	begin := time.Now()
	desk, err := ingest(ctx, dir, s.documents)
	if err != nil {
		return err
	}
	defer desk.Close()
	ingested := time.Since(begin)
	var ndcg, reciprocal, recall, first, n float64
	begin = time.Now()
	for _, q := range s.questions {
		if !s.answerable(q.ID) {
			continue
		}
		ids, _, err := search(ctx, desk, q.Text)
		if err != nil {
			return err
		}
		n++
		if len(ids) > 0 && s.right(q.ID, ids[0]) {
			first++
		}
		if s.label == nil {
			a, b, c := ranked(ids, s.judged[q.ID])
			ndcg, reciprocal, recall = ndcg+a, reciprocal+b, recall+c
		}
	}
	each := time.Since(begin) / time.Duration(n)
	main := ndcg
	if s.label != nil {
		main, ndcg, reciprocal, recall = first, math.NaN(), math.NaN(), math.NaN()
	}
	verdict := ""
	if want := lucene[s.name]; want > 0 && main/n < want-0.01 {
		verdict = "below Lucene by more than .01"
	}
	fmt.Printf("%-11s %8.3f %8.3f %8.3f %8.3f %8.3f %9v %9v %s\n", s.name, ndcg/n, reciprocal/n, recall/n, first/n, lucene[s.name],
		ingested.Round(time.Millisecond), each.Round(time.Microsecond), verdict)
	return nil
}

// refusal measures the confidence in the best hit.
func refusal(ctx context.Context, dir string, s *set) error {
	documents := s.documents
	if s.label == nil {
		documents = slices.DeleteFunc(slices.Clone(documents), func(d record) bool { return !s.kept(d.ID) })
	}
	desk, err := ingest(ctx, dir, documents)
	if err != nil {
		return err
	}
	defer desk.Close()
	var right, possible []outcome
	answered := 0
	for _, q := range s.questions {
		ids, found, err := search(ctx, desk, q.Text)
		if err != nil {
			return err
		}
		can := s.label != nil && s.answerable(q.ID)
		for d := range s.judged[q.ID] {
			can = can || s.kept(d)
		}
		yes := can && len(ids) > 0 && s.right(q.ID, ids[0])
		if yes {
			answered++
		}
		right = append(right, outcome{found.Confidence, yes})
		possible = append(possible, outcome{found.Confidence, can})
	}
	fmt.Printf("%-11s %9d %9.2f %18.3f %18.3f\n", s.name, len(right), float64(answered)/float64(len(right)), auroc(possible), calibrationError(right))
	return nil
}

// kept says which documents stay when half are removed, those of one thread of
// stackfaq together.
func (s *set) kept(document string) bool {
	if s.name == "stackfaq" {
		document, _, _ = strings.Cut(document, "a") // t12a3: answer 3 of thread t12
	}
	h := fnv.New32a()
	h.Write([]byte(document))
	return h.Sum32()%2 == 0
}

// luceneColumn reads what Lucene reaches from the first table that has a column
// for it, by the first word of each row.
func luceneColumn(path string) (map[string]float64, error) {
	column := -1
	figures := map[string]float64{}
	err := readLines(path, func(line string) error {
		cells := strings.Split(line, "|")
		for i, c := range cells {
			if column < 0 && strings.Contains(c, "Lucene") {
				column = i
			}
		}
		if column < 0 || column >= len(cells) {
			return nil
		}
		figure, _, _ := strings.Cut(strings.Trim(cells[column], " *"), "/")
		name, _, _ := strings.Cut(strings.TrimSpace(cells[1]), " ")
		if v, err := strconv.ParseFloat(figure, 64); err == nil && figures[name] == 0 {
			figures[name] = v
		}
		return nil
	})
	if err == nil && len(figures) == 0 {
		err = fmt.Errorf("%s: no table with a column for Lucene", path)
	}
	return figures, err
}
