package agent

import (
	"context"
	"slices"
	"time"
)

// unheardFor is how long the events of a streamed turn are kept when it has ended
// before anybody read them: who started it is about to.
const unheardFor = 5 * time.Second

// keepUnheard keeps a turn that ends for its first reader. The caller holds e.mu.
func (e *Engine) keepUnheard(r *running) {
	r.mu.Lock()
	heard := r.heard
	r.mu.Unlock()
	if !r.streamed || heard {
		return
	}
	e.unheard[r.turn.ReplyID] = r
	time.AfterFunc(unheardFor, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.unheard, r.turn.ReplyID)
	})
}

// takeUnheard returns a turn that ended before anybody read it, once, or nil. What
// was deleted since is not told: then the reply is as it is stored.
func (cs *Conversations) takeUnheard(ctx context.Context, replyID string) *running {
	cs.engine.mu.Lock()
	r := cs.engine.unheard[replyID]
	if r == nil || r.company != cs.company {
		cs.engine.mu.Unlock()
		return nil
	}
	delete(cs.engine.unheard, replyID)
	cs.engine.mu.Unlock()
	told, err := r.wait(ctx)
	if err != nil {
		return nil
	}
	m, err := cs.reply(ctx, replyID)
	if err != nil || m.Reply.Text != told.Text || slices.ContainsFunc(m.Reply.Citations, func(c Citation) bool { return c.Erased }) {
		return nil
	}
	return r
}
