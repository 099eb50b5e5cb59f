package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// receiptRaces are about requests that are made again at once.
var receiptRaces = []promise{
	{
		name:  "passed on",
		text:  "a request that many make, of whom each gives up but the last, is done by one at a time, each under a fence of its own",
		check: receiptPassedOn,
	},
	{
		name:  "done or lapsed",
		text:  "a claim that lapses is completed by who has it or claimed again by one other, never both",
		check: receiptDoneOrLapsed,
	},
	{
		name:  "released or done",
		text:  "a claim that is released and completed at once is one of the two, and what is released is claimed again by one",
		check: receiptReleasedOrDone,
	},
	{
		name:  "forgotten at once",
		text:  "of many that make a request again when its receipt is forgotten, one does the work",
		check: receiptForgottenAtOnce,
	},
}

func receiptPassedOn(t *testing.T, k *kit) {
	const callers, turns = 16, 24
	var (
		holds, claims atomic.Int32
		fence         atomic.Int64
	)
	deadline := time.Now().Add(patience)
	together(callers, func(int) {
		for time.Now().Before(deadline) && !t.Failed() {
			s, err := k.ClaimReceipt(t.Context(), k.claimOf("key", "hash", long))
			switch {
			case err != nil || s.Differs:
				t.Errorf("ClaimReceipt = %+v, %v", s, err)
				return
			case s.Done:
				if s.Result != "msg_1" {
					t.Errorf("the receipt is %+v, want the result", s)
				}
				return
			case !s.Claimed:
				continue
			}
			if holds.Add(1) != 1 {
				t.Error("a request is done by two at once")
			}
			if before := fence.Swap(s.Fence); before == s.Fence {
				t.Errorf("fence %d comes twice", s.Fence)
			}
			last := claims.Add(1) == turns
			time.Sleep(100 * time.Microsecond) // the work
			holds.Add(-1)
			if last {
				err = k.complete(t, s.Receipt, "msg_1")
			} else {
				err = k.ReleaseReceipt(t.Context(), k.company, s.Receipt)
			}
			if err != nil {
				t.Errorf("completing or releasing a claim that nobody else has: %v", err)
			}
		}
	})
	if n := claims.Load(); n != turns {
		t.Errorf("the request was claimed %d times, want %d", n, turns)
	}
}

// claimants makes n goroutines claim a request at once, while fn runs, and returns
// how many did and what they found.
func (k *kit) claimants(t *testing.T, n int, c store.ReceiptClaim, fn func()) (claimed int, last store.ReceiptState) {
	t.Helper()
	states := make([]store.ReceiptState, n)
	together(n+1, func(i int) {
		if i == n {
			fn()
			return
		}
		var err error
		if states[i], err = k.ClaimReceipt(t.Context(), c); err != nil {
			t.Errorf("ClaimReceipt: %v", err)
		}
	})
	for _, s := range states {
		if s.Claimed {
			claimed++
			last = s
		}
	}
	return claimed, last
}

func receiptDoneOrLapsed(t *testing.T, k *kit) {
	for i := range 12 {
		key := fmt.Sprint("key ", i)
		s := k.claimed(t, key, 2*time.Millisecond)
		time.Sleep(time.Duration(i%4) * time.Millisecond) // before it lapses, or after
		var err error
		n, _ := k.claimants(t, 6, k.claimOf(key, "hash", long), func() { err = k.complete(t, s.Receipt, "msg_1") })
		if err != nil {
			refused(t, "completing a claim that somebody else took over", err, store.ErrFenced)
		}
		if done := err == nil; done == (n == 1) || n > 1 {
			t.Errorf("the claim was completed: %v, and claimed again %d times", done, n)
		}
	}
}

func receiptReleasedOrDone(t *testing.T, k *kit) {
	for i := range 12 {
		key := fmt.Sprint("key ", i)
		s := k.claimed(t, key, long)
		var done, released error
		n, again := k.claimants(t, 6, k.claimOf(key, "hash", long), func() {
			together(2, func(i int) {
				if i == 0 {
					done = k.complete(t, s.Receipt, "msg_1")
				} else {
					released = k.ReleaseReceipt(t.Context(), k.company, s.Receipt)
				}
			})
		})
		if (done == nil) == (released == nil) {
			t.Fatalf("a claim was completed (%v) and released (%v), want one of the two", done, released)
		}
		if done == nil {
			refused(t, "releasing a claim that was completed", released, store.ErrFenced)
			if s := k.claim(t, key, "hash", long); n != 0 || !s.Done {
				t.Errorf("after the claim was completed it was claimed again %d times, and is %+v", n, s)
			}
			continue
		}
		refused(t, "completing a claim that was released", done, store.ErrFenced)
		if n == 0 { // all came too early
			again, n = k.claim(t, key, "hash", long), 1
		}
		if n != 1 || !again.Claimed || again.Fence <= s.Fence {
			t.Errorf("after the release the request was claimed %d times, the last one %+v, want once with a fence above %d", n, again, s.Fence)
		}
	}
}

func receiptForgottenAtOnce(t *testing.T, k *kit) {
	for i := range 4 {
		c := k.claimOf(fmt.Sprint("key ", i), "hash", long)
		c.Keep = short
		s, err := k.ClaimReceipt(t.Context(), c)
		ok(t, "ClaimReceipt", err)
		if i%2 == 0 {
			ok(t, "a commit with a receipt", k.complete(t, s.Receipt, "msg_1"))
		}
		time.Sleep(short + tick)
		n, again := k.claimants(t, 8, k.claimOf(c.Key, "another body", long), func() {})
		if n != 1 || again.Fence <= s.Fence || again.Result != "" {
			t.Errorf("a forgotten request was claimed %d times at once, the last one %+v, want once with a fence above %d", n, again, s.Fence)
		}
	}
}
