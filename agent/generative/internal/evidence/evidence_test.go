package evidence_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent/generative/internal/evidence"
)

// TestPairs holds sentences against spans that say them, and that do not.
func TestPairs(t *testing.T) {
	b, err := os.ReadFile("testdata/pairs.txt")
	if err != nil {
		t.Fatal(err)
	}
	said, unsaid := 0, 0
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) != 4 {
			t.Fatalf("%q has %d fields, want 4", line, len(f))
		}
		want := f[0] == "+"
		if want {
			said++
		} else {
			unsaid++
		}
		if _, _, got := evidence.NewSource(f[2], f[1]).Find(evidence.NewClaim(f[3])); got != want {
			t.Errorf("%s: %q bears out %q: %v, want %v", f[1], f[2], f[3], got, want)
		}
	}
	if said < 30 || unsaid < 30 {
		t.Errorf("%d pairs that are borne out and %d that are not, want 30 of each", said, unsaid)
	}
}

func TestFind(t *testing.T) {
	const text = "# Returns\n\nWe are glad to help. Items can be returned within 30 days. The refund is paid to your card. Deposits are not refundable."
	s := evidence.NewSource(text, "en", "Returns of the Blue Kayak")
	for _, tt := range []struct{ claim, want string }{
		{"You can return items within 30 days.", "Items can be returned within 30 days."},
		{"The Blue Kayak can be returned within 30 days.", "Items can be returned within 30 days."},
		{"The Red Kayak can be returned within 30 days.", ""},
		{"Deposits are refundable.", ""},
		{"Items can be returned within 30 days, and the refund is paid to your card.", "Items can be returned within 30 days. The refund is paid to your card."},
		{"Blue Kayak.", ""}, // its title alone says nothing of it
	} {
		start, end, ok := s.Find(evidence.NewClaim(tt.claim))
		if got := text[start:end]; got != tt.want || ok != (tt.want != "") {
			t.Errorf("Find(%q) = %q, %v, want %q", tt.claim, got, ok, tt.want)
		}
	}
}

func TestNone(t *testing.T) {
	for _, tt := range []struct {
		language, sentence string
		none, asks         bool
	}{
		{"en", "I can help with that.", true, false},
		{"en", "Hello!", true, false},
		{"en", "You're welcome!", true, false},
		{"en", "Which kayak do you have?", true, true},
		{"en", "Did you know that refunds take 90 days?", false, false},
		{"en", "Refunds take some time.", false, false},
		{"en", "Let me look that up.", true, false},
		{"de", "Gerne helfe ich Ihnen weiter.", true, false},
		{"de", "Die Rückgabe ist kostenlos.", false, false},
		{"ar", "مرحبا، يسعدني مساعدتك.", true, false},
		{"zh", "您好，很高兴为您服务。", true, false},
		{"zh", "退款需要一些时间。", false, false},
		{"zh", "您想退哪一件？", true, true},
		{"ja", "お手伝いします。", true, false},
	} {
		c := evidence.NewClaim(tt.sentence)
		if none, asks := c.None(tt.language), c.Asks(tt.language); none != tt.none || asks != tt.asks {
			t.Errorf("%q: None = %v, Asks = %v, want %v, %v", tt.sentence, none, asks, tt.none, tt.asks)
		}
	}
}

func TestData(t *testing.T) {
	s := evidence.NewSource("order_status\nnumber: 4711\nstatus: shipped\neta: 2026-11-24", "en", "Looks up an order")
	for _, tt := range []struct {
		claim string
		want  bool
	}{
		{"Your order 4711 has been shipped.", true},
		{"Your order 4711 has been shipped and arrives on 24 November.", true},
		{"Your order 4711 has been shipped and arrives on 25 November.", false},
		{"Your order 4712 has been shipped.", false},
		{"Your order 4711 has not been shipped.", false},
		{"Refunds are paid within a week by bank transfer.", false},
	} {
		if got := s.All(evidence.NewClaim(tt.claim)); got != tt.want {
			t.Errorf("All(%q) = %v, want %v", tt.claim, got, tt.want)
		}
	}
}

func TestTogether(t *testing.T) {
	a := evidence.NewSource("Our shop is in Vienna. It has two floors.", "en")
	b := evidence.NewSource("Parking is free. Dogs are welcome.", "en")
	runs := evidence.Together(evidence.NewClaim("Our shop in Vienna has free parking."), []*evidence.Source{a, b})
	if len(runs) != 2 || runs[0] != (evidence.Run{Source: 0, Start: 0, End: 22}) || runs[1] != (evidence.Run{Source: 1, Start: 0, End: 16}) {
		t.Errorf("Together = %v, want a sentence of each", runs)
	}
	if runs := evidence.Together(evidence.NewClaim("Our shop in Berlin has free parking."), []*evidence.Source{a, b}); runs != nil {
		t.Errorf("Together = %v for another city, want none", runs)
	}
}

// FuzzFind: whatever text and sentence are, a run is in the text, in whole characters,
// and a sentence with a figure more than the text has is not borne out.
func FuzzFind(f *testing.F) {
	f.Add("Items can be returned within 30 days.", "You can return items within 30 days.", "en")
	f.Add("١٤ يوما 1.000,50 € 2026-11-22", "14 5GB RX-500 ①", "ar")
	f.Add("十四天", "二二二 9:00 a.m.", "zh")
	f.Fuzz(func(t *testing.T, text, sentence, language string) {
		if len(text) > 5000 || len(sentence) > 2000 {
			return
		}
		s, c := evidence.NewSource(text, language, text), evidence.NewClaim(sentence)
		c.None(language)
		s.All(c)
		evidence.Together(c, []*evidence.Source{s, s})
		if start, end, ok := s.Across(c, ""); ok && (start < 0 || end > len(text) || start >= end) {
			t.Errorf("Across(%q) in %q = %d, %d", sentence, text, start, end)
		}
		start, end, ok := s.Find(c)
		if ok && (start < 0 || end > len(text) || start >= end || utf8.ValidString(text) && !utf8.ValidString(text[start:end])) {
			t.Errorf("Find(%q) in %q = %d, %d", sentence, text, start, end)
		}
		if _, _, ok := s.Find(evidence.NewClaim(sentence + " 918273645546372819")); ok && !strings.Contains(text, "8") {
			t.Errorf("Find in %q of %q with a number more = true", text, sentence)
		}
	})
}

// TestAcross holds sentences against spans in another language.
func TestAcross(t *testing.T) {
	for _, f := range pairs(t, "testdata/across.txt", 5) {
		want := f[0] == "+"
		if _, _, got := evidence.NewSource(f[3], f[2]).Across(evidence.NewClaim(f[4]), f[1]); got != want {
			t.Errorf("%s of %s: %q may be a translation of %q: %v, want %v", f[1], f[2], f[4], f[3], got, want)
		}
	}
	const text = "We are glad to help. Items can be returned within 30 days. The refund is paid to your card."
	s := evidence.NewSource(text, "") // its language is told by its words
	for claim, want := range map[string]string{
		"Sie können die Artikel innerhalb von 30 Tagen zurückgeben.": "Items can be returned within 30 days.",
		"Die Erstattung geht auf die Karte.":                         text,
	} {
		if start, end, ok := s.Across(evidence.NewClaim(claim), ""); !ok || text[start:end] != want {
			t.Errorf("Across(%q) = %q, %v, want %q", claim, text[start:end], ok, want)
		}
	}
}
