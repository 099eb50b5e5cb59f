package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// A shop is a REST API of a test, which answers to who shows its token.
type shop struct {
	*httptest.Server

	mu       sync.Mutex
	token    string
	articles []fields
}

func newShop(s *suite, token string) *shop {
	sh := &shop{token: token}
	for i := range 5 {
		sh.articles = append(sh.articles, fields{"id": i + 1, "attributes": fields{"name": fmt.Sprintf("Lamp %d", i+1), "text": fmt.Sprintf("Lamp number %d shines for %d hours.", i+1, 10*(i+1)), "price": fields{"amount": i}}})
	}
	sh.Server = httptest.NewServer(sh)
	s.Cleanup(sh.Close)
	return sh
}

// ServeHTTP implements [http.Handler]: two articles a page.
func (sh *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer "+sh.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	page := 1
	_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
	begin := min(2*(page-1), len(sh.articles))
	_ = json.NewEncoder(w).Encode(fields{"data": sh.articles[begin:min(begin+2, len(sh.articles))]})
}

// change changes what the shop has.
func (sh *shop) change(f func()) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	f()
}

// An API is tried, added, synced, found, changed, synced again, refused, and deleted.
// Its token is told to nobody.
func playAPISources(s *suite) {
	opts := reachingLoopback()
	opts.Keyring = answerdesk.Keys(s.TempDir(), nil)
	s.begin(opts)
	ctx, c, sources := s.Context(), s.admin, s.admin.Knowledge.APISources
	const token = "tok-7f3a9c-secret"
	there := newShop(s, token)
	c.each = func(x *exchanged) {
		if has(x.body, token) {
			s.Errorf("%s %s tells the token: %s", x.request.Method, x.request.URL, x.body)
		}
	}
	auth := api.APISourceAuth{Type: "bearer", Token: token}

	tried := ok(sources.Preview(ctx, api.APISourcePreviewRequest{URL: there.URL, Auth: auth}))(s)
	if tried.Error.Kind != "" || tried.Total != 2 || tried.SuggestedItems == "" || tried.SuggestedMapping.Text == "" || len(tried.Documents) != 2 ||
		!strings.Contains(tried.Documents[0].Text, "shines for 10 hours") || !slices.ContainsFunc(tried.Paths, func(p api.FoundPath) bool { return p.Path == "$.attributes.text" && p.Count == 2 && p.Example != "" }) {
		s.Errorf("Preview = %+v, want the paths, a mapping, and the first items by it", tried)
	}
	if refused := ok(sources.Preview(ctx, api.APISourcePreviewRequest{URL: there.URL}))(s); refused.Error.Kind != "auth" || refused.Error.Status != http.StatusUnauthorized || refused.Error.Curl == "" {
		s.Errorf("Preview without the token = %+v, want why not, with a command that shows it", refused)
	}

	made := c.want(http.StatusCreated, request{method: "POST", path: "/v1/knowledge/api-sources", body: fields{
		"name": "Lamps", "url": there.URL, "auth": auth, "headers": fields{"X-Shop": "lamps"}, "items": "data",
		"mapping":    fields{"id": "id", "title": "attributes.name", "text": "attributes.text", "metadata": fields{"price": "$.attributes.price.amount"}},
		"pagination": fields{"type": "page"}, "schedule": "hourly", "metadata": fields{"area": "lamps"},
	}})
	id, etag := made.at("id").(string), made.header.Get("ETag")
	if made.header.Get("Location") != "/v1/knowledge/api-sources/"+id || made.at("state") != "queued" || made.at("auth_type") != "bearer" || made.at("max_items") != 100_000.0 ||
		made.at("pagination", "type") != "page" || made.at("next_run_at") == nil || fmt.Sprint(made.at("header_names")) != "[Authorization X-Shop]" {
		s.Errorf("a new API source = %s with %v, want it queued, and the names of its headers", made.body, made.header)
	}
	if _, err := sources.Get(ctx, id, client.WithIfNoneMatch(etag)); !errors.Is(err, client.ErrNotModified) {
		s.Errorf("Get with the tag it has = error %v, want %v", err, client.ErrNotModified)
	}
	s.work()
	if run := wantRun(s, made.at("run_id").(string), "completed"); run.Kind != "sync" || run.Progress.Created != 5 || run.SourceID != id {
		s.Errorf("the sync = %+v, want five documents", run)
	}
	if got := ok(sources.Get(ctx, id))(s); got.State != "ready" || got.Documents != 5 || got.LastSuccessAt.IsZero() || got.Stale {
		s.Errorf("Get after the sync = %+v, want it ready with five documents", got)
	}
	if found := c.found("which lamp shines for 50 hours", fields{"price": 4, "area": "lamps"}); len(found) != 1 {
		s.Errorf("a search finds %v, want the fifth lamp", found)
	}
	listed := ok(c.Knowledge.Documents.List(ctx, &api.ListDocumentsParams{SourceID: &id, Kind: new("synced")}))(s).Data
	if len(listed) != 5 || listed[0].Metadata["area"] != "lamps" {
		s.Errorf("List by source = %+v, want five documents", listed)
	}

	there.change(func() {
		there.articles[0]["attributes"].(fields)["text"] = "Lamp number 1 is broken."
		there.articles = there.articles[:4]
	})
	if run := wantRun(s, ok(sources.Sync(ctx, id, api.SyncRequest{}))(s).ID, "completed"); run.Progress.Updated != 1 || run.Progress.Deleted != 1 || run.Progress.Unchanged != 3 {
		s.Errorf("the sync of what has changed = %+v, want one changed and one gone", run.Progress)
	}
	there.change(func() { there.token = "another" })
	failed := wantRun(s, ok(sources.Sync(ctx, id, api.SyncRequest{Force: new(true)}))(s).ID, "failed")
	if failed.Error.Kind != "auth" || failed.Error.Status != http.StatusUnauthorized || !strings.Contains(failed.Error.Curl, "$TOKEN") {
		s.Errorf("a sync with an old token = %+v, want why, with a command that shows it", failed.Error)
	}
	if got := ok(sources.Get(ctx, id))(s); got.State != "failed" || got.LastError.Kind != "auth" || !got.Stale || got.Documents != 4 {
		s.Errorf("Get after a sync that failed = %+v, want its documents as they were", got)
	}
	playAPISourcePatch(s, there, id, etag)

	gone := ok(sources.Delete(ctx, id))(s)
	if gone.ID != id || gone.Kind != "api_source" || gone.Versions < 4 || gone.KnowledgeRevision == 0 {
		s.Errorf("Delete = %+v, want a receipt for its documents", gone)
	}
	if left := c.found("which lamp shines", nil); len(left) != 0 {
		s.Errorf("after the delete a search finds %v", left)
	}
}

