package pgtest

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// oldest is the first major version that is supported.
const oldest = 15

// errAbsent says that the machine cannot run a server at all.
var errAbsent = errors.New("no PostgreSQL here")

// places are the folders in which packagers put the programs outside PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // Red Hat, from postgresql.org
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew
	"/usr/local/opt/postgresql*/bin",                     // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
}

// programs returns the folder that holds initdb and postgres, as find sees it.
var programs = sync.OnceValues(func() (string, error) { return find(places) })

// find returns the folder in PATH that holds the programs, or else the newest of
// some places. An error wraps errAbsent.
func find(places []string) (string, error) {
	var old []string
	if path, err := exec.LookPath("initdb"); err == nil {
		dir := filepath.Dir(path)
		version := major(dir)
		if version >= oldest {
			return dir, nil
		}
		old = append(old, dir)
	}
	best, newest := "", 0
	for _, place := range places {
		dirs, err := filepath.Glob(place)
		if err != nil {
			return "", err
		}
		for _, dir := range dirs {
			switch version := major(dir); {
			case version >= oldest && version > newest:
				best, newest = dir, version
			case version > 0 && version < oldest:
				old = append(old, dir)
			}
		}
	}
	switch {
	case newest > 0:
		return best, nil
	case len(old) > 0:
		return "", fmt.Errorf("%w: version %d or newer is needed, and %s is older: apt-get install postgresql", errAbsent, oldest, strings.Join(old, ", "))
	}
	return "", fmt.Errorf("%w: version %d or newer is needed: apt-get install postgresql", errAbsent, oldest)
}

// major returns the major version of the server in a folder, 0 if there is none.
func major(dir string) int {
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output() // postgres (PostgreSQL) 15.20 (Debian …)
	if err != nil {
		return 0
	}
	_, version, _ := strings.Cut(string(out), ") ")
	digits := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		return 0
	}
	n, err := strconv.Atoi(version[:digits])
	if err != nil {
		return 0
	}
	return n
}
