package knowledge_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// types returns the types of the events of a run's stream, in order.
func (r *rig) types(t *testing.T, stream string) []event.Type {
	t.Helper()
	events, err := r.store.Events(t.Context(), r.company, "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var out []event.Type
	for _, e := range events {
		if e.Stream == stream {
			out = append(out, e.Type)
		}
	}
	return out
}

func TestTrain(t *testing.T) {
	r := newRig(t)
	fruit := newShop(t, map[string]string{"a": "Apples are red.", "b": "Bananas are yellow."})
	nuts := newShop(t, map[string]string{"n": "Nuts are hard."})
	ctx := t.Context()
	for _, s := range []*shop{fruit, nuts} {
		if _, err := r.AddAPISource(ctx, s.source()); err != nil {
			t.Fatal(err)
		}
	}
	run, err := r.Train(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.Train(ctx, nil); err != nil || again.ID != run.ID {
		t.Errorf("a second training while the first waits = %s, %v, want %s", again.ID, err, run.ID)
	}
	r.works(t)
	run = r.ended(t, run.ID)
	if run.State != knowledge.RunCompleted || run.Counts.Created+run.Counts.Unchanged != 3 || run.Counts.Total != 2 || run.Counts.Done != 2 {
		t.Errorf("training = %+v %+v", run, run.Error)
	}
	if got, want := r.types(t, run.ID), []event.Type{event.TrainingStarted, event.TrainingCompleted}; !slices.Equal(got, want) {
		t.Errorf("events of the training = %v, want %v", got, want)
	}
	if latest, err := r.Run(ctx, ""); err != nil || latest.ID != run.ID {
		t.Errorf("the latest training = %s, %v, want %s", latest.ID, err, run.ID)
	}

	// One of two fails: the training has done what could be done, and says what could not.
	nuts.change(func() { nuts.status = http.StatusForbidden })
	run, err = r.Train(ctx, &knowledge.TrainOptions{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if run = r.ended(t, run.ID); run.State != knowledge.RunCompleted || run.Counts.Unchanged != 2 {
		t.Errorf("training with one source that fails = %+v %+v", run, run.Error)
	}
	failed := 0
	for e, err := range r.WatchRun(ctx, run.ID, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == knowledge.RunItemFailed && e.Error.Kind == "auth" {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("the training tells of %d sources that failed, want 1", failed)
	}

	// Both fail.
	fruit.change(func() { fruit.status = http.StatusForbidden })
	if run, err = r.Train(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if run = r.ended(t, run.ID); run.State != knowledge.RunFailed || run.Error.Kind != "auth" {
		t.Errorf("training that can read nothing = %+v %+v", run, run.Error)
	}
	if got, want := r.types(t, run.ID), []event.Type{event.TrainingStarted, event.TrainingFailed}; !slices.Equal(got, want) {
		t.Errorf("events of a failed training = %v, want %v", got, want)
	}

	// An agent without sources has nothing to be read.
	if run, err = newRig(t).Train(ctx, nil); err != nil || run.State != knowledge.RunQueued {
		t.Errorf("a training without a runner = %+v, %v", run, err)
	}
}

// An API that begins to answer and never ends, and a run that is cancelled
// meanwhile: both the run and the training it belongs to end at once, and nothing
// of it is stored.
func TestCancelRun(t *testing.T) {
	r := newRig(t)
	begun, left := make(chan bool, 1), make(chan bool)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = w.Write([]byte(`{"data":{"items":[{"id":"a","body":{"plain":"Apples are red."}},`))
		w.(http.Flusher).Flush()
		begun <- true
		<-q.Context().Done()
		close(left)
	}))
	t.Cleanup(slow.Close)
	src := (&shop{Server: slow}).source()
	ctx := t.Context()
	added, err := r.AddAPISource(ctx, src)
	if err != nil {
		t.Fatal(err)
	}
	training, err := r.Train(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.works(t)
	<-begun
	for _, runID := range []string{training.ID, added.RunID} {
		run, err := r.CancelRun(ctx, runID)
		if err != nil || run.State != knowledge.RunCancelled || run.EndedAt.IsZero() {
			t.Fatalf("cancel = %+v, %v", run, err)
		}
		r.ended(t, runID)
		if got := r.types(t, runID); got[len(got)-1] != event.TrainingCancelled {
			t.Errorf("events = %v, want training.cancelled last", got)
		}
	}
	select { // the request has been left
	case <-left:
	case <-ctx.Done():
	}
	if got := r.texts(t); len(got) > 0 {
		t.Errorf("documents = %q, want none", got)
	}
	if run, err := r.CancelRun(ctx, training.ID); err != nil || run.State != knowledge.RunCancelled {
		t.Errorf("cancelling again = %+v, %v", run, err)
	}
	if _, err := r.CancelRun(ctx, "run_nonsense"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("cancelling what is not there gives %v", err)
	}
}

// direct answers requests without a network, so that time may be a test's own: what
// a handler writes comes as it is written, and who reads no more is gone.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, leave := context.WithCancel(r.Context())
	in, out := io.Pipe()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	w := &written{header: http.Header{}, out: out, begun: make(chan struct{})}
	go func() {
		d.ServeHTTP(w, r.WithContext(ctx))
		w.WriteHeader(http.StatusOK)
		out.CloseWithError(ctx.Err()) // whoever is gone has not read to the end
	}()
	select {
	case <-w.begun:
		return &http.Response{
			Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: w.sent, Body: left{in, leave}, ContentLength: -1, Request: r,
		}, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// left is a body whose reader leaves when it closes it.
type left struct {
	io.Reader
	leave context.CancelFunc
}

func (l left) Close() error { l.leave(); return nil }

// written is what a handler of direct writes to.
type written struct {
	header, sent http.Header
	status       int
	out          io.Writer
	begun        chan struct{} // closed when the header is sent
}

func (w *written) Header() http.Header { return w.header }

func (w *written) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	}
}

func (w *written) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.out.Write(b)
}

func (w *written) Flush() { w.WriteHeader(http.StatusOK) }

// A source with a schedule is read when it is due, once, though two processes look;
// one without is not.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		api := &shop{Server: &httptest.Server{URL: "http://shop.example"}, articles: map[string]string{"a": "Apples are red."}, token: "sentinel-token"}
		r.lib = knowledge.New(r.store, &knowledge.Options{HTTPClient: &http.Client{Transport: direct{api}}, Keyring: r.keys})
		r.Base = r.lib.Company(r.company)
		timed, once := api.source(), api.source()
		timed.Schedule = "hourly"
		src, err := r.AddAPISource(t.Context(), timed)
		if err != nil {
			t.Fatal(err)
		}
		if want := src.CreatedAt.Add(time.Hour); !src.NextRunAt.Equal(want) {
			t.Errorf("due at %v, want %v", src.NextRunAt, want)
		}
		if _, err := r.AddAPISource(t.Context(), once); err != nil {
			t.Fatal(err)
		}
		r.poll = 10 * time.Second // there are hours of it
		stop, stopToo := r.works(t), r.works(t)
		time.Sleep(59 * time.Minute)
		count := func(want int) {
			t.Helper()
			l, err := r.Runs(t.Context(), knowledge.RunFilter{}, store.Page{Limit: 100})
			if err != nil || len(l.Data) != want {
				t.Errorf("%d runs, %v, want %d", len(l.Data), err, want)
			}
		}
		count(2)
		time.Sleep(2 * time.Minute)
		count(3)
		time.Sleep(3 * time.Hour)
		count(6)
		if src, err = r.APISource(t.Context(), src.ID); err != nil || src.Stale(time.Now()) || src.NextRunAt.Before(time.Now()) {
			t.Errorf("source = %+v, %v", src, err)
		}
		never := "never"
		if src, err = r.UpdateAPISource(t.Context(), src.ID, knowledge.APISourcePatch{Schedule: &never}); err != nil || !src.NextRunAt.IsZero() {
			t.Errorf("source without a schedule = %+v, %v", src, err)
		}
		time.Sleep(3 * time.Hour)
		count(6)
		stop()
		stopToo()
	})
}

