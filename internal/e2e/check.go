package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Check compares what the book says with what a store holds of a company after
// it was opened again, its lapsed turns recovered and its work done; effects says
// how often each job was done. db reads the same database as st, and lib is
// a library on st that is to find what is there. Steps that were in flight count
// from then on as taken or not, whichever it was.
func (b *Book) Check(ctx context.Context, st answerdesk.Store, db Rows, lib *knowledge.Library, company string, effects map[string]int) ([]Fault, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := read(ctx, st, db, company)
	if err != nil {
		return nil, err
	}
	c := &checker{book: b, state: s, faults: append(b.faults, s.loose...)}
	c.settle()
	c.documents()
	c.talks()
	c.queued(effects)
	c.order()
	if err := c.index(ctx, lib.Company(company)); err != nil {
		return nil, err
	}
	return c.faults, nil
}

type checker struct {
	book   *Book
	state  *state
	faults []Fault
}

func (c *checker) fault(k Kind, format string, args ...any) {
	c.faults = append(c.faults, Fault{k, fmt.Sprintf(format, args...)})
}

// settle finds out which of the steps in flight were taken. One of several
// documents is taken if one of them is: that the others are too is for documents
// to check.
func (c *checker) settle() {
	for step, n := range c.book.inFlight {
		taken := false
		switch n.Do {
		case doPut, doPatch:
			for _, d := range c.state.documents {
				taken = taken || d.step == step
			}
		case doDelete:
			d := c.book.live(n.Keys[0])
			taken = d != nil && c.state.documents[d.id] == nil
		case doAsk:
			for _, t := range c.state.talks {
				taken = taken || slices.ContainsFunc(t.messages, func(m agent.Message) bool { return stepOf(m) == step })
			}
		case doForget:
			taken = c.state.talks[n.Keys[0]] == nil
		case doQueue:
			taken = c.state.told(n.Keys[0])
		}
		if taken {
			n.Got = nil
			c.book.apply(n)
		}
	}
	c.book.inFlight = map[int]Note{}
	for key := range c.book.docs { // what no call returned the id of
		for id, row := range c.state.documents {
			if d := c.book.live(key); d != nil && d.id == "" && row.key == key {
				d.id = id
			}
		}
	}
}

// documents compares documents, their texts, their events and their entries in
// the feed.
func (c *checker) documents() {
	known := map[string]bool{}
	for key, lifetimes := range c.book.docs {
		for _, d := range lifetimes {
			known[d.id] = true
			row := c.state.documents[d.id]
			events, want := c.state.streams[d.id], len(d.writes)
			switch {
			case row == nil && !d.deleted:
				c.fault(Lost, "document %s (%s), written %d times, is not there", d.id, key, len(d.writes))
				continue
			case row != nil && d.deleted:
				c.fault(Lost, "document %s (%s) was deleted, and is there", d.id, key)
				continue
			case d.deleted:
				want++
			default:
				c.texts(d, row)
				if row.events != want {
					c.fault(Half, "document %s counts %d events, and has %d", d.id, row.events, want)
				}
			}
			var types []event.Type
			for i := range want {
				types = append(types, event.ContentUpdated)
				switch {
				case i == 0:
					types[i] = event.ContentCreated
				case i == want-1 && d.deleted:
					types[i] = event.ContentDeleted
				}
			}
			if at := differ(events, types); at != "" {
				c.fault(Half, "document %s (%s): %s", d.id, key, at)
			}
			if got := c.state.changes[d.id]; got != want {
				c.fault(Half, "document %s has %d entries in the feed, and %d events", d.id, got, want)
			}
		}
	}
	for id, row := range c.state.documents {
		if !known[id] {
			c.fault(Invented, "document %s (%s) was put by nobody", id, row.key)
		}
	}
	for id := range c.state.changes {
		if !known[id] {
			c.fault(Invented, "the feed names document %s, which was put by nobody", id)
		}
	}
	for stream := range c.state.streams {
		if strings.HasPrefix(stream, "doc_") && !known[stream] {
			c.fault(Invented, "there are events of document %s, which was put by nobody", stream)
		}
	}
	for i, revision := range c.state.revisions {
		if revision != int64(i)+1 {
			c.fault(Half, "revision %d of the feed is missing", i+1)
			break
		}
	}
	if n := int64(len(c.state.revisions)); n != c.state.revision {
		c.fault(Half, "the company is at revision %d, its feed at %d", c.state.revision, n)
	}
}

// keptVersions is how many texts of a document a store keeps.
const keptVersions = 20

