package storetest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A stage is a company in which two acts are made that are about the same things.
// Two stages on which the same was made hold the same, but for what stores choose
// for themselves.
type stage struct {
	*kit
	*world
	made  access.Company
	ended chan struct{} // closed once the first act is committed or rolled back

	there  map[string]bool // by the name of a need
	runs   agent.Turn
	lease  store.Lease
	line   store.Lease
	lapsed store.Receipt
	quotes []agent.Citation
	site   knowledge.Source
	under  *gathering // a run of it that goes on
}

func newStage(s Store, c access.Company) *stage {
	k := &kit{Store: s, company: c.ID, agent: c.DefaultAgent}
	return &stage{kit: k, world: newWorld(s, [2]*kit{k, k}), made: c, ended: make(chan struct{}), there: map[string]bool{}}
}

// ids returns the id that a thing has on every stage.
func (st *stage) ids(kind id.Kind, name string) string {
	sum := sha256.Sum256([]byte(name))
	s, err := id.Parse(kind, fmt.Sprintf("019a0000-0000-7000-8000-%x", sum[:6]))
	if err != nil {
		panic(err) // the format above is wrong
	}
	return s
}

// needs are what acts are about, and how each is made.
var needs = map[string]func(ctx context.Context, st *stage) error{
	"agent": func(ctx context.Context, st *stage) error {
		a := st.ids(id.Agent, "own")
		return st.CreateAgent(ctx, st.commit(tell(event.AgentCreated, a)), agent.Agent{ID: a, Settings: agent.Settings{Name: "Own"}, Version: 1, CreatedAt: now(), UpdatedAt: now()})
	},
	"documents": func(ctx context.Context, st *stage) error {
		all, own := st.document("all", "all", "Secretmarker of all."), st.document("own", "own", "Secretmarker of an agent.")
		own.AgentID = st.ids(id.Agent, "own")
		all = external(all, "all")
		own = external(own, "own")
		if _, err := st.WriteDocuments(ctx, st.commit(), []knowledge.Write{all, own}); err != nil {
			return err
		}
		for _, w := range []knowledge.Write{all, own} {
			live, err := st.LiveDocument(ctx, st.company, w.NewID)
			if err != nil {
				return err
			}
			p := live.Passages[0]
			st.quotes = append(st.quotes, agent.Citation{DocumentID: live.ID, DocumentVersion: live.Version, PassageID: p.ID, Ordinal: p.Ordinal,
				Start: p.Start, End: p.End, Quote: p.Text, Title: live.Title, ExternalID: live.ExternalID, Heading: p.Heading})
		}
		return nil
	},
	"vectors": func(ctx context.Context, st *stage) error { // of both documents, in two spaces
		for _, space := range []string{spaceOne, spaceTwo} {
			if _, err := st.PutVectors(ctx, st.commit(), space, st.embedded(7)); err != nil {
				return err
			}
		}
		return nil
	},
	"idle": func(ctx context.Context, st *stage) error { // a conversation of ann's, with a reply that cites
		turn, err := st.beginsTurn(ctx, "idle", agent.Message{User: agent.User{ID: "ann"}}, long)
		if err != nil {
			return err
		}
		return st.ends(ctx, turn)
	},
	"runs": func(ctx context.Context, st *stage) (err error) { // one whose turn has lapsed
		st.runs, err = st.beginsTurn(ctx, "runs", agent.Message{}, time.Microsecond)
		return err
	},
	"key": func(ctx context.Context, st *stage) error {
		k, hash := st.apiKey("old")
		return st.CreateKey(ctx, st.commit(), k, hash)
	},
	"jobs": func(ctx context.Context, st *stage) error { // two of a key whose lease has lapsed
		if err := st.Enqueue(ctx, store.Commit{Company: st.company, Work: []store.Work{st.job("1", "key"), st.job("2", "key")}}); err != nil {
			return err
		}
		leases, err := st.ClaimKeys(ctx, st.company, queue, "worker", time.Microsecond, 1)
		if err := counted(len(leases), 1, err); err != nil {
			return err
		}
		st.lease = leases[0]
		return nil
	},
	"dead": func(ctx context.Context, st *stage) error {
		w := st.job("dead", "key")
		if err := st.Enqueue(ctx, store.Commit{Company: st.company, Work: []store.Work{w}}); err != nil {
			return err
		}
		leases, err := st.ClaimKeys(ctx, st.company, queue, "worker", time.Microsecond, 1)
		if err := counted(len(leases), 1, err); err != nil {
			return err
		}
		return st.FinishJobs(ctx, leases[0], []store.Outcome{{ID: w.ID, Dead: true, Reason: "refused"}})
	},
	"gone": func(ctx context.Context, st *stage) error { // a dead job of a key that has no other
		w := st.job("gone", "gone")
		if err := st.Enqueue(ctx, store.Commit{Company: st.company, Work: []store.Work{w}}); err != nil {
			return err
		}
		leases, err := st.ClaimKeys(ctx, st.company, queue, "worker", long, 1)
		if err := counted(len(leases), 1, err); err != nil {
			return err
		}
		if err := st.FinishJobs(ctx, leases[0], []store.Outcome{{ID: w.ID, Dead: true, Reason: "refused"}}); err != nil {
			return err
		}
		return st.ReleaseKey(ctx, leases[0])
	},
	"line": func(ctx context.Context, st *stage) error { // a job that waits before one that is due
		first := st.job("waits", "line")
		first.RunAt = now().Add(long)
		if err := st.Enqueue(ctx, store.Commit{Company: st.company, Work: []store.Work{first, st.job("due", "line")}}); err != nil {
			return err
		}
		leases, err := st.ClaimKeys(ctx, st.company, queue, "worker", time.Microsecond, 1)
		if err := counted(len(leases), 1, err); err != nil {
			return err
		}
		st.line = leases[0]
		return nil
	},
	"claim": func(ctx context.Context, st *stage) error {
		s, err := st.ClaimReceipt(ctx, st.claimOf("lapsed", "hash", time.Microsecond))
		st.lapsed = s.Receipt
		return err
	},
}