// A run whose process stops is taken up by the next one, however often that happens;
// one that is broken off again and again has failed.
func TestRunIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var hang atomic.Bool
		hang.Store(true)
		handler := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if hang.Load() {
				<-q.Context().Done()
				return
			}
			_, _ = w.Write([]byte(`{"data":{"items":[{"id":"a","name":"A","body":{"plain":"Apples are red."}}]}}`))
		})
		library := func(st knowledge.Store) *knowledge.Library {
			return knowledge.New(st, &knowledge.Options{HTTPClient: &http.Client{Transport: direct{handler}}, Keyring: r.keys})
		}
		r.lib = library(r.store)
		r.Base = r.lib.Company(r.company)
		src, err := r.AddAPISource(t.Context(), (&shop{Server: &httptest.Server{URL: "http://shop.example"}}).source())
		if err != nil {
			t.Fatal(err)
		}
		now := func() knowledge.Run {
			t.Helper()
			run, err := r.Run(t.Context(), src.RunID)
			if err != nil {
				t.Fatal(err)
			}
			return run
		}
		stopped := func() knowledge.Run {
			r.lib = library(r.store)
			stop := r.works(t)
			time.Sleep(2 * time.Second)
			stop()
			return now()
		}
		killed := func() knowledge.Run {
			process := &mortal{Memory: r.store, steps: 1 << 30}
			r.lib = library(process)
			stop := r.worksOn(t, process)
			time.Sleep(2 * time.Second)
			process.kill()
			stop()
			time.Sleep(time.Minute) // until the lease has run out
			return now()
		}
		for range 15 {
			if run := stopped(); run.State != knowledge.RunRunning || run.Attempts != 0 {
				t.Fatalf("run = %+v, want one that was put down", run)
			}
		}
		killed()
		if run := killed(); run.State != knowledge.RunRunning || run.Attempts != 2 {
			t.Fatalf("run = %+v, want one that was broken off twice", run)
		}
		hang.Store(false)
		if run := stopped(); run.State != knowledge.RunCompleted || run.Attempts != 3 || run.Counts.Created != 1 {
			t.Errorf("run = %+v %+v, want it completed at the third attempt", run, run.Error)
		}
		if got, want := r.types(t, src.RunID), []event.Type{event.TrainingStarted, event.TrainingCompleted}; !slices.Equal(got, want) {
			t.Errorf("events = %v, want %v", got, want)
		}

		hang.Store(true)
		run, err := r.SyncAPISource(t.Context(), src.ID, &knowledge.RunOptions{Force: true})
		if err != nil {
			t.Fatal(err)
		}
		src.RunID = run.ID
		for range 10 {
			killed()
			stopped()
		}
		if run := stopped(); run.State != knowledge.RunFailed || run.Error.Kind != "crashed" {
			t.Errorf("run = %+v %+v, want it failed after ten attempts", run, run.Error)
		}
	})
}

// The place of a run in line, and what is left of its time, can be told.
func TestEstimate(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	run := knowledge.Run{State: knowledge.RunRunning, StartedAt: now.Add(-time.Minute), Counts: knowledge.Counts{Total: 100, Done: 25}}
	if got, want := run.Estimate(now), now.Add(3*time.Minute); !got.Equal(want) {
		t.Errorf("a quarter after a minute ends at %v, want %v", got, want)
	}
	run.Counts.Total = 0
	if got := run.Estimate(now); !got.IsZero() || run.Progress() != 0 {
		t.Errorf("without a total it ends at %v", got)
	}
	r := newRig(t)
	for i := range 3 {
		api := newShop(t, nil)
		src, err := r.AddAPISource(context.Background(), api.source())
		if err != nil || src.Run.Ahead != i {
			t.Errorf("source %d has %d runs ahead, %v", i, src.Run.Ahead, err)
		}
	}
}
