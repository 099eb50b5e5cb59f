package evals

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A Desk is a company whose agents are asked. The desk of the root package, and each
// of its companies, is one.
type Desk interface {
	Agent(id string) *agent.Handle
	Agents() *agent.Agents
	Conversations() *agent.Conversations
	Knowledge() *knowledge.Base
}

// Options are what may be chosen about running evals. The zero value suits most.
type Options struct {
	AgentID string // who is asked; empty: the company's default agent
	Repeat  int    // how often each conversation is held, if it does not say; 0 means once
	Keep    bool   // leaves the conversations on the desk, which are deleted otherwise
}

// A Result is what a conversation came to.
type Result struct {
	File string `json:"file"`
	Name string `json:"name"` // of the conversation
	Line int    `json:"line"` // where it begins in the file
	Runs []Once `json:"runs"` // one for each time it was held
}

// Once is how a conversation went one time.
type Once struct {
	Failures       []Failure     `json:"failures"` // none: it passed
	ConversationID string        `json:"conversation_id,omitzero"`
	Replies        []agent.Reply `json:"replies"`
	Duration       time.Duration `json:"duration_ns"`
}

// A Failure is an expectation that a reply does not meet.
type Failure struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"` // what was asked and expected, and what came instead
}

// String is the failure with the place of the expectation.
func (f Failure) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message) }

// ID is the file and the conversation.
func (r Result) ID() string { return r.File + "/" + r.Name }

// Passed is how many of its runs passed.
func (r Result) Passed() int {
	n := 0
	for _, once := range r.Runs {
		if len(once.Failures) == 0 {
			n++
		}
	}
	return n
}

// Always reports whether it passed each time: what is called pass^k of k runs.
func (r Result) Always() bool { return r.Passed() == len(r.Runs) }

// Ever reports whether it passed at least once: what is called pass@k.
func (r Result) Ever() bool { return r.Passed() > 0 }

// Run holds the conversations of files, in their order, and yields what each comes
// to. An error ends it: that a reply is not what was expected is none. Nothing of it
// stays on the desk, unless [Options.Keep] says so. A nil opts means the defaults
// written on [Options].
func Run(ctx context.Context, desk Desk, files []File, opts *Options) iter.Seq2[Result, error] {
	var o Options
	if opts != nil {
		o = *opts
	}
	return func(yield func(Result, error) bool) {
		for _, f := range files {
			if err := f.run(ctx, desk, o, yield); err != nil {
				if !errors.Is(err, errLeft) {
					yield(Result{}, err)
				}
				return
			}
		}
	}
}

var errLeft = errors.New("the caller has left the loop")

// run holds the conversations of one file.
func (f File) run(ctx context.Context, desk Desk, o Options, yield func(Result, error) bool) error {
	agentID, leave, err := f.enter(ctx, desk, o)
	if err != nil {
		return err
	}
	for _, c := range f.Conversations {
		result := Result{File: f.Name, Name: c.Name, Line: c.Line}
		times := c.Repeat
		if times == 0 {
			times = max(o.Repeat, 1)
		}
		for range times {
			once, err := f.hold(ctx, desk, agentID, c, o.Keep)
			if err != nil {
				return errors.Join(err, leave())
			}
			result.Runs = append(result.Runs, once)
		}
		if !yield(result, nil) {
			return errors.Join(errLeft, leave())
		}
	}
	return leave()
}

// enter returns the agent to ask, and what to do when it has been asked. A file with
// anything of its own gets an agent of its own.
func (f File) enter(ctx context.Context, desk Desk, o Options) (agentID string, leave func() error, err error) {
	asked, err := desk.Agent(o.AgentID).Get(ctx)
	if err != nil {
		return "", nil, err
	}
	if f.settings == nil && len(f.documents) == 0 && len(f.tools) == 0 {
		return asked.ID, func() error { return nil }, nil
	}
	settings, missing := asked.Settings, desk.Agents().Missing(asked.Settings)
	if f.settings != nil {
		d := json.NewDecoder(bytes.NewReader(f.settings))
		d.DisallowUnknownFields()
		if err := d.Decode(&settings); err != nil {
			return "", nil, &SyntaxError{f.Name, f.places["settings"], fmt.Sprintf("settings: %v", err)}
		}
	}
	if len(f.tools) > 0 {
		tools := map[string]agent.ToolSettings{}
		maps.Copy(tools, settings.Tools)
		for _, t := range f.tools {
			tools[t.name] = agent.ToolSettings{Approval: tools[t.name].Approval, Description: t.description, Parameters: t.parameters, Idempotent: true, ReadOnly: t.readOnly}
		}
		settings.Tools = tools
	}
	without(&settings, asked.Model, missing)
	if len(f.documents) > 0 {
		settings.KnowledgeFilter = f.narrowed(settings.KnowledgeFilter)
	}
	own, err := desk.Agents().Create(ctx, settings)
	if wrong, ok := errors.AsType[*agent.InvalidError](err); ok && f.settings != nil {
		return "", nil, &SyntaxError{f.Name, f.places["settings"], fmt.Sprintf("settings: %v", wrong)}
	} else if err != nil {
		return "", nil, fmt.Errorf("%s: an agent of its own: %w", f.Name, err)
	}
	leave = func() error {
		if o.Keep {
			return nil
		}
		_, err := desk.Agents().Delete(context.WithoutCancel(ctx), own.ID)
		return err
	}
	for in, err := range desk.Knowledge().Ingest(ctx, f.owned(own.ID)) {
		if err == nil {
			err = in.Err
		}
		if err != nil {
			return "", nil, errors.Join(fmt.Errorf("%s: document %s: %w", f.Name, in.Document.ExternalID, err), leave())
		}
	}
	return own.ID, leave, nil
}

