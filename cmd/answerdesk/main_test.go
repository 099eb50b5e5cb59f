package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

// The tests start their own binary again where they need a process of its own, in
// one of these roles.
const roleVariable = "ANSWERDESK_TEST_ROLE"

var roles = map[string]func(){
	"program": main,
	"holder": func() {
		if err := hold(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	},
}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleVariable)]; role != nil {
		role()
		os.Exit(0)
	}
	for _, s := range serveSettings {
		os.Unsetenv(s.variable())
	}
	pgtest.Main(m)
}

// hold keeps a desk open and asks it all the time, until there is no more input.
// It answers each line of input with a line of output.
func hold(data string) (err error) {
	ctx := context.Background()
	desk, err := answerdesk.Open(ctx, data, nil)
	if err != nil {
		return err
	}
	defer desk.Close()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				if _, err := desk.Agent("").Ask(ctx, agent.Message{Text: "Is anybody there?"}); err != nil {
					stopped <- err
					return
				}
			}
		}
	}()
	fmt.Println("open")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: in.Text()})
		if err != nil {
			return err
		}
		fmt.Println(reply.Outcome, strings.Join(strings.Fields(reply.Text), " "))
	}
	close(stop)
	return <-stopped
}

// A result is what a call of the program came to.
type result struct {
	status         int
	stdout, stderr string
}

// program calls the program within this process. Whatever it is given, it must
// not hang.
func program(t testing.TB, args ...string) result {
	t.Helper()
	done := make(chan result, 1)
	go func() {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), args, &stdout, &stderr)
		done <- result{status, stdout.String(), stderr.String()}
	}()
	select {
	case r := <-done:
		return r
	case <-time.After(5 * time.Minute):
		t.Fatalf("answerdesk %q hangs", args)
		return result{}
	}
}

// want fails the test unless the status is as given and each of the texts stands
// in the output, whichever it is.
func (r result) want(t testing.TB, status int, texts ...string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status = %d, want %d\n%s%s", r.status, status, r.stdout, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stdout+r.stderr, text) {
			t.Fatalf("the output lacks %q:\n%s%s", text, r.stdout, r.stderr)
		}
	}
}

// process is this binary in a role, as a process of its own.
func process(t testing.TB, role, binary string, args ...string) *exec.Cmd {
	t.Helper()
	if binary == "" {
		var err error
		if binary, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd
}

// finish runs a process to its end.
func finish(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// write makes files below a folder, and the folders they are in.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// shop makes a folder with a document in it, and a desk that has taken it in.
func shop(t testing.TB) (folder, desk string) {
	t.Helper()
	top := t.TempDir()
	folder, desk = filepath.Join(top, "shop"), filepath.Join(top, "desk")
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at nine in the morning.\n"})
	program(t, "ingest", "--data", desk, folder).want(t, 0, "1 created")
	return folder, desk
}

const whenOpen = "When does the shop open?"
