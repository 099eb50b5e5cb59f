package storetest

import (
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A Store is all that Answerdesk needs of a store: what each room needs of it,
// and what is no room's own.
type Store interface {
	access.Store
	agent.Store
	knowledge.Store
	work.Store
	store.Log
	store.Receipts
	store.Auditor
}

// A promise is one thing that every store keeps, and how to see that it does.
type promise struct {
	name  string
	text  string // what is promised; printed when it is broken
	fresh bool   // whether it needs a store of its own
	empty bool   // whether that store has no company yet, nor the kit one
	check func(t *testing.T, k *kit)
}

// A group holds the promises about one thing.
type group struct {
	name     string
	promises []promise
}

// groups are all the promises, in the order of the rooms.
func groups() []group {
	return []group{
		{"companies", companies},
		{"keys", keys},
		{"agents", slices.Concat(agents, agentVersions)},
		{"turns", turns},
		{"citations", citations},
		{"conversations", conversations},
		{"attachments", attachments},
		{"feedback", feedback},
		{"users", users},
		{"knowledge", documents},
		{"feed", feed},
		{"vectors", vectors},
		{"sources", sources},
		{"runs", runs},
		{"staging", staging},
		{"publishing", publishing},
		{"bulks", bulks},
		{"sweeps", slices.Concat(sweeps, retention)},
		{"deletion", deletion},
		{"work", queues},
		{"events", events},
		{"receipts", slices.Concat(receipts, receiptRaces)},
		{"commits", commits},
		{"tenancy", tenancy},
		{"pages", pages},
		{"concurrency", slices.Concat(concurrency, contention, deleteRaces, ownerRaces, sourceRaces, heldPromises, pairPromises, unhinderedPromises)},
		{"model", model},
	}
}

// Run tries every promise on stores that open returns. Most cases share one
// store, each with companies of its own; those that need an empty one call open
// again. Open leaves the closing of a store to t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			shared := open(t)
			first(t, shared)
			for _, p := range g.promises {
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					t.Cleanup(func() {
						if t.Failed() {
							t.Logf("promise broken: %s", p.text)
						}
					})
					if p.empty {
						p.check(t, &kit{Store: open(t)})
						return
					}
					s := shared
					if p.fresh {
						s = open(t)
						first(t, s)
					}
					p.check(t, newKit(t, s))
				})
			}
		})
	}
}
