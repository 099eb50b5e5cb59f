package answerdesk

import (
	"context"
	"time"
)

// How a desk sweeps away what has had its time, see [knowledge.Retention].
const (
	sweepEvery = time.Hour
	sweepRows  = 500                    // of each thing at a time, so that turns get in between
	sweepPause = 100 * time.Millisecond // before the next
)

// sweep removes what has had its time.
func (d *Desk) sweep(ctx context.Context) error {
	for {
		swept, err := d.store.Sweep(ctx, d.opts.Retention, sweepRows)
		if err != nil || len(swept) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(sweepPause):
		}
	}
}
