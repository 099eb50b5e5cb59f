package analysis

import (
	"strings"
	"unicode/utf8"
)

// stemHindi takes off the longest ending of Ramanathan and Rao, "A Lightweight
// Stemmer for Hindi" (2003), that leaves two letters or signs. The word is
// normalized.
func stemHindi(word string) string {
	n := utf8.RuneCountInString(word)
	for length := min(len(hindiEndings), n-2); length > 0; length-- {
		for _, ending := range hindiEndings[length-1] {
			if rest, ok := strings.CutSuffix(word, ending); ok {
				return rest
			}
		}
	}
	return word
}

// hindiEndings are of 1 to 5 letters and signs.
var hindiEndings = [5][]string{
	{"ो", "े", "ू", "ु", "ी", "ि", "ा"},
	{"कर", "ाओ", "िए", "ाई", "ाए", "ने", "नी", "ना", "ते", "ीं", "ती", "ता", "ां", "ों", "ें"},
	{"ाकर", "ाइए", "ाईं", "ाया", "ेगी", "ेगा", "ोगी", "ोगे", "ाने", "ाना", "ाते", "ाती", "ाता", "तीं", "ाओं", "ाएं", "ुओं", "ुएं", "ुआं"},
	{"ाएगी", "ाएगा", "ाओगी", "ाओगे", "एंगी", "ेंगी", "एंगे", "ेंगे", "ूंगी", "ूंगा", "ातीं", "नाओं", "नाएं", "ताओं", "ताएं", "ियां", "ियों"},
	{"ाएंगी", "ाएंगा", "ाऊंगी", "ाऊंगा"},
}
