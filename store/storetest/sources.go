package storetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// sources are the promises about where documents come from.
var sources = slices.Concat(sourcePromises, sourceDeletion, versionPromises)

var sourcePromises = []promise{
	{
		name:  "create",
		text:  "a source reads back as it was given, and stands idle until it has a run",
		check: createSource,
	},
	{
		name:  "create with a run",
		text:  "a source made with its first run has it queued, with the work of the commit",
		check: createWithRun,
	},
	{
		name:  "create refused",
		text:  "a source of an agent that is not there is not found, one whose id or run's id is taken is a conflict, and nothing of it is there",
		check: createSourceRefused,
	},
	{
		name:  "update",
		text:  "an update changes what may be changed of a source, and nothing else, and moves its time of update on",
		check: updateSource,
	},
	{
		name:  "update refused",
		text:  "a source that was changed since it was read is a conflict, and stays as it is",
		check: updateSourceRefused,
	},
	{
		name:  "list",
		text:  "sources are listed newest first, filtered by kind and agent",
		check: listSources,
	},
	{
		name: "due", fresh: true,
		text:  "the sources of all companies that are due are found, those due longest first, and no others",
		check: dueSources,
	},
	{
		name:  "documents",
		text:  "the documents of a source are read in the order of their ids, with what a run compares",
		check: documentsOfSource,
	},
	{
		name:  "documents of its own",
		text:  "a document of a source is neither found nor changed by a write, and does not stand in the way of one with the same external id",
		check: documentsOfItsOwn,
	},
	{
		name:  "standing",
		text:  "a source shows its latest run, when its latest published one ended, and what the latest one failed of",
		check: sourceStanding,
	},
	{
		name:  "pages",
		text:  "what a run saw reads back as it was given, last first without links, and one address again replaces what was said of it",
		check: sourcePages,
	},
	{
		name:  "hostile",
		text:  "sources, runs and pages read back byte for byte, whatever they are called",
		check: hostileSources,
	},
}

func createSource(t *testing.T, k *kit) {
	for _, agentID := range []string{"", k.agent} {
		for _, kind := range []knowledge.SourceKind{knowledge.SourceWebsite, knowledge.SourceAPI} {
			s := newSource(agentID)
			s.Kind, s.NextRunAt = kind, now().Add(long)
			ev := tell("source.created", s.ID)
			ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(ev), s, nil))
			got := k.sourceNow(t, s.ID)
			same(t, "Source", got, s)
			if got.State() != knowledge.SourceIdle || got.Documents != 0 || !got.LastSuccessAt.IsZero() {
				t.Errorf("a new source is %s", canonical(got))
			}
			if evs := ofStream(allEvents(t, k, k.company), s.ID); len(evs) != 1 || evs[0].ID != ev.ID {
				t.Errorf("the source's events are %s, want that of the commit", canonical(evs))
			}
		}
	}
	bare := knowledge.Source{ID: id.New(id.Source), Kind: knowledge.SourceWebsite, CreatedAt: now()}
	ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), bare, nil))
	bare.UpdatedAt = bare.CreatedAt
	same(t, "a source with nothing in it", k.sourceNow(t, bare.ID), bare)
}

func createWithRun(t *testing.T, k *kit) {
	s := newSource(k.agent)
	r, w := newRun(s), newWork("key")
	cm := k.commit(aboutRun("run.queued", r.ID))
	cm.Work = []store.Work{w}
	ok(t, "CreateSource", k.CreateSource(t.Context(), cm, s, &r))
	got := k.sourceNow(t, s.ID)
	sameRun(t, "the source's run", got.Run, r)
	if got.RunID != r.ID || got.State() != knowledge.SourceQueued || got.PublishedID != "" {
		t.Errorf("a source with its first run is %s", canonical(got))
	}
	sameRun(t, "Run", k.runNow(t, r.ID), r)
	if jobs := k.due(t, k.claimKey(t, long), true); len(jobs) != 1 || jobs[0].ID != w.ID {
		t.Errorf("the work of a first run is %+v, want %+v", jobs, w)
	}
	if evs := ofStream(allEvents(t, k, k.company), r.ID); len(evs) != 1 {
		t.Errorf("the run's events are %s, want that of the commit", canonical(evs))
	}
}

