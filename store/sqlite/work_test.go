package sqlite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// The row of a key is removed although the worker that did its last job was lost
// before it gave the key back.
func TestKeysWithoutJobsAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, t.TempDir(), nil)
		company(t, s)
		claim := func(key string) store.Lease {
			t.Helper()
			w := store.Work{ID: id.New(id.Work), Queue: "queue", Key: key}
			if err := s.Enqueue(t.Context(), store.Commit{Company: firstCompany, Work: []store.Work{w}}); err != nil {
				t.Fatal(err)
			}
			leases, err := s.ClaimKeys(t.Context(), firstCompany, "queue", "worker", time.Minute, 10)
			if err != nil || len(leases) != 1 || leases[0].Key != key {
				t.Fatalf("ClaimKeys = %v, %v, want %s", leases, err, key)
			}
			if err := s.FinishJobs(t.Context(), leases[0], []store.Outcome{{ID: w.ID, Done: true}}); err != nil {
				t.Fatal(err)
			}
			return leases[0]
		}
		keys := func() (n int) {
			t.Helper()
			err := s.writer.outside(t.Context(), func(c *conn) error {
				return c.sql.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM work_keys").Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		claim("lost") // and not released
		held := claim("held")
		if n := keys(); n != 2 {
			t.Errorf("%d keys are left while their leases hold, want 2", n)
		}
		if err := s.ReleaseKey(t.Context(), held); err != nil {
			t.Error(err)
		}
		time.Sleep(25 * time.Hour)
		if err := s.ReleaseKey(t.Context(), claim("next")); err != nil {
			t.Error(err)
		}
		if n := keys(); n != 0 {
			t.Errorf("%d keys are left without a job, want none", n)
		}
	})
}
