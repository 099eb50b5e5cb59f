package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/philippgille/chromem-go"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

// dimensions are those of the models that are advised: e5-small and its like.
const dimensions = 384

// asks is how many vectors are asked for.
const asks = 100

// vectors measures what desks search vectors with, and chromem-go: on vectors that
// lie around 1,000 centres, as those of texts lie around subjects, and on vectors
// that lie anywhere, which is as hard as it gets.
func (b *bench) vectors(ctx context.Context) error {
	fmt.Printf("\nVectors: %d of %d numbers, %d questions\n", b.documents, dimensions, asks)
	fmt.Printf("%-11s %-15s %10s %14s %10s %10s\n", "", "", "build CPU", "CPU a question", "recall@10", "resident")
	for _, centres := range []int{1000, 0} {
		kind := "around centres"
		if centres == 0 {
			kind = "anywhere"
		}
		file := filepath.Join(b.tmp, "vectors")
		if err := writeVectors(file, b.documents+asks, centres); err != nil {
			return err
		}
		best, err := exact(file, b.documents)
		if err != nil {
			return err
		}
		count := strconv.Itoa(b.documents)
		var ours, peer vectored
		if err := b.inside(ctx, &ours, "vectors", b.tmp, "-vectors", file, "-dimensions", strconv.Itoa(dimensions), "-count", count); err != nil {
			return err
		}
		if err := b.self(ctx, &peer, "vectors", b.tmp, "-vectors", file, "-documents", count); err != nil {
			return err
		}
		for _, v := range []struct {
			name string
			vectored
		}{{"desk", ours}, {"chromem-go", peer}} {
			fmt.Printf("%-11s %-15s %8.2f s %11.2f ms %10.4f %7.0f MB\n", v.name, kind, v.Building.Seconds(), 1e3*v.CPU.Seconds()/asks, recall(v.Found, best), float64(v.Resident)/1e6)
		}
		b.atMost("vectors "+kind+", ms CPU a question", 1e3*ours.CPU.Seconds()/asks, 10)
		b.atLeast("vectors "+kind+", recall@10", recall(ours.Found, best), .99)
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// vectored is what a child process tells of vectors.
type vectored struct {
	Building, CPU time.Duration
	Resident      int64
	Found         [][]int // the ten nearest, by number
}

// askVectors measures chromem-go in memory.
func askVectors(ctx context.Context) (v vectored, err error) {
	all, err := readVectors(*vectors)
	if err != nil {
		return v, err
	}
	docs := make([]chromem.Document, *documents)
	for i := range docs {
		docs[i] = chromem.Document{ID: strconv.Itoa(i), Embedding: all[i]}
	}
	before, err := resident()
	if err != nil {
		return v, err
	}
	begun := machine.CPU()
	c, err := chromem.NewDB().CreateCollection("documents", nil, func(context.Context, string) ([]float32, error) { return nil, fmt.Errorf("nothing to embed") })
	if err != nil {
		return v, err
	}
	if err := c.AddDocuments(ctx, docs, 2); err != nil {
		return v, err
	}
	v.Building = machine.CPU() - begun
	after, err := resident()
	if err != nil {
		return v, err
	}
	v.Resident = after - before + int64(len(docs))*dimensions*4 // they were there before
	for round := range *rounds {
		v.Found = nil
		begun := machine.CPU()
		for _, q := range all[*documents:] {
			near, err := c.QueryEmbedding(ctx, q, 10, nil, nil)
			if err != nil {
				return v, err
			}
			var ids []int
			for _, r := range near {
				n, err := strconv.Atoi(r.ID)
				if err != nil {
					return v, err
				}
				ids = append(ids, n)
			}
			v.Found = append(v.Found, ids)
		}
		if spent := machine.CPU() - begun; round == 0 || spent < v.CPU {
			v.CPU = spent
		}
	}
	return v, nil
}

// writeVectors writes n vectors of length 1, around centres if there are any.
func writeVectors(path string, n, around int) error {
	rnd := rand.New(rand.NewPCG(384, 1000))
	normal := func(spread float64, around []float32) []float32 {
		v := make([]float32, dimensions)
		sum := 0.0
		for i := range v {
			x := rnd.NormFloat64() * spread
			if around != nil {
				x += float64(around[i])
			}
			v[i] = float32(x)
			sum += x * x
		}
		for i := range v {
			v[i] /= float32(math.Sqrt(sum))
		}
		return v
	}
	centres := make([][]float32, around)
	for i := range centres {
		centres[i] = normal(1, nil)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for range n {
		var centre []float32
		spread := 1.0
		if around > 0 {
			centre, spread = centres[rnd.IntN(around)], .7/math.Sqrt(dimensions)
		}
		v := normal(spread, centre)
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func readVectors(path string) (list [][]float32, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 4*dimensions)
	for r := bufio.NewReaderSize(f, 1<<20); ; {
		if _, err := io.ReadFull(r, b); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		v := make([]float32, dimensions)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		list = append(list, v)
	}
}

// exact returns the ten nearest of the first n vectors to each that follows them.
func exact(path string, n int) ([][]int, error) {
	all, err := readVectors(path)
	if err != nil {
		return nil, err
	}
	type near struct {
		n   int
		dot float64
	}
	var out [][]int
	for _, q := range all[n:] {
		list := make([]near, n)
		for i, v := range all[:n] {
			dot := 0.0
			for j := range v {
				dot += float64(v[j]) * float64(q[j])
			}
			list[i] = near{i, dot}
		}
		slices.SortFunc(list, func(a, b near) int { return cmp.Compare(b.dot, a.dot) })
		var ids []int
		for _, x := range list[:min(10, len(list))] {
			ids = append(ids, x.n)
		}
		out = append(out, ids)
	}
	return out, nil
}

// recall is the share of the nearest that were found.
func recall(found, best [][]int) float64 {
	hits, all := 0, 0
	for i, ids := range best {
		for _, id := range ids {
			all++
			if i < len(found) && slices.Contains(found[i], id) {
				hits++
			}
		}
	}
	return float64(hits) / float64(all)
}
