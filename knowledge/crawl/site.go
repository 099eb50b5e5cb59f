package crawl

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A Site says what to crawl. Only URL is required.
type Site struct {
	// URL is where the crawl begins: http or https, and a host. If it redirects
	// to the other scheme or to the name with or without "www.", the site is
	// taken to be there.
	URL string

	// MaxPages bounds the pages that are fetched or unchanged. The default is 1,000.
	MaxPages int

	// MaxDepth bounds how many links from URL a page may be. Pages that a
	// sitemap lists are one link away. The default is 10; -1 is the page at URL
	// alone, and no sitemap is read for it.
	MaxDepth int

	// Include names the pages that are wanted; none means all. Exclude names
	// pages that are not, Include or no. A pattern is written as in robots.txt:
	// "/docs/" is each path that begins with it, "*" is any run of characters,
	// "$" at the end is the end of the path: "/*.pdf$", "/*?print=". It is
	// compared with path and query as they are in [Visit.URL]. URL itself is
	// read for its links even if it is not wanted.
	Include, Exclude []string

	// Sitemaps are addresses of sitemaps beside those robots.txt names and
	// /sitemap.xml, which is tried if it names none.
	Sitemaps []string

	// Recheck are pages to visit after all others, in case nothing leads to
	// them any more: what the caller keeps from earlier. Their links are not followed.
	Recheck []string

	// Only says of an address, written as in [Visit.URL], whether it is visited
	// at all; where one of them redirects is visited too. Nil means all are. It
	// is called by the goroutine that ranges over the visits.
	Only func(url string) bool

	// ExactHost makes https://example.com and https://www.example.com two
	// sites, and http and https too.
	ExactHost bool

	// MaxVariants bounds the addresses of one path that differ in the query
	// alone. The default is 100. What a sitemap lists is not counted, neither
	// here nor for MaxAlike.
	MaxVariants int

	// MaxAlike bounds the addresses whose paths differ in numbers alone, as
	// /2026/11/22 and /2026/11/23. The default is three quarters of MaxPages, but
	// 100 at least.
	MaxAlike int
}

// The most patterns of a site, and the bytes of one.
const (
	maxPatterns = 1000
	maxPattern  = 2000
)

// fill copies and checks s and puts the defaults in.
func (s *Site) fill() error {
	if min(s.MaxPages, s.MaxDepth+1, s.MaxVariants, s.MaxAlike) < 0 {
		return errors.New("a limit is negative; 0 means the default")
	}
	s.MaxPages = cmp.Or(s.MaxPages, 1000)
	s.MaxDepth = cmp.Or(s.MaxDepth, 10)
	s.MaxVariants = cmp.Or(s.MaxVariants, 100)
	s.MaxAlike = cmp.Or(s.MaxAlike, max(100, s.MaxPages*3/4))
	s.Include, s.Exclude = slices.Clone(s.Include), slices.Clone(s.Exclude)
	s.Sitemaps, s.Recheck = slices.Clone(s.Sitemaps), slices.Clone(s.Recheck)
	if len(s.Include)+len(s.Exclude) > maxPatterns {
		return fmt.Errorf("more than %d patterns in include and exclude", maxPatterns)
	}
	for i, p := range slices.Concat(s.Include, s.Exclude) {
		name, n := "include", i
		if i >= len(s.Include) {
			name, n = "exclude", i-len(s.Include)
		}
		if len(p) > maxPattern || !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*") {
			return fmt.Errorf("%s[%d] must begin with / or * and have at most %d bytes", name, n, maxPattern)
		}
	}
	return nil
}

// Check returns an error for a site that [Crawler.Crawl] would refuse.
func (s Site) Check() error {
	_, err := s.begin()
	return err
}

// begin fills in the defaults, checks, and returns where the crawl begins.
func (s *Site) begin() (*url.URL, error) {
	if err := s.fill(); err != nil {
		return nil, err
	}
	start, kind, ok := resolve(nil, s.URL)
	switch {
	case kind == "credentials":
		return nil, errors.New("the site's url holds a user name or password; leave them out")
	case !ok:
		return nil, errors.New("the site's url must begin with https:// or http:// and a host")
	}
	return start, nil
}

// A scope says which addresses are of a site, and how they are written.
type scope struct {
	scheme, host string // host with its port, unless that is the scheme's own
	exact        bool
}

func newScope(u *url.URL, exact bool) scope {
	return scope{scheme: u.Scheme, host: u.Host, exact: exact}
}

// origin is what every address of the site begins with.
func (s scope) origin() string { return s.scheme + "://" + s.host }

// url is the address of the page at key.
func (s scope) url(key string) *url.URL {
	path, query, _ := strings.Cut(key, "?")
	plain, err := url.PathUnescape(path)
	if err != nil { // not of a key, which is normal
		plain = path
	}
	return &url.URL{Scheme: s.scheme, Host: s.host, Path: plain, RawPath: path, RawQuery: query}
}

// has says whether u, a normal address, is of the site.
func (s scope) has(u *url.URL) bool {
	if s.exact {
		return u.Scheme == s.scheme && u.Host == s.host
	}
	return bare(u.Host) == bare(s.host)
}

// bare is a host's name without "www.".
func bare(host string) string { return strings.TrimPrefix(host, "www.") }

// A filter holds Include and Exclude.
type filter struct{ include, exclude []pattern }

func newFilter(s *Site) filter {
	f := filter{}
	for _, p := range s.Include {
		f.include = append(f.include, newPattern(p))
	}
	for _, p := range s.Exclude {
		f.exclude = append(f.exclude, newPattern(p))
	}
	return f
}

// wants says whether the page at key is wanted.
func (f *filter) wants(key string) bool {
	if len(f.include)+len(f.exclude) == 0 {
		return true
	}
	key = matchForm(key)
	matches := func(p pattern) bool { return p.match(key) }
	return (len(f.include) == 0 || slices.ContainsFunc(f.include, matches)) && !slices.ContainsFunc(f.exclude, matches)
}
