//go:build unix && !linux && !aix && !solaris

package pgtest

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// spawn starts a program, and beside it a shell that waits on a pipe from this
// process: when this process ends, so does the pipe, and the shell sends SIGQUIT,
// on which a server stops at once. What it returns must be called after the
// program has ended.
func spawn(cmd *exec.Cmd) (release func(), err error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	watch := exec.Command("/bin/sh", "-c", `read line; kill -QUIT "$0"`, strconv.Itoa(cmd.Process.Pid))
	watch.SysProcAttr = cmd.SysProcAttr
	pipe, err := watch.StdinPipe()
	if err == nil {
		err = watch.Start()
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, err
	}
	return func() {
		watch.Process.Kill()
		watch.Wait()
		pipe.Close()
	}, nil
}

// children returns the ids of the processes that a process has started and not
// waited for.
func children(parent int) ([]int, error) {
	out, err := exec.Command("ps", "-A", "-o", "ppid=,pid=").Output()
	if err != nil {
		return nil, err
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		var ppid, pid int
		if _, err := fmt.Sscan(line, &ppid, &pid); err != nil {
			return nil, err
		}
		if ppid == parent {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
