package e2e

import (
	"bytes"
	"maps"
	"net/http"
	"strings"

	"github.com/answerdesk-go/answerdesk/access"
)

// Every operation refuses whom and what it must, in the contract's words.
func playRefusals(s *suite) {
	s.begin(nil)
	x := furnish(s.admin, s.desk.ID(), "cuckoo")
	other, err := s.desk.Companies().Create(s.Context(), "Other")
	if err != nil {
		s.Fatal(err)
	}
	callers := map[access.Scope]*caller{}
	for _, scope := range []access.Scope{access.ScopeRead, access.ScopeWrite, access.ScopeFull} {
		callers[scope] = s.callerOf(s.desk.ID(), scope)
	}
	tenant := s.callerOf(other.ID, access.ScopeFull)
	for _, o := range s.contract.keyed() {
		sm, there := samples[o.id]
		if !there {
			s.Errorf("%s has no sample: add one", o.id)
			continue
		}
		r := o.request(x)
		refuseScopes(s, o, r, callers, tenant)
		refuseKeys(s, o, r)
		refuseParameters(s, o, sm, r)
		if o.media() != "" {
			refuseBodies(s, o, r)
		}
	}
}

// refuseScopes calls with keys that may not do it.
func refuseScopes(s *suite, o operation, r request, callers map[access.Scope]*caller, tenant *caller) {
	for scope, c := range callers {
		if scope.Allows(access.Scope(o.scope)) {
			continue
		}
		a := c.wantError(http.StatusForbidden, "insufficient_scope", "", r)
		if got := a.at("error", "details", "scope"); got != o.scope {
			s.Errorf("%s with a %s key names the scope %v, want %s", o.id, scope, got, o.scope)
		}
	}
	if strings.HasPrefix(o.path, "/v1/companies") {
		a := tenant.wantError(http.StatusForbidden, "insufficient_scope", "", r)
		if got := a.at("error", "details", "scope"); got != "operator" {
			s.Errorf("%s with a key of another company names the scope %v, want operator", o.id, got)
		}
	}
}

// refuseKeys calls without a key, and with such as do not work.
func refuseKeys(s *suite, o operation, r request) {
	if s.way == inProcess {
		return // the program itself says who calls
	}
	spoilt := s.admin.secret[:len(s.admin.secret)-1] + "!"
	for code, header := range map[string]map[string]string{
		"missing_api_key":      {"Authorization": ""},
		"invalid_api_key":      {"Authorization": "Bearer " + spoilt},
		"conflicting_api_keys": {"X-Api-Key": spoilt},
	} {
		r.header = header
		s.admin.wantError(http.StatusUnauthorized, code, "", r)
	}
	r.header = map[string]string{"Authorization": "Basic " + s.admin.secret}
	s.admin.wantError(http.StatusUnauthorized, "invalid_api_key", "", r)
}

// refuseParameters calls for what is not there, and with parameters that cannot be
// taken.
func refuseParameters(s *suite, o operation, sm sample, r request) {
	unknown, query := never(), r
	if sm.id != nil {
		s.admin.wantError(http.StatusNotFound, "not_found", "", o.request(unknown))
		query.path = o.named(strings.Repeat("x", 257)) // more than any id has
		s.admin.wantError(http.StatusBadRequest, "invalid_request", "id", query)
	}
	for name, value := range map[string]string{"limit": "0", "after": "-1", "wait": "31", "cursor": "nonsense",
		"agent_id": strings.Repeat("x", 129), "run_id": strings.Repeat("x", 129)} {
		if o.takes(name) {
			query.path = r.path + "?" + name + "=" + value
			s.admin.wantError(http.StatusBadRequest, "invalid_request", name, query)
		}
	}
	for name, id := range map[string]string{"agent_id": unknown.agent, "source_id": unknown.website, "parent_id": unknown.run, "run_id": unknown.run} {
		if o.takes(name) {
			query.path = r.path + "?" + name + "=" + id
			s.admin.wantError(http.StatusNotFound, "not_found", "", query)
		}
	}
	if o.takes("Idempotency-Key") {
		for _, key := range []string{strings.Repeat("x", 256), "with space"} {
			r := o.request(unknown)
			r.header["Idempotency-Key"] = key
			s.admin.wantError(http.StatusBadRequest, "invalid_request", "Idempotency-Key", r)
		}
	}
}

// refuseBodies sends bodies that cannot be taken.
func refuseBodies(s *suite, o operation, r request) {
	unknown := never()
	for name, id := range map[string]string{"agent_id": unknown.agent, "conversation_id": unknown.conversation, "company_id": unknown.company} {
		if o.body().Properties[name] != nil {
			body := maps.Clone(samples[o.id].body)
			body[name] = id
			s.admin.wantError(http.StatusNotFound, "not_found", "", o.with(r, body))
		}
	}
	body := maps.Clone(samples[o.id].body)
	body["nonsense"] = "x"
	s.admin.wantError(http.StatusBadRequest, "invalid_request", "nonsense", o.with(r, body))

	plain := r
	plain.header = map[string]string{"Content-Type": "text/plain"}
	s.admin.wantError(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Type", plain)
	packed := r
	packed.header = map[string]string{"Content-Encoding": "br"}
	s.admin.wantError(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Encoding", packed)

	// No limit of the contract lies between these; the last is that of a file of
	// 100 MB with fields around it.
	for _, size := range []int{1 << 20, 32 << 20, 100_000_000, 100_000_000 + 16*80<<10} {
		r.body = bytes.Repeat([]byte(" "), size+1)
		a := s.admin.send(r)
		if a.status == http.StatusRequestEntityTooLarge {
			if a.code() != "request_too_large" || a.at("error", "details", "limit") != float64(size) {
				s.Errorf("%s with %d bytes = %s, want the limit of %d", o.id, size+1, a.body, size)
			}
			return
		}
	}
	s.Errorf("%s takes a body of more than 100 MB", o.id)
}
