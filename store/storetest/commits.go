package storetest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

var commits = append(perStep(),
	promise{
		name:  "CreateCompany commits",
		text:  "what rides along with a new company is written with it",
		check: companyCommits,
	},
	promise{
		name:  "payloads",
		text:  "the payload of work and the fields of an audit entry read back as they were given",
		check: payloads,
	},
)

// perStep makes the promises that hold for every step.
func perStep() (out []promise) {
	for _, s := range steps {
		out = append(out, promise{
			name: s.name + " fails whole",
			text: "when a step returns an error, nothing of it is there: no row, event, work, receipt or audit entry",
			check: func(t *testing.T, k *kit) {
				a := s.ready(t, k)
				if a.bad == nil {
					a.bad, a.want = overtaken(a.good), store.ErrFenced
				}
				nothingOf(t, k, a, a.bad, a.want)
			},
		}, promise{
			name: s.name + " under an old receipt",
			text: "a step whose receipt was claimed again by somebody else is fenced off, and nothing of it is there",
			check: func(t *testing.T, k *kit) {
				a := s.ready(t, k)
				nothingOf(t, k, a, overtaken(a.good), store.ErrFenced)
			},
		}, promise{
			name: s.name + " after its context ended",
			text: "a step whose context has ended before it began writes nothing",
			check: func(t *testing.T, k *kit) {
				a := s.ready(t, k)
				nothingOf(t, k, a, func(ctx context.Context, cm store.Commit) error {
					ctx, cancel := context.WithCancel(ctx)
					cancel()
					return a.good(ctx, cm)
				}, context.Canceled)
			},
		}, promise{
			name: s.name + " commits whole",
			text: "when a step returns nil, all that rode along with it is there",
			check: func(t *testing.T, k *kit) {
				a := s.ready(t, k)
				cm := a.laden(t, k)
				before := read(t, k, k.company)
				ok(t, s.name, a.good(t.Context(), cm))
				allOf(t, k, cm, before)
			},
		})
	}
	return out
}

// overtaken makes a step under a receipt with an older fence.
func overtaken(good func(context.Context, store.Commit) error) func(context.Context, store.Commit) error {
	return func(ctx context.Context, cm store.Commit) error {
		r := *cm.Receipt
		r.Fence--
		cm.Receipt = &r
		return good(ctx, cm)
	}
}

// nothingOf makes a step that fails, and fails the test if any of it is there.
// Then it makes the step as it should be, under the same receipt.
func nothingOf(t *testing.T, k *kit, a attempt, try func(context.Context, store.Commit) error, want error) {
	t.Helper()
	cm := a.laden(t, k)
	before := read(t, k, k.company)
	refused(t, "the step", try(t.Context(), cm), want)
	same(t, "the company after a step that failed", read(t, k, k.company), before)
	if s := k.claim(t, "key", "hash", long); s.Claimed || s.Done || s.Result != "" {
		t.Errorf("the receipt after a step that failed is %+v, want one claimed and not done", s)
	}
	ok(t, "the step made again", a.good(t.Context(), cm))
	allOf(t, k, cm, before)
}

// allOf fails the test unless everything of a commit is there.
func allOf(t *testing.T, k *kit, cm store.Commit, before snapshot) {
	t.Helper()
	after := read(t, k, k.company)
	for _, want := range cm.Events {
		i := slices.IndexFunc(after.Events, func(ev event.Event) bool { return ev.ID == want.ID })
		if i < 0 {
			t.Errorf("event %s of the commit is not there", want.ID)
			continue
		}
		got := after.Events[i]
		if got.Company != k.company || got.Type != want.Type || got.Stream != want.Stream || !got.CreatedAt.Equal(want.CreatedAt) || got.Sequence < 1 {
			t.Errorf("event %+v of the commit reads %+v", want, got)
		}
	}
	if len(after.Events) <= len(before.Events) {
		t.Error("the step told of nothing")
	}
	same(t, "the newest audit entry", after.Audit[:min(1, len(after.Audit))], []store.Audit{*cm.Audit})
	if s := k.claim(t, "key", "hash", long); s.Claimed || !s.Done || !strings.HasPrefix(s.Result, cm.Receipt.Result) {
		t.Errorf("the receipt is %+v, want one done with result %s, to which the step may have added", s, cm.Receipt.Result)
	}
	if !after.Due {
		t.Error("the work of the commit is not due")
	}
	leases := k.claimKeys(t, long, 10)
	if len(leases) != 1 {
		t.Fatalf("there are %d keys with work, want 1", len(leases))
	}
	jobs := k.due(t, leases[0], false)
	if len(jobs) != 1 || jobs[0].ID != cm.Work[0].ID {
		t.Errorf("the work is %+v, want %+v", jobs, cm.Work)
	}
}

func companyCommits(t *testing.T, k *kit) {
	c, cm := newCompany("Laden")
	cm.Work = []store.Work{newWork("key")}
	cm.Audit = &store.Audit{ID: "aud_1", Actor: "key_1", Action: "company.create", Object: c.ID, At: now()}
	ok(t, "CreateCompany", k.CreateCompany(t.Context(), cm, c))
	got := read(t, k, c.ID)
	same(t, "the audit log", got.Audit, []store.Audit{*cm.Audit})
	if !got.Due || len(got.Events) != 1 {
		t.Errorf("a company made with work and an event has %+v", got)
	}
}

func payloads(t *testing.T, k *kit) {
	w := newWork(hostile[0])
	w.Payload = make([]byte, 4<<10)
	for i := range w.Payload {
		w.Payload[i] = byte(i)
	}
	a := store.Audit{ID: "aud_1", Actor: hostile[1], Action: hostile[2], Object: hostile[3], At: now()}
	ok(t, "Enqueue", k.Enqueue(t.Context(), store.Commit{Company: k.company, Work: []store.Work{w}, Audit: &a}))
	got := read(t, k, k.company)
	same(t, "the audit log", got.Audit, []store.Audit{a})
	leases := k.claimKeys(t, long, 10)
	if len(leases) != 1 || leases[0].Key != w.Key {
		t.Fatalf("ClaimKeys = %+v, want the key %q", leases, w.Key)
	}
	jobs := k.due(t, leases[0], true)
	if len(jobs) != 1 || string(jobs[0].Payload) != string(w.Payload) || jobs[0].Queue != w.Queue || jobs[0].Key != w.Key {
		t.Errorf("DueJobs = %+v, want the job with its payload", jobs)
	}
}
