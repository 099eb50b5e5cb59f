package generative_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// answers are what models say, and what becomes of it.
var answers = []struct {
	name     string
	says     string
	passages []knowledge.Hit
	language string
	setting  agent.Unsupported
	format   agent.ReplyFormat

	text    string
	quotes  []string
	outcome agent.Outcome
	suggest []string
}{
	{name: "a sentence with its mark", says: "You can return items within 30 days [1].",
		text: "You can return items within 30 days.", quotes: []string{"Items can be returned within 30 days."}},
	{name: "a mark behind the stop", says: "You can return items within 30 days. [1] We open at 9 am.[2]",
		text: "You can return items within 30 days. We open at 9 am.", quotes: []string{"Items can be returned within 30 days.", "We open at 9 am and close at 6 pm."}},
	{name: "marks of other forms", says: "You can return items within 30 days 【1†source】. We close at 6 pm [1, 2].",
		text: "You can return items within 30 days. We close at 6 pm.", quotes: []string{"Items can be returned within 30 days.", "We open at 9 am and close at 6 pm."}},
	{name: "two sentences that it takes both of", says: "Items can be returned within 30 days, and the refund is paid to the card that you paid with [1].",
		text:   "Items can be returned within 30 days, and the refund is paid to the card that you paid with.",
		quotes: []string{"Items can be returned within 30 days. The refund is paid to the card that you paid with."}},
	{name: "cited wrongly", says: "We open at 9 am [1].", text: "We open at 9 am.", quotes: []string{"We open at 9 am and close at 6 pm."}},
	{name: "cites nothing", says: "We open at 9 am.", text: "We open at 9 am.", quotes: []string{"We open at 9 am and close at 6 pm."}},
	{name: "cites what is not there", says: "We open at 9 am [9].", text: "We open at 9 am.", quotes: []string{"We open at 9 am and close at 6 pm."}},
	{name: "another number", says: "You can return items within 60 days [1].", outcome: agent.Refuse},
	{name: "a denial", says: "Deposits are refundable [1].", outcome: agent.Refuse},
	{name: "one of two", says: "You can return items within 60 days [1]. We open at 9 am [2].", text: "We open at 9 am.", quotes: []string{"We open at 9 am and close at 6 pm."}},
	{name: "invented", says: "Our founder Maria Lopez lives in Madrid [1].", outcome: agent.Refuse},
	{name: "flagged", says: "You can return items within 60 days [1]. We open at 9 am [2].", setting: agent.UnsupportedFlag,
		text: "You can return items within 60 days. We open at 9 am.", quotes: []string{"We open at 9 am and close at 6 pm."}},
	{name: "refused for one", says: "We open at 9 am [2]. You can return items within 60 days [1].", setting: agent.UnsupportedRefuse, outcome: agent.Refuse},
	{name: "refused for none", says: "We open at 9 am [2].", setting: agent.UnsupportedRefuse, text: "We open at 9 am.", quotes: []string{"We open at 9 am and close at 6 pm."}},
	{name: "does not answer", says: "NO_ANSWER"},
	{name: "does not answer, politely", says: "I am sorry. NO_ANSWER."},
	{name: "greets before", says: "Happy to help! You can return items within 30 days [1]. Let me know if you have more questions.",
		text: "Happy to help! You can return items within 30 days. Let me know if you have more questions.", quotes: []string{"Items can be returned within 30 days."}},
	{name: "greets before what is dropped", says: "Happy to help! You can return items within 60 days [1].", outcome: agent.Refuse},
	{name: "only greets", says: "Hello! I am happy to help.", text: "Hello! I am happy to help."},
	{name: "asks back", says: "CLARIFY\nWhich kayak do you mean?\n- Blue Kayak\n- Red Kayak\n- Green Submarine", passages: []knowledge.Hit{prices},
		text: "Which kayak do you mean?\n- Blue Kayak\n- Red Kayak", quotes: []string{"The Blue Kayak costs €20 a day.", "The Red Kayak costs €25 a day."},
		outcome: agent.Clarify, suggest: []string{"Blue Kayak", "Red Kayak"}},
	{name: "asks back without the word", says: "Which kayak do you mean?", passages: []knowledge.Hit{prices}, text: "Which kayak do you mean?", outcome: agent.Clarify},
	{name: "a list", says: "These are the prices:\n\n- **Blue Kayak**: €20 a day [1]\n- **Red Kayak**: €35 a day [1]\n- Paddles: free [1]\n", passages: []knowledge.Hit{prices},
		text:   "These are the prices:\n\n- **Blue Kayak**: €20 a day\n- Paddles: free",
		quotes: []string{"The Blue Kayak costs €20 a day.", "The Blue Kayak costs €20 a day.", "Paddles are free."}},
	{name: "a list of which nothing is left", says: "These are the prices:\n\n- Blue Kayak: €21 a day [1]\n- Red Kayak: €35 a day [1]\n", passages: []knowledge.Hit{prices}, outcome: agent.Refuse},
	{name: "numbered", says: "1. You can return items within 30 days [1].\n2. We open at 9 am [2].", text: "1. You can return items within 30 days.\n2. We open at 9 am.",
		quotes: []string{"Items can be returned within 30 days.", "We open at 9 am and close at 6 pm."}},
	{name: "plain", says: "**Blue Kayak**: €20 a day [1]. See [the *prices*](https://shop.example/prices).\n- `Paddles` are free [1].", format: agent.FormatPlain,
		passages: []knowledge.Hit{prices}, text: "Blue Kayak: €20 a day.\nPaddles are free.", quotes: []string{"The Blue Kayak costs €20 a day.", "Paddles are free."}},
	{name: "to be read aloud", says: "- The **Blue Kayak** costs €20 a day [1].\n- Paddles are free [1].", format: agent.FormatSpeech,
		passages: []knowledge.Hit{prices}, text: "The Blue Kayak costs €20 a day. Paddles are free.", quotes: []string{"The Blue Kayak costs €20 a day.", "Paddles are free."}},
	{name: "abbreviations", says: "Returns, e.g. of a kayak, are possible within 30 days [1]. We open at 9 a.m. [2] We close at 6 p.m. [2]", passages: []knowledge.Hit{passage("Kayaks", "en", "Returns, e.g. of a kayak, are possible within 30 days."), hours},
		text: "Returns, e.g. of a kayak, are possible within 30 days. We open at 9 a.m. We close at 6 p.m.", quotes: []string{"Returns, e.g. of a kayak, are possible within 30 days.", "We open at 9 am and close at 6 pm.", "We open at 9 am and close at 6 pm."}},
	{name: "code", says: "Run this [1]:\n\n```sh\ndesk serve --port 80\n```\n", passages: []knowledge.Hit{passage("Serve", "en", "Run this:\n\n```sh\ndesk serve --port 80\n```\n")},
		text: "Run this:\n\n```sh\ndesk serve --port 80\n```", quotes: []string{"Run this:", "desk serve --port 80"}},
	{name: "German", language: "de", says: "Gerne! Die Ware kann innerhalb von 14 Tagen zurückgegeben werden [1]. Der Versand kostet 6,90 € [1].",
		passages: []knowledge.Hit{passage("Versand", "de", "Sie können die Ware innerhalb von 14 Tagen zurückgeben. Der Versand kostet 4,90 €.")},
		text:     "Gerne! Die Ware kann innerhalb von 14 Tagen zurückgegeben werden.", quotes: []string{"Sie können die Ware innerhalb von 14 Tagen zurückgeben."}},
	{name: "Arabic", language: "ar", says: "يمكن إرجاع المنتج خلال ١٤ يوما من الاستلام [1]. المتجر مفتوح يوم الجمعة [1].",
		passages: []knowledge.Hit{passage("Ar", "ar", "يمكنك إرجاع المنتج خلال 14 يوما من تاريخ الاستلام. المتجر مغلق يوم الجمعة.")},
		text:     "يمكن إرجاع المنتج خلال ١٤ يوما من الاستلام.", quotes: []string{"يمكنك إرجاع المنتج خلال 14 يوما من تاريخ الاستلام."}},
	{name: "Chinese", language: "zh", says: "您好！收货后14天内可以退货[1]。定金可予退还[1]。",
		passages: []knowledge.Hit{passage("Zh", "zh", "商品可在收货后14天内退货。定金不予退还。")},
		text:     "您好！收货后14天内可以退货。", quotes: []string{"商品可在收货后14天内退货。"}},
	{name: "Thai", language: "th", says: "คืนสินค้าได้ภายใน 14 วัน [1]",
		passages: []knowledge.Hit{passage("Th", "th", "สามารถคืนสินค้าได้ภายใน 14 วัน")},
		text:     "คืนสินค้าได้ภายใน 14 วัน", quotes: []string{"สามารถคืนสินค้าได้ภายใน 14 วัน"}},
}

