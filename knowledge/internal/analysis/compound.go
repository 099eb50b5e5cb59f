package analysis

import "strings"

// compound writes a chain of words as one term, in lower case, and a number as
// 1299.5 however its thousands and decimals are parted.
func (a *Analyzer) compound(raw string) string {
	if strings.Trim(raw, "0123456789.,\u00a0\u202f") == "" {
		return a.language.number(raw)
	}
	return strings.ToLower(raw)
}

// number writes a number that has separators: of both kinds the last parts the
// decimals; of one kind a comma before three digits parts thousands, and so does
// a point in languages that write them so, and any that is there twice.
func (l *language) number(raw string) string {
	s := raw
	if strings.ContainsAny(s, "\u00a0\u202f") {
		s = strings.NewReplacer("\u00a0", "", "\u202f", "").Replace(s)
	}
	point, comma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	switch {
	case point >= 0 && comma > point: // 1.299,50
		s = strings.ReplaceAll(s[:comma], ".", "") + "." + s[comma+1:]
	case comma >= 0 && point > comma, comma >= 0 && thousands(s, ','): // 1,299.50
		s = strings.ReplaceAll(s, ",", "")
	case comma >= 0: // 12,50
		s = strings.ReplaceAll(s, ",", ".")
	case point >= 0 && l.pointed && thousands(s, '.'): // 1.299
		s = strings.ReplaceAll(s, ".", "")
	}
	if whole, ok := strings.CutSuffix(s, ".00"); ok && strings.IndexByte(whole, '.') < 0 {
		s = whole
	}
	return s
}

// thousands reports whether each separator stands before three digits.
func thousands(s string, separator byte) bool {
	head, rest, _ := strings.Cut(s, string(separator))
	if len(head) == 0 || len(head) > 3 {
		return false
	}
	for group := range strings.SplitSeq(rest, string(separator)) {
		if len(group) != 3 {
			return false
		}
	}
	return true
}
