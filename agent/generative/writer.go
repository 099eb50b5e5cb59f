package generative

import (
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative/internal/evidence"
	"github.com/answerdesk-go/answerdesk/agent/internal/plain"
)

// A writer checks what a model says, unit by unit, and passes on what is borne out.
type writer struct {
	yield    func(agent.Part, error) bool
	left     bool // nobody reads on
	clean    bool // the model has read no data, but what the customer wrote
	q        *agent.Question
	passages []*evidence.Source // as q.Passages; nil ones are not read yet
	data     []given            // what tools said in this turn
	brought  []given            // the context and the files of the message
	read     bool               // whether they were read
	asked    *evidence.Source   // the message and its question

	length   int          // of the text that was passed on
	parted   string       // white space of what was left out since
	pending  []unit       // what says nothing by itself, until something follows that is borne out
	held     []agent.Part // in place of passing on, if a doubt refuses everything
	shown    bool         // something that is borne out, or flagged, was passed on
	dropped  int          // units that nothing bears out
	noAnswer bool
	asks     bool // pending has a question
	clarify  bool // the model said that it asks back
	options  []string
}

// send passes a part on.
func (w *writer) send(p agent.Part) bool {
	if !w.left && !w.yield(p, nil) {
		w.left = true
	}
	return !w.left
}

// reset forgets what was said.
func (w *writer) reset() {
	if w.length > 0 && w.held == nil {
		w.send(agent.Part{Reset: true})
	}
	*w = writer{yield: w.yield, left: w.left, clean: w.clean, q: w.q, passages: w.passages, data: w.data, brought: w.brought, read: w.read, asked: w.asked}
}

// write takes the next unit.
func (w *writer) write(u unit) {
	text := u.text
	var cited []int
	if !u.code {
		text, cited = takeMarks(text)
		text = strings.TrimSpace(text)
		text = w.command(text)
	}
	if text == "" {
		w.skip(u.before)
		return
	}
	u.text = text
	if w.clarify {
		w.choice(u)
		return
	}
	claim := evidence.NewClaim(plainOf(text))
	switch {
	case !strings.ContainsFunc(text, isWord): // a rule, the line below the head of a table
		w.wait(u)
	case isLead(text):
		if w.known(claim) {
			u.about = w.about(claim)
			w.wait(u)
		} else {
			w.drop(u)
		}
	case claim.None(w.q.Language):
		if claim.Asks(w.q.Language) {
			w.asks = true
			u.about = w.about(claim)
		}
		if w.shown {
			w.pending = nil
			w.pass(u, u.about, nil)
		} else {
			w.wait(u)
		}
	default:
		if cites, by := w.bear(claim, cited); by != nil {
			w.show(u, cites, by)
		} else {
			w.drop(u)
		}
	}
}

// command takes the marks out of a unit with which a model says what it does.
func (w *writer) command(text string) string {
	if strings.Contains(text, markNoAnswer) {
		w.noAnswer = true
		text = strings.ReplaceAll(text, markNoAnswer, "")
		if !strings.ContainsFunc(text, isWord) {
			return ""
		}
	}
	if rest, ok := strings.CutPrefix(text, markClarify); ok && !w.shown {
		w.clarify, w.pending = true, nil
		text = strings.TrimLeft(rest, ":. \t\r\n")
	}
	return strings.TrimSpace(text)
}

// choice takes a line of what is asked back.
func (w *writer) choice(u unit) {
	if option, ok := strings.CutPrefix(u.text, "- "); ok {
		option = strings.TrimRight(strings.TrimSpace(plainOf(option)), ".")
		if option != "" && len(option) <= 200 && len(w.options) < 8 && !slices.Contains(w.options, option) && w.known(evidence.NewClaim(option)) {
			w.options = append(w.options, option)
		}
		return
	}
	if claim := evidence.NewClaim(plainOf(u.text)); w.known(claim) || w.foreign(claim) && claim.Asks(w.q.Language) {
		u.about = w.about(claim)
		w.pending = append(w.pending, u)
	}
}

// skip keeps the white space of what is left out: the one with more lines.
func (w *writer) skip(before string) {
	if strings.Count(before, "\n") >= strings.Count(w.parted, "\n") {
		w.parted = before
	}
}

func (w *writer) wait(u unit) { w.pending = append(w.pending, u) }

// drop does with a unit that nothing bears out what the settings say.
func (w *writer) drop(u unit) {
	w.dropped++
	if w.q.Agent.Unsupported == agent.UnsupportedFlag {
		w.show(u, nil, &agent.Support{Verdict: agent.Unborne})
		return
	}
	w.skip(u.before)
	w.send(agent.Part{Support: &agent.Support{Verdict: agent.Unborne, LeftOut: true}})
}

