package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var runs = []promise{
	{
		name:  "start",
		text:  "a run that is started is queued with its work, reads back as it was given, and says how many are ahead of it",
		check: startRun,
	},
	{
		name:  "join",
		text:  "a run of a source that has one queued is that one, and so is a training of the same agent: only receipt and audit entry are written",
		check: joinRun,
	},
	{
		name:  "start what is due",
		text:  "a run moves on when its source is due, if it was due when it should be; else it is a conflict and nothing is done",
		check: startWhatIsDue,
	},
	{
		name:  "start refused",
		text:  "a run of a source or agent that is not there is not found, and not started",
		check: startRefused,
	},
	{
		name:  "begin",
		text:  "a run that is begun is running; taken up again it keeps its time and events, and counts the attempts",
		check: beginRun,
	},
	{
		name:  "leave",
		text:  "a run that its worker puts down is as it was, but for the attempt, which does not count",
		check: leaveRun,
	},
	{
		name:  "move",
		text:  "phase, counts and events of a run read back as they were given, the events numbered one behind the other",
		check: moveRun,
	},
	{
		name:  "failed items",
		text:  "a run tells of no more than so many failed items, and of everything else",
		check: failedItems,
	},
	{
		name:  "fenced",
		text:  "whatever a run's worker does under a lease that has passed on is refused, and changes nothing",
		check: runFenced,
	},
	{
		name:  "ended",
		text:  "whatever is done to a run that has ended is refused, and changes nothing",
		check: runEnded,
	},
	{
		name:  "cancel",
		text:  "a run is cancelled whoever works on it, wherever it stands, and once; one that has ended stays as it is",
		check: cancelRun,
	},
	{
		name:  "list",
		text:  "runs are listed newest first, filtered by agent, source, parent, kind and state",
		check: listRuns,
	},
	{
		name:  "events",
		text:  "the events of a run are read in order after a sequence, and its steps' events are numbered in its stream",
		check: eventsOfRun,
	},
	{
		name:  "files",
		text:  "a write that names a run records it as completed, with what it did; one that is there stays as it is",
		check: fileRuns,
	},
	{
		name:  "unknown",
		text:  "a run that is not there is not found, and has neither events nor anything staged",
		check: unknownRun,
	},
}

func startRun(t *testing.T, k *kit) {
	s, other := k.addSource(t, k.agent), k.addSource(t, "")
	r, w := newRun(s), newWork("key")
	r.Force, r.NewPages, r.ParentID, r.Phase, r.Counts = true, false, id.New(id.Run), "waits", knowledge.Counts{Total: 3, Errors: map[string]int{"network": 1}}
	cm := k.commit(aboutRun("run.queued", r.ID))
	cm.Work = []store.Work{w}
	got, err := k.StartRun(t.Context(), cm, r, time.Time{}, time.Time{})
	ok(t, "StartRun", err)
	sameRun(t, "StartRun", got, r)
	same(t, "Run", k.runNow(t, r.ID), got)
	if jobs := k.due(t, k.claimKey(t, long), true); len(jobs) != 1 || jobs[0].ID != w.ID {
		t.Errorf("the work of a run is %+v, want %+v", jobs, w)
	}
	if evs := ofStream(allEvents(t, k, k.company), r.ID); len(evs) != 1 || evs[0].ID != cm.Events[0].ID {
		t.Errorf("the run's events are %s, want that of the commit", canonical(evs))
	}
	if got := k.sourceNow(t, s.ID); got.RunID != r.ID || got.State() != knowledge.SourceQueued {
		t.Errorf("the source of a queued run is %s", canonical(got))
	}
	training := k.start(t, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, CreatedAt: now()})
	third := k.start(t, newRun(other))
	if training.Ahead != 1 || third.Ahead != 2 {
		t.Errorf("%d runs are ahead of the second, and %d of the third, want 1 and 2", training.Ahead, third.Ahead)
	}
	_, err = k.CancelRun(t.Context(), k.commit(), r.ID)
	ok(t, "CancelRun", err)
	if n := k.runNow(t, third.ID).Ahead; n != 1 {
		t.Errorf("%d runs are ahead once the first has ended, want 1", n)
	}
	if _, err = k.BeginRun(t.Context(), k.commit(), k.grip(t, long), third.ID); err != nil || k.runNow(t, third.ID).Ahead != 0 {
		t.Errorf("a run under way has %d ahead of it (%v), want none", k.runNow(t, third.ID).Ahead, err)
	}
}

