package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// inEveryWay plays a scene alone: what it shows is more than that its operations
// keep to the contract.
func inEveryWay(t *testing.T, play func(*suite)) {
	t.Helper()
	for _, w := range []way{inProcess, network} {
		t.Run(string(w), func(t *testing.T) { play(&suite{T: t, way: w, contract: newContract(t)}) })
	}
}

// What is written as other systems write it is found by its title, category and
// tags, and by everything that a filter can say.
func TestFilters(t *testing.T) { inEveryWay(t, playFilters) }

func playFilters(s *suite) {
	s.begin(nil)
	c := s.admin
	one := c.want(http.StatusCreated, request{method: "POST", path: "/v1/content", body: `{
		"content": "Your content here",
		"metadata": {
			"title": "Example Document",
			"category": "Documentation",
			"tags": ["api", "example"]
		}
	}`})
	bulk := c.want(http.StatusOK, request{method: "POST", path: "/v1/content/bulk", body: `{
		"items": [
			{"content": "First document", "metadata": {"title": "Doc 1"}},
			{"content": "Second document", "metadata": {"title": "Doc 2"}}
		]
	}`})
	ids := map[string]string{"Example Document": one.at("id").(string)}
	for i, r := range bulk.at("results").([]any) {
		ids[[]string{"Doc 1", "Doc 2"}[i]] = r.(map[string]any)["id"].(string)
	}
	if len(ids) != 3 || bulk.at("created") != 2.0 || bulk.at("failed") != 0.0 {
		s.Fatalf("the bulk = %s, want two created", bulk.body)
	}
	dry := c.want(http.StatusOK, request{method: "POST", path: "/v1/content/bulk", body: `{
		"dry_run": true, "atomic": true, "items": [{"content": "A document of cents", "metadata": {"title": "Doc 3", "category": "Prices"}}]
	}`})
	if dry.at("created") != 1.0 {
		s.Errorf("the dry run = %s, want one that would be created", dry.body)
	}
	c.want(http.StatusOK, request{method: "POST", path: "/v1/content/bulk", body: `{
		"atomic": true, "items": [
			{"content": "A document of cents", "external_id": "A-1", "metadata": {"title": "Cents", "category": "Prices", "price": 0.5, "tags": ["small", "api"]}},
			{"content": "A document of euros", "external_id": "A-2", "metadata": {"title": "Euros", "category": "Prices", "price": 20, "since": "2026-02-01"}},
			{"content": "A document of pounds", "external_id": "B-1", "metadata": {"title": "Pounds", "category": "Prices", "price": 25, "since": "2026-03-01T09:00:00Z"}}
		]
	}`})
	for _, tt := range []struct{ filter, want string }{
		{`{"title": "Example Document"}`, "Example Document"},
		{`{"category": "Documentation"}`, "Example Document"},
		{`{"tags": "api"}`, "Cents,Example Document"},
		{`{"tags": ["example", "small"], "category": "Prices"}`, "Cents"},
		{`{"title": {"$prefix": "Doc "}}`, "Doc 1,Doc 2"},
		{`{"price": {"$gte": 10, "$lt": 25}}`, "Euros"},
		{`{"price": {"$exists": false}, "$not": {"title": "Doc 1"}}`, "Doc 2,Example Document"},
		{`{"since": {"$gte": "2026-02-15"}}`, "Pounds"},
		{`{"category": {"$ne": "Prices"}}`, "Doc 1,Doc 2,Example Document"},
		{`{"category": {"$nin": ["Prices", "Documentation"]}}`, "Doc 1,Doc 2"},
		{`{"$or": [{"price": {"$lt": 1}}, {"$and": [{"price": {"$gt": 20}}, {"since": {"$prefix": "2026"}}]}]}`, "Cents,Pounds"},
		{`{"$external_id": {"$prefix": "A-"}}`, "Cents,Euros"},
		{`{"$kind": "content", "$external_id": {"$in": ["B-1", "C-1"]}}`, "Pounds"},
		{`{"$kind": "qa"}`, ""},
	} {
		found := c.want(http.StatusOK, request{method: "POST", path: "/v1/knowledge/search", body: `{"query": "a document or content", "filter": ` + tt.filter + `}`})
		titles := []string{}
		for _, hit := range found.at("data").([]any) {
			titles = append(titles, hit.(map[string]any)["title"].(string))
		}
		slices.Sort(titles)
		if got := strings.Join(titles, ","); got != tt.want {
			s.Errorf("a search with the filter %s finds %q, want %q", tt.filter, got, tt.want)
		}
	}
	for filter, field := range map[string]string{
		`{"$or": [{"a": 1}, {"price": {"$gte": true}}]}`: "filter.$or[1].price.$gte",
		`{"price": {"$regex": "x"}}`:                     "filter.price.$regex",
		`{"address": {"city": "Graz"}}`:                  "filter.address.city",
		`{"$title": "x"}`:                                "filter.$title",
		`{"a": null}`:                                    "filter.a",
		`["a"]`:                                          "filter",
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/knowledge/search", body: `{"query": "x", "filter": ` + filter + `}`})
	}

	id := ids["Doc 1"]
	c.want(http.StatusOK, request{method: "PUT", path: "/v1/content/" + id, body: `{"metadata": {"title": "Doc 4", "category": "New"}}`})
	for filter, want := range map[string][]string{`{"title": "Doc 1"}`: nil, `{"title": "Doc 4"}`: {id}, `{"category": "New"}`: {id}} {
		found := c.want(http.StatusOK, request{method: "POST", path: "/v1/knowledge/search", body: `{"query": "first document", "filter": ` + filter + `}`})
		var got []string
		for _, hit := range found.at("data").([]any) {
			got = append(got, hit.(map[string]any)["document_id"].(string))
		}
		if !slices.Equal(got, want) {
			s.Errorf("after a change a search with the filter %s finds %v, want %v", filter, got, want)
		}
	}
	if listed := c.want(http.StatusOK, request{method: "GET", path: "/v1/content"}); len(listed.at("data").([]any)) != 6 {
		s.Errorf("the content = %s, want six pieces", listed.body)
	}
	c.want(http.StatusOK, request{method: "DELETE", path: "/v1/content/" + id})
	if got := c.found("first document", fields{"title": "Doc 4"}); len(got) != 0 {
		s.Errorf("after it was deleted a search finds %v", got)
	}
}

