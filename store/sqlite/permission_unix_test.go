//go:build unix

package sqlite

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// apartVar is set in a process that runs one test in circumstances of its own.
const apartVar = "ANSWERDESK_APART"

// apart runs the test that calls it in a process of its own, and reports whether
// this is that process.
func apart(t *testing.T, attr *syscall.SysProcAttr) bool {
	t.Helper()
	if os.Getenv(apartVar) != "" {
		return true
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	if _, err := os.Stat(cmd.Path); err != nil {
		if cmd.Path, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), apartVar+"=1", "GOCOVERDIR="+t.TempDir())
	cmd.Dir = "/"
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), skipped) {
		t.Skip("THIS SYSTEM LETS NO PROCESS HAVE SUCH CIRCUMSTANCES: not tested")
	}
	if err != nil {
		t.Errorf("in a process of its own: %v", err)
	}
	return false
}

// skipped is what a process says that could not have its circumstances.
const skipped = "circumstances denied"

// nobody is a user without rights, for a process that root starts.
func nobody() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

// A folder or a database that may not be written is refused with a sentence, and
// left as it is.
func TestWithoutPermission(t *testing.T) {
	if !apart(t, nobody()) {
		return
	}
	if os.Getuid() == 0 {
		t.Fatal("this process may do everything")
	}
	base := t.TempDir()
	filled := func(name string) string {
		dir := filepath.Join(base, name)
		s, err := Open(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := company(t, s).Put(t.Context(), knowledge.Document{Text: "A document."}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	allow := func(mode os.FileMode, path ...string) {
		t.Helper()
		if err := os.Chmod(filepath.Join(path...), mode); err != nil {
			t.Fatal(err)
		}
	}
	closed, readable, file, unreadable := filepath.Join(base, "closed"), filled("readable"), filled("file"), filled("unreadable")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	allow(0o400, readable, FileName)
	allow(0o500, readable)
	allow(0o400, file, FileName)
	allow(0o000, unreadable)
	for _, test := range []struct{ dir, want string }{
		{closed, "cannot be opened"},
		{filepath.Join(closed, "below"), "permission denied"},
		{readable, "may not be written"},
		{unreadable, "permission denied"},
	} {
		before, _ := os.ReadDir(test.dir)
		s, err := Open(t.Context(), test.dir, nil)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.dir) {
			t.Errorf("Open(%s) = %v, want an error that names it, with %q", test.dir, err, test.want)
		}
		after, _ := os.ReadDir(test.dir)
		if len(after) != len(before) {
			t.Errorf("Open(%s) has left %v", test.dir, after)
		}
	}
	for _, dir := range []string{closed, readable, unreadable} {
		allow(0o700, dir)
	}

	// In a folder that may be written, a database that may not can be read.
	s := openStore(t, file, nil)
	kb := company(t, s)
	if _, err := kb.Put(t.Context(), knowledge.Document{Text: "Another."}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "may not be written") {
		t.Errorf("Put into a read-only file = %v, want that it may not be written", err)
	}
	if docs, err := kb.List(t.Context(), knowledge.Filter{}, store.Page{}); err != nil || len(docs.Data) != 1 {
		t.Errorf("List = %d documents, %v, want 1", len(docs.Data), err)
	}
}

// A database that becomes read-only while it is open refuses steps, and answers
// reads.
func TestBecomesReadOnly(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	kb := company(t, s)
	d, err := kb.Put(t.Context(), knowledge.Document{Text: "A document."})
	if err != nil {
		t.Fatal(err)
	}
	only := func(on string) {
		t.Helper()
		if err := s.writer.outside(t.Context(), func(c *conn) error { return c.exec("PRAGMA query_only = " + on) }); err != nil {
			t.Fatal(err)
		}
	}
	only("1")
	if _, err := kb.Put(t.Context(), knowledge.Document{Text: "Another."}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "may not be written") {
		t.Errorf("Put into a read-only database = %v, want that it may not be written", err)
	}
	if _, err := kb.Delete(t.Context(), d.ID); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Delete from a read-only database = %v, want %v", err, store.ErrUnavailable)
	}
	if text, err := kb.Text(t.Context(), d.ID, 0); err != nil || text != "A document." {
		t.Errorf("Text from a read-only database = %q, %v", text, err)
	}
	only("0")
	if docs, err := kb.List(t.Context(), knowledge.Filter{}, store.Page{}); err != nil || len(docs.Data) != 1 {
		t.Errorf("List = %d documents, %v, want 1", len(docs.Data), err)
	}
}