// texts compares a document that is there with what was written.
func (c *checker) texts(d *lifetime, row *documentRow) {
	if last := d.writes[len(d.writes)-1].step; row.step != last {
		c.fault(Lost, "document %s is as step %d left it, not as step %d did", d.id, row.step, last)
	}
	version := 0
	for _, w := range d.writes {
		if w.text {
			version++
		}
	}
	if row.version != version {
		c.fault(Lost, "document %s is at version %d, not %d", d.id, row.version, version)
	}
	v := 0
	for _, w := range d.writes {
		if !w.text {
			continue
		}
		v++
		text, there := row.texts[v]
		switch {
		case v <= version-keptVersions && !there: // a sweep was there
		case text != Text(row.key, w.step):
			c.fault(Lost, "version %d of document %s does not read as step %d put it: %d bytes, not %d", v, d.id, w.step, len(text), len(Text(row.key, w.step)))
		}
	}
	if len(row.texts) > v {
		c.fault(Invented, "document %s has %d versions more than were put", d.id, len(row.texts)-v)
	}
}

// talks compares conversations, their events and the index of their citations.
func (c *checker) talks() {
	found := map[int]int{} // user's messages, by step
	replies := map[string]agent.Message{}
	for id, t := range c.state.talks {
		if c.book.gone[id] {
			c.fault(Lost, "conversation %s was deleted, and is there", id)
		}
		if t.Running {
			c.fault(Undone, "turn %d of conversation %s has not ended", t.Turns, id)
		}
		if len(t.messages) != 2*t.Turns || t.rows != 2*t.Turns {
			c.fault(Half, "conversation %s has %d turns and %d messages", id, t.Turns, len(t.messages))
		}
		want := []event.Type{event.ConversationStarted}
		var about []string
		var quotes []string
		for i, m := range t.messages {
			about = append(about, m.ID)
			switch {
			case i%2 == 0:
				want = append(want, event.MessageReceived)
				found[stepOf(m)]++
				if m.Role != agent.RoleUser {
					c.fault(Half, "message %d of conversation %s is the agent's", i+1, id)
				}
			case m.Role != agent.RoleAgent || m.Reply == nil:
				c.fault(Half, "message %d of conversation %s is the user's", i+1, id)
			default:
				replies[m.ID] = m
				want = append(want, event.MessageSent)
				if m.Reply.Failure != "" {
					want[len(want)-1] = event.MessageFailed
				}
				for _, cite := range m.Reply.Citations {
					if q := fmt.Sprintf("%d %s", i+1, cite.DocumentID); !cite.Erased && !slices.Contains(quotes, q) {
						quotes = append(quotes, q)
					}
				}
			}
		}
		events := c.state.streams[id]
		if at := differ(events, want); at != "" {
			c.fault(Half, "conversation %s: %s", id, at)
		} else {
			for i, ev := range events[1:] {
				if ev.Refs.MessageID != about[i] {
					c.fault(Half, "event %d of conversation %s is about message %s, not %s", i+2, id, ev.Refs.MessageID, about[i])
				}
			}
		}
		slices.Sort(quotes)
		slices.Sort(t.quotes)
		if !slices.Equal(quotes, t.quotes) {
			c.fault(Half, "conversation %s quotes %q, and %q is noted", id, quotes, t.quotes)
		}
	}
	for stream, events := range c.state.streams {
		if strings.HasPrefix(stream, "conv_") && c.state.talks[stream] == nil {
			c.forgotten(stream, events)
		}
	}
	for step, n := range found {
		if c.book.asked[step] == nil || n > 1 {
			c.fault(Invented, "the question of step %d is there %d times", step, n)
		}
	}
	for step, x := range c.book.asked {
		if x.reply != nil && c.book.gone[x.reply.ConversationID] {
			continue
		}
		if found[step] == 0 {
			c.fault(Lost, "the question of step %d, by %s, is not there", step, x.user)
		}
		if x.reply != nil {
			c.reply(x, replies[x.reply.ID])
		}
	}
}

// forgotten checks what is left of a conversation that is not there.
func (c *checker) forgotten(id string, events []event.Event) {
	want := []event.Type{event.ConversationStarted, event.MessageReceived, event.MessageSent, event.ConversationDeleted}
	if !c.book.gone[id] {
		c.fault(Lost, "there are events of conversation %s, which is not there and was not deleted", id)
	} else if at := differ(events, want); at != "" {
		c.fault(Half, "conversation %s, which was deleted: %s", id, at)
	}
}

