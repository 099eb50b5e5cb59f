package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A theme is what the moves of a sequence are about, so that they meet often.
type theme int

const (
	talk   theme = iota // agents, documents and turns
	toil                // work and receipts
	gather              // sources and runs
)

// A need is what a move is made with. Where there is none, the move that makes
// one is made instead.
type need int

const (
	nothing need = iota
	anAgent
	aTurn
	aConversation
	aDocument
	aJob
	aLease
	aDeadJob
	aClaim
	aSource
	aRun
)

// lacks returns the name of the move that makes what is needed and not there, or
// "".
func (w *world) lacks(n need) string {
	switch {
	case n == anAgent && len(w.agents) == 0:
		return "CreateAgent"
	case n == aTurn && len(w.turns) == 0, n == aConversation && len(w.conversations) == 0:
		return "BeginTurn"
	case n == aDocument && len(w.documents) == 0:
		return "WriteDocuments"
	case n == aJob && w.queued == 0:
		return "Enqueue"
	case n == aLease && len(w.leases) == 0:
		return "ClaimKeys"
	case n == aDeadJob && len(w.jobs) == 0:
		return "FinishJobs"
	case n == aClaim && len(w.claims) == 0:
		return "ClaimReceipt"
	case n == aSource && len(w.sources) == 0:
		return "CreateSource"
	case n == aRun && len(w.runs) == 0:
		return "StartRun"
	}
	return ""
}

// A moveKind is what a move does.
type moveKind struct {
	name   string
	theme  theme
	weight int // how often it comes
	needs  need
	make   func(ctx context.Context, w *world, k *kit, n [6]int) (any, error)
}

