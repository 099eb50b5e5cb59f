package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// scan fails if there is a word in v that must be gone.
func (w *annals) scan(where string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		w.fail("%s: %v", where, err)
	}
	for _, secret := range secretsIn(string(text)) {
		if why, ok := w.gone[secret]; ok {
			w.fail("%s holds %s, which is gone: %s", where, secret, why)
		}
	}
}

// glance looks for a document that was deleted where it is most likely to be found.
func (w *annals) glance(documentID string, said saying) {
	kb := w.company.Knowledge()
	if w.tap.crashed() {
		return
	}
	found, err := kb.Search(w.ctx, knowledge.Query{Text: said.question() + " " + said.secret, Limit: 50})
	if !w.must(err) {
		return
	}
	w.scan("a search", found.Hits)
	for version := range 3 {
		if text, err := kb.Text(w.ctx, documentID, version); err == nil {
			w.fail("version %d of document %s, which was deleted, is %q", version, documentID, text)
		}
	}
	citing, err := w.company.Conversations().Citing(w.ctx, documentID, store.Page{})
	w.scan("replies that cite a document", citing.Data)
	if w.must(err) && len(citing.Data) > 0 {
		w.fail("%d replies cite a document that was deleted", len(citing.Data))
	}
	for _, m := range w.messages() {
		w.scan("a message", m)
	}
}

// waitTurn waits until a turn has ended, without reading what it tells.
func (w *annals) waitTurn(replyID string) {
	for {
		news := w.tap.news()
		if _, err := w.company.Conversations().Running(w.ctx, replyID); err != nil || w.tap.crashed() {
			return
		}
		select {
		case <-news:
		case <-time.After(5 * time.Second): // its end does not come: Recover takes it over
		}
	}
}

// send sends a message over HTTP, and perhaps one that was sent before.
func (w *annals) send(d deed) {
	agentID, said, ok := w.target(d)
	if !ok {
		return
	}
	s := sent{key: fmt.Sprintf("key-%d", d.N), req: api.MessageRequest{AgentID: agentID, Message: said.question()}}
	reply, err := w.client.Messages.Create(w.ctx, s.req, client.WithIdempotencyKey(s.key))
	if !w.must(err) {
		return
	}
	w.scan("a reply over HTTP", reply)
	w.sent = append(w.sent, s)
}

// look looks everywhere: what must be gone is nowhere, and what must be there is
// found. With bytes, nothing is left of the former in the store either.
func (w *annals) look(inBytes bool) {
	for _, o := range w.sources {
		w.settle(o)
	}
	w.tap.crash(0, false)
	if w.tap.crashed() {
		w.rise()
	}
	w.observe()
	w.lookForGone()
	w.lookForThere()
	if w.tap.crashed() {
		w.fail("it crashes without being told to")
	}
	if inBytes && len(w.gone) > 0 {
		w.maintainSoon()
		if found := w.remaining(slices.Collect(maps.Keys(w.gone))); len(found) > 0 {
			why := map[string]string{}
			for in, secret := range found {
				why[in] = secret + " " + w.gone[secret]
			}
			w.fail("pieces of what is gone are in %v", why)
		}
	}
}

// maintainSoon does the upkeep of the store when nobody reads.
func (w *annals) maintainSoon() {
	w.stop()
	w.stop = nil
	if err := w.desk.Close(); err != nil {
		w.fail("%v", err)
	}
	w.maintain()
	w.live()
}

// lookForThere asks for what must be found.
func (w *annals) lookForThere() {
	find := func(agentID string, said saying) {
		found, err := w.company.Knowledge().Search(w.ctx, knowledge.Query{Text: said.question(), AgentID: agentID})
		w.must(err)
		if !slices.ContainsFunc(found.Hits, func(h knowledge.Hit) bool { return strings.Contains(h.Text, said.secret) }) {
			w.fail("search %q for agent %q finds %d passages, none with %s", said.question(), agentID, len(found.Hits), said.secret)
		}
	}
	var last func()
	answer := func(agentID string, said saying) {
		last = func() {
			reply, err := w.company.Agent(agentID).Ask(w.ctx, agent.Message{Text: said.question()})
			if w.must(err) && (!strings.Contains(reply.Text, said.secret) || len(reply.Citations) == 0) {
				w.fail("asked %q, the reply is %q, want %s", said.question(), reply.Text, said.secret)
			}
		}
	}
	for slot, e := range w.docs {
		if e != nil {
			find(w.agents[slot%agentSlots], e.now)
			answer(w.agents[slot%agentSlots], e.now)
		}
	}
	for _, o := range w.sources {
		if o == nil {
			continue
		}
		for _, p := range slices.Sorted(maps.Keys(o.live)) {
			find(w.agents[o.agent], o.live[p])
			answer(w.agents[o.agent], o.live[p])
		}
	}
	if last != nil {
		last()
	}
	var all strings.Builder
	for _, m := range w.messages() {
		if m.Role == agent.RoleUser {
			all.WriteString(m.Text)
		}
	}
	for id, c := range w.chats {
		for _, secret := range c.secrets {
			if !strings.Contains(all.String(), secret) {
				w.fail("a message of conversation %s is lost", id)
			}
		}
	}
}

