// Rank measures what the analysis of a language is worth by itself, with a plain
// BM25 over title and text as one field:
//
//	go run ./knowledge/internal/analysis/rank -data DIR xquad-ar xquad-de ...
//
// DIR holds a folder for each set, whose name ends in the language; one without
// is English.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

func main() {
	data := flag.String("data", "", "`folder` of the judged sets")
	among := flag.String("among", "", "`languages` that a question may be in, parted by commas; the one of its set if empty")
	flag.Parse()
	for _, name := range flag.Args() {
		set, err := judged.Read(*data, name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "rank:", err)
			os.Exit(1)
		}
		_, language, _ := strings.Cut(name, "-")
		languages := []string{cmp.Or(language, analysis.English)}
		r := read(set, languages[0])
		if *among != "" {
			languages = strings.Split(*among, ",")
		}
		fmt.Printf("%-12s nDCG@10 %.4f, %d terms\n", name, r.ndcg(set, languages), len(r.postings))
	}
}

// A ranker holds a set's documents by their terms.
type ranker struct {
	postings map[string][]posting
	lengths  []float64
	average  float64
}

type posting struct {
	document int
	count    float64
}

func read(set *judged.Set, language string) *ranker {
	r := &ranker{postings: map[string][]posting{}}
	a := analysis.For(language)
	for i, d := range set.Documents {
		terms := a.Terms(nil, d.Title+"\n"+d.Text)
		for _, t := range terms {
			list := r.postings[t]
			if n := len(list); n > 0 && list[n-1].document == i {
				list[n-1].count++
				continue
			}
			r.postings[t] = append(list, posting{i, 1})
		}
		r.lengths = append(r.lengths, float64(len(terms)))
		r.average += float64(len(terms)) / float64(len(set.Documents))
	}
	return r
}

// ndcg returns the mean over the questions that have answers.
func (r *ranker) ndcg(set *judged.Set, languages []string) float64 {
	var sum, asked float64
	for _, q := range set.Questions {
		if !set.Answerable(q.ID) {
			continue
		}
		var ids []string
		for _, i := range r.search(analysis.Question(nil, q.Text, languages)) {
			ids = append(ids, set.Documents[i].ID)
		}
		ndcg, _, _ := judged.Ranked(ids, set.Judged[q.ID])
		sum += ndcg
		asked++
	}
	return sum / asked
}

// search returns the best ten documents, by BM25 with k1 = 1.2 and b = 0.75.
func (r *ranker) search(terms []analysis.Term) []int {
	scores := make([]float64, len(r.lengths))
	for _, t := range terms {
		if t.Stop {
			continue
		}
		list := r.postings[t.Text]
		n, df := float64(len(r.lengths)), float64(len(list))
		idf := math.Log(1 + (n-df+.5)/(df+.5))
		for _, p := range list {
			scores[p.document] += idf * 2.2 * p.count / (p.count + 1.2*(.25+.75*r.lengths[p.document]/r.average))
		}
	}
	var found []int
	for i, score := range scores {
		if score > 0 {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return found[:min(len(found), 10)]
}