// show passes on what waited, and a unit with what bears it out.
func (w *writer) show(u unit, cites []agent.Citation, by *agent.Support) {
	w.shown = true
	for _, p := range w.pending {
		w.pass(p, p.about, nil)
	}
	w.pending = nil
	w.pass(u, cites, by)
}

// pass passes a unit on, with nil for one that says nothing to be borne out.
func (w *writer) pass(u unit, cites []agent.Citation, by *agent.Support) {
	text := formatted(u.text, w.q.Message.ReplyFormat, u.code)
	if text == "" {
		w.skip(u.before)
		return
	}
	w.skip(u.before)
	before := w.parted
	w.parted = ""
	if w.length == 0 {
		before = ""
	} else if w.q.Message.ReplyFormat == agent.FormatSpeech {
		before = " "
	}
	p := agent.Part{Text: before + text, Support: by, Unsupported: by != nil && by.Verdict == agent.Unborne}
	start := w.length + len(before)
	w.length += len(p.Text)
	if len(cites) > 0 {
		p.Citation = &cites[0]
	}
	w.out(p)
	for i := 1; i < len(cites); i++ {
		c := cites[i]
		c.ClaimStart, c.ClaimEnd = start, w.length
		w.out(agent.Part{Citation: &c})
	}
}

func (w *writer) out(p agent.Part) {
	if w.q.Agent.Unsupported == agent.UnsupportedRefuse {
		w.held = append(w.held, p)
		return
	}
	w.send(p)
}

// finish ends the reply.
func (w *writer) finish(reason string) {
	if w.q.Agent.Unsupported == agent.UnsupportedRefuse && w.dropped > 0 {
		w.send(agent.Part{Outcome: agent.Refuse, Reason: ReasonUnsupported})
		return
	}
	asksBack := !w.shown && (w.clarify && len(w.pending) > 0 || w.asks)
	switch {
	case asksBack:
		if w.clarify {
			w.name()
		}
		for _, u := range w.pending {
			w.pass(u, u.about, nil)
		}
	case !w.shown && !w.noAnswer && w.dropped == 0: // a greeting, or thanks
		for _, u := range w.pending {
			w.pass(u, u.about, nil)
		}
	}
	for _, p := range w.held {
		w.send(p)
	}
	switch {
	case asksBack:
		why := ReasonUnclear
		if w.clean {
			why = ReasonAskedBack
		}
		w.send(agent.Part{Outcome: agent.Clarify, Reason: why, Suggest: w.options})
	case !w.shown && w.dropped > 0:
		w.send(agent.Part{Outcome: agent.Refuse, Reason: ReasonUnsupported})
	case reason != "" && w.length > 0:
		w.send(agent.Part{Reason: reason})
	}
}

// name puts the choices behind the question that does not name them.
func (w *writer) name() {
	if len(w.options) < 2 {
		w.options = nil
	}
	var text strings.Builder
	for _, u := range w.pending {
		text.WriteString(strings.ToLower(u.text))
	}
	for _, o := range w.options {
		if !strings.Contains(text.String(), strings.ToLower(o)) {
			for _, o := range w.options {
				w.pending = append(w.pending, unit{before: "\n", text: "- " + o, about: w.about(evidence.NewClaim(o))})
			}
			return
		}
	}
}

// about returns a place that a heading, a question or a choice speaks of, in words that
// are not the customer's own, so that it goes when that place does.
func (w *writer) about(c *evidence.Claim) []agent.Citation {
	if w.clean {
		return nil
	}
	best, at, from, to := 0, 0, 0, 0
	for i := range w.q.Passages {
		if start, end, n := w.passage(i).About(c); n > best {
			best, at, from, to = n, i, start, end
		}
	}
	if _, _, own := w.customer().About(c); best == 0 || own >= best {
		return nil
	}
	return []agent.Citation{w.cite(at, from, to)}
}

// mostLead is how long what leads up to something else is at most, in bytes.
const mostLead = 160

// isLead reports whether a line says nothing by itself: a heading, or what ends in a
// colon.
func isLead(text string) bool {
	if len(text) > mostLead {
		return false
	}
	last := strings.TrimRight(text, "*_ ")
	return strings.HasPrefix(text, "#") || strings.HasSuffix(last, ":") || strings.HasSuffix(last, "：") ||
		strings.HasPrefix(text, "**") && strings.HasSuffix(text, "**") && !strings.ContainsAny(text, ".!?。")
}

// plainOf returns what a unit says without the marks that begin it.
func plainOf(text string) string { return plain.Bullets.ReplaceAllString(text, "") }
