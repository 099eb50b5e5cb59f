package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// A record is a document or a question of a set.
type record struct{ ID, Title, Text string }

// A set is documents, and questions with what is known of their answers.
type set struct {
	name      string
	documents []record
	questions []record
	judged    map[string]map[string]float64 // by question and document; nil if the set has labels
	label     map[string]string             // by document and question
}

// language returns the code that the name of a set ends in, or English's.
func language(name string) string {
	if _, code, ok := strings.Cut(name, "-"); ok {
		return code
	}
	return "en"
}

func readSet(dir, name string) (*set, error) {
	s := &set{name: name, judged: map[string]map[string]float64{}, label: map[string]string{}}
	dir = filepath.Join(dir, name)
	var err error
	if s.documents, err = readRecords(filepath.Join(dir, "corpus.jsonl.gz")); err != nil {
		return nil, err
	}
	if s.questions, err = readRecords(filepath.Join(dir, "queries.jsonl.gz")); err != nil {
		return nil, err
	}
	labels := filepath.Join(dir, "labels.tsv.gz")
	if _, err := os.Stat(labels); err == nil {
		return s, readLines(labels, func(field []string) error {
			s.label[field[0]] = field[1]
			return nil
		})
	}
	return s, readLines(filepath.Join(dir, "qrels.tsv"), func(field []string) error {
		grade, err := strconv.ParseFloat(field[2], 64)
		if err != nil {
			return err
		}
		if s.judged[field[0]] == nil {
			s.judged[field[0]] = map[string]float64{}
		}
		s.judged[field[0]][field[1]] = grade
		return nil
	})
}

func readRecords(path string) (list []record, err error) {
	err = read(path, func(r io.Reader) error {
		for d := json.NewDecoder(r); ; {
			var rec record
			if err := d.Decode(&rec); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			list = append(list, rec)
		}
	})
	return list, err
}

func readLines(path string, line func(field []string) error) error {
	return read(path, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if err := line(append(strings.Split(lines.Text(), "\t"), "", "")); err != nil {
				return err
			}
		}
		return lines.Err()
	})
}

// read opens a file, unpacking it if it is compressed.
func read(path string, f func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := f(r); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// build indexes documents, each as one passage.
func build(documents []record, language string) *index.Index {
	x := index.New(&index.Options{Language: language})
	changes := make([]index.Change, len(documents))
	for i, d := range documents {
		changes[i].Put = &index.Document{ID: d.ID, Passages: []index.Passage{{Title: d.Title, Body: d.Text}}}
	}
	x.Apply(changes)
	return x
}