// sameRun compares runs without the time they last said how far they are.
func sameRun(t *testing.T, what string, got, want knowledge.Run) {
	t.Helper()
	if got.UpdatedAt.IsZero() {
		t.Errorf("%s has no time of update", what)
	}
	got.UpdatedAt = want.UpdatedAt
	same(t, what, got, want)
}

func createSourceRefused(t *testing.T, k *kit) {
	there := k.addSource(t, "")
	running := k.start(t, newRun(there))
	of := newSource(id.New(id.Agent))
	twice := newSource("")
	twice.ID = there.ID
	taken := newSource("")
	r := newRun(taken)
	r.ID = running.ID
	before := read(t, k, k.company)
	missing(t, "CreateSource of an agent that is not there", k.CreateSource(t.Context(), k.commit(tell("a.b", of.ID)), of, nil))
	refused(t, "CreateSource of one that is there", k.CreateSource(t.Context(), k.commit(tell("a.b", twice.ID)), twice, nil), store.ErrConflict)
	refused(t, "CreateSource with a run that is there", k.CreateSource(t.Context(), k.commit(tell("a.b", taken.ID)), taken, &r), store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
}

func updateSource(t *testing.T, k *kit) {
	s := k.addSource(t, k.agent)
	k.publish(t, s, aPage("a", "Alpha."))
	was := k.sourceNow(t, s.ID)
	other := knowledge.Source{
		ID: s.ID, Kind: knowledge.SourceAPI, AgentID: k.newAgent(t), Name: "Renamed", URL: "https://example.com/other", Schedule: "@hourly",
		Metadata: map[string]any{"n": 1.5}, Settings: json.RawMessage(`{"include":["a"]}`), NextRunAt: now().Add(long),
		RunID: id.New(id.Run), PublishedID: id.New(id.Run), CreatedAt: now().Add(long), UpdatedAt: was.UpdatedAt,
	}
	want := was
	want.Name, want.URL, want.Schedule, want.Metadata, want.Settings, want.NextRunAt = other.Name, other.URL, other.Schedule, other.Metadata, other.Settings, other.NextRunAt
	for i := range 3 {
		if i == 2 { // nothing of it is left
			other.Name, other.URL, other.Schedule, other.Metadata, other.Settings, other.NextRunAt = "", "", "", nil, nil, time.Time{}
			want.Name, want.URL, want.Schedule, want.Metadata, want.Settings, want.NextRunAt = "", "", "", nil, nil, time.Time{}
		}
		got, err := k.UpdateSource(t.Context(), k.commit(tell("source.updated", s.ID)), other, was.UpdatedAt)
		ok(t, "UpdateSource", err)
		if !got.UpdatedAt.After(was.UpdatedAt) {
			t.Errorf("the time of update went from %v to %v", was.UpdatedAt, got.UpdatedAt)
		}
		want.UpdatedAt = got.UpdatedAt
		same(t, "UpdateSource", got, want)
		same(t, "Source", k.sourceNow(t, s.ID), want)
		was = got
	}
	if evs := ofStream(allEvents(t, k, k.company), s.ID); len(evs) != 3 {
		t.Errorf("the source's events are %s, want those of three updates", canonical(evs))
	}
	k.publish(t, s, aPage("b", "Beta."))
	if got := k.sourceNow(t, s.ID); !got.UpdatedAt.Equal(was.UpdatedAt) {
		t.Error("a run moved the time at which somebody changed its source")
	}
}

func updateSourceRefused(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	next := s
	next.Name = "Renamed"
	_, err := k.UpdateSource(t.Context(), k.commit(), next, s.UpdatedAt)
	ok(t, "UpdateSource", err)
	before := read(t, k, k.company)
	_, err = k.UpdateSource(t.Context(), k.commit(tell("a.b", s.ID)), s, s.UpdatedAt)
	refused(t, "UpdateSource of one that was changed", err, store.ErrConflict)
	for _, sourceID := range []string{id.New(id.Source), k.agent, "", "src_x"} {
		s.ID = sourceID
		_, err = k.UpdateSource(t.Context(), k.commit(tell("a.b", "stream")), s, time.Time{})
		missing(t, "UpdateSource of one that is not there", err)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func listSources(t *testing.T, k *kit) {
	other := k.newAgent(t)
	var made []knowledge.Source
	for i, agentID := range []string{"", k.agent, other, "", other, k.agent} {
		s := newSource(agentID)
		if i%2 == 1 {
			s.Kind = knowledge.SourceAPI
		}
		ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), s, nil))
		made = append(made, k.sourceNow(t, s.ID))
	}
	slices.Reverse(made)
	for _, f := range []knowledge.SourceFilter{
		{}, {AgentID: other}, {Kind: knowledge.SourceAPI}, {Kind: knowledge.SourceWebsite, AgentID: k.agent}, {Kind: "feed"}, {AgentID: id.New(id.Agent)},
	} {
		want := slices.DeleteFunc(slices.Clone(made), func(s knowledge.Source) bool {
			return f.AgentID != "" && s.AgentID != f.AgentID || f.Kind != "" && s.Kind != f.Kind
		})
		same(t, "Sources of "+canonical(f), everyPage(t, 2, func(p store.Page) (store.List[knowledge.Source], error) {
			return k.Sources(t.Context(), k.company, f, p)
		}), want)
	}
}

