package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
)

// A ground is a store on which histories happen, one after the other, each in a
// company of its own.
type ground struct {
	t      *testing.T // nil in a process of its own
	ctx    context.Context
	place  string
	store  closingStore
	beside database
	mutant string // see plant
}

func newGround(t *testing.T) *ground {
	t.Helper()
	g, err := groundAt(t.Context(), newPlace(t))
	if err != nil {
		t.Fatal(err)
	}
	g.t = t
	t.Cleanup(func() {
		if err := g.close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// groundAt opens the store at a place.
func groundAt(ctx context.Context, place string) (*ground, error) {
	g := &ground{ctx: ctx, place: place}
	var err error
	if g.store, err = openStore(ctx, g.place); err != nil {
		return nil, err
	}
	if p, ok := g.store.(interface{ Prepare(context.Context) error }); ok {
		if err := p.Prepare(ctx); err != nil {
			return nil, err
		}
	}
	g.beside, err = raw(g.place)
	return g, err
}

func (g *ground) close() error { return errors.Join(g.beside.Close(), g.store.Close()) }

// A broken is what was seen that breaks the promise.
type broken struct{ what string }

// happen lets a history happen, and returns what broke the promise, or "".
func (g *ground) happen(seed uint64, history []deed, bytes bool) (what string) {
	w := g.annals(seed)
	defer w.end()
	defer noticed(&what)
	w.begin()
	for _, d := range history {
		w.do(d)
	}
	w.deed = deed{N: len(history), Do: "end"}
	w.look(bytes)
	w.deleteCompany(bytes)
	return ""
}

// annals returns those of a history that has not begun.
func (g *ground) annals(seed uint64) *annals {
	return &annals{
		ground: g, seed: seed, web: &web{sites: map[string]map[int]saying{}}, tap: newTap(plant(g.mutant, g.store)),
		ever: map[string]map[string]bool{}, there: map[string]bool{}, of: map[string]string{}, gone: map[string]string{}, chats: map[string]*chat{},
	}
}

// noticed is deferred, and notes what has broken the promise.
func noticed(what *string) {
	r := recover()
	if b, ok := r.(broken); ok {
		*what = b.what
	} else if r != nil {
		*what = fmt.Sprintf("panic: %v\n%s", r, debug.Stack())
	}
}

// do does a deed.
func (w *annals) do(d deed) {
	w.deed = d
	for _, known := range deeds {
		if known.do == d.Do {
			known.run(w, d)
		}
	}
	if w.tap.crashed() {
		w.rise()
	}
}

// The slots of a history.
const (
	docSlots    = 8
	agentSlots  = 3 // the first one is the company's
	sourceSlots = 3 // the last one is an API
	userSlots   = 3
)

// Annals are what there is while a history happens, and what must be and must not
// be.
type annals struct {
	*ground
	seed uint64
	deed deed

	tap       *tap
	desk      *answerdesk.Desk
	company   *answerdesk.Company
	companyID string
	client    *client.Client
	web       *web
	stop      func() // ends the desk's Run

	agents  [agentSlots]string
	docs    [docSlots]*entry
	sources [sourceSlots]*origin
	chats   map[string]*chat // by conversation
	sent    []sent
	unheard []string // replies

	ever   map[string]map[string]bool // the secrets that each document has held
	there  map[string]bool            // documents
	of     map[string]string          // the sources of documents
	unsure func()                     // learns what the deed came to that a crash broke off
	gone   map[string]string          // secrets that must not be seen any more, and why
}

// An entry is a document that was put.
type entry struct {
	id       string
	now      saying
	versions []saying
}

// An origin is a website or an API.
type origin struct {
	id, host string
	api      bool
	agent    int
	old      []saying        // that pages of it have had
	barred   map[int]string  // pages whose documents were deleted
	buried   map[string]bool // secrets of what was live when it was deleted
	live     map[int]saying  // as it must be found
	seen     map[int]saying  // what the run reads, or has read
	run      string          // that has not been looked at since it was started
	latest   string          // run that was started
	held     *held           // before it publishes or stages
}

// A chat is a conversation in which somebody said what is their own.
type chat struct {
	agent, user int
	secrets     []string
}

// A sent is a message over HTTP that may be sent again.
type sent struct {
	key string
	req api.MessageRequest
}

func (w *annals) fail(format string, args ...any) {
	panic(broken{fmt.Sprintf("at %v: ", w.deed) + fmt.Sprintf(format, args...)})
}

// must fails unless err is nil. If the process has crashed it returns false.
func (w *annals) must(err error) bool {
	if w.tap.crashed() {
		return false
	}
	if err != nil {
		w.fail("%v", err)
	}
	return true
}

// begin makes the company.
func (w *annals) begin() {
	desk, err := answerdesk.New(w.ctx, w.tap, nil)
	if err != nil {
		w.fail("%v", err)
	}
	c, err := desk.Companies().Create(w.ctx, "A company")
	if err != nil {
		w.fail("%v", err)
	}
	w.companyID = c.ID
	if err := desk.Close(); err != nil {
		w.fail("%v", err)
	}
	w.live()
	a, err := w.company.Agents().Get(w.ctx, "")
	if err == nil {
		a.Threshold = 1e-9
		_, err = w.company.Agents().Update(w.ctx, a)
	}
	if err != nil {
		w.fail("%v", err)
	}
}

// live begins a life of the desk.
func (w *annals) live() {
	st := w.tap.Store
	w.tap = newTap(st)
	desk, err := answerdesk.New(w.ctx, w.tap, &answerdesk.Options{HTTPClient: &http.Client{Transport: w.web}, DrainTimeout: time.Millisecond})
	if err != nil {
		w.fail("%v", err)
	}
	w.desk, w.company = desk, desk.Company(w.companyID)
	w.client = server.Client(desk, access.Principal{ID: "key_history", Company: w.company.ID(), Scope: access.ScopeFull, Plan: access.PlanUnlimited}, client.WithMaxRetries(0))
	ctx, cancel := context.WithCancel(w.ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = desk.Run(ctx) })
	w.stop = func() { cancel(); wg.Wait() }
}

// die ends a life of the desk, in whatever it is doing.
func (w *annals) die() {
	if w.stop == nil {
		return
	}
	w.tap.kill()
	w.stop()
	_ = w.desk.Close()
	w.stop = nil
}

// end leaves nothing of a history behind.
func (w *annals) end() {
	w.die()
	if w.companyID != "" {
		_ = w.store.DeleteCompany(context.WithoutCancel(w.ctx), store.Commit{Company: w.companyID}) // it may be gone
	}
}

// rise begins another life after a crash, in which what was broken off goes on.
func (w *annals) rise() {
	w.die()
	for _, o := range w.sources {
		if o != nil {
			o.held = nil
		}
	}
	for _, table := range []string{"conversations", "work_keys"} {
		if _, err := w.beside.ExecContext(w.ctx, `UPDATE `+table+` SET lease_until = 1 WHERE lease_until > 1`); err != nil {
			w.fail("%v", err)
		}
	}
	before := w.tap.Store
	w.tap = newTap(before)
	for _, o := range w.sources {
		if o == nil || o.run == "" {
			continue
		}
		if r, err := w.store.Run(w.ctx, w.company.ID(), o.run); err == nil && !r.State.Ended() {
			o.seen = w.web.pages(o.host) // it reads all again
		}
	}
	w.live()
	if w.unsure != nil {
		w.unsure()
		w.unsure = nil
	}
	for _, o := range w.sources {
		w.settle(o)
	}
	w.observe()
}

// restartDesk stops the desk and makes another one on the same store.
func (w *annals) restartDesk(d deed) {
	for _, o := range w.sources {
		w.settle(o)
	}
	if w.tap.crashed() {
		return
	}
	w.stop()
	if err := w.desk.Close(); err != nil {
		w.fail("%v", err)
	}
	w.stop = nil
	w.live()
}

func (w *annals) armCrash(d deed) { w.tap.crash(1+d.A%12, d.B%2 == 0) }

// wait waits until a run has ended, and returns false if the process has crashed.
func (w *annals) wait(runID string) (knowledge.Run, bool) {
	deadline := time.NewTimer(5 * time.Minute)
	defer deadline.Stop()
	for {
		news := w.tap.news()
		r, err := w.company.Knowledge().Run(w.ctx, runID)
		if w.tap.crashed() {
			return r, false
		}
		if err != nil {
			w.fail("run: %v", err)
		}
		if r.State.Ended() {
			return r, true
		}
		select {
		case <-news:
		case <-w.tap.death:
			return r, false
		case <-deadline.C:
			w.fail("run %s is still %s", runID, r.State)
		}
	}
}

// bury notes that a document is gone for good.
func (w *annals) bury(documentID, why string) {
	delete(w.there, documentID)
	for secret := range w.ever[documentID] {
		if !w.heldElsewhere(secret, documentID) {
			w.gone[secret] = fmt.Sprintf("%s, at %v", why, w.deed)
		}
	}
}

// heldElsewhere reports whether another document that is there holds or held a secret.
func (w *annals) heldElsewhere(secret, documentID string) bool {
	for id := range w.there {
		if id != documentID && w.ever[id][secret] {
			return true
		}
	}
	return false
}

// hold notes that a document holds a text.
func (w *annals) hold(documentID, secret string) {
	if w.ever[documentID] == nil {
		w.ever[documentID] = map[string]bool{}
	}
	w.ever[documentID][secret], w.there[documentID] = true, true
}

// observe reads what documents there are, and compares it with what must be.
func (w *annals) observe() {
	kb := w.company.Knowledge()
	now := map[string]knowledge.Document{}
	texts := map[string]string{}
	for p := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := kb.List(w.ctx, knowledge.Filter{}, p)
		if err != nil {
			w.fail("list: %v", err)
		}
		for _, d := range l.Data {
			now[d.ID] = d
			w.of[d.ID] = d.SourceID
			versions, err := kb.Versions(w.ctx, d.ID)
			if err != nil {
				w.fail("versions: %v", err)
			}
			for _, v := range versions {
				text, err := kb.Text(w.ctx, d.ID, v.Version)
				if err != nil {
					w.fail("text: %v", err)
				}
				if v.Live {
					texts[d.ID] = text
				}
				for _, secret := range secretsIn(text) {
					w.hold(d.ID, secret)
				}
			}
		}
		if !l.HasMore {
			break
		}
		p.Cursor = l.NextCursor
	}
	for id := range w.there {
		if _, ok := now[id]; !ok {
			delete(w.there, id)
			w.bury(id, "a run found it gone")
		}
	}
	for id := range now {
		for secret := range w.ever[id] {
			if why, ok := w.gone[secret]; ok && strings.Contains(texts[id], secret) {
				w.fail("document %s %q holds %s again, which is gone: %s", id, now[id].ExternalID, secret, why)
			}
		}
	}
	for slot, e := range w.docs {
		if e != nil && !strings.Contains(texts[e.id], e.now.secret) {
			w.fail("document %d is lost: %s is %q, want %s", slot, e.id, texts[e.id], e.now.secret)
		}
	}
	for slot, o := range w.sources {
		if o == nil {
			continue
		}
		have := map[string]string{}
		for id, d := range now {
			if d.SourceID == o.id {
				have[d.ExternalID] = id
			}
		}
		for p, why := range o.barred {
			if id, ok := have[o.name(p)]; ok {
				w.fail("page %d of source %d is document %s again, which was deleted: %s", p, slot, id, why)
			}
		}
		for p, said := range o.live {
			if id := have[o.name(p)]; !strings.Contains(texts[id], said.secret) {
				w.fail("page %d of source %d is lost: document %q is %q, want %s", p, slot, id, texts[id], said.secret)
			}
		}
	}
}

// name is the external id of a page.
func (o *origin) name(p int) string {
	if o.api {
		return fmt.Sprint(p)
	}
	return fmt.Sprintf("http://%s/p/%d", o.host, p)
}

// settle lets the run of a source end, and works out what must be found.
func (w *annals) settle(o *origin) {
	if o == nil || o.run == "" || w.tap.crashed() {
		return
	}
	if o.held != nil {
		o.held.release()
		o.held = nil
	}
	r, ok := w.wait(o.run)
	if !ok {
		return
	}
	o.run = ""
	switch r.State {
	case knowledge.RunCancelled:
		return
	case knowledge.RunFailed:
		w.fail("run of source failed: %v", r.Error)
	}
	o.live = map[int]saying{}
	for p, said := range o.seen {
		switch {
		case o.barred[p] != "":
		case o.buried[said.secret]:
			// It stays where it was when another was deleted that says the same.
		default:
			o.live[p] = said
		}
	}
	w.observe()
}

// secretsIn returns the words of a text that are looked for.
func secretsIn(text string) (out []string) {
	for {
		i := strings.Index(text, secretPrefix)
		if i < 0 {
			return out
		}
		n := i
		for n < len(text) && text[n] >= 'a' && text[n] <= 'z' {
			n++
		}
		if n-i == secretLetters {
			out = append(out, text[i:n])
		}
		text = text[max(n, i+len(secretPrefix)):]
	}
}

// remaining returns where pieces of secrets are in the store's files, or its columns.
func (w *annals) remaining(secrets []string) map[string]string {
	var pieces []string
	for _, s := range secrets { // however a page ends, one half of a word is whole
		pieces = append(pieces, s[:secretLetters/2], s[secretLetters/2:])
	}
	found := map[string]string{}
	look := func(in, text string) {
		for i, p := range pieces {
			if strings.Contains(text, p) {
				found[in] = secrets[i/2]
			}
		}
	}
	if isURL(w.place) {
		columns(w.t, w.place, func(table, column, text string) { look(table+"."+column, text) })
		return found
	}
	files, err := os.ReadDir(w.place)
	if err != nil {
		w.fail("%v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(w.place, f.Name()))
		if err != nil {
			w.fail("%v", err)
		}
		look(f.Name(), string(b))
	}
	return found
}

// deleteCompany deletes the company, after which nothing at all is left of it.
func (w *annals) deleteCompany(bytes bool) {
	for _, o := range w.sources {
		w.settle(o)
	}
	w.tap.letGo()
	if err := w.desk.Companies().Delete(w.ctx, w.company.ID()); err != nil {
		w.fail("delete company: %v", err)
	}
	if !bytes {
		return
	}
	w.die()
	w.maintain()
	all := slices.Collect(maps.Keys(w.gone))
	for _, secrets := range w.ever {
		all = slices.AppendSeq(all, maps.Keys(secrets))
	}
	for _, c := range w.chats {
		all = append(all, c.secrets...)
	}
	if found := w.remaining(all); len(found) > 0 {
		w.fail("after the company was deleted, there are pieces in %v", found)
	}
}

// maintain does what a desk's Run does every half minute.
func (w *annals) maintain() {
	if m, ok := w.store.(interface {
		Maintain(context.Context) (bool, error)
	}); ok {
		if empty, err := m.Maintain(w.ctx); err != nil || !empty {
			w.fail("upkeep: %v, %v", empty, err)
		}
	}
}
