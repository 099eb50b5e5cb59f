package server_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A key may be shown in either of two headers, in both, and more than once; two
// different ones are refused, whatever else is true of them.
func TestKeys(t *testing.T) {
	h := open(t, nil, nil)
	other := newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "other", Scope: access.ScopeFull})
	const no = "adk_0000000000000000000000000000000000000000000000000"
	for _, tt := range []struct {
		name          string
		authorization []string
		apiKey        []string
		code          string // empty: it is let in
	}{
		{"Bearer", []string{"Bearer " + h.key}, nil, ""},
		{"in another case", []string{"bEARER " + h.key}, nil, ""},
		{"more spaces", []string{"Bearer   " + h.key + " "}, nil, ""},
		{"x-api-key", nil, []string{h.key}, ""},
		{"spaces around", nil, []string{"  " + h.key + " "}, ""},
		{"both the same", []string{"Bearer " + h.key}, []string{h.key}, ""},
		{"twice the same", []string{"Bearer " + h.key, "Bearer " + h.key}, []string{h.key, h.key}, ""},
		{"one of them empty", []string{""}, []string{h.key}, ""},
		{"the other empty", []string{"Bearer " + h.key}, []string{""}, ""},
		{"an empty Bearer", []string{"Bearer"}, []string{h.key}, ""},

		{"none", nil, nil, "missing_api_key"},
		{"empty ones", []string{""}, []string{" "}, "missing_api_key"},
		{"nothing behind Bearer", []string{"Bearer "}, nil, "missing_api_key"},
		{"no scheme", []string{h.key}, nil, "invalid_api_key"},
		{"Basic", []string{"Basic " + h.key}, nil, "invalid_api_key"},
		{"Basic beside a key", []string{"Basic dTpw"}, []string{h.key}, "invalid_api_key"},
		{"a tab for the space", []string{"Bearer\t" + h.key}, nil, "invalid_api_key"},
		{"two keys in one header", []string{"Bearer " + h.key + "," + h.key}, nil, "invalid_api_key"},
		{"both different", []string{"Bearer " + h.key}, []string{other}, "conflicting_api_keys"},
		{"two of Authorization", []string{"Bearer " + h.key, "Bearer " + other}, nil, "conflicting_api_keys"},
		{"two of x-api-key", nil, []string{h.key, other}, "conflicting_api_keys"},
		{"one right, one wrong", []string{"Bearer " + no}, []string{h.key}, "conflicting_api_keys"},
		{"unknown", []string{"Bearer " + no}, nil, "invalid_api_key"},
		{"cut short", nil, []string{h.key[:len(h.key)-1]}, "invalid_api_key"},
		{"in capitals", nil, []string{strings.ToUpper(h.key)}, "invalid_api_key"},
		{"very long", nil, []string{strings.Repeat("a", 50_000)}, "invalid_api_key"},
		{"not ASCII", nil, []string{"kéy"}, "invalid_api_key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/v1/agents", nil)
			r.Header["Authorization"], r.Header["X-Api-Key"] = tt.authorization, tt.apiKey
			a := h.serve(t, r)
			if tt.code == "" {
				a.read(t, 200, nil)
				return
			}
			p := a.is(t, 401, tt.code)
			if a.Header().Get("WWW-Authenticate") == "" {
				t.Error("the 401 does not say how to authenticate")
			}
			if a.Header().Get("X-RateLimit-Limit") != "" {
				t.Error("nobody is known, and has a rate limit")
			}
			if strings.Contains(p.Message, h.key[4:]) {
				t.Errorf("the message %q repeats the key", p.Message)
			}
		})
	}
}

