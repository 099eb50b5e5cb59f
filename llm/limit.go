package llm

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"
)

// Limits bound what a model may take. Those of 0 or less do not bound it. For
// several windows, such as a minute and a day, limit a limited model.
type Limits struct {
	// Requests, Tokens and Dollars are how much may be had within Per: in any span of
	// that length, not only from one full minute to the next. Dollars count only what
	// answers say they cost: see [WithPrice].
	Requests int
	Tokens   int
	Dollars  float64
	Per      time.Duration // by default a minute

	// AtOnce is how many answers may be under way.
	AtOnce int

	// Wait is how long a question waits for room, first come, first served. By
	// default it does not.
	Wait time.Duration
}

// Limit returns a model that asks m within limits. A question that there is no room
// for is an [Error] of kind [RateLimit] that says, if that is known, when there will
// be some.
//
// What an answer takes is known when it ends. Until then it counts as the tokens
// that [EstimateTokens] finds in the request and as many as it may answer with,
// which is taken to be 1,024 where MaxTokens does not say, at what tokens have cost
// so far. So limits may be passed by as much as those under way turn out to take
// more. A question larger than a limit is asked when nothing else is in the window.
// One that fails with nothing said counts as a request without tokens; one that
// breaks off, or that its reader leaves, as the estimate of what there was.
func Limit(m Model, limits Limits) Model {
	if limits.Per <= 0 {
		limits.Per = time.Minute
	}
	return &limited{
		model: m, limits: limits,
		queue: make(chan struct{}, 1), freed: make(chan struct{}),
		window: window{start: time.Now(), slot: (limits.Per + slots - 2) / (slots - 1)}, // rounded up
	}
}

type limited struct {
	model  Model
	limits Limits
	queue  chan struct{} // holds a value while the first of those who wait is looking

	mu      sync.Mutex
	window  window
	pending amount        // what those under way are taken to take
	running int           //
	total   amount        // of all times, for what a token costs
	freed   chan struct{} // closed, and replaced, when an answer ends
}

func (m *limited) Generate(ctx context.Context, req Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		sent := estimate(req)
		room, err := m.enter(ctx, sent+answerTokens(req))
		if err != nil {
			yield(nil, err)
			return
		}
		var (
			took Usage
			said int // bytes
			done bool
		)
		defer func() {
			if !done && said > 0 { // nobody has counted
				took = Usage{Input: sent, Output: (said + 3) / 4}
			}
			m.leave(room, took, done)
		}()
		for ev, err := range m.model.Generate(ctx, req) {
			switch ev := ev.(type) {
			case TextDelta:
				said += len(ev.Text)
			case ToolCall:
				said += len(ev.Name) + len(ev.Arguments)
			case Done:
				took, done = ev.Usage, true
			}
			if u := Taken(err); u != (Usage{}) {
				took, said = u, 0
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

// enter waits for room for so many tokens, and returns what is held for them.
func (m *limited) enter(ctx context.Context, tokens int) (amount, error) {
	if m.limits.Wait <= 0 {
		held, _, full := m.try(tokens)
		if full != nil {
			return amount{}, full
		}
		return held, nil
	}
	wait, cancel := context.WithTimeout(ctx, m.limits.Wait)
	defer cancel()
	select {
	case m.queue <- struct{}{}: // those who wait for it get it in their order
		defer func() { <-m.queue }()
	case <-wait.Done():
		return amount{}, ended(ctx, full("queue", 0, "others have waited longer"))
	}
	for {
		held, freed, full := m.try(tokens)
		if full == nil {
			return held, nil
		}
		var later <-chan time.Time
		if full.RetryAfter > 0 {
			later = time.After(full.RetryAfter)
		}
		select {
		case <-freed:
		case <-later:
		case <-wait.Done():
			return amount{}, ended(ctx, full)
		}
	}
}

// try takes room, or says why there is none; freed is closed when an answer ends.
func (m *limited) try(tokens int) (held amount, freed <-chan struct{}, over *Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	need := amount{requests: 1, tokens: float64(tokens)}
	if m.total.tokens > 0 {
		need.dollars = need.tokens * m.total.dollars / m.total.tokens
	}
	now := time.Now()
	m.window.turn(now)
	if m.limits.AtOnce > 0 && m.running >= m.limits.AtOnce {
		return amount{}, m.freed, full("at_once", 0, "%d answers are under way", m.running)
	}
	for _, l := range []struct {
		name  string
		limit float64
		of    func(amount) float64
	}{
		{"requests", float64(m.limits.Requests), func(a amount) float64 { return a.requests }},
		{"tokens", float64(m.limits.Tokens), func(a amount) float64 { return a.tokens }},
		{"dollars", m.limits.Dollars, func(a amount) float64 { return a.dollars }},
	} {
		if l.limit <= 0 {
			continue
		}
		others := l.of(m.pending)
		passed := func(used float64) bool {
			return used+others+min(l.of(need), l.limit) > l.limit || used+others >= l.limit
		}
		if wait, over := m.window.until(now, l.of, passed); over {
			return amount{}, m.freed, full(l.name, wait, "%v %s in %v are all there is", l.limit, l.name, m.limits.Per)
		}
	}
	m.running++
	m.window.add(amount{requests: 1})
	need.requests = 0
	m.pending = m.pending.plus(need, 1)
	return need, nil, nil
}

// leave puts what an answer took in the place of what was held for it.
func (m *limited) leave(held amount, took Usage, counted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	spent := amount{tokens: float64(took.Input + took.Output), dollars: took.Cost}
	switch {
	case counted:
		m.total = m.total.plus(spent, 1)
	case m.total.tokens > 0:
		spent.dollars = spent.tokens * m.total.dollars / m.total.tokens
	}
	m.pending = m.pending.plus(held, -1)
	if m.running--; m.running == 0 {
		m.pending = amount{} // what rounding has left
	}
	m.window.turn(time.Now())
	m.window.add(spent)
	close(m.freed)
	m.freed = make(chan struct{})
}

// estimate guesses the tokens of a request.
func estimate(req Request) int {
	n := EstimateTokens(req.Instructions)
	for _, t := range req.Tools {
		n += EstimateTokens(t.Name) + EstimateTokens(t.Description) + (len(t.Parameters)+3)/4
	}
	for _, m := range req.Messages {
		n += EstimateTokens(m.Text)
		for _, c := range m.ToolCalls {
			n += EstimateTokens(c.Name) + (len(c.Arguments)+3)/4
		}
		for _, r := range m.Results {
			n += EstimateTokens(r.Content)
		}
	}
	if req.Output != nil {
		n += (len(req.Output.Schema) + 3) / 4
	}
	return n
}

// answerTokens is what an answer is taken to have at most.
func answerTokens(req Request) int {
	if req.MaxTokens > 0 {
		return req.MaxTokens
	}
	return 1024
}

// full is the error of a limit.
func full(limit string, wait time.Duration, format string, args ...any) *Error {
	return &Error{Provider: "limit", Kind: RateLimit, Code: limit, RetryAfter: wait, Detail: fmt.Sprintf(format, args...)}
}

// ended is the error of a wait that is over: that of ctx if it has ended.
func ended(ctx context.Context, full *Error) error {
	if err := ctx.Err(); err != nil {
		return &Error{Provider: "limit", Kind: RateLimit, Code: full.Code, Err: err}
	}
	return full
}
