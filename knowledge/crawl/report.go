package crawl

import (
	"maps"
	"slices"
	"time"
)

// A Report sums up a run, while it goes on or after it.
type Report struct {
	URL      string          // of the site, where its first redirects led
	Seen     int             // different addresses of the site
	Outcomes map[Outcome]int // of those visited; at the end their sum is Seen
	Reasons  map[Reason]int

	Dropped   int            // links left out of Seen because Options.MaxURLs, or the bound of 10,000 links a page, was reached
	Elsewhere map[string]int // links to other hosts, by host; at most 100 hosts
	Ignored   map[string]int // links to what is no page, by scheme ("mailto", "javascript" …), "credentials" or "invalid"

	Requests int   // made, those for robots.txt and sitemaps included
	Bytes    int64 // of bodies, unpacked
	Took     time.Duration

	Robots   Source
	Sitemaps []Source
}

// A Source is a robots.txt or a sitemap that was asked for.
type Source struct {
	URL     string
	Status  int    // of the last answer; 0 if none came
	Reason  Reason // why it, or what comes after Entries, was not read; "" if it was
	Entries int    // rules that are for us, or addresses that a sitemap lists
}

// Report tells how far the run is. It may be called at any time.
func (r *Run) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := r.report
	rep.Outcomes, rep.Reasons = maps.Clone(rep.Outcomes), maps.Clone(rep.Reasons)
	rep.Elsewhere, rep.Ignored = maps.Clone(rep.Elsewhere), maps.Clone(rep.Ignored)
	rep.Sitemaps = slices.Clone(rep.Sitemaps)
	rep.Requests, rep.Bytes = int(r.requests.Load()), r.bytes.Load()
	if !r.began.IsZero() && !r.ended {
		rep.Took = time.Since(r.began)
	}
	return rep
}