func joinRun(t *testing.T, k *kit) {
	s, own := k.addSource(t, ""), k.newAgent(t)
	train := func(agentID string) knowledge.Run {
		return knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, Phase: "queued", AgentID: agentID, CreatedAt: now()}
	}
	queued := k.start(t, newRun(s))
	all, agents := k.start(t, train("")), k.start(t, train(own))
	if all.ID == agents.ID || all.ID == queued.ID {
		t.Fatalf("the trainings of all and of one agent are %s and %s", all.ID, agents.ID)
	}
	again := newRun(s)
	again.Force = true
	sameID := train("")
	sameID.ID, sameID.AgentID, sameID.SourceID = queued.ID, own, s.ID
	for what, c := range map[string]struct{ run, want knowledge.Run }{
		"of a source": {again, queued}, "of training": {train(""), all}, "of training an agent": {train(own), agents}, "with an id that is there": {sameID, queued},
	} {
		claim := k.claimed(t, what, long)
		cm := k.commit(aboutRun("run.queued", c.run.ID))
		cm.Work = []store.Work{newWork("key")}
		cm.Receipt = &store.Receipt{Scope: claim.Scope, Key: claim.Key, Fence: claim.Fence, Done: true}
		cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "run.start", At: now()}
		before := read(t, k, k.company)
		got, err := k.StartRun(t.Context(), cm, c.run, time.Time{}, time.Time{})
		ok(t, "StartRun", err)
		same(t, "a second run "+what, got, c.want)
		after := read(t, k, k.company)
		audit := *cm.Audit
		audit.Object = c.want.ID
		before.Audit = append([]store.Audit{audit}, before.Audit...)
		same(t, "the company after a second run "+what, after, before)
		if r := k.claim(t, what, "hash", long); !r.Done || r.Result != c.want.ID {
			t.Errorf("the receipt of a second run %s is %+v, want %s", what, r, c.want.ID)
		}
		if cm.Receipt.Result != "" || cm.Audit.Object != "" {
			t.Errorf("StartRun has changed its caller's commit to %+v, %+v", cm.Receipt, cm.Audit)
		}
	}
	cm := k.commit()
	cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "run.start", Object: "its own", At: now()}
	_, err := k.StartRun(t.Context(), cm, newRun(s), time.Time{}, time.Time{})
	ok(t, "StartRun", err)
	same(t, "an audit entry with an object", read(t, k, k.company).Audit[0], cm.Audit)

	l := k.grip(t, long) // beside one that runs, another one is queued
	for _, runID := range []string{queued.ID, all.ID} {
		_, err = k.BeginRun(t.Context(), k.commit(), l, runID)
		ok(t, "BeginRun", err)
	}
	for what, r := range map[string]knowledge.Run{"of a source": newRun(s), "of training": train("")} {
		if got := k.start(t, r); got.ID != r.ID {
			t.Errorf("a run %s beside one that runs is %s, want a new one", what, canonical(got))
		}
	}
	if got := k.start(t, newRun(k.addSource(t, ""))); got.ID == queued.ID {
		t.Error("a run of another source joined this one's")
	}
}

