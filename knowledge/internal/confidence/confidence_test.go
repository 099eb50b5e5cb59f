package confidence

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

func TestOfIsMonotone(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		known := rnd.Float64()
		g := index.Signals{
			Words: 1 + rnd.IntN(5), Known: known, Coverage: known * rnd.Float64(), Wording: rnd.Float64(), Evidence: 30 * rnd.Float64(), Ratio: 2.2 * rnd.Float64(),
			Echo: rnd.Float64(), Margin: rnd.Float64(), Volume: uint64(rnd.ExpFloat64() * 1e5),
		}
		c := Of(g)
		if c < 0 || c > 1 {
			t.Fatalf("Of(%+v) = %v, want 0 to 1", g, c)
		}
		better := func(change func(*index.Signals)) index.Signals {
			more := g
			change(&more)
			return more
		}
		for name, more := range map[string]index.Signals{
			"coverage": better(func(g *index.Signals) { g.Coverage += (g.Known - g.Coverage) / 2 }),
			"wording":  better(func(g *index.Signals) { g.Wording += (1 - g.Wording) / 2 }),
			"known":    better(func(g *index.Signals) { g.Known += (1 - g.Known) / 2 }),
			"evidence": better(func(g *index.Signals) { g.Evidence++ }),
			"ratio":    better(func(g *index.Signals) { g.Ratio += 0.1 }),
			"echo":     better(func(g *index.Signals) { g.Echo += (1 - g.Echo) / 2 }),
			"margin":   better(func(g *index.Signals) { g.Margin += (1 - g.Margin) / 2 }),
			"asked":    better(func(g *index.Signals) { g.Asked = 1 }),
			"volume":   better(func(g *index.Signals) { g.Volume /= 2 }),
		} {
			if Of(more) < c {
				t.Errorf("better %s: Of(%+v) = %v, below Of(%+v) = %v", name, more, Of(more), g, c)
			}
		}
	}
	for _, tt := range []struct{ asked, least, most float64 }{{0, 0, 0}, {0.85, 0.9, 0.9}, {0.99, 0.9, 0.9}, {1, 0.95, 0.95}} {
		if got := Of(index.Signals{Known: 1, Asked: tt.asked}); got < tt.least || got > tt.most {
			t.Errorf("Of where a pair is asked by %v = %v, want %v to %v", tt.asked, got, tt.least, tt.most)
		}
	}
	if got := Of(index.Signals{Words: 2, Known: 1}); got != 0 {
		t.Errorf("Of with nothing found = %v, want 0", got)
	}
}

// TestQuestions asks small companies what they can and cannot answer.
func TestQuestions(t *testing.T) {
	hours := []string{"We are open from 9 am to 6 pm on weekdays, and until noon on Saturdays. The shop is closed on Sundays and public holidays."}
	docs := append(slices.Clone(hours),
		"API keys give access to the service. To rotate an API key, open Settings, choose Keys and press Rotate. The old key works for one more hour.",
		"You can return a product within 30 days of delivery. Refunds are paid to the card that was charged, within five working days.",
		"We deliver to every address in the country. Standard shipping takes three days and costs 4.90; express shipping takes one day and costs 12.50.",
		"Invoices are sent by e-mail on the first of the month. You can change the billing address in your account at any time.",
		"To reset your password, choose Forgot password on the sign-in page and follow the link in the message you get.",
		"The warranty covers defects of material and workmanship for two years. It does not cover damage caused by water.",
		"Agents answer questions from your documents. Each answer shows the passages it was taken from.",
	)
	for _, tt := range []struct {
		passages []string
		question string
		least    float64
		most     float64
	}{
		{hours, "When do you open?", 0.6, 1},
		{hours, "are you open on sundays?", 0.6, 1},
		{hours, "What is the capital of Mongolia?", 0, 0.1},
		{hours, "How do I rotate an API key?", 0, 0.1},
		{hours, "How are you?", 0, 0.4},
		{docs, "When do you open?", 0.6, 1},
		{docs, "How do I rotate an API key?", 0.6, 1},
		{docs, "rotate key", 0.6, 1},
		{docs, "What does express shipping cost?", 0.6, 1},
		{docs, "How long does the warranty cover defects?", 0.6, 1},
		{docs, "How do I reset my password?", 0.6, 1},
		{docs, "What is the capital of Mongolia?", 0, 0.1},
		{docs, "How do I rotate a Kubernetes secret?", 0, 0.3},
		{docs, "How do I rotate a Kubernetes key?", 0, 0.3},
		{docs, "Do you deliver pizza?", 0, 0.3},
		{docs, "Can I return a spaceship?", 0, 0.3},
		{docs, "asdf qwer", 0, 0},
		{docs, "Hello, how are you?", 0, 0.3},
		{docs, "", 0, 0},
	} {
		x := index.New(nil)
		for i, body := range tt.passages {
			x.Put(index.Document{ID: string(rune('a' + i)), Passages: []index.Passage{{Body: body}}})
		}
		g := x.Search(index.Query{Text: tt.question}).Signals
		if got := Of(g); got < tt.least || got > tt.most {
			t.Errorf("%d passages, %q: confidence %.2f, want %v to %v (%+v)", len(tt.passages), tt.question, got, tt.least, tt.most, g)
		}
	}
}

func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		signals index.Signals
		want    []string
	}{
		{index.Signals{}, []string{"nothing_found"}},
		{index.Signals{Words: 2, Coverage: 1, Known: 1}, nil},
		{index.Signals{Words: 2, Coverage: 0.5, Known: 0.6}, []string{"unknown_words"}},
		{index.Signals{Words: 2, Coverage: 0.5, Known: 1}, []string{"partial_match"}},
		{index.Signals{Words: 0, Coverage: 1, Known: 1}, []string{"no_subject"}},
		{index.Signals{Words: 0, Coverage: 0, Known: 0, Asked: 1}, nil},
	} {
		if got := Reasons(tt.signals); !slices.Equal(got, tt.want) {
			t.Errorf("Reasons(%+v) = %q, want %q", tt.signals, got, tt.want)
		}
	}
}