// moves are the kinds of moves. Each is made so that no two of its arguments are
// wrong in ways that have different errors, since which comes first is open.
var moves = append([]moveKind{
	{"CreateAgent", talk, 2, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		a := w.id(id.Agent)
		if n[1]%8 == 0 {
			a = k.agent // is there already
		}
		err := k.CreateAgent(ctx, k.commit(tell(event.AgentCreated, a)),
			agent.Agent{ID: a, Settings: agent.Settings{Name: fmt.Sprint("name ", n[3]%4)}, Version: 1, CreatedAt: now(), UpdatedAt: now()})
		if err == nil {
			w.agents = append(w.agents, a)
		}
		return nil, err
	}},
	{"UpdateAgent", talk, 2, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		a, err := k.Agent(ctx, k.company, pick(w.agents, n[1]))
		if err != nil {
			return nil, err
		}
		a.Settings = agent.Settings{Name: fmt.Sprint("name ", n[2]%4), Threshold: float64(n[3]%3) / 2}
		if n[4]%4 == 0 {
			a.Version += n[5]%3 - 1
		}
		return result(k.UpdateAgent(ctx, k.commit(tell(event.AgentUpdated, a.ID)), a))
	}},
	{"DeleteAgent", talk, 1, anAgent, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		a := pick(w.agents, n[1])
		return result(k.DeleteAgent(ctx, k.commit(tell(event.AgentDeleted, a)), a))
	}},
	{"BeginTurn", talk, 8, nothing, beginMove},
	{"RecordStep", talk, 3, aTurn, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		s := agent.Step{CallID: fmt.Sprint("call ", n[2]%3), Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
		turn := pick(w.turns, n[1])
		return none(k.RecordStep(ctx, k.commit(tell("tool.called", turn.ConversationID)), turn.TurnRef, s))
	}},
	{"RenewTurn", talk, 1, aTurn, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return none(k.RenewTurn(ctx, k.company, pick(w.turns, n[1]).TurnRef, w.lease(n[2])))
	}},
	{"RunningTurn", talk, 2, aTurn, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.RunningTurn(ctx, k.company, pick(w.messages, n[1])))
	}},
	{"CancelTurn", talk, 2, aTurn, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return none(k.CancelTurn(ctx, k.company, pick(w.messages, n[1])))
	}},
	{"EndTurn", talk, 10, aTurn, endMove},
	{"TakeTurn", talk, 3, aConversation, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		turn, err := k.TakeTurn(ctx, k.company, pick(w.conversations, n[1]), "another", w.lease(n[2]))
		if err == nil {
			w.turns = append(w.turns, turn)
		}
		return turn, err
	}},
	{"LapsedTurns", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		all, err := k.LapsedTurns(ctx, 10_000)
		var mine []string
		for _, l := range all {
			if l.Company == k.company {
				mine = append(mine, l.ConversationID)
			}
		}
		return slices.Sorted(slices.Values(mine)), err
	}},
	{"DeleteConversation", talk, 1, aConversation, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		c := pick(w.conversations, n[1])
		return result(k.DeleteConversation(ctx, k.commit(tell(event.ConversationDeleted, c)), c))
	}},
	{"Conversation", talk, 2, aConversation, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.Conversation(ctx, k.company, pick(w.conversations, n[1])))
	}},
	{"Message", talk, 3, aConversation, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.Message(ctx, k.company, pick(w.messages, n[1])))
	}},
	{"WriteDocuments", talk, 10, nothing, writeMove},
	{"CheckDocuments", talk, 3, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		checked, err := k.CheckDocuments(ctx, k.company, append(w.writes(n), w.writes(n)...))
		var told []any
		for _, in := range checked {
			told = append(told, in.Status, in.Document, in.Err != nil && class(in.Err) != "")
		}
		return told, err
	}},
	{"DeleteDocument", talk, 3, aDocument, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		d := pick(w.documents, n[1])
		got, err := k.DeleteDocument(ctx, k.commit(), d)
		w.documents = dropped(w.documents, n[0], func(o string) bool { return o == d })
		return got, err
	}},
	{"DocumentText", talk, 2, aDocument, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.DocumentText(ctx, k.company, pick(w.documents, n[1]), n[2]%4))
	}},
	{"Passages", talk, 3, aDocument, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		var asked []knowledge.Ref
		for v := range 3 {
			asked = append(asked, refs(pick(w.documents, n[1]), v+1, 3)...)
			asked = append(asked, refs(pick(w.documents, n[1]+1), v+1, 3)...)
		}
		if asked[0].DocumentID == asked[3].DocumentID {
			asked = slices.Compact(asked) // each once
		}
		found, err := k.Passages(ctx, k.company, asked)
		return slices.SortedFunc(slices.Values(found), func(a, b knowledge.Passage) int {
			return cmp.Or(cmp.Compare(a.DocumentID, b.DocumentID), cmp.Compare(a.Ordinal, b.Ordinal))
		}), err
	}},
	{"LiveDocument", talk, 2, aDocument, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.LiveDocument(ctx, k.company, pick(w.documents, n[1])))
	}},
	{"LiveDocuments", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(pagedLive(ctx, k, k.company, n[1]%100+1))
	}},
	{"Stamps", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.Stamps(ctx, k.company, pick(w.documents, n[1]), n[2]%4+1))
	}},
	{"Changes", talk, 2, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(pagedChanges(ctx, k, k.company, int64(n[1]%6), n[2]%4+1))
	}},
	{"DocumentHashes", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		of := ""
		if n[1]%3 == 0 {
			of = pick(w.agents, n[2])
		}
		return result(k.DocumentHashes(ctx, k.company, of, []string{"x1", "x2", "x3"}))
	}},
	{"Documents", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		f := []knowledge.Filter{{}, {ExternalID: fmt.Sprint("x", n[2]%4)}, {AgentID: pick(w.agents, n[2])}, {Kind: knowledge.KindUpload}}[n[1]%4]
		return result(paged(n[3]%4+1, func(p store.Page) (store.List[knowledge.Document], error) { return k.Documents(ctx, k.company, f, p) }))
	}},
	{"Agents", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(paged(n[1]%4+1, func(p store.Page) (store.List[agent.Agent], error) { return k.Agents(ctx, k.company, p) }))
	}},
	{"Conversations", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		f := []agent.ConversationFilter{{}, {UserID: fmt.Sprint("user ", n[2]%3)}, {AgentID: pick(w.agents, n[2])}}[n[1]%3]
		return result(paged(n[3]%4+1, func(p store.Page) (store.List[agent.Conversation], error) {
			return k.Conversations(ctx, k.company, f, p)
		}))
	}},
	{"Messages", talk, 1, aConversation, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		f := []agent.MessageFilter{
			{ConversationID: pick(w.conversations, n[1])}, {AgentID: cmp.Or(pick(w.agents, n[1]), k.agent)}, {UserID: fmt.Sprint("user ", n[1]%3)},
			{UserID: fmt.Sprint("user ", n[1]%3), AgentID: k.agent}, {},
		}[n[3]%5]
		return result(paged(n[2]%4+1, func(p store.Page) (store.List[agent.Message], error) { return k.Messages(ctx, k.company, f, p) }))
	}},
	{"PutFeedback", talk, 2, aConversation, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		f := agent.Feedback{
			MessageID: pick(w.messages, n[1]), Rating: []agent.Rating{agent.RatingUp, agent.RatingDown}[n[2]%2], Remark: fmt.Sprint("remark ", n[3]%3),
			CreatedAt: now(), UpdatedAt: now(),
		}
		if n[4]%2 == 0 {
			f.Reasons = []string{"wrong", fmt.Sprint("reason ", n[5]%3)}
		}
		return result(k.PutFeedback(ctx, k.commit(tell(event.MessageFeedback, k.agent)), f))
	}},
	{"Events", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(pagedEvents(ctx, k, k.company, n[1]%9+1))
	}},
	{"Enqueue", toil, 7, nothing, enqueueMove},
	{"DueCompanies", toil, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		due, err := k.DueCompanies(ctx, queueOf(n[1]), 10_000)
		return slices.Contains(due, k.company), err
	}},
	{"ClaimKeys", toil, 4, aJob, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		leases, err := k.ClaimKeys(ctx, k.company, queueOf(n[1]), "worker", w.lease(n[2]), 100)
		slices.SortFunc(leases, func(a, b store.Lease) int { return cmp.Compare(a.Key, b.Key) })
		w.leases = append(w.leases, leases...)
		return leases, err
	}},
	{"DueJobs", toil, 4, aLease, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		l := w.pickLease(k, n[1])
		return result(k.DueJobs(ctx, l, l.Queue == "line", n[2]%4+1))
	}},
	{"FinishJobs", toil, 6, aLease, finishMove},
	{"RenewLease", toil, 1, aLease, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.RenewLease(ctx, w.pickLease(k, n[1]), w.lease(n[2])))
	}},
	{"ReleaseKey", toil, 2, aLease, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		l := w.pickLease(k, n[1])
		err := k.ReleaseKey(ctx, l)
		w.leases = dropped(w.leases, n[0], func(o store.Lease) bool { return o == l })
		return nil, err
	}},
	{"ReviveJob", toil, 2, aDeadJob, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return none(k.ReviveJob(ctx, k.company, pick(w.jobs, n[1])))
	}},
	{"DeadJobs", toil, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(paged(n[1]%3+1, func(p store.Page) (store.List[store.DeadJob], error) {
			return k.DeadJobs(ctx, k.company, queueOf(n[2]), p)
		}))
	}},
	{"ClaimReceipt", toil, 4, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		c := k.claimOf(fmt.Sprint("key ", n[1]%3), fmt.Sprint("body ", n[2]%5/4), w.lease(n[3]))
		s, err := k.ClaimReceipt(ctx, c)
		if s.Claimed {
			w.claims = append(w.claims, s.Receipt)
		}
		if s.Differs {
			s.Receipt = store.Receipt{}
		}
		return s, err
	}},
	{"ReleaseReceipt", toil, 2, aClaim, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return none(k.ReleaseReceipt(ctx, k.company, pick(w.claims, n[1])))
	}},
}, slices.Concat(sourceMoves, vectorMoves)...)

