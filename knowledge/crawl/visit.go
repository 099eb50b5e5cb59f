package crawl

import "time"

// An Outcome says what became of an address. What a caller keeps of a page
// from earlier should be replaced when it was Fetched, stay when it was
// Unchanged or Failed, and go when it was Moved, Gone or Skipped.
type Outcome string

// The outcomes.
const (
	Fetched   Outcome = "fetched"   // its content is in the visit
	Unchanged Outcome = "unchanged" // as known from earlier
	Moved     Outcome = "moved"     // redirects to FinalURL, which is visited itself if it is of the site
	Gone      Outcome = "gone"      // 404 or 410
	Skipped   Outcome = "skipped"   // not wanted, for Reason
	Failed    Outcome = "failed"    // could not be read this time, for Reason
)

// A Reason says why a page was not fetched.
type Reason string

// Why a page was Skipped.
const (
	Robots        Reason = "robots"         // robots.txt disallows it
	NoIndex       Reason = "noindex"        // the page asks not to be indexed
	NoFollow      Reason = "nofollow"       // only links that ask not to be followed lead to it
	Excluded      Reason = "excluded"       // by Site.Include or Site.Exclude
	TooDeep       Reason = "depth"          // more than Site.MaxDepth links away
	NewPage       Reason = "new"            // Site.Only does not have it
	Duplicate     Reason = "duplicate"      // Canonical is the same page
	Type          Reason = "type"           // neither HTML, text, Markdown nor PDF
	TooLarge      Reason = "too_large"      // larger than Options.MaxPageBytes
	Charset       Reason = "charset"        // its characters cannot be told
	BadURL        Reason = "url"            // its path repeats itself, or is no path of a page
	LimitPages    Reason = "limit_pages"    // Site.MaxPages was reached
	LimitVariants Reason = "limit_variants" // Site.MaxVariants was reached
	LimitAlike    Reason = "limit_alike"    // Site.MaxAlike was reached
	Elsewhere     Reason = "elsewhere"      // on another host; of a page that Moved, too
)

// Why a page Failed, or is Gone.
const (
	Status      Reason = "status"       // Visit.Status says it
	Blocked     Reason = "blocked"      // the client refuses to call that address
	DNS         Reason = "dns"          // the host's name could not be resolved
	Connect     Reason = "connect"      // no connection could be made
	TLS         Reason = "tls"          // the certificate is not valid, or the handshake failed
	Timeout     Reason = "timeout"      // no complete answer in time
	Broken      Reason = "broken"       // the answer broke off or breaks a rule of HTTP
	Loop        Reason = "loop"         // redirects that lead back, or more than ten
	RobotsError Reason = "robots_error" // robots.txt could not be read, so nothing else may be
	Unreachable Reason = "unreachable"  // not asked for any more, after ten failures in a row
	LimitTime   Reason = "limit_time"   // Options.MaxTime was reached
	LimitBytes  Reason = "limit_bytes"  // Options.MaxBytes was reached
)

// A Visit is an address and what became of it. Each address of a site is in
// one visit of a run.
type Visit struct {
	URL     string
	Outcome Outcome
	Reason  Reason // "" if Fetched or Unchanged, and if Moved within the site

	FoundOn string // the page or sitemap that first led here; "" for the site's own address
	Depth   int    // links from the site's own address; 1 from a sitemap
	Listed  string // the date a sitemap gives, as written there: a hint, and nothing is decided by it

	Status       int           // of the last answer; 0 if none came
	FinalURL     string        // where a redirect leads, without user name and password
	ETag         string        // as sent
	LastModified string        // as sent
	Took         time.Duration // for all requests made, pauses not counted

	// What is below is of pages that were read, and of Duplicates by content.

	ContentType string // text/html, text/plain, text/markdown or application/pdf
	Body        []byte // of a Fetched page; text is UTF-8, whatever was sent
	Hash        string // of the content: equal for two pages of equal elements and text, see [Known]
	Title       string
	Language    string      // as the page declares it, such as "en" or "pt-BR"
	Canonical   string      // the address the page gives as its own, or that of a Duplicate's original; "" if none
	Alternates  []Alternate // the page in other languages
	Links       []string    // paths, with their queries, that the page leads to on the site, in order, each once
}

// An Alternate is the address of a page in another language.
type Alternate struct {
	Language string // hreflang, such as "de" or "x-default"
	URL      string
}

// Known is what a caller keeps of a page from an earlier [Visit] that was
// Fetched or Unchanged: those fields of it. A page whose ETag or LastModified
// still holds costs one request without a body; where a server does not ask for
// that to be checked, equal Hash says the same after reading.
type Known struct {
	ETag, LastModified string
	Hash               string
	Canonical          string

	// Links are followed when the page is unchanged. Without them pages that
	// only it leads to are not found again.
	Links []string
}
