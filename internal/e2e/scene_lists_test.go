package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// lists are the operations whose answers have pages.
func (c *contract) lists() (out []operation) {
	for _, o := range c.operations {
		if o.takes("cursor") {
			out = append(out, o)
		}
	}
	return out
}

// page reads a page of a list.
func (c *caller) page(path string, query url.Values) (items []map[string]any, next string) {
	c.s.Helper()
	a := c.want(http.StatusOK, request{method: "GET", path: path + "?" + query.Encode()})
	data, _ := a.at("data").([]any)
	for _, v := range data {
		items = append(items, v.(map[string]any))
	}
	next, _ = a.at("next_cursor").(string)
	if more, _ := a.at("has_more").(bool); more != (next != "") {
		c.s.Errorf("GET %s = has_more %t with the cursor %q", path, more, next)
	}
	return items, next
}

// Every list is read to its end by pages of any size: each item once, the newest
// first, and nothing by another list's cursor.
func playLists(s *suite) {
	opts := reachingLoopback()
	opts.Answerer = newCallsTools()
	s.begin(opts)
	x := fill(s)
	first := map[string]string{} // cursors to the second page, by operation
	for _, o := range s.contract.lists() {
		path := o.request(x).path
		whole, next := s.admin.page(path, url.Values{"limit": {"100"}})
		if next != "" || len(whole) < 5 {
			s.Fatalf("%s has %d items and the cursor %q, want at least 5 on one page", o.id, len(whole), next)
		}
		for i := 1; i < len(whole); i++ {
			if a, b := createdAt(whole[i-1]), createdAt(whole[i]); a.Before(b) {
				s.Errorf("%s: an item of %v comes before one of %v", o.id, a, b)
			}
		}
		for _, limit := range []int{1, 2, len(whole) - 1, len(whole)} {
			var got []map[string]any
			query := url.Values{"limit": {fmt.Sprint(limit)}}
			for pages := 0; ; pages++ {
				items, next := s.admin.page(path, query)
				if got = append(got, items...); len(items) > limit || len(items) == 0 || pages > len(whole) {
					s.Fatalf("%s: page %d of %d has %d items", o.id, pages, limit, len(items))
				}
				if next == "" {
					break
				}
				if limit == 2 && first[o.id] == "" {
					first[o.id] = next
				}
				query.Set("cursor", next)
			}
			if !slices.EqualFunc(got, whole, func(a, b map[string]any) bool { return a["id"] == b["id"] }) {
				s.Errorf("%s by pages of %d = %v, want %v", o.id, limit, got, whole)
			}
		}
		if items, _ := s.admin.page(path, nil); len(items) != min(20, len(whole)) {
			s.Errorf("%s has %d items on a page, want 20", o.id, len(items))
		}
		for _, limit := range []string{"101", "-1", "two", "1e1"} {
			s.admin.wantError(http.StatusBadRequest, "invalid_request", "limit", request{method: "GET", path: path + "?limit=" + limit})
		}
	}
	boundCursors(s, x, first)
}

// createdAt is when an item of a list was made; never if it does not say.
func createdAt(item map[string]any) time.Time {
	text, _ := item["created_at"].(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// boundCursors uses every cursor in other lists, and with other filters.
func boundCursors(s *suite, x *things, first map[string]string) {
	filters := map[string]string{"agent_id": x.agent, "user_id": x.user, "conversation_id": x.conversation, "external_id": x.external, "kind": "upload",
		"source_id": x.website, "parent_id": x.run, "state": "queued"}
	for _, o := range s.contract.lists() {
		path := o.request(x).path
		for of, cursor := range first {
			if of != o.id {
				s.admin.wantError(http.StatusBadRequest, "invalid_request", "cursor", request{method: "GET", path: path + "?" + url.Values{"cursor": {cursor}}.Encode()})
			}
		}
		for name, value := range filters {
			if o.takes(name) {
				query := url.Values{"cursor": {first[o.id]}, name: {value}}
				s.admin.wantError(http.StatusBadRequest, "invalid_request", "cursor", request{method: "GET", path: path + "?" + query.Encode()})
			}
		}
	}
}

// fill gives the desk five and more of everything that is listed.
func fill(s *suite) *things {
	ctx, c := s.Context(), s.admin
	x := furnish(c, s.desk.ID(), "cuckoo")
	for i := range 5 {
		ok(c.Agents.Create(ctx, api.AgentRequest{Name: fmt.Sprint(i)}))(s)
		ok(c.Companies.Create(ctx, api.CompanyRequest{Name: fmt.Sprint(i)}))(s)
		ok(c.Agents.UpdateSettings(ctx, x.agent, api.AgentSettingsPatch{Name: new(fmt.Sprint(i))}))(s)
		ok(c.APIKeys.Create(ctx, api.APIKeyRequest{Name: fmt.Sprint(i), Scope: api.ScopeRead}))(s)
		ok(c.Messages.Create(ctx, api.MessageRequest{Message: "What is a zebra?", ConversationID: x.conversation}))(s)
		ok(c.Messages.Create(ctx, api.MessageRequest{Message: "What is a yak?"}))(s)
		ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When does the cuckoo open?"}))(s)
		for n := range 5 {
			name := fmt.Sprint(i, n)
			ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "Text " + name}))(s)
		}
	}
	var items []api.BulkItem
	var pairs []api.QAPairInput
	for i := range 25 {
		items = append(items, api.BulkItem{Content: fmt.Sprint("Content ", i)})
		pairs = append(pairs, api.QAPairInput{Question: fmt.Sprint("Question ", i), Answer: fmt.Sprint("Answer ", i)})
	}
	for i := range 5 {
		ok(c.Knowledge.Documents.Update(ctx, x.document, api.DocumentPatch{Text: new(fmt.Sprint("Text ", i))}))(s)
		ok(c.Knowledge.Websites.Create(ctx, api.WebsiteRequest{URL: fmt.Sprintf("https://%d.example", i)}))(s)
		ok(c.Knowledge.APISources.Create(ctx, api.APISourceRequest{Name: "API", URL: fmt.Sprintf("https://api.%d.example", i), Mapping: api.APISourceMappingInput{Flatten: true}}))(s)
	}
	ok(c.Knowledge.Websites.Delete(ctx, x.website))(s) // but for one whose pages can be read
	ok(c.Training.Cancel(ctx, nil))(s)
	site := newSite(s, 8)
	there := ok(c.Knowledge.Websites.Create(ctx, api.WebsiteRequest{URL: site.URL}))(s)
	stop := s.work()
	wantRun(s, there.RunID, "completed")
	stop()
	x.website, x.run = there.ID, there.RunID
	ok(c.Content.Bulk(ctx, api.BulkRequest{Items: items}))(s)
	ok(c.Knowledge.QAPairs.Create(ctx, api.QAPairsRequest{Items: pairs}))(s)
	return x
}
