package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// decisions say what the codes of [Explanation.Decision] mean.
var decisions = map[string]string{
	decidedAnswer:        "It answered: what was found is likely enough to answer the question.",
	decidedTools:         "It answered from what tools returned; no passage bears it out.",
	decidedMessage:       "It answered from the context or the files of the message; no passage bears it out.",
	decidedNothingFound:  "It refused: nothing that was found has to do with the question.",
	decidedLowConfidence: "It refused: the confidence is below the agent's threshold.",
	decidedNoAnswer:      "It refused: what was found does not say what was asked.",
	decidedGone:          "It refused: documents that it cited changed each time while it was answering.",
	decidedMiddleware:    "Middleware of the program replied, and nothing was searched.",
	decidedClarify:       "It asked back: the question can mean several things.",
	decidedHandoff:       "It handed off: a person is to take over.",
	decidedBudget:        "It refused: what the agent's budget allows a turn was used up before there was an answer.",
	decidedOutcome:       "It handed off: nobody knows whether a call of a tool was done.",

	"cancelled":   "There is no reply: the turn was cancelled.",
	"interrupted": "There is no reply: the process that answered was lost.",
	"internal":    "There is no reply: something went wrong.",
}

// reasons say what the codes of [Explanation.Reason] mean that package
// agent/generative has.
var reasons = map[string]string{
	"model_failed":  "The model failed, and the answerer to fall back on wrote the reply.",
	"unknown_model": "There is no model of the name in the settings: the first one wrote the reply.",
	"unsupported":   "Nothing bears out what the model said.",
	"unclear":       "The model asks which of several things is meant.",
	"asked_back":    "The model asks for what a tool needs.",
}

// lowered say what the codes of [Confidence.Reasons] mean.
var lowered = map[string]string{
	"nothing_found":   "nothing was found",
	"no_subject":      "no word of the question says what it is about",
	"unknown_words":   "words of the question stand nowhere in the knowledge",
	"partial_match":   "the best passage has only a part of the question",
	reasonContext:     "the answer stands on the context of the message, which the confidence does not weigh",
	reasonFiles:       "the answer stands on files of the message, which the confidence does not weigh",
	reasonTools:       "the answer stands on what tools returned, which the confidence does not weigh",
	"embedder_failed": "the question could not be embedded, so that words alone have found",
}

// Text renders the explanation for people, in plain English: what was searched for
// and found, why it answered or refused, what was called, and how long it took. Name
// says what a document is called, by its id; where it is nil or returns nothing, the
// id stands.
func (e Explanation) Text(name func(documentID string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "decision    %s\n", spell(decisions, e.Decision))
	if e.Reason != "" {
		fmt.Fprintf(&b, "            %s\n", spell(reasons, e.Reason))
	}
	e.textOfSearch(&b)
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "attempts    %d, since documents that it cited changed meanwhile\n", e.Attempts)
	}
	if e.Recovered {
		b.WriteString("recovered   the turn was taken over from a process that was lost\n")
	}
	e.textOfCandidates(&b, name)
	e.textOfSentences(&b)
	e.textOfCalls(&b)
	return b.String()
}

// textOfSearch tells what was searched for, how sure it is, and how long all took.
func (e Explanation) textOfSearch(b *strings.Builder) {
	if e.Query != "" {
		drawn := ""
		if e.Rewritten {
			drawn = " (with what was said before)"
		}
		fmt.Fprintf(b, "searched    %s%s\n", oneLine(e.Query), drawn)
	}
	if e.Threshold > 0 {
		relation := "below"
		if e.Confidence >= e.Threshold {
			relation = "not below"
		}
		fmt.Fprintf(b, "confidence  %.3f, %s the threshold %.3f\n", e.Confidence, relation, e.Threshold)
	}
	for _, r := range e.Reasons {
		fmt.Fprintf(b, "            lowered: %s\n", spell(lowered, r))
	}
	if e.Settings > 0 {
		fmt.Fprintf(b, "revisions   %d of the knowledge, version %d of the settings\n", e.Revision, e.Settings)
	}
	if len(e.Missing) > 0 {
		fmt.Fprintf(b, "missing     what the settings name in %s: it had no effect\n", oneLine(strings.Join(e.Missing, ", ")))
	}
	switch {
	case e.Answering > 0:
		fmt.Fprintf(b, "time        %s searching, %s answering\n", round(e.Retrieval), round(e.Answering))
	case e.Retrieval > 0:
		fmt.Fprintf(b, "time        %s searching\n", round(e.Retrieval))
	}
}

