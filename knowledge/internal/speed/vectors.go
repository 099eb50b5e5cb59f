//go:build unix

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/vectors"
)

// A vectored is what vectors take: those before the last ones are searched in, the
// last ones are asked for.
type vectored struct {
	Building, CPU time.Duration
	Resident      int64
	Found         [][]int // the ten nearest, by number
}

// near measures the vectors of a file: dimensions float32 each, little-endian.
func near() (v vectored, err error) {
	before, err := resident()
	if err != nil {
		return v, err
	}
	f, err := os.Open(*vectorFile)
	if err != nil {
		return v, err
	}
	defer f.Close()
	set := vectors.New(*dimensions)
	numbers := map[string]int{}
	var changes []vectors.Change
	var asked [][]float32
	apply := func() error {
		begun := cpu()
		err := set.Apply(changes)
		v.Building += cpu() - begun
		changes = nil
		return err
	}
	b := make([]byte, 4**dimensions)
	for r := bufio.NewReaderSize(f, 1<<20); ; {
		if _, err := io.ReadFull(r, b); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return v, err
		}
		values := make([]float32, *dimensions)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		n := len(numbers)
		if n == *count {
			asked = append(asked, values)
			continue
		}
		name := id.Derive(id.Document, parent, n)
		numbers[name] = n
		changes = append(changes, vectors.Change{Put: &vectors.Document{ID: name, Version: 1, Vectors: []vectors.Vector{{Values: values}}}})
		if len(changes) == batch {
			if err := apply(); err != nil {
				return v, err
			}
		}
	}
	if err := apply(); err != nil {
		return v, err
	}
	if len(asked) == 0 {
		return v, fmt.Errorf("%s has no more than %d vectors", *vectorFile, *count)
	}
	for round := range *rounds {
		v.Found = make([][]int, len(asked))
		begun := cpu()
		for i, q := range asked {
			hits, err := set.Search(q, 10, nil)
			if err != nil {
				return v, err
			}
			for _, h := range hits {
				v.Found[i] = append(v.Found[i], numbers[h.DocumentID])
			}
		}
		if spent := cpu() - begun; round == 0 || spent < v.CPU {
			v.CPU = spent
		}
	}
	clear(numbers) // they are no part of what is measured
	changes = nil
	after, err := resident()
	v.Resident = after - before
	if set.Len() != *count { // and what is, is still there
		return v, fmt.Errorf("%d vectors are there, not %d", set.Len(), *count)
	}
	return v, err
}
