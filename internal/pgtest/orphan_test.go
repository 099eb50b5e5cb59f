package pgtest_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

// TestNothingOutlives kills a process that has a server, with SIGKILL: the server
// ends, and its files go when the next one starts. Those of a server that runs
// stay, however old they look.
func TestNothingOutlives(t *testing.T) {
	t.Parallel()
	ours := connect(t, pgtest.Database(t))
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(folderOf(t, ours), long, long); err != nil {
		t.Fatal(err)
	}

	killed, _, url := startChild(t)
	conn := connect(t, url)
	pids, folder := processes(t, conn), folderOf(t, conn)
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed.Wait()
	until(t, time.Minute, "the server of a killed process ends", func() bool {
		return !slices.ContainsFunc(pids, func(pid int) bool { return !ended(pid) })
	})
	if err := os.Chtimes(folder, long, long); err != nil {
		t.Fatal(err)
	}

	next, input, _ := startChild(t)
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("%s is still there, which a killed process has left", folder)
	}
	if _, err := os.Stat(folderOf(t, ours)); err != nil {
		t.Errorf("the folder of a server that runs: %v", err)
	}
	input.Close()
	if err := next.Wait(); err != nil {
		t.Errorf("a process whose server is closed ends with %v", err)
	}
}

// startChild runs this program as one that has a server, until its input is
// closed, and returns the server's URL.
func startChild(t *testing.T) (cmd *exec.Cmd, input io.Closer, url string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child says %q: %v", line, err)
	}
	return cmd, input, strings.TrimSpace(line)
}
