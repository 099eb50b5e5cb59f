package sqlite

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// note returns a step that writes a row of so many bytes.
func note(name string, size int) func(sqlstore.Tx) error {
	return func(tx sqlstore.Tx) error {
		_, err := tx.Exec(`INSERT INTO audit_log (company, id, actor, action, object, at) VALUES (?, ?, hex(zeroblob(?)), '', '', 0)`, firstCompany, name, size/2)
		return err
	}
}

// Short steps pass long ones that came before them, a long one has its transaction
// for itself, and no more than some groups pass it.
func TestShortStepsPassLongOnes(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	company(t, s)
	var (
		order []string // of the steps, and of the commits between them
		wg    sync.WaitGroup
	)
	failpoint.Set(func(name string) {
		if name == "store.committed" {
			order = append(order, "|")
		}
	})
	t.Cleanup(func() { failpoint.Set(nil) })
	var free func() // ends the step that runs
	waiting := 0
	run := func(how func(context.Context, func(sqlstore.Tx) error) error, name string, then func()) {
		wg.Go(func() {
			err := how(t.Context(), func(tx sqlstore.Tx) error {
				order = append(order, name)
				if then != nil {
					then()
				}
				return note(name, 10)(tx)
			})
			if err != nil {
				t.Errorf("step %s: %v", name, err)
			}
		})
		waiting++
		gathered(s.writer, waiting)
	}
	free = occupy(t, s.writer)
	run(s.writer.runLong, "A", nil)
	run(s.writer.run, "a", nil)
	run(s.writer.runLong, "B", nil)
	run(s.writer.run, "b", nil)
	free()
	wg.Wait()
	if want := []string{"|", "a", "b", "|", "A", "|", "B", "|"}; !slices.Equal(order, want) {
		t.Errorf("steps that waited as A a B b, long ones in capitals, ran as %q, want %q", order, want)
	}

	// Each short step has another one come in while it runs: the long one gets its
	// turn among them.
	order, waiting = nil, 0
	free = occupy(t, s.writer)
	run(s.writer.runLong, "C", nil)
	names := []string{"c", "d", "e", "f", "g", "h"}
	var next func(i int) func()
	next = func(i int) func() {
		if i == len(names) {
			return nil
		}
		return func() {
			waiting = 1 // the long one, unless it has run
			if slices.Contains(order, "C") {
				waiting = 0
			}
			run(s.writer.run, names[i], next(i+1))
		}
	}
	run(s.writer.run, "first", next(0))
	free()
	wg.Wait()
	want := []string{"|", "first", "|", "c", "|", "d", "|", "e", "|", "C", "|", "f", "|", "g", "|", "h", "|"}
	if !slices.Equal(order, want) {
		t.Errorf("short steps that came one behind the other passed a long one as %q, want %q", order, want)
	}
}

// What long steps have written moves into the database while others write: nobody
// waits for it, and nothing is lost when they do.
func TestTheLogIsMovedBesideSteps(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, nil)
	company(t, s)
	moves, beside := 0, 0
	failpoint.Set(func(name string) {
		if name == "store.moving" { // whoever moves the log holds no step up
			moves++
			if err := s.writer.run(t.Context(), note("short "+string(rune('a'+moves)), 10)); err == nil {
				beside++
			}
		}
	})
	t.Cleanup(func() { failpoint.Set(nil) })
	const steps, size = 10 * moveEvery, 400 << 10
	for i := range steps {
		if err := s.engine().WriteLong(t.Context(), note("long "+string(rune('A'+i)), size)); err != nil {
			t.Fatal(err)
		}
	}
	if moves != steps/moveEvery || beside != moves {
		t.Errorf("%d long steps moved the log %d times, beside %d short ones, want %d of both", steps, moves, beside, steps/moveEvery)
	}
	info, err := os.Stat(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(32 << 20); info.Size() > most { // 47 MB were written
		t.Errorf("the log has %d bytes, want no more than %d: it never begins anew", info.Size(), most)
	}
	failpoint.Set(nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, nil)
	var rows int64
	if err := s.engine().Get(t.Context(), func(tx sqlstore.Tx) error {
		return scanOne(tx, &rows, `SELECT count(*) FROM audit_log WHERE id LIKE 'long %' OR id LIKE 'short %'`)
	}); err != nil || rows != steps+int64(moves) {
		t.Errorf("%d rows are there, %v, want %d", rows, err, steps+int64(moves))
	}
	integrity(t, s)
}
