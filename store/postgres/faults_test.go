package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store"
)

// Connections are ended in the middle of steps: what is acknowledged is there once,
// and what is refused is not there.
func TestTerminatedConnections(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	config := newConfig(t, url)
	const workers = 8
	config.MaxConns = workers
	config.ConnConfig.RuntimeParams["application_name"] = "steps"
	pool := connectPool(t, config)
	s, look := newStepper(t, pool), connect(t, url)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		defer cancel()
		n := 0
		for n < 100 && !t.Failed() {
			tag, err := look.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'steps' ORDER BY random() LIMIT 2`)
			if err != nil {
				t.Error(err)
			}
			n += int(tag.RowsAffected())
			past := s.past.Load()
			for s.past.Load() < past+workers && !t.Failed() { // on a slow machine, too, each has its turn
				time.Sleep(time.Millisecond)
			}
		}
		ended <- n
	}()
	steps := s.load(ctx, workers, "terminated")
	n := <-ended
	acked, refused, unknown := s.judge(t, look, steps)
	t.Logf("%d connections ended: %d steps acknowledged, %d refused, %d unknown", n, acked, refused, unknown)
	if n < 10 || acked < 10 {
		t.Errorf("%d connections were ended and %d steps made, which shows nothing", n, acked)
	}
	// A connection takes its place, and a step is not refused for one that ended.
	for _, m := range steps {
		if m.err != nil && !errors.Is(m.err, store.ErrUnavailable) {
			t.Errorf("%s %s = %v", m.kind, m.name, m.err)
		}
	}
	if refused > n/5 {
		t.Errorf("%d steps were refused, though there was always a server", refused)
	}
	atRest(t, pool, look)
}

// The server is restarted under load: steps wait for it, or say that it is away, and
// go on when it is back.
func TestRestarts(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, nil)
	config := newConfig(t, server.URL("postgres"))
	config.MaxConns = 8
	pool := connectPool(t, config)
	s := newStepper(t, pool)
	for name, restart := range map[string]func() error{
		"fast":      func() error { return server.Restart("fast") },
		"immediate": func() error { return server.Restart("immediate") },
		"killed":    func() error { return errors.Join(server.Kill(), server.Start()) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		steps := make(chan []made)
		go func() { steps <- s.load(ctx, 4, name) }()
		time.Sleep(100 * time.Millisecond)
		if err := restart(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		cancel()
		all := <-steps
		look := connect(t, server.URL("postgres"))
		acked, refused, unknown := s.judge(t, look, all)
		t.Logf("%s: %d steps acknowledged, %d refused, %d unknown", name, acked, refused, unknown)
		for _, m := range all {
			if m.err != nil && !errors.Is(m.err, store.ErrUnavailable) {
				t.Errorf("%s: %s %s = %v", name, m.kind, m.name, m.err)
			}
		}
		if err := s.step(t.Context(), "write", name+" after"); err != nil {
			t.Errorf("%s: a step after it = %v", name, err)
		}
		atRest(t, pool, look)
	}

	// Away for longer than a step waits.
	if err := server.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err := s.step(t.Context(), "enqueue", "away")
	if took := time.Since(began); took < 2*time.Second || took > patience {
		t.Errorf("a step without a server took %v, want about 3 s", took)
	}
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("a step without a server = %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.step(ctx, "enqueue", "away too"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a step without a server whose caller has 200 ms = %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.step(t.Context(), "enqueue", "back"); err != nil {
		t.Errorf("a step when the server is back = %v", err)
	}
	s.judge(t, connect(t, server.URL("postgres")), []made{{"enqueue", "away", err}, {"enqueue", "away too", err}, {"enqueue", "back", nil}})
}
