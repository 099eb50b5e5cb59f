package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/internal/id"
)

// things are ids of what a company has, one of each kind.
type things struct {
	company, key        string
	agent               string // not the default one
	user                string // the caller's own id
	conversation, reply string
	call                string // of a tool, which was answered
	attachment          string // that no message names
	document, external  string // the document's external id
	qa, content         string
	source              string // an API
	website, run        string // the run is the crawl of the website that waits
	etag                string // of the document
	cursor              string // of the list of documents
	idempotency         string // the key with which the content was made
}

// furnish gives a company one of each kind. All texts have the word.
func furnish(c *caller, company, word string) *things {
	s := c.s
	s.Helper()
	x := &things{company: company, user: "user-" + word, external: "external-" + word, idempotency: "request-" + word}
	x.agent = ok(c.Agents.Create(s.Context(), api.AgentRequest{Name: "Agent " + word}))(s).ID
	for range 2 { // so that there is a second page
		ok(c.Knowledge.Documents.Create(s.Context(), api.DocumentRequest{Text: "The " + word + " is kept in the cellar, said somebody."}))(s)
	}
	created := c.want(http.StatusCreated, request{method: "POST", path: "/v1/knowledge/documents", body: map[string]any{
		"title": "About the " + word, "text": "The " + word + " opens at nine.", "external_id": x.external, "metadata": map[string]any{"about": word},
	}})
	x.document, x.etag = created.at("id").(string), created.header.Get("ETag")
	ok(c.Knowledge.Documents.Update(s.Context(), x.document, api.DocumentPatch{Text: new("The " + word + " opens at nine o'clock.")}))(s)
	x.etag = c.want(http.StatusOK, request{method: "GET", path: "/v1/knowledge/documents/" + x.document}).header.Get("ETag")
	site := ok(c.Knowledge.Websites.Create(s.Context(), api.WebsiteRequest{URL: "https://" + word + ".example"}))(s)
	x.website, x.run = site.ID, site.RunID
	x.source = ok(c.Knowledge.APISources.Create(s.Context(), api.APISourceRequest{
		Name: "API of the " + word, URL: "https://api." + word + ".example", Mapping: api.APISourceMappingInput{Text: "body"},
	}))(s).ID
	ok(c.Training.Start(s.Context(), api.TrainRequest{}))(s)
	x.qa = ok(c.Knowledge.QAPairs.Create(s.Context(), api.QAPairsRequest{Question: "Where is the " + word + "?", Answer: "The " + word + " is upstairs."}))(s).Data[0].ID
	x.content = c.want(http.StatusCreated, request{method: "POST", path: "/v1/content", header: map[string]string{"Idempotency-Key": x.idempotency}, body: map[string]any{
		"content": "The " + word + " weighs a ton.", "metadata": map[string]any{"title": "Weight of the " + word},
	}}).at("id").(string)
	reply := ok(c.Messages.Create(s.Context(), api.MessageRequest{Message: "When does the " + word + " open?", User: api.UserInput{ID: x.user, Name: "Mr " + word}}))(s)
	if reply.Outcome != "answer" {
		s.Fatalf("asked about the %s: %+v, want an answer", word, reply)
	}
	x.conversation, x.reply = reply.ConversationID, reply.ID
	calling := ok(c.Agents.Create(s.Context(), api.AgentRequest{Name: "Caller of the " + word}))(s).ID
	s.declare(company, calling, "where_"+word, "")
	_, call := c.asksTool(calling)
	x.call = call.ID
	ok(c.Messages.AnswerTool(s.Context(), x.call, api.ToolResultRequest{Result: json.RawMessage(`"in the cellar"`)}))(s)
	x.attachment = ok(c.Attachments.Upload(s.Context(), client.FileFromBytes(word+".txt", []byte("Drawn by a "+word+"."))))(s).ID
	x.cursor = ok(c.Knowledge.Documents.List(s.Context(), &api.ListDocumentsParams{Limit: new(int32(1))}))(s).NextCursor
	key, _, err := s.desk.Company(company).Keys().Create(s.Context(), access.NewKey{Name: "Key " + word, Scope: access.ScopeRead})
	if err != nil {
		s.Fatal(err)
	}
	x.key = key.ID
	return x
}

