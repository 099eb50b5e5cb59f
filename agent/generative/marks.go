package generative

import (
	"regexp"
	"strconv"
	"strings"
)

// marks are what a model cites with: [1], [1, 2], [1-3], [^1], 【1】, 【1†source】.
var marks = regexp.MustCompile(`[\[【]\s*\^?\d{1,3}(?:\s*[,;–-]\s*\^?\d{1,3})*(?:†[^\]】\n]{0,80})?\s*[\]】]`)

// begun matches a text that is the beginning of a mark, and perhaps not all of it.
var begun = regexp.MustCompile(`^[\[【][\s\d^,;–-]{0,60}(?:†[^\]】\n]{0,80})?\s*$`)

// numbersOf matches the numbers of a mark, and what may make two of them a range.
var numbersOf = regexp.MustCompile(`\d{1,3}|[–-]|†`)

// unmarked returns a text without marks, nor the spaces before them.
func unmarked(text string) string {
	text, _ = takeMarks(text)
	return text
}

// takeMarks takes the marks out of a text, but not out of code, and returns the
// numbers that they name, each once.
func takeMarks(text string) (clean string, numbers []int) {
	if !strings.ContainsAny(text, "[【") {
		return text, nil
	}
	seen := map[int]bool{}
	add := func(n int) {
		if !seen[n] {
			seen[n] = true
			numbers = append(numbers, n)
		}
	}
	var b strings.Builder
	done := 0
	for _, m := range marks.FindAllStringIndex(text, -1) {
		if strings.Count(text[:m[0]], "`")%2 == 1 {
			continue
		}
		last, ranged := 0, false
		for _, s := range numbersOf.FindAllString(text[m[0]:m[1]], -1) {
			if s == "†" {
				break
			}
			n, err := strconv.Atoi(s)
			if err != nil {
				ranged = last > 0
				continue
			}
			if ranged {
				for i := last + 1; i < n && i-last < 20; i++ {
					add(i)
				}
			}
			add(n)
			last, ranged = n, false
		}
		b.WriteString(strings.TrimRight(text[done:m[0]], " \t"))
		done = m[1]
		if done < len(text) && text[done] == '(' { // a link of its own making
			if i := strings.IndexByte(text[done:], ')'); i > 0 && !strings.ContainsAny(text[done:done+i], " \n") {
				done += i + 1
			}
		}
	}
	b.WriteString(text[done:])
	return b.String(), numbers
}
