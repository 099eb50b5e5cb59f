//go:build !unix || aix || solaris

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// On other systems no server is started, since none could be stopped for certain.

var errSystem = fmt.Errorf("%w: on %s this package starts no server: set %s to the URL of one", errAbsent, runtime.GOOS, variable)

var signals map[string]os.Signal

type account struct{}

func servant() (account, error) { return account{}, errSystem }

func (account) attr() *syscall.SysProcAttr { return nil }

func (account) own(string) error { return errSystem }

func (account) reachable(folders ...string) (string, error) { return "", unreachable(folders) }

func spawn(*exec.Cmd) (func(), error) { return nil, errSystem }

func kill(*process) error { return errSystem }

func lives(int) bool { return false }

func takeLock(string) (*os.File, error) { return nil, errSystem }