// never returns ids of the same form, of things that never existed.
func never() *things {
	word := strings.TrimPrefix(id.New(id.Request), "req_")
	return &things{
		company: id.New(id.Company), key: id.New(id.Key), agent: id.New(id.Agent), user: "user-" + word, conversation: id.New(id.Conversation),
		reply: id.New(id.Message), call: id.New(id.Call), attachment: id.New(id.Attachment), document: id.New(id.Document), external: "external-" + word, qa: id.New(id.Document), content: id.New(id.Document),
		source: id.New(id.Source), website: id.New(id.Source), run: id.New(id.Run), etag: `"` + word[:10] + `"`, cursor: word, idempotency: "request-" + word,
	}
}

// all returns every id of the things.
func (x *things) all() []string {
	return []string{x.company, x.key, x.agent, x.user, x.conversation, x.reply, x.call, x.attachment, x.document, x.external, x.qa, x.content, x.source, x.website, x.run, x.cursor}
}

// A sample is a well-formed request of an operation.
type sample struct {
	id    func(*things) string // what the path names; nil if it names nothing
	body  map[string]any       // nil if there is none; the fields of a form but for its file
	other map[string]any       // fields that make it another request
	made  string               // the list that shows what the request makes; empty if it makes nothing
}

func ofReply(x *things) string        { return x.reply }
func ofCall(x *things) string         { return x.call }
func ofConversation(x *things) string { return x.conversation }
func ofAgent(x *things) string        { return x.agent }
func ofDocument(x *things) string     { return x.document }
func ofQA(x *things) string           { return x.qa }
func ofContent(x *things) string      { return x.content }
func ofWebsite(x *things) string      { return x.website }
func ofUser(x *things) string         { return x.user }
func ofSource(x *things) string       { return x.source }
func ofRun(x *things) string          { return x.run }
func ofKey(x *things) string          { return x.key }

// fields is the body of a request.
type fields = map[string]any

