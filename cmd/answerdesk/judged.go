package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// maxJudgedLine is how long a line of a file of questions may be, in bytes.
const maxJudgedLine = 1 << 20

// readJudged reads a file of questions, and tells on which line each stands, from 1.
func readJudged(name string) (questions []knowledge.Judged, lines []int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	in.Buffer(nil, maxJudgedLine)
	line := 1
	for ; in.Scan(); line++ {
		text := bytes.TrimSpace(in.Bytes())
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) == 0 {
			continue
		}
		q, err := parseJudged(text)
		if err == nil && len(questions) == knowledge.MaxJudged {
			err = fmt.Errorf("there are more than %d questions", knowledge.MaxJudged)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s, line %d: %w", name, line, err)
		}
		questions, lines = append(questions, q), append(lines, line)
	}
	if err := in.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, nil, fmt.Errorf("%s, line %d: is longer than %d bytes", name, line, maxJudgedLine)
	} else if err != nil {
		return nil, nil, err
	}
	return questions, lines, nil
}

// parseJudged reads a question. An answer that begins as an id of a document is one;
// any other is an external id.
func parseJudged(line []byte) (knowledge.Judged, error) {
	var given struct {
		Question string    `json:"question"`
		Answers  *[]string `json:"answers"`
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&given); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return knowledge.Judged{}, fmt.Errorf("%s: is a %s", wrong.Field, wrong.Value)
		}
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return knowledge.Judged{}, fmt.Errorf("%s is not a field: there are question and answers", field)
		}
		return knowledge.Judged{}, errors.New(`is not JSON such as {"question": "…", "answers": ["…"]}`)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return knowledge.Judged{}, errors.New("has more than one JSON value")
	}
	if given.Answers == nil {
		return knowledge.Judged{}, errors.New("answers: is missing; if nothing answers the question, it is []")
	}
	q := knowledge.Judged{Text: given.Question}
	for _, a := range *given.Answers {
		if strings.HasPrefix(a, "doc_") {
			q.DocumentIDs = append(q.DocumentIDs, a)
		} else {
			q.ExternalIDs = append(q.ExternalIDs, a)
		}
	}
	return q, nil
}
