package llm

import (
	"errors"
	"iter"
)

// A relay passes the answers of several attempts on as one.
type relay struct {
	yield func(Event, error) bool
	req   Request
	shown bool  // the reader has text or calls
	stale bool  // they are of an attempt that failed
	taken Usage // by the attempts that failed, all of which it counts
}

// pass passes an answer on to its end, and returns what it failed with: nil after
// its Done, or when the reader has left. What an earlier attempt showed stands until
// this one has something to put in its place; what it took is told with what this one
// did.
func (r *relay) pass(answer iter.Seq2[Event, error]) error {
	r.stale = r.shown
	var m meter
	for ev, err := range answer {
		if err != nil {
			r.count(m, err)
			return err
		}
		m.read(ev)
		if r.stale {
			r.stale, r.shown = false, false
			if !r.yield(Reset{}, nil) {
				return nil
			}
			if _, same := ev.(Reset); same {
				continue
			}
		}
		switch ev.(type) {
		case TextDelta, ToolCall:
			r.shown = true
		case Reset:
			r.shown = false
		}
		done, last := ev.(Done)
		if last && r.taken != (Usage{}) {
			done.Usage = done.Usage.Add(r.taken)
			ev = done
		}
		if !r.yield(ev, nil) || last {
			return nil
		}
	}
	r.count(m, ErrIncomplete)
	return ErrIncomplete // a model that does not keep to its contract
}

// count adds what an attempt took that has failed.
func (r *relay) count(m meter, err error) {
	r.taken = r.taken.Add(m.taken(r.req, err))
	r.taken.Failed++
}

// failed returns the error of the last attempt with what all of them took.
func (r *relay) failed(err error) error {
	u := r.taken
	u.Failed = max(0, u.Failed-1)
	return Taking(err, u)
}

// A meter sums up what was read of an answer.
type meter struct{ bytes int }

func (m *meter) read(ev Event) {
	switch ev := ev.(type) {
	case TextDelta:
		m.bytes += len(ev.Text)
	case ToolCall:
		m.bytes += len(ev.Name) + len(ev.Arguments)
	}
}

// taken is what an answer took that failed: what the error says or, if anything was
// read of it, an estimate. One that failed with nothing said took nothing, as far as
// anybody knows.
func (m meter) taken(req Request, err error) Usage {
	if u := Taken(err); u != (Usage{}) || m.bytes == 0 {
		return u
	}
	return Usage{Input: estimate(req), Output: (m.bytes + 3) / 4, Estimated: true}
}

// Taken returns what an answer took that ended with an error, so far as that says: what
// the provider had counted until then, or what [Retry], [Fallback] and [WithPrice] have
// found of the attempts that failed. It is zero of other errors.
func Taken(err error) Usage {
	if t, ok := errors.AsType[*takenError](err); ok {
		return t.usage
	}
	return Usage{}
}

// Taking returns an error that is err, and from which [Taken] reads what the answer
// took that failed with it: for those who write models.
func Taking(err error, u Usage) error {
	if err == nil || u == (Usage{}) {
		return err
	}
	return &takenError{err, u}
}

// A takenError is an error with what was taken before it.
type takenError struct {
	error
	usage Usage
}

func (e *takenError) Unwrap() error { return e.error }