// lookForGone reads all there is to be read of the company.
func (w *annals) lookForGone() {
	kb, conversations := w.company.Knowledge(), w.company.Conversations()
	page := store.Page{Limit: store.MaxLimit}
	docs, err := kb.List(w.ctx, knowledge.Filter{}, page)
	w.must(err)
	w.scan("documents", docs.Data)
	for _, d := range docs.Data {
		versions, err := kb.Versions(w.ctx, d.ID)
		w.must(err)
		w.scan("versions", versions)
		for _, v := range versions {
			text, err := kb.Text(w.ctx, d.ID, v.Version)
			w.must(err)
			w.scan("a version", text)
		}
	}
	for _, m := range w.messages() {
		w.scan("message "+m.ID, m)
		if m.Reply == nil {
			continue
		}
		alone, err := conversations.Message(w.ctx, m.ID)
		w.must(err)
		w.scan("a message alone", alone)
		why, err := conversations.Explain(w.ctx, m.ID)
		w.must(err)
		w.scan("an explanation", why)
		if n := len(m.Reply.Citations); n > 0 && !m.Reply.Citations[0].Erased {
			citing, err := conversations.Citing(w.ctx, m.Reply.Citations[0].DocumentID, page)
			w.must(err)
			w.scan("replies that cite a document", citing.Data)
			if !slices.ContainsFunc(citing.Data, func(r agent.Reply) bool { return r.ID == m.ID }) {
				w.fail("reply %s is not among those that cite what it cites", m.ID)
			}
		}
	}
	for u := range userSlots {
		name := fmt.Sprintf("user-%d", u)
		for e, err := range w.company.Users().Export(w.ctx, name) {
			w.must(err)
			w.scan("an export", e)
		}
		if r, err := w.company.Users().Get(w.ctx, name); err == nil {
			w.scan("a user", r)
		}
	}
	for _, id := range w.unheard {
		w.waitTurn(id) // until its end it may tell what it found before
		for ev, err := range conversations.Watch(w.ctx, id, 0) {
			if err == nil {
				w.scan("a stream that was not read", ev)
			}
		}
		events, err := w.client.Messages.Events(w.ctx, id, nil)
		if err == nil {
			w.scan("events of a message", events)
		}
	}
	for _, s := range w.sent {
		if reply, err := w.client.Messages.Create(w.ctx, s.req, client.WithIdempotencyKey(s.key)); err == nil {
			w.scan("a replay over HTTP", reply)
		}
	}
	sources, err := kb.Sources(w.ctx, "", page)
	w.must(err)
	w.scan("sources", sources.Data)
	for _, s := range sources.Data {
		if s.Kind == knowledge.SourceWebsite {
			report, err := kb.WebsiteReport(w.ctx, s.ID, page)
			w.must(err)
			w.scan("a report", report.Data)
		}
	}
	runs, err := kb.Runs(w.ctx, knowledge.RunFilter{}, page)
	w.must(err)
	w.scan("runs", runs.Data)
	for _, r := range runs.Data {
		events, _, err := kb.RunEvents(w.ctx, r.ID, 0)
		w.must(err)
		w.scan("events of a run", events)
	}
	for after := ""; ; {
		events, err := w.store.Events(w.ctx, w.company.ID(), after, 1000)
		w.must(err)
		w.scan("events", events)
		if len(events) == 0 {
			break
		}
		after = events[len(events)-1].Cursor
	}
	audit, err := w.company.AuditLog(w.ctx, page)
	w.must(err)
	w.scan("the audit log", audit.Data)
	var words []string
	for secret := range w.gone {
		if words = append(words, secret); len(words) == 20 {
			break
		}
	}
	if len(words) > 0 {
		found, err := kb.Search(w.ctx, knowledge.Query{Text: strings.Join(words, " "), Limit: knowledge.MaxHits})
		w.must(err)
		w.scan("a search", found.Hits)
	}
}
