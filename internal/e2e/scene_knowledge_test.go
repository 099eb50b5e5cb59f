package e2e

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// found returns the ids of the documents that a search finds.
func (c *caller) found(query string, filter fields) (out []string) {
	c.s.Helper()
	for _, hit := range ok(c.Knowledge.Search(c.s.Context(), api.SearchRequest{Query: query, Filter: filter}))(c.s).Data {
		out = append(out, hit.DocumentID)
	}
	return out
}

// A document is added, found, changed, and deleted with all that was told of it.
func playDocuments(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	post := request{method: "POST", path: "/v1/knowledge/documents", body: fields{
		"title": "Hours", "text": "# Opening\n\nWe open at **nine**.\n", "format": "markdown", "url": "https://example.com/hours", "external_id": "hours.md",
		"metadata": fields{"area": "north", "floor": 2, "tags": []string{"time", "door"}},
	}}
	made := c.want(http.StatusCreated, post)
	id, etag := made.at("id").(string), made.header.Get("ETag")
	if location := made.header.Get("Location"); location != "/v1/knowledge/documents/"+id {
		s.Errorf("Location = %q, want that of document %s", location, id)
	}
	var resp *http.Response
	doc := ok(c.Knowledge.Documents.Get(ctx, id, client.WithResponse(&resp)))(s)
	if doc.Version != 1 || doc.Kind != "upload" || doc.Format != "markdown" || doc.State != "ready" || doc.ExternalID != "hours.md" || !strings.Contains(doc.Text, "We open at **nine**.") ||
		resp.Header.Get("ETag") != etag || doc.Metadata["floor"] != 2.0 {
		s.Errorf("Get = %+v with the tag %s, want it as it was made, with the tag %s", doc, resp.Header.Get("ETag"), etag)
	}
	if _, err := c.Knowledge.Documents.Get(ctx, id, client.WithIfNoneMatch(etag)); !errors.Is(err, client.ErrNotModified) {
		s.Errorf("Get with the tag it has = error %v, want %v", err, client.ErrNotModified)
	}
	if same := c.want(http.StatusOK, post); same.at("id") != id || same.at("version") != 1.0 || same.header.Get("Location") != made.header.Get("Location") {
		s.Errorf("the same document again = %s, want it unchanged", same.body)
	}
	post.body.(fields)["text"] = "# Opening\n\nWe open at ten.\n"
	if replaced := c.want(http.StatusOK, post); replaced.at("id") != id || replaced.at("version") != 2.0 || replaced.header.Get("ETag") == etag {
		s.Errorf("the same external id with another text = %s with the tag %s, want version 2", replaced.body, replaced.header.Get("ETag"))
	}
	if got := c.found("open", nil); !slices.Equal(got, []string{id}) {
		s.Errorf("a search finds %v, want %s", got, id)
	}
	playSearch(s, id)
	playDocumentPatch(s, id, etag)
	playDocumentList(s, id)
	playDelete(s, id)
	playRevisions(s)
}

// playSearch filters a search, and looks at what comes.
func playSearch(s *suite, id string) {
	ctx, c := s.Context(), s.admin
	for _, n := range []struct {
		filter fields
		want   bool
	}{
		{fields{"area": "north"}, true}, {fields{"area": []string{"south", "north"}}, true}, {fields{"tags": "door"}, true}, {fields{"floor": 2}, true},
		{fields{"area": "south"}, false}, {fields{"area": "north", "floor": 3}, false}, {fields{"colour": "red"}, false},
	} {
		if got := c.found("when do you open", n.filter); slices.Contains(got, id) != n.want {
			s.Errorf("a search with the filter %v finds %v: the document is to be there: %t", n.filter, got, n.want)
		}
	}
	results := ok(c.Knowledge.Search(ctx, api.SearchRequest{Query: "open at ten", Limit: new(int32(1))}))(s)
	if len(results.Data) != 1 || results.KnowledgeRevision == 0 {
		s.Fatalf("Search = %+v, want a hit", results)
	}
	hit, doc := results.Data[0], ok(c.Knowledge.Documents.Get(ctx, id))(s)
	if hit.Text != doc.Text[hit.Start:hit.End] || hit.Title != "Hours" || hit.ExternalID != "hours.md" || hit.Metadata["area"] != "north" || hit.Score <= 0 {
		s.Errorf("hit = %+v, want bytes %d to %d of %q", hit, hit.Start, hit.End, doc.Text)
	}
	if own := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Other"}))(s); len(ok(c.Knowledge.Search(ctx, api.SearchRequest{Query: "open", AgentID: own.ID}))(s).Data) != 1 {
		s.Error("an agent does not find a document of the whole company")
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "limit", request{method: "POST", path: "/v1/knowledge/search", body: fields{"query": "open", "limit": 101}})
}

