package e2e

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// A website is added, crawled, found, reported on, changed, crawled again and
// deleted.
func playWebsites(s *suite) {
	s.begin(reachingLoopback())
	ctx, c, sites := s.Context(), s.admin, s.admin.Knowledge.Websites
	there := newSite(s, 5)
	owner := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Owner"}))(s)
	made := c.want(http.StatusCreated, request{method: "POST", path: "/v1/knowledge/websites", body: fields{
		"url": there.URL, "agent_id": owner.ID, "exclude": []string{"/page-4"}, "max_depth": 0, "schedule": "CRON_TZ=Asia/Kuwait 30 3 * * *", "metadata": fields{"area": "cellars"},
	}})
	id, etag := made.at("id").(string), made.header.Get("ETag")
	if made.header.Get("Location") != "/v1/knowledge/websites/"+id || made.at("state") != "queued" || made.at("queue_position") != 1.0 || made.at("max_pages") != 1000.0 ||
		made.at("max_depth") != 0.0 || made.at("next_run_at") == nil || made.at("stale") != false || made.at("pages") != 0.0 {
		s.Errorf("a new website = %s with %v, want it queued as the first, with its defaults", made.body, made.header)
	}
	if _, err := sites.Get(ctx, id, client.WithIfNoneMatch(etag)); !errors.Is(err, client.ErrNotModified) {
		s.Errorf("Get with the tag it has = error %v, want %v", err, client.ErrNotModified)
	}
	s.work()
	if run := wantRun(s, made.at("run_id").(string), "completed"); run.Progress.Created != 1 || run.Progress.Fraction != 1 || run.Progress.Bytes == 0 || run.SourceID != id || run.AgentID != owner.ID || run.Kind != "crawl" || run.KnowledgeRevision == 0 {
		s.Errorf("the crawl of the first page alone = %+v", run)
	}
	var resp *http.Response
	got := ok(sites.Get(ctx, id, client.WithIfNoneMatch(etag), client.WithResponse(&resp)))(s) // it has changed by itself
	if got.State != "ready" || got.Pages != 1 || got.LastSuccessAt.IsZero() || got.Schedule != "CRON_TZ=Asia/Kuwait 30 3 * * *" || got.Metadata["area"] != "cellars" {
		s.Errorf("Get after the crawl = %+v, want it ready with a page", got)
	}

	// The tag from before the crawl still is that of what was set.
	changed := ok(sites.Update(ctx, id, api.WebsitePatch{
		MaxDepth: nullable.NewNullNullable[int32](), Schedule: nullable.NewNullNullable[api.Schedule](), Metadata: nullable.NewNullableWithValue(api.MetadataInput{"floor": 1}),
	}, client.WithIfMatch(etag)))(s)
	if changed.MaxDepth != 10 || changed.Schedule != "never" || !changed.NextRunAt.IsZero() || changed.Metadata["area"] != "cellars" || changed.Metadata["floor"] != 1.0 {
		s.Errorf("Update = %+v, want the defaults, and the metadata merged", changed)
	}
	if _, err := sites.Update(ctx, id, api.WebsitePatch{MaxPages: nullable.NewNullableWithValue(int32(5))}, client.WithIfMatch(etag)); !errors.Is(err, client.ErrPreconditionFailed) {
		s.Errorf("Update if it matches an old tag = error %v, want %v", err, client.ErrPreconditionFailed)
	}
	if none := ok(sites.Update(ctx, id, api.WebsitePatch{Metadata: nullable.NewNullNullable[api.MetadataInput](), MaxDepth: nullable.NewNullableWithValue(int32(3))}))(s); len(none.Metadata) != 0 || none.MaxDepth != 3 {
		s.Errorf("Update = %+v, want no metadata and the depth 3", none)
	}
	playRecrawl(s, there, id)
	playWebsiteRefusals(s, id)

	found := c.found("which cellar is open at night", nil)
	gone := ok(sites.Delete(ctx, id, client.WithResponse(&resp)))(s)
	if gone.ID != id || gone.Kind != "website" || gone.Versions < 3 || gone.KnowledgeRevision == 0 || len(gone.OutOfReach) == 0 || len(found) == 0 {
		s.Errorf("Delete = %+v after %d hits, want a receipt for its pages", gone, len(found))
	}
	if told, ok := client.ReadKnowledgeRevision(resp.Header); !ok || told != gone.KnowledgeRevision {
		s.Errorf("Delete tells revision %d, want %d", told, gone.KnowledgeRevision)
	}
	if left := c.found("which cellar is open at night", nil); len(left) != 0 {
		s.Errorf("after the delete a search finds %v", left)
	}
	for _, r := range []request{{method: "GET"}, {method: "PATCH", body: fields{}}, {method: "DELETE"}} {
		r.path = "/v1/knowledge/websites/" + id
		c.wantError(http.StatusNotFound, "not_found", "", r)
	}
}