// queueOf names one of two queues: the jobs of "line" are done in order.
func queueOf(n int) string { return []string{queue, "line"}[n%2] }

// pickLease returns a lease that was given to some company, as if it were k's.
func (w *world) pickLease(k *kit, n int) store.Lease {
	l := pick(w.leases, n)
	l.Company = k.company
	return l
}

func beginMove(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
	m := agent.Message{
		ID: w.id(id.Message), AgentID: k.agent, Text: fmt.Sprint("question ", n[1]%5), CreatedAt: now(),
		Metadata: map[string]any{"n": n[1] % 3},
	}
	switch n[2] % 3 {
	case 0:
		m.ConversationID = pick(w.conversations, n[3])
	case 1:
		m.User.ID = fmt.Sprint("user ", n[3]%3)
		m.AgentID = cmp.Or(pick(w.agents, n[4]), k.agent)
	}
	b := agent.Begin{Message: m, NewConversation: w.id(id.Conversation), ReplyID: w.id(id.Message), Worker: "worker", Lease: w.lease(n[5])}
	turn, err := k.BeginTurn(ctx, k.begun(b), b)
	if err == nil {
		w.turns = append(w.turns, turn)
		w.messages = append(w.messages, m.ID, b.ReplyID)
		w.conversations = append(w.conversations, turn.ConversationID)
	}
	return turn, err
}

func endMove(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
	turn := pick(w.turns, n[1])
	const answer = "The first claim – the second claim. The rest."
	var cites []agent.Citation
	for i := range n[2] % 3 {
		c := agent.Citation{DocumentID: pick(w.documents, n[3]+i), DocumentVersion: 1, End: 4, Quote: "Text"}
		if live, err := k.LiveDocument(ctx, k.company, c.DocumentID); err == nil && len(live.Passages) > 0 {
			p := pick(live.Passages, n[4])
			c.DocumentVersion, c.Ordinal, c.Start, c.End, c.Quote, c.Title, c.Heading = live.Version, p.Ordinal, p.Start, p.End, p.Text, live.Title, p.Heading
		}
		if n[5]%12 == 0 {
			c.DocumentVersion--
		}
		if n[5]%12 == 1 {
			c.Quote += "!"
		}
		cites = append(cites, claims(c, answer, []string{"first claim", "second claim.", "claim – the", ""}[(n[5]+i)%4]))
	}
	err := k.EndTurn(ctx, k.ended(turn), turn.TurnRef, reply(turn, answer, cites...))
	if err == nil || errors.Is(err, store.ErrFenced) {
		w.turns = dropped(w.turns, n[0], func(t agent.Turn) bool { return t.TurnRef == turn.TurnRef })
	}
	return nil, err
}