// samples has one for each operation that takes a key.
var samples = map[string]sample{
	"createMessage":             {body: fields{"message": "What is a zebra?"}, other: fields{"message": "What is a yak?"}, made: "/v1/messages"},
	"streamMessage":             {body: fields{"message": "What is a zebra?"}, other: fields{"message": "What is a yak?"}, made: "/v1/messages"},
	"listMessages":              {},
	"getMessage":                {id: ofReply},
	"getExplanation":            {id: ofReply},
	"listMessageEvents":         {id: ofReply},
	"cancelMessage":             {id: ofReply},
	"giveFeedback":              {id: ofReply, body: fields{"rating": "up"}},
	"approveToolCall":           {id: ofCall},
	"rejectToolCall":            {id: ofCall},
	"answerToolCall":            {id: ofCall, body: fields{"result": "in the cellar"}},
	"listConversations":         {},
	"getConversation":           {id: ofConversation},
	"deleteConversation":        {id: ofConversation},
	"listConversationMessages":  {id: ofConversation},
	"listAgents":                {},
	"createAgent":               {body: fields{"name": "Zoe"}, other: fields{"name": "Yves"}, made: "/v1/agents"},
	"getAgent":                  {id: ofAgent},
	"deleteAgent":               {id: ofAgent},
	"getAgentSettings":          {id: ofAgent},
	"listAgentSettingsVersions": {id: ofAgent},
	"updateAgentSettings":       {id: ofAgent, body: fields{"industry": "Zoos"}},
	"createDocument":            {body: fields{"text": "A zebra has stripes."}, other: fields{"text": "A yak has hair."}, made: "/v1/knowledge/documents"},
	"listDocuments":             {},
	"getDocument":               {id: ofDocument},
	"updateDocument":            {id: ofDocument, body: fields{"title": "Zebras"}},
	"deleteDocument":            {id: ofDocument},
	"uploadAttachment":          {body: fields{}},
	"uploadFile":                {body: fields{"title": "Zebras"}, other: fields{"title": "Yaks"}, made: "/v1/knowledge/documents"},
	"listDocumentVersions":      {id: ofDocument},
	"rollbackDocument":          {id: ofDocument, body: fields{"version": 1}, other: fields{"version": 2}, made: "/v1/audit-log"},
	"listDocumentReplies":       {id: ofDocument},
	"getUser":                   {id: ofUser},
	"deleteUser":                {id: ofUser},
	"exportUser":                {id: ofUser},
	"createWebsite":             {body: fields{"url": "https://zoo.example"}, other: fields{"url": "https://farm.example"}, made: "/v1/knowledge/websites"},
	"listWebsites":              {},
	"getWebsite":                {id: ofWebsite},
	"updateWebsite":             {id: ofWebsite, body: fields{"schedule": "daily"}},
	"deleteWebsite":             {id: ofWebsite},
	"listWebsitePages":          {id: ofWebsite},
	"crawlWebsite":              {id: ofWebsite, body: fields{"force": true}, other: fields{"force": false}, made: "/v1/audit-log"},
	"createAPISource": {
		body:  fields{"name": "Zoo", "url": "https://api.zoo.example", "mapping": fields{"text": "body"}},
		other: fields{"name": "Farm"}, made: "/v1/knowledge/api-sources",
	},
	"listAPISources":    {},
	"getAPISource":      {id: ofSource},
	"updateAPISource":   {id: ofSource, body: fields{"schedule": "daily"}},
	"deleteAPISource":   {id: ofSource},
	"syncAPISource":     {id: ofSource, body: fields{"force": true}, other: fields{"force": false}, made: "/v1/audit-log"},
	"previewAPISource":  {body: fields{"url": "http://10.255.255.1:8080/"}},
	"startTraining":     {body: fields{"force": true}, other: fields{"force": false}, made: "/v1/audit-log"},
	"getTrainingStatus": {},
	"cancelTraining":    {},
	"listRuns":          {},
	"getRun":            {id: ofRun},
	"listRunEvents":     {id: ofRun},
	"cancelRun":         {id: ofRun},
	"createQAPairs":     {body: fields{"question": "Has a zebra stripes?", "answer": "It has."}, other: fields{"answer": "It has not."}, made: "/v1/knowledge/qa-pairs"},
	"listQAPairs":       {},
	"getQAPair":         {id: ofQA},
	"updateQAPair":      {id: ofQA, body: fields{"answer": "In the zoo."}},
	"deleteQAPair":      {id: ofQA},
	"searchKnowledge":   {body: fields{"query": "zebra"}},
	"createContent":     {body: fields{"content": "A zebra has stripes."}, other: fields{"content": "A yak has hair."}, made: "/v1/content"},
	"listContent":       {},
	"getContent":        {id: ofContent},
	"updateContent":     {id: ofContent, body: fields{"metadata": fields{"title": "Zebras"}}},
	"deleteContent":     {id: ofContent},
	"createContentBulk": {
		body:  fields{"items": []any{fields{"content": "A zebra has stripes."}, fields{"content": "A yak has hair."}}},
		other: fields{"atomic": true}, made: "/v1/content",
	},
	"listAPIKeys":   {},
	"createAPIKey":  {body: fields{"name": "Zoo", "scope": "read"}, other: fields{"scope": "write"}, made: "/v1/api-keys"},
	"deleteAPIKey":  {id: ofKey},
	"rotateAPIKey":  {id: ofKey, body: fields{"overlap_seconds": 60}, other: fields{"overlap_seconds": 61}, made: "/v1/api-keys"},
	"listCompanies": {},
	"createCompany": {body: fields{"name": "Zoo"}, other: fields{"name": "Farm"}, made: "/v1/companies"},
	"listAuditLog":  {},
}

// sampleFile is what a sample uploads.
var sampleFile = part{field: "file", file: "zebra.md", media: "text/markdown", text: "# Zebras\n\nA zebra has stripes.\n"}

// request is the sample's request about some things.
func (o operation) request(x *things) request {
	sm := samples[o.id]
	r := request{method: o.method, path: o.path, header: map[string]string{}}
	if sm.id != nil {
		r.path = o.named(sm.id(x))
	}
	if sm.body != nil {
		r = o.with(r, maps.Clone(sm.body))
	}
	return r
}

// named is the path of an operation on the thing of an id.
func (o operation) named(id string) string {
	return strings.Replace(o.path, "{id}", url.PathEscape(id), 1)
}

// with returns a request with another body.
func (o operation) with(r request, body fields) request {
	r.body = body
	if o.media() != "multipart/form-data" {
		return r
	}
	f := form{}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		f = append(f, part{field: name, text: body[name].(string)})
	}
	r.body = append(f, sampleFile)
	return r
}

// otherRequest is another request of the same operation.
func (o operation) otherRequest(x *things) request {
	body := maps.Clone(samples[o.id].body)
	maps.Copy(body, samples[o.id].other)
	return o.with(o.request(x), body)
}
