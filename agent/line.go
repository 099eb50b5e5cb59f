package agent

import (
	"context"
	"slices"
	"sync"
)

// lines let one caller at a time through for each key, in the order they came.
type lines struct {
	mu    sync.Mutex
	most  int // that wait in one line
	byKey map[string]*line
}

type line struct{ waiting []chan struct{} }

// enter waits for the caller's turn in the line of a key and returns how to leave
// it. With too many waiting already it is [ErrTurnInProgress]. The empty key is no
// line.
func (l *lines) enter(ctx context.Context, key string) (leave func(), err error) {
	if key == "" {
		return func() {}, nil
	}
	l.mu.Lock()
	q := l.byKey[key]
	if q == nil {
		l.byKey[key] = &line{}
		l.mu.Unlock()
		return func() { l.leave(key) }, nil
	}
	if len(q.waiting) >= l.most {
		l.mu.Unlock()
		return nil, ErrTurnInProgress
	}
	turn := make(chan struct{})
	q.waiting = append(q.waiting, turn)
	l.mu.Unlock()

	select {
	case <-turn:
		return func() { l.leave(key) }, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	i := slices.Index(q.waiting, turn)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 { // it was the caller's turn at the same moment
		l.leave(key)
	}
	return nil, ctx.Err()
}

func (l *lines) leave(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.byKey[key]
	if len(q.waiting) == 0 {
		delete(l.byKey, key)
		return
	}
	close(q.waiting[0])
	q.waiting = q.waiting[1:]
}
