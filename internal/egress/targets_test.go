package egress_test

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

// A target is a row of the table of ways to reach what should not be reached.
type target struct {
	row   int
	what  string
	addrs []string           // written in a URL and answered for a name: both refused
	hosts []string           // names that a lenient resolver takes for 127.0.0.1
	urls  []string           // refused before anything is resolved
	run   func(t *testing.T) // what takes more than one request
}

var targets = []target{
	{row: 1, what: "loopback", addrs: []string{"127.0.0.1", "127.255.255.254"}},
	{row: 2, what: "unspecified", addrs: []string{"0.0.0.0"}},
	{row: 3, what: "this network", addrs: []string{"0.1.2.3"}},
	{row: 4, what: "private", addrs: []string{"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"}},
	{row: 5, what: "cloud metadata", addrs: []string{"169.254.169.254"}},
	{row: 6, what: "ECS metadata", addrs: []string{"169.254.170.2"}},
	{row: 7, what: "carrier NAT", addrs: []string{"100.64.0.1"}},
	{row: 8, what: "Alibaba metadata", addrs: []string{"100.100.100.200"}},
	{row: 9, what: "Oracle metadata", addrs: []string{"192.0.0.192"}},
	{row: 10, what: "Azure host", addrs: []string{"168.63.129.16"}},
	{row: 11, what: "documentation", addrs: []string{"192.0.2.1", "198.51.100.1", "203.0.113.1"}},
	{row: 12, what: "benchmarking", addrs: []string{"198.18.0.1"}},
	{row: 13, what: "6to4 relay", addrs: []string{"192.88.99.1"}},
	{row: 14, what: "multicast", addrs: []string{"224.0.0.1"}},
	{row: 15, what: "SSDP multicast", addrs: []string{"239.255.255.250"}},
	{row: 16, what: "reserved and broadcast", addrs: []string{"240.0.0.1", "255.255.255.255"}},
	{row: 17, what: "IPv6 loopback and unspecified", addrs: []string{"::1", "::"}},
	{row: 18, what: "mapped loopback and metadata", addrs: []string{"::ffff:127.0.0.1", "::ffff:a9fe:a9fe"}},
	{row: 19, what: "mapped private", addrs: []string{"::ffff:10.0.0.1"}},
	{row: 20, what: "compatible loopback", addrs: []string{"::127.0.0.1"}},
	{row: 21, what: "translated loopback", addrs: []string{"::ffff:0:127.0.0.1"}},
	{row: 22, what: "NAT64", addrs: []string{"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"}},
	{row: 23, what: "local NAT64", addrs: []string{"64:ff9b:1::a9fe:a9fe"}},
	{row: 24, what: "6to4 of loopback", addrs: []string{"2002:7f00:1::"}},
	{row: 25, what: "6to4 of metadata", addrs: []string{"2002:a9fe:a9fe::"}},
	{row: 26, what: "Teredo", addrs: []string{"2001:0:4136:e378:8000:63bf:3fff:fdd2"}},
	{row: 27, what: "AWS metadata", addrs: []string{"fd00:ec2::254"}},
	{row: 28, what: "Google metadata", addrs: []string{"fd20:ce::254"}},
	{row: 29, what: "IPv6 link-local", addrs: []string{"fe80::1", "fe80::a9fe:a9fe"}},
	{row: 30, what: "site-local", addrs: []string{"fec0::1"}},
	{row: 31, what: "IPv6 multicast", addrs: []string{"ff02::1"}},
	{row: 32, what: "discard", addrs: []string{"100::1"}},
	{row: 33, what: "dummy", addrs: []string{"100:0:0:1::1"}},
	{row: 34, what: "IPv6 documentation", addrs: []string{"2001:db8::1"}},
	{row: 35, what: "new IPv6 documentation", addrs: []string{"3fff::1"}},
	{row: 36, what: "segment routing", addrs: []string{"5f00::1"}},
	{row: 37, what: "IPv6 benchmarking and AS112", addrs: []string{"2001:2::1", "2620:4f:8000::1"}},
	{row: 38, what: "unassigned", addrs: []string{"4000::1"}},
	{row: 39, what: "zones", urls: []string{"https://[::1%25lo]/", "https://[fe80::1%25eth0]/", "https://[fd00::1%25eth0]/", "https://[2606:4700::1%25eth0]/", "https://[::ffff:8.8.8.8%25eth0]/", "https://[::1%25]/"}},
	{row: 40, what: "numbers as names", hosts: []string{"2130706433", "0x7f000001", "017700000001", "127.1", "0"}},
	{row: 41, what: "numbers in other scripts", hosts: []string{"①②⑦.⓪.⓪.①", "127。0。0。1"}},
	{row: 42, what: "localhost", hosts: []string{"localhost", "localhost.", "LOCALHOST", "foo.localhost"}},
	{row: 43, what: "userinfo", urls: []string{"https://good.example@127.0.0.1/", "https://127.0.0.1%2f@example.com/", "https://:@example.com/", "https://@example.com/"}},
	{row: 44, what: "not a URL of ours", urls: []string{
		`http://127.0.0.1\@example.com`, `https://127.0.0.1\@example.com`, "https://127.0.0.1\t", "http:127.0.0.1", "https:127.0.0.1",
		"http:///x", "https:///x", "https://", "//h", "h", "", "gopher://127.0.0.1/", "file:///etc/passwd", "ftp://example.com/",
		"javascript:alert(1)", "data:text/plain,x", "http://example.com/", "HTTP://example.com/", "https://example.com/#f", "https://example.com/#",
	}},
	{row: 45, what: "ports", urls: []string{
		"https://example.com:0/", "https://example.com:65536/", "https://example.com:22/", "https://example.com:25/", "https://example.com:6379/",
		"https://example.com:80/", "https://example.com:-1/", "https://example.com:443x/", "https://example.com:65979/", "https://:443/",
	}},
	{row: 46, what: "redirects and Alt-Svc", run: testRedirects},
	{row: 47, what: "rebinding", run: testRebinding},
	{row: 48, what: "mixed answers, CNAME, own address, own port", run: testMixed},
}

