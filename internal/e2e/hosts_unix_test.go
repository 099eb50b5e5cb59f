//go:build unix

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTime is how long a server may take until it says where it listens; its
// store may be on its way back.
const startTime = 2 * time.Minute

// program builds the program that users run, once, and returns its path.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "answerdesk-e2e-")
	if err != nil {
		return "", err
	}
	leftovers = append(leftovers, dir)
	path := filepath.Join(dir, "answerdesk")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/answerdesk").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ../../cmd/answerdesk: %w\n%s", err, out)
	}
	return path, nil
})

// A host serves at an address, by one process after the other.
type host struct {
	t       *testing.T
	addr    string
	command func(addr string) *exec.Cmd // makes a process that serves there

	mu   sync.Mutex
	cmd  *exec.Cmd
	log  *bytes.Buffer
	gone chan error // gets what the process ended with
}

// start starts a process, and once more if it ends before it serves, as whoever
// runs servers does.
func (h *host) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		err := h.launch()
		if err == nil {
			return
		}
		if time.Since(begun) > startTime {
			h.t.Errorf("the server at %s does not start: %v", h.addr, err)
			return
		}
	}
}

// launch starts a process and returns when it serves.
func (h *host) launch() error {
	h.cmd, h.log, h.gone = h.command(h.addr), &bytes.Buffer{}, make(chan error, 1)
	h.cmd.Stderr = h.log
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, h.addr) {
		_ = h.cmd.Process.Kill()
		return fmt.Errorf("it wrote %q, %w, and ended with %w: %s", line, err, h.cmd.Wait(), h.log)
	}
	go func(cmd *exec.Cmd, gone chan<- error) {
		_, _ = io.Copy(io.Discard, out)
		gone <- cmd.Wait()
	}(h.cmd, h.gone)
	return nil
}

// signal sends the process a signal. One that has ended by itself fails the test.
func (h *host) signal(s syscall.Signal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.cmd.Process.Signal(s); err != nil {
		h.t.Errorf("%v to the server at %s, which has ended by itself: %v: %s", s, h.addr, err, h.log)
	}
}

// kill ends the process at once.
func (h *host) kill() {
	h.signal(syscall.SIGKILL)
	<-h.gone
}

// drain asks the process to end, and waits until it has.
func (h *host) drain() {
	h.signal(syscall.SIGTERM)
	select {
	case err := <-h.gone:
		if err != nil {
			h.t.Errorf("the server at %s was asked to end, and ended with %v: %s", h.addr, err, h.log)
		}
	case <-time.After(patience):
		h.t.Errorf("the server at %s has not ended %v after it was asked to: %s", h.addr, patience, h.log)
		h.kill()
	}
}

// clear ends the process whatever state it is in.
func (h *host) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd != nil && h.cmd.Process != nil {
		_ = h.cmd.Process.Kill()
	}
}
