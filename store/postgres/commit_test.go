package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// A connection that breaks while the server commits leaves open whether the step is
// there: the error says so, and it is not made again.
func TestConnectionBreaksInCommit(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	p := newProxy(t, url)
	pool := connectPool(t, newConfig(t, p.url))
	s, look := newStepper(t, pool), connect(t, url)
	for _, kind := range kinds {
		for name, c := range map[string]struct {
			cut    verdict
			stored int
		}{
			"before": {cutBefore, 0},
			"after":  {cutAfter, 1},
			"08P01":  {sayAfter, 1}, // as PgBouncer says it
			"57P01":  {sayAfter, 1},
			"40003":  {sayAfter, 1},
		} {
			p.says.Store(name)
			happened := p.once("COMMIT", c.cut)
			name := kind + " " + name
			err := s.step(t.Context(), kind, name)
			if !happened() {
				t.Fatalf("%s: no COMMIT was seen", name)
			}
			if !errors.Is(err, postgres.ErrUnknown) || !errors.Is(err, store.ErrUnavailable) ||
				!strings.Contains(err.Error(), "it may be stored or not") {
				t.Errorf("%s = %v, want an error that says it is not known", name, err)
			}
			p.heal()
			until(t, name+" ended", func() bool {
				return counts(t, look, `SELECT id, count(*) FROM `+s.schema+`.work_jobs GROUP BY 1`)[name] == c.stored
			})
			s.judge(t, look, []made{{kind, name, err}})
		}
	}
	atRest(t, pool, look)
}

// A step whose connection breaks before its COMMIT is sent is made again, and so is
// what only reads even then.
func TestConnectionBreaksBeforeCommit(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	p := newProxy(t, url)
	s, look := newStepper(t, connectPool(t, newConfig(t, p.url))), connect(t, url)
	for _, cut := range []verdict{cutBefore, cutAfter} {
		for n := 1; ; n++ {
			name := kinds[n%3] + strings.Repeat("+", int(cut)) + strings.Repeat(".", n)
			seen, committing := 0, false
			p.on(func(kind byte, text string) verdict {
				if strings.HasPrefix(text, "COMMIT") {
					committing = true
				}
				if kind == 'S' || kind == 'Q' {
					if seen++; seen == n && !committing {
						return cut
					}
				}
				return pass
			})
			err := s.step(t.Context(), kinds[n%3], name)
			p.heal()
			if err != nil {
				t.Errorf("a step whose connection broke at message %d = %v", n, err)
			}
			s.judge(t, look, []made{{kinds[n%3], name, err}})
			if seen < n || n > 40 {
				break
			}
		}
	}

	happened := p.once("COMMIT", cutBefore)
	if _, err := s.CheckDocuments(t.Context(), s.company, nil); err != nil || !happened() {
		t.Errorf("CheckDocuments, cut at its COMMIT (%v) = %v", happened(), err)
	}
}

// Who waits no longer once the COMMIT is sent still learns that the step is there.
func TestCallerLeavesInCommit(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	p := newProxy(t, url)
	s, look := newStepper(t, connectPool(t, newConfig(t, p.url))), connect(t, url)
	for _, kind := range kinds {
		ctx, cancel := context.WithCancel(t.Context())
		p.on(func(_ byte, text string) verdict {
			if strings.HasPrefix(text, "COMMIT") {
				cancel()
			}
			return pass
		})
		err := s.step(ctx, kind, kind)
		if err != nil || ctx.Err() == nil {
			t.Errorf("%s, whose caller left while it was committed, = %v", kind, err)
		}
		s.judge(t, look, []made{{kind, kind, err}})
	}
}
