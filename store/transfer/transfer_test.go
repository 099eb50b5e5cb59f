package transfer_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
	r.Header.Set("X-Request-Id", "the-same")
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
// folder, a key of the operator's and a run that is under way.
func furnish(t testing.TB) (dir, key string, run *halfway) {
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
	h.must(t, "POST", "/v1/attachments", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nPaid.\r\n--x--\r\n", "id",
		"Content-Type", "multipart/form-data; boundary=x")
	h.must(t, "POST", "/v1/message", whenOpen, "id", "Idempotency-Key", "asked")
	reply := h.must(t, "POST", "/v1/message", whenOpen, "id")
	h.must(t, "POST", "/v1/messages/"+reply+"/feedback", `{"rating": "up"}`, "")
	h.must(t, "POST", "/v1/message", `{"agent_id": "`+agent+`", "message": "What does item 3 cost?"}`, "id")
	h.must(t, "POST", "/v1/companies", `{"name": "Other"}`, "id")
	h.must(t, "POST", "/v1/api-keys", `{"name": "reader", "scope": "read"}`, "id")
	work(t, st, h.desk.ID())
	run = gather(t, st, h.desk.ID())
	learn(t, st, h.desk.ID())
	raw(t, filepath.Join(dir, sqlite.FileName), h.desk.ID())
	if err := errors.Join(h.desk.Close(), st.Close()); err != nil {
		t.Fatal(err)
	}
	return dir, h.key, run
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

// raw adds rows that the API does not make: bytes of every value, texts with every
// kind of character, and numbers at their bounds.
func raw(t testing.TB, file, company string) {
	t.Helper()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, data := range [][]byte{{}, every, bytes.Repeat(every, 1000)} {
		execute(t, file, `INSERT INTO steps (company, conversation_id, turn, ordinal, call_id, name, state, data, at) VALUES (?, 'conv_x', 1, ?, '', ?, 'done', ?, ?)`,
			company, i, "tab\t, quote \", backslash \\N, line\r\n, \u2028, \U0001F642, \ufffd", data, int64(-1)<<63+int64(i))
	}
	for _, stream := range []string{"a", "A", "ä", "Z", "z", "a_b", "ab", "~", " ", "\\.", "\U0001F642", "\uffff"} { // not in this order
		execute(t, file, `INSERT INTO streams (company, stream, events) VALUES (?, ?, ?)`, company, stream, int64(1)<<62)
	}
}

func execute(t testing.TB, file, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// look returns what a desk shows of itself, by path.
func look(t testing.TB, h *house) map[string]string {
	t.Helper()
	seen := map[string]string{}
	var read func(path string)
	read = func(path string) {
		w := h.do(t, "GET", path, "")
		seen[path] = fmt.Sprint(w.Code, w.Body)
		var list struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
			NextCursor string `json:"next_cursor"`
		}
		if json.Unmarshal(w.Body.Bytes(), &list) != nil {
			return
		}
		base, _, _ := strings.Cut(path, "?")
		for _, item := range list.Data {
			switch base {
			case "/v1/conversations":
				read(base + "/" + item.ID + "/messages")
				fallthrough
			case "/v1/agents", "/v1/knowledge/documents", "/v1/knowledge/qa-pairs":
				read(base + "/" + item.ID)
			case "/v1/messages":
				read(base + "/" + item.ID + "/events")
			}
		}
		if list.NextCursor != "" {
			read(base + "?cursor=" + list.NextCursor)
		}
	}
	for _, path := range []string{"/v1/agents", "/v1/conversations", "/v1/messages", "/v1/knowledge/documents", "/v1/knowledge/qa-pairs",
		"/v1/content", "/v1/api-keys", "/v1/companies", "/v1/audit-log"} {
		read(path)
	}
	return seen
}

// history returns the events of a company with their cursors.
func history(t testing.TB, log store.Log, company string) (lines []string) {
	t.Helper()
	for after := ""; ; {
		events, err := log.Events(t.Context(), company, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return lines
		}
		for _, e := range events {
			b, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			lines, after = append(lines, e.Cursor+" "+string(b)), e.Cursor
		}
	}
}

// sameAs compares two desks by what they show.
func sameAs(t testing.TB, got, want *house) {
	t.Helper()
	seen, expected := look(t, got), look(t, want)
	if len(expected) < 50 {
		t.Errorf("the desk shows %d pages only", len(expected))
	}
	for path, w := range expected {
		if seen[path] != w {
			t.Errorf("GET %s = %s, want %s", path, seen[path], w)
		}
	}
	if len(seen) != len(expected) {
		t.Errorf("the copy shows %d pages, want %d", len(seen), len(expected))
	}
}

// text is what a reply says and stands on.
func text(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var r struct {
		Text, Outcome string
		Confidence    any
		Citations     any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return fmt.Sprint(r)
}

// There and back again, a desk is the same: lists, replies, events, receipts, work.
func TestCopy(t *testing.T) {
	dir, key, run := furnish(t)
	url := pgtest.Database(t) + "&schema=desk"
	var last string
	tables, err := transfer.Copy(t.Context(), transfer.Folder(dir), transfer.Postgres(url), &transfer.Options{
		Progress: func(s transfer.Step, done, total int64) {
			if done > total || total < 100 {
				t.Errorf("progress: %s %d of %d", s, done, total)
			}
			last = fmt.Sprint(s, done == total)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != "comparingtrue" {
		t.Errorf("the last progress is %s", last)
	}
	rows := map[string]int64{}
	for _, table := range tables {
		rows[table.Name] = table.From.Rows
		if !table.Same() {
			t.Errorf("table %s differs", table.Name)
		}
	}
	for _, table := range tables {
		if table.From.Rows == 0 {
			t.Errorf("the copy of table %s is not tested: it has no rows", table.Name)
		}
	}

	there, err := postgres.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	here, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close() })
	got, want := newHouse(t, there, key), newHouse(t, here, key)
	if got.desk.ID() != want.desk.ID() {
		t.Errorf("the operator is %s, want %s", got.desk.ID(), want.desk.ID())
	}
	sameAs(t, got, want)
	if g, w := history(t, there, got.desk.ID()), history(t, here, want.desk.ID()); !slices.Equal(g, w) || len(w) < 40 {
		t.Errorf("events = %q, want %q", g, w)
	}
	for _, question := range []string{whenOpen, `{"message": "What does item 3 cost?"}`, `{"message": "Is the cellar flooded?"}`, `{"message": "Do you deliver?"}`} {
		if g, w := text(t, got.do(t, "POST", "/v1/message", question)), text(t, want.do(t, "POST", "/v1/message", question)); g != w {
			t.Errorf("%s is answered %s, want %s", question, g, w)
		}
	}
	if g, w := learned(t, there, got.desk.ID()), learned(t, here, want.desk.ID()); g != w || strings.Count(w, "{") < 30 {
		t.Errorf("vectors and calibration are %s, want %s", g, w)
	}
	// A run that was under way goes on.
	if g, w := run.finish(t, there), run.finish(t, here); g != w {
		t.Errorf("the run comes to %s, want %s", g, w)
	}
	// What was asked for before the copy is not done again after it.
	for _, h := range []*house{got, want} {
		again := h.do(t, "POST", "/v1/message", whenOpen, "Idempotency-Key", "asked")
		if again.Code != 200 || again.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("the repetition = %d %s", again.Code, again.Body)
		}
		other := h.do(t, "POST", "/v1/message", `{"message": "Something else"}`, "Idempotency-Key", "asked")
		if other.Code != 409 {
			t.Errorf("another request under the key = %d %s", other.Code, other.Body)
		}
	}
	jobs := func(st interface {
		ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error)
	}) string {
		leases, err := st.ClaimKeys(t.Context(), got.desk.ID(), "tests", "other", time.Second, 10)
		if err != nil || len(leases) != 1 {
			t.Fatalf("leases = %v, %v", leases, err)
		}
		return leases[0].Key
	}
	if g, w := jobs(there), jobs(here); g != w {
		t.Errorf("the key that is due is %s, want %s", g, w)
	}
	// The log goes on after the last position that was copied.
	before := history(t, there, got.desk.ID())
	got.must(t, "POST", "/v1/knowledge/documents", `{"title": "New", "text": "The shop has a new door."}`, "id")
	if after := history(t, there, got.desk.ID()); len(after) != len(before)+1 || !slices.Equal(after[:len(before)], before) {
		t.Errorf("after a new document there are %d events, want %d and the old ones before it", len(after), len(before)+1)
	}

	// An event that nobody has read yet has no position in PostgreSQL.
	got.must(t, "POST", "/v1/knowledge/documents", `{"title": "Newer", "text": "The door of the shop is green."}`, "id")
	if err := got.desk.Close(); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "back")
	if _, err := transfer.Copy(t.Context(), transfer.Postgres(url), transfer.Folder(back), nil); err != nil {
		t.Fatal(err)
	}
	again, err := sqlite.Open(t.Context(), back, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	returned, origin := newHouse(t, again, key), newHouse(t, there, key)
	sameAs(t, returned, origin)
	if g, w := history(t, again, returned.desk.ID()), history(t, there, origin.desk.ID()); !slices.Equal(g, w) {
		t.Errorf("events = %q, want %q", g, w)
	}
	if g, w := text(t, returned.do(t, "POST", "/v1/message", `{"message": "Is the door of the shop green?"}`)), "green"; !strings.Contains(g, w) {
		t.Errorf("the copy that came back answers %s, want %s", g, w)
	}
}
