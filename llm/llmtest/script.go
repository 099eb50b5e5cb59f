package llmtest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/answerdesk-go/answerdesk/llm"
)

// A Script is a model that answers as a test tells it to: the first request with
// the first answer, the second with the second, or by what it is asked. It keeps
// the requests that it got.
//
// It refuses a request that providers would refuse, such as one with a call that
// has no result; see [CheckRequest].
type Script struct {
	// DeltaRunes cuts what is said into deltas of so many characters; 0 gives each
	// [Say] whole.
	DeltaRunes int

	reply func(llm.Request) Answer // in place of answers, if it is not nil

	mu       sync.Mutex
	rules    []*rule
	answers  []Answer
	next     int // of answers
	requests []llm.Request
}

type rule struct {
	asked   func(llm.Request) bool
	answers []Answer
	next    int
}

var _ llm.Model = (*Script)(nil)

// NewScript returns a model that gives the answers in their order. Once they are
// used up its answer is an [llm.Error] of kind [llm.BadRequest].
func NewScript(answers ...Answer) *Script { return &Script{answers: answers} }

// Reply returns a model that answers what a function makes of the request. The
// function may be called by many goroutines.
func Reply(f func(llm.Request) Answer) *Script { return &Script{reply: f} }

// When has requests for which asked holds answered with the answers given here, in
// their order and with the last of them from then on, before what [NewScript] and
// the others have. Of several that hold the one that was given first counts. It
// returns s, and is called before s is used. Asked may be called by many
// goroutines.
func (s *Script) When(asked func(llm.Request) bool, answers ...Answer) *Script {
	if len(answers) == 0 {
		panic("llmtest: When has no answer")
	}
	s.rules = append(s.rules, &rule{asked: asked, answers: answers})
	return s
}

// Asked holds for a request whose last message, of a user or with the results of
// tools, contains a text, in whatever case.
func Asked(text string) func(llm.Request) bool {
	text = strings.ToLower(text)
	return func(req llm.Request) bool {
		if len(req.Messages) == 0 {
			return false
		}
		last := req.Messages[len(req.Messages)-1]
		return strings.Contains(strings.ToLower(last.Text), text) ||
			slices.ContainsFunc(last.Results, func(r llm.ToolResult) bool { return strings.Contains(strings.ToLower(r.Content), text) })
	}
}

// Generate gives the next answer.
func (s *Script) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if err := CheckRequest(req); err != nil {
			s.keep(req)
			yield(nil, err)
			return
		}
		answer, number, ok := s.take(req)
		if !ok {
			yield(nil, &llm.Error{Provider: "llmtest", Kind: llm.BadRequest, Detail: fmt.Sprintf("the script has no answer to request %d", number)})
			return
		}
		answer.play(ctx, req, number, s.DeltaRunes, yield)
	}
}

// take returns the answer to a request, and which request it is, from 1.
func (s *Script) take(req llm.Request) (a Answer, number int, ok bool) {
	number = s.keep(req)
	for _, r := range s.rules {
		if r.asked(req) {
			s.mu.Lock()
			defer s.mu.Unlock()
			a = r.answers[r.next]
			r.next = min(r.next+1, len(r.answers)-1)
			return a, number, true
		}
	}
	if s.reply != nil {
		return s.reply(req), number, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.answers) {
		return Answer{}, number, false
	}
	s.next++
	return s.answers[s.next-1], number, true
}

func (s *Script) keep(req llm.Request) int {
	req.Messages, req.Tools = slices.Clone(req.Messages), slices.Clone(req.Tools)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, req)
	return len(s.requests)
}

// Requests returns what the model was asked so far, in the order it was.
func (s *Script) Requests() []llm.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Left returns how many of the answers of [NewScript] were not given yet.
func (s *Script) Left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers) - s.next
}

// inputTokens estimates what a request takes.
func inputTokens(req llm.Request) int {
	n := llm.EstimateTokens(req.Instructions)
	for _, m := range req.Messages {
		n += llm.EstimateTokens(m.Text)
		for _, c := range m.ToolCalls {
			n += llm.EstimateTokens(c.Name + string(c.Arguments))
		}
		for _, r := range m.Results {
			n += llm.EstimateTokens(r.Content)
		}
	}
	for _, t := range req.Tools {
		n += llm.EstimateTokens(t.Name + t.Description + string(t.Parameters))
	}
	return n
}