// question returns what is asked in a case.
func (tt *answerCase) question() agent.Question {
	q := asked("What about kayaks, returns and hours?", tt.passages...)
	if tt.passages == nil {
		q = asked("What about kayaks, returns and hours?", returns, hours)
	}
	if tt.language != "" {
		q.Language = tt.language
	}
	q.Agent.Unsupported, q.Message.ReplyFormat = tt.setting, tt.format
	return q
}

type answerCase struct {
	passages []knowledge.Hit
	language string
	setting  agent.Unsupported
	format   agent.ReplyFormat
}

func TestAnswers(t *testing.T) {
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			c := answerCase{tt.passages, tt.language, tt.setting, tt.format}
			got := mustCollect(t, says(llmtest.NewScript(llmtest.Say(tt.says))), c.question())
			if got.text != tt.text || got.outcome != tt.outcome || !slices.Equal(got.quotes(), tt.quotes) || !slices.Equal(got.suggest, tt.suggest) || got.resets > 0 {
				t.Errorf("the model said %q: the reply is %q, outcome %q, quotes %q, suggests %q, want %q, %q, %q, %q",
					tt.says, got.text, got.outcome, got.quotes(), got.suggest, tt.text, tt.outcome, tt.quotes, tt.suggest)
			}
			if tt.setting == agent.UnsupportedFlag && len(got.unsupported) == 0 {
				t.Error("nothing is flagged")
			}
		})
	}
}

