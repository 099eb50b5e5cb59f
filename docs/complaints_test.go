package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestComplaints: each complaint names tests, and they are there.
func TestComplaints(t *testing.T) {
	page, err := os.ReadFile("complaints.md")
	if err != nil {
		t.Fatal(err)
	}
	held := regexp.MustCompile("((?:`Test\\w+`(?:, )?)+) in `([\\w./]+)`")
	names := regexp.MustCompile(`Test\w+`)
	rows := 0
	for line := range strings.Lines(string(page)) {
		if !regexp.MustCompile(`^\| \d+\. `).MatchString(line) {
			continue
		}
		rows++
		groups := held.FindAllStringSubmatch(line, -1)
		if len(groups) == 0 {
			t.Errorf("no test in %q", line)
		}
		for _, g := range groups {
			files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(g[2]), "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			var source strings.Builder
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				source.Write(b)
			}
			for _, name := range names.FindAllString(g[1], -1) {
				if !strings.Contains(source.String(), "\nfunc "+name+"(t *testing.T") {
					t.Errorf("complaints.md names %s in %s, which is not there", name, g[2])
				}
			}
		}
	}
	if rows != 15 {
		t.Errorf("complaints.md has %d complaints, want 15", rows)
	}
}
