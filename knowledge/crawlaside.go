package knowledge

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// Why an entry of the report is no page of the site.
const (
	reasonRobotsFile = "robots_txt" // it is the site's robots.txt, which was read
	reasonSitemap    = "sitemap"    // a sitemap, which was read
	reasonScheme     = "scheme"     // links of another scheme, as "mailto:"
)

// aside adds to the report what is no page: robots.txt and the sitemaps, and where
// links lead that are not followed, one entry a host and a scheme.
func (c *crawling) aside(ctx context.Context, report crawl.Report) error {
	for i, f := range append([]crawl.Source{report.Robots}, report.Sitemaps...) {
		key := pageKey(f.URL)
		if d := c.docs[key]; f.URL == "" || d != nil && d.kept || c.fresh[key].DocumentID != "" {
			continue // something links to it, and it became a document
		}
		p := Page{URL: f.URL, Outcome: string(crawl.Failed), Reason: string(f.Reason), Status: f.Status}
		switch {
		case f.Reason == "" && i == 0:
			p.Outcome, p.Reason = string(crawl.Skipped), reasonRobotsFile
		case f.Reason == "":
			p.Outcome, p.Reason = string(crawl.Skipped), reasonSitemap
		case f.Reason == crawl.Elsewhere:
			p.Outcome = string(crawl.Skipped)
		case f.Status == http.StatusNotFound || f.Status == http.StatusGone:
			p.Outcome = string(crawl.Gone)
		}
		if err := c.note(ctx, p); err != nil {
			return err
		}
	}
	for _, host := range slices.Sorted(maps.Keys(report.Elsewhere)) {
		if err := c.note(ctx, Page{URL: "//" + host, Outcome: string(crawl.Skipped), Reason: string(crawl.Elsewhere)}); err != nil {
			return err
		}
	}
	for _, scheme := range slices.Sorted(maps.Keys(report.Ignored)) {
		p := Page{URL: scheme + ":", Outcome: string(crawl.Skipped), Reason: reasonScheme}
		if scheme == "invalid" || scheme == "credentials" {
			p.Reason = string(crawl.BadURL)
		}
		if err := c.note(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// note adds something to the report that was no visit.
func (c *crawling) note(ctx context.Context, p Page) error {
	p.FetchedAt = time.Now().UTC().Truncate(time.Microsecond)
	return c.page(ctx, p)
}
