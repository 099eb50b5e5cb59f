package crawl

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Options are what an operator decides for all crawls. The zero value suits most.
type Options struct {
	// UserAgent is sent with every request. It should begin with [Agent], the
	// name robots.txt is obeyed under, and say where a webmaster can ask. The
	// default is "answerdesk/1.0 (+" + AboutURL + ")".
	UserAgent string

	// AboutURL is a page that says who crawls and why. The default is the
	// project's own.
	AboutURL string

	// Parallel is how many requests go to one host at a time. The default is 1.
	Parallel int

	// Pause is the least time between the beginnings of two requests to one
	// host. The default is 200 ms, and none for hosts that are loopback addresses
	// or localhost; a negative Pause is none for all.
	Pause time.Duration

	// MaxPause bounds the pause that a Crawl-delay in robots.txt asks for. The
	// default is 10 s.
	MaxPause time.Duration

	// MaxRetryAfter bounds how long a page that answers 429 or 503 is waited
	// for before it is asked for again, at most twice. A page that asks for
	// more has failed. The default is 60 s.
	MaxRetryAfter time.Duration

	// PageTimeout bounds one request, to the last byte of its body. The
	// default is 30 s.
	PageTimeout time.Duration

	// MaxPageBytes bounds one page, unpacked. The default is 10 MiB.
	MaxPageBytes int64

	// MaxTime and MaxBytes bound one run: its time, and the bytes of all bodies,
	// unpacked. The defaults are one hour and 1 GiB.
	MaxTime  time.Duration
	MaxBytes int64

	// MaxURLs bounds the addresses of a site that one run remembers, and with
	// them what it keeps in memory: 200 bytes an address on average. The
	// default is 50,000, or twice Site.MaxPages if that is more.
	MaxURLs int
}

// fill copies the defaults in and checks.
func (o *Options) fill() error {
	if min(o.Parallel, o.MaxURLs) < 0 || min(o.MaxPageBytes, o.MaxBytes) < 0 || min(o.MaxPause, o.MaxRetryAfter, o.PageTimeout, o.MaxTime) < 0 {
		return errors.New("a limit is negative; 0 means the default")
	}
	o.AboutURL = cmp.Or(o.AboutURL, "https://github.com/answerdesk-go/answerdesk")
	o.UserAgent = cmp.Or(o.UserAgent, Agent+"/1.0 (+"+o.AboutURL+")")
	if strings.ContainsAny(o.UserAgent, "\r\n") {
		return errors.New("user agent holds a line end")
	}
	o.Parallel = cmp.Or(o.Parallel, 1)
	o.MaxPause = cmp.Or(o.MaxPause, 10*time.Second)
	o.MaxRetryAfter = cmp.Or(o.MaxRetryAfter, time.Minute)
	o.PageTimeout = cmp.Or(o.PageTimeout, 30*time.Second)
	o.MaxPageBytes = cmp.Or(o.MaxPageBytes, 10<<20)
	o.MaxTime = cmp.Or(o.MaxTime, time.Hour)
	o.MaxBytes = cmp.Or(o.MaxBytes, 1<<30)
	return nil
}

// pause is the time between two requests to host.
func (o *Options) pause(host string) time.Duration {
	if o.Pause != 0 {
		return max(o.Pause, 0)
	}
	name := (&url.URL{Host: host}).Hostname()
	if addr, err := netip.ParseAddr(name); err == nil && addr.IsLoopback() || name == "localhost" {
		return 0
	}
	return 200 * time.Millisecond
}

// A Crawler makes runs that share one client and are polite together: they
// wait for each other where they visit the same host. It is safe for
// concurrent use.
type Crawler struct {
	client *http.Client
	opts   Options
	gates  gates
}

// New returns a crawler that sends through client, which decides what may be
// reached: make it with the package internal/egress, with a MaxBody of at least
// MaxPageBytes, and 50 MiB for the largest sitemaps. The crawler follows
// redirects itself and sends no cookies, whatever client would do. A nil opts
// means the defaults written on [Options].
func New(client *http.Client, opts *Options) (*Crawler, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if err := o.fill(); err != nil {
		return nil, fmt.Errorf("crawl options: %w", err)
	}
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Crawler{client: &own, opts: o}, nil
}

// Crawl returns a run over site, which does nothing before [Run.Visits].
//
// known tells what an earlier crawl learned of the page at an address as
// [Visit.URL] has it, and false of a page whose content the caller does not
// keep. It is called from several goroutines; nil means that nothing is known.
func (c *Crawler) Crawl(site Site, known func(url string) (Known, bool)) (*Run, error) {
	start, err := site.begin()
	if err != nil {
		return nil, fmt.Errorf("crawl: %w", err)
	}
	if known == nil {
		known = func(string) (Known, bool) { return Known{}, false }
	}
	r := &Run{crawler: c, site: site, known: known, start: start, scope: newScope(start, site.ExactHost), filter: newFilter(&site)}
	r.report.URL = text(start)
	r.report.Outcomes, r.report.Reasons = map[Outcome]int{}, map[Reason]int{}
	r.report.Elsewhere, r.report.Ignored = map[string]int{}, map[string]int{}
	return r, nil
}
