package pull

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

// Options are what an operator decides for all pulls. The zero value suits most.
type Options struct {
	// UserAgent is sent with every request whose source sets none. The default
	// is "answerdesk/1.0 (+https://github.com/answerdesk-go/answerdesk)".
	UserAgent string

	// Pause is the least time between the beginnings of two requests of a run.
	// The default is 200 ms, and none for hosts that are loopback addresses or
	// localhost; a negative Pause is none for all.
	Pause time.Duration

	// MaxRetryAfter bounds how long a page is waited for that answers 429 or
	// 503, each time; it is asked for again at most four times. A run that is
	// told to wait for longer fails. The default is 60 s.
	MaxRetryAfter time.Duration

	// PageTimeout bounds one request, to the last byte of its body. The default
	// is 30 s.
	PageTimeout time.Duration

	// MaxPageBytes bounds one page, unpacked. The default is 16 MiB.
	MaxPageBytes int64

	// MaxTime and MaxBytes bound one run: its time, and the bytes of all pages,
	// unpacked. The defaults are one hour and 1 GiB.
	MaxTime  time.Duration
	MaxBytes int64

	// MaxItems and MaxPages bound what a [Source] may ask for. The defaults are
	// 1,000,000 and 100,000. Of each item a run remembers 24 bytes.
	MaxItems, MaxPages int
}

// accepted is the Accept header, if a source has none.
const accepted = "application/json"

// fill copies the defaults in and checks.
func (o *Options) fill() error {
	if min(o.MaxRetryAfter, o.PageTimeout, o.MaxTime) < 0 || min(o.MaxPageBytes, o.MaxBytes) < 0 || min(o.MaxItems, o.MaxPages) < 0 {
		return errors.New("a limit is negative; 0 means the default")
	}
	o.UserAgent = cmp.Or(o.UserAgent, "answerdesk/1.0 (+https://github.com/answerdesk-go/answerdesk)")
	if strings.ContainsAny(o.UserAgent, "\r\n") {
		return errors.New("user agent holds a line end")
	}
	o.MaxRetryAfter = cmp.Or(o.MaxRetryAfter, time.Minute)
	o.PageTimeout = cmp.Or(o.PageTimeout, 30*time.Second)
	o.MaxPageBytes = cmp.Or(o.MaxPageBytes, 16<<20)
	o.MaxTime = cmp.Or(o.MaxTime, time.Hour)
	o.MaxBytes = cmp.Or(o.MaxBytes, 1<<30)
	o.MaxItems = cmp.Or(o.MaxItems, 1_000_000)
	o.MaxPages = cmp.Or(o.MaxPages, 100_000)
	return nil
}

// pause is the time between two requests to the host of u.
func (o *Options) pause(u *url.URL) time.Duration {
	if o.Pause != 0 {
		return max(o.Pause, 0)
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && addr.IsLoopback() || u.Hostname() == "localhost" {
		return 0
	}
	return 200 * time.Millisecond
}

// A Puller makes runs that share one client. It is safe for concurrent use.
type Puller struct {
	client *http.Client
	opts   Options
}

// New returns a puller that sends through client, which decides what may be
// reached: make it with the package internal/egress, with a MaxBody of at least
// MaxPageBytes. The puller follows redirects itself, within one host, and sends
// no cookies but those of a source's header, whatever client would do. A nil
// opts means the defaults written on [Options].
func New(client *http.Client, opts *Options) (*Puller, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if err := o.fill(); err != nil {
		return nil, fmt.Errorf("pull options: %w", err)
	}
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Puller{client: &own, opts: o}, nil
}

// Known is what an earlier run learned of a list, from its [Report]. It is of no
// use for a source that differs in more than its header; [Puller.Pull] finds
// that out by itself.
type Known struct {
	ETag         string `json:"etag,omitzero"`
	LastModified string `json:"last_modified,omitzero"`
	Source       string `json:"source,omitzero"` // a hash of what was pulled, and how it was read
}

// Pull returns a run over src, which does nothing before [Run.Items]. With what
// is known from an earlier run, a list that has not changed costs one request
// without a body; the zero Known asks for everything. The error is a
// [*FieldError] for a source that cannot be pulled as it is written.
func (p *Puller) Pull(src Source, known Known) (*Run, error) {
	plan, err := newPlan(src, true)
	if err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	plan.MaxItems, plan.MaxPages = min(plan.MaxItems, p.opts.MaxItems), min(plan.MaxPages, p.opts.MaxPages)
	run := p.run(plan)
	if known.Source == plan.fingerprint() {
		run.known = known
	}
	return run, nil
}

func (p *Puller) run(plan *plan) *Run {
	return &Run{puller: p, plan: plan, pause: p.opts.pause(plan.url)}
}
