package server_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

const revisionHeader = "X-Knowledge-Revision"

// Each operation whose answers tell the revision of the knowledge does so, in each
// of them that is no error, and repeated requests too. No others do.
func TestRevisionIsTold(t *testing.T) {
	h := open(t, nil, nil)
	doc, _ := contract()
	untold := map[string]bool{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for status, response := range op.Responses.Map() {
				if response.Value.Headers[revisionHeader] != nil {
					untold[op.OperationID+" "+status] = true
				}
			}
		}
	}
	do := func(method, path, body string, headers ...string) answer {
		r := request(t, h.key, method, path, body, headers...)
		_, op := operationOf(r)
		a := h.serve(t, r)
		revision, err := h.desk.Knowledge().Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if op.Responses.Status(a.Code).Value.Headers[revisionHeader] != nil {
			delete(untold, op.OperationID+" "+strconv.Itoa(a.Code))
			want = strconv.FormatInt(revision, 10)
		}
		if got := a.Header().Get(revisionHeader); got != want {
			t.Errorf("%s %s = %d with the revision %q, want %q", method, path, a.Code, got, want)
		}
		return a
	}
	made := func(path, body string) (id string) {
		var out struct {
			ID   string
			Data []struct{ ID string }
		}
		do("POST", path, body).read(t, 201, &out)
		if len(out.Data) > 0 {
			return out.Data[0].ID
		}
		return out.ID
	}
	const (
		document = `{"text":"A text.","external_id":"a"}`
		content  = `{"content":"A shirt.","external_id":"b"}`
		form     = "--BOUNDARY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nA text.\r\n--BOUNDARY--\r\n"
	)
	ids := map[string]string{
		"/v1/knowledge/documents/": made("/v1/knowledge/documents", document),
		"/v1/knowledge/qa-pairs/":  made("/v1/knowledge/qa-pairs", `{"question":"a","answer":"b"}`),
		"/v1/content/":             made("/v1/content", content),
	}
	do("POST", "/v1/knowledge/documents", document)
	do("POST", "/v1/content", content)
	do("POST", "/v1/knowledge/files", form, "Content-Type", "multipart/form-data; boundary=BOUNDARY")
	do("POST", "/v1/content/bulk", `{"items":[{"content":"A"},{"content":""}]}`)
	do("POST", "/v1/content/bulk", `{"items":[{"content":"B"}],"dry_run":true}`)
	for range 2 {
		do("POST", "/v1/knowledge/documents", `{"text":"Once."}`, "Idempotency-Key", "k")
	}
	do("PATCH", "/v1/knowledge/documents/"+ids["/v1/knowledge/documents/"], `{"title":"Another"}`)
	do("PATCH", "/v1/knowledge/documents/"+ids["/v1/knowledge/documents/"], `{"text":"Another text."}`)
	do("POST", "/v1/knowledge/documents/"+ids["/v1/knowledge/documents/"]+"/rollback", `{"version":1}`).read(t, 200, nil)
	ids["/v1/knowledge/api-sources/"] = made("/v1/knowledge/api-sources", `{"name":"a","url":"https://shop.example","mapping":{"text":"a"}}`)
	ids["/v1/knowledge/websites/"] = made("/v1/knowledge/websites", `{"url":"https://shop.example"}`)
	do("PATCH", "/v1/knowledge/qa-pairs/"+ids["/v1/knowledge/qa-pairs/"], `{"answer":"c"}`)
	do("PUT", "/v1/content/"+ids["/v1/content/"], `{"content":"A skirt."}`)
	for path, id := range ids {
		do("GET", path+id, "")
		do("DELETE", path+id, "").read(t, 200, nil)
		do("DELETE", path+id, "").is(t, 404, "not_found")
	}
	do("DELETE", "/v1/agents/"+made("/v1/agents", `{"name":"New"}`), "").read(t, 200, nil)
	do("POST", "/v1/knowledge/search", `{"query":"open"}`)
	do("POST", "/v1/knowledge/documents", `{"text":""}`).is(t, 400, "invalid_request")
	if len(untold) > 0 {
		t.Errorf("nothing was told by %v", untold)
	}
}

