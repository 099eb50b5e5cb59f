package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

var receipts = []promise{
	{
		name:  "claim",
		text:  "the first to claim a request does its work; others see a claim that is not done",
		check: receiptClaim,
	},
	{
		name:  "concurrent duplicates",
		text:  "of many claims of one request at once, exactly one does the work",
		check: receiptDuplicates,
	},
	{
		name:  "done",
		text:  "a request that is done is never claimed again, and its receipt gives the result",
		check: receiptDone,
	},
	{
		name:  "in between",
		text:  "what a commit says of a request that is not done yet, the next duplicate reads",
		check: receiptInBetween,
	},
	{
		name:  "differs",
		text:  "the same key with another body differs, and is not claimed",
		check: receiptDiffers,
	},
	{
		name:  "scope",
		text:  "receipts of another scope, key or company are others",
		check: receiptScope,
	},
	{
		name:  "lapse",
		text:  "a claim lapses with its lease and no sooner; the next duplicate does the work under a larger fence",
		check: receiptLapse,
	},
	{
		name:  "renewed",
		text:  "a commit that moves a receipt on renews its claim",
		check: receiptRenewed,
	},
	{
		name:  "fenced",
		text:  "a claim that somebody else took over can neither complete nor release the receipt",
		check: receiptFenced,
	},
	{
		name:  "unclaimed",
		text:  "a commit cannot complete a receipt that nobody claimed",
		check: receiptUnclaimed,
	},
	{
		name:  "release",
		text:  "a released claim is forgotten: the request may be made again, also with another body, under a larger fence",
		check: receiptRelease,
	},
	{
		name:  "abandon",
		text:  "an abandoned claim is forgotten; if it came further than its holder knows, it lapses and keeps what it came to",
		check: receiptAbandon,
	},
	{
		name:  "keep",
		text:  "a receipt is forgotten after the time it was to be kept, and no sooner",
		check: receiptKeep,
	},
}

// claim claims a request of the scope that the cases use.
func (k *kit) claim(t *testing.T, key, body string, lease time.Duration) store.ReceiptState {
	t.Helper()
	s, err := k.ClaimReceipt(t.Context(), k.claimOf(key, body, lease))
	ok(t, "ClaimReceipt", err)
	return s
}

func (k *kit) claimOf(key, body string, lease time.Duration) store.ReceiptClaim {
	return store.ReceiptClaim{Company: k.company, Scope: "key_1 POST /v1/message", Key: key, Hash: []byte(body), Lease: lease, Keep: 24 * time.Hour}
}

// claimed claims a request that nobody else has.
func (k *kit) claimed(t *testing.T, key string, lease time.Duration) store.ReceiptState {
	t.Helper()
	s := k.claim(t, key, "hash", lease)
	if !s.Claimed || s.Done || s.Differs || s.Result != "" {
		t.Fatalf("ClaimReceipt of a new request = %+v, want it claimed", s)
	}
	return s
}

// complete commits the end of a request's work.
func (k *kit) complete(t *testing.T, r store.Receipt, result string) error {
	t.Helper()
	r.Result, r.Done = result, true
	return k.Enqueue(t.Context(), store.Commit{Company: k.company, Receipt: &r})
}

func receiptClaim(t *testing.T, k *kit) {
	s := k.claimed(t, hostile[0], long)
	if want := k.claimOf(hostile[0], "hash", long); s.Scope != want.Scope || s.Key != want.Key || s.Fence == 0 {
		t.Errorf("the claim is %+v, want one of %q and %q with a fence", s, want.Scope, want.Key)
	}
	if s := k.claim(t, hostile[0], "hash", long); s.Claimed || s.Done || s.Differs || s.Result != "" {
		t.Errorf("the second claim is %+v, want one that is neither claimed, done nor different", s)
	}
}

func receiptDuplicates(t *testing.T, k *kit) {
	var (
		wg   sync.WaitGroup
		wins atomic.Int32
	)
	for range 32 {
		wg.Go(func() {
			s, err := k.ClaimReceipt(t.Context(), k.claimOf("key", "hash", long))
			if err != nil {
				t.Errorf("ClaimReceipt: %v", err)
			}
			if s.Claimed {
				wins.Add(1)
			}
		})
	}
	wg.Wait()
	if n := wins.Load(); n != 1 {
		t.Errorf("%d of 32 duplicates claimed the request, want 1", n)
	}
}

func receiptDone(t *testing.T, k *kit) {
	s := k.claimed(t, "key", short)
	ok(t, "a commit with a receipt", k.complete(t, s.Receipt, "msg_1 conv_1"))
	time.Sleep(2 * short) // the lease does not matter any more
	for range 2 {
		if s := k.claim(t, "key", "hash", short); s.Claimed || !s.Done || s.Differs || s.Result != "msg_1 conv_1" {
			t.Errorf("ClaimReceipt of what is done = %+v, want the result", s)
		}
	}
}

