package evals

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
)

// maxRepeat bounds how often a conversation is held.
const maxRepeat = 1000

// conversation reads a section of a conversation, whose name stands on a line.
func (r *reader) conversation(name string, at int, data string) {
	c := Conversation{Name: name, Line: at}
	if name == "" {
		c.Name = strconv.Itoa(len(r.file.Conversations) + 1)
	}
	line, quoting := at, false // quoting: the line before is one of a message
	for text := range strings.Lines(data) {
		line++
		text = strings.TrimSpace(text)
		said, isSaid := strings.CutPrefix(text, ">")
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
			quoting = false
		case isSaid && quoting:
			c.turns[len(c.turns)-1].text += "\n" + strings.TrimSpace(said)
		case isSaid:
			c.turns = append(c.turns, turn{line: line, text: strings.TrimSpace(said)})
			quoting = true
		default:
			quoting = false
			if err := c.take(line, text); err != nil {
				r.fault(line, "%v", err)
			}
		}
	}
	for _, t := range c.turns {
		if strings.TrimSpace(t.text) == "" {
			r.fault(t.line, "the message is empty")
		}
	}
	if len(c.turns) == 0 {
		r.fault(at, "nobody says anything in conversation %q: what the customer says begins with >", c.Name)
	}
	r.file.Conversations = append(r.file.Conversations, c)
}

// take reads a line about the message before it, or about the conversation.
func (c *Conversation) take(line int, text string) error {
	key, value, ok := strings.Cut(text, ":")
	key, value = strings.Join(strings.Fields(key), " "), strings.TrimSpace(value)
	if !ok {
		return fmt.Errorf("%q is neither a message, which begins with >, nor an expectation, such as outcome: answer", text)
	}
	if key == "repeat" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxRepeat || len(c.turns) > 0 {
			return fmt.Errorf("repeat: must be a number from 1 to %d, before the first message", maxRepeat)
		}
		c.Repeat = n
		return nil
	}
	if len(c.turns) == 0 {
		return fmt.Errorf("%s: stands before the first message, which begins with >", key)
	}
	t := &c.turns[len(c.turns)-1]
	if key == "context" {
		if err := json.Unmarshal([]byte(value), &t.context); err != nil || t.context == nil {
			return fmt.Errorf(`context: must be a JSON object on one line, such as {"page": "/prices"}`)
		}
		return nil
	}
	if key == "approves" || key == "rejects" {
		if value == "" {
			return fmt.Errorf("%s: name a tool", key)
		}
		if t.decided == nil {
			t.decided = map[string]bool{}
		}
		t.decided[value] = key == "approves"
		return nil
	}
	read, ok := expectations[key]
	if !ok {
		return fmt.Errorf("%q is not known: there are outcome, reason, cites, never cites, says, never says, calls, never calls, confidence, language, suggests, and approves, rejects, context and repeat", key)
	}
	check, err := read(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	t.expect = append(t.expect, expectation{line: line, text: key + ": " + value, check: check})
	return nil
}

// An expectation is a line about a reply.
type expectation struct {
	line  int
	text  string
	check check
}

// A check says what a reply is instead of what was expected; empty: it is that.
type check func(r agent.Reply) (got string)

// expectations are what may be said of a reply, by their keys.
var expectations = map[string]func(value string) (check, error){
	"outcome":     outcome,
	"reason":      reason,
	"cites":       cites,
	"never cites": not(cites, func(r agent.Reply) string { return "it cites " + cited(r) }),
	"says":        says,
	"never says":  not(says, func(r agent.Reply) string { return "it says " + shown(r.Text) }),
	"calls":       calls,
	"never calls": not(calls, func(r agent.Reply) string { return "it calls " + called(r) }),
	"confidence":  confidence,
	"language":    language,
	"suggests":    suggests,
}

// not turns a check around.
func not(read func(string) (check, error), got func(agent.Reply) string) func(string) (check, error) {
	return func(value string) (check, error) {
		positive, err := read(value)
		if err != nil {
			return nil, err
		}
		return func(r agent.Reply) string {
			if positive(r) != "" {
				return ""
			}
			return got(r)
		}, nil
	}
}

func outcome(value string) (check, error) {
	switch agent.Outcome(value) {
	case agent.Answer, agent.Clarify, agent.Refuse, agent.Handoff:
	default:
		return nil, fmt.Errorf("%q is none of answer, clarify, refuse and handoff", value)
	}
	return func(r agent.Reply) string {
		if r.Outcome == agent.Outcome(value) {
			return ""
		}
		return fmt.Sprintf("it is %s with confidence %.2f: %s", r.Outcome, r.Confidence.Score, shown(r.Text))
	}, nil
}