// playRevisions asks for knowledge that has a change in it.
func playRevisions(s *suite) {
	ctx, c := s.Context(), s.admin
	var resp *http.Response
	made := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "Bicycles are repaired on Mondays."}, client.WithResponse(&resp)))(s)
	written, told := client.ReadKnowledgeRevision(resp.Header)
	if !told || written == 0 {
		s.Fatalf("the answer to a change tells revision %d, %t", written, told)
	}
	if found := ok(c.Knowledge.Search(ctx, api.SearchRequest{Query: "bicycles", MinRevision: written}))(s); found.KnowledgeRevision < written || len(found.Data) != 1 || found.Data[0].DocumentID != made.ID {
		s.Errorf("Search from revision %d = %+v, want the document", written, found)
	}
	if reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When are bicycles repaired?", MinRevision: written}))(s); reply.KnowledgeRevision < written {
		s.Errorf("the reply from revision %d is made from %d", written, reply.KnowledgeRevision)
	}
	for _, path := range []string{"/v1/message", "/v1/message/stream"} {
		c.wantError(http.StatusBadRequest, "invalid_request", "min_revision", request{method: "POST", path: path, body: fields{"message": "When are bicycles repaired?", "min_revision": written + 1}})
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "min_revision", request{method: "POST", path: "/v1/knowledge/search", body: fields{"query": "bicycles", "min_revision": written + 1}})
}

// playDocumentPatch changes a document part by part.
func playDocumentPatch(s *suite, id, stale string) {
	ctx, docs := s.Context(), s.admin.Knowledge.Documents
	if _, err := docs.Update(ctx, id, api.DocumentPatch{Title: nullable.NewNullableWithValue("Late")}, client.WithIfMatch(stale)); !errors.Is(err, client.ErrPreconditionFailed) {
		s.Errorf("Update if it matches an old tag = error %v, want %v", err, client.ErrPreconditionFailed)
	}
	var resp *http.Response
	ok(docs.Get(ctx, id, client.WithResponse(&resp)))(s)
	got := ok(docs.Update(ctx, id, api.DocumentPatch{
		Title: nullable.NewNullableWithValue("Times"), URL: nullable.NewNullNullable[string](),
		Metadata: nullable.NewNullableWithValue(api.MetadataInput{"floor": nil, "colour": "red"}),
	}, client.WithIfMatch(resp.Header.Get("ETag")), client.WithResponse(&resp)))(s)
	if got.Title != "Times" || got.URL != "" || got.Version != 2 || got.Text != "" || !maps.EqualFunc(map[string]any(got.Metadata), fields{"area": "north", "colour": "red", "tags": nil}, func(a, b any) bool { return b == nil || a == b }) {
		s.Errorf("Update = %+v, want the title and the metadata merged, no address, and the text as it was", got)
	}
	if text := ok(docs.Get(ctx, id))(s); !strings.Contains(text.Text, "at ten") {
		s.Errorf("the text is %q, want it as it was", text.Text)
	}
	got = ok(docs.Update(ctx, id, api.DocumentPatch{
		Text: new("<h1>Opening</h1><p>We open at eleven.</p>"), Format: api.FormatHTML, Metadata: nullable.NewNullNullable[api.MetadataInput](), Title: nullable.NewNullNullable[string](),
	}))(s)
	if got.Version != 3 || got.Format != "html" || len(got.Metadata) != 0 || got.Title != "Opening" {
		s.Errorf("Update = %+v, want version 3 in HTML, without metadata, titled as its heading", got)
	}
	if text := ok(docs.Get(ctx, id))(s); !strings.Contains(text.Text, "We open at eleven.") || strings.Contains(text.Text, "<") {
		s.Errorf("the text is %q, want that of the page", text.Text)
	}
	for field, body := range map[string]any{
		"text": fields{"text": ""}, "format": fields{"format": "pdf"}, "external_id": fields{"external_id": "x"},
	} {
		s.admin.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "PATCH", path: "/v1/knowledge/documents/" + id, body: body})
	}
}

