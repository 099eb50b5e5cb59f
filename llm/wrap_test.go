package llm_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
)

// A play is a model that gives one answer after the other, each a list of events,
// errors and times that pass.
type play struct {
	mu      sync.Mutex
	asked   int
	answers [][]any
}

func (p *play) Generate(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		p.mu.Lock()
		answer := p.answers[min(p.asked, len(p.answers)-1)]
		p.asked++
		p.mu.Unlock()
		for _, part := range answer {
			switch part := part.(type) {
			case llm.Event:
				if !yield(part, nil) {
					return
				}
			case error:
				yield(nil, part)
				return
			case time.Duration:
				select {
				case <-time.After(part):
				case <-ctx.Done():
					yield(nil, &llm.Error{Provider: "play", Kind: llm.Network, Err: ctx.Err()})
					return
				}
			}
		}
	}
}

func says(answers ...[]any) *play { return &play{answers: answers} }

// heard writes an answer down in one line.
func heard(answer iter.Seq2[llm.Event, error]) string {
	var b strings.Builder
	for ev, err := range answer {
		switch ev := ev.(type) {
		case llm.TextDelta:
			b.WriteString(ev.Text)
		case llm.ToolCall:
			b.WriteString("<" + ev.Name + ">")
		case llm.Reset:
			b.WriteString("<reset>")
		case llm.Done:
			b.WriteString("<" + string(ev.Reason) + ">")
		}
		if err != nil {
			fmt.Fprintf(&b, "<%v>", err)
		}
	}
	return b.String()
}

var (
	text   = llm.TextDelta{Text: "We open "}
	more   = llm.TextDelta{Text: "at 9."}
	call   = llm.ToolCall{ID: "1", Name: "hours", Arguments: []byte(`{}`)}
	stop   = llm.Done{Reason: llm.FinishStop, Usage: llm.Usage{Input: 800, Output: 200, Cost: 0.01}}
	down   = &llm.Error{Provider: "play", Kind: llm.Server, Status: 503}
	wrong  = &llm.Error{Provider: "play", Kind: llm.Auth, Status: 401}
	slow   = &llm.Error{Provider: "play", Kind: llm.RateLimit, Status: 429, RetryAfter: 7 * time.Second}
	never  = &llm.Error{Provider: "play", Kind: llm.RateLimit, Status: 429, RetryAfter: time.Hour}
	errCut = fmt.Errorf("play: %w", llm.ErrIncomplete)
	whole  = []any{text, more, stop}
)

func TestRetry(t *testing.T) {
	for name, c := range map[string]struct {
		opts    *llm.RetryOptions
		answers [][]any
		want    string
		asked   int
		min     time.Duration
		max     time.Duration
	}{
		"at once":                   {nil, [][]any{whole}, "We open at 9.<stop>", 1, 0, 0},
		"down, then not":            {nil, [][]any{{down}, {errCut}, whole}, "We open at 9.<stop>", 3, 750 * time.Millisecond, 1500 * time.Millisecond},
		"as long as it says":        {nil, [][]any{{slow}, whole}, "We open at 9.<stop>", 2, 7250 * time.Millisecond, 7500 * time.Millisecond},
		"longer than we wait":       {nil, [][]any{{never}, whole}, "<" + never.Error() + ">", 1, 0, 0},
		"for good":                  {nil, [][]any{{wrong}, whole}, "<play: auth, status 401>", 1, 0, 0},
		"too often":                 {nil, [][]any{{down}}, "<play: server, status 503>", 4, 1750 * time.Millisecond, 3500 * time.Millisecond},
		"never":                     {&llm.RetryOptions{Times: -1}, [][]any{{down}, whole}, "<play: server, status 503>", 1, 0, 0},
		"other waits":               {&llm.RetryOptions{Times: 9, FirstWait: time.Second, MaxWait: 2 * time.Second}, [][]any{{down}}, "<play: server, status 503>", 10, 8500 * time.Millisecond, 17 * time.Second},
		"after text":                {nil, [][]any{{text, errCut}, whole}, "We open <play: the answer broke off>", 1, 0, 0},
		"after a call":              {nil, [][]any{{call, down}, whole}, "<hours><play: server, status 503>", 1, 0, 0},
		"after text, with reset":    {&llm.RetryOptions{Reset: true}, [][]any{{text, errCut}, whole}, "We open <reset>We open at 9.<stop>", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		"what was read stands":      {&llm.RetryOptions{Reset: true, Times: 2}, [][]any{{text, errCut}, {down}}, "We open <play: server, status 503>", 3, 0, 3 * time.Second},
		"reset of the new answer":   {&llm.RetryOptions{Reset: true}, [][]any{{text, errCut}, {llm.Reset{}, more, stop}}, "We open <reset>at 9.<stop>", 2, 0, time.Second},
		"new answer without text":   {&llm.RetryOptions{Reset: true}, [][]any{{text, errCut}, {stop}}, "We open <reset><stop>", 2, 0, time.Second},
		"text that was taken back":  {nil, [][]any{{text, llm.Reset{}, down}, whole}, "We open <reset>We open at 9.<stop>", 2, 0, time.Second},
		"several broken answers":    {&llm.RetryOptions{Reset: true}, [][]any{{text, errCut}, {text, more, errCut}, whole}, "We open <reset>We open at 9.<reset>We open at 9.<stop>", 3, 0, 2 * time.Second},
		"a model that just ends":    {nil, [][]any{{}, whole}, "We open at 9.<stop>", 2, 0, time.Second},
		"nothing after the end":     {nil, [][]any{{stop, down}}, "<stop>", 1, 0, 0},
		"what another package made": {nil, [][]any{{errors.New("no")}, whole}, "<no>", 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, began := says(c.answers...), time.Now()
				if got := heard(llm.Retry(p, c.opts).Generate(t.Context(), llm.Request{})); got != c.want {
					t.Errorf("heard %q, want %q", got, c.want)
				}
				if p.asked != c.asked {
					t.Errorf("asked %d times, want %d", p.asked, c.asked)
				}
				if took := time.Since(began); took < c.min || took > c.max {
					t.Errorf("it took %v, want %v to %v", took, c.min, c.max)
				}
			})
		})
	}
}