func startWhatIsDue(t *testing.T, k *kit) {
	s := newSource("")
	s.NextRunAt = now().Add(-time.Hour)
	ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), s, nil))
	next := now().Add(time.Hour)
	start := func(next, ifDue time.Time) (knowledge.Run, error) {
		cm := k.commit(tell("run.queued", "stream"))
		cm.Work = []store.Work{newWork("key")}
		return k.StartRun(t.Context(), cm, newRun(s), next, ifDue)
	}
	before := read(t, k, k.company)
	_, err := start(next, s.NextRunAt.Add(time.Microsecond))
	refused(t, "StartRun of what was due at another time", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)

	started, err := start(next, s.NextRunAt)
	ok(t, "StartRun", err)
	got := k.sourceNow(t, s.ID)
	if !got.NextRunAt.Equal(next) || !got.UpdatedAt.Equal(s.UpdatedAt) || got.RunID != started.ID {
		t.Errorf("the source is now %s, want it due at %v", canonical(got), next)
	}
	before = read(t, k, k.company)
	_, err = start(next.Add(long), s.NextRunAt)
	refused(t, "StartRun of what somebody else has started", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)

	joined, err := start(next.Add(time.Hour), next) // the queued one will do, and the source is due later
	ok(t, "StartRun", err)
	if got = k.sourceNow(t, s.ID); joined.ID != started.ID || !got.NextRunAt.Equal(next.Add(time.Hour)) {
		t.Errorf("a source of which a run was queued is due at %v, want %v", got.NextRunAt, next.Add(time.Hour))
	}
	_, err = start(next, time.Time{})
	ok(t, "StartRun whenever it was due", err)
	_, err = start(time.Time{}, s.NextRunAt)
	ok(t, "StartRun that leaves the schedule alone", err)
	if got = k.sourceNow(t, s.ID); !got.NextRunAt.Equal(next) {
		t.Errorf("the source is due at %v, want %v", got.NextRunAt, next)
	}
}

func startRefused(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	before := read(t, k, k.company)
	of := newRun(newSource(""))
	by := newRun(s)
	by.AgentID = id.New(id.Agent)
	other := newKit(t, k.Store)
	for what, r := range map[string]knowledge.Run{
		"a source that is not there": of, "another company's source": newRun(other.addSource(t, "")), "an agent that is not there": by,
		"training an agent that is not there": {ID: id.New(id.Run), Kind: knowledge.RunTraining, AgentID: other.agent, CreatedAt: now()},
	} {
		cm := k.commit(aboutRun("run.queued", r.ID))
		cm.Work = []store.Work{newWork("key")}
		_, err := k.StartRun(t.Context(), cm, r, time.Time{}, time.Time{})
		missing(t, "StartRun of "+what, err)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func beginRun(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	g := k.gather(t, s)
	first := g.run
	if first.State != knowledge.RunRunning || first.Attempts != 1 || first.StartedAt.IsZero() || !first.EndedAt.IsZero() {
		t.Errorf("a run that was begun is %s", canonical(first))
	}
	same(t, "Run", k.runNow(t, g.run.ID), first)
	g.stage(t, g.page("a", "Alpha."))
	g.see(t, seenPage("https://example.com/docs/a"))
	ok(t, "MoveRun", k.MoveRun(t.Context(), g.lease, g.run.ID, "fetch", knowledge.Counts{Done: 1}, nil))
	ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), g.lease))
	g.lease = k.grip(t, long)
	before := read(t, k, k.company)

	w, claim := newWork("again"), k.claimed(t, "again", long)
	cm := k.commit(aboutRun(event.TrainingStarted, g.run.ID))
	cm.Work, cm.Receipt = []store.Work{w}, &store.Receipt{Scope: claim.Scope, Key: claim.Key, Fence: claim.Fence, Result: "again", Done: true}
	again, err := k.BeginRun(t.Context(), cm, g.lease, g.run.ID)
	ok(t, "BeginRun", err)
	if again.Attempts != 2 || !again.StartedAt.Equal(first.StartedAt) || again.State != knowledge.RunRunning || again.Phase != "fetch" || again.Counts.Done != 1 {
		t.Errorf("a run that was taken up again is %s", canonical(again))
	}
	after := read(t, k, k.company)
	same(t, "the events", after.Events, before.Events)
	same(t, "what is staged", after.Gathered, before.Gathered)
	if kinds := kindsOf(k.runEvents(t, g.run.ID)); kinds != knowledge.RunStarted {
		t.Errorf("the run's events are %q, want that it was started, once", kinds)
	}
	if r := k.claim(t, "again", "hash", long); r.Result != "again" || !after.Due {
		t.Errorf("taking a run up again wrote the receipt %+v, and its work: %v", r, after.Due)
	}
}