func dueSources(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	start := now()
	var want []string
	for i, after := range []time.Duration{-3 * time.Hour, time.Hour, -time.Hour, 0, -2 * time.Hour} {
		k := []*kit{k, other}[i%2]
		s := newSource("")
		if after != 0 {
			s.NextRunAt = start.Add(after)
		}
		ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), s, nil))
		want = append(want, k.company+" "+s.ID)
	}
	want = []string{want[0], want[4], want[2]}
	due := func(limit int) (ids []string) {
		t.Helper()
		all, err := k.DueSources(t.Context(), limit)
		ok(t, "DueSources", err)
		for _, d := range all {
			ids = append(ids, d.Company+" "+d.ID)
			of := &kit{Store: k.Store, company: d.Company}
			same(t, "a source that is due", d.Source, of.sourceNow(t, d.ID))
		}
		return ids
	}
	wantIDs(t, "DueSources", due(10), want...)
	wantIDs(t, "DueSources, two of them", due(2), want[:2]...)
	first, err := k.DueSources(t.Context(), 1)
	ok(t, "DueSources", err)
	s := first[0].Source
	_, err = k.StartRun(t.Context(), k.commit(), newRun(s), start.Add(long), s.NextRunAt)
	ok(t, "StartRun", err)
	wantIDs(t, "DueSources once one of them was started", due(10), want[1:]...)
	s = first[0].Source
	s.NextRunAt = start.Add(-time.Minute)
	_, err = k.UpdateSource(t.Context(), k.commit(), s, time.Time{})
	ok(t, "UpdateSource", err)
	wantIDs(t, "DueSources once it is due again", due(10), want[1], want[2], want[0])
	_, err = k.DeleteSource(t.Context(), k.commit(), s.ID)
	ok(t, "DeleteSource", err)
	ok(t, "DeleteCompany", other.DeleteCompany(t.Context(), other.commit()))
	wantIDs(t, "DueSources once a source and a company are gone", due(10), want[1:]...)
}

