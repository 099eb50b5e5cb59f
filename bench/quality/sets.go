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
)

// A record is a document or a question of a set.
type record struct{ ID, Title, Text string }

// A set is documents, and questions with what is known of their answers: graded
// documents, or labels that the right ones share.
type set struct {
	name      string
	documents []record
	questions []record
	judged    map[string]map[string]float64
	label     map[string]string // nil if documents are judged
}

// answerable reports whether anything in the set answers a question.
func (s *set) answerable(question string) bool {
	if s.label != nil {
		return s.label[question] != "" && s.label[question] != "oos"
	}
	return len(s.judged[question]) > 0
}

// right reports whether a document answers a question.
func (s *set) right(question, document string) bool {
	if s.label != nil {
		return s.label[question] == s.label[document]
	}
	return s.judged[question][document] > 0
}

func readSet(dir, name string) (*set, error) {
	s := &set{name: name, judged: map[string]map[string]float64{}}
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
		s.label = map[string]string{}
		return s, readLines(labels, func(line string) error {
			id, label, _ := strings.Cut(line, "\t")
			s.label[id] = label
			return nil
		})
	}
	return s, readLines(filepath.Join(dir, "qrels.tsv"), func(line string) error {
		question, rest, _ := strings.Cut(line, "\t")
		document, grade, _ := strings.Cut(rest, "\t")
		g, err := strconv.ParseFloat(grade, 64)
		if s.judged[question] == nil {
			s.judged[question] = map[string]float64{}
		}
		s.judged[question][document] = g
		return err
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

func readLines(path string, line func(string) error) error {
	return read(path, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if err := line(lines.Text()); err != nil {
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
