package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// try does what a deed is about, and reports whether that is certain. If the process
// crashes, learn finds out what it came to, in the next life.
func (w *annals) try(do func() error, learn func()) bool {
	w.unsure = learn
	if !w.must(do()) {
		return false
	}
	w.unsure = nil
	return true
}

// document is the document of a slot with a text.
func (w *annals) document(slot int, said saying) knowledge.Document {
	d := knowledge.Document{
		AgentID: w.agents[slot%agentSlots], ExternalID: fmt.Sprintf("d%d", slot), Title: said.title(), Text: said.text(),
		Metadata: map[string]any{"note": said.secret}, URL: "https://example.com/" + said.secret,
	}
	switch slot % 4 {
	case 1:
		d.Kind, d.Questions = knowledge.KindQA, []string{said.question(), "Tell me the code of " + said.topic, "Is it " + said.secret + "?"}
	case 2:
		d.Kind = knowledge.KindContent
	case 3:
		d.Format = knowledge.Markdown
		d.Text = "# The code\n\n" + d.Text
	}
	return d
}

// owned reports whether the agent of a slot is there.
func (w *annals) owned(slot int) bool { return slot%agentSlots == 0 || w.agents[slot%agentSlots] != "" }

// stored notes that a slot has a text.
func (w *annals) stored(slot int, documentID string, said saying) {
	e := w.docs[slot]
	if e == nil || e.id != documentID {
		e = &entry{id: documentID}
		w.docs[slot] = e
	}
	e.now = said
	e.versions = append(e.versions, said)
	w.hold(documentID, said.secret)
}

// learn finds out what a slot has after a crash, of what it had and said.
func (w *annals) learn(slot int, said ...saying) {
	e := w.docs[slot]
	w.docs[slot] = nil
	l, err := w.company.Knowledge().List(w.ctx, knowledge.Filter{ExternalID: fmt.Sprintf("d%d", slot)}, store.Page{})
	if err != nil {
		w.fail("%v", err)
	}
	for _, d := range l.Data {
		if d.AgentID != w.agents[slot%agentSlots] {
			continue
		}
		text, err := w.company.Knowledge().Text(w.ctx, d.ID, 0)
		if err != nil {
			w.fail("%v", err)
		}
		if e != nil && e.id == d.ID {
			w.docs[slot] = e
			said = append(said, e.versions...)
		}
		for _, s := range said {
			if strings.Contains(text, s.secret) {
				w.stored(slot, d.ID, s)
				return
			}
		}
		w.fail("document %d is %q after a crash", slot, text)
	}
	if e != nil {
		w.bury(e.id, "deleted in a crash")
	}
}

func (w *annals) put(d deed) {
	slot := d.A % docSlots
	if !w.owned(slot) {
		return
	}
	said := w.saying(d.N, 0)
	doc := w.document(slot, said)
	var id string
	if !w.try(func() error {
		if slot%4 == 3 && d.B%2 == 0 {
			text := []byte("<title>" + said.title() + "</title><h1>The code</h1><p>" + said.text() + "</p>")
			out, err := w.company.Knowledge().PutFile(w.ctx, knowledge.File{
				Document: knowledge.Document{AgentID: doc.AgentID, ExternalID: doc.ExternalID, Metadata: doc.Metadata},
				Name:     "file.html", ContentType: "text/html", Content: bytes.NewReader(text), Size: int64(len(text)),
			})
			id = out.ID
			return err
		}
		out, err := w.company.Knowledge().Put(w.ctx, doc)
		id = out.ID
		return err
	}, func() { w.learn(slot, said) }) {
		return
	}
	w.stored(slot, id, said)
}