// playAPISourcePatch changes an API source, and asks for such as there cannot be.
func playAPISourcePatch(s *suite, there *shop, id, etag string) {
	ctx, c, sources := s.Context(), s.admin, s.admin.Knowledge.APISources
	path := "/v1/knowledge/api-sources/" + id
	changed := ok(sources.Update(ctx, id, api.APISourcePatch{
		Name: new("Old lamps"), Auth: nullable.NewNullableWithValue(api.APISourceAuth{Type: "bearer", Token: "another"}), Schedule: nullable.NewNullNullable[api.Schedule](),
		Metadata: nullable.NewNullNullable[api.MetadataInput](), MaxItems: nullable.NewNullableWithValue(int32(3)), Pagination: nullable.NewNullableWithValue(api.APISourcePaginationInput{Type: "page", Parameter: "page"}),
	}, client.WithIfMatch(etag)))(s)
	if changed.Name != "Old lamps" || changed.Schedule != "never" || changed.MaxItems != 3 || len(changed.Metadata) != 0 || !slices.Equal(changed.HeaderNames, []string{"Authorization"}) || changed.Mapping.Title != "attributes.name" {
		s.Errorf("Update = %+v, want what was given, and the mapping as it was", changed)
	}
	if _, err := sources.Update(ctx, id, api.APISourcePatch{Name: new("Late")}, client.WithIfMatch(etag)); !errors.Is(err, client.ErrPreconditionFailed) {
		s.Errorf("Update if it matches an old tag = error %v, want %v", err, client.ErrPreconditionFailed)
	}
	if run := wantRun(s, ok(sources.Sync(ctx, id, api.SyncRequest{}))(s).ID, "completed"); run.Progress.Deleted != 0 {
		s.Errorf("a sync of the first three items = %+v, want nothing deleted, for it has not seen all", run.Progress)
	}
	for field, body := range map[string]fields{
		"auth":                 {"url": "https://elsewhere.example"},
		"mapping.text":         {"mapping": fields{}},
		"pagination.type":      {"pagination": fields{"type": "sideways"}},
		"pagination.path":      {"pagination": fields{"type": "cursor"}},
		"auth.token":           {"auth": fields{"type": "bearer"}},
		"pagination.parameter": {"pagination": fields{"type": "page", "parameter": strings.Repeat("x", 129)}},
		"schedule":             {"schedule": "never ever"},
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "PATCH", path: path, body: body})
	}
	for field, body := range map[string]fields{
		"mapping": {"name": "A", "url": there.URL}, "name": {"url": there.URL, "mapping": fields{"text": "a"}}, "url": {"name": "A", "url": "file:///etc/passwd", "mapping": fields{"text": "a"}},
		"mapping.text": {"name": "A", "url": there.URL, "mapping": fields{"text": "$.["}},
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/knowledge/api-sources", body: body})
	}
}