// A context that ends in the middle of a wait ends it, and shows in the error beside
// what was waited for.
func TestRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := llm.Collect(llm.Retry(says([]any{slow}), nil).Generate(ctx, llm.Request{}))
		if failed, ok := errors.AsType[*llm.Error](err); !errors.Is(err, context.Canceled) || !ok || failed.Kind != llm.RateLimit {
			t.Errorf("the error is %v, want one of a context and a rate limit", err)
		}
		began := time.Now()
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := llm.Collect(llm.Retry(says([]any{slow}), nil).Generate(ctx, llm.Request{})); !errors.Is(err, slow) || time.Since(began) > 0 {
			t.Errorf("with a deadline before the end of the wait: %v after %v, want %v at once", err, time.Since(began), slow)
		}
	})
}

func TestFallback(t *testing.T) {
	large := &llm.Error{Provider: "play", Kind: llm.TooLarge}
	for name, c := range map[string]struct {
		first, second []any
		want          string
	}{
		"the first":       {whole, []any{call, stop}, "We open at 9.<stop>"},
		"the second":      {[]any{wrong}, whole, "We open at 9.<stop>"},
		"a larger one":    {[]any{large}, whole, "We open at 9.<stop>"},
		"after text":      {[]any{text, down}, []any{call, stop}, "We open <reset><hours><stop>"},
		"neither":         {[]any{wrong}, []any{down}, "<play: auth, status 401; then play: server, status 503>"},
		"neither, a part": {[]any{text, errCut}, []any{down}, "We open <play: the answer broke off; then play: server, status 503>"},
		"both in part":    {[]any{text, errCut}, []any{more, down}, "We open <reset>at 9.<play: the answer broke off; then play: server, status 503>"},
		"a refusal":       {[]any{llm.Done{Reason: llm.FinishFiltered}}, whole, "<content_filter>"},
	} {
		t.Run(name, func(t *testing.T) {
			m := llm.Fallback(says(c.first), says(c.second))
			if got := heard(m.Generate(t.Context(), llm.Request{})); got != c.want {
				t.Errorf("heard %q, want %q", got, c.want)
			}
		})
	}
	_, err := llm.Collect(llm.Fallback(says([]any{wrong}), says([]any{errCut})).Generate(t.Context(), llm.Request{}))
	if failed, ok := errors.AsType[*llm.Error](err); !ok || failed != wrong || !errors.Is(err, llm.ErrIncomplete) {
		t.Errorf("the error is %v, want one that wraps both", err)
	}
	if _, err := llm.Collect(llm.Fallback().Generate(t.Context(), llm.Request{})); err == nil {
		t.Error("no model at all has answered")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	next := says(whole)
	if _, err := llm.Collect(llm.Fallback(says([]any{time.Second, stop}), next).Generate(ctx, llm.Request{})); !errors.Is(err, context.Canceled) || next.asked > 0 {
		t.Errorf("after the context ended: %v, and the next model was asked %d times", err, next.asked)
	}
}

// Whoever leaves the loop at any event ends it, through all wrappers.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for after := range 6 {
			m := llm.Limit(llm.WithPrice(llm.Fallback(
				llm.Retry(says([]any{text, errCut}, []any{text, more, down}), &llm.RetryOptions{Reset: true, Times: 1}),
				says(whole)), llm.Price{}), llm.Limits{AtOnce: 1})
			heard, left := 0, false
			for range m.Generate(t.Context(), llm.Request{}) {
				if heard++; heard > after {
					left = true
					break
				}
			}
			if !left {
				t.Fatalf("the answer has %d events, want more", heard)
			}
			if _, err := llm.Collect(m.Generate(t.Context(), llm.Request{})); err != nil {
				t.Errorf("after leaving at event %d: %v", after, err)
			}
		}
	})
}

func TestWithPrice(t *testing.T) {
	price := llm.Price{Input: 3, Cached: 0.3, CacheNew: 3.75, Output: 15}
	u := llm.Usage{Input: 1_000_000, Cached: 500_000, CacheNew: 100_000, Output: 10_000, Reasoning: 5_000}
	for _, c := range []struct {
		price llm.Price
		usage llm.Usage
		want  float64
	}{
		{price, u, 0.4*3 + 0.5*0.3 + 0.1*3.75 + 0.15},
		{llm.Price{Input: 2}, u, 2},
		{price, llm.Usage{Input: 10, Cached: 20}, 6e-6}, // a provider that counts otherwise
		{llm.Price{}, u, 0},
		{price, llm.Usage{Input: 1_000_000, Cost: 7}, 7},
	} {
		r, err := llm.Collect(llm.WithPrice(says([]any{llm.Done{Usage: c.usage}}), c.price).Generate(t.Context(), llm.Request{}))
		if err != nil || r.Usage.Cost < c.want-1e-12 || r.Usage.Cost > c.want+1e-12 {
			t.Errorf("%+v of %+v costs %v, %v, want %v", c.usage, c.price, r.Usage.Cost, err, c.want)
		}
	}
	if got := heard(llm.WithPrice(says([]any{text, down}), price).Generate(t.Context(), llm.Request{})); got != "We open <play: server, status 503>" {
		t.Errorf("heard %q", got)
	}
}