// playDocumentList lists documents by what they are.
func playDocumentList(s *suite, id string) {
	ctx, c := s.Context(), s.admin
	owner := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Owner"}))(s)
	own := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "Only one agent knows.", AgentID: owner.ID, ExternalID: "hours.md"}))(s)
	if own.ID == id || own.AgentID != owner.ID {
		s.Errorf("an agent's document with an external id of the company's = %+v, want another one than %s", own, id)
	}
	for name, n := range map[string]struct {
		params api.ListDocumentsParams
		want   []string
	}{
		"all":         {api.ListDocumentsParams{}, []string{own.ID, id}},
		"agent":       {api.ListDocumentsParams{AgentID: &owner.ID}, []string{own.ID}},
		"external_id": {api.ListDocumentsParams{ExternalID: new("hours.md")}, []string{own.ID, id}},
		"no such":     {api.ListDocumentsParams{ExternalID: new("hours")}, nil},
		"kind":        {api.ListDocumentsParams{Kind: new("upload")}, []string{own.ID, id}},
		"other kind":  {api.ListDocumentsParams{Kind: new("qa")}, nil},
	} {
		var got []string
		for _, d := range ok(c.Knowledge.Documents.List(ctx, &n.params))(s).Data {
			if got = append(got, d.ID); d.Text != "" {
				s.Errorf("a list shows the text of %s", d.ID)
			}
		}
		if !slices.Equal(got, n.want) {
			s.Errorf("List by %s = %v, want %v", name, got, n.want)
		}
	}
	if got := c.found("which agent knows", nil); !slices.Contains(got, own.ID) {
		s.Errorf("a search of the whole company finds %v, want also the agent's document", got)
	}
}

// playDelete deletes a document after it was quoted: nothing tells of it any more,
// nor an answer that is given once more.
func playDelete(s *suite, id string) {
	ctx, c := s.Context(), s.admin
	ask := request{method: "POST", path: "/v1/message", header: map[string]string{"Idempotency-Key": "ask-1"}, body: fields{"message": "When do you open?"}}
	reply := c.want(http.StatusOK, ask)
	if reply.at("outcome") != "answer" || !has(reply.body, "eleven") {
		s.Fatalf("a question = %s, want an answer", reply.body)
	}
	put := request{method: "POST", path: "/v1/knowledge/documents", header: map[string]string{"Idempotency-Key": "put-1"}, body: fields{"text": "A secret: eleven."}}
	second := c.want(http.StatusCreated, put)
	stream := request{method: "POST", path: "/v1/message/stream", header: map[string]string{"Idempotency-Key": "stream-1"}, body: ask.body}
	if told := c.want(http.StatusOK, stream); !has(told.body, "eleven") {
		s.Fatalf("a question = %s, want an answer", told.body)
	}

	gone := ok(c.Knowledge.Documents.Delete(ctx, id))(s)
	if gone.ID != id || gone.Kind != "document" || gone.Versions != 3 || gone.Passages == 0 || gone.RepliesErased != 2 || gone.KnowledgeRevision == 0 || len(gone.OutOfReach) == 0 {
		s.Errorf("Delete = %+v, want a receipt for three versions and two replies", gone)
	}
	ok(c.Knowledge.Documents.Delete(ctx, second.at("id").(string)))(s)
	if _, err := c.Knowledge.Documents.Delete(ctx, id); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Delete again = error %v, want %v", err, client.ErrNotFound)
	}
	replyID := reply.at("id").(string)
	for _, r := range []request{
		ask, stream, put, // once more
		{method: "POST", path: "/v1/message", body: ask.body},
		{method: "GET", path: "/v1/messages/" + replyID},
		{method: "GET", path: "/v1/messages/" + replyID + "/events"},
		{method: "GET", path: "/v1/messages/" + replyID + "/events", header: map[string]string{"Accept": "text/event-stream"}},
		{method: "GET", path: "/v1/messages"},
		{method: "GET", path: "/v1/conversations/" + reply.at("conversation_id").(string) + "/messages"},
		{method: "GET", path: "/v1/knowledge/documents"},
		{method: "GET", path: "/v1/knowledge/documents/" + id},
		{method: "POST", path: "/v1/knowledge/search", body: fields{"query": "we open at eleven"}},
	} {
		if a := c.send(r); has(a.body, "eleven") || a.status >= 500 {
			s.Errorf("after the delete %s %s = %d %s", r.method, r.path, a.status, a.body)
		}
	}
	if again := c.want(http.StatusOK, ask); again.header.Get("Idempotent-Replayed") != "true" || again.at("id") != replyID {
		s.Errorf("the question with the same key = %s, want reply %s without its quote", again.body, replyID)
	}
	if refused := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"}))(s); refused.Outcome != "refuse" {
		s.Errorf("the question once more = %+v, want to be refused", refused)
	}
}

