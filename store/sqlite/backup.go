package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/answerdesk-go/answerdesk/store/internal/schema"
)

// Backup writes a copy of the database to a new file, as it is at this moment;
// writing goes on meanwhile. The copy is checked, and on disk when Backup
// returns. A file that is there already is an error.
func (s *Store) Backup(ctx context.Context, file string) error {
	if s.path == "" {
		return errors.New("back up the handle that was lent to the store with the host's own means")
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("back up to %s: %w", file, fs.ErrExist)
	}
	part := file + ".part"
	err := s.copyTo(ctx, part)
	if err == nil {
		err = errors.Join(verify(ctx, part), syncFile(part))
	}
	if err == nil {
		err = os.Link(part, file) // unlike a rename, it replaces nothing
	}
	if gone := os.Remove(part); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err != nil {
		return fmt.Errorf("back up to %s: %w", file, err)
	}
	return syncFolder(filepath.Dir(file))
}

// copyTo writes what the database holds to a new file.
func (s *Store) copyTo(ctx context.Context, file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // what an earlier backup left when it was killed
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(s.path, "ro", []string{"busy_timeout(10000)"}))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", file)
	return explain(err)
}

// Restore copies a backup into a folder, which must be empty or not there, and
// checks it first.
func Restore(ctx context.Context, dir, file string) error {
	if err := restore(ctx, dir, file); err != nil {
		return fmt.Errorf("restore %s into %s: %w", file, dir, err)
	}
	return nil
}

func restore(ctx context.Context, dir, file string) error {
	if err := verify(ctx, file); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("the folder is not empty, it has %s: restore into a new one", entries[0].Name())
	}
	part := filepath.Join(dir, FileName+".part")
	if err := copyFile(part, file); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, filepath.Join(dir, FileName)); err != nil {
		return err
	}
	return syncFolder(dir)
}

// verify checks that a file is a whole database of this program.
func verify(ctx context.Context, file string) error {
	switch info, err := os.Stat(file); {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file") // opening a pipe would wait for its writer
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(abs, "ro", nil)+"&immutable=1")
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return explain(err)
	}
	defer conn.Close()
	var result string
	if err := conn.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil {
		return explain(err)
	}
	if result != "ok" {
		return fmt.Errorf("the copy is damaged: %s", result)
	}
	ms, err := schema.Read(Migrations())
	if err != nil {
		return err
	}
	done, err := applied(ctx, conn, ms)
	if err == nil && done == 0 {
		return errors.New("the file is a database, but none of this program")
	}
	return err
}

func copyFile(to, from string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Sync(), w.Close())
}
