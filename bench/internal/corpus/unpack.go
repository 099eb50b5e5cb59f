package corpus

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Unpack writes the first n documents of a file to another one, which costs next to
// nothing to read, and returns how many there are and how many bytes of text they
// have.
func Unpack(path string, n int, to string) (documents int, text int64, err error) {
	f, err := os.Create(to)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	var length []byte
	for d, err := range Documents(path, n) {
		if err != nil {
			return 0, 0, err
		}
		for _, s := range []string{d.ExternalID, d.Title, d.Text} {
			length = binary.AppendUvarint(length[:0], uint64(len(s)))
			if _, err := w.Write(length); err != nil {
				return 0, 0, err
			}
			if _, err := w.WriteString(s); err != nil {
				return 0, 0, err
			}
		}
		documents, text = documents+1, text+int64(len(d.Text))
	}
	return documents, text, w.Flush()
}

// Unpacked yields the documents of a file that [Unpack] has written.
func Unpacked(path string) iter.Seq2[knowledge.Document, error] {
	return func(yield func(knowledge.Document, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(knowledge.Document{}, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, 1<<16)
		for {
			var field [3]string
			for i := range field {
				n, err := binary.ReadUvarint(r)
				if i == 0 && errors.Is(err, io.EOF) {
					return
				}
				b := make([]byte, n)
				if _, readErr := io.ReadFull(r, b); errors.Join(err, readErr) != nil {
					yield(knowledge.Document{}, errors.Join(err, readErr))
					return
				}
				field[i] = string(b)
			}
			if !yield(knowledge.Document{ExternalID: field[0], Title: field[1], Text: field[2]}, nil) {
				return
			}
		}
	}
}