// Files of each kind become documents, with their fields before or behind them.
func playFiles(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	owner := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Owner"}))(s)
	for _, n := range []struct {
		file         client.File
		format, text string
	}{
		{client.FileFromBytes("hours.txt", []byte("We open at nine.")), "text", "We open at nine."},
		{client.FileFromBytes("hours.md", []byte("# Hours\n\nWe open at *nine*.")), "markdown", "We open at *nine*."},
		{client.FileFromBytes("hours.html", []byte("<title>Hours</title><p>We open at <b>nine</b>.")), "html", "We open at nine."},
		{client.File{Name: "hours", ContentType: "text/markdown; charset=utf-8", Open: client.FileFromBytes("", []byte("We open at *nine*.")).Open}, "markdown", "We open at *nine*."},
		{client.FileFromReader("hours.txt", strings.NewReader("We open at nine.")), "text", "We open at nine."},
	} {
		receipt := ok(c.Knowledge.Files.Upload(ctx, n.file, &client.FileFields{
			AgentID: owner.ID, ExternalID: n.file.Name, Title: "Hours: " + n.format, URL: "https://example.com/hours", Metadata: fields{"format": n.format},
		}))(s)
		got := ok(c.Knowledge.Documents.Get(ctx, receipt.Document.ID))(s)
		if got.Format != n.format || !strings.Contains(got.Text, n.text) || got.Title != "Hours: "+n.format || got.AgentID != owner.ID ||
			got.ExternalID != n.file.Name || got.URL != "https://example.com/hours" || got.Metadata["format"] != n.format || got.Kind != "upload" {
			s.Errorf("%s became %+v", n.file.Name, got)
		}
	}
	if got := ok(c.Knowledge.Documents.List(ctx, nil))(s); len(got.Data) != 4 {
		s.Errorf("five files, two of one external id, became %d documents, want 4", len(got.Data))
	}

	upload := func(f form) request { return request{method: "POST", path: "/v1/knowledge/files", body: f} }
	file := part{field: "file", file: "late.md", text: "# Late\n\nWe close at ten."}
	about := form{{field: "title", text: "Behind"}, {field: "external_id", text: "late"}, {field: "metadata", text: `{"n": 1}`}}
	var last string
	for i := range len(about) + 1 { // the file comes between any two of them
		a := c.want(http.StatusAccepted, upload(slices.Insert(slices.Clone(about), i, file)))
		if a.at("document", "title") != "Behind" || a.at("document", "external_id") != "late" || a.at("document", "format") != "markdown" || i > 0 && a.at("document", "id") != last {
			s.Errorf("a file in place %d of its form became %s", i, a.body)
		}
		last, _ = a.at("document", "id").(string)
		if a.header.Get("Location") != "/v1/knowledge/documents/"+last {
			s.Errorf("Location = %q, want that of document %s", a.header.Get("Location"), last)
		}
	}
	for field, f := range map[string]form{
		"file":     about,
		"colour":   {file, {field: "colour", text: "red"}},
		"metadata": {file, {field: "metadata", text: "[1]"}},
		"title":    {{field: "title", text: "A"}, file, {field: "title", text: "B"}},
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, upload(f))
	}
	c.wantError(http.StatusUnsupportedMediaType, "unsupported_media_type", "file", upload(form{{field: "file", file: "hours.png", media: "image/png", text: "\x89PNG\r\n"}}))
	c.wantError(http.StatusRequestEntityTooLarge, "request_too_large", "file", upload(form{{field: "file", file: "large.txt", text: strings.Repeat("x", 16<<20+1)}}))
	c.want(http.StatusAccepted, upload(form{{field: "file", file: "empty-field.txt", text: "x"}, {field: "metadata"}}))
}

