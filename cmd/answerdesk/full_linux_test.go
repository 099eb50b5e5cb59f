package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A desk on a full disk says so, keeps what it has and nothing by halves, and goes
// on when there is room again. The test runs itself once more in namespaces of its
// own, where anybody may mount a small file system that vanishes by itself.
func TestFullDisk(t *testing.T) {
	const inside = "ANSWERDESK_TEST_INSIDE"
	if os.Getenv(inside) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		switch {
		case cmd.ProcessState == nil:
			t.Skipf("this system gives no namespaces, so there is no small disk to fill: %v", err)
		case strings.Contains(string(out), "--- SKIP"):
			t.Skipf("in namespaces: %s", out)
		case err != nil:
			t.Errorf("%v\n%s", err, out)
		}
		return
	}

	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	folder, desk := filepath.Join(t.TempDir(), "shop"), filepath.Join(disk, "desk")
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at nine in the morning.\n"})
	program(t, "ingest", "--data", desk, folder).want(t, 0, "1 created")
	before := documentsOf(t, desk)

	write(t, folder, map[string]string{"long.txt": strings.Repeat("There is much to be said about tea, and it is said here.\n", 60_000)})
	full := "desk in " + desk + ": store unavailable: the disk is full"
	program(t, "ingest", "--data", desk, folder).want(t, 1, full, "0 created, 0 updated")
	if got := documentsOf(t, desk); len(got) != len(before) {
		t.Errorf("documents = %q, want %q", got, before)
	}
	program(t, "ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer")

	filler := filepath.Join(disk, "filler")
	if out, err := exec.CommandContext(t.Context(), "dd", "if=/dev/zero", "of="+filler, "bs=4k").CombinedOutput(); err == nil {
		t.Fatalf("the disk is not full:\n%s", out)
	}
	program(t, "ask", "--data", desk, whenOpen).want(t, 1, "store unavailable: ")
	program(t, "ingest", "--data", desk, folder).want(t, 1, "store unavailable: ")
	program(t, "ingest", "--data", filepath.Join(disk, "new"), folder).want(t, 1, "answerdesk ingest: ")
	program(t, "backup", "--data", desk, filepath.Join(disk, "copy.db")).want(t, 1, "answerdesk backup: ")

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	program(t, "ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer")
	if got := documentsOf(t, desk); len(got) != len(before) {
		t.Errorf("documents = %q, want %q", got, before)
	}
	program(t, "ingest", "--data", desk, folder+"/hours.md").want(t, 0, "1 unchanged")
}
