package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/answerdesk-go/answerdesk/store"
)

// makeFolder makes the folder of a database, unless the database is there, and
// reports whether it will be a new one.
func makeFolder(dir string, m store.Migrate) (fresh bool, err error) {
	if err := m.Check(); err != nil {
		return false, err
	}
	_, err = os.Stat(filepath.Join(dir, FileName))
	switch {
	case err == nil:
		return false, nil
	case m == store.MigrateCheck || m == store.MigrateOff:
		return false, fmt.Errorf("no database to open: %w", err)
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	var made []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			return false, err
		}
		made = append(made, d)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	for _, d := range made {
		if err := syncFolder(filepath.Dir(d)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return false, err
		}
	}
	return true, nil
}

// ownersOnly lets nobody else read a new database, wherever its folder is: SQLite
// makes files as readable as the process does by default.
func ownersOnly(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(path+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncFile makes what is in a file durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFolder makes the entries of a folder durable. Windows does so by itself,
// and has no such call.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return syncFile(path)
}
