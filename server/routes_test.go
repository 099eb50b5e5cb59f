package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/server"
)

// Every operation of the contract is served.
func TestOperations(t *testing.T) {
	h := open(t, nil, nil)
	doc, _ := contract()
	n := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			n++
			a := h.do(t, method, strings.ReplaceAll(path, "{id}", "x"), "")
			if a.Code == 405 || a.Code == 404 && strings.Contains(string(a.body), "nothing at this path") || a.Code >= 500 {
				t.Errorf("%s = %d %s", op.OperationID, a.Code, a.body)
			}
		}
	}
	if n < 40 {
		t.Errorf("the contract has %d operations, which are too few to be all", n)
	}
}

// A path has one spelling. Any other one is answered as what is not there, and never
// with a page or a redirect.
func TestPaths(t *testing.T) {
	h := open(t, nil, nil)
	for _, tt := range []struct {
		method, path string
		status       int
		code         string
		allow        string
	}{
		{"GET", "/", 404, "not_found", ""},
		{"GET", "/v1", 404, "not_found", ""},
		{"GET", "/v2/agents", 404, "not_found", ""},
		{"GET", "/v1/agents/", 404, "not_found", ""},
		{"POST", "/v1/agents/", 404, "not_found", ""},
		{"GET", "/v1/Agents", 404, "not_found", ""},
		{"GET", "//v1/agents", 404, "not_found", ""},
		{"GET", "/v1//agents", 404, "not_found", ""},
		{"GET", "/v1/./agents", 404, "not_found", ""},
		{"GET", "/v1/agents/../agents", 404, "not_found", ""},
		{"DELETE", "/v1/agents/../companies", 404, "not_found", ""},
		{"GET", "/v1/agents/.", 404, "not_found", ""},
		{"GET", "/v1/agents/..", 404, "not_found", ""},
		{"GET", "/v1/agents//settings", 404, "not_found", ""},
		{"GET", "/../etc/passwd", 404, "not_found", ""},
		{"GET", "/docs/", 404, "not_found", ""},
		{"GET", "/docs/..", 404, "not_found", ""},
		{"GET", "/openapi.yaml/", 404, "not_found", ""},
		{"GET", "/v1%2Fagents", 404, "not_found", ""},
		{"GET", "/%76%31/agents", 200, "", ""}, // an escape that need not be is none
		{"GET", "/v1/agents/x/y/z", 404, "not_found", ""},

		// What stands between slashes is an id, whatever it looks like.
		{"GET", "/v1/agents/%2e%2e", 404, "not_found", ""},
		{"GET", "/v1/agents/..%2fcompanies", 404, "not_found", ""},
		{"GET", "/v1/agents/a%2Fb", 404, "not_found", ""},
		{"GET", "/v1/agents/%00", 404, "not_found", ""},
		{"GET", "/v1/agents/%ff", 404, "not_found", ""},
		{"GET", "/v1/agents/%25", 404, "not_found", ""},
		{"GET", "/v1/agents/%F0%9F%98%80", 404, "not_found", ""},
		{"GET", "/v1/agents/a%0d%0aSet-Cookie:%20a", 404, "not_found", ""},
		{"GET", "/v1/agents/" + strings.Repeat("a", 128), 404, "not_found", ""},
		{"GET", "/v1/agents/" + strings.Repeat("a", 129), 400, "invalid_request", ""},
		{"GET", "/v1/agents/" + strings.Repeat("a", 50_000), 400, "invalid_request", ""},
		{"GET", "/" + strings.Repeat("a/", 30_000), 404, "not_found", ""},

		{"POST", "/v1/messages", 405, "method_not_allowed", "GET, HEAD"},
		{"PUT", "/v1/agents", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"PATCH", "/v1/agents/x", 405, "method_not_allowed", "DELETE, GET, HEAD"},
		{"GET", "/v1/message", 405, "method_not_allowed", "POST"},
		{"HEAD", "/v1/message", 405, "method_not_allowed", "POST"},
		{"OPTIONS", "/v1/agents", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"TRACE", "/v1/agents", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"BREW", "/v1/agents", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"get", "/v1/agents", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"POST", "/healthz", 405, "method_not_allowed", "GET, HEAD"},
		{"CONNECT", "/v1/agents", 405, "method_not_allowed", "GET, HEAD, POST"},
	} {
		t.Run(tt.method+" "+tt.path[:min(len(tt.path), 40)], func(t *testing.T) {
			a := h.do(t, tt.method, tt.path, "")
			if got := a.Header().Get("Allow"); got != tt.allow {
				t.Errorf("Allow: %q, want %q", got, tt.allow)
			}
			if location := a.Header().Get("Location"); location != "" {
				t.Errorf("the caller is sent to %s", location)
			}
			if tt.code == "" || tt.method == "HEAD" {
				a.read(t, tt.status, nil)
				return
			}
			p := a.is(t, tt.status, tt.code)
			if tt.allow != "" && p.Details["allow"] != tt.allow {
				t.Errorf("the details are %v, want the methods", p.Details)
			}
		})
	}
}

