package extract

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// delimiters are what parts the fields of such files, the likeliest first.
var delimiters = []rune{',', ';', '\t', '|'}

// csvFile makes a line of each record: "Plan: Pro; Price: 20" under a header,
// "Pro | 20" without one. Each is a block of its own. Of what
// stands alone in the lines above the header, the first is a heading. Under an empty
// line another table may begin, with a header of its own.
func csvFile(ctx context.Context, text string) (Result, error) {
	w := csvWriter{writer: writer{ctx: ctx}}
	comma, text := delimiter(text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = comma, true, -1, true
	for !w.stopped() {
		if rest := text[r.InputOffset():]; strings.HasPrefix(rest, "\n") || strings.HasPrefix(rest, "\r\n") {
			w.parted() // by an empty line, which the reader leaves out
		}
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Result{}, fmt.Errorf("%w: %v", ErrDamaged, err)
		}
		w.row(rec)
	}
	w.end()
	return w.result(Result{})
}

// A csvWriter writes one record after the other.
type csvWriter struct {
	writer
	names []string   // of the columns; nil if they have none
	words []bool     // whether a column of the table has held anything but numbers
	held  [][]string // the first record, until the second tells whether it names the columns; before it what stands alone
	begun bool       // names are known, or known not to be there
	again bool       // a table stands above, whose names count unless there are others
}

// row takes the next record.
func (w *csvWriter) row(rec []string) {
	switch n := len(filled(rec)); {
	case n == 0:
		w.parted()
	case w.begun:
		w.data(rec)
	case len(w.held) == 0, n > 1 && alone(w.held[len(w.held)-1]) && len(w.held) <= maxAlone:
		w.held = append(w.held, slices.Clone(rec))
	case isHeader(w.held[len(w.held)-1], rec) && (!w.again || len(w.held) > 1 || w.differs(w.held[0], rec)):
		first, above := w.held[len(w.held)-1], w.held[:len(w.held)-1]
		for i, rec := range above {
			if text := filled(rec)[0]; i == 0 && len(text) <= maxTitle {
				w.heading(1, text)
			} else {
				w.paragraph(text)
			}
		}
		if w.again && !w.differs(first, rec) { // it has a caption: whose names count cannot be told
			w.names, w.held = nil, w.held[len(w.held)-1:]
			w.end()
		} else {
			w.names, w.held = first, nil
		}
		w.words, w.begun = nil, true
		w.data(rec)
	case n == 1 && alone(w.held[len(w.held)-1]) && len(w.held) < maxAlone:
		w.held = append(w.held, slices.Clone(rec))
	default:
		w.end()
		w.begun = true
		w.data(rec)
	}
}

// parted notes an empty line. What stands under it may be another table.
func (w *csvWriter) parted() {
	if w.again && len(w.held) > 0 && !alone(w.held[len(w.held)-1]) {
		w.end()
	}
	if w.begun && (w.names != nil || w.again) {
		w.begun, w.again = false, true
	}
}

// differs reports whether a record that could be a header under an empty line surely
// is one, and not the next row of the table above: it has a name of the header above,
// another width, which the record under it keeps to, or words over numbers in a column
// that held nothing but numbers before.
func (w *csvWriter) differs(first, second []string) bool {
	for _, c := range first {
		if c = oneLine(c); c != "" && slices.ContainsFunc(w.names, func(name string) bool { return strings.EqualFold(oneLine(name), c) }) {
			return true
		}
	}
	if n := len(filled(first)); w.names != nil && n == width(first) && n != width(w.names) && width(second) <= n {
		return true
	}
	for i, c := range second {
		if isNumber(c) && i < len(first) && i < len(w.words) && !w.words[i] && oneLine(first[i]) != "" {
			return true
		}
	}
	return false
}

// width is the number of columns up to the last that is filled.
func width(rec []string) int {
	n := len(rec)
	for n > 0 && oneLine(rec[n-1]) == "" {
		n--
	}
	return n
}

// maxAlone is how many lines may stand above a header.
const maxAlone = 5

// alone reports whether a record has one cell only.
func alone(rec []string) bool { return len(filled(rec)) == 1 }

// data writes a row of the table.
func (w *csvWriter) data(rec []string) {
	for i, c := range rec {
		if i == len(w.words) {
			w.words = append(w.words, false)
		}
		w.words[i] = w.words[i] || oneLine(c) != "" && !isNumber(c)
	}
	w.record(w.names, rec)
}

// end writes what is held.
func (w *csvWriter) end() {
	for _, rec := range w.held {
		w.data(rec)
	}
	w.held = nil
}

// record writes a row as one line.
func (w *writer) record(names, cells []string) {
	if names == nil {
		w.line(strings.Join(filled(cells), " | "))
		return
	}
	var parts []string
	for i, c := range cells {
		c = oneLine(c)
		switch {
		case c == "":
		case i < len(names) && oneLine(names[i]) != "":
			parts = append(parts, oneLine(names[i])+": "+c)
		default:
			parts = append(parts, c)
		}
	}
	w.line(strings.Join(parts, "; "))
}

// line writes a line that is kept whole.
func (w *writer) line(text string) { w.add(Block{Kind: Table}, "", text) }

// delimiter tells what parts the fields of text, and returns the text without
// the line "sep=;" that some programs say it with. It is the character that
// stands, outside of quotes, most often the same number of times in a line.
func delimiter(text string) (rune, string) {
	if line, rest, _ := strings.Cut(text, "\n"); len(line) >= 5 && strings.EqualFold(line[:4], "sep=") {
		if line = strings.TrimRight(line, "\r"); len(line) == 5 && strings.ContainsAny(line[4:], ",;\t|:") {
			return rune(line[4]), rest
		}
	}
	head := text[:min(len(text), 64<<10)]
	best, bestScore := ',', 0
	for _, d := range delimiters {
		counts := map[int]int{} // lines by the number of delimiters in them
		quoted, n := false, 0
		for _, c := range head {
			switch {
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == d:
				n++
			case c == '\n':
				counts[n]++
				n = 0
			}
		}
		if n > 0 {
			counts[n]++
		}
		score := 0
		for n, lines := range counts {
			if n > 0 {
				score = max(score, lines*100+min(n, 99))
			}
		}
		if score > bestScore {
			best, bestScore = d, score
		}
	}
	return best, text
}

// isHeader reports whether a first row names the columns: its cells are words,
// all of them different, and there is one over nearly every column.
func isHeader(first, second []string) bool {
	seen := map[string]bool{}
	for i, c := range first {
		c = strings.ToLower(oneLine(c))
		if c == "" {
			continue
		}
		if seen[c] || len(c) > 80 || isNumber(c) || strings.IndexFunc(c, unicode.IsLetter) < 0 {
			return false
		}
		if i < len(second) && strings.ContainsAny(c, "@") && strings.ContainsAny(second[i], "@") {
			return false // two addresses
		}
		seen[c] = true
	}
	return len(seen) >= 2 && len(seen)*2 > len(second) || len(seen) == 1 && len(first) == 1 && isNumber(second[0])
}

// isNumber reports whether a cell is a number, an amount or a date in digits.
func isNumber(s string) bool {
	s = strings.Trim(s, " $€£¥%+-")
	if s == "" {
		return false
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return true
	}
	return strings.Trim(s, "0123456789.,:/- ") == ""
}