func documentsOfSource(t *testing.T, k *kit) {
	s, other := k.addSource(t, k.agent), k.addSource(t, k.agent)
	k.put(t, external(hours(), "a"))
	k.publish(t, other, aPage("a", "Alpha of another source."))
	ids := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."), aPage("d", "Delta."), aPage("e", "Epsilon."))
	k.publish(t, s, aPage("b", "Beta, again."))
	k.deleteDocument(t, ids[3])
	g := k.gather(t, s)
	g.stage(t, g.page("f", "Zeta."), g.page("a", "Alpha, again."))

	var want []knowledge.SourceDocument
	for i, line := range []string{"Alpha.", "Beta, again.", "Gamma.", "", "Epsilon."} {
		if line == "" {
			continue
		}
		w := g.page(string("abcde"[i]), line)
		want = append(want, knowledge.SourceDocument{ID: ids[i], ExternalID: w.ExternalID, URL: w.URL, Version: 1, Hash: w.Hash, TextHash: w.TextHash})
	}
	want[1].Version = 2
	slices.SortFunc(want, func(a, b knowledge.SourceDocument) int { return cmp.Compare(a.ID, b.ID) })
	for limit := 1; limit <= 5; limit++ {
		var got []knowledge.SourceDocument
		for after := ""; ; {
			part, err := k.SourceDocuments(t.Context(), k.company, s.ID, after, limit)
			ok(t, "SourceDocuments", err)
			if len(part) == 0 {
				break
			}
			got, after = append(got, part...), part[len(part)-1].ID
		}
		same(t, fmt.Sprintf("SourceDocuments by %d", limit), got, want)
	}
	if got := k.sourceNow(t, s.ID); got.Documents != 4 {
		t.Errorf("the source has %d documents, want 4", got.Documents)
	}
	for _, of := range []string{id.New(id.Source), "", k.agent} {
		if got, err := k.SourceDocuments(t.Context(), k.company, of, "", 10); len(got) != 0 || err != nil {
			t.Errorf("SourceDocuments of no source = %s, %v", canonical(got), err)
		}
	}
	for _, f := range []knowledge.Filter{{SourceID: s.ID}, {SourceID: s.ID, ExternalID: "b"}, {SourceID: other.ID, AgentID: k.agent}, {SourceID: id.New(id.Source)}} {
		all := everyPage(t, 100, func(p store.Page) (store.List[knowledge.Document], error) {
			return k.Documents(t.Context(), k.company, knowledge.Filter{}, p)
		})
		want := slices.DeleteFunc(all, func(d knowledge.Document) bool {
			return d.SourceID != f.SourceID || f.ExternalID != "" && d.ExternalID != f.ExternalID
		})
		same(t, "Documents of "+canonical(f), everyPage(t, 1, func(p store.Page) (store.List[knowledge.Document], error) {
			return k.Documents(t.Context(), k.company, f, p)
		}), want)
	}
}