func reason(value string) (check, error) {
	return func(r agent.Reply) string {
		if r.Reason == value {
			return ""
		}
		return fmt.Sprintf("it is %q", r.Reason)
	}, nil
}

// cites expects one of some documents, by external id, title or URL, and perhaps
// words that its quote has.
func cites(value string) (check, error) {
	document, rest, words := value, "", false
	if i := strings.Index(value, ` "`); i >= 0 {
		document, rest, words = strings.TrimSpace(value[:i]), strings.TrimSpace(value[i:]), true
	}
	if document == "" {
		return nil, fmt.Errorf(`name a document by its external id, title or URL, and in quotes, if you like, words of it: hours.md "at nine"`)
	}
	quote := strings.TrimSuffix(strings.TrimPrefix(rest, `"`), `"`)
	if words && (!strings.HasSuffix(rest, `"`) || len(rest) < 3) {
		return nil, fmt.Errorf(`the words of the quote must end with "`)
	}
	if document == "nothing" && !words {
		return func(r agent.Reply) string {
			if len(r.Citations) == 0 {
				return ""
			}
			return "it cites " + cited(r)
		}, nil
	}
	either := strings.Split(document, " or ")
	return func(r agent.Reply) string {
		for _, c := range r.Citations {
			named := slices.ContainsFunc([]string{c.ExternalID, c.Title, c.URL}, func(name string) bool {
				return name != "" && (name == document || slices.Contains(either, name))
			})
			if named && contains(c.Quote, quote) {
				return ""
			}
		}
		return "it cites " + cited(r)
	}, nil
}

// says expects words, or what a regular expression between slashes matches.
func says(value string) (check, error) {
	has, err := matcher(value)
	if err != nil {
		return nil, err
	}
	return func(r agent.Reply) string {
		if has(r.Text) {
			return ""
		}
		return "it says " + shown(r.Text)
	}, nil
}

func suggests(value string) (check, error) {
	has, err := matcher(value)
	if err != nil {
		return nil, err
	}
	return func(r agent.Reply) string {
		if slices.ContainsFunc(r.SuggestedReplies, has) {
			return ""
		}
		return fmt.Sprintf("it suggests %q", r.SuggestedReplies)
	}, nil
}

// matcher reads words, which are looked for in whatever case and spacing, or a
// regular expression between slashes.
func matcher(value string) (func(string) bool, error) {
	if value == "" {
		return nil, fmt.Errorf("say which words, or a regular expression between slashes")
	}
	if len(value) > 1 && value[0] == '/' && value[len(value)-1] == '/' {
		re, err := regexp.Compile(value[1 : len(value)-1])
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	return func(text string) bool { return contains(text, value) }, nil
}

// calls expects a tool to have been called with some arguments at least.
func calls(value string) (check, error) {
	name, rest, _ := strings.Cut(value, " ")
	if name == "" {
		return nil, fmt.Errorf(`name a tool and, if you like, arguments: find_order {"number": "4711"}`)
	}
	var arguments map[string]any
	if rest = strings.TrimSpace(rest); rest != "" {
		if err := json.Unmarshal([]byte(rest), &arguments); err != nil || arguments == nil {
			return nil, fmt.Errorf("the arguments must be a JSON object")
		}
	}
	if name == "nothing" && rest == "" {
		return func(r agent.Reply) string {
			if len(r.ToolCalls) == 0 {
				return ""
			}
			return "it calls " + called(r)
		}, nil
	}
	return func(r agent.Reply) string {
		for _, c := range r.ToolCalls {
			if c.Name == name && within(arguments, c.Arguments) {
				return ""
			}
		}
		return "it calls " + called(r)
	}, nil
}

func confidence(value string) (check, error) {
	bound, least := strings.CutPrefix(value, "at least ")
	if !least {
		var most bool
		if bound, most = strings.CutPrefix(value, "at most "); !most {
			return nil, fmt.Errorf("must be at least or at most a number from 0 to 1: at least 0.6")
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(bound), 64)
	if err != nil || !(n >= 0 && n <= 1) {
		return nil, fmt.Errorf("%q is not a number from 0 to 1", bound)
	}
	return func(r agent.Reply) string {
		if score := r.Confidence.Score; least && score >= n || !least && score <= n {
			return ""
		}
		return fmt.Sprintf("it is %.3f", r.Confidence.Score)
	}, nil
}

func language(value string) (check, error) {
	if value == "" {
		return nil, fmt.Errorf("say which, as a tag such as de")
	}
	return func(r agent.Reply) string {
		if r.Language == value {
			return ""
		}
		return fmt.Sprintf("it is %q", r.Language)
	}, nil
}