// A key works until it is revoked or expires, and one that was rotated for as long as
// was asked for.
func TestKeysEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil, nil)
		read := func(key string) answer { return h.do(t, "GET", "/v1/agents", "", "X-Api-Key", key) }

		brief := newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "brief", Scope: access.ScopeFull, ExpiresAt: time.Now().Add(time.Hour)})
		read(brief).read(t, 200, nil)
		time.Sleep(time.Hour)
		read(brief).is(t, 401, "expired_api_key")

		var first, second struct{ ID, Secret string }
		h.do(t, "POST", "/v1/api-keys", `{"name":"rotated","scope":"read"}`).read(t, 201, &first)
		h.do(t, "POST", "/v1/api-keys/"+first.ID+"/rotate", `{"overlap_seconds":60}`).read(t, 201, &second)
		read(first.Secret).read(t, 200, nil)
		read(second.Secret).read(t, 200, nil)
		time.Sleep(time.Minute)
		read(first.Secret).is(t, 401, "expired_api_key")
		read(second.Secret).read(t, 200, nil)

		h.do(t, "DELETE", "/v1/api-keys/"+second.ID, "").read(t, 204, nil)
		read(second.Secret).is(t, 401, "invalid_api_key")
	})
}

// What the store says when it is asked for a key is no verdict on the key.
func TestAuthenticateStoreGone(t *testing.T) {
	h := open(t, nil, nil)
	if err := h.desk.Close(); err != nil {
		t.Fatal(err)
	}
	a := h.do(t, "GET", "/v1/agents", "")
	a.is(t, 503, "store_unavailable")
	if a.Header().Get("Retry-After") == "" {
		t.Error("the 503 does not say when to come again")
	}
	h.do(t, "GET", "/v1/agents", "", "X-Api-Key", "nonsense").is(t, 401, "invalid_api_key")
}

// oddStore fails in a way that nobody thought of when it is asked for a key.
type oddStore struct{ *sqlite.Store }

func (oddStore) KeyByHash(context.Context, [32]byte) (access.Key, error) {
	return access.Key{}, errors.New("odd")
}

// Whatever keeps the server from telling who calls, it does not say that nobody does.
func TestAuthenticateStoreOdd(t *testing.T) {
	st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	d, err := answerdesk.New(t.Context(), oddStore{st}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	h := &host{Server: server.New(d, nil), desk: d}
	h.key = newKey(t, d, d.ID(), access.NewKey{Name: "k", Scope: access.ScopeRead})
	h.do(t, "GET", "/v1/agents", "").is(t, 500, "internal_error")
}

// A host may know its callers in a way of its own.
func TestAuthenticateSeam(t *testing.T) {
	d := agenttest.Desk(t)
	caller := access.Principal{ID: "ada", Company: d.ID(), Scope: access.ScopeFull, Plan: access.PlanFree}
	odd := errors.New("session of Sentinel")
	for _, tt := range []struct {
		name   string
		caller access.Principal
		err    error
		status int
		code   string
	}{
		{"known", caller, nil, 200, ""},
		{"by the plain UUID of its company", access.Principal{ID: "ada", Company: id.UUID(d.ID()), Scope: access.ScopeFull}, nil, 200, ""},
		{"of no scope", access.Principal{ID: "ada", Company: d.ID()}, nil, 403, "insufficient_scope"},
		{"of an odd scope", access.Principal{ID: "ada", Company: d.ID(), Scope: "admin"}, nil, 403, "insufficient_scope"},
		{"of no company", access.Principal{ID: "ada", Scope: access.ScopeFull}, nil, 500, "internal_error"},
		{"of no name", access.Principal{Company: d.ID(), Scope: access.ScopeFull}, nil, 500, "internal_error"},
		{"of nothing", access.Principal{}, nil, 500, "internal_error"},
		{"unknown", caller, odd, 401, "invalid_api_key"},
		{"invalid", caller, fmt.Errorf("%w: %w", access.ErrInvalidKey, odd), 401, "invalid_api_key"},
		{"expired", caller, fmt.Errorf("%w: %w", access.ErrExpiredKey, odd), 401, "expired_api_key"},
		{"unavailable", caller, fmt.Errorf("%w: %w", store.ErrUnavailable, odd), 503, "store_unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			h := &host{Server: server.New(d, &server.Options{Authenticate: func(r *http.Request) (access.Principal, error) {
				asked++
				return tt.caller, tt.err
			}}), desk: d}
			a := h.do(t, "POST", "/v1/agents", `{"name":"New"}`, "Idempotency-Key", t.Name())
			switch {
			case tt.code == "":
				a.read(t, 201, nil)
				if again := h.do(t, "POST", "/v1/agents", `{"name":"New"}`, "Idempotency-Key", t.Name()); again.Header().Get("Idempotent-Replayed") != "true" {
					t.Errorf("the repetition is %d %s, want it replayed", again.Code, again.body)
				}
			default:
				if p := a.is(t, tt.status, tt.code); strings.Contains(p.Message, "Sentinel") {
					t.Errorf("the message %q tells what the host said", p.Message)
				}
			}
			if asked == 0 {
				t.Error("Authenticate was not asked")
			}
		})
	}
}

