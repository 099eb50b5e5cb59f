package docs_test

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/answerdesk-go/answerdesk/docs"
)

// first is the page where a reader begins.
const first = "getting-started.md"

var (
	fence   = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^(#{1,6}) (.+)$`)
)

// TestPages holds the form that all pages share: one title, on the first line,
// and headings that can each be linked to.
func TestPages(t *testing.T) {
	for name, page := range pages(t) {
		prose := fence.ReplaceAllString(page, "")
		if !strings.HasPrefix(page, "# ") {
			t.Errorf("%s begins with %.20q, want a level-1 heading", name, page)
		}
		if strings.Contains(prose, "```") {
			t.Errorf("%s has a code fence that is not closed, or indented", name)
		}
		seen := map[string]bool{}
		for i, h := range heading.FindAllStringSubmatch(prose, -1) {
			if i > 0 && h[1] == "#" {
				t.Errorf("%s has a second title, %q", name, h[2])
			}
			if seen[anchor(h[2])] {
				t.Errorf("%s has two headings %q", name, h[2])
			}
			seen[anchor(h[2])] = true
		}
	}
}

// TestLinks follows every link that stays in the repository, and expects each
// page to be linked from another one.
func TestLinks(t *testing.T) {
	all := pages(t)
	linked := map[string]bool{first: true}
	for name, page := range all {
		for _, l := range link.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			file, section, _ := strings.Cut(l[1], "#")
			target := page
			if file != "" {
				b, err := os.ReadFile(file) // relative to this folder, as a browser takes it
				if err != nil {
					t.Errorf("%s links to %s: %v", name, l[1], err)
					continue
				}
				target = string(b)
				linked[path.Clean(file)] = linked[path.Clean(file)] || file != name
			}
			if section != "" && !anchors(target)[section] {
				t.Errorf("%s links to %s, and no heading there is %q", name, l[1], section)
			}
		}
	}
	for name := range all {
		if !linked[name] {
			t.Errorf("%s is linked from no other page", name)
		}
	}
}

// TestGo expects the Go on each page to parse and to be formatted.
func TestGo(t *testing.T) {
	found := 0
	for name, page := range pages(t) {
		for _, block := range fence.FindAllStringSubmatch(page, -1) {
			if block[1] != "go" {
				continue
			}
			found++
			src := []byte(block[2])
			got, err := format.Source(src)
			if err != nil {
				t.Errorf("%s: %v in\n%s", name, err, src)
			} else if !bytes.Equal(got, src) {
				t.Errorf("%s: gofmt makes of a block\n%s", name, got)
			}
		}
	}
	if found == 0 {
		t.Error("no page has a block of Go")
	}
}

func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(docs.Pages, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		b, err := fs.ReadFile(docs.Pages, name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	if all[first] == "" {
		t.Fatalf("pages = %q, want %s among them", names, first)
	}
	return all
}

// anchors are the anchors that a browser of the repository gives a page's
// headings.
func anchors(page string) map[string]bool {
	set := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		set[anchor(h[2])] = true
	}
	return set
}

func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			fmt.Fprintf(&b, "%c", r)
		}
	}
	return b.String()
}
