package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// backUp backs a folder up to the file that r.At names.
func (r role) backUp(ctx context.Context) error {
	st, err := sqlite.Open(ctx, r.Store, nil)
	if err != nil {
		return err
	}
	defer st.Close()
	fmt.Println("begin")
	return st.Backup(ctx, r.At)
}

// A backup that is killed half-way leaves nothing under its name, and the next one
// is made all the same.
func TestKilledWhileBackingUp(t *testing.T) {
	onlyFolder(t, "a database server is backed up by its own means")
	dir := filepath.Join(t.TempDir(), "desk")
	desk := open(t, dir)
	defer desk.Close()
	const documents = 150
	var batch []knowledge.Document
	for i := range documents {
		batch = append(batch, knowledge.Document{ExternalID: documentKey(i), Text: Text(documentKey(i), 0) + Text(documentKey(i), i)})
	}
	if _, err := desk.Knowledge().PutAll(t.Context(), batch...); err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	within := func() time.Duration { // about half of what a backup takes
		p := start(t, role{Do: "backup", Store: dir, At: filepath.Join(base, "whole")})
		if _, err := p.out.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if p.wait() {
			t.Fatal("a backup failed that nobody killed")
		}
		return time.Since(began) / 2
	}()
	r := rand.New(rand.NewPCG(1, 6))
	left := 0
	for i := range 12 {
		file := filepath.Join(base, fmt.Sprint(i))
		p := start(t, role{Do: "backup", Store: dir, At: file})
		if _, err := p.out.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(r.Int64N(int64(within)+1)), func() { _ = p.cmd.Process.Kill() })
		p.wait()
		kill.Stop()

		_, err := os.Lstat(file)
		if errors.Is(err, fs.ErrNotExist) {
			left++
			within += within / 2
			p := start(t, role{Do: "backup", Store: dir, At: file})
			if _, err := p.out.ReadString('\n'); err != nil || p.wait() {
				t.Fatal("the backup after one that was killed has failed")
			}
		} else if err != nil {
			t.Fatal(err)
		} else {
			within /= 2 // it came too late: the machine is faster than it was
		}
		restored := filepath.Join(base, "restored", fmt.Sprint(i))
		if err := sqlite.Restore(t.Context(), restored, file); err != nil {
			t.Fatalf("a backup that is there under its name: %v", err)
		}
		copied := open(t, restored)
		for i := 0; i < documents; i += documents / 10 {
			docs, err := copied.Knowledge().List(t.Context(), knowledge.Filter{ExternalID: documentKey(i)}, store.Page{})
			if err != nil || len(docs.Data) != 1 {
				t.Errorf("the backup has %d documents %s, %v", len(docs.Data), documentKey(i), err)
			}
		}
		if err := copied.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("12 backups killed, %d of them before they were whole", left)
	if left == 0 {
		t.Error("no backup was killed half-way: this test tries too little")
	}
}
