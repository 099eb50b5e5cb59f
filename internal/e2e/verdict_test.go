package e2e

import (
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// The kinds of faults that callers of several servers see beside the others.
const (
	Twice   Kind = "twice"   // one request had two effects
	Stale   Kind = "stale"   // an answer does not know what was acknowledged before it
	Kept    Kind = "kept"    // it was deleted, and is told all the same
	Swapped Kind = "swapped" // what came first stands behind
	Unclear Kind = "unclear" // an error that does not say what is wrong, or that nothing explains
)

// aftermath is how long after a fault requests may still suffer from it: until the
// leases of a process that was lost have run out and what they held is done.
const aftermath = 20 * time.Second

// A verdict is what is wrong with a history and what the store holds after it.
type verdict struct {
	history *history
	final   *final
	faults  []Fault

	writes map[string][]*op // those of a document, in order: it has one writer
	mark   map[int]marked
}

// A marked is the document, and the op, that a text comes from.
type marked struct {
	op  *op
	key string
	at  int // in the writes of the key
}

// judge compares a history with what the store holds in the end.
func judge(h *history, f *final) []Fault {
	v := &verdict{history: h, final: f, writes: map[string][]*op{}, mark: map[int]marked{}}
	for _, o := range h.Ops {
		for i, key := range o.Keys {
			if !o.writes() {
				continue
			}
			if o.Do != opDelete {
				v.mark[o.Marks[i]] = marked{o, key, len(v.writes[key])}
			}
			v.writes[key] = append(v.writes[key], o)
		}
	}
	for _, o := range h.Ops {
		v.ended(o)
		for _, a := range o.Attempts {
			if a.ok() {
				v.answer(o, a)
			} else {
				v.failure(o, a)
			}
		}
	}
	v.documents()
	v.talks()
	v.log()
	return v.faults
}

func (v *verdict) fault(k Kind, format string, args ...any) {
	v.faults = append(v.faults, Fault{k, fmt.Sprintf(format, args...)})
}

func (o *op) String() string {
	return fmt.Sprintf("op %d, %s of %d documents, %v, by %s", o.N, o.Do, len(o.Keys), o.Keys[:min(len(o.Keys), 4)], o.Caller)
}

// ended checks that an op came to its end.
func (v *verdict) ended(o *op) {
	last := "no server was asked"
	if n := len(o.Attempts); n > 0 {
		a := o.Attempts[n-1]
		last = fmt.Sprintf("the last of %d attempts, at server %d, got %d %s %s %s", n, a.Server, a.Status, a.Code, a.Message, a.Err)
	}
	switch o.State {
	case pending:
		v.fault(Undone, "%v was not done in %v: %s", o, o.End-o.Begin, last)
	case refused, failed:
		v.fault(Undone, "%v was %s: %s", o, o.State, last)
	}
}

// failure checks that an error says what is wrong, and that something was.
func (v *verdict) failure(o *op, a *attempt) {
	switch {
	case a.Timeout || a.Code == "turn_in_progress":
		return
	case a.Err != "":
		if connectionError(a.Err) == a.Err {
			v.fault(Unclear, "%v failed with %q", o, a.Err)
		}
	case a.Code != "store_unavailable" && a.Code != "server_draining" && o.State == acked && !(o.Do == opDelete && a.Status == 404):
		v.fault(Unclear, "%v was answered %d %s: %s", o, a.Status, a.Code, a.Message)
	case a.Message == "":
		v.fault(Unclear, "%v was answered %d %s, without a word", o, a.Status, a.Code)
	}
	explained := slices.ContainsFunc(v.history.Faults, func(f *trouble) bool { return f.From <= a.End && a.Start <= f.Until+aftermath })
	if !explained {
		v.fault(Unclear, "%v failed at %v, when nothing was wrong: %d %s %s", o, a.End, a.Status, a.Code, a.Err)
	}
}

// answer checks what a server answered.
func (v *verdict) answer(o *op, a *attempt) {
	from := a.Start // the answer knows all that was acknowledged before
	if o.asks() {
		from = o.Begin // the reply was made some time since then
	}
	first := o.first()
	if a != first {
		v.repeated(o, first, a)
	}
	told := marksIn(a.Text)
	for _, m := range told {
		w, known := v.mark[m]
		if !known || w.op.Begin > a.End {
			v.fault(Invented, "%v tells of mark%d, which nobody had put", o, m)
			continue
		}
		for _, later := range v.writes[w.key][w.at+1:] {
			switch {
			case later.State != acked:
				continue
			case later.Do == opDelete && later.End <= a.Start:
				v.fault(Kept, "%v at %v, server %d, tells of mark%d, which %v had deleted at %v", o, a.Start, a.Server, m, later, later.End)
			case o.Do != opRead && later.End <= from:
				v.fault(Stale, "%v from %v, server %d, tells of mark%d, which %v had replaced at %v", o, from, a.Server, m, later, later.End)
			default:
				continue
			}
			break
		}
	}
	if (o.asks() && a == first) || o.Do == opSearch {
		v.fresh(o, a, from, told)
	}
	switch o.Do {
	case opList:
		v.listed(o, a)
	case opRead:
		v.heard(o, a)
	}
}

// quiet returns the last write of a document before an answer, if no other was
// under way; nil if there was none.
func (v *verdict) quiet(key string, from, until time.Duration) (last *op, at int, ok bool) {
	at = -1
	for i, w := range v.writes[key] {
		switch {
		case w.State == acked && w.End <= from:
			last, at = w, i
		case w.Begin < until:
			return nil, 0, false
		}
	}
	return last, at, true
}

// fresh checks that an answer made since from has what was acknowledged before.
func (v *verdict) fresh(o *op, a *attempt, from time.Duration, told []int) {
	revision := a.Revision
	if a.Reply != nil {
		revision = a.Reply.KnowledgeRevision
	}
	if revision < o.MinRevision {
		v.fault(Stale, "%v, server %d, is of revision %d, and %d was asked for", o, a.Server, revision, o.MinRevision)
	}
	for _, w := range v.history.Ops {
		if before := w.first(); w.writes() && w.State == acked && w.End <= from && before != nil && before.Revision > revision {
			v.fault(Stale, "%v from %v, server %d, is of revision %d, after %v was acknowledged at revision %d", o, from, a.Server, revision, w, before.Revision)
			break
		}
	}
	last, _, ok := v.quiet(o.Keys[0], from, a.End)
	if ok && last != nil && last.Do != opDelete && !slices.Contains(told, last.Marks[slices.Index(last.Keys, o.Keys[0])]) {
		v.fault(Stale, "%v from %v, server %d, does not tell what %v put until %v", o, from, a.Server, last, last.End)
	}
}

// listed checks that a list has the document as it was left.
func (v *verdict) listed(o *op, a *attempt) {
	last, at, ok := v.quiet(o.Keys[0], a.Start, a.End)
	if !ok {
		return
	}
	want := 0
	if last != nil && last.Do != opDelete {
		want = v.version(o.Keys[0], at)
	}
	switch {
	case want == 0 && len(a.Listed) > 0:
		v.fault(Kept, "%v, server %d, lists document %s, which is not there", o, a.Server, a.Listed[0].ID)
	case want > 0 && (len(a.Listed) != 1 || a.Listed[0].Version != int64(want)):
		v.fault(Stale, "%v, server %d, lists %d documents, want one at version %d: %+v", o, a.Server, len(a.Listed), want, a.Listed)
	}
}

// version is the version that a document is at after one of its writes.
func (v *verdict) version(key string, at int) (n int) {
	for _, w := range v.writes[key][:at+1] {
		if n++; w.Do == opDelete {
			n = 0
		}
	}
	return n
}

// heard checks that messages that were answered before are there.
func (v *verdict) heard(o *op, a *attempt) {
	if len(a.Messages) == 100 {
		return // there are older ones
	}
	replied := map[string]bool{}
	for _, m := range a.Messages {
		replied[m.ID] = m.Role == "agent"
	}
	for _, q := range v.history.Ops {
		if q.asks() && q.Talk == o.Target && q.State == acked && q.End <= a.Start && !replied[q.first().Reply.ID] {
			v.fault(Stale, "%v at %v, server %d, lacks the reply that %v got until %v", o, a.Start, a.Server, q, q.End)
		}
	}
}

// repeated checks that the same request gets the same answer.
func (v *verdict) repeated(o *op, first, a *attempt) {
	if !o.repeatable() {
		return
	}
	if !a.Replayed {
		v.fault(Twice, "%v was done again when it was repeated at server %d", o, a.Server)
	}
	if !slices.Equal(a.IDs, first.IDs) {
		v.fault(Twice, "%v made %v, and repeated %v", o, first.IDs, a.IDs)
	}
	if o.asks() && (a.Reply.ID != first.Reply.ID || a.Reply.Text != first.Reply.Text && !erased(a.Reply)) {
		v.fault(Twice, "%v got reply %s, %q, and repeated reply %s, %q", o, first.Reply.ID, first.Reply.Text, a.Reply.ID, a.Reply.Text)
	}
}

func erased(r *api.Reply) bool {
	return slices.ContainsFunc(r.Citations, func(c api.Citation) bool { return c.Erased })
}

// marksIn returns the marks in a text, each once.
func marksIn(text string) []int {
	out := stepsIn(text)
	slices.Sort(out)
	return slices.Compact(out)
}
