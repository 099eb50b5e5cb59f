package client_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

func TestBaseURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://desk.example.com":        "https://desk.example.com/v1/agents",
		"https://desk.example.com/":       "https://desk.example.com/v1/agents",
		"https://desk.example.com:8443/a": "https://desk.example.com:8443/a/v1/agents",
		"https://desk.example.com/a/b/":   "https://desk.example.com/a/b/v1/agents",
		"HTTPS://desk.example.com":        "https://desk.example.com/v1/agents",
		"http://localhost:8080":           "http://localhost:8080/v1/agents",
		"http://desk.localhost":           "http://desk.localhost/v1/agents",
		"http://127.0.0.1:1":              "http://127.0.0.1:1/v1/agents",
		"http://127.9.9.9":                "http://127.9.9.9/v1/agents",
		"http://[::1]:8080":               "http://[::1]:8080/v1/agents",
	} {
		var got string
		c := newClient(t, url, client.WithHTTPClient(&http.Client{Transport: round(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		})}))
		if _, err := c.Agents.List(t.Context(), nil); err != nil || got != want {
			t.Errorf("New(%q) requests %q, %v; want %q", url, got, err, want)
		}
	}
	for _, url := range []string{
		"", "desk.example.com", "//desk.example.com", "/v1", "ftp://desk.example.com", "https://", "https:desk.example.com", "https://:443",
		"https://me:hunter2@desk.example.com", "https://hunter2@desk.example.com", "https://me:hunter2@desk.example.com/%zz",
		"http://desk.example.com", "http://10.0.0.1", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://[fe80::1]",
		"https://desk.example.com?x=1", "https://desk.example.com?", "https://desk.example.com#x",
		"https://desk.example.com/v1", "https://desk.example.com/v1/", "https://desk.example.com/a/../b", "https://desk.example.com/..",
		"https://desk.example.com//a", "https://desk.example.com/a%2fb", "https://desk.example.com/./a", "https://desk.example.com/a b",
	} {
		if _, err := client.New(url); err == nil {
			t.Errorf("New(%q) succeeded", url)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q) = %q, which shows the password", url, err)
		}
	}
}

// TestSecret looks for the key wherever a client, its options and its errors can
// be printed, and in its logs.
func TestSecret(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := clienttest.New(t, clienttest.Respond(503, "no").RetryAfter("3600"), reply)
	c := to(t, s, client.WithLogger(log), client.WithHeader("X-Tenant", secret))
	var resp *http.Response
	_, err := ask(t.Context(), c, client.WithResponse(&resp))
	if err == nil {
		t.Fatal("no error")
	}
	if _, err := ask(t.Context(), c, client.WithAPIKey(secret+"2")); err != nil {
		t.Fatal(err)
	}
	if got := s.Requests()[1].Header.Get("Authorization"); got != "Bearer "+secret+"2" {
		t.Errorf("Authorization %q", got)
	}
	option := client.WithAPIKey(secret)
	for _, v := range []any{c, *c.Messages, c.Messages, *c.Knowledge, c.Knowledge, option, err, resp, resp.Header, struct{ C *client.Client }{c}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&out, format+"\n", v)
		}
		if j, err := json.Marshal(v); err == nil {
			out.Write(j)
		}
		log.Info("value", "v", v)
	}
	_, err = client.New(s.URL, client.WithAPIKey(secret+"\n"))
	fmt.Fprintln(&out, err)
	_, err = client.New("http://desk.example.com", client.WithAPIKey(secret))
	fmt.Fprintln(&out, err)
	if strings.Contains(out.String(), secret) || strings.Contains(out.String(), fmt.Sprintf("%x", secret)) {
		t.Errorf("the key is in what was printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), s.URL) {
		t.Errorf("a client does not say where it calls:\n%s", out.String())
	}
}

