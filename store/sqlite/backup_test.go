package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A backup made while others write holds every step that was acknowledged before
// it began, and none by half; restored, it is a store like the first.
func TestBackupWhileWriting(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	kb := company(t, s)
	ctx, stop := context.WithCancel(t.Context())
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		acked = map[string]bool{}
	)
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				ev := id.New(id.Event)
				if err := tell(t.Context(), s, ev); err != nil {
					t.Error(err)
				}
				mu.Lock()
				acked[ev] = true
				mu.Unlock()
				if _, err := kb.Put(t.Context(), knowledge.Document{ExternalID: fmt.Sprint(w), Text: fmt.Sprintf("Text %d of document %d.", i, w)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 5 {
		mu.Lock()
		before := make(map[string]bool, len(acked))
		for ev := range acked {
			before[ev] = true
		}
		mu.Unlock()
		dir := t.TempDir()
		file := filepath.Join(dir, "backup")
		if err := s.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Errorf("a backup has left %v, %v", files, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read the backup: %v, %v", info.Mode(), err)
		}
		restored := filepath.Join(dir, "restored", "here")
		if err := Restore(t.Context(), restored, file); err != nil {
			t.Fatal(err)
		}
		r := openStore(t, restored, &Options{Migrate: store.MigrateCheck})
		integrity(t, r)
		there := told(t, r)
		for ev := range before {
			if !there[ev] {
				t.Errorf("backup %d lacks event %s, which was acknowledged before", n, ev)
			}
		}
		if err := tell(t.Context(), r, id.New(id.Event)); err != nil {
			t.Errorf("a step after restoring: %v", err)
		}
	}
	stop()
	wg.Wait()
}

func TestBackupReplacesNothing(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	company(t, s)
	file := filepath.Join(t.TempDir(), "backup")
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), file); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("Backup to a file that is there = %v, want %v", err, fs.ErrExist)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the first backup has changed: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "none", "backup")
	if err := s.Backup(t.Context(), missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Backup into a folder that is not there = %v, want %v", err, fs.ErrNotExist)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	given := filepath.Join(t.TempDir(), "backup")
	if err := s.Backup(ctx, given); !errors.Is(err, context.Canceled) {
		t.Errorf("Backup under a context that has ended = %v, want %v", err, context.Canceled)
	}
	if files, err := os.ReadDir(filepath.Dir(given)); err != nil || len(files) != 0 {
		t.Errorf("a backup that was given up has left %v, %v", files, err)
	}
}

// A backup is restored only if it is whole and this program's, and only into a
// folder with nothing in it.
func TestRestoreRefuses(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	kb := company(t, s)
	for i := range 20 {
		if _, err := kb.Put(t.Context(), knowledge.Document{Text: strings.Repeat(fmt.Sprintf("Document %d. ", i), 200)}); err != nil {
			t.Fatal(err)
		}
	}
	base := t.TempDir()
	good := filepath.Join(base, "good")
	if err := s.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	damaged := []byte(string(whole))
	for at := len(damaged) / 2; at < len(damaged)/2+4096; at++ {
		damaged[at] = byte(at * 31)
	}
	newer := filepath.Join(base, "newer")
	if err := Restore(t.Context(), newer, good); err != nil {
		t.Fatal(err)
	}
	edit(t, newer, "PRAGMA journal_mode = DELETE; INSERT INTO schema_version VALUES (999, 'later.sql', 'sum', 0)")
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"damaged", damaged, "damaged"},
		{"cut off", whole[:len(whole)/2], "damaged"},
		{"a few bytes", whole[:50], "damaged"},
		{"words", []byte(strings.Repeat("These are words. ", 500)), "not a database"},
		{"nothing", nil, "none of this program"},
		{"another program's", otherDatabase(t), "none of this program"},
	} {
		file := filepath.Join(base, test.name)
		if err := os.WriteFile(file, test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(base, "into", test.name)
		err := Restore(t.Context(), dir, file)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("Restore of %s = %v, want an error that names it, with %q", test.name, err, test.want)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Restore of %s has made a folder", test.name)
		}
	}
	if err := Restore(t.Context(), filepath.Join(base, "into"), filepath.Join(newer, FileName)); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("Restore of a newer database = %v, want an error about that", err)
	}
	if err := Restore(t.Context(), filepath.Join(base, "into"), filepath.Join(base, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Restore of a file that is not there = %v, want %v", err, fs.ErrNotExist)
	}

	full := filepath.Join(base, "full")
	if err := errors.Join(os.Mkdir(full, 0o700), os.WriteFile(filepath.Join(full, "theirs"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	before := listing(t, full)
	if err := Restore(t.Context(), full, good); err == nil || !strings.Contains(err.Error(), "theirs") {
		t.Errorf("Restore into a folder with a file = %v, want an error that names the file", err)
	}
	if after := listing(t, full); after != before {
		t.Errorf("Restore has changed the folder from %s to %s", before, after)
	}
	empty := t.TempDir()
	if err := Restore(t.Context(), empty, good); err != nil {
		t.Errorf("Restore into an empty folder = %v", err)
	}
	r := openStore(t, empty, nil)
	if docs, err := knowledge.New(r, nil).Company(firstCompany).List(t.Context(), knowledge.Filter{}, store.Page{}); err != nil || len(docs.Data) != 20 {
		t.Errorf("List after restoring = %d documents, %v, want 20", len(docs.Data), err)
	}
}
