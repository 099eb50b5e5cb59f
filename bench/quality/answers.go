package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// answers asks a desk's agent the questions of a set whose answers are known in
// words: without a model, and as agents are when they are made.
func answers(ctx context.Context, tmp, name string, v *verdicts) error {
	s, err := read(name)
	if err != nil {
		return err
	}
	var asked, answered, cited, first, alone, held, citedAndHeld, bytes float64
	quotes, err := replies(ctx, filepath.Join(tmp, name+"-answers"), s, func(q judged.Record, reply agent.Reply) {
		asked++
		if reply.Outcome != agent.Answer {
			return
		}
		answered++
		bytes += float64(len(reply.Text))
		right := 0
		for _, c := range reply.Citations {
			if s.Right(q.ID, c.ExternalID) {
				right++
			}
		}
		holds := slices.ContainsFunc(q.Answers, func(a string) bool { return holds(reply.Text, a) })
		count(&cited, right > 0)
		count(&first, len(reply.Citations) > 0 && s.Right(q.ID, reply.Citations[0].ExternalID))
		count(&alone, right > 0 && right == len(reply.Citations))
		count(&held, holds)
		count(&citedAndHeld, holds && right > 0)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Printf("\nAnswers without a model, %s, the agent as it is made: %.0f questions, %.0f answered (%s), %.0f bytes each\n", name, asked, answered, tenths(answered/asked), bytes/answered)
	fmt.Printf("of the answers: %s cite the right passage (%s first, %s alone); %s hold the words of the answer that is known, %s do both\n",
		tenths(cited/answered), tenths(first/answered), tenths(alone/answered), tenths(held/answered), tenths(citedAndHeld/answered))
	fmt.Printf("%d quotes, %d not verbatim\n", quotes.quotes, quotes.wrong)
	v.atLeast("extractive on "+name+": share answered", answered/asked, .70, "")
	v.atLeast("extractive on "+name+": answers that cite the right passage", cited/answered, .85, "")
	v.atLeast("extractive on "+name+": answers that hold the known answer", held/answered, .75, "")
	v.atMost("extractive on "+name+": quotes not verbatim", float64(quotes.wrong), 0, "")
	return nil
}

// everyAnswer asks every question of every set.
func everyAnswer(ctx context.Context, tmp string, v *verdicts) error {
	fmt.Printf("\n%-11s %9s %9s %9s %13s\n", "set", "questions", "answered", "quotes", "not verbatim")
	var all quoting
	for _, name := range names(*sets) {
		s, err := read(name)
		if err != nil {
			return err
		}
		asked, answered := 0, 0
		q, err := replies(ctx, filepath.Join(tmp, name+"-verbatim"), s, func(_ judged.Record, reply agent.Reply) {
			asked++
			if reply.Outcome == agent.Answer {
				answered++
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%-11s %9d %9d %9d %13d\n", name, asked, answered, q.quotes, q.wrong)
		all.quotes, all.wrong = all.quotes+q.quotes, all.wrong+q.wrong
	}
	v.atMost(fmt.Sprintf("quotes not verbatim, of %d in all sets", all.quotes), float64(all.wrong), 0, "")
	return nil
}

// quoting counts what replies say.
type quoting struct {
	quotes int
	wrong  int // what is not in the version cited, or stands beside the quotes
}

// replies asks every question of a set, each in a conversation of its own, and holds
// every answer against the documents that it cites.
func replies(ctx context.Context, dir string, s *judged.Set, each func(judged.Record, agent.Reply)) (out quoting, err error) {
	desk, err := fill(ctx, dir, s.Documents)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	for _, q := range s.Questions {
		reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: q.Text})
		if err != nil {
			return out, fmt.Errorf("question %s: %w", q.ID, err)
		}
		each(q, reply)
		if reply.Outcome != agent.Answer {
			continue
		}
		beside := []byte(reply.Text)
		for _, c := range reply.Citations {
			out.quotes++
			same, err := stored(ctx, desk, reply, c)
			if err != nil {
				return out, err
			}
			if !same {
				out.wrong++
				continue
			}
			for i := c.ClaimStart; i < c.ClaimEnd; i++ {
				beside[i] = ' '
			}
		}
		if strings.TrimSpace(string(beside)) != "" {
			out.wrong++
		}
	}
	return out, nil
}

// stored reports whether a citation, and what the reply says at its place, is the
// text of the version cited.
func stored(ctx context.Context, desk *answerdesk.Desk, reply agent.Reply, c agent.Citation) (bool, error) {
	text, err := desk.Knowledge().Text(ctx, c.DocumentID, c.DocumentVersion)
	if err != nil {
		return false, err
	}
	if c.Start < 0 || c.End > len(text) || c.Start >= c.End || c.ClaimStart < 0 || c.ClaimEnd > len(reply.Text) || c.ClaimStart >= c.ClaimEnd {
		return false, nil
	}
	return text[c.Start:c.End] == c.Quote && reply.Text[c.ClaimStart:c.ClaimEnd] == c.Quote, nil
}

// holds reports whether a text has the words of an answer one after another, but for
// case, punctuation and articles, as SQuAD compares answers: Rajpurkar and others,
// "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (2016).
func holds(text, answer string) bool {
	a := normal(answer)
	return a != "  " && strings.Contains(normal(text), a)
}

func normal(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
	words = slices.DeleteFunc(words, func(w string) bool { return w == "a" || w == "an" || w == "the" })
	return " " + strings.Join(words, " ") + " "
}

func count(n *float64, yes bool) {
	if yes {
		*n++
	}
}
