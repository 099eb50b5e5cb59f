package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// A company that names what is another's, anywhere in a request, gets what it gets
// for what never existed: no list, search, answer, error or count tells the two
// apart, and nothing of the other company is changed.
func TestCompaniesCannotSeeEachOther(t *testing.T) {
	for _, w := range []way{inProcess, network} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			s := &suite{T: t, way: w, contract: newContract(t)}
			s.begin(nil)
			tenants(s)
		})
	}
}

func tenants(s *suite) {
	ours, theirs := s.tenant("Bison"), s.tenant("Aardvark")
	b := furnish(ours.caller, ours.company, "bison")
	alone := glance(ours)
	a := furnish(theirs.caller, theirs.company, "aardvark")
	if beside := glance(ours); beside != alone {
		s.Errorf("beside another company it sees\n%s\nand alone\n%s", beside, alone)
	}
	ours.each = func(x *exchanged) { wantNothing(s, x, append(a.all(), "aardvark", "Aardvark")) }
	for _, o := range s.contract.operations {
		if _, there := samples[o.id]; !there && o.scope != "" {
			s.Errorf("%s has no sample: add one", o.id)
			continue
		}
		ours.send(o.request(ownKey(ours, b))) // what it sees is looked at by each
		for _, p := range o.places() {
			compare(ours, theirs, o, p, b, a)
		}
	}
	for _, body := range []fields{
		{"query": "aardvark"}, {"query": "opens at nine", "filter": fields{"about": "aardvark"}}, {"query": "opens at nine", "filter": fields{"about": []string{"aardvark", "yak"}}},
	} {
		found := ours.want(http.StatusOK, request{method: "POST", path: "/v1/knowledge/search", body: body})
		if n := len(found.at("data").([]any)); n != 0 {
			s.Errorf("a search for %v finds %s", body, found.body)
		}
	}
	before := snapshot(theirs, a)
	for _, o := range s.contract.keyed() {
		ours.send(o.request(a)) // without asking what it gets
	}
	if after := snapshot(theirs, a); after != before {
		s.Errorf("the other company has\n%s\nand had\n%s", after, before)
	}
	if r := ok(ours.Messages.Create(s.Context(), api.MessageRequest{Message: "When does the aardvark open?"}))(s); r.Outcome != "refuse" {
		s.Errorf("asked about the other company: %+v, want to be refused", r)
	}
}

// A tenant is a caller with a full key of a company of their own.
type tenant struct {
	*caller
	company string
}

