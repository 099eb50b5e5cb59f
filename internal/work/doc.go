// Package work does what steps leave to be done later: deliveries, runs, turns
// to be taken over, refreshes. It is the one mechanism for that.
//
// Work is a row that the commit of a step wrote, by company, queue and key. A
// [Runner] leases a key, hands the key's jobs to the [Handler] of the queue and
// records how they ended, so that every job is done at least once, and those of
// one key by one worker at a time:
//
//	r, err := work.New(store, &work.Options{Logger: logger})
//	err = r.Add(work.Queue{
//		Name:    "deliveries",
//		Handler: deliver, // nil: done; an error: again later; work.Permanent(err): never again
//		PerKey:  4,       // requests to one endpoint at once
//		Backoff: []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute},
//	})
//	err = r.Every("prune events", time.Hour, prune)
//	err = r.Run(ctx) // until ctx ends
//
// What holds, with any number of processes on one store:
//
//   - A key is worked on by whoever holds its lease. The lease is renewed at a
//     third of its length, and the context of every handler under it ends, with
//     [store.ErrFenced] as its cause, when that fails or somebody else has the
//     key. Nothing is recorded under a lost lease. No lease is ended early by
//     anyone but its holder: a killed worker's keys wait until theirs run out.
//   - An ordered queue takes the jobs of a key in the order they were queued; one
//     that waits for its next try holds up those behind it, until it is given up.
//   - A job may be done twice: by a worker that died before it could say so, and
//     by its successor. The job's id is the same both times, and is what handlers
//     pass on to whoever must act on it once.
//   - A failed attempt is remembered by its class alone, as "error", "timeout" or
//     "panic", or by what the error's Class method returns: never by its words.
//   - A busy key gives way after a short turn when others wait for its place.
//     Companies share places evenly, and of four and more, one company gets three
//     quarters unless the queue says otherwise.
//   - An error of the store ends nothing: what asked waits a little and asks again.
package work
