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

// A piece of content is added, replaced, changed and deleted.
func playContent(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	post := request{method: "POST", path: "/v1/content", body: fields{
		"content": "We open at nine.", "external_id": "hours", "metadata": fields{"title": "Hours", "category": "shop", "tags": []string{"time"}},
	}}
	made := c.want(http.StatusCreated, post)
	id, etag := made.at("id").(string), made.header.Get("ETag")
	if location := made.header.Get("Location"); location != "/v1/content/"+id {
		s.Errorf("Location = %q, want that of content %s", location, id)
	}
	read := ok(c.Content.Get(ctx, id))(s)
	if read.Content != "We open at nine." || read.Metadata["title"] != "Hours" || read.Metadata["category"] != "shop" || read.ExternalID != "hours" || read.Version != 1 {
		s.Errorf("Get = %+v, want it as it was made", read)
	}
	if _, err := c.Content.Get(ctx, id, client.WithIfNoneMatch(etag)); !errors.Is(err, client.ErrNotModified) {
		s.Errorf("Get with the tag it has = error %v, want %v", err, client.ErrNotModified)
	}
	if doc := ok(c.Knowledge.Documents.Get(ctx, id))(s); doc.Kind != "content" || doc.Title != "Hours" || doc.Metadata["title"] != nil {
		s.Errorf("as a document it is %+v, want its title beside the metadata", doc)
	}
	if same := c.want(http.StatusOK, post); same.at("id") != id || same.at("version") != 1.0 {
		s.Errorf("the same content again = %s, want it unchanged", same.body)
	}
	post.body.(fields)["content"] = "We open at ten."
	if other := c.want(http.StatusOK, post); other.at("id") != id || other.at("version") != 2.0 {
		s.Errorf("the same external id with another text = %s, want version 2", other.body)
	}
	if _, err := c.Content.Update(ctx, id, api.ContentPatch{Content: new("Late.")}, client.WithIfMatch(etag)); !errors.Is(err, client.ErrPreconditionFailed) {
		s.Errorf("Update if it matches an old tag = error %v, want %v", err, client.ErrPreconditionFailed)
	}
	got := ok(c.Content.Update(ctx, id, api.ContentPatch{Metadata: nullable.NewNullableWithValue(api.MetadataInput{"title": "Times", "category": nil})}))(s)
	if got.Metadata["title"] != "Times" || got.Metadata["category"] != nil || got.Metadata["tags"] == nil || got.Version != 2 {
		s.Errorf("Update = %+v, want another title, no category and the tags as they were", got)
	}
	got = ok(c.Content.Update(ctx, id, api.ContentPatch{Content: new("Open all night.\n"), Metadata: nullable.NewNullNullable[api.MetadataInput]()}))(s)
	if got.Version != 3 || got.Metadata["tags"] != nil || got.Metadata["title"] == "Times" {
		s.Errorf("Update = %+v, want version 3 without the metadata", got)
	}
	if listed := ok(c.Content.List(ctx, &api.ListContentParams{ExternalID: new("hours")}))(s).Data; len(listed) != 1 || listed[0].ID != id || listed[0].Content != "" {
		s.Errorf("List = %+v, want %s without its text", listed, id)
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "metadata.title", request{method: "POST", path: "/v1/content", body: fields{"content": "x", "metadata": fields{"title": 3}}})
	doc := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "No content."}))(s)
	if _, err := c.Content.Get(ctx, doc.ID); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Get of a document that is no content = error %v, want %v", err, client.ErrNotFound)
	}
	if gone := ok(c.Content.Delete(ctx, id))(s); gone.ID != id || gone.Versions != 3 {
		s.Errorf("Delete = %+v, want a receipt for three versions of %s", gone, id)
	}
	if _, err := c.Content.Get(ctx, id); !errors.Is(err, client.ErrNotFound) || len(c.found("open all night", nil)) != 0 {
		s.Errorf("Get of deleted content = error %v, want %v, and nothing found", err, client.ErrNotFound)
	}
}

