//go:build unix && !aix && !solaris

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// signals are what a postmaster understands.
var signals = map[string]os.Signal{"smart": syscall.SIGTERM, "fast": syscall.SIGINT, "immediate": syscall.SIGQUIT}

// An account is whom a server runs as. The zero value is whoever runs the tests.
type account struct {
	other    bool
	uid, gid uint32
}

// servant returns who may run a server: PostgreSQL refuses to run as root, so that
// root has it run by postgres or nobody.
func servant() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("user %s: %w", name, err)
		}
		return account{other: true, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return account{}, fmt.Errorf("%w: root may not run it, and there is neither a user postgres nor nobody", errAbsent)
}

func (a account) attr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{}
	if a.other {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// own gives a file to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// reachable returns the first of some folders that the account can enter, all the
// way down.
func (a account) reachable(folders ...string) (string, error) {
	for _, folder := range folders {
		if abs, err := filepath.Abs(folder); err == nil && a.enters(abs) {
			return abs, nil
		}
	}
	return "", unreachable(folders)
}

func (a account) enters(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() || a.other && info.Mode()&1 == 0 {
		return false
	}
	parent := filepath.Dir(dir)
	return parent == dir || a.enters(parent)
}

// kill ends a postmaster and its children.
func kill(p *process) error {
	// A postmaster that stands still has no new children meanwhile.
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	pids, err := children(p.cmd.Process.Pid)
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // what has ended by itself is a zombie until its parent ends
	}
	return errors.Join(err, p.cmd.Process.Kill())
}

// lives reports whether there is a process, of whichever user.
func lives(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// takeLock locks a folder until the file is closed or the process has ended.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(lockPath(path), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f, nil
}
