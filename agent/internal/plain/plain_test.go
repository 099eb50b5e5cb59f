package plain_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/internal/plain"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ text, plain, speech string }{
		{"We open at **nine**.", "We open at nine.", "We open at nine."},
		{"## Opening hours\n\nFrom *nine* to _five_.", "Opening hours\n\nFrom nine to five.", "Opening hours. From nine to five."},
		{"Do this:\n- Take `answerdesk serve`\n- See [the page](https://shop.example/a/b)\n", "Do this:\nTake answerdesk serve\nSee the page (https://shop.example/a/b)", "Do this: Take answerdesk serve. See the page"},
		{"1. Open it.\n2. Close it.", "1. Open it.\n2. Close it.", "Open it. Close it."},
		{"| Plan | Price |\n|---|---|\n| Pro | 5 |", "Plan, Price\nPro, 5", "Plan, Price. Pro, 5"},
		{"Call:\n```go\nx := a**b\n```\nThat is all.", "Call:\nx := a**b\nThat is all.", "Call: x := a**b. That is all."},
		{"Set `__init__` and `a*b*c` to 2 * 3 * 4.", "Set __init__ and a*b*c to 2 * 3 * 4.", "Set __init__ and a*b*c to 2 * 3 * 4."},
		{"> A quoted\n> line of `two`.", "A quoted\nline of two.", "A quoted line of two."},
		{"A snake_case name and ~~old~~ https://www.shop.example/a?b=1.", "A snake_case name and old https://www.shop.example/a?b=1.", "A snake_case name and old shop.example"},
		{"---", "", ""},
		{"営業時間は**九時**から。", "営業時間は九時から。", "営業時間は九時から。"},
	} {
		for format, want := range map[agent.ReplyFormat]string{agent.FormatPlain: tt.plain, agent.FormatSpeech: tt.speech, agent.FormatMarkdown: tt.text, "": tt.text} {
			if got := plain.Text(tt.text, format); got != want {
				t.Errorf("%q as %q is %q, want %q", tt.text, format, got, want)
			}
		}
	}
}

// Whatever the text is, what comes out is valid, no longer than its parts, and without
// marks to take out once more.
func FuzzText(f *testing.F) {
	for _, s := range []string{"**a** `b` [c](d)", "```\na\n", "| a | b |\n|-|-|", "> > # x", "\x00`a`", "[](", "`\x00`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []agent.ReplyFormat{agent.FormatPlain, agent.FormatSpeech} {
			if got := plain.Text(text, format); len(got) > 2*len(text)+1 {
				t.Errorf("%q becomes %q", text, got)
			}
		}
	})
}