func leaveRun(t *testing.T, k *kit) {
	g := k.gather(t, k.addSource(t, ""))
	g.stage(t, g.page("a", "Alpha."))
	g.see(t, seenPage("https://example.com/docs/a"))
	g.begin(t)
	before := read(t, k, k.company)
	for _, want := range []int{1, 0, 0} { // of two attempts, and then of none
		was := k.runNow(t, g.run.ID)
		ok(t, "LeaveRun", k.LeaveRun(t.Context(), g.lease, g.run.ID))
		was.Attempts = want
		same(t, "a run that was put down", k.runNow(t, g.run.ID), was)
	}
	after := read(t, k, k.company)
	same(t, "the company", withoutRun(after, g.run.ID), withoutRun(before, g.run.ID))
	same(t, "what is staged", after.Gathered, before.Gathered)

	g.begin(t)
	if r := k.runNow(t, g.run.ID); r.Attempts != 1 || r.State != knowledge.RunRunning {
		t.Errorf("a run that was put down and taken up again is %s", canonical(r))
	}
	if kinds := kindsOf(k.runEvents(t, g.run.ID)); kinds != knowledge.RunStarted {
		t.Errorf("the run's events are %q, want that it was started, once", kinds)
	}
}

func moveRun(t *testing.T, k *kit) {
	g := k.gather(t, k.addSource(t, ""))
	was := g.run
	counts := knowledge.Counts{
		Total: 10, Done: 9, Created: 1, Updated: 2, Unchanged: 3, Deleted: 4, Skipped: 5, Failed: 6, Bytes: 1 << 50, Errors: map[string]int{"network": 4, "auth": 2},
	}
	failed := &knowledge.RunError{Kind: "mapping", Message: "there is no title", Item: "item 7", Path: "$.items[7]", Status: 200, Curl: `curl -H "Authorization: $TOKEN"`}
	events := []knowledge.RunEvent{
		{Sequence: 77, Type: knowledge.RunProgress, Counts: counts, CreatedAt: now()},
		{Type: knowledge.RunItemFailed, Item: "item 7", Error: failed, CreatedAt: now()},
	}
	ok(t, "MoveRun", k.MoveRun(t.Context(), g.lease, g.run.ID, "fetch", counts, events))
	got := k.runNow(t, g.run.ID)
	was.Phase, was.Counts = "fetch", counts
	if got.UpdatedAt.Before(was.UpdatedAt) {
		t.Errorf("the time of update went from %v to %v", was.UpdatedAt, got.UpdatedAt)
	}
	sameRun(t, "Run", got, was)
	told := k.runEvents(t, g.run.ID)
	for i := range events {
		events[i].Sequence = int64(i + 2)
	}
	same(t, "the events of a run", told[1:], events)

	ok(t, "MoveRun", k.MoveRun(t.Context(), g.lease, g.run.ID, "publish", knowledge.Counts{}, nil))
	got = k.runNow(t, g.run.ID)
	was.Phase, was.Counts = "publish", knowledge.Counts{}
	sameRun(t, "a run with its counts taken back", got, was)
	if n := len(k.runEvents(t, g.run.ID)); n != 3 {
		t.Errorf("the run has %d events, want 3", n)
	}
}

