package e2e

import (
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
)

// documents compares the documents that are there with those that were written.
func (v *verdict) documents() {
	have := map[int][]finalDocument{} // by mark
	for _, d := range v.final.Documents {
		if len(d.Marks) != 1 {
			v.fault(Corrupt, "document %s has the marks %v, want one", d.ID, d.Marks)
			continue
		}
		m := d.Marks[0]
		have[m] = append(have[m], d)
		if w, ok := v.mark[m]; !ok {
			v.fault(Invented, "document %s has mark%d, which nobody put", d.ID, m)
		} else if last, _, ok := v.quiet(w.key, forever, forever); ok && last.Do == opDelete {
			v.fault(Kept, "document %s has mark%d of %s, which %v has deleted", d.ID, m, w.key, last)
		} else if ok && last != w.op {
			v.fault(Lost, "document %s has mark%d of %v, and not what %v put", d.ID, m, w.op, last)
		}
	}
	ids := map[string]string{} // of documents that are there or were, with their keys
	for key, writes := range v.writes {
		if _, _, ok := v.quiet(key, forever, forever); !ok {
			continue // told already
		}
		var life []*op
		for i, w := range writes {
			if w.Do != opDelete {
				life = append(life, w)
			}
			if w.Do == opDelete || i == len(writes)-1 {
				v.life(key, life, w.Do == opDelete, have, ids)
				life = nil
			}
		}
	}
	for _, ev := range v.final.Events {
		if strings.HasPrefix(ev.Stream, "doc_") && ids[ev.Stream] == "" {
			v.fault(Invented, "event %d of document %s tells of one that nobody put", ev.Sequence, ev.Stream)
		}
	}
}

// life checks a document from its first put to its delete.
func (v *verdict) life(key string, puts []*op, deleted bool, have map[int][]finalDocument, ids map[string]string) {
	if len(puts) == 0 {
		v.fault(Corrupt, "%s was deleted, and not put before", key)
		return
	}
	id := ""
	for _, w := range puts {
		switch got := w.first().IDs[slices.Index(w.Keys, key)]; {
		case id == "" && ids[got] != "":
			v.fault(Lost, "%v got document %s, which is another one's or was deleted", w, got)
		case id != "" && got != id:
			v.fault(Twice, "%v got document %s in place of %s", w, got, id)
		default:
			id = got
		}
	}
	ids[id] = key
	last := puts[len(puts)-1]
	there := have[last.Marks[slices.Index(last.Keys, key)]]
	types := []event.Type{event.ContentCreated}
	for range puts[1:] {
		types = append(types, event.ContentUpdated)
	}
	switch {
	case deleted:
		types = append(types, event.ContentDeleted)
	case len(there) == 0:
		v.fault(Lost, "nothing is there of what %v put", last)
	case len(there) > 1:
		v.fault(Twice, "what %v put is there in %d documents", last, len(there))
	case there[0].ID != id || there[0].Version != len(puts):
		v.fault(Twice, "document %s (%s) is there as %s at version %d, and was put %d times", id, key, there[0].ID, there[0].Version, len(puts))
	}
	if at := differ(v.stream(id), types); at != "" {
		v.fault(Half, "document %s (%s): %s", id, key, at)
	}
	changes := 0
	for _, c := range v.final.Changes {
		if c.DocumentID == id {
			changes++
		}
	}
	if changes != len(types) {
		v.fault(Half, "document %s (%s) has %d entries in the feed, and changed %d times", id, key, changes, len(types))
	}
}

// stream returns the events of a stream.
func (v *verdict) stream(name string) (out []event.Event) {
	for _, ev := range v.final.Events {
		if ev.Stream == name {
			out = append(out, ev)
		}
	}
	return out
}

// talks checks conversations: every message once, in order, each followed by its
// reply.
func (v *verdict) talks() {
	ops := map[int]*op{}
	for _, o := range v.history.Ops {
		if o.asks() {
			ops[o.N] = o
		}
	}
	found := map[int]string{} // replies by op
	for _, t := range v.final.Talks {
		v.talk(t, ops, found)
	}
	for _, o := range ops {
		if o.State != acked {
			continue
		}
		if got, want := found[o.N], o.first().Reply.ID; got == "" {
			v.fault(Lost, "%v got reply %s, and is not there", o, want)
		} else if got != want {
			v.fault(Lost, "%v got reply %s, and %s is there", o, want, got)
		}
	}
}

