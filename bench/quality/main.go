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
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/internal/judged"
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
		_ = os.RemoveAll(tmp)
		os.Exit(1)
	}
}

// english are the sets on which the desk may not be below Lucene by more than
// .01; the other languages are shown.
var english = []string{"stackfaq", "cranfield", "cisi", "xquad-en", "clinc150"}

func run(ctx context.Context, tmp string) error {
	machine.Print(tmp)
	var low []string
	lucene, err := judged.Lucene(filepath.Join(*data, "README.md"))
	if err != nil {
		return err
	}
	fmt.Printf("%-11s %8s %8s %8s %8s %8s %9s %9s\n", "set", "nDCG@10", "MRR@10", "rec@10", "hit@1", "Lucene", "ingest", "search")
	for name := range strings.FieldsFuncSeq(*sets, func(r rune) bool { return r == ',' }) {
		s, err := judged.Read(*data, name)
		if err != nil {
			return err
		}
		fine, err := quality(ctx, filepath.Join(tmp, name), s, lucene)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !fine && slices.Contains(english, name) {
			low = append(low, name)
		}
	}
	fmt.Printf("\n%-11s %9s %9s %18s %18s\n", "set", "questions", "answered", "AUROC answerable", "calibration error")
	for name := range strings.FieldsFuncSeq(*half, func(r rune) bool { return r == ',' }) {
		s, err := judged.Read(*data, name)
		if err != nil {
			return err
		}
		if err := refusal(ctx, filepath.Join(tmp, name+"-half"), s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if low != nil {
		return fmt.Errorf("below Lucene by more than .01: %s", strings.Join(low, ", "))
	}
	return nil
}

// ingest opens a desk that holds documents.
func ingest(ctx context.Context, dir string, documents []judged.Record) (*answerdesk.Desk, error) {
	desk, err := answerdesk.Open(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	documents = slices.DeleteFunc(slices.Clone(documents), func(d judged.Record) bool { return d.Text == "" }) // cranfield has two
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

func quality(ctx context.Context, dir string, s *judged.Set, lucene map[string]float64) (fine bool, err error) {
	begin := time.Now()
	desk, err := ingest(ctx, dir, s.Documents)
	if err != nil {
		return false, err
	}
	defer desk.Close()
	ingested := time.Since(begin)
	var ndcg, reciprocal, recall, first, n float64
	if _, _, err := search(ctx, desk, "load the index"); err != nil {
		return false, err
	}
	begin = time.Now()
	for _, q := range s.Questions {
		if !s.Answerable(q.ID) {
			continue
		}
		ids, _, err := search(ctx, desk, q.Text)
		if err != nil {
			return false, err
		}
		n++
		if len(ids) > 0 && s.Right(q.ID, ids[0]) {
			first++
		}
		if s.Label == nil {
			a, b, c := judged.Ranked(ids, s.Judged[q.ID])
			ndcg, reciprocal, recall = ndcg+a, reciprocal+b, recall+c
		}
	}
	each := time.Since(begin) / time.Duration(n)
	main := ndcg
	if s.Label != nil {
		main, ndcg, reciprocal, recall = first, math.NaN(), math.NaN(), math.NaN()
	}
	verdict := ""
	fine = true
	if want := lucene[s.Name]; want > 0 && main/n < want-0.01 {
		fine, verdict = false, "below Lucene by more than .01"
	}
	fmt.Printf("%-11s %8.3f %8.3f %8.3f %8.3f %8.3f %9v %9v %s\n", s.Name, ndcg/n, reciprocal/n, recall/n, first/n, lucene[s.Name],
		ingested.Round(time.Millisecond), each.Round(time.Microsecond), verdict)
	return fine, nil
}

// refusal measures the confidence in the best hit.
func refusal(ctx context.Context, dir string, s *judged.Set) error {
	documents := s.Documents
	if s.Label == nil {
		documents = slices.DeleteFunc(slices.Clone(documents), func(d judged.Record) bool { return !s.Kept(d.ID) })
	}
	desk, err := ingest(ctx, dir, documents)
	if err != nil {
		return err
	}
	defer desk.Close()
	var right, possible []judged.Outcome
	answered := 0
	for _, q := range s.Questions {
		ids, found, err := search(ctx, desk, q.Text)
		if err != nil {
			return err
		}
		can := s.Label != nil && s.Answerable(q.ID)
		for d := range s.Judged[q.ID] {
			can = can || s.Kept(d)
		}
		yes := can && len(ids) > 0 && s.Right(q.ID, ids[0])
		if yes {
			answered++
		}
		right = append(right, judged.Outcome{Confidence: found.Confidence, Right: yes})
		possible = append(possible, judged.Outcome{Confidence: found.Confidence, Right: can})
	}
	fmt.Printf("%-11s %9d %9.2f %18.3f %18.3f\n", s.Name, len(right), float64(answered)/float64(len(right)), judged.AUROC(possible), judged.CalibrationError(right))
	return nil
}