// What is written in one process is in the next answer of another one, over either
// transport, if the request asks for the revision that the write told.
func TestMinRevision(t *testing.T) {
	dir := t.TempDir()
	open := func(o *answerdesk.Options) *answerdesk.Desk {
		d, err := answerdesk.Open(t.Context(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		return d
	}
	here := open(nil)
	p := access.Principal{ID: "ada", Company: here.ID(), Scope: access.ScopeFull, Plan: access.PlanUnlimited}
	authenticate := func(*http.Request) (access.Principal, error) { return p, nil }
	for name, transport := range map[string]func(*answerdesk.Desk) *client.Client{
		"in the process": func(d *answerdesk.Desk) *client.Client { return server.Client(d, p) },
		"over the network": func(d *answerdesk.Desk) *client.Client {
			s := httptest.NewServer(server.New(d, &server.Options{Authenticate: authenticate}))
			t.Cleanup(s.Close)
			c, err := client.New(s.URL, client.WithAPIKey("key"))
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			writer, reader := transport(here), transport(open(&answerdesk.Options{Staleness: time.Minute}))
			search := api.SearchRequest{Query: "open"}
			before, err := reader.Knowledge.Search(t.Context(), search)
			if err != nil {
				t.Fatal(err)
			}
			var resp *http.Response
			if _, err := writer.Knowledge.Documents.Create(t.Context(), api.DocumentRequest{Text: hours.Text}, client.WithResponse(&resp)); err != nil {
				t.Fatal(err)
			}
			written, ok := client.ReadKnowledgeRevision(resp.Header)
			if !ok || written <= before.KnowledgeRevision {
				t.Fatalf("the write tells revision %d, %v, want one after %d", written, ok, before.KnowledgeRevision)
			}
			if found, err := reader.Knowledge.Search(t.Context(), search); err != nil || len(found.Data) != len(before.Data) {
				t.Fatalf("Search = %d hits, %v, want the %d as they were", len(found.Data), err, len(before.Data))
			}

			message := api.MessageRequest{Message: "When do you open?", MinRevision: written}
			reply, err := reader.Messages.Create(t.Context(), message)
			if err != nil || reply.Outcome != "answer" || reply.KnowledgeRevision < written {
				t.Errorf("Create from revision %d = %+v, %v, want an answer", written, reply, err)
			}
			search.MinRevision = written
			if found, err := reader.Knowledge.Search(t.Context(), search); err != nil || len(found.Data) != len(before.Data)+1 || found.KnowledgeRevision < written {
				t.Errorf("Search from revision %d = %+v, %v, want the document", written, found, err)
			}
		})
	}
}

// A revision that is not reached is refused as a wrong field, before a message is
// stored or a stream begun.
func TestMinRevisionNotReached(t *testing.T) {
	h := open(t, nil, nil)
	for _, path := range []string{"/v1/message", "/v1/message/stream", "/v1/knowledge/search"} {
		for _, least := range []string{"-1", "2", "1.5", `"1"`, "9223372036854775808"} {
			words := "message"
			if strings.HasSuffix(path, "search") {
				words = "query"
			}
			p := h.do(t, "POST", path, fmt.Sprintf(`{"%s":"When do you open?","min_revision":%s}`, words, least)).is(t, 400, "invalid_request")
			if p.Details["field"] != "min_revision" {
				t.Errorf("%s from revision %s is refused for the field %v (%s)", path, least, p.Details["field"], p.Message)
			}
			if least == "2" && !(strings.Contains(p.Message, "2") && strings.Contains(p.Message, "1")) {
				t.Errorf("%s from revision 2 of 1 is refused with %q, want both numbers", path, p.Message)
			}
		}
	}
	l, err := h.desk.Conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
	if err != nil || len(l.Data) != 0 {
		t.Errorf("there are %d conversations, %v, want none: nothing was asked", len(l.Data), err)
	}
	h.do(t, "POST", "/v1/message", `{"message":"When do you open?","min_revision":0}`).read(t, 200, nil)
}

// A restless store changes agents and documents between reading and writing them.
type restless struct {
	*sqlite.Store
	changes *atomic.Uint32
}

func (s restless) UpdateAgent(context.Context, store.Commit, agent.Agent) (agent.Agent, error) {
	return agent.Agent{}, store.ErrConflict
}

func (s restless) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	if len(writes) > 0 && !writes[0].IfUpdated.IsZero() {
		there, err := s.Document(ctx, c.Company, writes[0].ID)
		if err != nil {
			return knowledge.Written{}, err
		}
		w := knowledge.Write{Document: there, KeepText: true}
		w.URL = fmt.Sprint("https://example.com/", s.changes.Add(1))
		w.UpdatedAt = time.Now().UTC()
		w.Hash = sha256.Sum256([]byte(w.URL))
		if _, err := s.Store.WriteDocuments(ctx, store.Commit{Company: c.Company}, []knowledge.Write{w}); err != nil {
			return knowledge.Written{}, err
		}
	}
	return s.Store.WriteDocuments(ctx, c, writes)
}

// Who does not ask for a state that has gone is not told that it has: that others
// are in the way again and again is a conflict.
func TestOthersInTheWay(t *testing.T) {
	st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	d, err := answerdesk.New(t.Context(), restless{st, new(atomic.Uint32)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Server: server.New(d, nil), desk: d, key: newKey(t, d, d.ID(), access.NewKey{Name: "test", Scope: access.ScopeFull, Plan: access.PlanUnlimited})}
	settings := "/v1/agents/" + h.agent(t) + "/settings"
	tag := h.do(t, "GET", settings, "").Header().Get("ETag")
	h.do(t, "PUT", settings, `{"name":"Other"}`).is(t, 409, "conflict")
	h.do(t, "PUT", settings, `{"name":"Other"}`, "If-Match", "*").is(t, 409, "conflict")
	h.do(t, "PUT", settings, `{"name":"Other"}`, "If-Match", tag).is(t, 412, "precondition_failed")

	var made struct{ Data []struct{ ID string } }
	h.do(t, "POST", "/v1/knowledge/qa-pairs", `{"question":"When?","answer":"At nine."}`).read(t, 201, &made)
	pair := "/v1/knowledge/qa-pairs/" + made.Data[0].ID
	tag = h.do(t, "GET", pair, "").Header().Get("ETag")
	for _, body := range []string{`{"question":"At what time?"}`, `{"metadata":{"a":1}}`} {
		h.do(t, "PATCH", pair, body).is(t, 409, "conflict")
		h.do(t, "PATCH", pair, body, "If-Match", "*").is(t, 409, "conflict")
	}
	h.do(t, "PATCH", pair, `{"question":"At what time?"}`, "If-Match", tag).is(t, 412, "precondition_failed")
}
