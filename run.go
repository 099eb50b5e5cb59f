package answerdesk

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// A maintainer is a store that has something to tidy up now and then.
type maintainer interface {
	// Maintain reports whether nothing is left to be done.
	Maintain(ctx context.Context) (bool, error)
}

// Run does what is to be done in the background until ctx ends, and returns when
// all of it has stopped: it takes over the turns of processes that were lost,
// reads sources when they are due or somebody asks for it, embeds passages, and
// tidies up the store. It is the only place where a desk does so; without it asking,
// searching and writing work, and the rest waits.
// Several processes on one store may each run it.
func (d *Desk) Run(ctx context.Context) error {
	runner, err := work.New(d.store, &work.Options{Logger: d.log, DrainTimeout: d.opts.DrainTimeout})
	if err != nil {
		return err
	}
	if err := runner.Every("lapsed turns", 2*time.Second, d.agents.Recover); err != nil {
		return err
	}
	if err := d.library.Schedule(runner); err != nil {
		return err
	}
	if err := runner.Every("what has had its time", sweepEvery, d.sweep); err != nil {
		return err
	}
	if d.opts.Embedder != nil {
		if err := runner.Every("passages without vectors", embedEvery, d.embed); err != nil {
			return err
		}
	}
	if m, ok := d.store.(maintainer); ok {
		err := runner.Every("store", 30*time.Second, func(ctx context.Context) error {
			_, err := m.Maintain(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return runner.Run(ctx)
}

// embedEvery is how often companies are looked through for passages without vectors
// that no write has queued work for: those of before there was an embedder, or this
// one.
const embedEvery = 30 * time.Second

// embed has the passages of all companies embedded that are not.
func (d *Desk) embed(ctx context.Context) error {
	p := store.Page{Limit: store.MaxLimit}
	for {
		l, err := d.store.Companies(ctx, p)
		if err != nil {
			return err
		}
		for _, c := range l.Data {
			if err := d.library.Embed(ctx, c.ID); err != nil {
				return err
			}
		}
		if !l.HasMore {
			return nil
		}
		p.Cursor = l.NextCursor
	}
}
