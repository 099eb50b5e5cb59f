// Package crawl visits the pages of a website and says of each address what
// became of it and why. It keeps nothing: what an earlier crawl learned is
// asked of the caller, and what this one learns is handed to it.
//
//	crawler, err := crawl.New(out.HTTP(), nil) // out is an egress.Client
//	if err != nil {
//		return err
//	}
//	run, err := crawler.Crawl(crawl.Site{URL: "https://example.com/"}, known)
//	if err != nil {
//		return err
//	}
//	for visit, err := range run.Visits(ctx) {
//		if err != nil {
//			return err
//		}
//		if visit.Outcome == crawl.Fetched {
//			save(visit.URL, visit.Hash, visit.ContentType, visit.Body)
//		}
//	}
//
// A [Site] says what is crawled, a [Visit] what became of one address, and the
// [Report] of a [Run] what became of all of them, sitemaps and robots.txt
// included.
//
// # What is one page
//
// A site is one host; its name with and without "www." is one host too, and so
// are http and https, unless [Site.ExactHost] is set. Every address is written
// in one way before it is compared: scheme and host in lower case, no default
// port, no dot segments, no fragment, percent-encoding as RFC 3986 section 6.2.2
// has it, and without the parameters that only track visitors or hold a session
// (utm_source, gclid, PHPSESSID …). The order of parameters, a slash at the end
// and names such as index.html are left as they are, since a server may tell
// them apart; that two such addresses are one page is found out by the page's
// canonical link or by its content.
//
// # Manners
//
// robots.txt is obeyed as RFC 9309 has it, under the name "answerdesk"; so are
// the robots meta element, X-Robots-Tag and rel=nofollow. One request at a time
// goes to a host, with a pause between two, however many crawls visit it;
// Crawl-delay and Retry-After make the pause longer, within bounds.
//
// # Bounds
//
// Whatever a server sends is hostile: pages, addresses, depth, bytes and time
// are bounded, each by an option, and so are addresses that differ in a number
// or a parameter alone, which is how calendars and filters become endless. What
// a bound kept away is reported with the bound's name.
//
// A visit's Body is the page as sent, in UTF-8; [MainContent] takes out of it
// what stands on every page of a site.
package crawl