func TestTargets(t *testing.T) {
	for i, row := range targets {
		if row.row != i+1 {
			t.Fatalf("row %d stands in place %d", row.row, i+1)
		}
		t.Run(strconv.Itoa(row.row)+" "+row.what, func(t *testing.T) {
			for _, addr := range row.addrs {
				testAddress(t, addr)
			}
			for _, host := range row.hosts {
				testName(t, host)
			}
			for _, url := range row.urls {
				testURL(t, url)
			}
			if row.run != nil {
				row.run(t)
			}
		})
	}
}

// testAddress checks that addr is refused in a URL, and as what a name means
// without the owner of the name being told so.
func testAddress(t *testing.T, addr string) {
	t.Helper()
	literal := "https://" + addr + "/"
	if netip.MustParseAddr(addr).Is6() {
		literal = "https://[" + addr + "]/"
	}
	testURL(t, literal)

	c := newClient(t, &egress.Options{Resolver: resolver(zone(map[string][]string{"name.example": {addr}}))})
	if err := c.CheckURL("https://name.example/"); err != nil {
		t.Errorf("CheckURL of a name = %v, want nil", err)
	}
	_, d, err := get(t, c, "https://name.example/")
	wantRefused(t, "a name that means "+addr, d, err)
	plain := netip.MustParseAddr(addr).Unmap().String()
	if e, ok := errors.AsType[*egress.Error](err); ok && !strings.Contains(e.Detail(), plain) {
		t.Errorf("Detail() = %q, want it to name %s", e.Detail(), plain)
	}
	if strings.Contains(err.Error(), plain) {
		t.Errorf("Error() = %q tells the address", err)
	}
}

