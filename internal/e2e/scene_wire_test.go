package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// zipped is a body as gzip has it.
func zipped(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // a buffer takes all
	_ = z.Close()
	return b.Bytes()
}

// Bodies go in gzip both ways, and nothing that unpacks to more than it may is
// taken.
func playGzip(s *suite) {
	s.begin(nil)
	c := s.admin
	text := strings.Repeat("We open at nine. ", 200)
	body, err := json.Marshal(fields{"text": text})
	if err != nil {
		s.Fatal(err)
	}
	packed := map[string]string{"Content-Encoding": "gzip"}
	made := c.want(http.StatusCreated, request{method: "POST", path: "/v1/knowledge/documents", header: packed, body: zipped(body)})
	read := c.want(http.StatusOK, request{method: "GET", path: "/v1/knowledge/documents/" + made.at("id").(string), header: map[string]string{"Accept-Encoding": "gzip"}})
	if read.header.Get("Content-Encoding") != "gzip" || !strings.Contains(read.header.Get("Vary"), "Accept-Encoding") || len(read.body) > len(body)/2 {
		s.Errorf("a large answer has the encoding %q and %d bytes, want gzip of %d", read.header.Get("Content-Encoding"), len(read.body), len(body))
	}
	var doc api.Document
	if err := json.Unmarshal(plain(read.header, read.body), &doc); err != nil || doc.Text != text {
		s.Errorf("unpacked it is %+v, %v", doc, err)
	}
	stream := c.want(http.StatusOK, request{method: "POST", path: "/v1/message/stream", header: map[string]string{"Accept-Encoding": "gzip"}, body: fields{"message": "When do you open?"}})
	if stream.header.Get("Content-Encoding") != "" {
		s.Errorf("a stream has the encoding %q, want none", stream.header.Get("Content-Encoding"))
	}
	form, media := encode(form{sampleFile})
	c.want(http.StatusAccepted, request{method: "POST", path: "/v1/knowledge/files", header: map[string]string{"Content-Encoding": "gzip", "Content-Type": media}, body: zipped(form)})

	bomb := zipped(bytes.Repeat([]byte(" "), 40<<20))
	c.wantError(http.StatusRequestEntityTooLarge, "request_too_large", "", request{method: "POST", path: "/v1/knowledge/documents", header: packed, body: bomb})
	c.wantError(http.StatusBadRequest, "invalid_request", "", request{method: "POST", path: "/v1/knowledge/documents", header: packed, body: body})
	c.wantError(http.StatusBadRequest, "invalid_request", "", request{method: "POST", path: "/v1/knowledge/documents", header: packed, body: zipped(body)[:100]})
}

