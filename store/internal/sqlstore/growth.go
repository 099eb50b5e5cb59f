package sqlstore

import (
	"context"
	"sync"
	"time"
)

// A growth tells when a table has grown so much, and so soon, that the planner is to
// look at it: plans that were made while it was empty read all of it.
type growth struct {
	mu    sync.Mutex
	rows  int       // that were added since it was last looked at
	asked time.Time // when that was
}

// After how many rows a table is looked at again, and after how long.
const (
	surveyRows  = 500
	surveyPause = 20 * time.Second
)

// grew notes rows that were added to a table.
func (s *Store) grew(ctx context.Context, g *growth, table string, rows int) {
	if g.due(rows) {
		s.engine.Survey(Unlent(ctx), table)
	}
}

func (g *growth) due(rows int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows += rows
	if g.rows < surveyRows || time.Since(g.asked) < surveyPause {
		return false
	}
	g.rows, g.asked = 0, time.Now()
	return true
}
