package e2e

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// knows reports whether a key's secret is taken.
func (s *suite) knows(secret string) bool {
	s.Helper()
	if s.way == inProcess { // the program asks the desk who calls
		_, err := s.desk.Authenticate(s.Context(), secret)
		if err != nil && !errors.Is(err, access.ErrInvalidKey) && !errors.Is(err, access.ErrExpiredKey) {
			s.Error(err)
		}
		return err == nil
	}
	a := s.admin.send(request{method: "GET", path: "/v1/knowledge/documents", header: map[string]string{"Authorization": "Bearer " + secret}})
	if a.status == http.StatusUnauthorized && a.code() != "invalid_api_key" {
		s.Errorf("a key that does not work is told %s", a.body)
	}
	return a.status != http.StatusUnauthorized
}

// Keys are made, used for what they may do, rotated and revoked.
func playKeys(s *suite) {
	s.begin(nil)
	ctx, keys := s.Context(), s.admin.APIKeys
	secrets := map[api.Scope]*api.NewAPIKey{}
	for _, scope := range []api.Scope{api.ScopeRead, api.ScopeWrite, api.ScopeFull} {
		made := ok(keys.Create(ctx, api.APIKeyRequest{Name: "For " + string(scope), Scope: scope, Plan: api.PlanPro, ExpiresAt: time.Now().Add(time.Hour)}))(s)
		secret := made.Secret
		if !strings.HasPrefix(secret, access.SecretPrefix) || made.Scope != string(scope) || made.Plan != "pro" || !strings.HasSuffix(secret, made.Hint) || made.CompanyID != s.desk.ID() {
			s.Errorf("Create = %+v", made)
		}
		secrets[scope] = made
	}
	playScopes(s, secrets)
	listed := s.admin.want(http.StatusOK, request{method: "GET", path: "/v1/api-keys"})
	if has(listed.body, "secret") || len(listed.at("data").([]any)) != 4 {
		s.Errorf("the list of keys is %s, want four without secrets", listed.body)
	}
	for _, made := range secrets {
		if has(listed.body, made.Secret) {
			s.Errorf("the list shows the secret of %s", made.ID)
		}
	}

	// A rotated key works beside the new one, which can do the same.
	old := secrets[api.ScopeRead]
	fresh := ok(keys.Rotate(ctx, old.ID, api.RotateAPIKeyRequest{OverlapSeconds: new(int64(60))}))(s)
	if fresh.Name != old.Name || fresh.Scope != old.Scope || fresh.Plan != old.Plan || !fresh.ExpiresAt.Equal(old.ExpiresAt) || fresh.ID == old.ID {
		s.Errorf("Rotate = %+v, want it like %+v", fresh, old)
	}
	if !s.knows(old.Secret) || !s.knows(fresh.Secret) {
		s.Error("after a rotation with an overlap one of the two keys is refused")
	}
	for k, err := range keys.All(ctx, &api.ListAPIKeysParams{Limit: new(int32(2))}) {
		if err != nil {
			s.Fatal(err)
		}
		if left := time.Until(k.ExpiresAt); k.ID == old.ID && (k.ReplacedBy != fresh.ID || left > time.Minute) {
			s.Errorf("the rotated key is %+v, want it to be replaced by %s within a minute", k, fresh.ID)
		}
	}
	if _, err := keys.Rotate(ctx, old.ID, api.RotateAPIKeyRequest{}); !errors.Is(err, client.ErrConflict) {
		s.Errorf("Rotate again = error %v, want %v", err, client.ErrConflict)
	}
	at := ok(keys.Rotate(ctx, fresh.ID, api.RotateAPIKeyRequest{OverlapSeconds: new(int64(0))}))(s)
	if s.knowsExpired(fresh.Secret) || !s.knows(at.Secret) {
		s.Error("after a rotation without an overlap the old key is taken, or the new one refused")
	}
	if err := keys.Delete(ctx, at.ID); err != nil || s.knows(at.Secret) {
		s.Errorf("Delete = %v, and the key is taken: %t", err, s.knows(at.Secret))
	}
	if err := keys.Delete(ctx, at.ID); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Delete again = error %v, want %v", err, client.ErrNotFound)
	}
	s.admin.want(http.StatusCreated, request{method: "POST", path: "/v1/api-keys/" + secrets[api.ScopeWrite].ID + "/rotate"}) // without a body
	for field, body := range map[string]any{
		"expires_at": fields{"name": "Late", "scope": "read", "expires_at": "2020-01-01T00:00:00Z"}, "scope": fields{"name": "All", "scope": "all"}, "name": fields{"scope": "read"},
	} {
		s.admin.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/api-keys", body: body})
	}
}

