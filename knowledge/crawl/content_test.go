package crawl_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

// TestMainContent reads pages as generators write them. What begins with
// KEEP-OUT is of no page alone, and each KEEP-1, KEEP-2 … is.
func TestMainContent(t *testing.T) {
	files, err := filepath.Glob("testdata/pages/*.html")
	if err != nil || len(files) == 0 {
		t.Fatalf("pages = %v, %v, want some", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			page, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := extract.Extract(extract.HTML, crawl.MainContent(page))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(got.Text) {
				if strings.Contains(line, "KEEP-OUT") {
					t.Errorf("text holds %q", line)
				}
			}
			n := 0
			for i := 1; bytes.Contains(page, fmt.Appendf(nil, "KEEP-%d ", i)); i++ {
				n++
				if !strings.Contains(got.Text, fmt.Sprintf("KEEP-%d ", i)) {
					t.Errorf("text lacks KEEP-%d", i)
				}
			}
			if n < 4 {
				t.Errorf("the page has %d parts, want more", n)
			}
		})
	}
}

func TestMainContentKeepsWhatItMust(t *testing.T) {
	long := strings.Repeat("The text of the page goes on. ", 20)
	for name, page := range map[string]string{
		"a wrapper with main":      "<div class=has-sidebar><div class='sidebar'><main>Text</main></div></div>" + long,
		"a wrapper with h1":        "<div class=sidebar-layout><div class='content sidebar'><h1>Text</h1></div></div>" + long,
		"half of the text":         "<div class=comments>" + long + "</div>" + long[:100],
		"what is never closed":     "<div class=comments>Text " + long,
		"a wrong end":              "<div class=comments>Text</span></section> " + long,
		"words that are only near": "<div class='cookies menu-item toc-heading commentary related-to-x'>Text</div>" + long,
		"a list beside main":       "<main>" + long + "<ul><li><a>a</a><li><a>b</a><li><a>c</a><li><a>d</a><li><a>e</a></ul></main>",
		"a page of links":          "<ul><li><a>a</a><li><a>b</a><li><a>c</a><li><a>d</a><li><a>e</a></ul>",
		"a script":                 "<script>'<div class=sidebar>'</script>" + long + "<script>'</div>'</script>",
	} {
		if got := crawl.MainContent([]byte(page)); string(got) != page {
			t.Errorf("MainContent of %s = %.100q, want it as it was", name, got)
		}
	}
}

func TestMainContentOfHostilePages(t *testing.T) {
	for _, unit := range []string{"<div class=sidebar>", "<div class=sidebar></div>", "<a>", "</div>", "<div></p>", "<ul></ol>", "<h1>", "<div class=a><h1>", "<span id=toc>x</span>"} {
		page := []byte(strings.Repeat(unit, (1<<20)/len(unit)))
		began := time.Now()
		if got := crawl.MainContent(page); len(got) > len(page) {
			t.Errorf("MainContent of many %s grew from %d to %d bytes", unit, len(page), len(got))
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("1 MB of %s took %v", unit, took)
		}
	}
}

func FuzzMainContent(f *testing.F) {
	f.Add([]byte("<div class=sidebar>x</div><p>text<a class=headerlink>¶</a>"))
	f.Add([]byte("<ul><li><a>a</a><a>b</a><a>c</a><a>d</a><a>e</a></ul>text text text<div id=toc><script></div>"))
	f.Fuzz(func(t *testing.T, page []byte) {
		got := crawl.MainContent(page)
		if len(got) > len(page) {
			t.Fatalf("MainContent(%q) = %q, which is longer", page, got)
		}
		rest := page
		for _, b := range got { // what is left stands in the page, in that order; spaces are put in
			i := bytes.IndexByte(rest, b)
			switch {
			case b == ' ':
			case i < 0:
				t.Fatalf("MainContent(%q) = %q, which is not of the page", page, got)
			default:
				rest = rest[i+1:]
			}
		}
	})
}