func failedItems(t *testing.T, k *kit) {
	g := k.gather(t, k.addSource(t, ""))
	for range 3 {
		var events []knowledge.RunEvent
		for i := range knowledge.MaxItemEvents/2 - 1 {
			events = append(events, knowledge.RunEvent{Type: knowledge.RunItemFailed, Item: fmt.Sprint("item ", i), CreatedAt: now()})
		}
		events = append(events, knowledge.RunEvent{Type: knowledge.RunProgress, CreatedAt: now()})
		ok(t, "MoveRun", k.MoveRun(t.Context(), g.lease, g.run.ID, "fetch", knowledge.Counts{}, events))
	}
	g.finish(t, knowledge.RunCompleted)
	n := map[string]int{}
	for _, ev := range k.runEvents(t, g.run.ID) {
		n[ev.Type]++
	}
	same(t, "the events of a run", n, map[string]int{
		knowledge.RunStarted: 1, knowledge.RunItemFailed: knowledge.MaxItemEvents, knowledge.RunProgress: 3, knowledge.RunIsCompleted: 1,
	})
}

func cancelRun(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	published := k.sourceNow(t, s.ID).PublishedID
	steps := []func(g *gathering){
		func(g *gathering) { g.begin(t) },
		func(g *gathering) { g.stage(t, g.page("a", "Alpha, again."), g.page("c", "Gamma.")) },
		func(g *gathering) { g.drop(t, docs[1]) },
		func(g *gathering) { g.see(t, seenPage("https://example.com/docs/a")) },
		func(g *gathering) {
			ok(t, "MoveRun", k.MoveRun(t.Context(), g.lease, g.run.ID, "fetch", knowledge.Counts{Total: 4, Done: 2}, nil))
		},
		func(g *gathering) { g.begin(t) },
	}
	for n := range len(steps) + 1 {
		g := &gathering{kit: k, source: s, lease: k.grip(t, long)}
		before := read(t, k, k.company)
		g.run = k.start(t, newRun(s))
		for _, step := range steps[:n] {
			step(g)
		}
		was := k.runNow(t, g.run.ID)
		ev := aboutRun(event.TrainingCancelled, g.run.ID)
		got, err := k.CancelRun(t.Context(), k.commit(ev), g.run.ID)
		ok(t, "CancelRun", err)
		was.State, was.EndedAt, was.Ahead = knowledge.RunCancelled, got.EndedAt, 0
		sameRun(t, "CancelRun", got, was)
		if got.EndedAt.IsZero() {
			t.Error("a run that was cancelled has no time at which it ended")
		}
		same(t, "Run", k.runNow(t, g.run.ID), got)
		after := read(t, k, k.company)
		same(t, fmt.Sprintf("the company after a run was cancelled after %d steps", n), withoutRun(after, g.run.ID), withoutRun(before, g.run.ID))
		evs := k.runEvents(t, g.run.ID)
		if last := evs[len(evs)-1]; last.Type != knowledge.RunIsCancelled || canonical(last.Counts) != canonical(got.Counts) {
			t.Errorf("the run's events are %s, want one that it was cancelled last", canonical(evs))
		}
		if told := ofStream(after.Events, g.run.ID); len(told) == 0 || told[len(told)-1].ID != ev.ID {
			t.Errorf("the events of a run that was cancelled are %s, want that of the commit last", canonical(told))
		}
		if got := k.sourceNow(t, s.ID); got.PublishedID != published || got.State() != knowledge.SourceReady {
			t.Errorf("the source of a run that was cancelled is %s", canonical(got))
		}
	}
	before := read(t, k, k.company)
	cm := k.commit(aboutRun(event.TrainingCancelled, before.Runs[0].ID))
	cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "run.cancel", Object: before.Runs[0].ID, At: now()}
	_, err := k.CancelRun(t.Context(), cm, before.Runs[0].ID)
	ok(t, "CancelRun", err)
	after := read(t, k, k.company)
	before.Audit = append([]store.Audit{*cm.Audit}, before.Audit...)
	same(t, "the company after a run was cancelled again", after, before)
}