// knowsExpired is knows for a key that has run out.
func (s *suite) knowsExpired(secret string) bool {
	s.Helper()
	if s.way == inProcess {
		return s.knows(secret)
	}
	a := s.admin.send(request{method: "GET", path: "/v1/agents", header: map[string]string{"Authorization": "Bearer " + secret}})
	return a.status != http.StatusUnauthorized || a.code() != "expired_api_key"
}

// playScopes calls with each scope what it may do.
func playScopes(s *suite, keys map[api.Scope]*api.NewAPIKey) {
	ctx := s.Context()
	read, write, full := s.caller(keys[api.ScopeRead].Secret), s.caller(keys[api.ScopeWrite].Secret), s.caller(keys[api.ScopeFull].Secret)
	for _, c := range []*caller{write, full} {
		doc := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "We open at nine."}))(s)
		ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"}))(s)
		ok(c.Knowledge.Documents.Delete(ctx, doc.ID))(s)
	}
	for _, c := range []*caller{read, full} {
		ok(c.Agents.List(ctx, nil))(s)
		ok(c.Knowledge.Search(ctx, api.SearchRequest{Query: "open"}))(s)
	}
	ok(full.APIKeys.List(ctx, nil))(s)
	for _, c := range []*caller{read, write} {
		if _, err := c.APIKeys.Create(ctx, api.APIKeyRequest{Name: "More", Scope: api.ScopeFull}); !errors.Is(err, client.ErrForbidden) {
			s.Errorf("a key that may not makes one: error %v, want %v", err, client.ErrForbidden)
		}
	}
	if _, err := write.Agents.List(ctx, nil); !errors.Is(err, client.ErrForbidden) {
		s.Errorf("a write key reads: error %v, want %v", err, client.ErrForbidden)
	}
	if _, err := read.Messages.Create(ctx, api.MessageRequest{Message: "Hello?"}); !errors.Is(err, client.ErrForbidden) {
		s.Errorf("a read key writes: error %v, want %v", err, client.ErrForbidden)
	}
}

// The operator makes a company and its first key; the company makes its own.
func playCompanies(s *suite) {
	s.begin(nil)
	ctx := s.Context()
	company := ok(s.admin.Companies.Create(ctx, api.CompanyRequest{Name: "Bakery"}))(s)
	first := ok(s.admin.APIKeys.Create(ctx, api.APIKeyRequest{Name: "Bakery's", Scope: api.ScopeFull, Plan: api.PlanUnlimited, CompanyID: company.ID}))(s)
	if first.CompanyID != company.ID || first.Plan != "unlimited" {
		s.Errorf("a key for another company = %+v", first)
	}
	tenant := s.caller(first.Secret)
	agents := ok(tenant.Agents.List(ctx, nil))(s).Data
	if len(agents) != 1 || agents[0].ID != company.DefaultAgentID || !agents[0].IsDefault || agents[0].Name != "Bakery" {
		s.Errorf("the company's agents are %+v, want its default one, %s", agents, company.DefaultAgentID)
	}
	listed := ok(s.admin.Companies.List(ctx, nil))(s).Data
	if len(listed) != 2 || listed[0] != *company || listed[1].ID != s.desk.ID() {
		s.Errorf("List = %+v, want the bakery before the operator's", listed)
	}
	own := ok(tenant.APIKeys.Create(ctx, api.APIKeyRequest{Name: "Own", Scope: api.ScopeRead, CompanyID: company.ID}))(s)
	if own.CompanyID != company.ID || own.Plan != "unlimited" {
		s.Errorf("a key that a company makes = %+v, want the plan of the key it calls with", own)
	}
	for _, other := range []string{s.desk.ID(), never().company} {
		if _, err := tenant.APIKeys.Create(ctx, api.APIKeyRequest{Name: "Other", Scope: api.ScopeRead, CompanyID: other}); !errors.Is(err, client.ErrNotFound) {
			s.Errorf("a company makes a key for another: error %v, want %v", err, client.ErrNotFound)
		}
	}
	a := tenant.wantError(http.StatusForbidden, "insufficient_scope", "plan", request{method: "POST", path: "/v1/api-keys", body: fields{"name": "Pro", "scope": "read", "plan": "pro"}})
	if got := a.at("error", "details", "scope"); got != "operator" {
		s.Errorf("the plan is to be chosen by %v, want the operator", got)
	}
	if got := ok(tenant.APIKeys.List(ctx, nil))(s).Data; len(got) != 2 {
		s.Errorf("the company has %d keys, want 2", len(got))
	}
}