// reply compares a reply with the one acknowledged, less what came from documents
// that were deleted since.
func (c *checker) reply(x *exchange, m agent.Message) {
	if m.Reply == nil {
		c.fault(Lost, "reply %s to step %d is not there", x.reply.ID, x.step)
		return
	}
	want := *x.reply
	for _, cite := range want.Citations {
		if c.state.documents[cite.DocumentID] == nil {
			want = want.Erase(cite.DocumentID)
		}
	}
	g, err1 := json.Marshal(m.Reply)
	w, err2 := json.Marshal(want)
	if err1 != nil || err2 != nil || string(g) != string(w) {
		c.fault(Lost, "reply %s is stored as %s, and was returned as %s", want.ID, g, w)
	}
}

// queued compares what was queued with what was done, and with all that was
// committed beside it.
func (c *checker) queued(effects map[string]int) {
	if c.state.jobs > 0 {
		c.fault(Undone, "%d rows of queued work are left", c.state.jobs)
	}
	for job := range c.book.queued {
		if effects[job] == 0 {
			c.fault(Lost, "work %s was queued, and not done", job)
		}
		if !c.state.told(job) {
			c.fault(Half, "work %s was queued, and no event tells of it", job)
		}
		if !c.state.receipts[job] || !c.state.audit[job] {
			c.fault(Half, "work %s was queued; its receipt is done: %v, its entry is in the audit log: %v", job, c.state.receipts[job], c.state.audit[job])
		}
	}
	for job := range effects {
		if !c.book.queued[job] {
			c.fault(Invented, "work %s was done, and queued by nobody", job)
		}
	}
	for job, done := range c.state.receipts {
		if done && !c.book.queued[job] {
			c.fault(Half, "the receipt of work %s is done, and nothing was queued", job)
		}
	}
	for job := range c.state.audit {
		if !c.book.queued[job] {
			c.fault(Half, "the audit log names work %s, and nothing was queued", job)
		}
	}
	told := 0
	for _, ev := range c.state.events {
		if ev.Type == queued {
			told++
		}
	}
	if told > len(c.book.queued) {
		c.fault(Half, "%d events tell of queued work, of which there is %d", told, len(c.book.queued))
	}
}

// order checks that the sequences of streams have no gaps, and that the log is
// the one of the last check with more behind it.
func (c *checker) order() {
	for stream, events := range c.state.streams {
		for i, ev := range events {
			if ev.Sequence != int64(i)+1 {
				c.fault(Half, "event %d of %s has the sequence %d", i+1, stream, ev.Sequence)
				break
			}
		}
	}
	log := make([]string, len(c.state.events))
	seen := make(map[string]bool, len(log))
	for i, ev := range c.state.events {
		log[i] = ev.ID
		if seen[ev.ID] {
			c.fault(Invented, "event %s is in the log twice", ev.ID)
		}
		seen[ev.ID] = true
	}
	if n := len(c.book.log); n > len(log) || !slices.Equal(log[:n], c.book.log) {
		c.fault(Lost, "the log is not the one of before with more behind it")
	}
	c.book.log = log
}

// index compares what is found with what is there.
func (c *checker) index(ctx context.Context, kb *knowledge.Base) error {
	found, err := kb.Search(ctx, knowledge.Query{Text: "code", Limit: knowledge.MaxHits})
	if err != nil {
		return err
	}
	if found.Revision != c.state.revision {
		c.fault(Lost, "the index is at revision %d, the rows at %d", found.Revision, c.state.revision)
	}
	hits := map[string]bool{}
	for _, h := range found.Hits {
		row := c.state.documents[h.DocumentID]
		if hits[h.DocumentID] = true; row == nil || h.Version != row.version {
			c.fault(Invented, "version %d of document %s is found, and not there", h.Version, h.DocumentID)
		}
	}
	for id, row := range c.state.documents {
		if !hits[id] {
			c.fault(Lost, "document %s (%s) is there, and not found", id, row.key)
		}
	}
	docs, err := kb.List(ctx, knowledge.Filter{}, store.Page{Limit: store.MaxLimit})
	if err == nil && len(docs.Data) != len(c.state.documents) {
		c.fault(Lost, "%d documents are listed, and %d are there", len(docs.Data), len(c.state.documents))
	}
	return err
}

// differ says where the events of a stream are not those that its rows call for.
func differ(events []event.Event, want []event.Type) string {
	for i := range max(len(events), len(want)) {
		switch {
		case i >= len(events):
			return fmt.Sprintf("event %d of %d, %s, is missing", i+1, len(want), want[i])
		case i >= len(want):
			return fmt.Sprintf("event %d, %s, tells of nothing that is there", i+1, events[i].Type)
		case events[i].Type != want[i]:
			return fmt.Sprintf("event %d is %s, not %s", i+1, events[i].Type, want[i])
		}
	}
	return ""
}

// stepOf returns the step whose question a message is, or 0.
func stepOf(m agent.Message) int {
	step, _ := m.Metadata["step"].(float64)
	return int(step)
}
