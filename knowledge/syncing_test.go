package knowledge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/internal/secretbox"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// A rig is a company's knowledge on a store in memory, whose sources are read by a
// runner while it works.
type rig struct {
	*knowledge.Base
	lib     *knowledge.Library
	store   *storetest.Memory
	keys    secretbox.Keyring
	company string
	poll    time.Duration // of the runner
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st := &storetest.Memory{}
	first, err := access.NewCompanies(st).First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secretbox.OpenKeys(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	lib := knowledge.New(st, &knowledge.Options{HTTPClient: http.DefaultClient, Keyring: keys})
	return &rig{Base: lib.Company(first.ID), lib: lib, store: st, keys: keys, company: first.ID, poll: 5 * time.Millisecond}
}

// works has runs done until the test ends or stop is called.
func (r *rig) works(t *testing.T) (stop func()) {
	t.Helper()
	runner, err := work.New(r.store, &work.Options{Poll: r.poll, DrainTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.lib.Schedule(runner); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = runner.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

// ended waits for a run to end.
func (r *rig) ended(t *testing.T, runID string) knowledge.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for _, err := range r.WatchRun(ctx, runID, 0) {
		if err != nil {
			t.Fatalf("watch run %s: %v", runID, err)
		}
	}
	run, err := r.Run(ctx, runID)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// synced queues a sync and waits for it.
func (r *rig) synced(t *testing.T, sourceID string, opts *knowledge.RunOptions) knowledge.Run {
	t.Helper()
	run, err := r.ReadSource(t.Context(), sourceID, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r.ended(t, run.ID)
}

// texts returns the documents there are, as "external id: text", in order.
func (r *rig) texts(t *testing.T) []string {
	t.Helper()
	l, err := r.List(t.Context(), knowledge.Filter{}, store.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, d := range l.Data {
		text, err := r.Text(t.Context(), d.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d.ExternalID+": "+text)
	}
	slices.Sort(out)
	return out
}

// A shop is an API with articles, whom it answers with a token only.
type shop struct {
	*httptest.Server
	mu       sync.Mutex
	articles map[string]string
	token    string
	asked    int
	full     int // answers with a body
	status   int // to answer with in place of 200
}

func newShop(t *testing.T, articles map[string]string) *shop {
	t.Helper()
	s := &shop{articles: articles, token: "sentinel-token"}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *shop) change(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	type article struct {
		ID   string            `json:"id"`
		Name string            `json:"name"`
		Body map[string]string `json:"body"`
		Tags []string          `json:"tags"`
	}
	list := []article{}
	for id, text := range s.articles {
		list = append(list, article{id, "Article " + id, map[string]string{"plain": text}, []string{"shop"}})
	}
	slices.SortFunc(list, func(a, b article) int { return strings.Compare(a.ID, b.ID) })
	body, _ := json.Marshal(map[string]any{"data": map[string]any{"items": list}})
	tag := fmt.Sprintf("%q", fmt.Sprint(len(body), s.articles))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.full++
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// source is the shop as a source.
func (s *shop) source() knowledge.APISource {
	return knowledge.APISource{
		Source:  knowledge.Source{Name: "Shop", URL: s.URL, Metadata: map[string]any{"from": "shop"}},
		Items:   "data.items",
		Mapping: pull.Mapping{ID: "id", Title: "name", Text: "body.plain", Metadata: map[string]string{"tags": "tags"}},
		Auth:    knowledge.APIAuth{Kind: knowledge.AuthBearer, Token: "sentinel-token"},
	}
}

func TestSync(t *testing.T) {
	r, api := newRig(t), newShop(t, map[string]string{"a": "Apples are red.", "b": "Bananas are yellow.", "c": "Cherries are sweet."})
	ctx := t.Context()
	src, err := r.AddAPISource(ctx, api.source())
	if err != nil {
		t.Fatal(err)
	}
	if src.State() != knowledge.SourceQueued || src.Auth.Token != "" || len(src.Header) > 0 || !slices.Equal(src.HeaderNames, []string{"Authorization"}) {
		t.Errorf("source = %+v, want one that waits for its first run, without secrets", src)
	}
	if strings.Contains(string(src.Settings), "sentinel") {
		t.Errorf("settings hold the token: %s", src.Settings)
	}
	stop := r.works(t)
	run := r.ended(t, src.RunID)
	if run.State != knowledge.RunCompleted || run.Counts.Created != 3 || run.Revision == 0 || run.Progress() != 1 {
		t.Fatalf("first run = %+v", run)
	}
	if got, want := r.texts(t), []string{"a: Apples are red.", "b: Bananas are yellow.", "c: Cherries are sweet."}; !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}
	found, err := r.Search(ctx, knowledge.Query{Text: "yellow bananas", Filter: map[string]any{"from": "shop", "tags": "shop"}})
	if err != nil || len(found.Hits) == 0 || found.Hits[0].ExternalID != "b" || found.Hits[0].Kind != knowledge.KindSynced {
		t.Errorf("search = %+v, %v, want item b", found.Hits, err)
	}

	// Nothing has changed: one request without a body, and no new revision.
	api.change(func() { api.asked, api.full = 0, 0 })
	if again := r.synced(t, src.ID, nil); again.State != knowledge.RunCompleted || again.Counts.Unchanged != 3 || again.Revision != run.Revision || api.asked != 1 || api.full != 0 {
		t.Errorf("run without changes = %+v after %d requests, %d with a body", again, api.asked, api.full)
	}
	if forced := r.synced(t, src.ID, &knowledge.RunOptions{Force: true}); forced.Counts.Unchanged != 3 || api.full != 1 {
		t.Errorf("forced run = %+v, %d answers with a body", forced, api.full)
	}

	// One changed, one gone, one new.
	api.change(func() {
		api.articles = map[string]string{"a": "Apples are green.", "b": "Bananas are yellow.", "d": "Dates are dry."}
	})
	run = r.synced(t, src.ID, nil)
	if c := run.Counts; c.Created != 1 || c.Updated != 1 || c.Deleted != 1 || c.Unchanged != 1 {
		t.Errorf("counts = %+v", c)
	}
	want := []string{"a: Apples are green.", "b: Bananas are yellow.", "d: Dates are dry."}
	if got := r.texts(t); !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}

	// A failed run leaves everything as it is, and says what to do.
	for status, kind := range map[int]string{http.StatusForbidden: "auth", http.StatusNotFound: "network"} {
		api.change(func() { api.status = status })
		run = r.synced(t, src.ID, nil)
		if run.State != knowledge.RunFailed || run.Error == nil || run.Error.Kind != kind || run.Error.Status != status ||
			!strings.Contains(run.Error.Curl, "$TOKEN") || strings.Contains(fmt.Sprint(*run.Error), "sentinel") {
			t.Errorf("run with status %d = %+v, %+v", status, run, run.Error)
		}
	}
	api.change(func() { api.status = 0 })
	if src, err = r.APISource(ctx, src.ID); err != nil || src.State() != knowledge.SourceFailed || src.LastError == nil || src.LastSuccessAt.IsZero() || src.Documents != 3 {
		t.Errorf("source after a failed run = %+v, %v", src, err)
	}
	if got := r.texts(t); !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}

	// A list that is empty all of a sudden is more likely a fault than meant.
	kept := map[string]string{}
	api.change(func() { kept, api.articles = api.articles, map[string]string{} })
	if run = r.synced(t, src.ID, nil); run.State != knowledge.RunFailed || run.Error.Kind != "empty" {
		t.Errorf("run of an empty list = %+v, %+v", run, run.Error)
	}
	if got := r.texts(t); !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}
	api.change(func() { api.articles = kept })

	// What somebody deletes does not come back, under no name.
	l, err := r.List(ctx, knowledge.Filter{ExternalID: "b"}, store.Page{})
	if err != nil || len(l.Data) != 1 {
		t.Fatal(l, err)
	}
	if _, err := r.Delete(ctx, l.Data[0].ID); err != nil {
		t.Fatal(err)
	}
	api.change(func() { api.articles["b2"] = "Bananas are yellow." })
	if run = r.synced(t, src.ID, &knowledge.RunOptions{Force: true}); run.Counts.Skipped < 1 {
		t.Errorf("counts = %+v, want what was deleted skipped", run.Counts)
	}
	want = []string{"a: Apples are green.", "d: Dates are dry."}
	if got := r.texts(t); !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}

	// The source and all that came from it go together.
	stop()
	if _, err := r.SyncAPISource(ctx, src.ID, nil); err != nil {
		t.Fatal(err)
	}
	if out, err := r.DeleteAPISource(ctx, src.ID); err != nil || out.Versions != 3 {
		t.Errorf("delete = %+v, %v", out, err)
	}
	if got := r.texts(t); len(got) > 0 {
		t.Errorf("documents = %q, want none", got)
	}
	if _, err := r.APISource(ctx, src.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted source gives %v", err)
	}
}

// An item that goes away while the pages of a list are read moves others past the
// place where they are read: what was not seen for that reason is not deleted, and
// what is gone is, once a sync has seen the same list twice.
func TestSyncOfAListThatShifts(t *testing.T) {
	var mu sync.Mutex
	var list []string
	asked := 0
	var during func(asked int) // is called before an answer
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		if during != nil {
			during(asked)
		}
		page, err := strconv.Atoi(q.URL.Query().Get("page"))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		out := []map[string]string{}
		for i := (page - 1) * 2; i < min(page*2, len(list)); i++ {
			out = append(out, map[string]string{"id": list[i], "text": "Item " + list[i] + "."})
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	defer api.Close()
	r := newRig(t)
	r.works(t)
	list = []string{"a", "b", "c", "d", "e"}
	src, err := r.AddAPISource(t.Context(), knowledge.APISource{
		Source: knowledge.Source{Name: "List", URL: api.URL}, Mapping: pull.Mapping{ID: "id", Text: "text"}, Pagination: pull.Pagination{Kind: pull.Page},
	})
	if err != nil {
		t.Fatal(err)
	}
	if run := r.ended(t, src.RunID); run.Counts.Created != 5 || asked != 4 {
		t.Fatalf("first run = %+v after %d requests, want each page asked for once", run, asked)
	}
	sync := func(change func(asked int), told string, want knowledge.Counts, there ...string) {
		t.Helper()
		mu.Lock()
		asked, during = 0, change
		mu.Unlock()
		run := r.synced(t, src.ID, nil)
		got := run.Counts
		if got.Total != got.Done || got.Bytes == 0 {
			t.Errorf("counts = %+v", got)
		}
		got.Total, got.Done, got.Bytes, got.Errors = 0, 0, 0, nil
		if run.State != knowledge.RunCompleted || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("run = %s %v %+v, want %+v", run.State, run.Error, got, want)
		}
		var ids []string
		for _, text := range r.texts(t) {
			id, _, _ := strings.Cut(text, ":")
			ids = append(ids, id)
		}
		if !slices.Equal(ids, there) {
			t.Errorf("documents = %q, want %q", ids, there)
		}
		events, _, err := r.RunEvents(t.Context(), run.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		var says strings.Builder
		for _, e := range events {
			if e.Error != nil {
				says.WriteString(e.Error.Message)
			}
		}
		if !strings.Contains(says.String(), told) || told == "" && says.Len() > 0 {
			t.Errorf("the run says %q, want %q", says.String(), told)
		}
	}
	remove := func(id string) { list = slices.DeleteFunc(list, func(s string) bool { return s == id }) }

	// "a" goes when the first page was read, and "c" moves onto it.
	sync(func(asked int) {
		if asked == 2 {
			remove("a")
		}
	}, "changed while it was read", knowledge.Counts{Unchanged: 5}, "a", "b", "c", "d", "e")
	sync(nil, "", knowledge.Counts{Unchanged: 4, Deleted: 1}, "b", "c", "d", "e")
	if asked != 6 { // b c, d e, and that there is no more: twice
		t.Errorf("the list was asked for %d times, want it read twice", asked)
	}
	// What changes while it is read a second time counts as well.
	remove("b")
	sync(func(asked int) {
		if asked == 4 {
			remove("c")
		}
	}, "changed while it was read", knowledge.Counts{Unchanged: 3}, "b", "c", "d", "e")
	sync(func(asked int) {
		if asked == 2 {
			during = func(int) { list = nil }
		}
	}, "changed while it was read", knowledge.Counts{Unchanged: 2}, "b", "c", "d", "e")
	list = []string{"d", "e", "f"}
	sync(nil, "", knowledge.Counts{Unchanged: 2, Created: 1, Deleted: 2}, "d", "e", "f")
	sync(nil, "", knowledge.Counts{Unchanged: 3}, "d", "e", "f")
	if asked > 3 {
		t.Errorf("a list in which nothing is missing was asked for %d times, want it read once", asked)
	}
}

// A preview shows what a document would hold, not how the API writes it.
func TestPreviewOfHTML(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"id":1,"name":"Hours","body":"<h2>Opening</h2><p>We open <b>at nine</b> &amp; close at five.</p><script>track()</script>"},
			{"id":2,"name":"Plain","body":"1 < 2"}, {"id":3,"name":"Empty","body":"<p> </p>"}]`))
	}))
	defer api.Close()
	r := newRig(t)
	out, err := r.PreviewAPISource(t.Context(), knowledge.APISource{
		Source: knowledge.Source{Name: "Shop", URL: api.URL}, Mapping: pull.Mapping{ID: "id", Title: "name", Text: "body"},
	})
	if err != nil || len(out.Sample) != 3 {
		t.Fatalf("PreviewAPISource = %+v, %v", out, err)
	}
	for i, want := range []string{"Opening\n\nWe open at nine & close at five.", "1 < 2"} {
		if got := out.Sample[i]; got.Text != want || got.HTML || got.Err != nil || got.Index != i {
			t.Errorf("item %d = %+v, want the text %q", i, got, want)
		}
	}
	if e := out.Sample[2].Err; e == nil || e.Kind != pull.KindMapping || e.Item != "3" || e.Path != "text" {
		t.Errorf("an item without text has the error %+v", e)
	}
	stop := r.works(t)
	src, err := r.AddAPISource(t.Context(), knowledge.APISource{
		Source: knowledge.Source{Name: "Shop", URL: api.URL}, Mapping: pull.Mapping{ID: "id", Title: "name", Text: "body"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.ended(t, src.RunID)
	stop()
	if got, want := r.texts(t), []string{"1: " + out.Sample[0].Text, "2: " + out.Sample[1].Text}; !slices.Equal(got, want) {
		t.Errorf("documents = %q, want those of the preview %q", got, want)
	}
}

func TestUpdateAPISource(t *testing.T) {
	r, api := newRig(t), newShop(t, map[string]string{"a": "Apples are red."})
	other := newShop(t, map[string]string{"a": "Apples are for spies."})
	r.works(t)
	ctx := t.Context()
	src, err := r.AddAPISource(ctx, api.source())
	if err != nil {
		t.Fatal(err)
	}
	r.ended(t, src.RunID)
	text := "name"
	if src, err = r.UpdateAPISource(ctx, src.ID, knowledge.APISourcePatch{
		Mapping: &pull.Mapping{ID: "id", Text: text}, Metadata: map[string]any{"from": nil, "season": "autumn"}, IfUpdated: src.UpdatedAt,
	}); err != nil {
		t.Fatal(err)
	}
	if run := r.synced(t, src.ID, nil); run.Counts.Updated != 1 {
		t.Errorf("run after another mapping = %+v %+v, want the item read anew, with the secret that was kept", run, run.Error)
	}
	if got, want := r.texts(t), []string{"a: Article a"}; !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}
	_, err = r.UpdateAPISource(ctx, src.ID, knowledge.APISourcePatch{URL: &other.URL})
	if e, ok := errors.AsType[*knowledge.InvalidError](err); !ok || e.Field != "auth" {
		t.Errorf("another host without auth gives %v, want an error about auth", err)
	}
	if other.asked > 0 {
		t.Error("the other host was asked")
	}
	if _, err = r.UpdateAPISource(ctx, src.ID, knowledge.APISourcePatch{Name: &text, IfUpdated: time.Now()}); !errors.Is(err, knowledge.ErrChanged) {
		t.Errorf("an update of what has changed gives %v", err)
	}
}

func TestInvalidAPISource(t *testing.T) {
	r := newRig(t)
	for field, change := range map[string]func(*knowledge.APISource){
		"name":             func(a *knowledge.APISource) { a.Name = " " },
		"url":              func(a *knowledge.APISource) { a.URL = "ftp://shop.example" },
		"auth.token":       func(a *knowledge.APISource) { a.Auth.Token = "" },
		"auth.username":    func(a *knowledge.APISource) { a.Auth = knowledge.APIAuth{Kind: "basic"} },
		"auth.header_name": func(a *knowledge.APISource) { a.Auth = knowledge.APIAuth{Kind: "header", HeaderName: "x"} },
		"auth.type":        func(a *knowledge.APISource) { a.Auth.Kind = "magic" },
		"headers":          func(a *knowledge.APISource) { a.Header = map[string]string{"authorization": "x"} },
		"items":            func(a *knowledge.APISource) { a.Items = "$[" },
		"mapping.text":     func(a *knowledge.APISource) { a.Mapping.Text = "" },
		"schedule":         func(a *knowledge.APISource) { a.Schedule = "often" },
		"metadata.x":       func(a *knowledge.APISource) { a.Metadata = map[string]any{"x": struct{}{}} },
	} {
		a := knowledge.APISource{
			Source: knowledge.Source{Name: "Shop", URL: "https://shop.example"}, Mapping: pull.Mapping{Text: "text"},
			Auth: knowledge.APIAuth{Kind: "bearer", Token: "t"},
		}
		change(&a)
		_, err := r.AddAPISource(t.Context(), a)
		if e, ok := errors.AsType[*knowledge.InvalidError](err); !ok || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
