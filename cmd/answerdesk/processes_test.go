package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A holder is another process that has a desk open and asks it all the time.
type holder struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

func startHolder(t *testing.T, desk string) *holder {
	t.Helper()
	cmd := process(t, "holder", "", desk)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
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
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the process that had the desk open: %v", err)
		}
	})
	h := &holder{t, in, bufio.NewScanner(out)}
	if !h.out.Scan() || h.out.Text() != "open" {
		t.Fatalf("the other process says %q, want open", h.out.Text())
	}
	return h
}

// ask returns the outcome and the text of the other process's reply.
func (h *holder) ask(question string) string {
	h.t.Helper()
	fmt.Fprintln(h.in, question)
	if !h.out.Scan() {
		h.t.Fatalf("the other process is gone: %v", h.out.Err())
	}
	return h.out.Text()
}

// All commands work while another process has the folder open and writes to it,
// and each sees what the other has done as soon as the call has returned.
func TestBesideAnotherProcess(t *testing.T) {
	folder, desk := shop(t)
	other := startHolder(t, desk)
	if got := other.ask(whenOpen); !strings.HasPrefix(got, "answer ") || !strings.Contains(got, "at nine") {
		t.Fatalf("the other process answers %q", got)
	}
	for i, hour := range []string{"ten", "eleven", "twelve"} {
		write(t, folder, map[string]string{
			"hours.md":                     "# Opening hours\n\nThe shop opens at " + hour + " in the morning.\n",
			fmt.Sprintf("page-%d.md", i):   fmt.Sprintf("# Item %d\n\nItem number %d costs %d euros.\n", i, i, i*7+1),
			fmt.Sprintf("page-%d.bin", i):  "\x7fELF\x02\x01\x01\x00",
			fmt.Sprintf("more/p%d.txt", i): "The weather is fine today.\n",
		})
		program(t, "ingest", "--data", desk, folder).want(t, 0, "2 created, 1 updated")
		if got := other.ask(whenOpen); !strings.HasPrefix(got, "answer ") || !strings.Contains(got, "at "+hour) {
			t.Errorf("the other process answers %q, want %s", got, hour)
		}
		program(t, "ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer", "at "+hour)

		file, restored := filepath.Join(t.TempDir(), "copy.db"), filepath.Join(t.TempDir(), "desk")
		program(t, "backup", "--data", desk, file).want(t, 0)
		program(t, "restore", "--data", restored, file).want(t, 0)
		program(t, "ask", "--data", restored, whenOpen).want(t, 0, "outcome: answer", "at "+hour)
	}
	program(t, "restore", "--data", desk, filepath.Join(folder, "hours.md")).want(t, 1)
}
