package extract

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTitle is the longest first line that is taken for a title, in characters.
const maxTitle = 120

// plainText reads paragraphs parted by blank lines. No headings are guessed.
func plainText(text string) Result {
	bs := blocks{text: text}
	start := -1
	for line, next := range lines(text) {
		blank := strings.TrimSpace(text[line:next]) == ""
		switch {
		case blank && start >= 0:
			bs.add(Block{Kind: Paragraph, Start: start, End: line})
			start = -1
		case !blank && start < 0:
			start = line
		}
	}
	if start >= 0 {
		bs.add(Block{Kind: Paragraph, Start: start, End: len(text)})
	}
	return Result{Title: firstLineTitle(text, bs.list), Text: text, Blocks: bs.list}
}

// lines yields where each line begins and where the next one does.
func lines(text string) func(yield func(start, next int) bool) {
	return func(yield func(start, next int) bool) {
		for start := 0; start < len(text); {
			next := len(text)
			if i := strings.IndexByte(text[start:], '\n'); i >= 0 {
				next = start + i + 1
			}
			if !yield(start, next) {
				return
			}
			start = next
		}
	}
}

// firstLineTitle returns the first line if it stands alone before more text
// and reads like a title: short, in letters, not ending as a sentence does.
func firstLineTitle(text string, list []Block) string {
	if len(list) < 2 {
		return ""
	}
	line, rest, more := strings.Cut(text[list[0].Start:list[0].End], "\n")
	if more && strings.Trim(rest, "=-~*_ \r\n") != "" {
		return "" // the second line is no underline
	}
	line = strings.Join(strings.Fields(line), " ")
	if utf8.RuneCountInString(line) > maxTitle || strings.IndexFunc(line, unicode.IsLetter) < 0 {
		return ""
	}
	last, _ := utf8.DecodeLastRuneInString(line)
	first, _ := utf8.DecodeRuneInString(line)
	if strings.ContainsRune(".,;:。،…", last) || strings.ContainsRune("-*•>|{[<", first) {
		return ""
	}
	return line
}
