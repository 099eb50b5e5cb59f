package work_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
)

func TestSchedulesComeRoundWithoutOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(t, newMemStore(), nil)
		var (
			runs    int
			running atomic.Int32
			last    time.Time
			began   = time.Now()
			gaps    = make(map[time.Duration]bool)
		)
		err := r.Every("sweep", time.Minute, func(ctx context.Context) error {
			if running.Add(1) > 1 {
				t.Error("a run began before the last had ended")
			}
			defer running.Add(-1)
			gap := time.Since(last)
			switch {
			case runs == 0 && time.Since(began) > time.Minute:
				t.Errorf("the first run came after %v, want within the first interval", time.Since(began))
			case runs > 0 && (gap < 54*time.Second || gap > 66*time.Second):
				t.Errorf("run %d came %v after the last, want a minute give or take a tenth", runs, gap)
			}
			gaps[gap] = true
			runs++
			time.Sleep(3 * time.Minute) // longer than the interval
			last = time.Now()
			switch runs {
			case 2:
				return errors.New("one that fails")
			case 3:
				panic("one that panics")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, r)
		time.Sleep(41 * time.Minute)
		stop()
		if runs < 10 || runs > 11 {
			t.Errorf("%d runs of 3 minutes, a minute apart, in 41 minutes, want 10 or 11", runs)
		}
		if len(gaps) < 5 {
			t.Errorf("only %d different gaps in %d runs", len(gaps), runs)
		}
	})
}

func TestSchedulesAreToldToStopAndWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(t, newMemStore(), &work.Options{DrainTimeout: 5 * time.Second})
		ended := false
		if err := r.Every("slow", time.Second, func(ctx context.Context) error {
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), work.ErrStopping) {
				t.Errorf("cause = %v, want ErrStopping", context.Cause(ctx))
			}
			time.Sleep(time.Second)
			ended = true
			return ctx.Err()
		}); err != nil {
			t.Fatal(err)
		}
		stop := run(t, r)
		time.Sleep(10 * time.Second)
		asked := time.Now()
		stop()
		if d := time.Since(asked); !ended || d != 6*time.Second {
			t.Errorf("Run returned after %v, ended = %v, want after DrainTimeout and the second the schedule needs to end", d, ended)
		}
	})
}