// Many pieces of content are written at once, each for itself, all or none, or
// not at all.
func playBulk(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	count := func() int {
		return len(ok(c.Content.List(ctx, &api.ListContentParams{Limit: new(int32(100))}))(s).Data)
	}
	items := []api.BulkItem{
		{Content: "One is red.", ExternalID: "1", Metadata: fields{"title": "One"}}, {Content: "Two is blue.", ExternalID: "2"}, {Content: "Two is blue.", ExternalID: "3"},
	}
	dry := ok(c.Content.Bulk(ctx, api.BulkRequest{Items: items, DryRun: new(true)}))(s)
	if dry.Created != 3 || len(dry.Results) != 3 || dry.Results[0].Status != "created" || count() != 0 {
		s.Errorf("Bulk as a dry run = %+v and %d pieces, want three said to be created, and none", dry, count())
	}
	first := ok(c.Content.Bulk(ctx, api.BulkRequest{Items: items}))(s)
	if first.Created != 3 || first.Failed != 0 || first.KnowledgeRevision == 0 || count() != 3 {
		s.Errorf("Bulk = %+v, want three created", first)
	}
	if got := c.found("which one is red", nil); !slices.Contains(got, first.Results[0].ID) {
		s.Errorf("a search after the bulk finds %v, want %s", got, first.Results[0].ID)
	}
	items[1].Content = "Two is green."
	mixed := request{method: "POST", path: "/v1/content/bulk", body: fields{"items": []any{
		items[0], items[1], fields{"content": ""}, fields{"content": "Four.", "colour": "red"}, fields{"content": "Five.", "metadata": fields{"title": 5}}, fields{"content": "Six.", "external_id": "6"},
	}}}
	a := c.want(http.StatusOK, mixed)
	var statuses, ids, wrong []string
	for i, r := range a.at("results").([]any) {
		r := r.(map[string]any)
		if r["index"] != float64(i) {
			s.Errorf("result %d has the index %v", i, r["index"])
		}
		statuses = append(statuses, r["status"].(string))
		if id, isString := r["id"].(string); isString {
			ids = append(ids, id)
		}
		if e, isError := r["error"].(map[string]any); isError {
			wrong = append(wrong, e["details"].(map[string]any)["field"].(string))
		}
	}
	if want := []string{"unchanged", "updated", "failed", "failed", "failed", "created"}; !slices.Equal(statuses, want) {
		s.Errorf("the items are %v, want %v", statuses, want)
	}
	if want := []string{"content", "colour", "metadata.title"}; !slices.Equal(wrong, want) {
		s.Errorf("the items failed for %v, want %v", wrong, want)
	}
	if len(ids) != 3 || ids[0] != first.Results[0].ID || ids[1] != first.Results[1].ID || a.at("created") != 1.0 || a.at("updated") != 1.0 || a.at("unchanged") != 1.0 || a.at("failed") != 3.0 {
		s.Errorf("Bulk = %s, want one of each and three failed", a.body)
	}
	playAtomic(s, mixed, count)

	own := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Owner"}))(s)
	mine := ok(c.Content.Bulk(ctx, api.BulkRequest{AgentID: own.ID, Items: items}))(s)
	if mine.Created != 3 {
		s.Errorf("Bulk of an agent = %+v, want three created beside those of the company", mine)
	}
	if got := ok(c.Content.List(ctx, &api.ListContentParams{AgentID: &own.ID}))(s).Data; len(got) != 3 {
		s.Errorf("the agent has %d pieces of content, want 3", len(got))
	}
}

// playAtomic writes all or none.
func playAtomic(s *suite, mixed request, count func() int) {
	c, before := s.admin, count()
	body := mixed.body.(fields)
	body["atomic"] = true
	c.wantError(http.StatusBadRequest, "invalid_request", "items[2].content", mixed)
	body["items"] = slices.Insert(body["items"].([]any), 1, any(fields{"content": strings.Repeat(" ", 10)})) // what only the knowledge refuses
	body["items"] = body["items"].([]any)[:3]
	c.wantError(http.StatusBadRequest, "invalid_request", "items[1].content", mixed)
	if after := count(); after != before {
		s.Errorf("after atomic bulks that were refused there are %d pieces, want %d", after, before)
	}
	body["items"] = []any{fields{"content": "Seven."}, fields{"content": "Eight."}}
	if all := c.want(http.StatusOK, mixed); all.at("created") != 2.0 || count() != before+2 {
		s.Errorf("an atomic bulk = %s, want two created", all.body)
	}
	for field, body := range map[string]any{
		"items": fields{"items": []any{}}, "colour": fields{"items": []any{fields{"content": "x"}}, "colour": 1}, "atomic": fields{"items": []any{fields{"content": "x"}}, "atomic": "yes"},
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/content/bulk", body: body})
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "items", request{method: "POST", path: "/v1/content/bulk", body: fields{"items": slices.Repeat([]any{fields{"content": "x"}}, 1001)}})
}