// TestRedirects are not followed, and the key goes nowhere.
func TestRedirects(t *testing.T) {
	elsewhere := clienttest.New(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{elsewhere.URL + "/v1/message?token=x", "/v1/other"} {
			s := clienttest.New(t, clienttest.Respond(status, nil).Header("Location", to))
			c := newClient(t, s.URL, client.WithAPIKey(secret))
			for _, call := range []func() error{
				func() error { _, err := ask(t.Context(), c); return err },
				func() error { _, err := c.Agents.Get(t.Context(), "x"); return err },
				func() error {
					_, err := client.Accumulate(c.Messages.Stream(t.Context(), api.MessageRequest{}))
					return err
				},
			} {
				err := call()
				e, ok := errors.AsType[*client.Error](err)
				if !ok || e.StatusCode != status || !strings.Contains(e.Message, "redirect") || strings.Contains(err.Error(), "token") {
					t.Errorf("%d to %s: %v", status, to, err)
				}
			}
			if got := len(s.Requests()); got != 3 {
				t.Errorf("%d to %s: %d requests, want 3", status, to, got)
			}
		}
	}
	if got := elsewhere.Requests(); len(got) > 0 {
		t.Errorf("redirected to another host: %v", got)
	}
}

// TestPaths refuses ids that would make another path.
func TestPaths(t *testing.T) {
	s := clienttest.New(t, clienttest.Respond(200, "{}"))
	c := newClient(t, s.URL+"/base", client.WithAPIKey(secret))
	ctx := t.Context()
	for _, id := range []string{"", ".", ".."} {
		for name, err := range map[string]error{
			"get":      second(c.Agents.Get(ctx, id)),
			"settings": second(c.Agents.Settings(ctx, id)),
			"delete":   c.APIKeys.Delete(ctx, id),
			"rotate":   second(c.APIKeys.Rotate(ctx, id, api.RotateAPIKeyRequest{})),
			"cancel":   second(c.Messages.Cancel(ctx, id)),
			"events":   second(c.Messages.Events(ctx, id, nil)),
			"resume":   second(client.Accumulate(c.Messages.Resume(ctx, id, 0))),
			"messages": second(c.Conversations.Messages(ctx, id, nil)),
		} {
			if err == nil || !strings.Contains(err.Error(), "an id may not be") {
				t.Errorf("%s of %q: %v", name, id, err)
			}
		}
	}
	if n := len(s.Requests()); n > 0 {
		t.Fatalf("%d requests were sent", n)
	}
	for id, want := range map[string]string{
		"a/b":     "/base/v1/agents/a%2Fb",
		"../x":    "/base/v1/agents/..%2Fx",
		"%2e%2e":  "/base/v1/agents/%252e%252e",
		"a?b#c":   "/base/v1/agents/a%3Fb%23c",
		"...":     "/base/v1/agents/...",
		"{id}":    "/base/v1/agents/%7Bid%7D",
		"é \r\nx": "/base/v1/agents/%C3%A9%20%0D%0Ax",
	} {
		if _, err := c.Agents.Get(ctx, id); err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		if all := s.Requests(); all[len(all)-1].URL != want {
			t.Errorf("id %q requests %q, want %q", id, all[len(all)-1].URL, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestHeaders are those of the contract, and what the options say.
func TestHeaders(t *testing.T) {
	s := clienttest.New(t, clienttest.Respond(200, "{}"))
	c := to(t, s, client.WithUserAgent("shop/2.1"), client.WithHeader("x-tenant", "a"), client.WithHeader("X-Tenant", "b"))
	ctx := t.Context()
	if _, err := c.Agents.UpdateSettings(ctx, "x", api.AgentSettingsPatch{}, client.WithIfMatch(`"3"`), client.WithHeader("X-Tenant", "c")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Agents.Get(ctx, "x", client.WithIfNoneMatch(`"3"`), client.WithUserAgent("job")); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(ctx, c, client.WithIdempotencyKey("mine")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]string{
		{"User-Agent": "shop/2.1 answerdesk-go/" + client.Version, "X-Tenant": "c", "If-Match": `"3"`, "If-None-Match": "", "Idempotency-Key": "", "Accept": "application/json", "Authorization": "Bearer " + secret, "X-Api-Key": "", "Content-Type": "application/json", "Accept-Encoding": "gzip"},
		{"User-Agent": "job answerdesk-go/" + client.Version, "X-Tenant": "b", "If-Match": "", "If-None-Match": `"3"`, "Content-Type": ""},
		{"Idempotency-Key": "mine", "X-Tenant": "b"},
	} {
		for k, v := range want {
			if got := s.Requests()[i].Header.Get(k); got != v {
				t.Errorf("request %d: %s = %q, want %q", i, k, got, v)
			}
		}
	}
}

// TestOptions refuses what makes no sense where it is given, before anything is
// sent.
func TestOptions(t *testing.T) {
	s := clienttest.New(t, clienttest.Respond(200, "{}"))
	nobody := func(context.Context) (string, error) { return "", nil }
	var resp *http.Response
	for name, o := range map[string]client.Option{
		"WithIdempotencyKey":        client.WithIdempotencyKey("k"),
		"WithIfMatch":               client.WithIfMatch("k"),
		"WithIfNoneMatch":           client.WithIfNoneMatch("k"),
		"WithResponse":              client.WithResponse(&resp),
		"zero":                      {},
		"WithAPIKey: it is empty":   client.WithAPIKey(""),
		"WithAPIKey: it has":        client.WithAPIKey("a b"),
		"WithBearer":                client.WithBearer(nil),
		"WithHTTPClient":            client.WithHTTPClient(nil),
		"WithTransportMiddleware":   client.WithTransportMiddleware(nil),
		"WithMaxRetries":            client.WithMaxRetries(-1),
		"WithRetryPolicy":           client.WithRetryPolicy(nil),
		"WithRetryBudget":           client.WithRetryBudget(-1),
		"WithMaxRetryAfter":         client.WithMaxRetryAfter(-1),
		"WithAttemptTimeout":        client.WithAttemptTimeout(-1),
		"WithStreamIdleTimeout":     client.WithStreamIdleTimeout(-1),
		"WithRateLimit: 0":          client.WithRateLimit(0, 1),
		"WithRateLimit: NaN":        client.WithRateLimit(nan, 1),
		"WithRateLimit: a burst":    client.WithRateLimit(1, 0),
		"WithMaxResponseBytes":      client.WithMaxResponseBytes(0),
		"WithUserAgent":             client.WithUserAgent("a\nb"),
		"WithHeader: the header A":  client.WithHeader("authorization", "x"),
		"WithHeader: the header X":  client.WithHeader("X-API-Key", "x"),
		"WithHeader: the header Y":  client.WithHeader("Y", "a\r\nb"),
		"WithHeader: the name":      client.WithHeader("a b", "x"),
		"WithHeader: the name is n": client.WithHeader("", "x"),
	} {
		if _, err := client.New(s.URL, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New with %s: %v", name, err)
		}
	}
	if _, err := client.New(s.URL, client.WithAPIKey("k"), client.WithBearer(nobody)); err == nil {
		t.Error("New takes a key and tokens")
	}
	c := to(t, s)
	for name, o := range map[string]client.Option{
		"WithBearer":              client.WithBearer(nobody),
		"WithHTTPClient":          client.WithHTTPClient(http.DefaultClient),
		"WithTransportMiddleware": client.WithTransportMiddleware(func(rt http.RoundTripper) http.RoundTripper { return rt }),
		"WithRetryBudget":         client.WithRetryBudget(1),
		"WithRateLimit":           client.WithRateLimit(1, 1),
		"WithLogger":              client.WithLogger(nil),
		"WithIdempotencyKey: a":   client.WithIdempotencyKey(strings.Repeat("k", 256)),
		"WithIdempotencyKey: a k": client.WithIdempotencyKey("a b"),
		"WithIfMatch":             client.WithIfMatch("x"),
		"WithIfNoneMatch":         client.WithIfNoneMatch("x"),
		"WithResponse":            client.WithResponse(nil),
	} {
		if _, err := ask(t.Context(), c, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a call with %s: %v", name, err)
		}
		for _, err := range c.Messages.Stream(t.Context(), api.MessageRequest{}, o) {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("a stream with %s: %v", name, err)
			}
		}
	}
	for _, err := range []error{
		second(c.Agents.Get(t.Context(), "x", client.WithIdempotencyKey("k"))),
		second(c.Knowledge.Search(t.Context(), api.SearchRequest{}, client.WithIdempotencyKey("k"))),
		second(c.Agents.List(t.Context(), nil, client.WithIfNoneMatch("k"))),
		second(c.Conversations.Delete(t.Context(), "x", client.WithIfMatch("k"))),
	} {
		if err == nil || !strings.Contains(err.Error(), "takes no With") {
			t.Errorf("an option that the operation does not take: %v", err)
		}
	}
	if n := len(s.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

var nan = func() float64 { var zero float64; return zero / zero }()

// TestResponse gives the last answer, without the request that holds the key.
func TestResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil), clienttest.Respond(200, "{}").Header("ETag", `"7"`).
			Header("X-RateLimit-Limit", "100").Header("X-RateLimit-Remaining", "41").Header("X-RateLimit-Reset", "946684860"))
		var resp *http.Response
		if _, err := to(t, s).Agents.Get(t.Context(), "x", client.WithResponse(&resp)); err != nil {
			t.Fatal(err)
		}
		limit, ok := client.ReadRateLimit(resp.Header)
		if resp.StatusCode != 200 || resp.Status != "200 OK" || resp.Header.Get("ETag") != `"7"` || resp.Request != nil || !ok || limit.Limit != 100 || limit.Remaining != 41 || limit.Reset.Unix() != 946684860 {
			t.Errorf("%+v, %+v", resp, limit)
		}
		if b, err := io.ReadAll(resp.Body); len(b) > 0 || err != nil {
			t.Errorf("body %q, %v", b, err)
		}
	})
	s := clienttest.New(t, clienttest.Respond(404, nil))
	var resp *http.Response
	if _, err := to(t, s).Agents.Get(t.Context(), "x", client.WithResponse(&resp)); err == nil || resp == nil || resp.StatusCode != 404 {
		t.Errorf("%+v, %v", resp, err)
	}
}

// TestLog writes one line for each attempt.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "time" || a.Key == "duration" || a.Key == "wait" {
				return slog.Attr{}
			}
			return a
		}}))
		s := clienttest.NewInMemory(t, clienttest.Respond(503, "customer's words").Header("X-Request-Id", "req_1"), clienttest.Reset(clienttest.BeforeReading),
			clienttest.Respond(200, "{}").Header("X-Request-Id", "req_2"))
		c := to(t, s, client.WithLogger(log), client.WithTransportMiddleware(closing))
		if _, err := c.Messages.Feedback(t.Context(), "msg_1", api.FeedbackRequest{Remark: "customer's words"}); err != nil {
			t.Fatal(err)
		}
		want := `level=DEBUG msg="answerdesk request" operation=giveFeedback method=POST path=/v1/messages/{id}/feedback attempt=1 status=503 request_id=req_1
level=DEBUG msg="answerdesk request" operation=giveFeedback method=POST path=/v1/messages/{id}/feedback attempt=2 error=
level=DEBUG msg="answerdesk request" operation=giveFeedback method=POST path=/v1/messages/{id}/feedback attempt=3 status=200 request_id=req_2
`
		got := out.String()
		if i := strings.Index(got, "error="); i >= 0 {
			got = got[:i+6] + got[i+strings.IndexByte(got[i:], '\n'):]
		}
		if got != want {
			t.Errorf("log:\n%swant:\n%s", got, want)
		}
		if strings.Contains(out.String(), "customer") || strings.Contains(out.String(), "msg_1") || strings.Contains(out.String(), secret) {
			t.Errorf("log says too much:\n%s", out.String())
		}
	})
}