func (w *annals) bulk(d deed) {
	var docs []knowledge.Document
	var slots []int
	for k := range 3 {
		if slot := (d.A + k) % docSlots; w.owned(slot) {
			slots = append(slots, slot)
			docs = append(docs, w.document(slot, w.saying(d.N, k)))
		}
	}
	var out []knowledge.Ingested
	if !w.try(func() (err error) {
		out, err = w.company.Knowledge().Bulk(w.ctx, docs, &knowledge.BulkOptions{Atomic: d.B%2 == 0})
		return err
	}, func() {
		for _, slot := range slots {
			w.learn(slot, w.saying(d.N, 0), w.saying(d.N, 1), w.saying(d.N, 2))
		}
	}) {
		return
	}
	for i, r := range out {
		if r.Err != nil {
			w.fail("item %d of a bulk: %v", i, r.Err)
		}
		w.stored(slots[i], r.Document.ID, w.saying(d.N, (slots[i]-d.A%docSlots+docSlots)%docSlots))
	}
}

// pick returns a document that is there, or nil.
func (w *annals) pick(n int) (int, *entry) {
	for k := range docSlots {
		if slot := (n + k) % docSlots; w.docs[slot] != nil {
			return slot, w.docs[slot]
		}
	}
	return 0, nil
}

func (w *annals) patch(d deed) {
	slot, e := w.pick(d.A)
	if e == nil {
		return
	}
	said := w.saying(d.N, 0)
	doc := w.document(slot, said)
	p := knowledge.Patch{Title: &doc.Title, Text: &doc.Text, Metadata: doc.Metadata, URL: &doc.URL}
	switch slot % 4 {
	case 1:
		p.Questions = doc.Questions
	case 3:
		p.Format = &doc.Format // a file before, perhaps
	}
	if w.try(func() error { _, err := w.company.Knowledge().Patch(w.ctx, e.id, p); return err }, func() { w.learn(slot, said) }) {
		w.stored(slot, e.id, said)
	}
}

func (w *annals) rollBack(d deed) {
	slot, e := w.pick(d.A)
	if e == nil {
		return
	}
	versions, err := w.company.Knowledge().Versions(w.ctx, e.id)
	if !w.must(err) {
		return
	}
	v := versions[d.B%len(versions)].Version
	text, err := w.company.Knowledge().Text(w.ctx, e.id, v)
	if !w.must(err) {
		return
	}
	if w.try(func() error { _, err := w.company.Knowledge().Rollback(w.ctx, e.id, v, time.Time{}); return err }, func() { w.learn(slot) }) {
		for _, s := range e.versions {
			if strings.Contains(text, s.secret) {
				e.now = s
			}
		}
	}
}

func (w *annals) delete(d deed) {
	slot, e := w.pick(d.A)
	if e == nil {
		return
	}
	if w.try(func() error { _, err := w.company.Knowledge().Delete(w.ctx, e.id); return err }, func() { w.learn(slot) }) {
		w.deleted(slot)
	}
}

// deleted notes that the document of a slot was deleted, and looks for it.
func (w *annals) deleted(slot int) {
	e := w.docs[slot]
	w.docs[slot] = nil
	w.bury(e.id, "deleted")
	w.glance(e.id, e.now)
	if v, err := w.company.Knowledge().Rollback(w.ctx, e.id, 1, time.Time{}); !w.tap.crashed() && !errors.Is(err, store.ErrNotFound) {
		w.fail("a document that was deleted is rolled back: %v, %v", v, err)
	}
}

// deleteWhileAsked deletes a document when a turn has written its reply from it, and is
// about to end.
func (w *annals) deleteWhileAsked(d deed) {
	slot, e := w.pick(d.A)
	if e == nil {
		return
	}
	w.meanwhile(w.agents[slot%agentSlots], e.now, agent.User{}, func() bool {
		w.delete(deed{d.N, d.Do, slot, d.B, d.C})
		return w.docs[slot] == nil
	})
}

