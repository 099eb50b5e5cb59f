package pull_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

// BenchmarkPull pulls 10,000 items of 1 KB in pages of 1,000, without a network.
func BenchmarkPull(b *testing.B) {
	var pages []string
	for n := range 11 {
		list := articles(n*1000, 1000)
		if n == 10 {
			list = list[:0]
		}
		for _, it := range list {
			it["body"] = strings.Repeat("What an article says. ", 40)
			it["tags"] = []string{"a", "b"}
			it["category"] = map[string]any{"name": "Orders", "id": 5}
		}
		pages = append(pages, encode(map[string]any{"data": list}))
	}
	m := plain
	m.Metadata = map[string]string{"tags": "tags", "category": "category.name"}
	at := 0
	n := &network{serve: func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, pages[at%len(pages)])
		at++
	}}
	p := newPuller(b, &http.Client{Transport: n}, &pull.Options{Pause: -1})
	b.ReportAllocs()
	for b.Loop() {
		at = 0
		r := newRun(b, p, pull.Source{URL: "https://api.example.com", Items: "data", Mapping: m, Pagination: pull.Pagination{Kind: pull.Page}}, pull.Known{})
		items := 0
		for _, err := range r.Items(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			items++
		}
		if items != 10_000 {
			b.Fatal(items)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10_000, "µs/item")
}