func receiptInBetween(t *testing.T, k *kit) {
	s := k.claimed(t, "key", long)
	s.Receipt.Result = "msg_1"
	ok(t, "a commit with a receipt", k.Enqueue(t.Context(), store.Commit{Company: k.company, Receipt: &s.Receipt}))
	if s := k.claim(t, "key", "hash", long); s.Claimed || s.Done || s.Result != "msg_1" {
		t.Errorf("ClaimReceipt of what is half done = %+v, want result msg_1, not done", s)
	}
	ok(t, "a commit with a receipt", k.complete(t, s.Receipt, "msg_1"))
}

func receiptDiffers(t *testing.T, k *kit) {
	s := k.claimed(t, "key", long)
	if d := k.claim(t, "key", "another body", long); !d.Differs || d.Claimed {
		t.Errorf("ClaimReceipt with another body = %+v, want one that differs", d)
	}
	ok(t, "a commit with a receipt", k.complete(t, s.Receipt, "msg_1"))
	if d := k.claim(t, "key", "another body", long); !d.Differs || d.Claimed {
		t.Errorf("ClaimReceipt with another body of what is done = %+v, want one that differs", d)
	}
	k.claimed(t, "short key", short)
	time.Sleep(2 * short)
	if d := k.claim(t, "short key", "another body", long); !d.Differs || d.Claimed {
		t.Errorf("ClaimReceipt with another body after the lease = %+v, want one that differs", d)
	}
}

func receiptScope(t *testing.T, k *kit) {
	k.claimed(t, "key", long)
	k.claimed(t, "key2", long)
	other := k.claimOf("key", "hash", long)
	other.Scope = "key_2 POST /v1/message"
	for _, c := range []store.ReceiptClaim{other, newKit(t, k.Store).claimOf("key", "another body", long)} {
		s, err := k.ClaimReceipt(t.Context(), c)
		ok(t, "ClaimReceipt", err)
		if !s.Claimed || s.Differs {
			t.Errorf("ClaimReceipt of %s in %s = %+v, want it claimed", c.Scope, c.Company, s)
		}
	}
}

// reclaim claims a request as soon as that is possible.
func (k *kit) reclaim(t *testing.T, c store.ReceiptClaim) (s store.ReceiptState, at time.Time) {
	t.Helper()
	eventually(t, "ClaimReceipt after the lease", func() (err error) {
		if s, err = k.ClaimReceipt(t.Context(), c); err != nil {
			return err
		}
		return holds(s.Claimed, "not claimed")
	})
	return s, time.Now()
}

func receiptLapse(t *testing.T, k *kit) {
	s := k.claimed(t, "key", short)
	s.Receipt.Result = "msg_1"
	start := time.Now()
	ok(t, "a commit with a receipt", k.Enqueue(t.Context(), store.Commit{Company: k.company, Receipt: &s.Receipt}))
	again, at := k.reclaim(t, k.claimOf("key", "hash", long))
	if at.Sub(start) < short-tick {
		t.Errorf("a claim of %v lapsed after %v", short, at.Sub(start))
	}
	if again.Fence <= s.Fence {
		t.Errorf("the next claim has fence %d, want more than %d", again.Fence, s.Fence)
	}
	if again.Result != "msg_1" || again.Done || again.Differs {
		t.Errorf("the next claim is %+v, want what is known so far", again)
	}
	if s := k.claim(t, "key", "hash", long); s.Claimed {
		t.Error("the request was claimed a third time")
	}
	ok(t, "a commit with a receipt", k.complete(t, again.Receipt, "msg_1"))
}

func receiptRenewed(t *testing.T, k *kit) {
	lease := 4 * short
	s := k.claimed(t, "key", lease)
	time.Sleep(lease / 2)
	start := time.Now()
	ok(t, "a commit with a receipt", k.Enqueue(t.Context(), store.Commit{Company: k.company, Receipt: &s.Receipt}))
	if _, at := k.reclaim(t, k.claimOf("key", "hash", long)); at.Sub(start) < lease-tick {
		t.Errorf("a claim of %v lapsed %v after it was renewed", lease, at.Sub(start))
	}
}