// meanwhile does something while a turn is about to end.
func (w *annals) meanwhile(agentID string, said saying, user agent.User, do func() bool) {
	for _, id := range w.unheard {
		w.waitTurn(id) // so that it is not held in place of the one that is meant
	}
	h := w.tap.hold("end turn")
	type answer struct {
		reply agent.Reply
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		r, err := w.company.Agent(agentID).Ask(w.ctx, agent.Message{Text: said.question(), User: user})
		answered <- answer{r, err}
	}()
	var got answer
	select {
	case <-h.came:
		do()
		h.release()
		got = <-answered
	case got = <-answered: // it has crashed, or failed
		w.tap.letGo()
	}
	if got.err != nil || w.tap.crashed() {
		return
	}
	stored, err := w.company.Conversations().Message(w.ctx, got.reply.ID)
	if errors.Is(err, store.ErrNotFound) || !w.must(err) {
		return
	}
	if !slices.ContainsFunc(stored.Reply.Citations, func(c agent.Citation) bool { return c.Erased }) { // else another turn was held, and this one had ended before
		w.scan("the reply of a turn that was under way", got.reply)
	}
	w.scan("the reply of a turn that was under way, as it is stored", stored)
}

func (w *annals) addAgent(d deed) {
	slot := 1 + d.A%(agentSlots-1)
	if w.agents[slot] != "" {
		return
	}
	name := fmt.Sprintf("Agent %d", d.N)
	if !w.try(func() error {
		a, err := w.company.Agents().Create(w.ctx, agent.Settings{Name: name, Threshold: 1e-9})
		if err == nil {
			w.agents[slot] = a.ID
		}
		return err
	}, func() {
		l, err := w.company.Agents().List(w.ctx, store.Page{})
		if err != nil {
			w.fail("%v", err)
		}
		for _, a := range l.Data {
			if a.Name == name {
				w.agents[slot] = a.ID
			}
		}
	}) {
		return
	}
}

func (w *annals) deleteAgent(d deed) {
	slot := 1 + d.A%(agentSlots-1)
	id := w.agents[slot]
	if id == "" {
		return
	}
	forget := func() {
		w.agents[slot] = ""
		for i, e := range w.docs {
			if i%agentSlots == slot && e != nil {
				w.docs[i] = nil
				w.bury(e.id, "agent deleted")
			}
		}
		for i, o := range w.sources {
			if o != nil && o.agent == slot {
				w.forgetSource(i, "agent deleted")
			}
		}
		for conversation, c := range w.chats {
			if c.agent == slot {
				w.forgetChat(conversation, "agent deleted")
			}
		}
	}
	if w.try(func() error { _, err := w.company.Agents().Delete(w.ctx, id); return err }, func() {
		if _, err := w.company.Agents().Get(w.ctx, id); errors.Is(err, store.ErrNotFound) {
			forget()
		}
	}) {
		forget()
	}
}

// talk returns the agent and user of a deed.
func (w *annals) talk(d deed) (agentSlot int, user agent.User) {
	agentSlot = d.B % agentSlots
	if w.agents[agentSlot] == "" {
		agentSlot = 0
	}
	u := d.C % userSlots
	return agentSlot, agent.User{ID: fmt.Sprintf("user-%d", u)}
}

// target returns a text that a deed's agent may be asked about.
func (w *annals) target(d deed) (agentID string, said saying, ok bool) {
	if d.C%2 == 0 {
		if o := w.sources[d.A%sourceSlots]; o != nil {
			for _, p := range slices.Sorted(maps.Keys(o.live)) {
				return w.agents[o.agent], o.live[p], true
			}
		}
	}
	slot, e := w.pick(d.A)
	if e == nil {
		return "", saying{}, false
	}
	return w.agents[slot%agentSlots], e.now, true
}

func (w *annals) ask(d deed) {
	agentID, said, ok := w.target(d)
	if !ok {
		return
	}
	reply, err := w.company.Agent(agentID).Ask(w.ctx, agent.Message{Text: said.question()})
	if w.must(err) && !strings.Contains(reply.Text, said.secret) {
		w.fail("asked %q, the reply is %q, want %s", said.question(), reply.Text, said.secret)
	}
}

func (w *annals) stream(d deed) {
	agentID, said, ok := w.target(d)
	if !ok {
		return
	}
	for ev, err := range w.company.Agent(agentID).Stream(w.ctx, agent.Message{Text: said.question()}) {
		if !w.must(err) {
			return
		}
		w.scan("a stream", ev)
	}
}

