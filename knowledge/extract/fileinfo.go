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

// LanguageTag returns s in the usual spelling if it is written like a BCP 47 tag,
// else "": "pt-BR" for pt_br, "zh-Hant" for zh-hant.
func LanguageTag(s string) string {
	parts := strings.Split(strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), "_", "-")), "-")
	if len(s) > 35 || len(parts[0]) < 2 || len(parts[0]) > 3 || parts[0] == "und" {
		return ""
	}
	for i, p := range parts {
		if p == "" || len(p) > 8 || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz") != "" && (i == 0 || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789") != "") {
			return ""
		}
		switch {
		case i == 0:
		case len(p) == 2:
			parts[i] = strings.ToUpper(p)
		case len(p) == 4 && p[0] >= 'a':
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}
