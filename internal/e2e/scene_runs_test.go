package e2e

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// A training reads every source of an agent or of the company again.
func playTraining(s *suite) {
	s.begin(reachingLoopback())
	ctx, c, training := s.Context(), s.admin, s.admin.Training
	c.wantError(http.StatusNotFound, "not_found", "", request{method: "GET", path: "/v1/train/status"})
	c.wantError(http.StatusNotFound, "not_found", "", request{method: "POST", path: "/v1/train/cancel"})

	owner := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Owner"}))(s)
	var sites []string
	for _, agentID := range []string{"", owner.ID} {
		sites = append(sites, ok(c.Knowledge.Websites.Create(ctx, api.WebsiteRequest{URL: newSite(s, 3).URL, AgentID: agentID}))(s).ID)
	}
	first := ok(training.Start(ctx, api.TrainRequest{AgentID: owner.ID}))(s)
	if first.Kind != "training" || first.State != "queued" || first.AgentID != owner.ID || first.QueuePosition != 3 {
		s.Errorf("Start = %+v, want it behind the two crawls", first)
	}
	if again := ok(training.Start(ctx, api.TrainRequest{AgentID: owner.ID}))(s); again.ID != first.ID {
		s.Errorf("Start again = run %s, want %s, which waits", again.ID, first.ID)
	}
	empty := c.want(http.StatusAccepted, request{method: "POST", path: "/v1/train"})
	whole := empty.at("id").(string)
	if empty.header.Get("Location") != "/v1/runs/"+whole || whole == first.ID || empty.at("agent_id") != nil {
		s.Errorf("a training without a body = %s with %v, want one of the company", empty.body, empty.header)
	}
	if got := ok(training.Status(ctx, nil))(s); got.ID != whole {
		s.Errorf("Status = run %s, want the latest, %s", got.ID, whole)
	}
	if got := ok(training.Status(ctx, &api.GetTrainingStatusParams{RunID: &first.ID}))(s); got.ID != first.ID {
		s.Errorf("Status of %s = run %s", first.ID, got.ID)
	}
	s.work()
	done := wantRun(s, whole, "completed")
	wantRun(s, first.ID, "completed")
	if done.Progress.Total != 2 || done.Progress.Done != 2 || done.Progress.Fraction != 1 || done.EndedAt.IsZero() || done.StartedAt.IsZero() {
		s.Errorf("the training of the company = %+v, want two sources read", done)
	}
	for parent, want := range map[string][]string{whole: sites, first.ID: sites[1:]} {
		var read []string
		for run, err := range c.Runs.All(ctx, &api.ListRunsParams{ParentID: &parent}) {
			if err != nil {
				s.Fatal(err)
			}
			if read = append(read, run.SourceID); run.ParentID != parent || run.State != "completed" {
				s.Errorf("a run of training %s = %+v", parent, run)
			}
		}
		for _, id := range read { // what waited already was no run of the training
			if !slices.Contains(want, id) {
				s.Errorf("training %s has read %v, want none but %v", parent, read, want)
			}
		}
	}
	for name, n := range map[string]struct {
		params api.ListRunsParams
		want   func(api.Run) bool
	}{
		"kind":   {api.ListRunsParams{Kind: new("training")}, func(r api.Run) bool { return r.Kind == "training" }},
		"state":  {api.ListRunsParams{State: new("completed")}, func(r api.Run) bool { return r.State == "completed" }},
		"agent":  {api.ListRunsParams{AgentID: &owner.ID}, func(r api.Run) bool { return r.AgentID == owner.ID }},
		"source": {api.ListRunsParams{SourceID: &sites[0]}, func(r api.Run) bool { return r.SourceID == sites[0] }},
	} {
		got := ok(c.Runs.List(ctx, &n.params))(s).Data
		if len(got) == 0 || slices.ContainsFunc(got, func(r api.Run) bool { return !n.want(r) }) {
			s.Errorf("List by %s = %+v", name, got)
		}
	}
	if stopped := ok(training.Cancel(ctx, nil))(s); stopped.ID != whole || stopped.State != "completed" {
		s.Errorf("Cancel of a training that has ended = %+v, want it as it is", stopped)
	}
	reader := s.callerOf(s.desk.ID(), access.ScopeRead)
	if _, err := reader.Training.Start(ctx, api.TrainRequest{}); !errors.Is(err, client.ErrForbidden) {
		s.Errorf("Start with a read key = error %v, want %v", err, client.ErrForbidden)
	}
	ok(reader.Runs.Get(ctx, whole))(s)
}