// without takes out of settings what had no effect on the agent that they are of: fields
// with names of what this desk does not have.
func without(s *agent.Settings, model string, missing []string) {
	for _, path := range missing {
		name, ok := strings.CutPrefix(path, "tools.")
		switch {
		case !ok && s.Model == model:
			s.Model = ""
		case ok && len(s.Tools[name].Parameters) == 0:
			delete(s.Tools, name)
		}
	}
}

// mark is the key of the metadata of documents in files of evals.
const mark = "evals"

// narrowed is a filter that leaves the documents of the file alone.
func (f File) narrowed(filter map[string]any) map[string]any {
	own := map[string]any{mark: f.Name}
	if len(filter) == 0 {
		return own
	}
	return map[string]any{"$and": []any{filter, own}}
}

// owned yields the documents of the file as an agent's.
func (f File) owned(agentID string) iter.Seq2[knowledge.Document, error] {
	return func(yield func(knowledge.Document, error) bool) {
		for _, d := range f.documents {
			d.AgentID = agentID
			d.Metadata = maps.Clone(d.Metadata)
			if d.Metadata == nil {
				d.Metadata = map[string]any{}
			}
			d.Metadata[mark] = f.Name
			if !yield(d, nil) {
				return
			}
		}
	}
}

// hold holds a conversation once.
func (f File) hold(ctx context.Context, desk Desk, agentID string, c Conversation, keep bool) (once Once, err error) {
	begun := time.Now()
	once = Once{Failures: []Failure{}, Replies: []agent.Reply{}}
	defer func() {
		once.Duration = time.Since(begun)
		if once.ConversationID != "" && !keep {
			_, left := desk.Conversations().Delete(context.WithoutCancel(ctx), once.ConversationID)
			err = errors.Join(err, left)
		}
	}()
	for _, t := range c.turns {
		fail := func(line int, format string, args ...any) {
			once.Failures = append(once.Failures, Failure{f.Name, line, fmt.Sprintf(format, args...)})
		}
		reply, err := f.ask(ctx, desk, agentID, once.ConversationID, t, fail)
		once.ConversationID = max(once.ConversationID, reply.ConversationID)
		if ctx.Err() != nil {
			return once, ctx.Err()
		}
		if err != nil {
			fail(t.line, "%s: %v", shown(t.text), err)
			return once, nil
		}
		once.Replies = append(once.Replies, reply)
		for _, e := range t.expect {
			if got := e.check(reply); got != "" {
				fail(e.line, "%s: want %s, but %s", shown(t.text), e.text, got)
			}
		}
	}
	return once, nil
}

// ask asks one message, and answers for the tools of the file meanwhile.
func (f File) ask(ctx context.Context, desk Desk, agentID, conversationID string, t turn, fail func(int, string, ...any)) (agent.Reply, error) {
	m := agent.Message{Text: t.text, ConversationID: conversationID, Context: t.context}
	var reply agent.Reply
	for ev, err := range desk.Agent(agentID).Stream(ctx, m) {
		if err != nil {
			reply.ConversationID = max(reply.ConversationID, conversationID)
			return reply, err
		}
		reply.ConversationID = ev.ConversationID // to be deleted, also if no reply comes
		switch {
		case ev.Type == agent.ToolWaiting && ev.ToolCall != nil:
			if err := f.serve(ctx, desk, t, *ev.ToolCall, fail); err != nil {
				return reply, err
			}
		case ev.Reply != nil:
			reply = *ev.Reply
		}
	}
	return reply, nil
}