// Pairs answer first what they are asked, or nearly, and are cited.
func TestPairs(t *testing.T) { inEveryWay(t, playPairs) }

func playPairs(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	for range 20 {
		ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: strings.Repeat("Do you ship? Shipping ships. Ship to Mars, ship to Venus. ", 10)}))(s)
	}
	made := ok(c.Knowledge.QAPairs.Create(ctx, api.QAPairsRequest{Items: []api.QAPairInput{
		{Question: "Do you ship to Mars?", Answer: "Not before 2040.", Alternates: []string{"火星に配送できますか？", "Is Mars in reach?"}, ExternalID: "mars"},
		{Question: "Do you ship to Venus?", Answer: "Every day."},
		{Question: "Who are you?", Answer: "A shop for planets."},
	}}))(s).Data
	for question, want := range map[string]string{
		"do you ship to mars":                     "Not before 2040.",
		"Do you ship to Mars?":                    "Not before 2040.",
		"Could you please tell me: ship to Mars?": "Not before 2040.",
		"火星に 配送できますか":                             "Not before 2040.",
		"DO YOU SHIP TO VENUS":                    "Every day.",
		"who are you":                             "A shop for planets.",
	} {
		reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: question}))(s)
		if reply.Text != want || reply.Outcome != "answer" || reply.Confidence.Score < 0.9 || len(reply.Citations) != 1 || reply.Citations[0].Quote != want {
			s.Errorf("asked %q: %q at %.2f, %s, cited %+v, want %q", question, reply.Text, reply.Confidence.Score, reply.Outcome, reply.Citations, want)
		}
	}
	for query, want := range map[string]float64{"Do you ship to Mars?": 1, "How do you ship to Mars?": 0.99, "Don't you ship to Mars?": 0, "Do you ship to Pluto?": 0} {
		found := ok(c.Knowledge.Search(ctx, api.SearchRequest{Query: query}))(s)
		if got := found.Data[0].Scores["qa"]; got != want || want > 0 && found.Data[0].DocumentID != made[0].ID {
			s.Errorf("Search(%q) begins with %+v, want the pair by %v", query, found.Data[0], want)
		}
	}
	ok(c.Knowledge.QAPairs.Update(ctx, made[0].ID, api.QAPairPatch{Question: new("Do you ship to Phobos?")}))(s)
	if found := ok(c.Knowledge.Search(ctx, api.SearchRequest{Query: "Do you ship to Mars?"}))(s); found.Data[0].Scores["qa"] != 0 {
		s.Errorf("after the question changed a search for the old one begins with %+v", found.Data[0])
	}
	ok(c.Knowledge.QAPairs.Delete(ctx, made[0].ID))(s)
	for _, query := range []string{"Is Mars in reach?", "Do you ship to Phobos?"} {
		if found := ok(c.Knowledge.Search(ctx, api.SearchRequest{Query: query}))(s); len(found.Data) > 0 && found.Data[0].Scores["qa"] != 0 {
			s.Errorf("after the pair was deleted a search for %q begins with %+v", query, found.Data[0])
		}
	}
	own := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Own"}))(s)
	ok(c.Knowledge.QAPairs.Create(ctx, api.QAPairsRequest{AgentID: own.ID, Question: "Do you ship to Venus?", Answer: "I do not."}))(s)
	for agent, want := range map[string]string{"": "Every day.", own.ID: "I do not."} {
		reply := ok(c.Messages.Create(ctx, api.MessageRequest{AgentID: agent, Message: "Do you ship to Venus?"}))(s)
		if reply.Text != want {
			s.Errorf("agent %q asked for Venus: %q, want %q", agent, reply.Text, want)
		}
	}
	for field, body := range map[string]any{
		"items[2].question":      fields{"items": []any{fields{"question": "Why?", "answer": "So."}, fields{"question": "Who?", "answer": "We."}, fields{"question": " ", "answer": "So."}}},
		"items[1].alternates[0]": fields{"items": []any{fields{"question": "Why?", "answer": "So."}, fields{"question": "Who?", "alternates": []any{" "}, "answer": "So."}}},
		"items[0].answer":        fields{"items": []any{fields{"question": "Why?", "answer": "  "}}},
		"items[0].metadata.a":    fields{"items": []any{fields{"question": "Why?", "answer": "So.", "metadata": fields{"a": fields{}}}}},
		"items":                  fields{"items": slices.Repeat([]any{fields{"question": "Why?", "answer": "So."}}, 1001)},
		"alternates[0]":          fields{"question": "Why?", "alternates": []any{" "}, "answer": "So."},
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/knowledge/qa-pairs", body: body})
	}
}