func listRuns(t *testing.T, k *kit) {
	own, parent := k.newAgent(t), id.New(id.Run)
	one, two := k.addSource(t, own), k.addSource(t, "")
	l := k.grip(t, long)
	var made []knowledge.Run
	for i := range 8 {
		r := newRun([]knowledge.Source{one, two}[i%2])
		if i%4 >= 2 {
			r.ParentID, r.Kind = parent, knowledge.RunSync
		}
		r = k.start(t, r)
		if i < 6 {
			_, err := k.BeginRun(t.Context(), k.commit(), l, r.ID)
			ok(t, "BeginRun", err)
		}
		if i < 3 {
			_, err := k.CancelRun(t.Context(), k.commit(), r.ID)
			ok(t, "CancelRun", err)
		}
		made = append(made, r)
	}
	for i, r := range made {
		made[i] = k.runNow(t, r.ID)
	}
	slices.Reverse(made)
	for _, f := range []knowledge.RunFilter{
		{}, {AgentID: own}, {SourceID: two.ID}, {ParentID: parent}, {Kind: knowledge.RunSync}, {State: knowledge.RunCancelled}, {State: knowledge.RunQueued},
		{SourceID: one.ID, State: knowledge.RunRunning}, {ParentID: parent, Kind: knowledge.RunCrawl}, {AgentID: own, SourceID: two.ID}, {State: "other"}, {ParentID: id.New(id.Run)},
		{AgentID: own, SourceID: one.ID, ParentID: parent, Kind: knowledge.RunSync, State: knowledge.RunRunning},
	} {
		want := slices.DeleteFunc(slices.Clone(made), func(r knowledge.Run) bool {
			return f.AgentID != "" && r.AgentID != f.AgentID || f.SourceID != "" && r.SourceID != f.SourceID || f.ParentID != "" && r.ParentID != f.ParentID ||
				f.Kind != "" && r.Kind != f.Kind || f.State != "" && r.State != f.State
		})
		same(t, "Runs of "+canonical(f), everyPage(t, 2, func(p store.Page) (store.List[knowledge.Run], error) {
			return k.Runs(t.Context(), k.company, f, p)
		}), want)
	}
}

func eventsOfRun(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	r := newRun(s)
	cm := k.commit(aboutRun("run.queued", r.ID))
	_, err := k.StartRun(t.Context(), cm, r, time.Time{}, time.Time{})
	ok(t, "StartRun", err)
	g := &gathering{kit: k, source: s, run: r, lease: k.grip(t, long)}
	g.begin(t)
	g.stage(t, g.page("a", "Alpha."))
	for range 3 {
		ok(t, "MoveRun", k.MoveRun(t.Context(), g.lease, r.ID, "fetch", knowledge.Counts{}, []knowledge.RunEvent{{Type: knowledge.RunProgress, CreatedAt: now()}}))
	}
	g.finish(t, knowledge.RunCompleted)
	all := k.runEvents(t, r.ID)
	if kinds := kindsOf(all); kinds != "run.started run.progress run.progress run.progress run.completed" {
		t.Errorf("the run's events are %q", kinds)
	}
	for after := range len(all) + 2 {
		for limit := 1; limit <= len(all)+1; limit++ {
			got, err := k.RunEvents(t.Context(), k.company, r.ID, int64(after), limit)
			ok(t, "RunEvents", err)
			from := min(after, len(all))
			same(t, fmt.Sprintf("RunEvents after %d, %d of them", after, limit), got, all[from:min(from+limit, len(all))])
		}
	}
	evs := ofStream(allEvents(t, k, k.company), r.ID)
	if !slices.Equal(types(evs), []event.Type{"run.queued", event.TrainingStarted, event.TrainingCompleted}) || evs[2].Sequence != 3 {
		t.Errorf("the events in the run's stream are %s", canonical(evs))
	}
	gapless(t, allEvents(t, k, k.company))
}