// The audit log says who did what, newest first.
func playAudit(s *suite) {
	s.begin(nil)
	ctx := s.Context()
	made := ok(s.admin.APIKeys.Create(ctx, api.APIKeyRequest{Name: "Editor", Scope: api.ScopeFull, Plan: api.PlanUnlimited}))(s)
	c := s.caller(made.Secret)
	var want []string // actions and what they were done to, oldest first
	did := func(action, object string) { want = append(want, action+" "+object) }

	agent := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Sales"}))(s)
	did("agent.create", agent.ID)
	ok(c.Agents.UpdateSettings(ctx, agent.ID, api.AgentSettingsPatch{Name: new("Service")}))(s)
	did("agent.update", agent.ID)
	doc := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "We open at nine."}))(s)
	did("document.put", doc.ID)
	ok(c.Knowledge.Documents.Update(ctx, doc.ID, api.DocumentPatch{Text: new("We open at ten.")}))(s)
	did("document.update", doc.ID)
	ok(c.Content.Bulk(ctx, api.BulkRequest{Items: []api.BulkItem{{Content: "One."}, {Content: "Two."}}}))(s)
	did("document.put", "")
	reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"}))(s)
	ok(c.Conversations.Delete(ctx, reply.ConversationID))(s)
	did("conversation.delete", reply.ConversationID)
	ok(c.Knowledge.Documents.Delete(ctx, doc.ID))(s)
	did("document.delete", doc.ID)
	key := ok(c.APIKeys.Create(ctx, api.APIKeyRequest{Name: "Spare", Scope: api.ScopeRead}))(s)
	did("key.create", key.ID)
	rotated := ok(c.APIKeys.Rotate(ctx, key.ID, api.RotateAPIKeyRequest{}))(s)
	did("key.rotate", key.ID)
	if err := c.APIKeys.Delete(ctx, rotated.ID); err != nil {
		s.Fatal(err)
	}
	did("key.revoke", rotated.ID)
	ok(c.Agents.Delete(ctx, agent.ID))(s)
	did("agent.delete", agent.ID)
	// What failed, and what only reads, is not there.
	_, _ = c.Agents.Delete(ctx, agent.ID)
	ok(c.Agents.List(ctx, nil))(s)

	var got []string
	for e, err := range c.AuditLog.All(ctx, &api.ListAuditLogParams{Limit: new(int32(3))}) {
		if err != nil {
			s.Fatal(err)
		}
		if e.Actor == made.ID {
			got = append(got, e.Action+" "+e.ObjectID)
		}
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		s.Errorf("the audit log has of %s\n%s\nwant\n%s", made.ID, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	company := ok(c.Companies.Create(ctx, api.CompanyRequest{Name: "Bakery"}))(s)
	log := ok(s.callerOf(company.ID, access.ScopeFull).AuditLog.List(ctx, nil))(s).Data
	if !slices.ContainsFunc(log, func(e api.AuditEntry) bool {
		return e.Action == "company.create" && e.Actor == made.ID && e.ObjectID == company.ID
	}) {
		s.Errorf("the new company's audit log is %+v, want to see who made it", log)
	}
}
