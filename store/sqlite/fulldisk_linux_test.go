package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// On a disk that is full every step is refused with a sentence, nothing of it is
// stored, nothing hangs, and reading goes on; when there is room again, so does
// writing.
func TestFullDisk(t *testing.T) {
	uid, gid := os.Getuid(), os.Getgid()
	if !apart(t, &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}},
	}) {
		return
	}
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=6m"); err != nil {
		fmt.Println(skipped, err)
		return
	}
	defer syscall.Unmount(disk, 0)

	dir := filepath.Join(disk, "desk")
	s, err := Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kb := company(t, s)
	first, err := kb.Put(t.Context(), knowledge.Document{ExternalID: "first", Text: "The first document."})
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}

	// Fill it, many at a time, until nobody gets anything in any more.
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		acked = map[string]string{} // texts by external id
	)
	for w := range 4 {
		wg.Go(func() {
			for i, refused := 0, 0; refused < 5; i++ {
				key, text := fmt.Sprintf("%d-%d", w, i), strings.Repeat(fmt.Sprintf("Document %d of %d. ", i, w), 500)
				_, err := kb.Put(t.Context(), knowledge.Document{ExternalID: key, Text: text})
				if err != nil {
					refused++
					if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "disk is full") {
						t.Errorf("Put on a full disk = %v, want that the disk is full", err)
					}
					continue
				}
				mu.Lock()
				acked[key] = text
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	check := func(when string) {
		t.Helper()
		there := map[string]string{"first": first.ID}
		for p := (store.Page{Limit: store.MaxLimit}); ; {
			list, err := kb.List(t.Context(), knowledge.Filter{}, p)
			if err != nil {
				t.Fatalf("List %s: %v", when, err)
			}
			for _, d := range list.Data {
				there[d.ExternalID] = d.ID
			}
			if p.Cursor = list.NextCursor; !list.HasMore {
				break
			}
		}
		if len(there) != len(acked)+1 {
			t.Errorf("%s %d documents are there, %d were acknowledged", when, len(there), len(acked)+1)
		}
		for key, text := range acked {
			if got, err := kb.Text(t.Context(), there[key], 0); err != nil || got != text {
				t.Errorf("%s document %s has %d bytes, %v, want %d", when, key, len(got), err, len(text))
			}
		}
		integrity(t, s)
	}
	check("on the full disk")
	if found, err := kb.Search(t.Context(), knowledge.Query{Text: "first document"}); err != nil || len(found.Hits) == 0 {
		t.Errorf("Search on the full disk = %d hits, %v", len(found.Hits), err)
	}
	if err := s.Backup(t.Context(), filepath.Join(disk, "backup")); err == nil {
		t.Error("Backup onto the full disk returned no error")
	}
	if _, err := os.Lstat(filepath.Join(disk, "backup")); err == nil {
		t.Error("half a backup is there under its name")
	}
	if other, err := Open(t.Context(), filepath.Join(disk, "other"), nil); err == nil {
		other.Close()
		t.Error("a new database was made on the full disk")
	} else if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Open on the full disk = %v, want %v", err, store.ErrUnavailable)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := tell(t.Context(), s, id.New(id.Event)); err != nil {
		t.Errorf("a step when there is room again: %v", err)
	}
	if _, err := kb.Delete(t.Context(), first.ID); err != nil {
		t.Errorf("Delete when there is room again: %v", err)
	}
	if _, err := kb.Put(t.Context(), knowledge.Document{ExternalID: "first", Text: "The first document."}); err != nil {
		t.Errorf("Put when there is room again: %v", err)
	}
	check("when there is room again")
	t.Logf("%d documents acknowledged", len(acked))
}
