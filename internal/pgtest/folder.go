package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const prefix = "answerdesk-pgtest-"

// A folder holds the files of one cluster (data), what the server says (log), and
// a lock that lasts as long as the process that made it.
type folder struct {
	path string
	lock *os.File
}

// newFolder makes a folder for whom the server runs as, and removes those that
// processes which were killed have left.
func newFolder(run account) (*folder, error) {
	parent, err := run.reachable(os.TempDir(), "/tmp", "/var/tmp")
	if err != nil {
		return nil, err
	}
	sweepOnce.Do(func() { sweep(parent) })
	path, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path}
	if err := run.own(path); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	if f.lock, err = takeLock(f.path); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

func (f *folder) name() string { return filepath.Base(f.path) }

// remove removes all files. It may be called twice.
func (f *folder) remove() error {
	err := os.RemoveAll(f.path)
	if f.lock != nil {
		f.lock.Close() //nolint:errcheck // the second time it is closed already
	}
	return err
}

var sweepOnce sync.Once

// sweep removes the folders below parent that nobody uses any more. A folder that
// cannot be removed, such as another user's, stays.
func sweep(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, path := range found {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue // the young ones may not have their lock yet
		}
		lock, err := takeLock(path)
		if err != nil {
			continue
		}
		if !postmasterLives(path) {
			os.RemoveAll(path)
		}
		lock.Close()
	}
}

// postmasterLives reports whether the process named in a folder's lock file of
// PostgreSQL is there.
func postmasterLives(path string) bool {
	text, err := os.ReadFile(filepath.Join(path, "data", "postmaster.pid"))
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	return err == nil && lives(pid)
}

func lockPath(path string) string { return filepath.Join(path, "lock") }

// unreachable says that none of some folders will do.
func unreachable(folders []string) error {
	return fmt.Errorf("the server's user can reach none of %s: set TMPDIR to a folder that it can", strings.Join(folders, ", "))
}
