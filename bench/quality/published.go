package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// published is what peers reach on a set, as measured before.
type published struct {
	lucene float64
	best   float64 // of all peers
}

// readPublished reads the first table that has a column for Lucene: of each row the
// first figure of each cell, by the first word. The column "yardstick" is no peer.
func readPublished(path string) (map[string]published, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]published{}
	var header []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Split(strings.Trim(lines.Text(), "| "), "|")
		switch {
		case header == nil:
			if strings.Contains(lines.Text(), "| Lucene") {
				header = cells
			}
			continue
		case len(cells) != len(header):
			if len(out) > 0 {
				return out, nil
			}
			continue
		}
		var p published
		for i, c := range cells[1:] {
			figures := strings.FieldsFunc(c, func(r rune) bool { return r == '/' || r == ' ' || r == '*' })
			if len(figures) == 0 || strings.Contains(header[i+1], "yardstick") {
				continue
			}
			v, err := strconv.ParseFloat(figures[0], 64)
			if err != nil {
				continue
			}
			p.best = math.Max(p.best, v)
			if strings.Contains(header[i+1], "Lucene") {
				p.lucene = v
			}
		}
		name := strings.Fields(cells[0])[0]
		if _, ok := out[name]; !ok && p.lucene > 0 { // later rows of a set are other measures
			out[name] = p
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no table with a column for Lucene", path)
	}
	return out, nil
}
