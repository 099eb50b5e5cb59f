package llm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
)

// ask asks a model, and returns the limit that it has met, if any, and when to come
// back.
func ask(t *testing.T, m llm.Model, req llm.Request) (limit string, after time.Duration) {
	t.Helper()
	_, err := llm.Collect(m.Generate(t.Context(), req))
	if err == nil {
		return "", 0
	}
	full, ok := errors.AsType[*llm.Error](err)
	if !ok || full.Kind != llm.RateLimit || full.Provider != "limit" || !full.Temporary() {
		t.Fatalf("the error is %v, want one of a limit", err)
	}
	return full.Code, full.RetryAfter
}

// Each answer of whole has 1,000 tokens and costs a cent.
func TestLimit(t *testing.T) {
	small := llm.Request{MaxTokens: 1000}
	for name, c := range map[string]struct {
		limits llm.Limits
		fits   int // answers in a window
		limit  string
	}{
		"requests":            {llm.Limits{Requests: 3}, 3, "requests"},
		"tokens":              {llm.Limits{Tokens: 5000}, 5, "tokens"},
		"tokens, a bit more":  {llm.Limits{Tokens: 5999}, 5, "tokens"},
		"dollars":             {llm.Limits{Dollars: 0.0999}, 9, "dollars"},
		"less than one takes": {llm.Limits{Tokens: 10}, 1, "tokens"},
		"a day":               {llm.Limits{Requests: 4, Per: 24 * time.Hour}, 4, "requests"},
		"the tightest":        {llm.Limits{Requests: 100, Tokens: 2000, Dollars: 1}, 2, "tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := llm.Limit(says(whole), c.limits)
				per := c.limits.Per
				if per == 0 {
					per = time.Minute
				}
				for round := range 3 {
					began := time.Now()
					for i := range c.fits {
						if limit, _ := ask(t, m, small); limit != "" {
							t.Fatalf("round %d: question %d meets the limit of %s", round, i, limit)
						}
						if i == 0 {
							time.Sleep(per / 2)
						}
					}
					limit, after := ask(t, m, small)
					if limit != c.limit {
						t.Fatalf("round %d: question %d meets the limit of %q, want %s", round, c.fits, limit, c.limit)
					}
					if free := time.Since(began) + after; free < per || free > per+per/59 {
						t.Errorf("round %d: the first of %v leaves after %v", round, per, free)
					}
					time.Sleep(after - 1)
					if limit, left := ask(t, m, small); limit != c.limit || left != 1 {
						t.Errorf("round %d: just before: limit of %q, %v", round, limit, left)
					}
					time.Sleep(time.Nanosecond)
					if limit, _ := ask(t, m, small); limit != "" {
						t.Errorf("round %d: when it said: limit of %s", round, limit)
					}
					time.Sleep(3 * per)
				}
			})
		})
	}
}

// In no span as long as the window is there more than the limit, however questions
// come.
func TestLimitAnySpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := llm.Limit(says(whole), llm.Limits{Requests: 7, Wait: time.Hour})
		var asked []time.Time
		for i := range 100 {
			if limit, _ := ask(t, m, llm.Request{}); limit != "" {
				t.Fatalf("question %d meets the limit of %s", i, limit)
			}
			asked = append(asked, time.Now())
			time.Sleep(time.Duration(i*i%17) * time.Second / 2)
		}
		for i := 7; i < len(asked); i++ {
			if span := asked[i].Sub(asked[i-7]); span < time.Minute {
				t.Errorf("questions %d to %d come within %v", i-7, i, span)
			}
		}
		if took := time.Since(asked[0]); took > 16*time.Minute {
			t.Errorf("100 questions, 7 a minute, took %v", took)
		}
	})
}

func TestLimitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := llm.Limit(says([]any{time.Second, stop}), llm.Limits{AtOnce: 2, Wait: 10 * time.Second})
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			order []int
			met   int
		)
		began := time.Now()
		for i := range 30 {
			wg.Go(func() {
				time.Sleep(time.Duration(i)) // in this order
				limit, _ := ask(t, m, llm.Request{})
				mu.Lock()
				defer mu.Unlock()
				if limit == "" {
					order = append(order, i)
				} else {
					met++
				}
			})
		}
		wg.Wait()
		if len(order) < 20 || len(order) > 22 || met != 30-len(order) {
			t.Errorf("in 10 s of waiting %d were answered, 2 a second, want 20 to 22; %d met the limit", len(order), met)
		}
		for i := range order {
			if order[i]/2 != i/2 {
				t.Fatalf("answered in the order %v", order)
			}
		}
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("it took %v", took)
		}
		if limit, _ := ask(t, llm.Limit(m, llm.Limits{AtOnce: 1}), llm.Request{}); limit != "" {
			t.Errorf("afterwards: limit of %s", limit)
		}
	})
}

// What is under way counts before it has ended, and what broke off counts as what
// there was.
func TestLimitUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := llm.Request{Messages: []llm.Message{{Role: llm.User, Text: strings.Repeat("open", 1000)}}, MaxTokens: 1000}
		m := llm.Limit(says([]any{time.Second, stop}), llm.Limits{Tokens: 5000})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if limit, _ := ask(t, m, long); limit != "" {
					t.Errorf("limit of %s", limit)
				}
			})
		}
		synctest.Wait()
		if limit, after := ask(t, m, long); limit != "tokens" || after != 0 {
			t.Errorf("with 4,000 tokens under way 2,000 meet the limit of %q, after %v", limit, after)
		}
		wg.Wait()
		if limit, _ := ask(t, m, long); limit != "" {
			t.Errorf("with 2,000 tokens used 2,000 meet the limit of %q", limit)
		}

		m = llm.Limit(says([]any{text, time.Second, down}), llm.Limits{Tokens: 2500})
		for i := range 2 {
			if _, err := llm.Collect(m.Generate(t.Context(), long)); i == 0 && !errors.Is(err, down) {
				t.Errorf("question %d: %v", i, err)
			} else if full, ok := errors.AsType[*llm.Error](err); i == 1 && (!ok || full.Code != "tokens") {
				t.Errorf("question %d: %v, want the limit: the one that broke off has sent 1,000", i, err)
			}
		}
		m = llm.Limit(says([]any{down}), llm.Limits{Tokens: 2500})
		for range 5 {
			if _, err := llm.Collect(m.Generate(t.Context(), long)); !errors.Is(err, down) {
				t.Errorf("what fails at once takes nothing, but: %v", err)
			}
		}
	})
}

func TestLimitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := llm.Limit(says(whole), llm.Limits{Requests: 1, Wait: time.Hour})
		ask(t, m, llm.Request{})
		for range 2 { // one looks, one queues
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			go func() {
				if _, err := llm.Collect(m.Generate(ctx, llm.Request{})); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a wait whose context ended: %v", err)
				}
			}()
		}
		time.Sleep(2 * time.Second)
		if limit, _ := ask(t, m, llm.Request{}); limit != "" {
			t.Errorf("limit of %s, want to wait for it", limit)
		}
	})
}

// A minute and a day are two limits, one in the other, and another model takes what
// the first has no room for.
func ExampleLimit() {
	main, spare := says([]any{llm.TextDelta{Text: "At nine."}, stop}), says([]any{llm.TextDelta{Text: "At 9."}, stop})
	m := llm.Fallback(
		llm.Limit(llm.Limit(
			llm.WithPrice(llm.Retry(main, nil), llm.Price{Input: 0.25, Output: 2}),
			llm.Limits{Requests: 60, AtOnce: 8}),
			llm.Limits{Dollars: 0.01, Per: 24 * time.Hour}),
		spare)
	for range 2 {
		r, err := llm.Collect(m.Generate(context.Background(), llm.Request{}))
		if err != nil {
			panic(err)
		}
		fmt.Println(r.Text)
	}
	// Output:
	// At nine.
	// At 9.
}
