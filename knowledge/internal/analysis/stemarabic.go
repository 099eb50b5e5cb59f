package analysis

import "strings"

// stemArabic is the stemmer light10 of Larkey, Ballesteros and Connell, "Light
// stemming for Arabic information retrieval" (2007): it takes off "and", the
// article with what is written onto it, and endings, and looks for no roots. The
// word is normalized.
func stemArabic(word string) string {
	if rest, ok := strings.CutPrefix(word, "و"); ok && arabicLetters(rest) >= 3 {
		word = rest
	}
	for range 2 { // الإلغاء is of إلغاء, which looks as if it had an article
		for _, article := range arabicArticles {
			if rest, ok := strings.CutPrefix(word, article); ok && arabicLetters(rest) >= 2 {
				word = rest
				break
			}
		}
	}
	for _, ending := range arabicEndings {
		if rest, ok := strings.CutSuffix(word, ending); ok && arabicLetters(rest) >= 2 {
			word = rest
		}
	}
	return word
}

var (
	arabicArticles = []string{"ال", "بال", "كال", "فال", "لل"} // "wal" has lost its first letter
	arabicEndings  = []string{"ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي"}
)

// arabicLetters counts letters, of two bytes each.
func arabicLetters(s string) int { return len(s) / 2 }
