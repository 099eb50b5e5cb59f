package extractive

import (
	"strings"
	"unicode/utf8"
)

// joins are the words that join two things that are asked, and joints what does in
// text without spaces.
var joins = list(`and und dan serta et y e ve и và और`, `，以及 、以及 还有 另外 また、 そして、 และ`)

// maxParts is how many parts of a question are looked for.
const maxParts = 8

// parts cuts a question into what it asks one after another: at the ends of
// sentences, commas, and words such as "and".
func parts(question string) (out []string) {
	start := 0
	cut := func(end, next int) {
		if len(out) < maxParts && start < end && strings.TrimSpace(question[start:end]) != "" {
			out = append(out, question[start:end])
		}
		start = next
	}
	for i, r := range question {
		switch {
		case strings.ContainsRune("?;,؟،؛？；，。", r), strings.ContainsRune("!.", r) && strings.HasPrefix(question[i+1:], " "):
			cut(i, i+utf8.RuneLen(r))
		case r == ' ':
			word, _, _ := strings.Cut(question[i+1:], " ")
			if joins.spaced[strings.ToLower(word)] {
				cut(i, i+1+len(word))
			} else if strings.HasPrefix(word, "و") && len(word) > 4 {
				cut(i, i+1+len("و"))
			}
		default:
			for _, s := range joins.unspaced {
				if strings.HasPrefix(question[i:], s) && i > start {
					cut(i, i+len(s))
				}
			}
		}
	}
	cut(len(question), len(question))
	return out
}
