package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// readPlain reads a set whose files are not compressed: corpus.jsonl, queries.jsonl
// and qrels.tsv.
func readPlain(dir string) (*judged.Set, error) {
	s := &judged.Set{Name: filepath.Base(dir), Judged: map[string]map[string]float64{}}
	var err error
	if s.Documents, err = records(filepath.Join(dir, "corpus.jsonl")); err != nil {
		return nil, err
	}
	if s.Questions, err = records(filepath.Join(dir, "queries.jsonl")); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, "qrels.tsv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		question, rest, _ := strings.Cut(lines.Text(), "\t")
		document, grade, _ := strings.Cut(rest, "\t")
		g, err := strconv.ParseFloat(grade, 64)
		if err != nil {
			return nil, err
		}
		if s.Judged[question] == nil {
			s.Judged[question] = map[string]float64{}
		}
		s.Judged[question][document] = g
	}
	return s, lines.Err()
}

func records(path string) (list []judged.Record, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for d := json.NewDecoder(f); ; {
		var r judged.Record
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
}