// closing has every request made over a connection of its own, which net/http
// itself does not repeat.
func closing(next http.RoundTripper) http.RoundTripper {
	return round(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Close = true
		return next.RoundTrip(r)
	})
}

// TestMiddleware sees every attempt, the first one given first.
func TestMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		tap := func(name string) client.Option {
			return client.WithTransportMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return round(func(r *http.Request) (*http.Response, error) {
					order = append(order, name)
					return next.RoundTrip(r)
				})
			})
		}
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil), reply)
		if _, err := ask(t.Context(), to(t, s, tap("a"), tap("b"))); err != nil || fmt.Sprint(order) != "[a b a b]" {
			t.Error(order, err)
		}
	})
}

// TestCompressed unpacks answers, and bounds what they unpack to.
func TestCompressed(t *testing.T) {
	var zip bytes.Buffer
	w := gzip.NewWriter(&zip)
	io.WriteString(w, `{"text":"`+strings.Repeat("x", 1<<20)+`"}`)
	w.Close()
	s := clienttest.New(t, clienttest.Respond(200, zip.Bytes()).Header("Content-Encoding", "gzip"))
	if r, err := ask(t.Context(), to(t, s)); err != nil || len(r.Text) != 1<<20 {
		t.Error(err)
	}
	if _, err := ask(t.Context(), to(t, s, client.WithMaxResponseBytes(1<<19))); !errors.Is(err, client.ErrResponseTooLarge) {
		t.Errorf("%d bytes that unpack to a MiB: %v", zip.Len(), err)
	}
}