// writes returns one to three writes, of which the first may meet what is there.
func (w *world) writes(n [6]int) []knowledge.Write {
	document := func(n int) knowledge.Write {
		d := text(fmt.Sprint("title ", n%2), fmt.Sprintf("Text number %d.", n/2%3), "A second line.")
		d.NewID = w.id(id.Document)
		return d
	}
	d := document(n[1])
	if x := n[2] % 4; x > 0 {
		d.ExternalID = fmt.Sprint("x", x)
	}
	if n[2]%8 == 7 {
		d.Kind = knowledge.KindContent
	}
	switch n[3] % 6 {
	case 0:
		d.ID = pick(w.documents, n[4])
	case 1:
		d.AgentID = pick(w.agents, n[4])
	case 2:
		d.IfVersion = n[4]%2 + 1
	case 3:
		d.KeepText = n[4]%2 == 0
	}
	switch n[1] % 12 {
	case 0:
		d.RunID = w.id(id.Run)
		w.runs = append(w.runs, d.RunID)
	case 1:
		d.RunID = pick(w.runs, n[4])
	}
	writes := []knowledge.Write{hashed(d)}
	for i := range n[5] % 3 {
		writes = append(writes, document(n[5]+i))
	}
	return writes
}

func writeMove(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
	cm := k.commit()
	if n[0]%3 == 0 && len(w.claims) > 0 {
		r := pick(w.claims, n[4])
		r.Result, r.Done = []string{"", "-", "- ?"}[n[5]%3], n[1]%2 == 0
		cm.Receipt = &r
		w.lapses = true
	}
	if n[0]%5 == 0 {
		cm.Audit = &store.Audit{ID: w.id(id.Audit), Actor: "key_1", Action: "document.put", At: now()}
	}
	got, err := k.WriteDocuments(ctx, cm, w.writes(n))
	for _, d := range got.Documents {
		w.documents = append(w.documents, d.ID)
	}
	return got, err
}

func enqueueMove(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
	cm := k.commit()
	for range n[1]%2 + 1 {
		job := store.Work{ID: w.id(id.Work), Queue: queueOf(n[2]), Key: fmt.Sprint("key ", n[3]%3), Payload: []byte("payload")}
		if job.Queue == queue && n[4]%4 == 0 {
			job.RunAt = time.Now().Add(long)
		}
		cm.Work = append(cm.Work, job)
	}
	if n[4]%3 == 0 {
		cm.Audit = &store.Audit{ID: w.id(id.Event), Actor: "key_1", Action: "probe", Object: fmt.Sprint(n[5] % 4), At: now()}
	}
	if n[4]%3 == 1 {
		cm.Events = []event.Event{tell("a.b", k.agent), tell("a.b", fmt.Sprint("stream ", n[5]%3))}
	}
	if n[5]%3 == 0 && len(w.claims) > 0 {
		r := pick(w.claims, n[5])
		r.Result, r.Done = fmt.Sprint("result ", n[5]%5), n[4]%2 == 0
		cm.Receipt = &r
		w.lapses = true // where it renews a claim of a microsecond
	}
	err := k.Enqueue(ctx, cm)
	if err == nil {
		w.queued += len(cm.Work)
	}
	return nil, err
}

func finishMove(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
	l := w.pickLease(k, n[1])
	o := store.Outcome{ID: pick(w.jobs, n[2])}
	if jobs, err := k.DueJobs(ctx, l, false, 10); err == nil && len(jobs) > 0 {
		o.ID = pick(jobs, n[2]).ID
	}
	switch n[3] % 4 {
	case 0, 1:
		o.Done = true
	case 2:
		o.Dead, o.Reason = true, "refused"
	default:
		o.RetryIn = long
		if l.Queue == "line" || n[4]%2 == 0 {
			o.RetryIn, w.lapses = time.Microsecond, true
		}
	}
	err := k.FinishJobs(ctx, l, []store.Outcome{o})
	if err == nil && o.RetryIn == 0 {
		w.queued--
	}
	switch {
	case err != nil:
		w.leases = dropped(w.leases, n[0], func(o store.Lease) bool { return o == l })
	case o.Dead || n[5]%4 == 0:
		w.jobs = append(w.jobs, o.ID)
	}
	return nil, err
}