// textOfCandidates tells what was found, with each score.
func (e Explanation) textOfCandidates(b *strings.Builder, name func(string) string) {
	if len(e.Candidates) == 0 {
		return
	}
	var stages []string
	for _, c := range e.Candidates {
		stages = slices.AppendSeq(stages, maps.Keys(c.Scores))
	}
	slices.Sort(stages)
	stages = slices.Compact(stages)
	b.WriteString("\nfound\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintf(w, "  %s\n", strings.Join(cells, "\t")) }
	row(slices.Concat([]string{"", "cited", "score"}, stages, []string{"document", "passage"})...)
	for i, c := range e.Candidates {
		cited := ""
		if c.Cited {
			cited = "yes"
		}
		cells := []string{fmt.Sprint(i + 1), cited, fmt.Sprintf("%.3f", c.Score)}
		for _, s := range stages {
			if score, ok := c.Scores[s]; ok {
				cells = append(cells, fmt.Sprintf("%.3f", score))
			} else {
				cells = append(cells, "-")
			}
		}
		called := ""
		if name != nil {
			called = oneLine(name(c.DocumentID))
		}
		if called == "" {
			called = c.DocumentID
		}
		row(append(cells, fmt.Sprintf("%s, version %d", called, c.Version), c.PassageID)...)
	}
	_ = w.Flush() // to memory
}

// bases say what the kinds are that bear sentences out.
var bases = map[Basis]string{
	OnPassages: "passages", OnTools: "what tools returned", OnContext: "the context of the message", OnFiles: "files of the message",
}

// textOfSentences tells what bears out what a model said.
func (e Explanation) textOfSentences(b *strings.Builder) {
	if len(e.Sentences) == 0 {
		return
	}
	b.WriteString("\nwhat the model said\n")
	for i, s := range e.Sentences {
		fmt.Fprintf(b, "  %d  ", i+1)
		switch on, known := bases[s.By]; {
		case s.By == "":
			b.WriteString("borne out by nothing")
		case !known:
			b.WriteString("borne out by " + oneLine(string(s.By)))
		case s.Verdict == Translated:
			b.WriteString("in another language than " + on + ": names and numbers stand there, words were not compared")
		default:
			b.WriteString("borne out by " + on)
		}
		if len(s.IDs) > 0 {
			b.WriteString(": " + oneLine(strings.Join(s.IDs, ", ")))
		}
		if s.LeftOut {
			b.WriteString(", left out")
		}
		b.WriteString("\n")
	}
}

// textOfCalls tells of models and tools.
func (e Explanation) textOfCalls(b *strings.Builder) {
	if len(e.ModelCalls) > 0 {
		b.WriteString("\nmodels\n")
		var sum Usage
		for i, c := range e.ModelCalls {
			fmt.Fprintf(b, "  %d  %s for %s: %s", i+1, oneLine(c.Model), oneLine(c.Purpose), tokens(c.Usage))
			fmt.Fprintf(b, ", %s", round(c.Duration))
			if c.First > 0 {
				fmt.Fprintf(b, " (%s to the first part)", round(c.First))
			}
			if c.Failed > 0 {
				fmt.Fprintf(b, ", in %d attempts", c.Failed+1)
			}
			switch {
			case c.Error != "":
				fmt.Fprintf(b, ", failed: %s", oneLine(c.Error))
			case c.Finish != "":
				fmt.Fprintf(b, ", ended with %s", oneLine(c.Finish))
			}
			b.WriteString("\n")
			sum.InputTokens, sum.OutputTokens = sum.InputTokens+c.Usage.InputTokens, sum.OutputTokens+c.Usage.OutputTokens
			sum.CachedTokens, sum.Cost = sum.CachedTokens+c.Usage.CachedTokens, sum.Cost+c.Usage.Cost
			sum.Estimated = sum.Estimated || c.Usage.Estimated
		}
		if len(e.ModelCalls) > 1 {
			fmt.Fprintf(b, "     together: %s\n", tokens(sum))
		}
	}
	if len(e.ToolCalls) > 0 {
		b.WriteString("\ntools\n")
		for _, c := range e.ToolCalls {
			fmt.Fprintf(b, "  %d  %s: %s, %s, %s\n", c.Round, oneLine(c.Name), c.State, round(c.Duration), c.ID)
		}
	}
}

// tokens tells what models took.
func tokens(u Usage) string {
	s := fmt.Sprintf("%d tokens in, %d out", u.InputTokens, u.OutputTokens)
	if u.CachedTokens > 0 {
		s = fmt.Sprintf("%d tokens in (%d kept by the provider), %d out", u.InputTokens, u.CachedTokens, u.OutputTokens)
	}
	if u.Estimated {
		s += " (estimated)"
	}
	if u.Cost > 0 {
		s += fmt.Sprintf(", $%.6f", u.Cost)
	}
	return s
}

// spell says a code in words, with the code behind them, and one that has none as
// it is.
func spell(words map[string]string, code string) string {
	if text, ok := words[code]; ok {
		return fmt.Sprintf("%s (%s)", text, code)
	}
	return oneLine(code)
}

func round(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}

// oneLine is text in a line with others, without what could take over a terminal.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, s)), " ")
}
