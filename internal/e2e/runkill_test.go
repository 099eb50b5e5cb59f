package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
	"github.com/answerdesk-go/answerdesk/store"
)

// own are the addresses of this machine, where the sites of tests are.
var own = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// runs does what is queued, until ctx ends or the process is killed.
func (r role) runs(ctx context.Context) error {
	st, err := openStore(ctx, r.Store)
	if err != nil {
		return err
	}
	defer st.Close()
	desk, err := answerdesk.New(ctx, st, &answerdesk.Options{AllowNetworks: own, DrainTimeout: time.Millisecond})
	if err != nil {
		return err
	}
	defer desk.Close()
	r.arm()
	return desk.Run(ctx)
}

// An almanac is a website, and an API, that come out in editions: each has other
// texts than the one before, lacks some of its pages and has some that it lacked.
type almanac struct {
	*httptest.Server
	edition atomic.Int64
	filler  string
}

const almanacPages = 60

func newAlmanac(t *testing.T) *almanac {
	a := &almanac{}
	random := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	for b.Len() < 24<<10 { // so that a run stages in several steps
		fmt.Fprintf(&b, "<p>Word%d stands beside word%d in this almanac.</p>\n", random.IntN(1000), random.IntN(1000))
	}
	a.filler = b.String()
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

// has reports whether an edition has a page.
func (a *almanac) has(edition int64, page int) bool { return (int64(page)+edition)%7 != 0 }

func (a *almanac) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	edition := a.edition.Load()
	switch path := r.URL.Path; {
	case path == "/api":
		items := []map[string]any{}
		for i := range almanacPages {
			if a.has(edition, i) {
				items = append(items, map[string]any{"id": strconv.Itoa(i), "text": fmt.Sprintf("Item %d of edition %d.", i, edition)})
			}
		}
		_ = json.NewEncoder(w).Encode(items)
	case path == "/":
		_, _ = fmt.Fprintf(w, "<title>Almanac</title><h1>Almanac</h1><p>This is edition %d of it.</p><ul>", edition)
		for i := range almanacPages {
			if a.has(edition, i) {
				_, _ = fmt.Fprintf(w, `<li><a href="/p/%d">Page %d</a>`, i, i)
			}
		}
	default:
		i, err := strconv.Atoi(strings.TrimPrefix(path, "/p/"))
		if err != nil || !a.has(edition, i) {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, "<title>Page %d</title><h1>Page %d</h1><p>This is page %d of edition %d.</p>%s", i, i, i, edition, a.filler)
	}
}

// names returns what the documents of an edition are called.
func (a *almanac) names(edition int64, kind knowledge.Kind) (names []string) {
	if kind == knowledge.KindPage {
		names = append(names, a.URL+"/")
	}
	for i := range almanacPages {
		switch {
		case !a.has(edition, i):
		case kind == knowledge.KindPage:
			names = append(names, fmt.Sprintf("%s/p/%d", a.URL, i))
		default:
			names = append(names, strconv.Itoa(i))
		}
	}
	slices.Sort(names)
	return names
}

// stored returns the edition that a kind of documents is of, and an error if they
// are of none, or not all of one.
func (a *almanac) stored(ctx context.Context, kb *knowledge.Base, kind knowledge.Kind) (int64, error) {
	editions := map[int64]int{}
	var names []string
	for p := (store.Page{Limit: 100}); ; {
		l, err := kb.List(ctx, knowledge.Filter{Kind: kind}, p)
		if err != nil {
			return 0, err
		}
		for _, d := range l.Data {
			text, err := kb.Text(ctx, d.ID, 0)
			if err != nil {
				return 0, err
			}
			_, after, _ := strings.Cut(text, "edition ")
			digits := strings.TrimRight(strings.FieldsFunc(after+" ", func(r rune) bool { return r < '0' || r > '9' })[0], " ")
			edition, err := strconv.ParseInt(digits, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("document %s has no edition: %.60q", d.ExternalID, text)
			}
			editions[edition]++
			names = append(names, d.ExternalID)
		}
		if !l.HasMore {
			break
		}
		p.Cursor = l.NextCursor
	}
	if len(editions) > 1 {
		return 0, fmt.Errorf("documents are of several editions: %v", editions)
	}
	if len(editions) == 0 {
		return 0, nil
	}
	edition := slices.Collect(maps.Keys(editions))[0]
	slices.Sort(names)
	if want := a.names(edition, kind); !slices.Equal(names, want) {
		return 0, fmt.Errorf("edition %d has %d documents, want %d: %v", edition, len(names), len(want), names)
	}
	return edition, nil
}

