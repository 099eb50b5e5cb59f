package generative_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

var instant = &llmtest.Instant{Text: "You can return items within 30 days [1]. We open at 9 am [2]."}

func BenchmarkAnswer(b *testing.B) {
	a := says(instant)
	q := asked("When?", returns, hours, prices)
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range a.Answer(b.Context(), q) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkTool(b *testing.B) {
	a := says(&llmtest.Instant{Text: shippedText, Call: &llm.ToolCall{ID: "1", Name: "order_status", Arguments: []byte(`{"number":4711}`)}})
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range a.Answer(b.Context(), orders().ask(asked("Where is my order?"))) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// What it takes to ask a model and to check two sentences against three passages.
func TestAllocations(t *testing.T) {
	a := says(instant)
	q := asked("When?", returns, hours, prices)
	got := 1e9
	for range 5 { // what else goes on in the process only ever adds to it
		got = min(got, testing.AllocsPerRun(10, func() {
			for _, err := range a.Answer(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}))
	}
	if most := 600.0; got > most {
		t.Errorf("a reply takes %.0f allocations, want at most %.0f", got, most)
	}
}