// What is not the JSON that was asked for is told as what it is.
func playJSON(s *suite) {
	s.begin(nil)
	for _, n := range []struct{ body, code, field string }{
		{``, "invalid_json", ""},
		{`{`, "invalid_json", ""},
		{`{"message": "a"} {}`, "invalid_json", ""},
		{`{"message": "a", "message": "b"}`, "invalid_json", "message"},
		{`{"message": "` + "\xff" + `"}`, "invalid_json", ""},
		{`{"message": "a", "metadata": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "invalid_json", ""},
		{`[]`, "invalid_request", "body"},
		{`null`, "invalid_request", "body"},
		{`{}`, "invalid_request", "message"},
		{`{"message": 1}`, "invalid_request", "message"},
		{`{"message": null}`, "invalid_request", "message"},
		{`{"message": ""}`, "invalid_request", "message"},
		{`{"message": "` + strings.Repeat("é", 20<<10) + `"}`, "invalid_request", "message"},
		{`{"Message": "a"}`, "invalid_request", "Message"},
		{`{"message": "a", "user": {"ID": "1"}}`, "invalid_request", "user.ID"},
		{`{"message": "a", "user": {"id": 1}}`, "invalid_request", "user.id"},
	} {
		s.admin.wantError(http.StatusBadRequest, n.code, n.field, request{method: "POST", path: "/v1/message", body: n.body})
	}
	s.admin.want(http.StatusOK, request{method: "POST", path: "/v1/message", header: map[string]string{"Content-Type": "application/json; charset=UTF-8"}, body: `{"message": "a"}`})
	s.admin.wantError(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Type", request{
		method: "POST", path: "/v1/message", header: map[string]string{"Content-Type": "application/json; charset=latin1"}, body: `{"message": "a"}`,
	})
}

// Paths, methods, ids and the headers around them.
func playPaths(s *suite) {
	s.begin(nil)
	c := s.admin
	x := furnish(c, s.desk.ID(), "cuckoo")
	for _, path := range []string{"/", "/v1", "/v1/nothing", "/v2/agents", "/v1/agents/" + x.agent + "/nothing"} {
		c.wantError(http.StatusNotFound, "not_found", "", request{method: "GET", path: path})
	}
	for path, allow := range map[string][]string{"/v1/agents": {"GET", "POST"}, "/v1/message": {"POST"}, "/v1/knowledge/documents/" + x.document: {"GET", "PATCH", "DELETE"}} {
		a := c.wantError(http.StatusMethodNotAllowed, "method_not_allowed", "", request{method: "PUT", path: path})
		for _, method := range allow {
			if !strings.Contains(a.header.Get("Allow"), method) {
				s.Errorf("PUT %s allows %q, want %v", path, a.header.Get("Allow"), allow)
			}
		}
	}

	// An id may be written as a plain UUID, and in capitals.
	_, digits, _ := strings.Cut(x.document, "_")
	for _, id := range []string{plainUUID(digits), strings.ToUpper(plainUUID(digits)), strings.ToUpper(x.document)} {
		if a := c.want(http.StatusOK, request{method: "GET", path: "/v1/knowledge/documents/" + id}); a.at("id") != x.document {
			s.Errorf("GET of %s = %s, want %s", id, a.body, x.document)
		}
	}
	_, digits, _ = strings.Cut(x.agent, "_")
	mine := c.want(http.StatusCreated, request{method: "POST", path: "/v1/knowledge/documents", body: fields{"text": "Mine.", "agent_id": plainUUID(digits)}})
	if mine.at("agent_id") != x.agent {
		s.Errorf("a document of agent %s has the agent %v", x.agent, mine.at("agent_id"))
	}
	for _, id := range []string{x.agent, plainUUID(digits)} {
		if items, _ := c.page("/v1/knowledge/documents", map[string][]string{"agent_id": {id}}); len(items) != 1 || items[0]["id"] != mine.at("id") {
			s.Errorf("the documents of agent %s are %v, want %v", id, items, mine.at("id"))
		}
	}

	for given, want := range map[string]string{"trace-1.A_b": "trace-1.A_b", "with space": "", strings.Repeat("x", 129): "", "": ""} {
		a := c.want(http.StatusOK, request{method: "GET", path: "/v1/agents", header: map[string]string{"X-Request-Id": given}})
		if got := a.header.Get("X-Request-Id"); got != want && (want != "" || !strings.HasPrefix(got, "req_")) {
			s.Errorf("the request %q has the id %q, want %q or a new one", given, got, want)
		}
	}
	a := c.send(request{method: "GET", path: "/v1/agents", header: map[string]string{"Authorization": "", "X-Api-Key": c.secret}})
	if a.status != http.StatusOK {
		s.Errorf("with x-api-key = %d %s, want 200", a.status, a.body)
	}
	a = c.want(http.StatusOK, request{method: "GET", path: "/v1/agents", header: map[string]string{"X-Api-Key": c.secret}})
	if security := a.header.Get("X-Content-Type-Options"); security != "nosniff" {
		s.Errorf("X-Content-Type-Options = %q, want nosniff", security)
	}
}

// plainUUID returns the UUID that the digits of an id stand for.
func plainUUID(digits string) string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	var u uuid.UUID
	for i, digit := range digits { // 26 digits of 5 bits, of which the first has 3
		v := strings.IndexRune(alphabet, digit)
		for bit := range 5 {
			at := i*5 + bit - 2
			if at >= 0 && v>>(4-bit)&1 == 1 {
				u[at/8] |= 0x80 >> (at % 8)
			}
		}
	}
	return u.String()
}

// What is for whoever runs the server takes no key, and tells of no company.
func playOperations(s *suite) {
	s.begin(nil)
	c := s.admin
	furnish(c, s.desk.ID(), "cuckoo")
	get := func(status int, path string) *answer {
		s.Helper()
		return c.want(status, request{method: "GET", path: path, header: map[string]string{"Authorization": ""}})
	}
	if a := get(http.StatusOK, "/healthz"); a.at("status") != "ok" || s.way == network && a.at("version") != "test" {
		s.Errorf("/healthz = %s", a.body)
	}
	if a := get(http.StatusOK, "/readyz"); a.at("status") != "ready" {
		s.Errorf("/readyz = %s", a.body)
	}
	a := get(http.StatusOK, "/metrics")
	for begun := time.Now(); has(a.body, "answerdesk_http_streams_open 1") && time.Since(begun) < time.Minute; { // one was left, which the server has yet to see
		time.Sleep(10 * time.Millisecond)
		a = get(http.StatusOK, "/metrics")
	}
	for _, want := range []string{`answerdesk_http_requests_total{operation="createDocument",status="201"}`, "answerdesk_http_request_duration_seconds_bucket", "answerdesk_http_streams_open 0"} {
		if !has(a.body, want) {
			s.Errorf("/metrics has no %s", want)
		}
	}
	if has(a.body, s.desk.ID()) || has(a.body, "cuckoo") {
		s.Error("/metrics tells of a company")
	}
	if a := get(http.StatusOK, "/openapi.yaml"); !has(a.body, "operationId: createMessage") {
		s.Errorf("/openapi.yaml = %.200s", a.body)
	}
	if a := get(http.StatusOK, "/docs"); !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || len(a.body) == 0 {
		s.Errorf("/docs = %q, %.200s", a.header.Get("Content-Type"), a.body)
	}
	if s.way == inProcess {
		return // a client in the process has a server of its own, which nobody stops
	}
	if err := s.served.Drain(s.Context()); err != nil {
		s.Error(err)
	}
	if a := get(http.StatusServiceUnavailable, "/readyz"); a.at("status") != "draining" {
		s.Errorf("/readyz of a server that stops = %s", a.body)
	}
	if a := c.want(http.StatusServiceUnavailable, request{method: "POST", path: "/v1/message", body: fields{"message": "Hello?"}}); a.code() != "server_draining" || a.header.Get("Retry-After") == "" {
		s.Errorf("a message to a server that stops = %s, want server_draining and when to come again", a.body)
	}
	if ids := ok(c.Agents.List(s.Context(), nil))(s).Data; !slices.ContainsFunc(ids, func(a api.Agent) bool { return a.IsDefault }) {
		s.Errorf("a server that stops lists the agents %v", ids)
	}
}
