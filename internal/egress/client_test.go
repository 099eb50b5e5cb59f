package egress_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

func Example() {
	out, err := egress.New(nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(out.CheckURL("https://example.com/hook"))
	fmt.Println(out.CheckURL("https://example.com:6379/"))

	err = out.CheckURL("https://169.254.169.254/latest/meta-data/")
	fmt.Println(err)
	if e, ok := errors.AsType[*egress.Error](err); ok {
		fmt.Println("for the operator:", e.Detail())
	}
	// Output:
	// <nil>
	// refused: url's port is not allowed; use the standard one
	// refused: the host's address is not one this server may call; its operator can allow more
	// for the operator: the host's address is not one this server may call; its operator can allow more: 169.254.169.254 is in 169.254.0.0/16 (link-local and cloud metadata, RFC 3927)
}

func TestNewRefusesBadOptions(t *testing.T) {
	for name, opts := range map[string]*egress.Options{
		"zero prefix":      {Allow: []netip.Prefix{{}}},
		"mapped prefix":    {Deny: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.0"), 104)}},
		"port 0":           {Ports: []uint16{8443, 0}},
		"negative size":    {MaxBody: -1},
		"negative header":  {MaxHeader: -1},
		"negative follow":  {Redirects: -1},
		"negative time":    {Timeout: -1},
		"negative connect": {ConnectTimeout: -1},
		"negative wait":    {HeaderTimeout: -1},
	} {
		if _, err := egress.New(opts); err == nil {
			t.Errorf("New with %s = nil, want an error", name)
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	opts := &egress.Options{Allow: prefixes("10.0.0.0/8"), Ports: []uint16{8443}}
	c := newClient(t, opts)
	opts.Allow[0], opts.Ports[0] = prefixes("192.168.0.0/16")[0], 22
	if err := c.CheckURL("https://10.0.0.1:8443/"); err != nil {
		t.Errorf("CheckURL = %v after the caller changed its options, want nil", err)
	}
	if err := c.CheckURL("https://192.168.0.1:22/"); err == nil {
		t.Error("CheckURL = nil for what the caller added later, want refused")
	}
}

func TestCheckURL(t *testing.T) {
	strict := newClient(t, nil)
	open := newClient(t, &egress.Options{
		AllowHTTP: true, Ports: []uint16{8443},
		Allow: prefixes("10.0.0.0/8", "fd00::/8"), Deny: prefixes("10.9.0.0/16", "8.8.8.8/32"),
	})
	for _, tt := range []struct {
		url          string
		strict, open bool // allowed
	}{
		{"https://example.com", true, true},
		{"https://example.com:443/a?b=c", true, true},
		{"https://example.com:/", true, true},
		{"HTTPS://EXAMPLE.COM./", true, true},
		{"https://münchen.example/", true, true},
		{"https://8.8.4.4/", true, true},
		{"https://[2606:4700:4700::1111]/", true, true},
		{"https://8.8.8.8/", true, false},
		{"https://[::ffff:8.8.8.8]/", true, false},
		{"https://10.1.2.3/", false, true},
		{"https://[::ffff:10.1.2.3]/", false, true},
		{"https://10.9.2.3/", false, false},
		{"https://[fd12::1]/", false, true},
		{"https://127.0.0.1/", false, false},
		{"http://example.com/", false, true},
		{"http://example.com:80/", false, true},
		{"http://example.com:443/", false, false},
		{"https://example.com:80/", false, false},
		{"https://example.com:8443/", false, true},
		{"http://example.com:8443/", false, true},
		{"https://example.com:08443/", false, true},
		{"https://example.com/" + strings.Repeat("x", 8<<10), false, false},
	} {
		for c, want := range map[*egress.Client]bool{strict: tt.strict, open: tt.open} {
			if err := c.CheckURL(tt.url); (err == nil) != want || err != nil && class(err) != egress.Refused {
				t.Errorf("CheckURL(%.60q) with open=%v = %v, want allowed %v", tt.url, c == open, err, want)
			}
		}
	}
}

// Every public address of the big resolvers and clouds must stay reachable:
// a deny list that grows too wide is a bug as well.
func TestPublicAddressesAreAllowed(t *testing.T) {
	c := newClient(t, nil)
	for _, addr := range []string{
		"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
		"[2000::]", "[2001:200::]", "[2001:db7:ffff::]", "[2001:db9::]", "[2003::]", "[2606:4700::1]", "[2620:4f:7fff::]", "[2620:4f:8001::]",
		"[2a00:1450::1]", "[3ffe::]", "[3fff:1000::]",
	} {
		if err := c.CheckURL("https://" + addr + "/"); err != nil {
			t.Errorf("CheckURL(%s) = %v, want nil", addr, err)
		}
	}
}

func TestAllowedRangeIsDialled(t *testing.T) {
	opts, port := public(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	c := newClient(t, opts)
	for _, host := range []string{"a.example", "127.0.0.1"} {
		resp, d, err := get(t, c, "https://"+host+":"+port+"/")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "HTTP/2.0" {
			t.Errorf("get %s = %q (%v), want HTTP/2.0", host, body, err)
		}
		if want := []string{"127.0.0.1:" + port}; !slices.Equal(d.connected(), want) {
			t.Errorf("get %s dialled %v, want %v", host, d.connected(), want)
		}
	}
}

func TestRedirectsWithinTheOrigin(t *testing.T) {
	for _, tt := range []struct {
		follow, status, asked int
		path                  string
	}{
		{0, 302, 1, "/0"}, {1, 302, 2, "/1"}, {3, 302, 4, "/3"}, {4, 200, 5, "/4"}, {9, 200, 5, "/4"},
	} {
		var asked atomic.Int32
		opts, port := public(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			n, _ := strconv.Atoi(r.URL.Path[1:])
			if n < 4 {
				http.Redirect(w, r, fmt.Sprintf("https://A.example:%s/%d#part", r.Host[strings.Index(r.Host, ":")+1:], n+1), 302)
			}
		})
		opts.Redirects = tt.follow
		resp, _, err := get(t, newClient(t, opts), "https://a.example:"+port+"/0")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status || int(asked.Load()) != tt.asked || resp.Request.URL.Path != tt.path {
			t.Errorf("following %d = %d at %s after %d requests, want %d at %s after %d",
				tt.follow, resp.StatusCode, resp.Request.URL.Path, asked.Load(), tt.status, tt.path, tt.asked)
		}
	}
}

// A redirect may be followed because the origin is the same, and still be
// refused because its name means something else by then.
func TestFollowedRedirectIsCheckedAgain(t *testing.T) {
	var answer atomic.Pointer[[]string]
	answer.Store(&[]string{"127.0.0.1"})
	opts, port := public(t, func(w http.ResponseWriter, r *http.Request) {
		answer.Store(&[]string{"10.0.0.1"})
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, "/next", 302)
	})
	opts.Redirects = 1
	opts.Resolver = resolver(func(string) []string { return *answer.Load() })
	resp, d, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
	if resp != nil {
		resp.Body.Close()
	}
	if class(err) != egress.Refused || !slices.Equal(d.connected(), []string{"127.0.0.1:" + port}) {
		t.Errorf("got %v after dialling %v, want refused after the first", err, d.connected())
	}
}

func TestErrorsNameNoAddress(t *testing.T) {
	const closed = 1 // no one that is free for now, which another process may be given
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	late, end := context.WithTimeoutCause(t.Context(), time.Nanosecond, errors.New("too late"))
	defer end()
	<-late.Done()

	ports := []uint16{closed}
	names := resolver(zone(map[string][]string{"a.example": {"127.0.0.1"}}))
	for _, tt := range []struct {
		ctx    context.Context
		host   string
		header string
		want   string
	}{
		{t.Context(), "a.example", "", "connect: connection refused"},
		{t.Context(), "none.example", "", "name: the host's name does not exist"},
		{canceled, "a.example", "", "canceled: the caller gave up"},
		{late, "a.example", "", "timeout: no complete answer in time"},
		{t.Context(), "a.example", "a\nb", "broken: the request could not be sent or its answer not be read"},
	} {
		c := newClient(t, &egress.Options{Allow: prefixes("127.0.0.0/8"), Ports: ports, Resolver: names})
		req, err := http.NewRequestWithContext(tt.ctx, "GET", fmt.Sprintf("https://%s:%d/", tt.host, closed), nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.header != "" {
			req.Header.Set("X-Mine", tt.header)
		}
		_, err = c.RoundTrip(req)
		e, ok := errors.AsType[*egress.Error](err)
		if !ok || e.Error() != tt.want {
			t.Errorf("get %s = %v, want %s", tt.host, err, tt.want)
			continue
		}
		if e.Unwrap() == nil || !strings.Contains(e.Detail(), e.Unwrap().Error()) {
			t.Errorf("Detail() = %q, want the cause %v in it", e.Detail(), e.Unwrap())
		}
		if e.Timeout() != (e.Class == egress.Timeout) {
			t.Errorf("Timeout() = %v for %v", e.Timeout(), e)
		}
	}
}

func TestUnreadableLocation(t *testing.T) {
	opts, port := public(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://[::1")
		w.WriteHeader(302)
	})
	if _, _, err := get(t, newClient(t, opts), "https://a.example:"+port+"/"); class(err) != egress.Broken {
		t.Errorf("get = %v, want broken", err)
	}
}

func TestRefusalIsLoggedForTheOperator(t *testing.T) {
	var buf bytes.Buffer
	c := newClient(t, &egress.Options{
		Logger:   slog.New(slog.NewTextHandler(&buf, nil)),
		Resolver: resolver(zone(map[string][]string{"a.example": {"10.1.2.3"}})),
	})
	_, _, err := get(t, c, "https://a.example/?token=secret")
	if class(err) != egress.Refused {
		t.Fatalf("get = %v, want refused", err)
	}
	for _, want := range []string{"level=WARN", "address=10.1.2.3:443", "10.0.0.0/8 (private use, RFC 1918)"} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("log %q has no %q", buf.String(), want)
		}
	}
	if strings.Contains(buf.String(), "secret") {
		t.Errorf("log %q holds the URL's secret", buf.String())
	}
}

// TestMain puts a proxy into the environment that answers nobody, before
// anything reads it: a request that asked for it would fail.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		os.Setenv(name, "http://127.0.0.1:1")
	}
	os.Unsetenv("NO_PROXY")
	os.Unsetenv("no_proxy")
	os.Exit(m.Run())
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	opts, port := public(t, func(http.ResponseWriter, *http.Request) {})
	resp, d, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if want := []string{"127.0.0.1:" + port}; !slices.Equal(d.connected(), want) {
		t.Errorf("dialled %v, want %v", d.connected(), want)
	}
}

