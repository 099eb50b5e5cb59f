package storetest_test

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/store/storetest"
	"github.com/answerdesk-go/answerdesk/store/storetest/internal/reference"
)

// faultVariable names the fault that TestFaulty is to try, in the processes that
// TestSuiteBites starts.
const faultVariable = "ANSWERDESK_STORETEST_FAULT"

// tries is how often a fault may get through.
const tries = 25

// TestSuiteBites tries the suite on stores with something wrong, each in a
// process of its own, and fails if one of them passes the case that is there to
// catch it. That the cases pass without a fault, TestModelPassesItsOwnSuite shows.
func TestSuiteBites(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	try := func(t *testing.T, fault, test string) (string, bool) {
		group, name, _ := strings.Cut(test, "/")
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestFaulty$/^"+group+"$/^"+name+"$", "-test.v")
		cmd.Env = append(os.Environ(), faultVariable+"="+fault, "ANSWERDESK_MODEL_RUNS=100")
		out, err := cmd.CombinedOutput()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Fatal(err)
		}
		if ran := "=== RUN   TestFaulty/" + group + "/" + strings.ReplaceAll(name, " ", "_"); !strings.Contains(string(out), ran) {
			t.Fatalf("the suite has no case %s:\n%s", test, out)
		}
		return string(out), err == nil
	}
	for _, f := range slices.Concat(faults, raceFaults, sourceFaults, vectorFaults) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			var out string
			for range tries { // two steps that are to meet may miss each other on a busy machine
				var passed bool
				if out, passed = try(t, f.name, f.caughtBy); !passed && strings.Contains(out, "promise broken: ") {
					return
				}
			}
			t.Errorf("%s does not catch a store that %s:\n%s", f.caughtBy, f.name, out)
		})
	}
}

// TestFaulty is the suite on a store with a fault. It is there to fail, in the
// processes of TestSuiteBites only.
func TestFaulty(t *testing.T) {
	name := os.Getenv(faultVariable)
	if name == "" {
		return
	}
	faults := slices.Concat(faults, raceFaults, sourceFaults, vectorFaults)
	i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
	if i < 0 {
		t.Fatalf("%s=%s names no fault", faultVariable, name)
	}
	storetest.Run(t, func(t *testing.T) storetest.Store {
		s := &reference.Store{}
		t.Cleanup(func() { s.Close() })
		return faults[i].wrap(s)
	})
}
