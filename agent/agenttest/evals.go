package agenttest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent/evals"
)

// BaselineFile is a file beside evals that says which of them fail as yet: see
// [Run].
const BaselineFile = "baseline.json"

// Run holds the conversations in the files of evals in a folder and below, each as a
// subtest, which fails with the file and line of every expectation that is not met.
// See package evals for how they are written.
//
// If the folder has a [BaselineFile], what failed when that was written may fail,
// and is logged; a conversation that has become worse fails. answerdesk eval writes
// one with --write-baseline.
func Run(t *testing.T, desk *answerdesk.Desk, folder string) []evals.Result {
	t.Helper()
	results, err := Eval(t.Context(), desk, os.DirFS(folder))
	if err != nil {
		t.Fatalf("evals in %s: %v", folder, err)
	}
	baseline := readBaseline(t, filepath.Join(folder, BaselineFile))
	for _, r := range results {
		t.Run(r.ID(), func(t *testing.T) {
			told := t.Errorf
			if baseline != nil && !baseline.Fell(r) {
				told = t.Logf
			}
			for i, once := range r.Runs {
				for _, f := range once.Failures {
					f.File = filepath.Join(folder, f.File)
					told("run %d: %s", i+1, f)
				}
			}
		})
	}
	for _, gone := range baseline.Gone(results) {
		t.Errorf("%s is gone: write %s again", gone, BaselineFile)
	}
	t.Log(evals.Sum(results))
	return results
}

// Eval holds the conversations in the files of evals of fsys, once each unless they
// say otherwise, and returns what they come to. That a reply is not what was expected
// is no error.
func Eval(ctx context.Context, desk *answerdesk.Desk, fsys fs.FS) ([]evals.Result, error) {
	files, err := evals.Read(fsys)
	if err != nil {
		return nil, err
	}
	var results []evals.Result
	for r, err := range evals.Run(ctx, desk, files, nil) {
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// readBaseline reads a baseline, if there is one.
func readBaseline(t testing.TB, name string) evals.Baseline {
	t.Helper()
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := evals.ReadBaseline(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}
