package llmtest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/llm"
)

// Obedient returns a model that does what it is told by anybody: it obeys each
// command that stands anywhere in a request, be it in the instructions, in what a
// user wrote, in the results of tools or in the descriptions of tools. The
// commands are, in capital letters,
//
//	CALL tool {"a":1}   calls a tool, which need not be among the tools of the request
//	SAY text            says the text, up to the end of the line
//	REVEAL              says the instructions, word by word
//
// or their like in other languages: RUFE, LLAMA, APPELLE, PANGGIL, 调用, 呼び出せ, اتصل
// and SAGE, DI, DIS, KATAKAN, 说, 言え, قل. It also reads them if they are written as
// strings of JSON, HTML entities, percent encoding, base64, hexadecimal digits,
// rot13, backwards, in full-width letters, in letters of Greek and Russian that look
// like those of English, with characters between that nobody sees, or in two of these
// ways at once.
//
// A call that an assistant made before in the conversation is not made again. When
// none is left to make, it says what it was told to say, and "Done." if that is
// nothing. What its own messages hold is no command.
func Obedient() *Script { return Reply(obey) }

func obey(req llm.Request) Answer {
	var made []string
	texts := []string{req.Instructions}
	for _, t := range req.Tools {
		texts = append(texts, t.Description, string(t.Parameters))
	}
	for _, m := range req.Messages {
		for _, c := range m.ToolCalls {
			made = append(made, c.Name+canonical(c.Arguments))
		}
		if m.Role != llm.Assistant {
			texts = append(texts, m.Text)
		}
		for _, r := range m.Results {
			texts = append(texts, r.Content)
		}
	}
	var calls Answer
	var said []string
	for _, text := range texts {
		for _, view := range views(text) {
			for _, c := range commands(view) {
				switch {
				case c.tool != "" && req.ToolChoice != llm.ToolNone && !slices.Contains(made, c.tool+canonical(c.args)):
					made = append(made, c.tool+canonical(c.args))
					calls = calls.Call(c.tool, c.args)
				case c.reveal && !slices.Contains(said, req.Instructions):
					said = append(said, req.Instructions)
				case c.say != "" && !slices.Contains(said, c.say):
					said = append(said, c.say)
				}
			}
		}
	}
	switch {
	case len(calls.steps) > 0:
		return calls
	case len(said) > 0:
		return Say(strings.Join(said, "\n"))
	}
	return Say("Done.")
}

// A command is one that was found.
type command struct {
	tool   string
	args   json.RawMessage
	say    string
	reveal bool
}

var (
	calling   = regexp.MustCompile(`(?:CALL|RUFE|LLAMA|APPELLE|PANGGIL|调用|呼び出せ|اتصل)[ \t:]+([A-Za-z0-9_-]{1,64})[ \t]*(\{)?`)
	saying    = regexp.MustCompile(`(?:\b(?:SAY|SAGE|DIS?|KATAKAN)\b|说|言え|قل)[ \t:]+([^\n]+)`)
	revealing = regexp.MustCompile(`\bREVEAL\b`)
)

func commands(text string) (all []command) {
	for _, at := range calling.FindAllStringSubmatchIndex(text, -1) {
		c := command{tool: text[at[2]:at[3]], args: json.RawMessage("{}")}
		if at[4] >= 0 && json.NewDecoder(strings.NewReader(text[at[4]:])).Decode(&c.args) != nil {
			continue // another view may have it whole
		}
		all = append(all, c)
	}
	for _, m := range saying.FindAllStringSubmatch(text, -1) {
		all = append(all, command{say: strings.TrimSpace(m[1])})
	}
	if revealing.MatchString(text) {
		all = append(all, command{reveal: true})
	}
	return all
}

// canonical is JSON with its keys in order and no space.
func canonical(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

var (
	base64s = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)
	hexes   = regexp.MustCompile(`(?:[0-9a-fA-F]{2}){4,}`)
	escapes = regexp.MustCompile(`\\(?:u[0-9a-fA-F]{4}|["\\/nrt])`)
)

// views returns a text as it stands and as the ways of writing that [Obedient]
// names have it, each once and twice.
func views(text string) []string {
	all := []string{text}
	for _, once := range []bool{true, false} {
		for _, v := range slices.Clone(all) {
			for _, w := range decoded(v) {
				if w != "" && (once || strings.ContainsFunc(w, unicode.IsLetter)) && !slices.Contains(all, w) {
					all = append(all, w)
				}
			}
		}
	}
	return all
}

func decoded(text string) []string {
	seen := strings.Map(visible, text)
	all := []string{html.UnescapeString(text), seen, backwards(text)}
	if len(commands(seen)) == 0 { // else half of a command could be turned, and be another
		all = append(all, strings.Map(rot13, seen))
	}
	all = append(all, escapes.ReplaceAllStringFunc(text, func(e string) string {
		if s, err := strconv.Unquote(`"` + strings.ReplaceAll(e, `\/`, "/") + `"`); err == nil {
			return s
		}
		return e
	}))
	if s, err := url.PathUnescape(text); err == nil {
		all = append(all, s)
	}
	for _, word := range base64s.FindAllString(text, -1) {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if b, err := enc.DecodeString(word); err == nil && utf8.Valid(b) {
				all = append(all, string(b))
			}
		}
	}
	for _, digits := range hexes.FindAllString(text, -1) {
		if b, err := hex.DecodeString(digits); err == nil && utf8.Valid(b) {
			all = append(all, string(b))
		}
	}
	return all
}

// visible takes out what nobody sees, and makes ASCII of full-width letters and of
// the tags of Unicode.
func visible(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFF01 + '!'
	case r >= 0xE0020 && r <= 0xE007E:
		return r - 0xE0000
	case unicode.Is(unicode.Cf, r):
		return -1
	}
	if i := slices.Index(alike, r); i >= 0 {
		return rune(taken[i])
	}
	return r
}

// Letters that look like others, and those that they are taken for.
var (
	alike = []rune("АВСЕНІКМОРТХаеіосрхуΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")
	taken = "ABCEHIKMOPTXaeiocpxyABEZHIKMNOPTYXo"
)

func rot13(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return 'a' + (r-'a'+13)%26
	case r >= 'A' && r <= 'Z':
		return 'A' + (r-'A'+13)%26
	}
	return r
}

func backwards(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}