func fileRuns(t *testing.T, k *kit) {
	var ids []string
	write := func(status knowledge.Status, w knowledge.Write) knowledge.Run {
		t.Helper()
		w.RunID = id.New(id.Run)
		start := now()
		out, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
		ok(t, "WriteDocuments", err)
		if out.Documents[0].Status != status {
			t.Fatalf("WriteDocuments = %s, want it %s", canonical(out), status)
		}
		ids = append(ids, w.RunID)
		r := k.runNow(t, w.RunID)
		n := map[knowledge.Status]int{knowledge.Created: r.Counts.Created, knowledge.Updated: r.Counts.Updated, knowledge.Unchanged: r.Counts.Unchanged}
		if r.Kind != knowledge.RunFile || r.State != knowledge.RunCompleted || r.AgentID != w.AgentID || r.SourceID != "" || r.Error != nil || r.Revision != out.Revision ||
			r.Counts.Total != 1 || r.Counts.Done != 1 || n[status] != 1 || r.Counts.Created+r.Counts.Updated+r.Counts.Unchanged != 1 ||
			r.CreatedAt.Before(start.Add(-tick)) || r.StartedAt.IsZero() || r.EndedAt.IsZero() {
			t.Errorf("the run of a file that was %s is %s", status, canonical(r))
		}
		return r
	}
	w := external(hours(), "a")
	w.AgentID = k.agent
	w = hashed(w)
	first := write(knowledge.Created, w)
	write(knowledge.Unchanged, w)
	next := external(text("Title", "Another text."), "a")
	next.AgentID = k.agent
	write(knowledge.Updated, hashed(next))

	again := external(text("Title", "A third text."), "b")
	again.RunID = first.ID
	k.put(t, again)
	same(t, "a run that was there already", k.runNow(t, first.ID), first)
	both := []knowledge.Write{external(text("One", "One."), "one"), external(text("Two", "Two."), "two")}
	for i := range both {
		both[i].RunID = id.New(id.Run)
		ids = append(ids, both[i].RunID)
	}
	k.put(t, both...)
	slices.Reverse(ids)
	var got []string
	for _, r := range read(t, k, k.company).Runs {
		got = append(got, r.ID)
	}
	wantIDs(t, "Runs", got, ids...)

	none := external(text("Title", "Text."), "c")
	none.RunID, none.IfVersion = id.New(id.Run), 7
	_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{none})
	refused(t, "WriteDocuments", err, store.ErrConflict)
	_, err = k.Run(t.Context(), k.company, none.RunID)
	missing(t, "the run of a write that failed", err)
}

func unknownRun(t *testing.T, k *kit) {
	l := k.grip(t, long)
	other := newKit(t, k.Store)
	theirs := other.gather(t, other.addSource(t, ""))
	theirs.stage(t, theirs.page("a", "Alpha."))
	theirs.see(t, seenPage("https://example.com"))
	before := read(t, k, k.company)
	for _, runID := range []string{id.New(id.Run), k.agent, "", "run_x", theirs.run.ID} {
		_, err := k.Run(t.Context(), k.company, runID)
		missing(t, "Run", err)
		_, err = k.CancelRun(t.Context(), k.commit(), runID)
		missing(t, "CancelRun", err)
		g := &gathering{kit: k, source: newSource(""), run: knowledge.Run{ID: runID}, lease: l}
		for name, step := range g.workerSteps() {
			missing(t, name, step(t.Context()))
		}
		if n := len(k.staged(t, runID)) + len(k.runEvents(t, runID)) + len(k.pagesOf(t, runID)); n != 0 {
			t.Errorf("a run that is not there has %d events, pages and staged documents", n)
		}
	}
	same(t, "the company", read(t, k, k.company), before)
}