func receiptFenced(t *testing.T, k *kit) {
	old := k.claimed(t, "key", short)
	current, _ := k.reclaim(t, k.claimOf("key", "hash", long))
	before := read(t, k, k.company)
	refused(t, "completing under an old fence", k.complete(t, old.Receipt, "msg_old"), store.ErrFenced)
	refused(t, "ReleaseReceipt under an old fence", k.ReleaseReceipt(t.Context(), k.company, old.Receipt), store.ErrFenced)
	same(t, "the company", read(t, k, k.company), before)
	if s := k.claim(t, "key", "hash", long); s.Claimed || s.Done || s.Result != "" {
		t.Errorf("the receipt is %+v, want it claimed by the second", s)
	}
	ok(t, "completing", k.complete(t, current.Receipt, "msg_new"))
}

func receiptUnclaimed(t *testing.T, k *kit) {
	err := k.complete(t, store.Receipt{Scope: "scope", Key: "never claimed", Fence: 1}, "msg_1")
	refused(t, "completing what nobody claimed", err, store.ErrFenced)
	s := k.claimed(t, "key", long)
	err = newKit(t, k.Store).complete(t, s.Receipt, "msg_1")
	refused(t, "completing another company's receipt", err, store.ErrFenced)
	ok(t, "completing", k.complete(t, s.Receipt, "msg_1"))
}

func receiptRelease(t *testing.T, k *kit) {
	s := k.claimed(t, "key", long)
	s.Receipt.Result = "msg_1"
	ok(t, "a commit with a receipt", k.Enqueue(t.Context(), store.Commit{Company: k.company, Receipt: &s.Receipt}))
	ok(t, "ReleaseReceipt", k.ReleaseReceipt(t.Context(), k.company, s.Receipt))
	again := k.claim(t, "key", "another body", long)
	if !again.Claimed || again.Differs || again.Result != "" || again.Fence <= s.Fence {
		t.Errorf("ClaimReceipt after the release = %+v, want a new claim with a fence above %d", again, s.Fence)
	}
	refused(t, "completing the released claim", k.complete(t, s.Receipt, "msg_1"), store.ErrFenced)
}

func receiptAbandon(t *testing.T, k *kit) {
	s := k.claimed(t, "key", long)
	ok(t, "AbandonReceipt", k.AbandonReceipt(t.Context(), k.company, s.Receipt))
	refused(t, "AbandonReceipt again", k.AbandonReceipt(t.Context(), k.company, s.Receipt), store.ErrFenced)
	refused(t, "completing the abandoned claim", k.complete(t, s.Receipt, "msg_1"), store.ErrFenced)

	s = k.claimed(t, "key", long) // as if it had never been
	moved := s.Receipt
	moved.Result = "msg_1"
	ok(t, "a commit with a receipt", k.Enqueue(t.Context(), store.Commit{Company: k.company, Receipt: &moved}))
	ok(t, "AbandonReceipt", k.AbandonReceipt(t.Context(), k.company, s.Receipt))
	if again := k.claim(t, "key", "another body", long); again.Claimed || !again.Differs {
		t.Errorf("ClaimReceipt with another body after that = %+v, want the request remembered", again)
	}
	again := k.claim(t, "key", "hash", long)
	if !again.Claimed || again.Result != "msg_1" || again.Fence <= s.Fence {
		t.Errorf("ClaimReceipt after that = %+v, want a new claim that goes on from the result", again)
	}
	refused(t, "completing the abandoned claim", k.complete(t, moved, "msg_2"), store.ErrFenced)
	ok(t, "completing the new claim", k.complete(t, again.Receipt, "msg_1"))
	refused(t, "AbandonReceipt of a completed claim", k.AbandonReceipt(t.Context(), k.company, again.Receipt), store.ErrFenced)
}

func receiptKeep(t *testing.T, k *kit) {
	var (
		c     store.ReceiptClaim
		s     store.ReceiptState
		start time.Time
	)
	inTime(t, 2*short, func(d time.Duration) bool {
		c = k.claimOf(fmt.Sprint("key for ", d), "hash", long)
		c.Keep = d
		start = time.Now()
		var err error
		s, err = k.ClaimReceipt(t.Context(), c)
		ok(t, "ClaimReceipt", err)
		if !s.Claimed {
			t.Fatalf("ClaimReceipt of a new request = %+v, want it claimed", s)
		}
		if err = k.complete(t, s.Receipt, "msg_1"); err != nil && time.Since(start) > d-tick {
			return false
		}
		ok(t, "a commit with a receipt", err)
		return true
	})
	again, at := k.reclaim(t, k.claimOf(c.Key, "another body", long))
	if at.Sub(start) < c.Keep-tick {
		t.Errorf("a receipt to be kept for %v was forgotten after %v", c.Keep, at.Sub(start))
	}
	if again.Result != "" || again.Done || again.Differs {
		t.Errorf("ClaimReceipt of a forgotten request = %+v, want nothing of the old one", again)
	}
	refused(t, "completing the forgotten claim", k.complete(t, s.Receipt, "msg_1"), store.ErrFenced)
}