// TestBearer keeps a token until it is refused, and then gets one other, once
// for all calls.
func TestBearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		valid := "t1"
		s := clienttest.NewInMemory(t, clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+valid {
				w.WriteHeader(401)
				return
			}
			io.WriteString(w, "{}")
		})))
		asked := 0
		c := newClient(t, s.URL, client.WithHTTPClient(s.Client()), client.WithMaxRetries(0), client.WithBearer(func(ctx context.Context) (string, error) {
			time.Sleep(time.Second)
			asked++
			return fmt.Sprint("t", asked), nil
		}))
		many := func(want error) {
			t.Helper()
			errs := make(chan error)
			for range 10 {
				go func() { errs <- second(ask(t.Context(), c)) }()
			}
			for range 10 {
				if err := <-errs; !errors.Is(err, want) {
					t.Errorf("error %v, want %v", err, want)
				}
			}
		}
		many(nil)
		if asked != 1 || len(s.Requests()) != 10 {
			t.Errorf("asked %d times for %d requests, want once for 10", asked, len(s.Requests()))
		}
		valid = "t2"
		many(nil)
		before := len(s.Requests())
		if asked != 2 || before < 21 || before > 30 {
			t.Errorf("asked %d times for %d requests, want once more for 10 calls, of which those that were refused made another", asked, before)
		}
		valid = "none"
		if _, err := ask(t.Context(), c); !errors.Is(err, client.ErrUnauthorized) || len(s.Requests()) != before+2 {
			t.Errorf("%v after %d requests, want a 401 after two", err, len(s.Requests())-before)
		}
		if _, err := ask(t.Context(), c, client.WithAPIKey("none")); err != nil {
			t.Errorf("a call's own key: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the same token again is no use
		s := clienttest.NewInMemory(t, clienttest.Respond(401, nil))
		c := newClient(t, s.URL, client.WithHTTPClient(s.Client()), client.WithBearer(func(context.Context) (string, error) { return "same", nil }))
		if _, err := ask(t.Context(), c); !errors.Is(err, client.ErrUnauthorized) || len(s.Requests()) != 1 {
			t.Errorf("%v after %d requests", err, len(s.Requests()))
		}
	})
	synctest.Test(t, func(t *testing.T) { // there is none
		s := clienttest.NewInMemory(t)
		down := errors.New("the issuer is down")
		for _, source := range []func(context.Context) (string, error){
			func(context.Context) (string, error) { return "", down },
			func(context.Context) (string, error) { return "a\nb", nil },
		} {
			c := newClient(t, s.URL, client.WithHTTPClient(s.Client()), client.WithBearer(source))
			if _, err := ask(t.Context(), c); err == nil || strings.Contains(err.Error(), "a\nb") || len(s.Requests()) != 0 {
				t.Errorf("%v after %d requests", err, len(s.Requests()))
			}
		}
	})
}
