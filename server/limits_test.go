package server_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/server"
)

// limit is what an answer says of the tightest window.
func (a answer) limit(t testing.TB) (limit, left int, reset time.Time) {
	t.Helper()
	var n [3]int64
	for i, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
		var err error
		if n[i], err = strconv.ParseInt(a.Header().Get(name), 10, 64); err != nil {
			t.Fatalf("%s: %q: %v", name, a.Header().Get(name), err)
		}
	}
	return int(n[0]), int(n[1]), time.Unix(n[2], 0).UTC()
}

// Each request counts in every window of its key's plan, and the answer tells of the
// tightest one.
func TestWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil, nil)
		key := newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "k", Scope: access.ScopeFull})
		n := 0
		ask := func(times int) (string, time.Time) {
			t.Helper()
			var a answer
			for range times {
				n++
				a = h.do(t, "GET", "/v1/agents/x", "", "X-Api-Key", key) // errors count too
			}
			limit, left, reset := a.limit(t)
			return fmt.Sprintf("%d of %d", left, limit), reset
		}
		want := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("after %d requests %s are left, want %s", n, got, want)
			}
		}
		begun := time.Now().UTC() // midnight of 2000-01-01
		got, reset := ask(1)
		want(got, "99 of 100")
		if !reset.Equal(begun.Truncate(time.Minute).Add(time.Minute)) {
			t.Errorf("the minute ends at %v, want %v", reset, begun.Add(time.Minute))
		}
		got, _ = ask(98)
		want(got, "1 of 100")
		got, _ = ask(2)
		want(got, "0 of 100")
		ask(5)
		time.Sleep(time.Until(reset))
		got, _ = ask(1)
		want(got, "99 of 100")
		for range 9 {
			time.Sleep(time.Minute)
			ask(95)
		}
		got, _ = ask(1) // the 963rd of the hour
		want(got, "4 of 100")
		time.Sleep(time.Minute)
		got, reset = ask(1)
		want(got, "36 of 1000")
		if !reset.Equal(begun.Truncate(time.Hour).Add(time.Hour)) {
			t.Errorf("the hour ends at %v, want %v", reset, begun.Add(time.Hour))
		}
		time.Sleep(time.Until(reset))
		got, _ = ask(1)
		want(got, "99 of 100")
	})
}

// The counts of one key are no other's, and a plan has its own windows.
func TestPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no window ends in between
		h := open(t, nil, nil)
		for plan, want := range map[access.Plan]int{
			access.PlanStandard: 100, access.PlanFree: 100, access.PlanPro: 1000, access.PlanEnterprise: 10_000, access.PlanUnlimited: access.Unlimited,
		} {
			key := newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "k", Scope: access.ScopeRead, Plan: plan})
			for i := range 2 {
				limit, left, reset := h.do(t, "GET", "/v1/agents", "", "X-Api-Key", key).limit(t)
				if limit != want || left != want-1-i || time.Until(reset) > time.Hour {
					t.Errorf("request %d of plan %s has %d of %d left until %v", i+1, plan, left, limit, reset)
				}
			}
		}
	})
}

// Every answer to a caller who is known tells how they stand.
func TestLimitsAreTold(t *testing.T) {
	h := open(t, nil, &server.Options{})
	for _, a := range []answer{
		h.do(t, "GET", "/v1/agents", ""),
		h.do(t, "GET", "/v1/agents/"+h.agent(t), "", "If-None-Match", "*"),
		h.do(t, "GET", "/v1/agents/x", ""),
		h.do(t, "POST", "/v1/agents", "{"),
		h.do(t, "POST", "/v1/agents", "{}", "Content-Type", "text/plain"),
		h.do(t, "POST", "/v1/message/stream", `{"message":"When do you open?"}`),
		h.do(t, "GET", "/v1/agents", "", "X-Api-Key", newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "k", Scope: access.ScopeWrite})),
	} {
		if limit, left, _ := a.limit(t); limit == 0 || left == 0 {
			t.Errorf("the answer %d has %d of %d left", a.Code, left, limit)
		}
	}
}

// Many callers at once are counted each.
func TestLimitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no window ends in between
		h := open(t, nil, nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { h.do(t, "GET", "/v1/agents", "") })
		}
		wg.Wait()
		if limit, left, _ := h.do(t, "GET", "/v1/agents", "").limit(t); left != limit-21 {
			t.Errorf("after 21 requests %d of %d are left", left, limit)
		}
	})
}
