package client

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// operations are all of them.
var operations = []*operation{
	createMessage, streamMessage, listMessages, getMessage, getExplanation, listMessageEvents, cancelMessage, giveFeedback, approveToolCall, rejectToolCall, answerToolCall,
	listConversations, getConversation, deleteConversation, listConversationMessages,
	listAgents, createAgent, getAgent, deleteAgent, getAgentSettings, updateAgentSettings, listAgentSettingsVersions,
	createDocument, listDocuments, getDocument, updateDocument, deleteDocument, uploadFile, uploadAttachment,
	createQAPairs, listQAPairs, getQAPair, updateQAPair, deleteQAPair, searchKnowledge,
	listDocumentVersions, rollbackDocument, listDocumentReplies, getUser, deleteUser, exportUser,
	createWebsite, listWebsites, getWebsite, updateWebsite, deleteWebsite, listWebsitePages, crawlWebsite,
	createAPISource, listAPISources, getAPISource, updateAPISource, deleteAPISource, syncAPISource, previewAPISource,
	startTraining, getTrainingStatus, cancelTraining, listRuns, getRun, listRunEvents, cancelRun,
	createContent, listContent, getContent, updateContent, deleteContent, createContentBulk,
	listAPIKeys, createAPIKey, deleteAPIKey, rotateAPIKey, listCompanies, createCompany, listAuditLog,
}

// contract reads openapi.yaml.
func contract(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestContract compares the table of operations with the contract.
func TestContract(t *testing.T) {
	doc := contract(t)
	if Version != doc.Info.Version {
		t.Errorf("Version = %q, and that of openapi.yaml is %q", Version, doc.Info.Version)
	}
	table := map[string]*operation{}
	for _, op := range operations {
		if table[op.id] != nil {
			t.Errorf("%s is there twice", op.id)
		}
		table[op.id] = op
	}
	for path, item := range doc.Paths.Map() {
		for method, want := range item.Operations() {
			if slices.Contains(want.Tags, "Operations") {
				continue // for whoever runs the server
			}
			op := table[want.OperationID]
			delete(table, want.OperationID)
			if op == nil {
				t.Errorf("%s %s: the client has no operation %s", method, path, want.OperationID)
				continue
			}
			if op.method != method || op.path != path {
				t.Errorf("%s is %s %s, want %s %s", op.id, op.method, op.path, method, path)
			}
			has := func(header string) bool {
				return slices.ContainsFunc(want.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.In == "header" && p.Value.Name == header })
			}
			if got := op.repeat == keyed; got != has("Idempotency-Key") {
				t.Errorf("%s: keyed is %v, and that it has the parameter Idempotency-Key %v", op.id, got, !got)
			}
			if op.ifMatch != has("If-Match") || op.ifNoneMatch != has("If-None-Match") {
				t.Errorf("%s: ifMatch is %v and ifNoneMatch %v, want the opposite of one", op.id, op.ifMatch, op.ifNoneMatch)
			}
			streams := has("Last-Event-ID")
			for _, r := range want.Responses.Map() {
				streams = streams || r.Value.Content["text/event-stream"] != nil
			}
			if op.stream != streams {
				t.Errorf("%s: stream is %v, want %v", op.id, op.stream, streams)
			}
			if read := want.Extensions["x-scope"] == "read" || method == http.MethodGet; read != (op.repeat == reads) {
				t.Errorf("%s: that it may be repeated since %q does not fit its scope, %v", op.id, op.repeat, want.Extensions["x-scope"])
			}
		}
	}
	for id := range table {
		t.Errorf("the contract has no operation %s", id)
	}
}

