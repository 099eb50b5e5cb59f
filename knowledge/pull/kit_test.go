package pull_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

// serve starts a server for h and returns its address without a slash at the end.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// guarded is a client that may call the server at address, and no other port.
func guarded(t testing.TB, address string) *http.Client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	out, err := egress.New(&egress.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true, Ports: []uint16{uint16(port)}, MaxBody: 32 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.CloseIdleConnections)
	return out.HTTP()
}

func newPuller(t testing.TB, client *http.Client, opts *pull.Options) *pull.Puller {
	t.Helper()
	p, err := pull.New(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A pulled is what came of a run.
type pulled struct {
	items  []pull.Item // without an Err
	failed []pull.Item
	err    error // that ended the run
	report pull.Report
}

func newRun(t testing.TB, p *pull.Puller, src pull.Source, known pull.Known) *pull.Run {
	t.Helper()
	r, err := p.Pull(src, known)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// collect ranges over a run, and checks its report against what it yielded.
func collect(t testing.TB, r *pull.Run) pulled {
	t.Helper()
	var got pulled
	for it, err := range r.Items(t.Context()) {
		switch {
		case err != nil:
			if got.err != nil {
				t.Errorf("a second error was yielded: %v", err)
			}
			got.err = err
		case it.Err != nil:
			got.failed = append(got.failed, it)
		default:
			got.items = append(got.items, it)
		}
	}
	got.report = r.Report()
	rep := got.report
	if rep.Items != len(got.items) || rep.Failed != len(got.failed) {
		t.Errorf("report counts %d items and %d failed, want %d and %d", rep.Items, rep.Failed, len(got.items), len(got.failed))
	}
	if (rep.End == pull.EndFailed) != (got.err != nil) || rep.End == "" {
		t.Errorf("end = %q with error %v", rep.End, got.err)
	}
	return got
}

// pullFrom serves h, and pulls src, whose URL is a path there.
func pullFrom(t testing.TB, h http.HandlerFunc, src pull.Source) pulled {
	t.Helper()
	address := serve(t, h)
	src.URL = address + src.URL
	return collect(t, newRun(t, newPuller(t, guarded(t, address), nil), src, pull.Known{}))
}

// answer always serves the same JSON.
func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}
}

// ids are those of the items, with spaces between.
func (p pulled) ids() string {
	var list []string
	for _, it := range p.items {
		list = append(list, it.ID)
	}
	return strings.Join(list, " ")
}

// wantEnd checks how a run ended.
func (p pulled) wantEnd(t testing.TB, end pull.End, complete bool) {
	t.Helper()
	if p.report.End != end || p.report.Complete != complete || end != pull.EndFailed && p.err != nil {
		t.Errorf("end = %q, complete %v, error %v; want %q, %v", p.report.End, p.report.Complete, p.err, end, complete)
	}
}

// wantErr checks the error that ended a run, and returns it.
func (p pulled) wantErr(t testing.TB, kind pull.Kind, contains string) *pull.Error {
	t.Helper()
	e, ok := errors.AsType[*pull.Error](p.err)
	if !ok || e.Kind != kind || !strings.Contains(e.Error(), contains) {
		t.Fatalf("error = %v, want one of kind %s with %q", p.err, kind, contains)
	}
	return e
}

// articles are n items, from number first on.
func articles(first, n int) []map[string]any {
	list := []map[string]any{}
	for i := range n {
		list = append(list, map[string]any{"id": first + i, "title": fmt.Sprint("Article ", first+i), "body": fmt.Sprint("What article ", first+i, " says.")})
	}
	return list
}

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// plain is the mapping of articles.
var plain = pull.Mapping{ID: "id", Title: "title", Text: "body"}