// testName checks that host, taken for 127.0.0.1, leads nowhere. Go's own
// resolver does not look up names made of digits alone: TestNumbersAsNames
// asks the system's.
func testName(t *testing.T, host string) {
	t.Helper()
	c := newClient(t, &egress.Options{Resolver: resolver(func(string) []string { return []string{"127.0.0.1"} })})
	resp, d, err := get(t, c, "https://"+host+"/")
	if err == nil {
		resp.Body.Close()
	}
	if got := class(err); got != egress.Refused && got != egress.Name {
		t.Errorf("get %s = class %q (%v), want refused, or name", host, got, err)
	}
	if len(d.connected()) > 0 {
		t.Errorf("get %s dialled %v", host, d.connected())
	}
}

// testURL checks that raw is refused when it is saved and when it is asked for.
func testURL(t *testing.T, raw string) {
	t.Helper()
	asked := false
	c := newClient(t, &egress.Options{Resolver: resolver(func(string) []string { asked = true; return nil })})
	if err := c.CheckURL(raw); class(err) != egress.Refused {
		t.Errorf("CheckURL(%q) = %v, want refused", raw, err)
	}
	u, err := url.Parse(raw)
	if err != nil || strings.HasSuffix(raw, "#") {
		return // cannot become a request, or the request has nothing left to refuse
	}
	d := new(dials)
	_, err = c.RoundTrip((&http.Request{Method: "GET", URL: u}).WithContext(d.trace(t.Context())))
	wantRefused(t, raw, d, err)
	if asked {
		t.Errorf("%q was resolved", raw)
	}
}

func wantRefused(t *testing.T, what string, d *dials, err error) {
	t.Helper()
	if class(err) != egress.Refused {
		t.Errorf("get %s = %v, want refused", what, err)
	}
	if len(d.connected()) > 0 {
		t.Errorf("get %s dialled %v", what, d.connected())
	}
}

// public returns a TLS server on 127.0.0.1, options that make this one address
// stand for a public one, and the server's port.
func public(t *testing.T, h http.HandlerFunc) (*egress.Options, string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that were not needed in the end
	cert, pool := certificate(t, time.Now().Add(time.Hour), "a.example", "b.example")
	srv.TLS = tlsConfig(cert)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	return &egress.Options{
		Allow:    prefixes("127.0.0.1/32"),
		Ports:    []uint16{at.Port()},
		RootCAs:  pool,
		Resolver: resolver(zone(map[string][]string{"a.example": {"127.0.0.1"}, "b.example": {"127.0.0.1"}})),
	}, strconv.Itoa(int(at.Port()))
}

func testRedirects(t *testing.T) {
	for _, tt := range []struct {
		status int
		to     string
	}{
		{302, "https://169.254.169.254/latest/meta-data/"},
		{307, "https://169.254.169.254/latest/meta-data/"},
		{302, "http://169.254.169.254/latest/meta-data/"},
		{302, "https://b.example:PORT/"},
		{302, "https://a.example/"}, // another port
		{308, "http://a.example:PORT/"},
		{302, "file:///etc/passwd"},
		{302, "//127.0.0.2:PORT/"},
	} {
		for _, follow := range []int{0, 5} {
			var asked atomic.Int32
			var port string
			opts, p := public(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				w.Header().Set("Location", strings.ReplaceAll(tt.to, "PORT", port))
				w.WriteHeader(tt.status)
			})
			port = p
			opts.AllowHTTP, opts.Redirects = true, follow
			resp, d, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
			if err != nil {
				t.Fatalf("%d to %s: %v", tt.status, tt.to, err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.status || asked.Load() != 1 {
				t.Errorf("%d to %s = %d after %d requests, want the redirect itself", tt.status, tt.to, resp.StatusCode, asked.Load())
			}
			if want := "127.0.0.1:" + port; len(d.connected()) != 1 || d.connected()[0] != want || len(d.refused) > 0 {
				t.Errorf("%d to %s dialled %v and tried %v, want %s alone", tt.status, tt.to, d.connected(), d.refused, want)
			}
		}
	}
	t.Run("Alt-Svc", func(t *testing.T) {
		opts, port := public(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Alt-Svc", `h2="127.0.0.2:443"; ma=3600, h3=":443"; ma=3600`)
		})
		c := newClient(t, opts)
		for range 3 {
			resp, d, err := get(t, c, "https://a.example:"+port+"/")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			c.CloseIdleConnections()
			if want := "127.0.0.1:" + port; len(d.connected()) != 1 || d.connected()[0] != want || len(d.refused) > 0 {
				t.Errorf("dialled %v and tried %v, want %s alone", d.connected(), d.refused, want)
			}
		}
	})
}