// need makes what an act is about, unless the other act needed it as well.
func (st *stage) need(ctx context.Context, name string) error {
	if st.there[name] {
		return nil
	}
	st.there[name] = true
	if need, ok := sourceNeeds[name]; ok {
		return need(ctx, st)
	}
	return needs[name](ctx, st)
}

func (st *stage) document(name, title, body string) knowledge.Write {
	w := text(title, body)
	w.NewID = st.ids(id.Document, name)
	return w
}

func (st *stage) job(name, key string) store.Work {
	w := newWork(key)
	w.ID = st.ids(id.Work, name)
	w.Payload = []byte(w.ID)
	return w
}

func (st *stage) apiKey(name string) (access.Key, [32]byte) {
	k, _ := newKey()
	k.ID = st.ids(id.Key, name)
	return k, sha256.Sum256([]byte(st.company + k.ID)) // no two companies have one
}

// beginsTurn begins a turn with the agent that is not the default one.
func (st *stage) beginsTurn(ctx context.Context, name string, m agent.Message, lease time.Duration) (agent.Turn, error) {
	m.ID, m.AgentID = st.ids(id.Message, name), st.ids(id.Agent, "own")
	b := st.asks(m)
	b.NewConversation, b.ReplyID, b.Lease = st.ids(id.Conversation, name), st.ids(id.Message, name+" reply"), lease
	return st.BeginTurn(ctx, st.begun(b), b)
}

// ends ends a turn with a reply that cites the documents.
func (st *stage) ends(ctx context.Context, turn agent.Turn) error {
	const answer = "Hello. Claimmarker one. Claimmarker two. Bye."
	return st.EndTurn(ctx, st.kit.ended(turn), turn.TurnRef, reply(turn, answer,
		claims(st.quotes[0], answer, "Claimmarker one."), claims(st.quotes[1], answer, "Claimmarker two.")))
}