// repeatable are the operations that change something, may be repeated and
// carry no key: to do them twice must leave what doing them once leaves. Whoever
// adds one says why here.
var repeatable = map[string]string{
	"cancelMessage":       "a reply that has ended stays as it is",
	"giveFeedback":        "it replaces what was said before",
	"approveToolCall":     "a call that was approved stays as it is",
	"rejectToolCall":      "as above",
	"answerToolCall":      "a call that has the same result stays as it is",
	"deleteConversation":  "what is gone stays gone; the answer is a 404",
	"deleteAgent":         "as above",
	"deleteDocument":      "as above",
	"deleteQAPair":        "as above",
	"deleteContent":       "as above",
	"deleteAPIKey":        "as above",
	"deleteWebsite":       "as above",
	"deleteUser":          "as above",
	"deleteAPISource":     "as above",
	"previewAPISource":    "it writes nothing",
	"cancelRun":           "a run that has ended stays as it is",
	"cancelTraining":      "as above, if the run is named; else it stops one more that was asked for since, which stopping means",
	"updateAgentSettings": "a merge patch sets what it says",
	"updateDocument":      "as above",
	"updateQAPair":        "as above",
	"updateContent":       "as above",
	"updateWebsite":       "as above",
	"updateAPISource":     "as above",
}

func TestRepeatable(t *testing.T) {
	for _, op := range operations {
		if _, ok := repeatable[op.id]; ok != (op.repeat == again) {
			t.Errorf("%s is repeated since %q, and the list of those that need no key has it: %v", op.id, op.repeat, ok)
		}
	}
}

// TestMethods calls every method of every service, and expects each operation to
// be requested by one of them, as the contract has it.
func TestMethods(t *testing.T) {
	var seen []string
	c, err := New("https://desk.example.com/base", WithMaxRetries(0), WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		k := r.Context().Value(callKey{}).(*call)
		seen = append(seen, k.op.id)
		if want := "/base" + strings.ReplaceAll(k.op.path, "{id}", "x"); r.URL.Path != want || r.Method != k.op.method {
			t.Errorf("%s requests %s %s, want %s %s", k.op.id, r.Method, r.URL.Path, k.op.method, want)
		}
		if r.Body != nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}"))}, nil
	})}))
	if err != nil {
		t.Fatal(err)
	}
	methods := 0
	for _, service := range []any{
		c.Messages, c.Conversations, c.Agents, c.Knowledge, c.Knowledge.Documents, c.Knowledge.Files, c.Knowledge.QAPairs,
		c.Knowledge.Websites, c.Knowledge.APISources, c.Runs, c.Training, c.Users, c.Content, c.APIKeys, c.Companies, c.AuditLog, c.Attachments,
	} {
		v := reflect.ValueOf(service)
		for i := range v.NumMethod() {
			name := v.Type().String() + "." + v.Type().Method(i).Name
			before := len(seen)
			callMethod(t, v.Method(i))
			if methods++; len(seen) != before+1 {
				t.Errorf("%s made %d requests, want 1", name, len(seen)-before)
			}
		}
	}
	for _, op := range operations {
		if !slices.Contains(seen, op.id) {
			t.Errorf("no method requests %s", op.id)
		}
	}
	if methods < len(operations) {
		t.Errorf("%d methods for %d operations", methods, len(operations))
	}
}

// callMethod calls a method with ids of "x" and zero values, and reads what it
// yields.
func callMethod(t *testing.T, m reflect.Value) {
	t.Helper()
	var args []reflect.Value
	for i := range m.Type().NumIn() - 1 { // without opts
		switch in := m.Type().In(i); in {
		case reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(t.Context()))
		case reflect.TypeFor[string]():
			args = append(args, reflect.ValueOf("x"))
		case reflect.TypeFor[File]():
			args = append(args, reflect.ValueOf(FileFromBytes("x.txt", nil)))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	out := m.Call(args)
	if !m.Type().IsVariadic() || m.Type().In(m.Type().NumIn()-1) != reflect.TypeFor[[]Option]() {
		t.Errorf("%v does not end in opts ...Option", m.Type())
	}
	if out[0].Kind() == reflect.Func {
		for range out[0].Seq2() {
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
