package index

import (
	"slices"
	"testing"
)

func TestGuess(t *testing.T) {
	x := New(nil)
	x.Put(doc("delivery", "Delivery takes two days.", "A warranty of two years."))
	x.Put(doc("bicycles", "We mend bicycles and tyres.", "Доставка занимает два дня."))
	for _, tt := range []struct {
		query string
		want  []string // the terms that stand in
		hit   string
	}{
		{"devilery", []string{"deliveri"}, "delivery/0"},
		{"how long is delivry", []string{"deliveri"}, "delivery/0"},
		{"waranty", []string{"warranti"}, "delivery/1"},
		{"доствка", []string{"доставк"}, "bicycles/1"},
		{"delivery", nil, "delivery/0"}, // known
		{"tyrs", nil, ""},               // too short
		{"elivery", nil, ""},            // another letter first
		{"deli7very", nil, ""},          // no word
		{"dxxxxery", nil, ""},           // too far away
	} {
		r := x.Search(Query{Text: tt.query, Languages: []string{"en"}})
		var got []string
		for _, term := range r.Terms {
			if term.For != "" {
				got = append(got, term.Text)
			}
		}
		hit := ids(Result{Hits: r.Hits[:min(1, len(r.Hits))]})
		if !slices.Equal(got, tt.want) || hit != tt.hit {
			t.Errorf("Search(%q) looks for %q and finds %q, want %q and %q", tt.query, got, hit, tt.want, tt.hit)
		}
		if known := r.Signals.Known; len(tt.want) > 0 && (known <= 0 || known >= 1) {
			t.Errorf("Search(%q): %v of the question is known, want a part", tt.query, known)
		}
	}
}

func TestProximity(t *testing.T) {
	x := New(nil)
	x.Put(doc("apart", "The green boats are sold with pots, of which more below, and with a warm black tea."))
	x.Put(doc("near", "The green tea and boats are sold with pots, of which more below, and with a warm black."))
	for range 20 {
		x.Put(doc("other", "Nothing of that kind is here."))
	}
	if r := x.Search(Query{Text: "green tea"}); len(r.Hits) != 2 || r.Hits[0].DocumentID != "near" || r.Hits[0].Proximity <= r.Hits[1].Proximity {
		t.Errorf("Search(green tea) = %+v, want the words beside each other first", r.Hits)
	}
	plain, quoted := x.Search(Query{Text: "green tea pot"}), x.Search(Query{Text: `"green tea" pot`})
	if p, q := plain.Hits[0].Proximity, quoted.Hits[0].Proximity; q < 2*p {
		t.Errorf("in quotes the words gain %v, without %v", q, p)
	}
}

// A search takes memory for its result only.
func TestAllocations(t *testing.T) {
	changes, queries := synthetic(2000)
	x := New(nil)
	x.Apply(changes)
	x.Maintain(t.Context())
	q := Query{Text: queries[0], AgentID: "agt_1", Filter: Has{"tenth", []Test{{Op: Eq, Value: 3.0}}}}
	hits := len(x.Search(q).Hits)
	least := 1e9 // with the race detector a pool forgets now and then
	for range 50 {
		least = min(least, testing.AllocsPerRun(1, func() { x.Search(q) }))
	}
	if hits != 10 || least > 8 {
		t.Errorf("a search with %d hits allocates %v times", hits, least)
	}
}
