package extract

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	bulletMark = regexp.MustCompile(`^[•‣◦▪▫●○■□⁃∙·➢❖✓–*-]\s+`)
	numberMark = regexp.MustCompile(`^(?:\(?\d{1,3}[.)]|\(?[a-z][.)]|\(?[A-Z]\)|\(?[ivx]{1,5}[.)])\s+`)
)

// isMark reports whether text is no more than what marks an item of a list.
func isMark(text string) bool {
	return bulletMark.MatchString(text+" ") && utf8.RuneCountInString(text) == 1 || numberMark.FindString(text+" ") == text+" "
}

// ligatures are written as the letters they are made of.
var ligatures = strings.NewReplacer("ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "ft", "ﬆ", "st")

// arabicForms are the letters that U+FE80 to U+FEFC are forms of.
var arabicForms = func() (list []string) {
	for _, f := range []struct {
		letters string
		forms   int
	}{
		{"ء", 1}, {"آأؤإ", 2}, {"ئ", 4}, {"ا", 2}, {"ب", 4}, {"ة", 2}, {"تثجحخ", 4}, {"دذرز", 2}, {"سشصضطظعغفقكلمنه", 4}, {"وى", 2}, {"ي", 4},
	} {
		for _, r := range f.letters {
			for range f.forms {
				list = append(list, string(r))
			}
		}
	}
	for _, s := range []string{"لآ", "لأ", "لإ", "لا"} {
		list = append(list, s, s)
	}
	return list
}()

// plainLetters undoes what printing makes of letters. A ligature of Arabic
// comes in the order in which it is read.
func plainLetters(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0xFB00 && r <= 0xFEFC }) {
		return s
	}
	var b strings.Builder
	for _, r := range ligatures.Replace(s) {
		if i := int(r) - 0xFE80; i >= 0 && i < len(arabicForms) {
			b.WriteString(arabicForms[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isRTL(r rune) bool {
	return r >= 0x590 && r <= 0x8FF || r >= 0xFB1D && r <= 0xFDFF || r >= 0xFE70 && r <= 0xFEFC
}

// rightToLeft reports whether most letters of cells are of such a script.
func rightToLeft(cells []pdfCell) bool {
	rtl, all := 0, 0
	for _, c := range cells {
		for _, r := range c.text {
			switch {
			case isRTL(r):
				rtl++
				all++
			case unicode.IsLetter(r):
				all++
			}
		}
	}
	return rtl*2 > all
}

// logical puts pieces of text that come in the order in which they stand, from
// left to right, in the order in which they are read. It undoes what the
// bidirectional algorithm did for one line without embeddings: that of most.
func logical(pieces []string) string {
	text := strings.Join(pieces, "")
	if strings.IndexFunc(text, isRTL) < 0 {
		return text
	}
	const (
		neutral = iota
		left
		right
	)
	directionOf := func(s string) int {
		for _, r := range s {
			switch {
			case isRTL(r) && !unicode.IsDigit(r):
				return right
			case unicode.IsLetter(r), unicode.IsDigit(r):
				return left
			}
		}
		return neutral
	}
	dirs := make([]int, len(pieces))
	rtl, ltr := 0, 0
	for i, p := range pieces {
		dirs[i] = directionOf(p)
		switch {
		case dirs[i] == right:
			rtl++
		case dirs[i] == left && strings.IndexFunc(p, unicode.IsLetter) >= 0:
			ltr++
		}
	}
	base := left
	if rtl >= ltr {
		base = right
	}
	// What stands between two pieces of one direction has that direction too.
	for i := 0; i < len(dirs); {
		if dirs[i] != neutral {
			i++
			continue
		}
		to := i
		for to < len(dirs) && dirs[to] == neutral {
			to++
		}
		dir := base
		if i > 0 && to < len(dirs) && dirs[i-1] == dirs[to] {
			dir = dirs[to]
		}
		for ; i < to; i++ {
			dirs[i] = dir
		}
	}
	var runs [][]string
	for i := 0; i < len(pieces); {
		to := i
		for to < len(pieces) && dirs[to] == dirs[i] {
			to++
		}
		run := slices.Clone(pieces[i:to])
		if dirs[i] == right {
			slices.Reverse(run)
		}
		runs = append(runs, run)
		i = to
	}
	if base == right {
		slices.Reverse(runs)
	}
	return strings.Join(slices.Concat(runs...), "")
}

// joinWords adds a line to the text before it. A word that was parted at the end
// of the line is put together; Chinese and Japanese have no space there.
func joinWords(text, next string) string {
	last, n := utf8.DecodeLastRuneInString(text)
	first, _ := utf8.DecodeRuneInString(next)
	before, _ := utf8.DecodeLastRuneInString(text[:len(text)-n])
	switch {
	case (last == '-' || last == '\u2010' || last == 0xAD) && unicode.IsLetter(before) && unicode.IsLower(first):
		return text[:len(text)-n] + next
	case last == '-' && unicode.IsLetter(before) && unicode.IsLetter(first), wideScript(last) && wideScript(first):
		return text + next
	}
	return text + " " + next
}

// wideScript reports whether a character is of a script without spaces.
func wideScript(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x303F || r >= 0xFF00 && r <= 0xFF65
}

// endsSentence reports whether text ends as sentences do.
func endsSentence(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(text, `"'”’»)`))
	return strings.ContainsRune(".!?:;。！？؟…", last)
}
