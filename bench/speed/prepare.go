package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// set is what the documents and the questions are from.
const set = "msdocs100k"

// A bench is what all engines are asked, and what they said.
type bench struct {
	tmp       string
	program   string // knowledge/internal/speed, built
	plain     string // file of the documents, unpacked
	documents int
	text      int64          // bytes of titles and texts
	numbers   map[string]int // of documents, by the ids that the index has

	questions []question
	files     map[string]string // of questions, by kind

	rows   []row
	notes  []string
	limits []limit
}

// A question was taken from a document.
type question struct {
	text  string
	from  int  // the document's number
	reach bool // whether narrow questions may find it
}

// passes reports whether the asking agent may use a document, and the filter lets it
// through: as knowledge/internal/speed has it.
func passes(n int) bool { return n%8 != 0 && n%5 < 4 && n%100 < 95 }

// section and owner are what documents are filtered by.
func section(n int) string { return fmt.Sprint("s", n%5) }

func owner(n int) string {
	switch n % 8 {
	case 0:
		return "other"
	case 1:
		return "asking"
	}
	return ""
}

// prepare unpacks the documents, and reads the questions that were taken from them.
func prepare(ctx context.Context, tmp string) (*bench, error) {
	b := &bench{tmp: tmp, plain: filepath.Join(tmp, "documents"), files: map[string]string{}, numbers: map[string]int{}}
	var err error
	if b.documents, b.text, err = corpus.Unpack(filepath.Join(*data, set, "corpus.jsonl.gz"), *documents, b.plain); err != nil {
		return nil, err
	}
	external := map[string]int{}
	for d, err := range corpus.Unpacked(b.plain) {
		if err != nil {
			return nil, err
		}
		b.text += int64(len(d.Title))
		b.numbers[id.Derive(id.Document, parent, len(external))] = len(external)
		external[d.ExternalID] = len(external)
	}
	s, err := judged.Read(*data, set)
	if err != nil {
		return nil, err
	}
	var texts, typos []string
	for _, q := range s.Questions {
		for d := range s.Judged[q.ID] {
			if n, ok := external[d]; ok {
				b.questions = append(b.questions, question{q.Text, n, passes(n)})
				texts = append(texts, q.Text)
				typos = append(typos, misspelled(q.Text))
			}
		}
	}
	if len(b.questions) == 0 {
		return nil, errors.New("no question is about these documents: take more of them")
	}
	for name, list := range map[string][]string{"questions": texts, "typos": typos} {
		b.files[name] = filepath.Join(tmp, name)
		j, err := json.Marshal(list)
		if err == nil {
			err = os.WriteFile(b.files[name], j, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	b.program = filepath.Join(tmp, "speed")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.program, "github.com/answerdesk-go/answerdesk/knowledge/internal/speed")
	build.Stderr = os.Stderr
	return b, build.Run()
}

// parent is what ids are derived from, here and in knowledge/internal/speed.
const parent = "doc_01m80jqarvea0tqxkp6p9yga6t"

// misspelled leaves a letter out of the middle of a question's longest word.
func misspelled(text string) string {
	words := strings.Fields(text)
	longest := slices.MaxFunc(words, func(a, b string) int { return len(a) - len(b) })
	for i, w := range words {
		if w == longest && len(w) > 4 {
			words[i] = w[:len(w)/2] + w[len(w)/2+1:]
			break
		}
	}
	return strings.ToValidUTF8(strings.Join(words, " "), "")
}

// tell runs a program and reads the JSON object that it prints.
func tell(ctx context.Context, into any, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out.Bytes(), into)
}

// self runs this program to do something, as a process of its own.
func (b *bench) self(ctx context.Context, into any, do, place string, more ...string) error {
	args := append([]string{
		"-child", do, "-place", place, "-plain", b.plain, "-questions", b.files["questions"],
		"-rounds", fmt.Sprint(*rounds), "-budget", budget.String(),
	}, more...)
	return tell(ctx, into, os.Args[0], args...)
}

// inside runs knowledge/internal/speed.
func (b *bench) inside(ctx context.Context, into any, do, place string, more ...string) error {
	args := append([]string{
		"-do", do, "-place", place, "-documents", b.plain, "-questions", b.files["questions"], "-rounds", fmt.Sprint(*rounds),
	}, more...)
	return tell(ctx, into, b.program, args...)
}

// textOf reads the questions of a child process.
func textOf(path string) (list []string, err error) {
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	return list, err
}
