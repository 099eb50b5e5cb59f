package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

// Durable says in lines how each engine keeps what it acknowledges, and fails if
// one of them does not wait for the disk.
func Durable(ctx context.Context, engines []*Engine) ([]string, error) {
	lines := []string{"SQLite: WAL, synchronous=FULL, in the process that measures; its checkpoints are in that process's time"}
	var folders []string
	for _, e := range engines {
		if e.server == nil {
			folders = append(folders, e.root)
			continue
		}
		line, folder, err := e.settings(ctx)
		if err != nil {
			return nil, err
		}
		lines, folders = append(lines, line), append(folders, folder)
	}
	disks := map[uint64]bool{}
	for _, folder := range folders {
		var s syscall.Stat_t
		if err := syscall.Stat(folder, &s); err != nil {
			return nil, err
		}
		disks[uint64(s.Dev)] = true
	}
	if len(disks) > 1 {
		lines = append(lines, "NOT COMPARABLE: the engines' files are on different file systems: set TMPDIR, and -dir to the same")
	}
	once, err := sync(folders[0])
	if err != nil {
		return nil, err
	}
	lines = append(lines, fmt.Sprintf("one write of 4 KiB with fsync takes %v here (median of 100)", once))
	if once < 50*time.Microsecond {
		lines = append(lines, "NOT DURABLE: no disk is as quick as that: neither engine's commits wait for one")
	}
	return lines, nil
}

// settings says what decides whether a commit of PostgreSQL waits for the disk, and
// where its files are.
func (e *Engine) settings(ctx context.Context) (line, folder string, err error) {
	db, err := sql.Open("pgx", e.server.URL("postgres"))
	if err != nil {
		return "", "", err
	}
	var parts, off []string
	for _, name := range []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers", "data_directory"} {
		var value string
		if err = errors.Join(err, db.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&value)); value == "off" {
			off = append(off, name)
		}
		if folder = value; name != "data_directory" {
			parts = append(parts, name+"="+value)
		}
	}
	if err = errors.Join(err, db.Close()); err == nil && len(off) > 0 {
		err = fmt.Errorf("PostgreSQL does not wait for the disk: off are %s", strings.Join(off, ", "))
	}
	line = fmt.Sprintf("PostgreSQL: %s, over loopback without TLS, on the same processors; %d connections at most; its time is that of all its processes",
		strings.Join(parts, " "), Pool)
	return line, folder, err
}

// sync returns how long a small write takes until it is on the disk.
func sync(folder string) (time.Duration, error) {
	f, err := os.CreateTemp(folder, "sync")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	each := make([]time.Duration, 100)
	page := make([]byte, 4096)
	for i := range each {
		begun := time.Now()
		_, err = f.Write(page)
		err = errors.Join(err, f.Sync())
		each[i] = time.Since(begun)
		if err != nil {
			break
		}
	}
	return machine.Percentile(each, .5).Round(time.Microsecond), errors.Join(err, f.Close())
}
