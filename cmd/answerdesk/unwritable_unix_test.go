//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user that owns nothing, from Linux's overflow user id.
const nobody = 65534

// unprivileged returns how to call the program as a user who may not write to,
// nor read, what the folders' permissions forbid: nobody if the tests run as
// root, else the same user.
func unprivileged(t *testing.T) func(args ...string) result {
	t.Helper()
	if os.Getuid() != 0 {
		return func(args ...string) result { return finish(t, process(t, "program", "", args...)) }
	}
	binary := filepath.Join(open(t), "answerdesk.test")
	if err := copyProgram(binary); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		cmd := process(t, "program", binary, args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}
	if err := run("version").Run(); err != nil {
		t.Skipf("root may not start a process as another user here: %v", err)
	}
	return func(args ...string) result { return finish(t, run(args...)) }
}

func copyProgram(to string) error {
	from, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	return w.Close()
}

// open returns a temporary folder that every user may read.
func open(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lock takes permissions away, until the test ends.
func lock(t *testing.T, mode os.FileMode, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, 0o755) })
	}
}

// A desk that may not be written is refused by name, and stays as it is.
func TestReadOnlyDesk(t *testing.T) {
	as := unprivileged(t)
	top := open(t)
	folder, desk, file := filepath.Join(top, "shop"), filepath.Join(top, "desk"), filepath.Join(top, "desk", "answerdesk.db")
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at nine in the morning.\n"})
	program(t, "ingest", "--data", desk, folder).want(t, 0)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, folder, map[string]string{"more.md": "# More\n\nThere is more to read.\n"})
	lock(t, 0o444, file)
	lock(t, 0o555, desk, top)
	for _, args := range [][]string{{"ask", whenOpen}, {"ingest", folder}} {
		r := as(append(args, "--data", desk)...)
		r.want(t, 1, "answerdesk "+args[0]+": open "+desk+": store unavailable: the database may not be written: check the owner and the permissions")
		if r.stdout != "" {
			t.Errorf("%q prints %q, want nothing", args, r.stdout)
		}
	}
	after, err := os.ReadFile(file)
	if err != nil || string(before) != string(after) {
		t.Errorf("the database that may not be written has changed: %v", err)
	}
}

// The same where the folder may be written and the database may not, so that it
// can be opened.
func TestReadOnlyDatabase(t *testing.T) {
	as := unprivileged(t)
	top := open(t)
	folder, desk, file := filepath.Join(top, "shop"), filepath.Join(top, "desk"), filepath.Join(top, "desk", "answerdesk.db")
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at nine in the morning.\n"})
	program(t, "ingest", "--data", desk, folder).want(t, 0)
	write(t, folder, map[string]string{"more.md": "# More\n\nThere is more to read.\n"})
	lock(t, 0o777, desk)
	lock(t, 0o444, file)
	as("ask", "--data", desk, whenOpen).want(t, 1, desk, "store unavailable: the database may not be written")
	as("ingest", "--data", desk, folder).want(t, 1, desk, "store unavailable: the database may not be written", "0 created, 0 updated")
	lock(t, 0o644, file)
	if got := documentsOf(t, desk); len(got) != 1 {
		t.Errorf("documents = %q, want the one from before", got)
	}
}

func TestWithoutPermission(t *testing.T) {
	as := unprivileged(t)
	top := open(t)
	folder, desk := filepath.Join(top, "shop"), filepath.Join(top, "work", "desk")
	write(t, folder, map[string]string{
		"hours.md":        "# Opening hours\n\nThe shop opens at nine in the morning.\n",
		"secret.md":       "The safe is behind the picture.\n",
		"private/safe.md": "The key is under the mat.\n",
		"closed/x.md":     "Closed.\n",
	})
	if err := os.Mkdir(filepath.Dir(desk), 0o777); err != nil {
		t.Fatal(err)
	}
	lock(t, 0o777, filepath.Dir(desk))
	lock(t, 0o000, folder+"/secret.md", folder+"/private", folder+"/closed")
	lock(t, 0o555, folder, top)

	r := as("ingest", "--data", desk, folder)
	r.want(t, 0, "1 created, 0 updated, 0 unchanged, 3 refused\n")
	for _, path := range []string{"secret.md", "private", "closed"} {
		r.want(t, 0, "refused "+folder+"/"+path+": permission denied\n")
	}
	as("ingest", "--data", desk, folder+"/private", folder+"/secret.md", folder+"/private/safe.md", folder+"/hours.md").want(t, 1,
		"cannot read "+folder+"/private: permission denied", "cannot read "+folder+"/secret.md: permission denied",
		"cannot read "+folder+"/private/safe.md: permission denied", "1 unchanged", "3 of 4 paths could not be read")
	as("ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer")

	as("ingest", "--data", folder+"/desk", folder+"/hours.md").want(t, 1, "open "+folder+"/desk", "permission denied")
	as("ask", "--data", folder+"/private", whenOpen).want(t, 1, "open "+folder+"/private: ", "permission denied")
	as("backup", "--data", desk, folder+"/copy.db").want(t, 1, "back up to "+folder+"/copy.db", "permission denied")
	as("restore", "--data", folder+"/new", folder+"/private/copy.db").want(t, 1, folder+"/private/copy.db", "permission denied")
	as("restore", "--data", desk+"-2", folder+"/secret.md").want(t, 1, folder+"/secret.md")
}

// A pipe that nobody writes to is not waited for.
func TestPipe(t *testing.T) {
	folder, desk := shop(t)
	pipe := filepath.Join(folder, "pipe.md")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skipf("no named pipe can be made here: %v", err)
	}
	program(t, "ingest", "--data", desk, folder).want(t, 0, "refused "+pipe+": is not a regular file", "1 unchanged, 1 refused")
	program(t, "ingest", "--data", desk, pipe).want(t, 1, "cannot read "+pipe)
	program(t, "restore", "--data", desk+"-2", pipe).want(t, 1, pipe)
}

// The name of a file cannot take over the terminal, nor break a line.
func TestNames(t *testing.T) {
	folder, desk := shop(t)
	write(t, folder, map[string]string{"\x1b[2Jred.bin": "\x7fELF\x02\x01\x01\x00", "not\xfftext.md": "A file whose name is not text.\n"})
	r := program(t, "ingest", "--data", desk, folder)
	r.want(t, 0, "refused "+folder+"/[2Jred.bin: ", "1 unchanged, 2 refused")
	if strings.Contains(r.stderr, "\x1b") {
		t.Errorf("standard error = %q, want no escape character in it", r.stderr)
	}
}