// What an act is about. Acts that share nothing are not tried together.
const (
	ofAgents = 1 << iota
	ofIdle   // the conversation without a running turn
	ofRunning
	ofDocuments
	ofKeys
	ofWork
	ofLine // the key whose first job waits
	ofReceipts
	ofRuns
	ofStreams // of agents, conversations and documents, which others tell of as well
	ofAll     = 1<<iota - 1
)

// An act is a step as it is made on a stage.
type act struct {
	name  string
	about int
	needs []string
	reads bool // and so is never held open
	make  func(ctx context.Context, st *stage, nth int) (any, error)
}

var talks = []string{"agent", "documents", "idle", "runs"}

// acts are the steps of all rooms, with what may be in each other's way.
var acts = slices.Concat(agentActs, turnActs, documentActs, vectorActs, sourceActs, keyActs, workActs, receiptActs, []act{
	{"DeleteCompany", ofAll, nil, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.DeleteCompany(ctx, st.commit()))
	}},
	{"Enqueue of events", ofStreams, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.Enqueue(ctx, st.commit(tell("a.b", st.ids(id.Agent, "own")), tell("a.b", st.ids(id.Document, "all")),
			tell("a.b", st.ids(id.Conversation, "idle")), tell("a.b", st.ids(id.Conversation, "runs")))))
	}},
	{"CreateCompany", ofAgents, nil, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.CreateCompany(ctx, st.commit(tell(event.AgentCreated, st.made.DefaultAgent)), st.made))
	}},
	{"Events", ofAgents | ofIdle | ofDocuments, talks, true, func(ctx context.Context, st *stage, _ int) (any, error) {
		all, err := st.Events(ctx, st.company, "", 100)
		if errors.Is(err, store.ErrNotFound) { // a company that is not there may as well have no events
			return nil, nil
		}
		return all, err
	}},
})

var agentActs = []act{
	{"CreateAgent", ofAgents, nil, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		a := agent.Agent{ID: st.ids(id.Agent, "new"), Settings: agent.Settings{Name: fmt.Sprint("New ", nth)}, Version: 1, CreatedAt: now(), UpdatedAt: now()}
		return none(st.CreateAgent(ctx, st.commit(tell(event.AgentCreated, a.ID)), a))
	}},
	{"UpdateAgent", ofAgents | ofStreams, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		a := agent.Agent{ID: st.ids(id.Agent, "own"), Settings: agent.Settings{Name: fmt.Sprint("Updated ", nth)}, Version: 1, UpdatedAt: now()}
		return result(st.UpdateAgent(ctx, st.commit(tell(event.AgentUpdated, a.ID)), a))
	}},
	{"DeleteAgent", ofAgents | ofIdle | ofRunning | ofDocuments | ofRuns, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		a := st.ids(id.Agent, "own")
		return result(st.DeleteAgent(ctx, st.commit(tell(event.AgentDeleted, a)), a))
	}},
}

