package llm

import (
	"context"
	"iter"
)

// A Price is what a model costs, in US dollars a million tokens. None is built in,
// since prices change: they stand on the page of each provider.
type Price struct {
	Input    float64 // of the request, but for what follows
	Cached   float64 // read from the provider's cache; 0: as Input
	CacheNew float64 // written to it; 0: as Input
	Output   float64 // of the answer, thinking included
}

// Of returns what an answer cost, in US dollars.
func (p Price) Of(u Usage) float64 {
	cached, fresh := p.Cached, p.CacheNew
	if cached == 0 {
		cached = p.Input
	}
	if fresh == 0 {
		fresh = p.Input
	}
	plain := max(0, u.Input-u.Cached-u.CacheNew)
	return (float64(plain)*p.Input + float64(u.Cached)*cached + float64(u.CacheNew)*fresh + float64(u.Output)*p.Output) / 1e6
}

// WithPrice returns a model that says what its answers cost, those that failed after
// something was read of them, too: see [Taken]. A cost that m says itself stands.
func WithPrice(m Model, p Price) Model { return priced{m, p} }

type priced struct {
	Model
	price Price
}

func (m priced) Generate(ctx context.Context, req Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var read meter
		for ev, err := range m.Model.Generate(ctx, req) {
			if err != nil {
				u := read.taken(req, err)
				if u.Cost == 0 {
					u.Cost = m.price.Of(u)
				}
				yield(ev, Taking(err, u))
				return
			}
			read.read(ev)
			if done, ok := ev.(Done); ok && done.Usage.Cost == 0 {
				done.Usage.Cost = m.price.Of(done.Usage)
				ev = done
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}