// playRecrawl crawls a website again after its pages were edited, removed and
// added.
func playRecrawl(s *suite, there *site, id string) {
	ctx, c, sites := s.Context(), s.admin, s.admin.Knowledge.Websites
	wantRun(s, ok(sites.Crawl(ctx, id, api.CrawlRequest{}))(s).ID, "completed")
	report := map[string]api.WebsitePage{}
	for page, err := range sites.ReportAll(ctx, id, &api.ListWebsitePagesParams{Limit: new(int32(2))}) {
		if err != nil {
			s.Fatal(err)
		}
		report[strings.TrimPrefix(page.URL, there.URL)] = *page
	}
	for path, outcome := range map[string]string{"/page-1": "fetched", "/page-2": "fetched", "/page-3": "fetched", "/page-4": "skipped"} {
		if p := report[path]; p.Outcome != outcome || (p.DocumentID == "") != (outcome == "skipped") || outcome == "skipped" && p.Reason == "" {
			s.Errorf("the report says of %s: %+v, want it %s", path, p, outcome)
		}
	}
	doc := ok(c.Knowledge.Documents.Get(ctx, report["/page-1"].DocumentID))(s)
	if doc.Kind != "page" || doc.SourceID != id || doc.URL != there.URL+"/page-1" || !strings.HasPrefix(doc.Language, "en") || !strings.Contains(doc.Text, "cellar number 1") {
		s.Errorf("a page became %+v", doc)
	}
	listed := ok(c.Knowledge.Documents.List(ctx, &api.ListDocumentsParams{SourceID: &id}))(s).Data
	if len(listed) != 4 || slices.ContainsFunc(listed, func(d api.Document) bool { return d.SourceID != id }) {
		s.Errorf("List by source = %+v, want the four pages", listed)
	}
	// A page is written by its website alone, and may be deleted by anybody.
	c.wantError(http.StatusConflict, "conflict", "", request{method: "PATCH", path: "/v1/knowledge/documents/" + doc.ID, body: fields{"text": "Mine."}})
	c.wantError(http.StatusConflict, "conflict", "", request{method: "POST", path: "/v1/knowledge/documents/" + doc.ID + "/rollback", body: fields{"version": 1}})
	ok(c.Knowledge.Documents.Delete(ctx, report["/page-3"].DocumentID))(s)

	there.put("/page-1", "The cellar number 1 is flooded. Nobody may go in before it is dry again.")
	there.put("/page-2", "")
	there.put("/page-5", "The cellar number 5 is new. It has three lamps and a table.")
	known := ok(sites.Crawl(ctx, id, api.CrawlRequest{IncludeNewPages: new(false), Force: new(true)}))(s)
	if run := wantRun(s, known.ID, "completed"); run.Progress.Created != 0 || run.Progress.Updated == 0 || run.Progress.Deleted != 1 {
		s.Errorf("a crawl of the known pages = %+v, want no new page, one gone and one changed", run.Progress)
	}
	all := ok(sites.Crawl(ctx, id, api.CrawlRequest{}))(s)
	if run := wantRun(s, all.ID, "completed"); run.Progress.Created != 1 || run.Progress.Deleted != 0 {
		s.Errorf("a crawl of all pages = %+v, want the new page", run.Progress)
	}
	if got := c.found("what is flooded", nil); len(got) == 0 || got[0] != doc.ID {
		s.Errorf("a search for what a page says now finds %v, want %s, the same document", got, doc.ID)
	}
	for page, err := range sites.ReportAll(ctx, id, nil) {
		if err != nil {
			s.Fatal(err)
		}
		if page.URL == there.URL+"/page-3" && page.DocumentID != "" {
			s.Errorf("a page whose document somebody has deleted is one again: %+v", page)
		}
	}
}

