package extract

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fileTitle is the title that a file gives itself, unless programs put it there:
// the name of the file, of the program, or that there is none.
func fileTitle(s string) string {
	s = oneLine(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(strings.TrimPrefix(s, "Microsoft Word - "))
	s = strings.TrimSpace(strings.TrimPrefix(s, "Microsoft PowerPoint - "))
	lower := strings.ToLower(s)
	switch lower {
	case "untitled", "(anonymous)", "anonymous", "unspecified", "title", "powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint", "presentación de powerpoint", "slide 1":
		return ""
	}
	for _, ext := range []string{".doc", ".docx", ".ppt", ".pptx", ".xls", ".xlsx", ".pdf", ".indd", ".tex", ".dvi", ".odt", ".html", ".htm", ".tmp", ".qxd", ".txt"} {
		if strings.HasSuffix(lower, ext) {
			return ""
		}
	}
	if strings.IndexFunc(s, unicode.IsLetter) < 0 || utf8.RuneCountInString(s) > 2*maxTitle {
		return ""
	}
	return s
}

// languageTag returns a BCP 47 tag if s is written like one, else "".
func languageTag(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "_", "-")
	parts := strings.Split(s, "-")
	if len(s) > 35 || len(parts[0]) < 2 || len(parts[0]) > 3 {
		return ""
	}
	for i, p := range parts {
		if p == "" || len(p) > 8 || strings.IndexFunc(p, func(r rune) bool {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
			return !letter && (i == 0 || r < '0' || r > '9')
		}) >= 0 {
			return ""
		}
	}
	return s
}
