package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The test starts its own binary again as the program.
const programVariable = "POSTGRES_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestBadInput(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, store string
		args        []string
		status      int
		want        string
	}{
		{"no database named", "", nil, 1, "say in ANSWERDESK_STORE which database to use"},
		{"no URL", "postgres://h:x", nil, 1, "postgres: cannot parse"},
		{"question without its flag", "", []string{"When do you open?"}, 2, "-ask Q"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, test.args...)
			cmd.Env = append(os.Environ(), programVariable+"=1", "ANSWERDESK_STORE="+test.store)
			out, _ := cmd.CombinedOutput() // its status is below
			if got := cmd.ProcessState.ExitCode(); got != test.status || !strings.Contains(string(out), test.want) {
				t.Errorf("status %d, want %d, and %q in %q", got, test.status, test.want, out)
			}
		})
	}
}
