package extract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxJSON is how deep JSON may be nested.
	maxJSON = 100
	// recordPart is up to how many bytes of one record stand in one block.
	recordPart = 1500
)

// jsonFile makes lines "path: value" of the values in data. Each object of a
// list is a block of its own, and so is each line of JSONL.
func jsonFile(ctx context.Context, data []byte, lines bool) (Result, error) {
	w := &jsonWriter{w: writer{ctx: ctx}}
	if !lines {
		if err := w.document(data, true); err != nil {
			return Result{}, err
		}
		return w.w.result(Result{Title: w.title})
	}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := w.document(line, false); err != nil {
			return Result{}, fmt.Errorf("line %d: %w", number, err)
		}
		if w.w.stopped() {
			break
		}
	}
	return w.w.result(Result{})
}

// A jsonWriter writes one value after the other.
type jsonWriter struct {
	w       writer
	d       *json.Decoder
	buf     strings.Builder // the lines of the block being written
	record  int             // how many objects of lists stand around
	titled  bool            // the value may have a title
	title   string
	heading string // path of the list being written
}

// document writes a whole value.
func (w *jsonWriter) document(data []byte, titled bool) error {
	w.d = json.NewDecoder(bytes.NewReader(data))
	w.d.UseNumber()
	w.titled = titled
	tok, err := w.d.Token()
	if err != nil {
		return notJSON(err)
	}
	if err := w.value("", tok, 0); err != nil {
		return err
	}
	w.flush()
	if _, err := w.d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one JSON value: such a file is JSONL, a value a line", ErrDamaged)
	}
	return nil
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: not JSON: %v", ErrDamaged, err)
}

func (w *jsonWriter) value(path string, tok json.Token, depth int) error {
	if depth > maxJSON {
		return fmt.Errorf("%w: nested more than %d deep", ErrDamaged, maxJSON)
	}
	if w.w.stopped() {
		return w.w.err
	}
	switch tok {
	case json.Delim('{'):
		return w.object(path, depth)
	case json.Delim('['):
		return w.array(path, depth)
	}
	text := scalar(tok)
	if w.titled && depth == 1 && w.title == "" && (path == "title" || path == "name") && len(text) <= maxTitle {
		w.title = text
	}
	w.line(path, text)
	return nil
}

func (w *jsonWriter) object(path string, depth int) error {
	alone := w.record == 0 && depth == 1 // a member of the whole is one subject
	if alone {
		w.flush()
	}
	for w.d.More() {
		key, err := w.d.Token()
		if err != nil {
			return notJSON(err)
		}
		tok, err := w.d.Token()
		if err != nil {
			return notJSON(err)
		}
		name := oneLine(fmt.Sprint(key))
		if path != "" {
			name = path + "." + name
		}
		if err := w.value(name, tok, depth+1); err != nil {
			return err
		}
	}
	if alone {
		w.flush()
	}
	_, err := w.d.Token()
	return endOf(err)
}

// array writes scalars in one line, and objects and lists each by itself.
func (w *jsonWriter) array(path string, depth int) error {
	var scalars []string
	for n := 0; w.d.More(); n++ {
		tok, err := w.d.Token()
		if err != nil {
			return notJSON(err)
		}
		if _, nested := tok.(json.Delim); !nested {
			scalars = append(scalars, oneLine(scalar(tok)))
			if len(scalars) > 1<<10 {
				w.line(path, strings.Join(scalars, ", "))
				scalars = scalars[:0]
			}
			continue
		}
		if w.record > 0 {
			err = w.value(fmt.Sprintf("%s[%d]", path, n), tok, depth+1)
		} else {
			w.flush()
			if path != "" && w.heading != path {
				w.w.heading(2, path)
				w.heading = path
			}
			w.record++
			err = w.value("", tok, depth+1)
			w.record--
			w.flush()
		}
		if err != nil {
			return err
		}
	}
	if len(scalars) > 0 {
		w.line(path, strings.Join(filled(scalars), ", "))
	}
	_, err := w.d.Token()
	return endOf(err)
}

func endOf(err error) error {
	if err != nil {
		return notJSON(err)
	}
	return nil
}

// line adds a value to the block being written. What is empty says nothing.
func (w *jsonWriter) line(path, text string) {
	text = oneLine(text)
	if text == "" {
		return
	}
	if path != "" {
		text = path + ": " + text
	}
	if w.buf.Len() > 0 && w.buf.Len()+len(text) > recordPart {
		w.flush()
	}
	w.buf.WriteString(text + "\n")
}

func (w *jsonWriter) flush() {
	w.w.line(w.buf.String())
	w.buf.Reset()
}

func scalar(tok json.Token) string {
	switch v := tok.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return fmt.Sprint(tok)
}
