//go:build unix

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
)

// hesitate makes every turn of this process wait for a line of input.
func hesitate() {
	in := bufio.NewReader(os.Stdin)
	failpoint.Set(func(name string) {
		if name == "turn.retrieved" {
			_, _ = in.ReadString('\n')
		}
	})
}

func init() { roles["hesitant program"] = func() { hesitate(); main() } }

// A serving is a server in a process of its own, whose turns wait until they are
// let go on.
type servingProcess struct {
	*served
	cmd   *exec.Cmd
	input io.WriteCloser
	ended chan error
}

func startProcess(t testing.TB, desk string, args ...string) *servingProcess {
	t.Helper()
	p := &servingProcess{served: &served{log: new(buffer)}, ended: make(chan error, 1)}
	p.cmd = process(t, "hesitant program", "", append([]string{"serve", "--data", desk, "--addr", "127.0.0.1:0"}, args...)...)
	p.cmd.Stderr = p.log
	var err error
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, stdout, err := os.Pipe() // not the command's own, which Wait would close
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdout.Close()
	t.Cleanup(func() { p.cmd.Process.Kill(); out.Close() })
	first, err := bufio.NewReader(out).ReadString('\n')
	m := listening.FindStringSubmatch(first)
	if m == nil {
		t.Fatalf("the first line is %q, %v, want %s\n%s", first, err, listening, p.log)
	}
	p.url = m[1]
	go func() { p.ended <- p.cmd.Wait() }()
	return p
}

// signal sends a signal.
func (p *servingProcess) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait returns the status that the process ends with; -1 if a signal has ended it.
func (p *servingProcess) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(5 * time.Minute):
		t.Fatalf("the process goes on:\n%s", p.log)
		return 0
	}
}

// stream asks, and returns the events once the reply has begun.
func (p *servingProcess) stream(t testing.TB, key string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"/v1/message/stream", strings.NewReader(`{"message": "`+whenOpen+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	events := bufio.NewReader(answer.Body)
	for {
		line, err := events.ReadString('\n')
		if err != nil {
			t.Fatalf("status %d, and no event has come: %v", answer.StatusCode, err)
		}
		if line == "event: message.started\n" {
			return events
		}
	}
}

// until waits for the log to say something.
func (p *servingProcess) until(t testing.TB, text string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !strings.Contains(p.log.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log lacks %s:\n%s", text, p.log)
		}
	}
}

// After SIGTERM a stream goes on to its end, new messages are refused, /readyz says
// so, and the process ends with status 0. The key is made in another process while
// the server runs.
func TestDrain(t *testing.T) {
	_, desk := shop(t)
	p := startProcess(t, desk)
	made := finish(t, process(t, "program", "", "keys", "create", "--data", desk, "--name", "Test", "--scope", "full"))
	made.want(t, 0)
	key := strings.TrimSpace(made.stdout)
	if status, body := p.call(t, "GET", "/v1/agents", key, ""); status != 200 {
		t.Fatalf("a key that another process has made gets %d %s", status, body)
	}
	events := p.stream(t, key)
	p.signal(t, syscall.SIGTERM)
	p.until(t, `"draining"`)
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/readyz", "", 503, `"draining"`},
		{"GET", "/healthz", "", 200, `"ok"`},
		{"POST", "/v1/message", `{"message": "` + whenOpen + `"}`, 503, `"server_draining"`},
		{"GET", "/v1/agents", "", 200, `"data"`},
	} {
		if status, body := p.call(t, test.method, test.path, key, test.body); status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("while it drains, %s %s = %d %s, want %d and %s", test.method, test.path, status, body, test.status, test.want)
		}
	}
	if _, err := io.WriteString(p.input, "\n"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(events)
	if err != nil || !strings.Contains(string(rest), "event: message.completed\n") || !strings.Contains(string(rest), "at nine") {
		t.Errorf("the stream goes on with %s, %v, want the whole reply", rest, err)
	}
	if status := p.wait(t); status != 0 || !strings.Contains(p.log.String(), `"stopped"`) {
		t.Errorf("status = %d, want 0\n%s", status, p.log)
	}
	if text := p.log.String(); strings.Contains(text, whenOpen) || strings.Contains(text, "nine") || strings.Contains(text, key) {
		t.Errorf("the log tells what it must not:\n%s", text)
	}
	if left, err := filepath.Glob(filepath.Join(desk, "*-wal")); err != nil || len(left) > 0 {
		t.Errorf("the process leaves %q, %v", left, err)
	}
}

// A second signal ends the process at once, and the turn that it interrupts is
// taken up by the next one.
func TestSecondSignal(t *testing.T) {
	_, desk := shop(t)
	p := startProcess(t, desk)
	key := newKey(t, desk, "--scope", "full")
	events := p.stream(t, key)
	p.signal(t, os.Interrupt)
	p.until(t, `"draining"`)
	p.signal(t, syscall.SIGTERM)
	if status := p.wait(t); status != -1 {
		t.Errorf("status = %d, want the process to be ended by the signal\n%s", status, p.log)
	}
	if _, err := io.ReadAll(events); err == nil {
		t.Error("the stream ends as if the reply were complete")
	}
	program(t, "ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer")
}

// Turns that go on for longer than the drain may take are cut short, and the status
// says so.
func TestDrainTimeout(t *testing.T) {
	_, desk := shop(t)
	p := startProcess(t, desk, "--drain-timeout", "20ms")
	events := p.stream(t, newKey(t, desk, "--scope", "full"))
	p.signal(t, syscall.SIGTERM)
	p.until(t, `"draining"`)
	release := time.AfterFunc(2*time.Second, func() { io.WriteString(p.input, "\n") }) // a hundred times as long
	defer release.Stop()
	if rest, err := io.ReadAll(events); err != nil || !strings.Contains(string(rest), "event: error\n") || strings.Contains(string(rest), "message.completed") {
		t.Errorf("the stream goes on with %s, %v, want an error", rest, err)
	}
	if status := p.wait(t); status != 1 || !strings.Contains(p.log.String(), "answerdesk serve: after 20ms some replies were cut short") {
		t.Errorf("status = %d, want 1\n%s", status, p.log)
	}
}

// A connection on which nothing was asked keeps nobody waiting.
func TestDrainOfSilentConnections(t *testing.T) {
	_, desk := shop(t)
	p := startProcess(t, desk)
	address := strings.TrimPrefix(p.url, "http://")
	for range 3 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	answer, err := http.Get(p.url + "/healthz") // the server has accepted them by then
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	p.signal(t, syscall.SIGTERM)
	if status := p.wait(t); status != 0 || strings.Contains(p.log.String(), "cut short") {
		t.Errorf("the server ends with status %d:\n%s", status, p.log)
	}
}