// playWebsiteRefusals asks for websites that there cannot be.
func playWebsiteRefusals(s *suite, id string) {
	c := s.admin
	for field, body := range map[string]fields{
		"url":        {"url": "ftp://shop.example"},
		"schedule":   {"url": "https://shop.example", "schedule": "* * * * *"},
		"include[1]": {"url": "https://shop.example", "include": []string{"/a", "b"}},
		"max_depth":  {"url": "https://shop.example", "max_depth": -1},
		"max_pages":  {"url": "https://shop.example", "max_pages": 100_001},
		"colour":     {"url": "https://shop.example", "colour": "red"},
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/knowledge/websites", body: body})
	}
	for field, body := range map[string]fields{"schedule": {"schedule": "sometimes"}, "url": {"url": "https://shop.example"}, "exclude[0]": {"exclude": []string{"x"}}} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "PATCH", path: "/v1/knowledge/websites/" + id, body: body})
	}
	// Nothing leads to a place that the desk may not reach, and the run says so.
	inside := ok(c.Knowledge.Websites.Create(s.Context(), api.WebsiteRequest{URL: "http://10.255.255.1:8080/"}))(s)
	run := wantRun(s, inside.RunID, "failed")
	if run.Error.Kind == "" || run.Error.Message == "" {
		s.Errorf("a crawl of a private address = %+v, want the reason", run)
	}
	failed := ok(c.Knowledge.Websites.Get(s.Context(), inside.ID))(s)
	if failed.State != "failed" || failed.LastError.Kind != run.Error.Kind || !failed.LastSuccessAt.IsZero() {
		s.Errorf("a website that cannot be read = %+v, want it failed", failed)
	}
}

// An agent is created from a website in one call.
func playAgentOfWebsite(s *suite) {
	s.begin(reachingLoopback())
	ctx, c := s.Context(), s.admin
	there := newSite(s, 3)
	post := request{method: "POST", path: "/v1/agents", header: map[string]string{"Idempotency-Key": "house"}, body: fields{"name": "House", "website_url": there.URL, "language": "en", "industry": "Cellars"}}
	made := c.want(http.StatusCreated, post)
	id := made.at("id").(string)
	site := ok(c.Knowledge.Websites.Get(ctx, made.at("website_id").(string)))(s)
	if made.at("status") != "training" || site.AgentID != id || site.URL != there.URL || site.Schedule != "weekly" || site.State != "queued" {
		s.Errorf("an agent of a website = %s with the website %+v, want it to be read", made.body, site)
	}
	if again := c.want(http.StatusCreated, post); again.header.Get("Idempotent-Replayed") != "true" || again.at("id") != id || again.header.Get("ETag") != made.header.Get("ETag") {
		s.Errorf("the same request again = %s, want the agent", again.body)
	}
	if n := len(ok(c.Knowledge.Websites.List(ctx, &api.ListWebsitesParams{AgentID: &id}))(s).Data); n != 1 {
		s.Errorf("the agent has %d websites, want 1", n)
	}
	s.work()
	wantRun(s, site.RunID, "completed")
	var resp *http.Response
	got := ok(c.Agents.Get(ctx, id, client.WithIfNoneMatch(made.header.Get("ETag")), client.WithResponse(&resp)))(s) // it has changed by itself
	if got.Status != "active" || got.WebsiteID != site.ID {
		s.Errorf("the agent is %+v once its website was read, want it active", got)
	}
	if _, err := c.Agents.UpdateSettings(ctx, id, api.AgentSettingsPatch{Industry: nullable.NewNullableWithValue("Houses")}, client.WithIfMatch(resp.Header.Get("ETag"))); err != nil {
		s.Errorf("UpdateSettings with the tag of the agent = error %v", err)
	}
	if reply := ok(c.Messages.Create(ctx, api.MessageRequest{AgentID: id, Message: "When is the cellar number 2 open?"}))(s); reply.Outcome != "answer" || !strings.Contains(reply.Text, "at night") {
		s.Errorf("the agent answers %+v", reply)
	}
	if reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When is the cellar number 2 open?"}))(s); reply.Outcome != "refuse" {
		s.Errorf("another agent answers %+v from the website", reply)
	}
	nowhere := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Nowhere", WebsiteURL: "http://10.255.255.1:8080"}))(s)
	wantRun(s, ok(c.Knowledge.Websites.Get(ctx, nowhere.WebsiteID))(s).RunID, "failed")
	statuses := map[string]string{}
	for a, err := range c.Agents.All(ctx, nil) {
		if err != nil {
			s.Fatal(err)
		}
		statuses[a.Name] = a.Status
	}
	if statuses["House"] != "active" || statuses["Nowhere"] != "failed" || len(statuses) != 3 {
		s.Errorf("the agents are %v, want one whose website could not be read", statuses)
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "website_url", request{method: "POST", path: "/v1/agents", body: fields{"name": "A", "website_url": "https://ada:secret@shop.example"}})
	ok(c.Agents.Delete(ctx, id))(s)
	if _, err := c.Knowledge.Websites.Get(ctx, site.ID); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("the website of a deleted agent = error %v, want %v", err, client.ErrNotFound)
	}
}

