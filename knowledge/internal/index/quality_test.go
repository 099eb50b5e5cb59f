package index

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var dataDir = flag.String("data", "", "folder of judged sets; without it nothing is measured")

type record struct{ ID, Title, Text string }

type judged struct {
	docs, queries []record
	rel           map[string]map[string]float64
	label         map[string]string
}

func readRecords(t testing.TB, path string) []record {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []record
	for d := json.NewDecoder(z); ; {
		var r record
		if err := d.Decode(&r); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
}

func readSet(t testing.TB, name string) judged {
	t.Helper()
	dir := filepath.Join(*dataDir, name)
	s := judged{docs: readRecords(t, dir+"/corpus.jsonl.gz"), queries: readRecords(t, dir+"/queries.jsonl.gz"), rel: map[string]map[string]float64{}, label: map[string]string{}}
	if f, err := os.Open(dir + "/qrels.tsv"); err == nil {
		sc := bufio.NewScanner(f)
		for sc.Scan() {
			p := strings.Split(sc.Text(), "\t")
			var g float64
			fmt.Sscan(p[2], &g)
			if s.rel[p[0]] == nil {
				s.rel[p[0]] = map[string]float64{}
			}
			s.rel[p[0]][p[1]] = g
		}
		f.Close()
	}
	if f, err := os.Open(dir + "/labels.tsv.gz"); err == nil {
		z, _ := gzip.NewReader(f)
		sc := bufio.NewScanner(z)
		for sc.Scan() {
			id, l, _ := strings.Cut(sc.Text(), "\t")
			s.label[id] = l
		}
		f.Close()
	}
	return s
}

func load(docs []record, lang string) *Index {
	x := New(&Options{Language: lang})
	changes := make([]Change, len(docs))
	for i, d := range docs {
		changes[i].Put = &Document{ID: d.ID, Passages: []Passage{{Title: d.Title, Body: d.Text}}}
	}
	x.Apply(changes)
	return x
}

func ndcg(hits []Hit, rel map[string]float64) (n, rr, recall float64) {
	var dcg, ideal float64
	found := 0
	for i, h := range hits {
		if g := rel[h.DocumentID]; g > 0 {
			if i < 10 {
				dcg += (math.Pow(2, g) - 1) / math.Log2(float64(i)+2)
				found++
				if rr == 0 {
					rr = 1 / float64(i+1)
				}
			}
		}
	}
	var gs []float64
	for _, g := range rel {
		if g > 0 {
			gs = append(gs, g)
		}
	}
	slices.SortFunc(gs, func(a, b float64) int { return cmp.Compare(b, a) })
	for i, g := range gs {
		if i < 10 {
			ideal += (math.Pow(2, g) - 1) / math.Log2(float64(i)+2)
		}
	}
	return dcg / ideal, rr, float64(found) / float64(len(gs))
}

func auroc(pos, neg []float64) float64 {
	type p struct {
		v float64
		y bool
	}
	var all []p
	for _, v := range pos {
		all = append(all, p{v, true})
	}
	for _, v := range neg {
		all = append(all, p{v, false})
	}
	slices.SortFunc(all, func(a, b p) int { return cmp.Compare(a.v, b.v) })
	var sum float64
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		for k := i; k < j; k++ {
			if all[k].y {
				sum += float64(i+j+1) / 2
			}
		}
		i = j
	}
	n, m := float64(len(pos)), float64(len(neg))
	return (sum - n*(n+1)/2) / (n * m)
}

func TestQuality(t *testing.T) {
	if *dataDir == "" {
		return
	}
	for _, c := range []struct{ set, lang string }{{"stackfaq", "en"}, {"cranfield", "en"}, {"cisi", "en"}, {"xquad-en", "en"}, {"xquad-ar", "ar"}, {"xquad-de", "de"}, {"xquad-zh", "zh"}, {"xquad-th", "th"}, {"jsquad-ja", "ja"}, {"clinc150", "en"}, {"msdocs100k", "en"}} {
		set := readSet(t, c.set)
		start := time.Now()
		x := load(set.docs, c.lang)
		built := time.Since(start)
		var n, rr, rc, total, hit float64
		begin := cpu()
		labels := map[string]string{}
		for _, d := range set.docs {
			labels[d.ID] = set.label[d.ID]
		}
		for _, q := range set.queries {
			r := x.Search(Query{Text: q.Text})
			if l := set.label[q.ID]; l != "" && l != "oos" {
				total++
				if len(r.Hits) > 0 && labels[r.Hits[0].DocumentID] == l {
					hit++
				}
			}
			if rel := set.rel[q.ID]; len(rel) > 0 && len(set.label) == 0 {
				total++
				a, b, cc := ndcg(r.Hits, rel)
				n, rr, rc = n+a, rr+b, rc+cc
			}
		}
		took := cpu() - begin
		fmt.Printf("%-10s ndcg %.3f mrr %.3f recall %.3f hit1 %.3f  n=%v build %v, %v/query, %.1f MB\n", c.set, n/total, rr/total, rc/total, hit/total, total, built.Round(time.Millisecond), (took / time.Duration(len(set.queries))), float64(x.Bytes())/1e6)
	}
}

// cpu returns the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkHelp(b *testing.B) {
	if *dataDir == "" {
		return
	}
	set := readSet(b, "msdocs100k")
	x := load(set.docs, "en")
	set.docs = nil
	b.ReportAllocs()
	begin := cpu()
	i := 0
	for b.Loop() {
		x.Search(Query{Text: set.queries[i%len(set.queries)].Text})
		i++
	}
	b.ReportMetric(float64((cpu()-begin).Microseconds())/float64(i), "cpu-µs/op")
}
