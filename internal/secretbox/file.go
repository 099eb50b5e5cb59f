package secretbox

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
)

// Where [OpenKeys] finds master keys, in the form [ParseKeys] reads.
const (
	EnvName  = "ANSWERDESK_MASTER_KEY" // the environment variable, asked first
	FileName = "master.key"            // the file in the data folder
)

// OpenKeys returns the master keys of the environment variable [EnvName], or
// else of the file [FileName] in the folder dir. If there is neither, it makes
// the file with a new key and says so to log at level warn, because whoever
// loses the file loses every sealed secret. Of several processes that start
// together all get the same key. A nil log is silence.
func OpenKeys(dir string, log *slog.Logger) (*Keys, error) {
	if list, ok := os.LookupEnv(EnvName); ok {
		if list == "" {
			return nil, fmt.Errorf("%s is set but empty; unset it to use the file %s", EnvName, FileName)
		}
		keys, err := ParseKeys(list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", EnvName, err)
		}
		return keys, nil
	}
	path := filepath.Join(dir, FileName)
	keys, err := readKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	made, err := makeKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("make a master key (or set %s): %w", EnvName, err)
	}
	if made && log != nil {
		log.Warn("made a master key; keep a copy of it away from the data, sealed secrets cannot be read without", "path", path)
	}
	return readKeys(path)
}

// readKeys reads the keys of the file at path, if nobody else could.
func readKeys(path string) (*Keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read master key: %s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" { // which has no such modes
		return nil, fmt.Errorf("read master key: others may read %s (mode %04o); run chmod 600 on it and think of the key as known", path, mode)
	}
	list, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	keys, err := ParseKeys(string(list))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// makeKeyFile makes the file at path with a new key, whole or not at all, and
// reports whether it was this call that did. When it returns without error
// the file is on disk, whoever made it.
func makeKeyFile(path string) (made bool, err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, FileName+".*.tmp") // O_EXCL, mode 0600
	if err != nil {
		return false, err
	}
	defer os.Remove(tmp.Name())
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return false, err
	}
	err = os.Link(tmp.Name(), path) // unlike a rename, never over a file that is there
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	return err == nil, syncDir(dir)
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