// The reply is the same wherever the stream is cut: after every character, and in two
// at each place.
func TestDeltas(t *testing.T) {
	for _, tt := range answers {
		c := answerCase{tt.passages, tt.language, tt.setting, tt.format}
		whole := fmt.Sprintf("%+v", same(mustCollect(t, says(llmtest.NewScript(llmtest.Say(tt.says))), c.question())))
		single := llmtest.NewScript(llmtest.Say(tt.says))
		single.DeltaRunes = 1
		if got := fmt.Sprintf("%+v", same(mustCollect(t, says(single), c.question()))); got != whole {
			t.Errorf("%s: character by character the reply is %s, want %s", tt.name, got, whole)
		}
		for i := range tt.says {
			m := llmtest.NewScript(llmtest.Say(tt.says[:i]).Say(tt.says[i:]))
			if got := fmt.Sprintf("%+v", same(mustCollect(t, says(m), c.question()))); got != whole {
				t.Fatalf("%s: cut before %q the reply is %s, want %s", tt.name, tt.says[i:], got, whole)
			}
		}
	}
}

// same leaves out how a reply came.
func same(r reply) reply {
	r.parts, r.resets = 0, 0
	return r
}

// A model that begins anew, wherever it does, leaves nothing of what it said before.
func TestReset(t *testing.T) {
	const first = "Happy to help! We open at 9 am [2]. You can return items within 30 days [1]."
	const second = "You can return items within 30 days [1]."
	for i := range len(first) + 1 {
		m := llmtest.NewScript(llmtest.Say(first[:i]).Reset().Say(second))
		got := mustCollect(t, says(m), asked("Returns?", returns, hours))
		if got.text != "You can return items within 30 days." || len(got.citations) != 1 || got.citations[0].ClaimStart != 0 {
			t.Fatalf("after a reset behind %q the reply is %q with %d citations", first[:i], got.text, len(got.citations))
		}
	}
}

