package extract

import (
	"testing"
	"time"
)

// What files say of themselves: language, and when they were written.
func TestWhatFilesSay(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		name, file, in    string
		language          string
		created, modified time.Time
	}{
		{"a page", "a.html", `<!doctype html><html lang=pt_br><meta property="article:published_time" content="2026-01-02T00:00:00Z"><meta name=changed content="2026-01-03T00:00:00"><p>Oi.`, "pt-BR", day(2), day(3)},
		{"a page that says it twice", "a.html", `<html lang="zh-hant-tw"><html lang=en><meta name=created content=2026-01-02><meta name=created content=2026-01-09><p>x`, "zh-Hant-TW", day(2), time.Time{}},
		{"a page that says nonsense", "a.html", `<html lang="*"><meta name=created content=yesterday><meta content=2026-01-02><meta name=created><p>x`, "", time.Time{}, time.Time{}},
		{"an element is not the page", "a.html", `<p lang=de>Zitat</p>`, "", time.Time{}, time.Time{}},
		{"YAML", "a.md", "---\ntitle: T\nlang: en_GB\ndate: 2026-01-02\nlastmod: 2026-01-03T01:00:00+01:00\n---\nx", "en-GB", day(2), day(3)},
		{"TOML", "a.md", "+++\nlanguage = \"de\"\ndate = 2026-01-02T00:00:00Z\nupdated = 2026-01-03\n+++\nx", "de", day(2), day(3)},
		{"no front matter", "a.md", "---\nlang: de\n\nx", "", time.Time{}, time.Time{}},
	} {
		r, err := read(t, tt.file, []byte(tt.in), nil)
		if err != nil || r.Language != tt.language || !r.Created.Equal(tt.created) || !r.Modified.Equal(tt.modified) {
			t.Errorf("%s: %q, %v, %v, %v, want %q, %v, %v", tt.name, r.Language, r.Created, r.Modified, err, tt.language, tt.created, tt.modified)
		}
	}
}