func documentsOfItsOwn(t *testing.T, k *kit) {
	s, other := k.addSource(t, ""), k.addSource(t, "")
	ids := k.publish(t, s, aPage("a", "Alpha."))
	ids = append(ids, k.publish(t, other, aPage("a", "Alpha of another source."))...)
	put := text("Own", "Alpha that somebody put.")
	put.Kind = knowledge.KindPage
	put = external(put, "a")
	got := k.put(t, put)[0]
	if got.Status != knowledge.Created || slices.Contains(ids, got.ID) {
		t.Fatalf("a write with the external id of a source's document = %s, want a document of its own", canonical(got))
	}
	if got := k.publish(t, s, aPage("a", "Alpha, again.")); got[0] != ids[0] {
		t.Errorf("a run staged document %s, want %s, which is its source's", got[0], ids[0])
	}
	hashes, err := k.DocumentHashes(t.Context(), k.company, "", []string{"a"})
	ok(t, "DocumentHashes", err)
	if len(hashes) != 1 || hashes["a"] != put.Hash {
		t.Errorf("DocumentHashes = %x, want that of the document that was put", hashes)
	}
	found := everyPage(t, 1, func(p store.Page) (store.List[knowledge.Document], error) {
		return k.Documents(t.Context(), k.company, knowledge.Filter{ExternalID: "a"}, p)
	})
	if len(found) != 3 {
		t.Errorf("Documents with the external id = %s, want all three", canonical(found))
	}

	before := read(t, k, k.company)
	by := text("Own", "Written by somebody.")
	by.Kind, by.ID = knowledge.KindPage, ids[0]
	into := by
	into.ID, into.SourceID = "", s.ID
	for what, w := range map[string]knowledge.Write{
		"by its id": hashed(by), "by its id, with its external id": external(by, "a"), "of a source": external(into, "b"), "of a source, with an external id": external(into, "a"),
	} {
		_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
		refused(t, "WriteDocuments of a source's document "+what, err, store.ErrConflict)
		checked, err := k.CheckDocuments(t.Context(), k.company, []knowledge.Write{w})
		ok(t, "CheckDocuments", err)
		if len(checked) != 1 {
			t.Fatalf("CheckDocuments of one write = %s", canonical(checked))
		}
		refused(t, "CheckDocuments of a source's document "+what, checked[0].Err, store.ErrConflict)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func sourceStanding(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	published := k.gather(t, s)
	if got := k.sourceNow(t, s.ID); got.State() != knowledge.SourceRunning || got.RunID != published.run.ID {
		t.Errorf("a source whose first run is under way is %s", canonical(got))
	}
	ended := published.finish(t, knowledge.RunCompleted)
	got := k.sourceNow(t, s.ID)
	if got.State() != knowledge.SourceReady || got.PublishedID != ended.ID || !got.LastSuccessAt.Equal(ended.EndedAt) || got.LastError != nil {
		t.Errorf("a source whose first run was published is %s", canonical(got))
	}
	failed := k.gather(t, s).finish(t, knowledge.RunFailed)
	got = k.sourceNow(t, s.ID)
	same(t, "the source's run", got.Run, failed)
	if got.State() != knowledge.SourceFailed || got.RunID != failed.ID || got.PublishedID != ended.ID || !got.LastSuccessAt.Equal(ended.EndedAt) ||
		canonical(got.LastError) != canonical(failed.Error) || failed.Error == nil {
		t.Errorf("a source whose second run failed is %s", canonical(got))
	}
	waits := k.start(t, newRun(s))
	got = k.sourceNow(t, s.ID)
	if got.State() != knowledge.SourceQueued || got.RunID != waits.ID || got.LastError != nil || !got.LastSuccessAt.Equal(ended.EndedAt) {
		t.Errorf("a source whose third run waits is %s", canonical(got))
	}
	same(t, "the source in the list", everyPage(t, 1, func(p store.Page) (store.List[knowledge.Source], error) {
		return k.Sources(t.Context(), k.company, knowledge.SourceFilter{}, p)
	}), []knowledge.Source{got})
}

func sourcePages(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	g, beside := k.gather(t, s), k.gather(t, k.addSource(t, ""))
	var want []knowledge.Page
	for i := range 5 {
		p := seenPage(fmt.Sprint("https://example.com/docs/", i))
		p.Outcome, p.Reason, p.Status, p.DocumentID, p.Final = "skipped", "robots", 404, id.New(id.Document), "https://example.com/final"
		want = append(want, p)
	}
	want[3] = knowledge.Page{URL: "https://example.com/bare"}
	g.see(t, want[:2]...)
	g.see(t, want[2:]...)
	beside.see(t, want[0])
	again := seenPage(want[1].URL)
	again.Hash, again.Links = "ff00", []string{"https://example.com/new"}
	g.see(t, again, seenPage("https://example.com/docs/last"))
	want[1] = again
	want = append(want, seenPage("https://example.com/docs/last"))
	want[5].FetchedAt = now()
	check := func(sequences ...int64) {
		t.Helper()
		for i := range want {
			got, found, err := k.Page(t.Context(), k.company, g.run.ID, want[i].URL)
			ok(t, "Page", err)
			if !found || got.RunID != g.run.ID || got.Sequence != sequences[i] {
				t.Errorf("Page %d = %s, %v, want sequence %d of run %s", i, canonical(got), found, sequences[i], g.run.ID)
			}
			want[i].RunID, want[i].Sequence = got.RunID, got.Sequence
			if i == 5 {
				want[i].FetchedAt = got.FetchedAt
			}
			same(t, "Page", got, want[i])
		}
	}
	check(1, 2, 3, 4, 5, 6)
	listed := slices.Clone(want)
	slices.Reverse(listed)
	for i := range listed {
		listed[i].Links = nil
	}
	same(t, "Pages", k.pagesOf(t, g.run.ID), listed)
	if n := len(k.pagesOf(t, beside.run.ID)); n != 1 {
		t.Errorf("the run of another source has %d pages, want 1", n)
	}
	for _, of := range [][2]string{{g.run.ID, "https://example.com/never"}, {beside.run.ID, want[3].URL}, {id.New(id.Run), want[0].URL}, {"", want[0].URL}} {
		if p, found, err := k.Page(t.Context(), k.company, of[0], of[1]); found || err != nil {
			t.Errorf("Page that no run saw = %s, %v", canonical(p), err)
		}
	}
	if all := k.pagesOf(t, id.New(id.Run)); len(all) != 0 {
		t.Errorf("Pages of no run = %s", canonical(all))
	}
}

func hostileSources(t *testing.T, k *kit) {
	for _, s := range hostile {
		if len(s) > 1000 {
			s = s[:1000]
		}
		src := newSource("")
		settings, err := json.Marshal(map[string]any{s: s})
		ok(t, "Marshal", err)
		src.Name, src.URL, src.Schedule, src.Metadata, src.Settings = s, s, s, map[string]any{s: s}, settings
		ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), src, nil))
		same(t, "Source", k.sourceNow(t, src.ID), src)
		g := k.gather(t, src)
		failed := knowledge.RunError{Kind: s, Message: s, Item: s, Path: s, Curl: s, Status: 500}
		counts := knowledge.Counts{Total: 9, Done: 8, Skipped: 2, Failed: 1, Bytes: 1 << 40, Errors: map[string]int{s: 1}}
		ok(t, "MoveRun", k.MoveRun(t.Context(), g.lease, g.run.ID, s, counts, []knowledge.RunEvent{
			{Type: s, Item: s, Counts: counts, Error: &failed, CreatedAt: now()},
		}))
		page := knowledge.Page{URL: s, Outcome: s, Reason: s, FoundOn: s, Final: s, ETag: s, LastModified: s, Hash: s, Canonical: s, Links: []string{s, ""}}
		g.see(t, page)
		w := g.page(s, "Line.")
		w.Title, w.Language = s, "pt-BR"
		w.Passages[0].Page, w.Passages[0].Heading = 7, []string{s}
		w = hashed(w)
		g.stage(t, w)
		got, found, err := k.Page(t.Context(), k.company, g.run.ID, s)
		page.RunID, page.Sequence = g.run.ID, 1
		if err != nil || !found {
			t.Fatalf("Page: %v, %v", found, err)
		}
		same(t, "Page", got, page)
		r := k.runNow(t, g.run.ID)
		same(t, "the counts of a run", r.Counts, counts)
		evs := k.runEvents(t, g.run.ID)
		if last := evs[len(evs)-1]; r.Phase != s || last.Type != s || last.Item != s {
			t.Errorf("the run's phase is %q and its last event %s", r.Phase, canonical(last))
		} else {
			same(t, "the error of an event", last.Error, failed)
			same(t, "the counts of an event", last.Counts, counts)
		}
		g.run.Error, g.run.Counts = &failed, counts
		g.run.State, g.run.Phase = knowledge.RunFailed, s
		ended, err := k.EndRun(t.Context(), k.commit(), g.lease, g.run)
		ok(t, "EndRun", err)
		same(t, "the error of a run", ended.Error, failed)
		again := k.gather(t, src)
		again.stage(t, w)
		again.finish(t, knowledge.RunCompleted)
		k.asRead(t, w, w.NewID, 1)
	}
}