// runKills returns how many processes are killed while they do runs:
// ANSWERDESK_RUN_KILLS, or 8.
func runKills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("ANSWERDESK_RUN_KILLS"))
	if err != nil {
		return 8
	}
	return n
}

// A process that crawls and syncs is killed at any moment: what can be found is the
// edition before or the new one, never some of both, and when the runs are taken up
// again they are completed.
func TestKilledRunsLeaveOldOrNew(t *testing.T) {
	ctx := t.Context()
	a, place := newAlmanac(t), newPlace(t)
	random := rand.New(rand.NewPCG(uint64(runKills(t)), 9))
	desk := open(t, place)
	defer desk.Close()
	kb := desk.Knowledge()
	a.edition.Store(1)
	site, err := kb.AddWebsite(ctx, knowledge.Website{Source: knowledge.Source{URL: a.URL + "/"}})
	if err != nil {
		t.Fatal(err)
	}
	api, err := kb.AddAPISource(ctx, knowledge.APISource{Source: knowledge.Source{Name: "Almanac", URL: a.URL + "/api"}, Mapping: pull.Mapping{ID: "id", Text: "text"}})
	if err != nil {
		t.Fatal(err)
	}
	kinds := []knowledge.Kind{knowledge.KindPage, knowledge.KindSynced}
	running := []string{site.RunID, api.RunID}
	before := map[knowledge.Kind]int64{}
	figures := map[string]int{}
	// On a slow machine a process may be killed before it has begun with a run: some
	// more are killed then.
	for kill := 0; kill < runKills(t) || figures["killed running"] == 0 && kill < 5*runKills(t); kill++ {
		edition := a.edition.Load()
		at := []string{"", "", "store.commit", "store.committed"}[random.IntN(4)]
		p := start(t, role{Do: "runs", Store: place, At: at, Hit: 1 + random.IntN(14)})
		wait := time.Duration(random.IntN(900)) * time.Millisecond
		if at != "" {
			wait = 3 * time.Second // it may be done before
		}
		timer := time.AfterFunc(wait, func() { _ = p.cmd.Process.Kill() })
		_, _ = p.cmd.Process.Wait()
		timer.Stop()
		for _, kind := range kinds {
			got, err := a.stored(ctx, kb, kind)
			if err != nil {
				t.Fatalf("after kill %d at %q, of kind %s: %v", kill, at, kind, err)
			}
			switch got {
			case before[kind]:
				figures["old"]++
			case edition:
				figures["new"]++
			default:
				t.Fatalf("after kill %d at %q, kind %s is at edition %d, want %d or %d", kill, at, kind, got, before[kind], edition)
			}
		}
		for i, id := range running {
			run, err := kb.Run(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			figures["killed "+string(run.State)]++
			got, err := a.stored(ctx, kb, kinds[i])
			if published := run.State == knowledge.RunCompleted; err != nil || published != (got == edition) {
				t.Fatalf("after kill %d at %q run %s is %s, and what it writes at edition %d of %d, %v", kill, at, id, run.State, got, edition, err)
			}
		}
		if kill%3 == 0 {
			continue // and killed again, in the same run
		}
		db, err := raw(place)
		if err != nil {
			t.Fatal(err)
		}
		lapse(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		p = start(t, role{Do: "runs", Store: place})
		for i, id := range running {
			ended(t, kb, id)
			if got, err := a.stored(ctx, kb, kinds[i]); err != nil || got != edition {
				t.Fatalf("after run %s was taken up again, edition %d is there, want %d, %v", id, got, edition, err)
			}
			before[kinds[i]] = edition
		}
		_ = p.in.Close()
		_, _ = p.cmd.Process.Wait()
		found, err := kb.Search(ctx, knowledge.Query{Text: "page almanac edition", Limit: 50})
		if err != nil || len(found.Hits) < 10 {
			t.Fatalf("search finds %d passages, %v", len(found.Hits), err)
		}
		a.edition.Add(1)
		for i, id := range []string{site.ID, api.ID} {
			run, err := kb.ReadSource(ctx, id, nil)
			if err != nil {
				t.Fatal(err)
			}
			running[i] = run.ID
		}
	}
	if figures["killed running"] == 0 {
		t.Errorf("no run was killed in the middle: %v", figures)
	}
	t.Logf("at least %d kills: %v", runKills(t), figures)
}

// ended waits for a run to be completed by another process.
func ended(t *testing.T, kb *knowledge.Base, runID string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for _, err := range kb.WatchRun(ctx, runID, 0) {
		if err != nil {
			t.Fatal(err)
		}
	}
	run, err := kb.Run(ctx, runID)
	if err != nil || run.State != knowledge.RunCompleted {
		t.Fatalf("run = %+v %+v, %v, want it completed", run, run.Error, err)
	}
}
