package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/server"
)

// A browser is a headless Chromium with one page, which is spoken to in the Chrome
// DevTools Protocol over a pair of pipes: messages are JSON, each with a zero byte
// behind it.
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	last    int
	session string

	requests []string // addresses that the page asked for
	said     []string // what its console shows, and what went wrong
}

// A notice is a message of the browser: the answer to a call, or an event.
type notice struct {
	ID     int
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *struct{ Message string }
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("there is no Chromium here (apt-get install chromium): that browsers show /docs is NOT TESTED")
	}
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "browser") //nolint:usetesting // the browser's helpers outlive it, and may keep the folder from being removed
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--user-data-dir="+profile, "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4, as it expects
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	out.Close()
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		to.Close() // it ends when nobody speaks to it any more
		from.Close()
		late := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		late.Stop()
		os.RemoveAll(profile)
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// call has the browser do something, and notes what it tells meanwhile.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.last++
	message := map[string]any{"id": b.last, "method": method, "params": params}
	if params == nil {
		delete(message, "params")
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		text, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: the browser is gone: %v", method, err)
		}
		var n notice
		if err := json.Unmarshal(text[:len(text)-1], &n); err != nil {
			b.t.Fatal(err)
		}
		if n.ID != b.last {
			b.note(n)
			continue
		}
		if n.Error != nil {
			b.t.Fatalf("%s: %s", method, n.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(n.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// note keeps what an event tells of the page.
func (b *browser) note(n notice) {
	var p struct {
		Request struct{ URL string }
		Entry   struct{ Level, Text, URL string }
		Type    string
		Args    []struct{ Value any }
	}
	if n.Params != nil {
		if err := json.Unmarshal(n.Params, &p); err != nil {
			b.t.Errorf("%s: %v", n.Method, err)
		}
	}
	switch n.Method {
	case "Network.requestWillBeSent":
		b.requests = append(b.requests, p.Request.URL)
	case "Log.entryAdded":
		b.said = append(b.said, p.Entry.Level+": "+p.Entry.Text+" "+p.Entry.URL)
	case "Runtime.consoleAPICalled":
		b.said = append(b.said, p.Type+": "+fmt.Sprint(p.Args))
	case "Runtime.exceptionThrown":
		b.said = append(b.said, "exception: "+string(n.Params))
	}
}

// until evaluates an expression in the page until it is true.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var r struct{ Result struct{ Value any } }
		b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
		if r.Result.Value == true {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the page never shows %s; it says %q", what, b.said)
		}
	}
}

// text is true once the page shows a text.
func text(s string) string {
	quoted, _ := json.Marshal(s)
	return "document.body.innerText.includes(" + string(quoted) + ")"
}

// A browser shows the contract, says of nothing that it is wrong, and asks nobody
// else for anything; the same under a path.
func TestDocsInBrowser(t *testing.T) {
	b := startBrowser(t)
	for _, base := range []string{"", "/support/desk"} {
		h := documented(t, &server.Options{BasePath: base})
		s := httptest.NewServer(h)
		defer s.Close()
		b.requests, b.said = nil, nil
		b.call("Page.navigate", map[string]any{"url": s.URL + base + "/docs"}, nil)
		b.until("the title of the contract", text("Answerdesk"))
		b.until("an operation", text("Ask an agent and wait for the reply"))
		b.until("the operation of uploads", text("/v1/knowledge/files"))

		// One operation opened has its parameters, its body and its answers.
		b.until("a heading to press", `(e => e && (e.click(), true))([...document.querySelectorAll(".opblock-summary-control")].find(e => e.innerText.includes("Ask an agent and wait for the reply")))`)
		b.until("the parameter", text("Idempotency-Key"))
		b.until("the example of the body", text(`"conversation_id"`))
		b.until("the way to try it", text("Try it out"))

		loaded := map[string]bool{}
		for _, address := range b.requests {
			u, err := url.Parse(address)
			if err != nil || u.Scheme != "data" && "http://"+u.Host != s.URL {
				t.Errorf("the page asks for %s, %v", address, err)
			}
			if u.Scheme != "data" {
				loaded[u.Path] = true
			}
		}
		if !loaded[base+"/openapi.yaml"] {
			t.Errorf("the page loads %q, want %s/openapi.yaml among them", b.requests, base)
		}
		if len(b.said) > 0 {
			t.Errorf("the console says %q", b.said)
		}
	}
}

// What is tried out on the page is asked of this server, with the key that was
// typed in.
func TestDocsTryOut(t *testing.T) {
	b := startBrowser(t)
	var asked atomic.Int64
	h := documented(t, &server.Options{BasePath: "/support"})
	s := httptest.NewServer(countKeys(h, &asked))
	defer s.Close()
	b.call("Page.navigate", map[string]any{"url": s.URL + "/support/docs"}, nil)
	b.until("an operation", text("List agents"))
	b.until("the renderer", `typeof ui === "object" || typeof SwaggerUIBundle === "function"`)
	b.until("Authorize", `(e => e && (e.click(), true))(document.querySelector(".btn.authorize"))`)
	b.until("a field for the key", `(e => {
		if (!e) return false
		Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(e, "adk_typed")
		e.dispatchEvent(new Event("input", {bubbles: true}))
		return true
	})(document.querySelector(".auth-container input"))`)
	b.until("the button", `(e => e && (e.click(), true))(document.querySelector(".auth-btn-wrapper .authorize"))`)
	b.until("a way out", `(e => e && (e.click(), true))(document.querySelector(".auth-btn-wrapper .btn-done"))`)
	b.until("the operation", `(e => e && (e.click(), true))([...document.querySelectorAll(".opblock-summary-control")].find(e => e.innerText.includes("List agents")))`)
	b.until("Try it out", `(e => e && (e.click(), true))(document.querySelector(".try-out__btn"))`)
	b.until("Execute", `(e => e && (e.click(), true))(document.querySelector(".execute"))`)
	b.until("the answer", text("invalid_api_key"))
	if asked.Load() != 1 {
		t.Errorf("%d requests have shown the key that was typed in, want 1", asked.Load())
	}
}

// countKeys counts the requests that show the key of the test.
func countKeys(next http.Handler, n *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer adk_typed" && r.URL.Path == "/support/v1/agents" {
			n.Add(1)
		}
		next.ServeHTTP(w, r)
	})
}
