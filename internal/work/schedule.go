package work

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// A schedule is something a process does again and again.
type schedule struct {
	name     string
	interval time.Duration
	fn       func(ctx context.Context) error
	log      *slog.Logger
}

func (s *schedule) run(t terms) {
	for wait := spread(s.interval, 0, 1); sleep(t.stop, wait); wait = spread(s.interval, 0.9, 1.1) {
		if err := s.once(t.patience); err != nil {
			s.log.Error("schedule failed", "schedule", s.name, "error", err)
		}
	}
}

func (s *schedule) once(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: it panicked with a %T: %s", errPanic, v, debug.Stack())
		}
	}()
	return s.fn(ctx)
}