func (v *verdict) talk(t finalTalk, ops map[int]*op, found map[int]string) {
	if t.Running || len(t.Messages) != 2*t.Turns {
		v.fault(Half, "conversation %s has %d turns and %d messages, running: %v", t.ID, t.Turns, len(t.Messages), t.Running)
	}
	for i := range max(len(t.Numbers), len(t.Messages)) {
		if i >= len(t.Numbers) || t.Numbers[i] != int64(i)+1 {
			v.fault(Half, "the %d messages of conversation %s have the numbers %v", len(t.Messages), t.ID, t.Numbers)
			break
		}
	}
	types := []event.Type{event.ConversationStarted}
	var order []*op
	for i, m := range t.Messages {
		if i%2 == 0 {
			types = append(types, event.MessageReceived)
			n, _ := m.Metadata["op"].(float64)
			switch o := ops[int(n)]; {
			case m.Role != agent.RoleUser:
				v.fault(Half, "message %d of conversation %s is not a user's", i+1, t.ID)
			case o == nil:
				v.fault(Invented, "message %d of conversation %s was sent by nobody", i+1, t.ID)
			case found[o.N] != "":
				v.fault(Twice, "message %d of conversation %s is of %v, which is there already", i+1, t.ID, o)
			default:
				order = append(order, o)
				found[o.N] = "no reply"
			}
			continue
		}
		types = append(types, event.MessageSent)
		if m.Role != agent.RoleAgent || m.Reply == nil {
			v.fault(Half, "message %d of conversation %s is not a reply", i+1, t.ID)
			continue
		}
		if m.Reply.Failure != "" {
			types[len(types)-1] = event.MessageFailed
		}
		if len(order) > 0 {
			v.reply(order[len(order)-1], m, found)
		}
	}
	for i, o := range order {
		for _, later := range order[i+1:] {
			if later.State == acked && later.End < o.Begin {
				v.fault(Swapped, "in conversation %s %v stands before %v, which had been answered when it began", t.ID, o, later)
			}
		}
	}
	events := v.stream(t.ID)
	if at := differ(events, types); at != "" {
		v.fault(Half, "conversation %s: %s", t.ID, at)
		return
	}
	for i, ev := range events[1:] {
		if ev.Refs.MessageID != t.Messages[i].ID {
			v.fault(Half, "event %d of conversation %s is about message %s, not %s", i+2, t.ID, ev.Refs.MessageID, t.Messages[i].ID)
		}
	}
}

// reply compares the reply that is stored with the one that was acknowledged.
func (v *verdict) reply(o *op, m agent.Message, found map[int]string) {
	found[o.N] = m.ID
	if o.State != acked {
		return
	}
	want := o.first().Reply
	gone := slices.ContainsFunc(m.Reply.Citations, func(c agent.Citation) bool { return c.Erased })
	if m.ID == want.ID && m.Text != want.Text && !gone {
		v.fault(Lost, "%v got %q as reply %s, which is stored as %q", o, want.Text, want.ID, m.Text)
	}
	if m.Reply.Failure != "" {
		v.fault(Lost, "%v got reply %s, which is stored as failed: %s", o, want.ID, m.Reply.Failure)
	}
	for _, mark := range marksIn(m.Text) {
		w, ok := v.mark[mark]
		if !ok {
			v.fault(Invented, "reply %s tells of mark%d, which nobody put", m.ID, mark)
			continue
		}
		for _, later := range v.writes[w.key][w.at+1:] {
			if later.Do == opDelete && later.State == acked {
				v.fault(Kept, "reply %s is stored with mark%d, which %v has deleted", m.ID, mark, later)
			}
		}
	}
}

// log checks that events and revisions are there each once, without a gap.
func (v *verdict) log() {
	seen := map[string]bool{}
	last := map[string]int64{} // sequence, by stream
	for _, ev := range v.final.Events {
		if seen[ev.ID] {
			v.fault(Twice, "event %s is in the log twice", ev.ID)
		}
		if seen[ev.ID] = true; ev.Sequence != last[ev.Stream]+1 {
			v.fault(Half, "event %d of %s follows event %d", ev.Sequence, ev.Stream, last[ev.Stream])
		}
		last[ev.Stream] = ev.Sequence
	}
	revision := int64(0)
	for _, c := range v.final.Changes {
		if c.Revision != revision && c.Revision != revision+1 {
			v.fault(Half, "revision %d of the feed follows revision %d", c.Revision, revision)
		}
		revision = c.Revision
	}
	if revision != v.final.Revision {
		v.fault(Half, "the knowledge is at revision %d, and its feed at %d", v.final.Revision, revision)
	}
}
