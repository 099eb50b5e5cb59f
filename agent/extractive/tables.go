package extractive

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent"
)

// markRows notes which sentences of a text are rows of tables, and under which
// header.
func markRows(text string, list []span) {
	for i := 0; i < len(list); {
		if !isRow(text, list[i]) {
			i++
			continue
		}
		n := i + 1
		for n < len(list) && isRow(text, list[n]) && oneTable(text[list[n-1].end:list[n].start]) {
			n++
		}
		head := 0
		bare := text[list[i].start] != '|' || underBlank(text[:list[i].start])
		if ruled(text[list[i].end:]) || bare && n-i > 1 && namesColumns(text, list[i], list[i+1]) {
			head = i + 1
		}
		for j := i; j < n; j++ {
			list[j].row, list[j].head = true, head
		}
		i = n
	}
}

// isRow reports whether a sentence is a line of cells.
func isRow(text string, s span) bool {
	line := text[s.start:s.end]
	return !strings.Contains(line, "\n") && (line[0] == '|' || strings.Contains(line, " | "))
}

// oneTable reports whether what stands between two rows keeps them together: a line
// break, and perhaps the line of dashes below a header.
func oneTable(between string) bool {
	return strings.Count(between, "\n") == 1 || strings.Count(between, "\n") == 2 && ruled(between)
}

// ruled reports whether a line of dashes follows, as below a header in Markdown.
func ruled(after string) bool {
	_, rest, _ := strings.Cut(after, "\n")
	rule, _, _ := strings.Cut(rest, "\n")
	return strings.Contains(rule, "-") && strings.Contains(rule, "|") && strings.Trim(rule, "|:- \t\r>") == ""
}

// underBlank reports whether a header of empty cells and its dashes stand right
// above: then the first row may well be the header.
func underBlank(above string) bool {
	lines := strings.Split(strings.TrimRight(above, " \t\r\n>"), "\n")
	n := len(lines)
	return n > 1 && strings.Contains(lines[n-2], "|") && strings.Trim(lines[n-2], "| \t\r>") == "" && ruled("\n"+lines[n-1])
}

// namesColumns reports whether a row without dashes below it looks like a header:
// as many short cells as the next row has, without a digit.
func namesColumns(text string, first, second span) bool {
	line := text[first.start:first.end]
	if strings.ContainsFunc(line, unicode.IsDigit) || strings.Count(line, "|") != strings.Count(text[second.start:second.end], "|") {
		return false
	}
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		if cell = strings.TrimSpace(cell); cell == "" || utf8.RuneCountInString(cell) > 40 {
			return false
		}
	}
	return true
}

// citeRow cites the row picked and those after it that hold as much of the question,
// and before them, if they do not follow it, the header of their table.
func (a *Answerer) citeRow(p *pick) []quote {
	from, to := p.sentences[p.at].start, p.sentences[p.at].end
	for i := p.at + 1; i < len(p.sentences) && p.sentences[i].row && p.sentences[i].head == p.sentences[p.at].head; i++ {
		if next := p.sentences[i]; p.both[i] != p.both[p.at] || next.end-from > a.opts.MaxBytes {
			break
		}
		to = p.sentences[i].end
	}
	rows := quote{Citation: agent.Cite(p.Passage, p.Start+from, p.Start+to)}
	if p.sentences[p.at].head == 0 {
		return []quote{rows}
	}
	head := p.sentences[p.sentences[p.at].head-1]
	end := head.end
	if ruled(p.Text[end:]) {
		line, rest, _ := strings.Cut(p.Text[end:], "\n")
		rule, _, _ := strings.Cut(rest, "\n")
		end += len(line) + 1 + len(strings.TrimRightFunc(rule, unicode.IsSpace))
	}
	switch {
	case strings.TrimSpace(p.Text[end:from]) == "":
		return []quote{{Citation: agent.Cite(p.Passage, p.Start+head.start, p.Start+to)}}
	case end-head.start > a.opts.MaxBytes:
		return []quote{rows}
	}
	rows.parted = "\n"
	return []quote{{Citation: agent.Cite(p.Passage, p.Start+head.start, p.Start+end)}, rows}
}

var (
	named  = regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{N}_.\[\] /()-]{0,80}: \S`)
	parted = regexp.MustCompile(`; [\p{L}\p{N}_][\p{L}\p{N}_.\[\] /()-]{0,80}: \S`)
)

// markRecords notes which sentences of a text stand in records: paragraphs of which
// each line is a name with its value, or one line of several.
func markRecords(text string, list []span) {
	for i := 0; i < len(list); {
		n := i + 1
		for n < len(list) && !list[n].paragraph {
			n++
		}
		if isRecord(text[list[i].start:list[n-1].end]) {
			for j := i; j < n; j++ {
				list[j].record = true
			}
		}
		i = n
	}
}

func isRecord(paragraph string) bool {
	lines := 0
	for line := range strings.Lines(paragraph) {
		if !named.MatchString(line) {
			return false
		}
		lines++
	}
	return lines > 1 || parted.MatchString(paragraph)
}

// record returns which sentences make up the record that the pick stands in.
func (p *pick) record() (first, last int) {
	first, last = p.at, p.at
	for first > 0 && !p.sentences[first].paragraph {
		first--
	}
	for last+1 < len(p.sentences) && !p.sentences[last+1].paragraph {
		last++
	}
	return first, last
}
