package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine makes folders with programs that say they are of some versions, and
// returns a pattern that finds them all.
func machine(t *testing.T, versions ...string) string {
	t.Helper()
	root := t.TempDir()
	for i, version := range versions {
		dir := filepath.Join(root, fmt.Sprint(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"initdb", "postgres"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+version+"'\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return filepath.Join(root, "*")
}

func TestFind(t *testing.T) {
	if _, err := servant(); err != nil {
		t.Skip(err) // no server here
	}
	const (
		v9  = "postgres (PostgreSQL) 9.6.24"
		v14 = "postgres (PostgreSQL) 14.13 (Homebrew)"
		v15 = "postgres (PostgreSQL) 15.20 (Debian 15.20-1)"
		v18 = "postgres (PostgreSQL) 18beta1"
	)
	for name, c := range map[string]struct {
		inPath string
		places []string
		want   string // the end of the folder, or what the error says
		fails  bool
	}{
		"newest":             {places: []string{v9, v15, v18, v14}, want: "/2"},
		"path first":         {inPath: v15, places: []string{v14, v18}, want: "/0"},
		"path too old":       {inPath: v14, places: []string{v14, v18}, want: "/1"},
		"all too old":        {places: []string{v14, v9}, want: "/0, ", fails: true},
		"path alone too old": {inPath: v14, want: "/0 is older", fails: true},
		"none":               {want: "apt-get install postgresql", fails: true},
		"something else":     {places: []string{"no version"}, want: "apt-get install postgresql", fails: true},
	} {
		path := t.TempDir()
		if c.inPath != "" {
			path = strings.TrimSuffix(machine(t, c.inPath), "*") + "0"
		}
		t.Setenv("PATH", path)
		dir, err := find([]string{machine(t, c.places...), machine(t)})
		if got := fmt.Sprint(dir, err); c.fails && (!errors.Is(err, errAbsent) || !strings.Contains(got, c.want)) {
			t.Errorf("%s: find = %q, %v, want an error that says %q", name, dir, err, c.want)
		}
		if !c.fails && (err != nil || !strings.HasSuffix(dir, c.want) || strings.HasPrefix(dir, path) != (c.want == "/0")) {
			t.Errorf("%s: find = %q, %v, want a folder …%s", name, dir, err, c.want)
		}
	}
}

// A judge is a test that only notes how it was ended.
type judge struct {
	testing.TB
	verdict string
}

func (*judge) Helper()                 {}
func (*judge) Name() string            { return "TestOfSomebody" }
func (j *judge) Skip(args ...any)      { j.end("skip", args) }
func (j *judge) Fatal(args ...any)     { j.end("fail", args) }
func (j *judge) end(w string, a []any) { j.verdict = w + ": " + fmt.Sprint(a...); panic(j) }

// TestRefuse has tests end that find no server.
func TestRefuse(t *testing.T) {
	absent := fmt.Errorf("%w: install it", errAbsent)
	for _, c := range []struct {
		value string
		err   error
		want  string
	}{
		{"", absent, "skip: no PostgreSQL here: install it"},
		{"required", absent, "fail: no PostgreSQL here: install it"},
		{"", errors.New("it has ended"), "fail: it has ended"},
	} {
		t.Setenv(variable, c.value)
		j := &judge{}
		func() {
			defer func() { recover() }()
			refuse(j, c.err)
		}()
		if j.verdict != c.want {
			t.Errorf("%s=%s: refuse(%v) has %q, want %q", variable, c.value, c.err, j.verdict, c.want)
		}
	}
	t.Setenv(variable, "requried")
	j := &judge{}
	func() {
		defer func() { recover() }()
		Database(j)
	}()
	if !strings.HasPrefix(j.verdict, "fail: "+variable+" must be") {
		t.Errorf("%s=requried: Database has %q, want a failure", variable, j.verdict)
	}
}
