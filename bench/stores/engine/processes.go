package engine

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat on Linux: getconf CLK_TCK.
const tick = 10 * time.Millisecond

// postmaster returns the process that is the parent of a server's backends.
func postmaster(address string) (int, error) {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return 0, err
	}
	var backend int
	err = db.QueryRow("SELECT pg_backend_pid()").Scan(&backend)
	parent, _ := family(backend)
	if err = errors.Join(err, db.Close()); err == nil && parent == 0 {
		err = fmt.Errorf("no process %d in /proc: the server's CPU can be read on Linux alone", backend)
	}
	return parent, err
}

// ServerCPU returns the time that a server's processes have spent on processors
// since it was started, those that have ended included: backends, and what writes,
// checkpoints and vacuums behind them. Without a server it is 0.
func ServerCPU(postmaster int) time.Duration {
	if postmaster == 0 {
		return 0
	}
	_, ended := family(postmaster)
	sum := ended + onCPU(postmaster)
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		pid, err := strconv.Atoi(filepath.Base(p))
		if err != nil {
			continue
		}
		if parent, _ := family(pid); parent == postmaster {
			sum += onCPU(pid)
		}
	}
	return sum
}

// onCPU returns the time of a process with one thread, from /proc/PID/schedstat,
// which counts in nanoseconds. One that has ended has none.
func onCPU(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprint("/proc/", pid, "/schedstat"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n)
}

// family returns a process's parent, and the time of those of its children that
// have ended, from /proc/PID/stat.
func family(pid int) (parent int, ended time.Duration) {
	text, err := os.ReadFile(fmt.Sprint("/proc/", pid, "/stat"))
	if err != nil {
		return 0, 0
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // from the third field on
	if len(f) < 15 {
		return 0, 0
	}
	parent, err = strconv.Atoi(f[1])
	user, userErr := strconv.ParseInt(f[13], 10, 64)
	system, systemErr := strconv.ParseInt(f[14], 10, 64)
	if errors.Join(err, userErr, systemErr) != nil {
		return 0, 0
	}
	return parent, time.Duration(user+system) * tick
}
