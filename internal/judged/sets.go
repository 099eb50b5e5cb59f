package judged

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Record is a document or a question of a set.
type Record struct {
	ID, Title, Text string
	Answers         []string // of a question, in the words of a document; few sets have them
}

// A Set is documents, and questions with what is known of their answers: graded
// documents, or labels that the right ones share.
type Set struct {
	Name      string
	Documents []Record
	Questions []Record
	Judged    map[string]map[string]float64 // grades by question and document
	Label     map[string]string             // by document and question; nil if documents are judged
}

// Answerable reports whether anything in the set answers a question.
func (s *Set) Answerable(question string) bool {
	if s.Label != nil {
		return s.Label[question] != "" && s.Label[question] != "oos"
	}
	return len(s.Judged[question]) > 0
}

// Right reports whether a document answers a question.
func (s *Set) Right(question, document string) bool {
	if s.Label != nil {
		return s.Label[question] == s.Label[document]
	}
	return s.Judged[question][document] > 0
}

// Read reads the set in the folder name below dir.
func Read(dir, name string) (*Set, error) {
	s := &Set{Name: name, Judged: map[string]map[string]float64{}}
	dir = filepath.Join(dir, name)
	var err error
	if s.Documents, err = readRecords(filepath.Join(dir, "corpus.jsonl.gz")); err != nil {
		return nil, err
	}
	if s.Questions, err = readRecords(filepath.Join(dir, "queries.jsonl.gz")); err != nil {
		return nil, err
	}
	labels := filepath.Join(dir, "labels.tsv.gz")
	if _, err := os.Stat(labels); err == nil {
		s.Label = map[string]string{}
		return s, readLines(labels, func(line string) error {
			id, label, _ := strings.Cut(line, "\t")
			s.Label[id] = label
			return nil
		})
	}
	return s, readLines(filepath.Join(dir, "qrels.tsv"), func(line string) error {
		question, rest, _ := strings.Cut(line, "\t")
		document, grade, _ := strings.Cut(rest, "\t")
		g, err := strconv.ParseFloat(grade, 64)
		if s.Judged[question] == nil {
			s.Judged[question] = map[string]float64{}
		}
		s.Judged[question][document] = g
		return err
	})
}

// Kept says which documents stay when half are removed, those of one thread of
// stackfaq together: the ones whose SHA-256 of the id begins with an odd byte.
func (s *Set) Kept(document string) bool {
	if s.Name == "stackfaq" {
		document, _, _ = strings.Cut(document, "a") // t12a3: answer 3 of thread t12
	}
	return sha256.Sum256([]byte(document))[0]%2 == 1
}

// HeldOut says which questions nothing is fitted on, so that what was fitted can be
// measured on them: half of them, those whose SHA-256 of the id begins with an even
// byte.
func HeldOut(question string) bool { return sha256.Sum256([]byte(question))[0]%2 == 0 }

func readRecords(path string) (list []Record, err error) {
	err = read(path, func(r io.Reader) error {
		for d := json.NewDecoder(r); ; {
			var rec Record
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