var turnActs = []act{
	{"BeginTurn of a new conversation", ofAgents, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.beginsTurn(ctx, fmt.Sprint("new ", nth), agent.Message{}, long))
	}},
	{"BeginTurn of a new user", ofAgents, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.beginsTurn(ctx, fmt.Sprint("bob ", nth), agent.Message{User: agent.User{ID: "bob"}}, long))
	}},
	{"BeginTurn of a user", ofIdle | ofStreams, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.beginsTurn(ctx, fmt.Sprint("ann ", nth), agent.Message{User: agent.User{ID: "ann"}}, long))
	}},
	{"BeginTurn in a conversation", ofIdle | ofStreams, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.beginsTurn(ctx, fmt.Sprint("more ", nth), agent.Message{ConversationID: st.ids(id.Conversation, "idle")}, long))
	}},
	{"BeginTurn beside a running one", ofRunning, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.beginsTurn(ctx, fmt.Sprint("beside ", nth), agent.Message{ConversationID: st.ids(id.Conversation, "runs")}, long))
	}},
	{"RecordStep", ofRunning | ofStreams, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		s := agent.Step{CallID: fmt.Sprint("call ", nth), Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
		return none(st.RecordStep(ctx, st.commit(tell("tool.called", st.runs.ConversationID)), st.runs.TurnRef, s))
	}},
	{"RenewTurn", ofRunning, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.RenewTurn(ctx, st.company, st.runs.TurnRef, long))
	}},
	{"EndTurn", ofRunning | ofDocuments | ofStreams, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.ends(ctx, st.runs))
	}},
	{"TakeTurn", ofRunning, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.TakeTurn(ctx, st.company, st.runs.ConversationID, "another", long))
	}},
	{"CancelTurn", ofRunning, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.CancelTurn(ctx, st.company, st.runs.ReplyID))
	}},
	{"PutFeedback", ofIdle | ofDocuments | ofStreams, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		f := agent.Feedback{MessageID: st.ids(id.Message, "idle reply"), Rating: agent.RatingUp, Remark: fmt.Sprint("remark ", nth), CreatedAt: now(), UpdatedAt: now()}
		out, err := st.PutFeedback(ctx, st.commit(tell(event.MessageFeedback, st.ids(id.Conversation, "idle"))), f)
		return []any{out, out.CreatedAt.Equal(f.CreatedAt)}, err // whether it is the first
	}},
	{"DeleteConversation", ofIdle | ofDocuments, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		c := st.ids(id.Conversation, "idle")
		return result(st.DeleteConversation(ctx, st.commit(tell(event.ConversationDeleted, c)), c))
	}},
	{"DeleteConversation of a running turn", ofRunning, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DeleteConversation(ctx, st.commit(tell(event.ConversationDeleted, st.runs.ConversationID)), st.runs.ConversationID))
	}},
}

// writes is an act that writes documents.
func writes(name string, write func(st *stage, nth int) []knowledge.Write) act {
	return act{"WriteDocuments " + name, ofDocuments | ofStreams, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.WriteDocuments(ctx, st.commit(), write(st, nth)))
	}}
}

var documentActs = []act{
	writes("of another text", func(st *stage, nth int) []knowledge.Write {
		return []knowledge.Write{external(st.document(fmt.Sprint("all ", nth), "all", fmt.Sprint("Replaced by ", nth)), "all")}
	}),
	writes("of one version", func(st *stage, nth int) []knowledge.Write {
		w := external(st.document("", "all", fmt.Sprint("Changed by ", nth)), "moved")
		w.ID, w.IfVersion = st.ids(id.Document, "all"), 1
		return []knowledge.Write{w}
	}),
	writes("of an agent", func(st *stage, nth int) []knowledge.Write {
		own, more := st.document(fmt.Sprint("own ", nth), "own", fmt.Sprint("Replaced by ", nth)), st.document(fmt.Sprint("more ", nth), "more", "More.")
		own.AgentID, more.AgentID = st.ids(id.Agent, "own"), st.ids(id.Agent, "own")
		return []knowledge.Write{external(own, "own"), external(more, "more")}
	}),
	writes("that is there", func(st *stage, _ int) []knowledge.Write {
		return []knowledge.Write{external(st.document("all again", "all", "Secretmarker of all."), "all")}
	}),
	{"CheckDocuments", ofDocuments, talks, true, func(ctx context.Context, st *stage, nth int) (any, error) {
		own := st.document("checked", "own", "Checked.")
		own.AgentID = st.ids(id.Agent, "own")
		checked, err := st.CheckDocuments(ctx, st.company, []knowledge.Write{external(own, "own"), external(st.document("checked too", "all", "Checked."), "all")})
		var told []any
		for _, in := range checked {
			told = append(told, in.Status, in.Document.ID, in.Err != nil)
		}
		return told, err
	}},
	{"DeleteDocument", ofDocuments, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DeleteDocument(ctx, st.commit(), st.ids(id.Document, "all")))
	}},
	{"DeleteDocument of an agent", ofDocuments, talks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DeleteDocument(ctx, st.commit(), st.ids(id.Document, "own")))
	}},
}