func TestRequestEndsWithItsBody(t *testing.T) {
	opts, port := public(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "x") })
	resp, _, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Request.Context().Err(); err != nil {
		t.Errorf("the request has ended with %v before its body was read", err)
	}
	resp.Body.Close()
	if err := resp.Request.Context().Err(); err != context.Canceled {
		t.Errorf("the request's context is %v after its body was closed, want canceled", err)
	}
}

func TestNothingIsRemembered(t *testing.T) {
	opts, port := public(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 {
			t.Errorf("request carries %v", r.Cookies())
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	open, url := newClient(t, opts), "https://a.example:"+port+"/"
	for range 2 {
		resp, _, err := get(t, open, url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	strict := *opts // while the first client still has its connection
	strict.Allow = nil
	_, d, err := get(t, newClient(t, &strict), url)
	wantRefused(t, "what another client has a connection to", d, err)
}

// A closer says whether a request's body was closed, as a round tripper must.
type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestRefusedRequestBodyIsClosed(t *testing.T) {
	c := newClient(t, nil)
	body := &closer{Reader: strings.NewReader("x")}
	_, err := c.RoundTrip(&http.Request{Method: "POST", URL: &url.URL{Scheme: "https", Host: "10.0.0.1"}, Body: body})
	if class(err) != egress.Refused || !body.closed {
		t.Errorf("RoundTrip = %v, closed %v, want refused and closed", err, body.closed)
	}
	opaque := &url.URL{Scheme: "https", Host: "example.com", Opaque: "//10.0.0.1/"}
	if _, err := c.RoundTrip(&http.Request{Method: "GET", URL: opaque}); class(err) != egress.Refused {
		t.Errorf("RoundTrip of an opaque URL = %v, want refused", err)
	}
	if _, err := c.RoundTrip(&http.Request{Method: "GET"}); class(err) != egress.Refused {
		t.Errorf("RoundTrip without a URL = %v, want refused", err)
	}
}

func TestPlainHTTP(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "plain") }))
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	opts := &egress.Options{Allow: prefixes("127.0.0.1/32"), Ports: []uint16{at.Port()}}
	if _, d, err := get(t, newClient(t, opts), srv.URL); class(err) != egress.Refused || len(d.connected()) > 0 {
		t.Errorf("get %s = %v, want refused", srv.URL, err)
	}
	opts.AllowHTTP = true
	resp, _, err := get(t, newClient(t, opts), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "plain" || err != nil {
		t.Errorf("body = %q (%v), want plain", body, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	opts, port := public(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.RawQuery) })
	c := newClient(t, opts)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			host := []string{"a.example", "b.example", "10.0.0.1"}[i%3]
			resp, _, err := get(t, c, fmt.Sprintf("https://%s:%s/?%d", host, port, i))
			if i%3 == 2 {
				if class(err) != egress.Refused {
					t.Errorf("get %s = %v, want refused", host, err)
				}
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); string(body) != strconv.Itoa(i) || err != nil {
				t.Errorf("body = %q (%v), want %d", body, err, i)
			}
		})
	}
	wg.Wait()
}