// Questions with their answers are added one by one and many at once.
func playQAPairs(s *suite) {
	s.begin(nil)
	ctx, c, pairs := s.Context(), s.admin, s.admin.Knowledge.QAPairs
	one := ok(pairs.Create(ctx, api.QAPairsRequest{Question: "Do you ship to Mars?", Alternates: []string{"Is Mars in reach?"}, Answer: "Not before 2040.", Metadata: fields{"planet": "mars"}}))(s).Data[0]
	items := make([]api.QAPairInput, 3)
	for i, planet := range []string{"Venus", "Pluto", "Saturn"} {
		items[i] = api.QAPairInput{Question: "Do you ship to " + planet + "?", Answer: "Yes, to " + planet + ".", ExternalID: planet}
	}
	many := ok(pairs.Create(ctx, api.QAPairsRequest{Items: items}))(s).Data
	for i, p := range many {
		if p.Question != items[i].Question || p.ExternalID != items[i].ExternalID || p.Version != 1 {
			s.Errorf("pair %d = %+v, want %+v", i, p, items[i])
		}
	}
	var resp *http.Response
	read := ok(pairs.Get(ctx, one.ID, client.WithResponse(&resp)))(s)
	etag := resp.Header.Get("ETag")
	if read.Answer != "Not before 2040." || !slices.Equal(read.Alternates, one.Alternates) || read.Metadata["planet"] != "mars" {
		s.Errorf("Get = %+v, want it as it was made", read)
	}
	if _, err := pairs.Get(ctx, one.ID, client.WithIfNoneMatch(etag)); !errors.Is(err, client.ErrNotModified) {
		s.Errorf("Get with the tag it has = error %v, want %v", err, client.ErrNotModified)
	}
	for _, question := range []string{"Do you ship to Mars?", "Is Mars in reach?"} {
		if reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: question}))(s); reply.Text != "Not before 2040." {
			s.Errorf("asked %q: %+v, want the pair's answer", question, reply)
		}
	}
	if got := ok(pairs.List(ctx, nil))(s).Data; len(got) != 4 || got[0].Answer != "" || got[3].ID != one.ID {
		s.Errorf("List = %+v, want four pairs, newest first, without answers", got)
	}
	if got := ok(pairs.List(ctx, &api.ListQAPairsParams{ExternalID: new("Pluto")}))(s).Data; len(got) != 1 || got[0].ID != many[1].ID {
		s.Errorf("List by external id = %+v, want %+v", got, many[1])
	}

	changed := ok(pairs.Update(ctx, one.ID, api.QAPairPatch{Answer: new("From 2041 on."), Alternates: nullable.NewNullNullable[[]string](), Metadata: nullable.NewNullNullable[api.MetadataInput]()}, client.WithIfMatch(etag)))(s)
	if changed.Question != one.Question || len(changed.Alternates) != 0 || len(changed.Metadata) != 0 || changed.Version != 2 {
		s.Errorf("Update = %+v, want another answer and no alternates", changed)
	}
	if _, err := pairs.Update(ctx, one.ID, api.QAPairPatch{Answer: new("Late.")}, client.WithIfMatch(etag)); !errors.Is(err, client.ErrPreconditionFailed) {
		s.Errorf("Update if it matches an old tag = error %v, want %v", err, client.ErrPreconditionFailed)
	}
	asked := ok(pairs.Update(ctx, one.ID, api.QAPairPatch{Question: new("Do you deliver to Mars?")}))(s)
	if reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "Do you deliver to Mars?"}))(s); reply.Text != "From 2041 on." || asked.Question != "Do you deliver to Mars?" {
		s.Errorf("asked in the new words: %+v of %+v", reply, asked)
	}
	if gone := ok(pairs.Delete(ctx, one.ID))(s); gone.ID != one.ID || gone.RepliesErased == 0 {
		s.Errorf("Delete = %+v, want a receipt for %s and the replies that quoted it", gone, one.ID)
	}
	if _, err := pairs.Get(ctx, one.ID); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Get of a deleted pair = error %v, want %v", err, client.ErrNotFound)
	}
	doc := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "No pair."}))(s)
	if _, err := pairs.Get(ctx, doc.ID); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Get of a document that is no pair = error %v, want %v", err, client.ErrNotFound)
	}
	for field, body := range map[string]any{
		"question":        fields{"answer": "Yes."},
		"answer":          fields{"question": "Why?"},
		"items":           fields{"question": "Why?", "answer": "So.", "items": []any{fields{"question": "Why?", "answer": "So."}}},
		"items[1].answer": fields{"items": []any{fields{"question": "Why?", "answer": "So."}, fields{"question": "Why?"}}},
	} {
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/knowledge/qa-pairs", body: body})
	}
	if got := ok(pairs.List(ctx, nil))(s).Data; len(got) != 3 {
		s.Errorf("after requests that were refused there are %d pairs, want 3", len(got))
	}
}
