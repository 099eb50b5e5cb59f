package reference

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/exact"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var (
	_ knowledge.SourceStore = (*Store)(nil)
	_ knowledge.RunStore    = (*Store)(nil)
)

// A Store holds everything in memory. The zero value is an empty store.
type Store struct {
	mu        sync.Mutex
	closed    bool
	companies []tenant // in the order they were made
	fence     int64    // the last one given out, of any kind
}

// A tenant is all that is one company's. What its maps hold is replaced, never
// changed in place, so that a copy of the maps is a copy of the company.
type tenant struct {
	access.Company
	agents        map[string]agent.Agent
	settings      map[string][]agent.SettingsVersion // of agents, oldest first
	attachments   map[string]attachment
	conversations map[string]conversation
	documents     map[string]document
	revision      int64
	changes       []knowledge.Change // after revision pruned
	pruned        int64
	sources       map[string]source
	runs          map[string]run
	events        []told           // that are kept
	told          int              // how many there have been
	sequences     map[string]int64 // of each stream, the last one given
	audit         []store.Audit
	jobs          []job // in the order queued
	leases        map[keyName]store.Lease
	floors        map[keyName]time.Time // before which a key is not due
	receipts      map[receiptName]receipt
	keys          map[string]key
	vectors       map[string]map[knowledge.Ref][]float32 // by space
	calibration   *knowledge.Calibration
}

func newTenant(c access.Company) tenant {
	return tenant{
		Company:       c,
		agents:        map[string]agent.Agent{},
		settings:      map[string][]agent.SettingsVersion{},
		attachments:   map[string]attachment{},
		conversations: map[string]conversation{},
		documents:     map[string]document{},
		sources:       map[string]source{},
		runs:          map[string]run{},
		sequences:     map[string]int64{},
		leases:        map[keyName]store.Lease{},
		floors:        map[keyName]time.Time{},
		receipts:      map[receiptName]receipt{},
		keys:          map[string]key{},
		vectors:       map[string]map[knowledge.Ref][]float32{},
	}
}

func (c tenant) clone() tenant {
	c.agents = maps.Clone(c.agents)
	c.settings = maps.Clone(c.settings)
	c.attachments = maps.Clone(c.attachments)
	c.conversations = maps.Clone(c.conversations)
	c.documents = maps.Clone(c.documents)
	c.sources = maps.Clone(c.sources)
	c.runs = maps.Clone(c.runs)
	c.changes = slices.Clip(c.changes)
	c.events = slices.Clip(c.events)
	c.sequences = maps.Clone(c.sequences)
	c.audit = slices.Clip(c.audit)
	c.jobs = slices.Clone(c.jobs)
	c.leases = maps.Clone(c.leases)
	c.floors = maps.Clone(c.floors)
	c.receipts = maps.Clone(c.receipts)
	c.keys = maps.Clone(c.keys)
	c.vectors = maps.Clone(c.vectors)
	for space, vectors := range c.vectors {
		c.vectors[space] = maps.Clone(vectors)
	}
	return c
}

// Close makes every later call fail. It may be called twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// enter locks the store for a call; the caller unlocks it if the error is nil.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return store.ErrUnavailable
	}
	return nil
}

// find returns the place of a company, or -1.
func (s *Store) find(id string) int {
	return slices.IndexFunc(s.companies, func(c tenant) bool { return c.ID == id })
}

// read calls fn with a company.
func (s *Store) read(ctx context.Context, id string, fn func(c tenant) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	i := s.find(id)
	if i < 0 {
		return store.NotFound("company", id)
	}
	return fn(s.companies[i])
}

// step runs change on a copy of the commit's company, writes the commit to the
// copy, and keeps it if neither failed. Change may replace the commit's events.
func (s *Store) step(ctx context.Context, cm store.Commit, change func(c *tenant, cm *store.Commit) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	i := s.find(cm.Company)
	if i < 0 {
		return store.NotFound("company", cm.Company)
	}
	c := s.companies[i].clone()
	if err := change(&c, &cm); err != nil {
		return err
	}
	moved, err := s.moveElsewhere(&cm)
	if err != nil {
		return err
	}
	if err := c.commit(cm); err != nil {
		return err
	}
	s.companies[i] = c
	moved()
	return nil
}

// moveElsewhere moves on the receipt of another company than the step's, once
// moved is called, and takes it out of the commit.
func (s *Store) moveElsewhere(cm *store.Commit) (moved func(), err error) {
	r := cm.Receipt
	if r == nil || r.Company == "" || r.Company == cm.Company {
		return func() {}, nil
	}
	i := s.find(r.Company)
	if i < 0 {
		return nil, store.NotFound("company", r.Company)
	}
	other := s.companies[i].clone()
	if err := other.moveReceipt(*r); err != nil {
		return nil, err
	}
	cm.Receipt = nil
	return func() { s.companies[i] = other }, nil
}

// nextFence returns a fence larger than any before.
func (s *Store) nextFence() int64 {
	s.fence++
	return s.fence
}

// copied returns v as it reads back from JSON, which shares nothing with it.
func copied[T any](v T) T {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only values that the rooms have checked come here
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

// object is a copy of an object with all digits of its numbers; nil of an empty one.
func object(v map[string]any) map[string]any {
	if len(v) == 0 {
		return nil
	}
	b, err := json.Marshal(v)
	if err == nil {
		v, err = exact.Object(b)
	}
	if err != nil {
		panic(err) // as in copied
	}
	return v
}

// stored is a time as a store keeps it: to the microsecond, in UTC.
func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// page cuts a list out of items, which are given in the order of the list. A
// cursor holds the id of the last item seen; seen tells whether an item comes
// at or before it in the list.
func page[T any](items []T, p store.Page, id func(T) string, seen func(item T, last string) bool, scope ...string) (store.List[T], error) {
	p, err := p.Check()
	if err != nil {
		return store.List[T]{}, err
	}
	last, err := store.DecodeCursor(p.Cursor, scope...)
	if err != nil {
		return store.List[T]{}, err
	}
	if last != "" {
		items = slices.DeleteFunc(slices.Clone(items), func(v T) bool { return seen(v, last) })
	}
	out := store.List[T]{Data: slices.Clone(items)}
	if len(items) > p.Limit {
		out.Data, out.HasMore = out.Data[:p.Limit], true
		out.NextCursor = store.EncodeCursor(id(out.Data[p.Limit-1]), scope...)
	}
	return out, nil
}

// newest is page for items that sort by their ids.
func newest[T any](items []T, p store.Page, id func(T) string, scope ...string) (store.List[T], error) {
	slices.SortFunc(items, func(a, b T) int { return -compare(id(a), id(b)) })
	return page(items, p, id, func(v T, last string) bool { return id(v) >= last }, scope...)
}