var keyActs = []act{
	{"CreateKey", ofKeys, []string{"key"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		k, hash := st.apiKey("new")
		return none(st.CreateKey(ctx, st.commit(tell("key.created", "keys")), k, hash))
	}},
	{"RotateKey", ofKeys, []string{"key"}, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		k, hash := st.apiKey(fmt.Sprint("next ", nth))
		return none(st.RotateKey(ctx, st.commit(tell("key.rotated", "keys")), st.ids(id.Key, "old"), now(), k, hash))
	}},
	{"RevokeKey", ofKeys, []string{"key"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.RevokeKey(ctx, st.commit(tell("key.revoked", "keys")), st.ids(id.Key, "old")))
	}},
	{"UseKey", ofKeys, []string{"key"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.UseKey(ctx, st.company, st.ids(id.Key, "old"), now()))
	}},
}

var works = []string{"gone", "dead", "jobs"}

var workActs = []act{
	{"Enqueue", ofWork, works, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return none(st.Enqueue(ctx, store.Commit{Company: st.company, Events: []event.Event{tell("a.b", "b"), tell("a.b", "a")},
			Work: []store.Work{st.job(fmt.Sprint("other ", nth), "other"), st.job(fmt.Sprint("more ", nth), "key")}}))
	}},
	{"ClaimKeys", ofWork, works, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		for last := false; ; {
			leases, err := st.ClaimKeys(ctx, st.company, queue, "worker", long, 10)
			if errors.Is(err, store.ErrNotFound) { // a company that is not there may as well have no work
				return nil, nil
			}
			if err != nil || len(leases) > 0 || last {
				slices.SortFunc(leases, func(a, b store.Lease) int { return cmp.Compare(a.Key, b.Key) })
				return leases, err
			}
			if last = st.hasEnded(); !last { // a key may be passed over while another step changes it
				time.Sleep(time.Millisecond)
			}
		}
	}},
	{"DueJobs", ofWork, works, true, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DueJobs(ctx, st.lease, true, 10))
	}},
	{"DueJobs of what waits", ofLine, []string{"line"}, true, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DueJobs(ctx, st.line, true, 10))
	}},
	{"FinishJobs of what waits", ofLine, []string{"line"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.FinishJobs(ctx, st.line, []store.Outcome{{ID: st.ids(id.Work, "waits"), Done: true}}))
	}},
	{"RenewLease", ofWork, works, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.RenewLease(ctx, st.lease, long))
	}},
	{"FinishJobs", ofWork, works, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.FinishJobs(ctx, st.lease, []store.Outcome{
			{ID: st.ids(id.Work, "1"), Done: true}, {ID: st.ids(id.Work, "2"), Dead: true, Reason: "refused"},
		}))
	}},
	{"ReleaseKey", ofWork, works, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.ReleaseKey(ctx, st.lease))
	}},
	{"ReviveJob", ofWork, works, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.ReviveJob(ctx, st.company, st.ids(id.Work, "dead")))
	}},
	{"ReviveJob of a key that is gone", ofWork, works, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.ReviveJob(ctx, st.company, st.ids(id.Work, "gone")))
	}},
}

var receiptActs = []act{
	{"ClaimReceipt", ofReceipts, []string{"claim"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.ClaimReceipt(ctx, st.claimOf("lapsed", "hash", long)))
	}},
	{"ClaimReceipt of a new request", ofReceipts, []string{"claim"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.ClaimReceipt(ctx, st.claimOf("new", "hash", long)))
	}},
	{"completing a receipt", ofReceipts, []string{"claim"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		r := st.lapsed
		r.Result, r.Done = "msg_1", true
		return none(st.Enqueue(ctx, store.Commit{Company: st.company, Receipt: &r}))
	}},
	{"moving a receipt on", ofReceipts, []string{"claim"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		r := st.lapsed
		r.Result = "msg_1"
		return none(st.Enqueue(ctx, store.Commit{Company: st.company, Receipt: &r}))
	}},
	{"ReleaseReceipt", ofReceipts, []string{"claim"}, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.ReleaseReceipt(ctx, st.company, st.lapsed))
	}},
}

// hasEnded reports whether the first act is committed or rolled back.
func (st *stage) hasEnded() bool {
	select {
	case <-st.ended:
		return true
	default:
		return false
	}
}
