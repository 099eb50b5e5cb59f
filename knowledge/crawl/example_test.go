package crawl_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

func Example() {
	shop := httptest.NewServer(pages{
		"/robots.txt": "User-agent: *\nDisallow: /admin/",
		"/":           `<title>Shop</title><a href="/hours">Hours</a> <a href="/old">Old</a> <a href="/admin/">Admin</a>`,
		"/hours":      `<title>Hours</title><p>We open from 9 to 5.</p>`,
	})
	defer shop.Close()
	u, err := url.Parse(shop.URL)
	if err != nil {
		panic(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		panic(err)
	}
	out, err := egress.New(&egress.Options{ // a public site needs no options
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true, Ports: []uint16{uint16(port)},
	})
	if err != nil {
		panic(err)
	}
	crawler, err := crawl.New(out.HTTP(), nil)
	if err != nil {
		panic(err)
	}
	run, err := crawler.Crawl(crawl.Site{URL: shop.URL, MaxPages: 100}, nil)
	if err != nil {
		panic(err)
	}
	for visit, err := range run.Visits(context.Background()) {
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s %q %q\n", strings.TrimPrefix(visit.URL, shop.URL), visit.Outcome, visit.Reason, visit.Title)
	}
	fmt.Println(run.Report().Outcomes)
	// Output:
	// /: fetched "" "Shop"
	// /admin/: skipped "robots" ""
	// /hours: fetched "" "Hours"
	// /old: gone "status" ""
	// map[fetched:2 gone:1 skipped:1]
}