func (w *annals) streamUnheard(d deed) {
	agentID, said, ok := w.target(d)
	if !ok {
		return
	}
	started, err := w.company.Agent(agentID).StartStream(w.ctx, agent.Message{Text: said.question()})
	if w.must(err) {
		w.unheard = append(w.unheard, started.ReplyID)
	}
}

// chat says something that is the user's own.
func (w *annals) chat(d deed) {
	slot, user := w.talk(d)
	said := w.saying(d.N, 0)
	user.Name, user.Email, user.Phone = said.secret, said.secret, said.secret
	note := func(conversationID string) {
		c := w.chats[conversationID]
		if c == nil {
			c = &chat{agent: slot, user: d.C % userSlots}
			w.chats[conversationID] = c
		}
		c.secrets = append(c.secrets, said.secret)
	}
	var reply agent.Reply
	if !w.try(func() (err error) {
		reply, err = w.company.Agent(w.agents[slot]).Ask(w.ctx, agent.Message{
			Text: "I am " + said.secret, User: user, Metadata: map[string]any{"note": said.secret},
		})
		return err
	}, func() {
		for _, m := range w.messages() {
			if strings.Contains(m.Text, said.secret) && m.Role == agent.RoleUser {
				note(m.ConversationID)
			}
		}
	}) {
		return
	}
	note(reply.ConversationID)
}

// messages returns all messages there are.
func (w *annals) messages() (out []agent.Message) {
	for p := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := w.company.Conversations().Find(w.ctx, agent.MessageFilter{}, p)
		if !w.must(err) {
			return out
		}
		out = append(out, l.Data...)
		if !l.HasMore {
			return out
		}
		p.Cursor = l.NextCursor
	}
}

func (w *annals) forgetChat(conversationID, why string) {
	for _, secret := range w.chats[conversationID].secrets {
		w.gone[secret] = fmt.Sprintf("%s, at %v", why, w.deed)
	}
	delete(w.chats, conversationID)
}

// pickChat returns a conversation, or "".
func (w *annals) pickChat(n int) string {
	all := slices.Sorted(maps.Keys(w.chats))
	if len(all) == 0 {
		return ""
	}
	return all[n%len(all)]
}

func (w *annals) deleteConversation(d deed) {
	id := w.pickChat(d.A)
	if id == "" {
		return
	}
	if w.try(func() error { _, err := w.company.Conversations().Delete(w.ctx, id); return err }, func() {
		if _, err := w.company.Conversations().Get(w.ctx, id); errors.Is(err, store.ErrNotFound) {
			w.forgetChat(id, "conversation deleted")
		}
	}) {
		w.forgetChat(id, "conversation deleted")
	}
}

// deleteConversationWhileAsked deletes the conversation that a turn is in.
func (w *annals) deleteConversationWhileAsked(d deed) {
	id := w.pickChat(d.A)
	if id == "" {
		return
	}
	c := w.chats[id]
	user := agent.User{ID: fmt.Sprintf("user-%d", c.user)}
	w.meanwhile(w.agents[c.agent], w.saying(d.N, 0), user, func() bool {
		w.deleteConversation(d)
		return true
	})
}

func (w *annals) deleteUser(d deed) {
	u := d.A % userSlots
	name := fmt.Sprintf("user-%d", u)
	forget := func() {
		for id, c := range w.chats {
			if c.user == u {
				w.forgetChat(id, "user deleted")
			}
		}
	}
	if w.try(func() error {
		_, err := w.company.Users().Delete(w.ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}, func() {
		if _, err := w.company.Users().Get(w.ctx, name); errors.Is(err, store.ErrNotFound) {
			forget()
		}
	}) {
		forget()
	}
}

// sweep removes the texts that documents have had before.
func (w *annals) sweep(deed) {
	for {
		swept, err := w.store.Sweep(w.ctx, knowledge.Retention{Versions: 1, Events: -1, Runs: -1, Changes: -1, DeadJobs: -1, Audit: -1}, 1000)
		if !w.must(err) || len(swept) == 0 {
			return
		}
	}
}
