package main

import (
	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/confidence"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// pairs prints how often a question that is one of a pair, or nearly, is answered by
// it. The pairs are made of sets whose documents begin with a question.
func pairs(r *report, data string, w confidence.Weights) error {
	r.line("%-22s %9s %9s %16s", "pairs of", "questions", "right", "mean confidence")
	for _, name := range []string{"clinc150", "stackfaq"} {
		s, err := judged.Read(data, name)
		if err != nil {
			return err
		}
		x := index.New(nil)
		changes := make([]index.Change, len(s.Documents))
		for i, d := range s.Documents {
			question, answer := d.Title, d.Text
			if s.Label != nil {
				question, answer = d.Text, s.Label[d.ID]
			}
			changes[i].Put = &index.Document{ID: d.ID, Passages: []index.Passage{{Title: question, Body: answer, Questions: []string{question}}}}
		}
		x.Apply(changes)
		var same, near, other tally
		for _, q := range s.Questions {
			found := x.Search(index.Query{Text: q.Text})
			t := &other
			switch {
			case found.Signals.Asked == 1:
				t = &same
			case found.Signals.Asked > 0:
				t = &near
			}
			t.questions++
			t.confidence += w.Of(found.Signals)
			if s.Answerable(q.ID) && len(found.Hits) > 0 && s.Right(q.ID, found.Hits[0].DocumentID) {
				t.right++
			}
		}
		same.row(r, name+", the same")
		near.row(r, name+", nearly")
		other.row(r, name+", others")
	}
	return r.err
}

// A tally counts questions.
type tally struct{ questions, right, confidence float64 }

func (t tally) row(r *report, name string) {
	if t.questions > 0 {
		r.line("%-22s %9.0f %9.3f %16.3f", name, t.questions, t.right/t.questions, t.confidence/t.questions)
	}
}
