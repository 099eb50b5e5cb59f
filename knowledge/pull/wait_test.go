package pull_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

// A network is https://api.example.com in memory, whose requests take time on
// the clock of a test.
type network struct {
	serve http.HandlerFunc
	took  time.Duration
	fail  error // of the requests whose number is at most fails
	fails int
	asked []time.Time
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.asked = append(n.asked, time.Now())
	if n.took > 0 {
		select {
		case <-time.After(n.took):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	if len(n.asked) <= n.fails {
		return nil, n.fail
	}
	w := httptest.NewRecorder()
	n.serve(w, req)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// pauses are the times between the beginnings of requests.
func (n *network) pauses() []time.Duration {
	var list []time.Duration
	for i, at := range n.asked[1:] {
		list = append(list, at.Sub(n.asked[i]))
	}
	return list
}

func (n *network) pull(t testing.TB, opts *pull.Options, src pull.Source) pulled {
	t.Helper()
	src.URL = "https://api.example.com/items"
	if src.Mapping.Text == "" {
		src.Mapping = plain
	}
	return collect(t, newRun(t, newPuller(t, &http.Client{Transport: n}, opts), src, pull.Known{}))
}

func TestPauseBetweenRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for pause, want := range map[time.Duration]time.Duration{0: 200 * time.Millisecond, -1: 50 * time.Millisecond, time.Second: time.Second} {
			n := &network{took: 50 * time.Millisecond}
			n.serve = func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, encode(articles(len(n.asked)*10, max(0, 4-len(n.asked)))))
			}
			n.pull(t, &pull.Options{Pause: pause}, pull.Source{Pagination: pull.Pagination{Kind: pull.Page}})
			if got := n.pauses(); !slices.Equal(got, []time.Duration{want, want, want}) {
				t.Errorf("pauses = %v, want %v", got, want)
			}
		}
	})
}

func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }
	for name, c := range map[string]struct {
		status int
		header func(http.Header)
		took   time.Duration
		fails  pull.Kind
	}{
		"seconds": {429, func(h http.Header) { h.Set("Retry-After", "30") }, 30 * time.Second, ""},
		"busy":    {503, func(h http.Header) { h.Set("Retry-After", "30") }, 30 * time.Second, ""},
		"date": {429, func(h http.Header) {
			h.Set("Retry-After", time.Now().Add(20*time.Second).UTC().Format(http.TimeFormat))
		}, 20 * time.Second, ""},
		"nothing":       {429, func(http.Header) {}, 2 * time.Second, ""},
		"nonsense":      {429, func(h http.Header) { h.Set("Retry-After", "soon") }, 2 * time.Second, ""},
		"not a number":  {429, func(h http.Header) { h.Set("Retry-After", "NaN") }, 2 * time.Second, ""},
		"negative":      {429, func(h http.Header) { h.Set("Retry-After", "-5") }, 2 * time.Second, ""},
		"a fraction":    {429, func(h http.Header) { h.Set("Retry-After", "1.5") }, 1500 * time.Millisecond, ""},
		"reset time":    {429, func(h http.Header) { h.Set("X-RateLimit-Reset", in(40*time.Second)) }, 40 * time.Second, ""},
		"reset seconds": {429, func(h http.Header) { h.Set("RateLimit-Reset", "7") }, 7 * time.Second, ""},
		"forbidden for now": {403, func(h http.Header) {
			h.Set("X-RateLimit-Remaining", "0")
			h.Set("X-RateLimit-Reset", in(9*time.Second))
		}, 9 * time.Second, ""},
		"too long":           {429, func(h http.Header) { h.Set("Retry-After", "3600") }, 0, pull.KindRateLimit},
		"far too long":       {429, func(h http.Header) { h.Set("Retry-After", "1e300") }, 0, pull.KindRateLimit},
		"busy for too long":  {503, func(h http.Header) { h.Set("Retry-After", "61") }, 0, pull.KindNetwork},
		"forbidden for long": {403, func(h http.Header) { h.Set("Retry-After", "3600") }, 0, pull.KindRateLimit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{}
				n.serve = func(w http.ResponseWriter, _ *http.Request) {
					if len(n.asked) > 1 {
						fmt.Fprint(w, encode(articles(1, 1)))
						return
					}
					c.header(w.Header())
					w.WriteHeader(c.status)
				}
				got := n.pull(t, nil, pull.Source{})
				if took := got.report.Took.Round(100 * time.Millisecond); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if c.fails == "" {
					got.wantEnd(t, pull.EndDone, true)
				} else if e := got.wantErr(t, c.fails, ""); e.Status != c.status {
					t.Errorf("status = %d, want %d", e.Status, c.status)
				}
			})
		})
	}
}

func TestServersThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		requests int
		took     time.Duration
		kind     pull.Kind
		says     string
	}{
		"busy for ever":    {429, 5, 30 * time.Second, pull.KindRateLimit, "429 Too Many Requests 5 times"},
		"unavailable":      {503, 5, 30 * time.Second, pull.KindNetwork, "503 Service Unavailable"},
		"broken":           {500, 3, 3 * time.Second, pull.KindNetwork, "500 Internal Server Error: its server has failed"},
		"gateway":          {502, 3, 3 * time.Second, pull.KindNetwork, "502 Bad Gateway"},
		"not implemented":  {501, 1, 0, pull.KindNetwork, "501"},
		"no key":           {401, 1, 0, pull.KindAuth, "401 Unauthorized: the key or token in the headers is missing, wrong or expired"},
		"no right":         {403, 1, 0, pull.KindAuth, "403 Forbidden"},
		"not there":        {404, 1, 0, pull.KindNetwork, "404 Not Found: check the address"},
		"bad parameters":   {400, 1, 0, pull.KindNetwork, "400 Bad Request"},
		"an unknown code":  {499, 1, 0, pull.KindNetwork, "answered 499: "},
		"nobody asked":     {304, 1, 0, pull.KindNetwork, "304"},
		"redirect to none": {302, 1, 0, pull.KindNetwork, "302"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) }}
				got := n.pull(t, nil, pull.Source{})
				e := got.wantErr(t, c.kind, c.says)
				if e.Status != c.status || got.report.Requests != c.requests || got.report.Took.Round(time.Second) != c.took || got.report.Complete {
					t.Errorf("status %d after %d requests in %v, want %d, %d, %v", e.Status, got.report.Requests, got.report.Took, c.status, c.requests, c.took)
				}
			})
		})
	}
}

func TestConnectionsThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		fails int
		says  string
	}{
		"once":       {errors.New("connection reset"), 2, ""},
		"always":     {errors.New("connection reset"), 99, "broke off"},
		"dns":        {&net.DNSError{Err: "no such host", Name: "api.example.com", Server: "10.0.0.2"}, 99, "name could not be resolved"},
		"connection": {&net.OpError{Op: "dial", Err: errors.New("refused")}, 99, "no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{fail: c.err, fails: c.fails, serve: answer(encode(articles(1, 2)))}
				got := n.pull(t, nil, pull.Source{})
				if c.says == "" {
					got.wantEnd(t, pull.EndDone, true)
				} else if e := got.wantErr(t, pull.KindNetwork, c.says); e.Status != 0 || strings.Contains(e.Error(), "10.0.0.2") {
					t.Errorf("error = %+v", e)
				}
				if got.report.Requests != 3 || got.report.Took.Round(time.Second) != 3*time.Second {
					t.Errorf("%d requests in %v, want 3 with pauses of 1 s and 2 s", got.report.Requests, got.report.Took)
				}
			})
		})
	}
}

func TestServerThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{took: time.Hour}
		got := n.pull(t, nil, pull.Source{})
		got.wantErr(t, pull.KindNetwork, "no complete answer in time")
		if got.report.Took.Round(time.Second) != 93*time.Second {
			t.Errorf("took %v, want three times 30 s with 1 s and 2 s between", got.report.Took)
		}
	})
}

func TestBoundsOfARun(t *testing.T) {
	for name, c := range map[string]struct {
		opts  pull.Options
		src   pull.Source
		end   pull.End
		items int
	}{
		"time":                {pull.Options{MaxTime: 25 * time.Second}, pull.Source{}, pull.EndTime, 4},
		"bytes":               {pull.Options{MaxBytes: 400}, pull.Source{}, pull.EndBytes, 6},
		"pages":               {pull.Options{}, pull.Source{MaxPages: 3}, pull.EndPages, 6},
		"items":               {pull.Options{}, pull.Source{MaxItems: 5}, pull.EndItems, 5},
		"the operator's":      {pull.Options{MaxItems: 3}, pull.Source{MaxItems: 5}, pull.EndItems, 3},
		"the operator's, too": {pull.Options{MaxPages: 2}, pull.Source{MaxPages: 5}, pull.EndPages, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{took: 10 * time.Second}
				n.serve = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, encode(articles(len(n.asked)*10, 2))) }
				c.src.Pagination = pull.Pagination{Kind: pull.Page}
				got := n.pull(t, &c.opts, c.src)
				got.wantEnd(t, c.end, false)
				if len(got.report.Problems) != 1 {
					t.Errorf("problems = %v, want the bound", got.report.Problems)
				}
				if len(got.items) != c.items {
					t.Errorf("%d items, want %d", len(got.items), c.items)
				}
			})
		})
	}
}

// TestWaitBeyondTheEnd does not wait for what comes too late.
func TestWaitBeyondTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "50")
			w.WriteHeader(429)
		}}
		got := n.pull(t, &pull.Options{MaxTime: 30 * time.Second}, pull.Source{})
		got.wantEnd(t, pull.EndTime, false)
		if got.report.Took != 0 {
			t.Errorf("took %v, want nothing", got.report.Took)
		}
	})
}

func TestEndOfContextEndsARun(t *testing.T) {
	for name, took := range map[string]time.Duration{"while it is asked": 5 * time.Second, "while it waits": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{took: took}
				n.serve = func(w http.ResponseWriter, _ *http.Request) {
					if len(n.asked) > 1 {
						w.Header().Set("Retry-After", "50")
						w.WriteHeader(429)
						return
					}
					fmt.Fprint(w, encode(articles(1, 2)))
				}
				r := newRun(t, newPuller(t, &http.Client{Transport: n}, nil), pull.Source{URL: "https://api.example.com", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Page}}, pull.Known{})
				ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
				defer cancel()
				items := 0
				var last error
				for _, err := range r.Items(ctx) {
					if last = err; err == nil {
						items++
					}
				}
				rep := r.Report()
				if !errors.Is(last, context.DeadlineExceeded) || items != 2 || rep.End != pull.EndCanceled || rep.Complete || rep.Took.Round(time.Second) != 7*time.Second {
					t.Errorf("%d items, then %v; report %+v", items, last, rep)
				}
			})
		})
	}
}

func TestLeavingTheLoop(t *testing.T) {
	n := &network{}
	n.serve = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, encode(articles(len(n.asked)*10, 5))) }
	r := newRun(t, newPuller(t, &http.Client{Transport: n}, &pull.Options{Pause: -1}), pull.Source{URL: "https://api.example.com", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Page}}, pull.Known{})
	for it := range r.Items(t.Context()) {
		if it.Page == 2 {
			break
		}
	}
	if rep := r.Report(); rep.End != pull.EndCanceled || rep.Items != 6 || rep.Complete {
		t.Errorf("report = %+v", rep)
	}
	for _, err := range r.Items(t.Context()) {
		if err == nil {
			t.Error("a run was ranged over twice")
		}
	}
}
