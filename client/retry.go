package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// A RetryPolicy says whether an attempt that failed is worth another one: resp
// is the answer, with a status of 400 and more and a body that has been read, or
// err says why there is none. It is not asked when another attempt is out of the
// question: the call's ctx has ended, the body cannot be sent again, or the
// client itself refused the answer.
type RetryPolicy func(ctx context.Context, resp *http.Response, err error) bool

// DefaultRetryPolicy repeats what time can mend: 408, 429, 500, 502, 503 and
// 504, and failures of the connection except those of its certificate, of the
// URL and of a header. A conflict, such as a turn in progress, it does not.
func DefaultRetryPolicy(ctx context.Context, resp *http.Response, err error) bool {
	if err != nil {
		again, _ := retryablehttp.DefaultRetryPolicy(ctx, nil, err)
		return again
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Between attempts a call waits a random time up to base, twice as much before
// each further attempt, up to most: full jitter, as in
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
const (
	backoffBase = 500 * time.Millisecond
	backoffMost = 8 * time.Second
)

// backoff returns a wait before retry n, counted from 0.
func backoff(n int) time.Duration {
	return rand.N(min(backoffMost, backoffBase<<min(n, 8)) + 1)
}

// What a retry takes from the budget, and a success puts back.
const (
	costRetry   = 5
	costLimited = 1 // after a 429: the server is well, and has said when
	costSuccess = 1
)

// A budget bounds the retries of a client's calls between them.
type budget struct {
	size int64 // 0: no bound
	left atomic.Int64
}

func newBudget(size int) *budget {
	b := &budget{size: int64(size)}
	b.left.Store(b.size)
	return b
}

// spend takes tokens, if there are enough.
func (b *budget) spend(tokens int64) bool {
	for b.size > 0 {
		left := b.left.Load()
		if left < tokens {
			return false
		}
		if b.left.CompareAndSwap(left, left-tokens) {
			break
		}
	}
	return true
}

// earn puts back what a success gives.
func (b *budget) earn() {
	for left := b.left.Load(); left < b.size; left = b.left.Load() {
		if b.left.CompareAndSwap(left, min(b.size, left+costSuccess)) {
			return
		}
	}
}

// check is the CheckRetry of a call's attempts: whether there will be another.
// Its error takes the place of the attempt's.
func (k *call) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if err == nil && resp.StatusCode < http.StatusBadRequest || ctx.Err() != nil || k.single {
		return false, nil
	}
	if err == nil && resp.StatusCode == http.StatusUnauthorized && k.settings.tokens != nil && !k.renewed {
		return k.renew(ctx)
	}
	return k.again(ctx, resp, err), nil
}

// renew gets another token once a call, after a 401.
func (k *call) renew(ctx context.Context) (bool, error) {
	k.renewed = true
	token, err := k.settings.tokens.get(ctx, k.token)
	if err != nil {
		return false, err
	}
	if token == k.token {
		return false, nil
	}
	k.token, k.wait = token, 0
	return true, nil
}

// again says whether a failure is to be followed by another attempt, and sets
// how long to wait before it. If the client rather than the policy is against
// it, k.stop says why.
func (k *call) again(ctx context.Context, resp *http.Response, err error) bool {
	if errors.Is(err, ErrRateLimitWait) || errors.Is(err, ErrResponseTooLarge) || errors.Is(err, errUnreadable) {
		return false
	}
	if !k.settings.policy(ctx, resp, err) || k.retries >= k.settings.retries {
		return false
	}
	wait, cost := backoff(k.retries), int64(costRetry)
	if resp != nil {
		limited := resp.StatusCode == http.StatusTooManyRequests
		if limited && k.settings.noWait {
			return false
		}
		if limited {
			cost = costLimited
		}
		if asked, ok := askedWait(resp.StatusCode, resp.Header, time.Now()); ok {
			if asked > k.settings.retryAfter {
				k.stop = ErrMaxRetryAfter
				return false
			}
			wait += asked
		}
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
		return false // there would be no time left for it
	}
	if !k.client.budget.spend(cost) {
		k.stop = ErrRetryBudget
		return false
	}
	k.retries++
	k.wait = wait
	return true
}

// backoff is the Backoff of a call's attempts: check has chosen it, which knows
// the call.
func (k *call) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return k.wait }

// prepare is the PrepareRetry of the attempts of a call with tokens. The header
// is a copy: the attempt before may still be sending its own.
func (k *call) prepare(req *http.Request) error {
	req.Header = req.Header.Clone()
	req.Header["Authorization"] = bearer(k.token)
	return nil
}