// A run is followed as it goes on, as JSON and as a stream, left, taken up again, and
// cancelled.
func playRun(s *suite) {
	s.begin(reachingLoopback())
	ctx, c, runs := s.Context(), s.admin, s.admin.Runs
	there := newSite(s, 4)
	there.put("/slow", "This page takes its time. It tells of the cellar with the clock.")
	w := ok(c.Knowledge.Websites.Create(ctx, api.WebsiteRequest{URL: there.URL}))(s)
	if joined := ok(c.Knowledge.Websites.Crawl(ctx, w.ID, api.CrawlRequest{Force: new(true)}))(s); joined.ID != w.RunID {
		s.Errorf("Crawl = run %s, want %s, which waits", joined.ID, w.RunID)
	}
	if early := ok(runs.Events(ctx, w.RunID, nil))(s); len(early.Data) != 0 || early.Done {
		s.Errorf("the events of a run that waits = %+v, want none yet", early)
	}
	s.work()
	waited := ok(runs.Events(ctx, w.RunID, &api.ListRunEventsParams{Wait: new(api.Wait(30))}))(s)
	if len(waited.Data) == 0 || waited.Data[0].Type != "run.started" || waited.Data[0].Sequence != 1 || waited.Done {
		s.Fatalf("Events with a wait = %+v, want that it has started", waited)
	}
	var last int64
	for ev, err := range runs.Watch(ctx, w.RunID, 0) {
		if err != nil {
			s.Fatalf("Watch = error %v", err)
		}
		if last = ev.Sequence; ev.Type == "run.progress" && ev.Progress.Done > 0 {
			break // the reader is gone, and the run goes on
		}
	}
	running := ok(runs.Get(ctx, w.RunID))(s)
	if running.State != "running" || running.Attempts != 1 || running.StartedAt.IsZero() {
		s.Errorf("a run under way = %+v", running)
	}
	if early := c.found("which cellar is open at night", nil); len(early) != 0 {
		s.Errorf("a search finds %v before the run has published anything", early)
	}
	rest := make(chan []api.RunEvent)
	go func() {
		var got []api.RunEvent
		for ev, err := range runs.Watch(ctx, w.RunID, last) {
			if err != nil {
				s.Errorf("Watch after %d = error %v", last, err)
				break
			}
			got = append(got, ev)
		}
		rest <- got
	}()
	begun := time.Now()
	stopped := ok(runs.Cancel(ctx, w.RunID))(s)
	if stopped.State != "cancelled" || stopped.EndedAt.IsZero() {
		s.Errorf("Cancel = %+v, want it cancelled", stopped)
	}
	got := <-rest
	if took := time.Since(begun); len(got) == 0 || got[0].Sequence != last+1 || got[len(got)-1].Type != "run.cancelled" || took > 25*time.Second { // less than a page may take
		s.Errorf("taken up after %d, the stream tells %+v within %v, want the end of the run", last, got, took)
	}
	whole := ok(runs.Events(ctx, w.RunID, &api.ListRunEventsParams{After: new(api.After(got[len(got)-1].Sequence))}))(s)
	if len(whole.Data) != 0 || !whole.Done {
		s.Errorf("Events after the last one = %+v, want none, and that it is done", whole)
	}
	for _, after := range []int64{0, got[len(got)-1].Sequence} { // whoever has all is told the end again
		var types []string
		for ev, err := range runs.Watch(ctx, w.RunID, after) {
			if err != nil {
				s.Fatalf("Watch of a run that has ended = error %v", err)
			}
			types = append(types, ev.Type)
		}
		if len(types) == 0 || types[len(types)-1] != "run.cancelled" || after == 0 && types[0] != "run.started" {
			s.Errorf("Watch of a run that has ended, after %d = %v", after, types)
		}
	}
	if again := ok(runs.Cancel(ctx, w.RunID))(s); again.State != "cancelled" || !again.EndedAt.Equal(stopped.EndedAt) {
		s.Errorf("Cancel again = %+v, want it as it was", again)
	}
	if found := c.found("which cellar is open at night", nil); len(found) != 0 {
		s.Errorf("a search finds %v of a run that was cancelled", found)
	}
	close(there.gate)
	again := ok(c.Knowledge.Websites.Crawl(ctx, w.ID, api.CrawlRequest{}))(s)
	if run := wantRun(s, again.ID, "completed"); run.Progress.Created != 5 {
		s.Errorf("the crawl after it = %+v, want five pages", run)
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "Last-Event-ID", request{method: "GET", path: "/v1/runs/" + w.RunID + "/events", header: map[string]string{"Last-Event-ID": "99999999999999999999"}})
}