func (s *suite) tenant(name string) *tenant {
	s.Helper()
	company, err := s.desk.Companies().Create(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	return &tenant{s.callerOf(company.ID, access.ScopeFull), company.ID}
}

// glance is what a company sees of its knowledge: hits with their scores, a reply
// with its confidence.
func glance(c *tenant) string {
	search := c.want(http.StatusOK, request{method: "POST", path: "/v1/knowledge/search", body: fields{"query": "what opens at nine in the cellar"}})
	reply := c.want(http.StatusOK, request{method: "POST", path: "/v1/message", body: fields{"message": "When does the bison open?"}})
	return masked(search.body, "") + masked(reply.body, "")
}

// snapshot is all that a company can read.
func snapshot(c *tenant, x *things) string {
	var b strings.Builder
	for _, o := range c.s.contract.keyed() {
		if o.method != http.MethodGet || strings.HasPrefix(o.path, "/v1/companies") {
			continue
		}
		r := o.request(x)
		if o.takes("limit") {
			r.path += "?limit=100"
		}
		a := c.want(http.StatusOK, r)
		fmt.Fprintf(&b, "%s %s\n", o.id, used.ReplaceAll(a.body, nil))
	}
	return b.String()
}

// used is what changes when a key is used.
var used = regexp.MustCompile(`"last_used_at":"[^"]*",?|"request_id":"[^"]*",?`)

// ownKey returns the things with a new API key of the company.
func ownKey(c *tenant, x *things) *things {
	c.s.Helper()
	k, _, err := c.s.desk.Company(c.company).Keys().Create(c.s.Context(), access.NewKey{Name: "Spare", Scope: access.ScopeRead})
	if err != nil {
		c.s.Fatal(err)
	}
	fresh := *x
	fresh.key = k.ID
	return &fresh
}

// wantNothing checks that an answer holds nothing of another company but what the
// request itself named.
func wantNothing(s *suite, x *exchanged, theirs []string) {
	sent, err := io.ReadAll(x.request.Body)
	if err != nil {
		s.Error(err)
	}
	named := x.request.URL.RequestURI() + string(sent) + fmt.Sprint(x.request.Header)
	got := string(x.body) + fmt.Sprint(x.header)
	for _, thing := range theirs {
		if strings.Contains(got, thing) && !strings.Contains(named, thing) && !strings.Contains(named, plainOf(thing)) {
			s.Errorf("%s %s = %d %s, which tells of %s", x.request.Method, x.request.URL, x.status, x.body, thing)
		}
	}
}

// A place is where a request can name a thing.
type place struct {
	in   string   // "path", "query", "header" or "body"
	path []string // in a body, the names on the way to it; "0" is the first of a list
}

func (p place) name() string { return p.path[len(p.path)-1] }

// places are all where an operation takes an id, or what else names a thing.
func (o operation) places() (out []place) {
	for _, ref := range o.of.Parameters {
		p := ref.Value
		_, names := meanings[p.Name]
		if names || p.Name == "id" || strings.HasSuffix(p.Name, "_id") {
			out = append(out, place{p.In, []string{p.Name}})
		}
	}
	if o.media() != "" {
		out = append(out, placesIn(nil, o.body())...)
	}
	return out
}

func placesIn(path []string, schema *openapi3.Schema) (out []place) {
	if schema.Items != nil && schema.Items.Value != nil {
		return placesIn(append(slices.Clone(path), "0"), schema.Items.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		at := append(slices.Clone(path), name)
		if slices.Equal(at, []string{"mapping", "id"}) {
			continue // which says where in an item its id is
		}
		if name == "id" || strings.HasSuffix(name, "_id") {
			out = append(out, place{"body", at})
			continue
		}
		out = append(out, placesIn(at, schema.Properties[name].Value)...)
	}
	return out
}

// meanings say what is named at a place, by its name. In a path it is the thing
// that the operation is about; in a user it is theirs.
var meanings = map[string]func(*things) string{
	"agent_id": ofAgent, "conversation_id": ofConversation, "source_id": ofWebsite, "run_id": ofRun, "parent_id": ofRun,
	"company_id":      func(x *things) string { return x.company },
	"user_id":         func(x *things) string { return x.user },
	"user.id":         func(x *things) string { return x.user },
	"external_id":     func(x *things) string { return x.external },
	"0.id":            func(x *things) string { return x.attachment }, // of the attachments of a message
	"cursor":          func(x *things) string { return x.cursor },
	"If-Match":        func(x *things) string { return x.etag },
	"If-None-Match":   func(x *things) string { return x.etag },
	"Idempotency-Key": func(x *things) string { return x.idempotency },
}

// compare sends a request that names at a place what is another company's, and one
// that names what never existed.
func compare(ours, theirs *tenant, o operation, p place, b, a *things) {
	s := ours.s
	s.Helper()
	meaning := meanings[p.name()]
	switch {
	case p.in == "path":
		meaning = samples[o.id].id
	case p.name() == "id" && len(p.path) > 1:
		meaning = meanings[strings.Join(p.path[len(p.path)-2:], ".")]
	}
	if meaning == nil {
		s.Errorf("%s takes %s in its %s, and it is not said what that names: add it to the meanings", o.id, p.name(), p.in)
		return
	}
	shared, operator := *a, strings.HasPrefix(o.path, "/v1/companies")
	at := o.id + " " + strings.Join(p.path, ".")
	switch p.name() {
	case "cursor":
		if !operator {
			if _, next := theirs.page(o.request(a).path, url.Values{"limit": {"1"}}); next != "" {
				shared.cursor = next
			}
		}
	case "external_id": // names are each company's own: this one only they have
		shared.external = "name for " + at
		ok(theirs.Knowledge.Documents.Create(s.Context(), api.DocumentRequest{Text: "Beside.", ExternalID: shared.external}))(s)
	case "user_id", "id":
		shared.user = "user for " + at
		ok(theirs.Messages.Create(s.Context(), api.MessageRequest{Message: "Hello?", User: api.UserInput{ID: shared.user}}))(s)
	case "Idempotency-Key": // the other company has made the very same request
		r := o.request(ownKey(theirs, a))
		r.header["Idempotency-Key"] = shared.idempotency + o.id
		shared.idempotency += o.id
		if first := theirs.send(r); first.status >= 300 && !operator {
			s.Errorf("%s of the other company = %d %s", o.id, first.status, first.body)
		}
	}
	send := func(value string) (sent []any) {
		// With a plain UUID in place of an id, too.
		for _, value := range []string{value, plainOf(value)} {
			r := named(o, o.request(ownKey(ours, b)), p, value)
			got := ours.send(r)
			sent = append(sent, seen(got, value))
		}
		return sent
	}
	got, want := send(meaning(&shared)), send(meaning(never()))
	if !reflect.DeepEqual(got, want) {
		s.Errorf("%s, named in the %s, with another company's =\n%v\nand with one that never existed\n%v", at, p.in, got, want)
	}
}

// plainOf is an id as a plain UUID; what is no id stays as it is.
func plainOf(id string) string {
	_, digits, _ := strings.Cut(id, "_")
	if len(digits) != 26 {
		return id
	}
	return plainUUID(digits)
}

// named returns a request that names something at a place.
func named(o operation, r request, p place, value string) request {
	switch p.in {
	case "path":
		r.path = o.named(value)
	case "query":
		r.path += "?" + p.name() + "=" + url.QueryEscape(value)
	case "header":
		r.header[p.name()] = value
	case "body":
		body := maps.Clone(samples[o.id].body)
		r = o.with(r, put(body, p.path, value).(fields))
	}
	return r
}

// put returns a value of a body with another one at a path. What is a list has the
// items of the sample's body, or one that is well formed.
func put(v any, path []string, value string) any {
	if len(path) == 0 {
		return value
	}
	if path[0] == "0" {
		item := fields{"question": "Has a zebra stripes?", "answer": "It has."}
		if len(path) == 2 && path[1] == "id" {
			item = fields{}
		}
		if list, isList := v.([]any); isList {
			item = maps.Clone(list[0].(fields))
		}
		return []any{put(item, path[1:], value)}
	}
	m, _ := v.(fields)
	if m = maps.Clone(m); m == nil {
		m = fields{}
	}
	if path[0] == "items" && m["question"] != nil { // they stand in place of one
		m = fields{}
	}
	m[path[0]] = put(m[path[0]], path[1:], value)
	return m
}

// seen is what a caller sees of an answer, but for the ids and times of what it
// made.
func seen(a *answer, named string) map[string]any {
	header := map[string]string{}
	for name := range a.header {
		switch name {
		case "Date", "Content-Length", "X-Ratelimit-Remaining", "X-Ratelimit-Reset":
		case "Etag", "X-Knowledge-Revision": // which counts what the caller itself has written
			header[name] = "there"
		default:
			header[name] = masked([]byte(a.header.Get(name)), named)
		}
	}
	body := a.body
	if events, err := eventsIn(body); err == nil && len(events) > 0 { // how much of a reply came in parts is chance
		body = sequence.ReplaceAll([]byte(events[len(events)-1].Data), nil)
	}
	return map[string]any{"status": a.status, "header": header, "body": masked(body, named)}
}

// sequence is the number of an event.
var sequence = regexp.MustCompile(`"sequence":\d+,?`)

// masks are what differs between two answers to the same request.
var masks = []struct {
	what *regexp.Regexp
	mask string
}{
	{regexp.MustCompile(`\b(cmp|agt|att|call|conv|msg|doc|psg|src|run|evt|key|aud|req)_[0-9a-hjkmnp-tv-z]{26}`), "${1}_"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`), "TIME"},
	{regexp.MustCompile(`"(hint|secret|next_cursor)":"[^"]*"`), `"$1":""`},
	{regexp.MustCompile(`"(knowledge_revision|queue_position)":\d+`), `"$1":0`},
}

// masked is a text without what differs, and without what the request named.
func masked(text []byte, named string) string {
	if named != "" {
		text = bytes.ReplaceAll(text, []byte(named), []byte("NAMED"))
	}
	for _, m := range masks {
		text = m.what.ReplaceAll(text, []byte(m.mask))
	}
	return string(text)
}

// A key that was revoked or has expired opens nothing.
func TestKeysThatDoNotWorkOpenNothing(t *testing.T) {
	s := &suite{T: t, way: network, contract: newContract(t)}
	s.begin(nil)
	x := furnish(s.admin, s.desk.ID(), "cuckoo")
	keys, ctx := s.desk.Keys(), t.Context()
	revoked, revokedSecret, err := keys.Create(ctx, access.NewKey{Name: "Revoked", Scope: access.ScopeFull})
	if err != nil {
		t.Fatal(err)
	}
	expired, expiredSecret, err := keys.Create(ctx, access.NewKey{Name: "Expired", Scope: access.ScopeFull})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{revokedSecret, expiredSecret} {
		s.admin.want(http.StatusOK, request{method: "GET", path: "/v1/agents", header: map[string]string{"Authorization": "Bearer " + secret}})
	}
	if err := keys.Revoke(ctx, revoked.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := keys.Rotate(ctx, expired.ID, 0); err != nil {
		t.Fatal(err)
	}
	for _, o := range s.contract.keyed() {
		for code, secret := range map[string]string{"invalid_api_key": revokedSecret, "expired_api_key": expiredSecret} {
			r := o.request(x)
			r.header["Authorization"] = "Bearer " + secret
			s.admin.wantError(http.StatusUnauthorized, code, "", r)
		}
	}
}