// HEAD is GET without the body.
func TestHead(t *testing.T) {
	h := open(t, nil, nil)
	front := h.listen(t)
	for _, path := range []string{"/v1/agents/" + h.agent(t), "/v1/agents/x", "/healthz", "/openapi.yaml"} {
		var seen [2]*http.Response
		for i, method := range []string{"GET", "HEAD"} {
			r, err := http.NewRequestWithContext(t.Context(), method, front.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Api-Key", h.key)
			r.Header.Set("Accept-Encoding", "identity")
			if seen[i], err = http.DefaultClient.Do(r); err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(seen[i].Body)
			if err != nil || (len(body) > 0) != (method == "GET") {
				t.Errorf("%s %s has a body of %d bytes, %v", method, path, len(body), err)
			}
			_ = seen[i].Body.Close()
		}
		for _, name := range []string{"ETag", "Content-Type"} {
			if got, want := seen[1].Header.Get(name), seen[0].Header.Get(name); got != want || seen[1].StatusCode != seen[0].StatusCode {
				t.Errorf("HEAD %s = %d with %s: %q, want %d and %q as GET", path, seen[1].StatusCode, name, got, seen[0].StatusCode, want)
			}
		}
	}
}

// What net/http itself cannot make a request of does not reach the server, and what
// it can is answered in our form, also without a host or a path.
func TestOddRequests(t *testing.T) {
	h := open(t, nil, nil)
	front := h.listen(t)
	for _, tt := range []struct{ request, want string }{
		{"GET /v1/agents HTTP/1.0\r\n\r\n", "HTTP/1.0 401 "},
		{"GET http://elsewhere.example/v1/agents HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 401 "},
		{"GET http://elsewhere.example HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404 "},
		{"GET * HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404 "},
		{"GET ?a=b HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 400 "},
		{"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404 "},
	} {
		conn, err := net.Dial("tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, tt.request)
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		status, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(status, tt.want) {
			t.Errorf("%q is answered with %q, %v, want %s", tt.request, status, err, tt.want)
		}
		_ = conn.Close()
	}
}

// The server can be mounted below a path of its own, by BasePath or by whoever takes
// the path off before.
func TestMounted(t *testing.T) {
	d := agenttest.Desk(t, hours)
	key := newKey(t, d, d.ID(), access.NewKey{Name: "k", Scope: access.ScopeFull, Plan: access.PlanUnlimited})
	root := http.NewServeMux()
	root.Handle("/v1/", server.New(d, nil))
	based := http.NewServeMux()
	based.Handle("/help/desk/", server.New(d, &server.Options{BasePath: "/help/desk/", PublicURL: "https://example.com/"}))
	stripped := http.NewServeMux()
	stripped.Handle("/help/desk/", http.StripPrefix("/help/desk", server.New(d, &server.Options{PublicURL: "https://example.com/help/desk"})))
	alone := server.New(d, &server.Options{BasePath: "/help/desk"})

	for _, tt := range []struct {
		name    string
		handler http.Handler
		base    string
	}{{"at the root", root, ""}, {"by BasePath", based, "/help/desk"}, {"by StripPrefix", stripped, "/help/desk"}, {"by BasePath alone", alone, "/help/desk"}} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, key, "POST", tt.base+"/v1/agents", `{"name":"New"}`)
			w := httptest.NewRecorder()
			tt.handler.ServeHTTP(w, r)
			location := w.Header().Get("Location")
			if w.Code != 201 || !strings.HasPrefix(location, tt.base+"/v1/agents/agt_") {
				t.Fatalf("POST = %d with Location %q, want 201 below %s", w.Code, location, tt.base)
			}
			w = httptest.NewRecorder()
			tt.handler.ServeHTTP(w, request(t, key, "GET", location, ""))
			if w.Code != 200 {
				t.Errorf("GET %s = %d, want 200", location, w.Code)
			}
			for _, path := range []string{tt.base + "/v1/nothing", tt.base + "/v1/agents/"} {
				w = httptest.NewRecorder()
				tt.handler.ServeHTTP(w, request(t, key, "GET", path, ""))
				if w.Code != 404 || w.Header().Get("Content-Type") != "application/json" {
					t.Errorf("GET %s = %d %s, want 404 in JSON", path, w.Code, w.Header().Get("Content-Type"))
				}
			}
		})
	}
	for _, path := range []string{"/", "/v1/agents", "/help", "/help/desk", "/help/desk/", "/help/deskv1/agents", "/help/desk//v1/agents", "/help/%64esk/v1/agents", "/help%2Fdesk/v1/agents"} {
		w := httptest.NewRecorder()
		alone.ServeHTTP(w, request(t, key, "GET", path, ""))
		a := answer{w, w.Body.Bytes()}
		p := a.is(t, 404, "not_found")
		if !strings.Contains(p.Message, "/help/desk/openapi.yaml") {
			t.Errorf("GET %s: the message %q does not say where the contract is", path, p.Message)
		}
	}
}

// A path or an address that is none is a mistake of the program.
func TestBadOptions(t *testing.T) {
	d := agenttest.Desk(t)
	for _, opts := range []server.Options{
		{BasePath: "support"}, {BasePath: "//"}, {BasePath: "/a//b"}, {BasePath: "/a/../b"}, {BasePath: "/."}, {BasePath: "/a b"}, {BasePath: "/a%20b"}, {BasePath: "/{x}"},
		{PublicURL: "http://[::1"},
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "server: ") {
					t.Errorf("New with %+v: %v, want a panic that begins with server:", opts, p)
				}
			}()
			server.New(d, &opts)
		}()
	}
}
