package llm

import "time"

// slots are what a window is counted in: one that is being filled, and 60 that
// together are as long as it is. So what is in it is never less than what was taken
// in that span, and at most a sixtieth of the span more.
const slots = 61

// An amount is something of each kind that is limited.
type amount struct{ requests, tokens, dollars float64 }

// plus returns a and so many times b.
func (a amount) plus(b amount, times float64) amount {
	return amount{a.requests + times*b.requests, a.tokens + times*b.tokens, a.dollars + times*b.dollars}
}

// A window is what was taken of late.
type window struct {
	start time.Time     // of slot 0
	slot  time.Duration // the length of each
	now   int64         // the number of the slot that is being filled
	ring  [slots]amount // slot i is at i modulo slots
}

// turn moves the window to a time, and forgets what lies before it.
func (w *window) turn(now time.Time) {
	at := int64(now.Sub(w.start) / w.slot)
	for i := max(w.now, at-slots) + 1; i <= at; i++ {
		w.ring[i%slots] = amount{}
	}
	w.now = max(w.now, at)
}

func (w *window) add(a amount) { w.ring[w.now%slots] = w.ring[w.now%slots].plus(a, 1) }

// until returns how long it takes until a limit is not passed any more by what is in
// the window, and whether it is passed now. If time alone does not help, it is 0.
func (w *window) until(now time.Time, of func(amount) float64, passed func(used float64) bool) (wait time.Duration, over bool) {
	left := func(from int64) float64 { // summed anew each time, so that no rounding adds up
		var sum float64
		for i := max(0, from); i <= w.now; i++ {
			sum += of(w.ring[i%slots])
		}
		return sum
	}
	for oldest := w.now - slots + 1; oldest <= w.now+1; oldest++ {
		if !passed(left(oldest)) {
			if oldest == w.now-slots+1 {
				return 0, false
			}
			return w.start.Add(time.Duration(oldest-1+slots) * w.slot).Sub(now), true
		}
	}
	return 0, true
}