// A document gets an earlier text again.
func playVersions(s *suite) {
	s.begin(nil)
	ctx, c, docs := s.Context(), s.admin, s.admin.Knowledge.Documents
	doc := ok(docs.Create(ctx, api.DocumentRequest{Title: "Hours", Text: "We open at nine."}))(s)
	ok(docs.Update(ctx, doc.ID, api.DocumentPatch{Text: new("We open at ten.")}))(s)
	var resp *http.Response
	ok(docs.Update(ctx, doc.ID, api.DocumentPatch{Text: new("<p>We open at eleven.</p>"), Format: api.FormatHTML}, client.WithResponse(&resp)))(s)
	etag := resp.Header.Get("ETag")
	var numbers []int64
	for _, v := range ok(docs.Versions(ctx, doc.ID, nil))(s).Data {
		numbers = append(numbers, v.Version)
		if v.Live != (v.Version == 3) || v.Bytes == 0 || v.Actor == "" || v.CreatedAt.IsZero() || (v.Format == "html") != (v.Version == 3) {
			s.Errorf("version %d = %+v", v.Version, v)
		}
	}
	if !slices.Equal(numbers, []int64{3, 2, 1}) {
		s.Errorf("Versions = %v, want three, the newest first", numbers)
	}
	back := request{method: "POST", path: "/v1/knowledge/documents/" + doc.ID + "/rollback", header: map[string]string{"Idempotency-Key": "back", "If-Match": etag}, body: fields{"version": 1}}
	done := c.want(http.StatusOK, back)
	if done.at("version") != 4.0 || done.at("format") != "text" || done.header.Get("ETag") == etag {
		s.Errorf("rollback = %s, want a new version in the old format", done.body)
	}
	if again := c.want(http.StatusOK, back); again.at("version") != 4.0 || again.header.Get("Idempotent-Replayed") != "true" {
		s.Errorf("the same rollback again = %s, want nothing more done", again.body)
	}
	if text := ok(docs.Get(ctx, doc.ID))(s).Text; text != "We open at nine." {
		s.Errorf("the text is %q, want the first one", text)
	}
	if reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"}))(s); reply.Text != "We open at nine." || reply.Citations[0].DocumentVersion != 4 {
		s.Errorf("a question = %+v, want the first text, as version 4", reply)
	}
	if _, err := docs.Rollback(ctx, doc.ID, 2, client.WithIfMatch(etag)); !errors.Is(err, client.ErrPreconditionFailed) {
		s.Errorf("Rollback if it matches an old tag = error %v, want %v", err, client.ErrPreconditionFailed)
	}
	if _, err := docs.Rollback(ctx, doc.ID, 9); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Rollback to no version = error %v, want %v", err, client.ErrNotFound)
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "version", request{method: "POST", path: back.path, body: fields{"version": 0}})
}
