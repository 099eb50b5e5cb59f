package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
	"github.com/answerdesk-go/answerdesk/store/transfer"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// A house is a desk behind its API.
type house struct {
	desk    *answerdesk.Desk
	handler http.Handler
	key     string
}

func newHouse(t testing.TB, st answerdesk.Store, key string) *house {
	t.Helper()
	desk, err := answerdesk.New(t.Context(), st, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { desk.Close() })
	return &house{desk, server.New(desk, nil), key}
}

// do makes a request, and returns the answer.
func (h *house) do(t testing.TB, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+h.key)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// must makes a request that has to succeed, and returns a field of the answer.
func (h *house) must(t testing.TB, method, path, body, field string, header ...string) string {
	t.Helper()
	w := h.do(t, method, path, body, header...)
	if w.Code >= 300 {
		t.Fatalf("%s %s = %d %s", method, path, w.Code, w.Body)
	}
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil && field != "" {
		t.Fatal(err)
	}
	return fmt.Sprint(v[field])
}

const whenOpen = `{"message": "When does the shop open?", "user": {"id": "carol"}}`

// furnish makes a desk with something of everything in a folder, and returns the
// folder and a key of the operator's.
func furnish(t testing.TB) (dir, key string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "desk")
	st, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, st, "")
	if _, h.key, err = h.desk.Keys().Create(t.Context(), access.NewKey{Name: "all", Scope: access.ScopeFull, Plan: access.PlanUnlimited}); err != nil {
		t.Fatal(err)
	}
	h.must(t, "POST", "/v1/knowledge/documents", `{"title": "Hours", "text": "The shop opens at nine in the morning. Ünïcödé 日本 🙂 is text too."}`, "id", "Idempotency-Key", "hours")
	for i := range 30 {
		h.must(t, "POST", "/v1/knowledge/documents", fmt.Sprintf(`{"title": "Item %d", "external_id": "i%d", "text": "Item number %d costs %d euros.", "metadata": {"n": %d}}`, i, i, i, 3*i+1, i), "id")
	}
	h.must(t, "POST", "/v1/knowledge/documents", `{"title": "Item 1", "external_id": "i1", "text": "Item number 1 costs a fortune."}`, "id")
	h.must(t, "POST", "/v1/knowledge/qa-pairs", `{"question": "Do you deliver?", "alternates": ["Is there delivery?"], "answer": "We deliver within two days."}`, "id")
	gone := h.must(t, "POST", "/v1/knowledge/documents", `{"title": "Gone", "text": "The cellar is flooded."}`, "id")
	h.must(t, "POST", "/v1/message", `{"message": "Is the cellar flooded?"}`, "id")
	h.must(t, "DELETE", "/v1/knowledge/documents/"+gone, "", "")
	agent := h.must(t, "POST", "/v1/agents", `{"name": "Second"}`, "id")
	h.must(t, "POST", "/v1/message", whenOpen, "id", "Idempotency-Key", "asked")
	reply := h.must(t, "POST", "/v1/message", whenOpen, "id")
	h.must(t, "POST", "/v1/messages/"+reply+"/feedback", `{"rating": "up"}`, "")
	h.must(t, "POST", "/v1/message", `{"agent_id": "`+agent+`", "message": "What does item 3 cost?"}`, "id")
	h.must(t, "POST", "/v1/companies", `{"name": "Other"}`, "id")
	h.must(t, "POST", "/v1/api-keys", `{"name": "reader", "scope": "read"}`, "id")
	work(t, st, h.desk.ID())
	raw(t, filepath.Join(dir, sqlite.FileName), h.desk.ID())
	if err := errors.Join(h.desk.Close(), st.Close()); err != nil {
		t.Fatal(err)
	}
	return dir, h.key
}

// work queues jobs, one of which is given up.
func work(t testing.TB, st *sqlite.Store, company string) {
	t.Helper()
	var jobs []store.Work
	for i := range 3 {
		jobs = append(jobs, store.Work{ID: id.New(id.Work), Queue: "tests", Key: "k", Payload: []byte{0, 1, 0xff, byte(i)}})
	}
	jobs = append(jobs, store.Work{ID: id.New(id.Work), Queue: "tests", Key: "empty", Payload: []byte{}, RunAt: time.Now().Add(time.Hour)})
	if err := st.Enqueue(t.Context(), store.Commit{Company: company, Work: jobs}); err != nil {
		t.Fatal(err)
	}
	leases, err := st.ClaimKeys(t.Context(), company, "tests", "worker", 10*time.Second, 1)
	if err != nil || len(leases) != 1 {
		t.Fatalf("ClaimKeys = %v, %v", leases, err)
	}
	if err := st.FinishJobs(t.Context(), leases[0], []store.Outcome{{ID: jobs[0].ID, Dead: true, Reason: "test"}}); err != nil {
		t.Fatal(err)
	}
	if err := st.ReleaseKey(t.Context(), leases[0]); err != nil {
		t.Fatal(err)
	}
}