// Sentences come while the model still writes.
func TestStreams(t *testing.T) {
	release := make(chan struct{})
	m := llmtest.NewScript(llmtest.Say("You can return items within 30 days [1]. We ").Until(release).Say("open at 9 am [2]."))
	var text strings.Builder
	for p, err := range says(m).Answer(t.Context(), asked("Returns?", returns, hours)) {
		if err != nil {
			t.Fatal(err)
		}
		if text.WriteString(p.Text); release != nil {
			if text.String() != "You can return items within 30 days." || p.Citation == nil {
				t.Errorf("the first part is %q, want the first sentence with its citation", p.Text)
			}
			close(release)
			release = nil
		}
	}
	if want := "You can return items within 30 days. We open at 9 am."; text.String() != want {
		t.Errorf("the reply is %q, want %q", text.String(), want)
	}
}

// What was cut off by the bound on tokens is not shown.
func TestCutOff(t *testing.T) {
	for _, tt := range []struct{ says, want string }{
		{"We open at 9 am [2]. You can return items within", "We open at 9 am."},
		{"We open at 9 am [2]. You can return items within 30 days.", "We open at 9 am. You can return items within 30 days."},
	} {
		m := llmtest.NewScript(llmtest.Say(tt.says).Done(llm.Done{Reason: llm.FinishLength}))
		if got := mustCollect(t, says(m), asked("Returns?", returns, hours)); got.text != tt.want {
			t.Errorf("%q cut off is %q, want %q", tt.says, got.text, tt.want)
		}
	}
}

// A sentence that leans on two passages cites both, each for the whole sentence.
func TestBoth(t *testing.T) {
	place := passage("Place", "en", "Our shop is in Vienna. It has two floors.")
	parking := passage("Parking", "en", "Parking is free. Dogs are welcome.")
	got := mustCollect(t, says(llmtest.NewScript(llmtest.Say("Hello! Our shop in Vienna has free parking [1][2]. Dogs are welcome [2]."))), asked("Parking?", place, parking))
	want := []string{"Our shop is in Vienna.", "Parking is free.", "Dogs are welcome."}
	claims := []string{"Our shop in Vienna has free parking.", "Our shop in Vienna has free parking.", "Dogs are welcome."}
	if !slices.Equal(got.quotes(), want) {
		t.Errorf("quotes are %q, want %q", got.quotes(), want)
	}
	for i, c := range got.claims() {
		if i < len(claims) && strings.TrimSpace(c) != claims[i] {
			t.Errorf("citation %d is of %q, want %q", i, c, claims[i])
		}
	}
}

// FuzzCitations: whatever a model says, what is cited stands where it is said to, a
// reply holds no mark of a passage, and the stream may be cut anywhere.
func FuzzCitations(f *testing.F) {
	for _, tt := range answers {
		f.Add(tt.says, 3)
	}
	f.Add("[1]. [2] 【1】(http://x) ``` [1]\n| a |\n|--|\n~~~", 1)
	f.Add("A. [1", 0)
	f.Fuzz(func(t *testing.T, text string, runes int) {
		if len(text) > 4000 || strings.ContainsRune(text, '\uFFFD') {
			return
		}
		text = strings.ToValidUTF8(text, "")
		q := asked("What about kayaks?", returns, hours, prices)
		whole := mustCollect(t, says(llmtest.NewScript(llmtest.Say(text))), q)
		m := llmtest.NewScript(llmtest.Say(text))
		m.DeltaRunes = max(1, runes%7)
		if parts := mustCollect(t, says(m), q); fmt.Sprint(same(parts)) != fmt.Sprint(same(whole)) {
			t.Errorf("%q in pieces of %d is %+v, want %+v", text, m.DeltaRunes, parts, whole)
		}
		if strings.Contains(whole.text, "NO_ANSWER") {
			t.Errorf("the reply is %q", whole.text)
		}
	})
}