// witness listens where nothing may come, and fails the test when it does.
func witness(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		return // this machine has no such loopback; the record of dials decides alone
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		if conn, err := l.Accept(); err == nil {
			conn.Close()
			t.Errorf("a connection came to %s", address)
		}
	}()
}

func testRebinding(t *testing.T) {
	opts, port := public(t, func(http.ResponseWriter, *http.Request) {})
	witness(t, "127.0.0.2:"+port)
	witness(t, "[::1]:"+port)
	var answer atomic.Pointer[[]string]
	answer.Store(&[]string{"127.0.0.1"})
	opts.Resolver = resolver(func(string) []string { return *answer.Load() })
	c := newClient(t, opts)
	url := "https://a.example:" + port + "/"

	if err := c.CheckURL(url); err != nil {
		t.Fatalf("CheckURL = %v", err)
	}
	resp, d, err := get(t, c, url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := d.connected(); len(got) != 1 || got[0] != "127.0.0.1:"+port {
		t.Errorf("first request dialled %v, want 127.0.0.1:%s", got, port)
	}
	c.CloseIdleConnections()
	for _, second := range []string{"127.0.0.2", "::1", "10.0.0.1", "169.254.169.254"} {
		answer.Store(&[]string{second})
		_, d, err := get(t, c, url)
		wantRefused(t, "a name that now means "+second, d, err)
	}
}

func testMixed(t *testing.T) {
	t.Run("answers", func(t *testing.T) {
		for _, answers := range [][]string{
			{"127.0.0.1", "::1"},
			{"::1", "127.0.0.1"},
			{"127.0.0.2", "127.0.0.1", "10.0.0.1", "fd00:ec2::254"},
			{"::1", "fe80::1", "169.254.169.254", "127.0.0.1"},
		} {
			opts, port := public(t, func(http.ResponseWriter, *http.Request) {})
			witness(t, "127.0.0.2:"+port)
			witness(t, "[::1]:"+port)
			opts.Resolver = resolver(zone(map[string][]string{"a.example": answers}))
			resp, d, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
			if err != nil {
				t.Fatalf("%v: %v", answers, err)
			}
			resp.Body.Close()
			if got := d.connected(); len(got) != 1 || got[0] != "127.0.0.1:"+port {
				t.Errorf("%v dialled %v, want 127.0.0.1:%s", answers, got, port)
			}
		}
	})
	t.Run("CNAME", func(t *testing.T) {
		c := newClient(t, &egress.Options{Resolver: resolver(zone(map[string][]string{
			"a.example":                {"metadata.google.internal"},
			"metadata.google.internal": {"169.254.169.254"},
		}))})
		_, d, err := get(t, c, "https://a.example/")
		wantRefused(t, "a CNAME to metadata.google.internal", d, err)
		if want := []string{"169.254.169.254:443"}; len(d.refused) != 1 || d.refused[0] != want[0] {
			t.Errorf("tried %v, want %v", d.refused, want)
		}
	})
	t.Run("own address", func(t *testing.T) {
		opts, port := public(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
		opts.Allow, opts.Deny = prefixes("127.0.0.0/8"), prefixes("127.0.0.1/32")
		_, d, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
		wantRefused(t, "an own address", d, err)
	})
	t.Run("own port", func(t *testing.T) {
		opts, port := public(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
		opts.Ports = nil
		_, d, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
		wantRefused(t, "an own port", d, err)
	})
}