// Who calls comes before what they may do, that before what is wrong with the
// request, and nothing is read of a body that nobody may send.
func TestOrder(t *testing.T) {
	h := open(t, nil, nil)
	reader := newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "reader", Scope: access.ScopeRead})
	for _, tt := range []struct {
		key    string
		status int
		code   string
	}{
		{"", 401, "missing_api_key"},
		{"nonsense", 401, "invalid_api_key"},
		{reader, 403, "insufficient_scope"},
		{h.key, 400, "invalid_json"},
	} {
		body := &countingReader{Reader: strings.NewReader(`{"name":`)}
		r := httptest.NewRequest("POST", "/v1/agents", body)
		r.Header.Set("X-Api-Key", tt.key)
		r.Header.Set("Content-Type", "application/json")
		a := h.serve(t, r)
		a.is(t, tt.status, tt.code)
		if tt.status != 400 && body.n > 0 {
			t.Errorf("%d bytes of the body were read before the answer %d", body.n, a.Code)
		}
		if limited := a.Header().Get("X-RateLimit-Limit") != ""; limited != (tt.status != 401) {
			t.Errorf("the answer %d has a rate limit: %v", a.Code, limited)
		}
	}
}

// Each operation needs the scope that the contract says, and nothing more.
func TestScopes(t *testing.T) {
	h := open(t, nil, nil)
	other, err := h.desk.Companies().Create(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, scope := range []access.Scope{access.ScopeRead, access.ScopeWrite, access.ScopeFull} {
		keys[string(scope)] = newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "k", Scope: scope, Plan: access.PlanUnlimited})
	}
	keys["full elsewhere"] = newKey(t, h.desk, other.ID, access.NewKey{Name: "k", Scope: access.ScopeFull, Plan: access.PlanUnlimited})
	doc, _ := contract()
	operations := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			need, ok := op.Extensions["x-scope"].(string)
			if !ok {
				continue
			}
			operations++
			for _, name := range slices.Sorted(maps.Keys(keys)) {
				have, elsewhere := strings.CutSuffix(name, " elsewhere")
				allowed := (have == need || have == "full") && !(elsewhere && strings.HasPrefix(path, "/v1/companies"))
				a := h.do(t, method, strings.ReplaceAll(path, "{id}", "x"), "{", "X-Api-Key", keys[name])
				if got := a.Code != 403; got != allowed {
					t.Errorf("%s with a key of scope %s: %d, want it allowed: %v", op.OperationID, name, a.Code, allowed)
				}
				if a.Code == 403 {
					if p := a.is(t, 403, "insufficient_scope"); p.Details["scope"] != need && p.Details["scope"] != "operator" {
						t.Errorf("%s: the 403 names the scope %v, want %s", op.OperationID, p.Details["scope"], need)
					}
				}
			}
		}
	}
	if operations < 30 {
		t.Errorf("%d operations have a scope, which are too few to be all", operations)
	}
}
