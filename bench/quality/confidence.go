package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// A trust is what a desk's confidence did on the questions of a set, of which some
// have no answer.
type trust struct {
	set       string
	questions []string
	right     []judged.Outcome // whether the best hit answers
	possible  []judged.Outcome // whether anything does
}

// limits of the confidence: the area that tells answerable questions from others,
// and what it is hoped to be.
var limits = map[string]struct {
	area float64
	aim  string
}{"clinc150": {.92, ".95"}, "xquad-en": {.94, ".96"}, "stackfaq": {.79, ".85"}}

// malay is the set of the project's own making. As in clinc150, some of what is asked
// there nothing answers.
const malay = "malay"

// confidences measures the confidence on every set, and prints both tables.
func confidences(ctx context.Context, tmp string, v *verdicts) error {
	if len(names(*half)) == 0 {
		return nil
	}
	var all []trust
	fmt.Println("\nConfidence: clinc150 and malay whole, with questions that nothing answers; of the others half the documents are removed, by a hash of their ids.\nHeld out: the half of the questions of clinc150, by the same hash, that the confidence was not fitted on.")
	fmt.Printf("%-11s %9s %10s %9s %9s %12s %12s %12s %9s\n", "set", "questions", "answerable", "answered", "AUROC", "AUROC right", "calibration", "answerable", "right")
	fmt.Printf("%-11s %9s %10s %9s %9s %12s %12s %12s %9s\n", "", "", "", "right", "possible", "", "error", "at >= .9", "at >= .9")
	high, answerable := 0.0, 0.0
	for _, name := range names(*half) {
		s, err := read(name)
		if err != nil {
			return err
		}
		t, err := trusted(ctx, filepath.Join(tmp, name+"-half"), s)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, t)
		area, _, sureCan := t.print(name)
		if l, ok := limits[name]; ok {
			v.atLeast("AUROC of answerable or not, "+name, area, l.area, l.aim)
			high, answerable = high+sureCan, answerable+1
		}
		if name == "clinc150" {
			_, off, _ := t.heldOut().print("held out")
			v.atMost("calibration error, the questions of clinc150 held out", off, .05, "")
		}
	}
	if answerable > 0 {
		v.atLeast("answerable questions at .9 or more, mean of the sets above", high/answerable, .30, "")
	}
	fmt.Println("\nReliability: of the questions in each tenth of the confidence how many there are, and the share whose best hit answers")
	fmt.Printf("%-11s", "set")
	for i := range 10 {
		fmt.Printf(" %12s", fmt.Sprintf(".%d to %s", i, []string{".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".9", "1"}[i]))
	}
	fmt.Println()
	for _, t := range all {
		var n, right [10]int
		for _, o := range t.right {
			i := min(int(o.Confidence*10), 9)
			n[i]++
			if o.Right {
				right[i]++
			}
		}
		fmt.Printf("%-11s", t.set)
		for i := range n {
			cell := "-"
			if n[i] > 0 {
				cell = fmt.Sprintf("%d: %s", n[i], tenths(float64(right[i])/float64(n[i])))
			}
			fmt.Printf(" %12s", cell)
		}
		fmt.Println()
	}
	return nil
}

// print prints a row of the table, and returns the area, the calibration error, and
// the share of the answerable questions at .9 or more.
func (t trust) print(name string) (area, off, answerable float64) {
	n := float64(len(t.right))
	var can, right, sure, sureRight, sureCan float64
	for i, o := range t.possible {
		count(&can, o.Right)
		count(&right, t.right[i].Right)
		count(&sure, o.Confidence >= .9)
		count(&sureCan, o.Confidence >= .9 && o.Right)
		count(&sureRight, o.Confidence >= .9 && t.right[i].Right)
	}
	area, off, answerable = judged.AUROC(t.possible), judged.CalibrationError(t.right), sureCan/can
	fmt.Printf("%-11s %9.0f %10.0f %9.0f %9s %12s %12s %12s %9s\n", name, n, can, right, tenths(area), tenths(judged.AUROC(t.right)), tenths(off), tenths(answerable), tenths(sureRight/sure))
	return area, off, answerable
}

// heldOut returns what there is of the questions that nothing was fitted on.
func (t trust) heldOut() (held trust) {
	for i, id := range t.questions {
		if judged.HeldOut(id) {
			held.right, held.possible = append(held.right, t.right[i]), append(held.possible, t.possible[i])
		}
	}
	return held
}

// trusted asks the questions of a set.
func trusted(ctx context.Context, dir string, s *judged.Set) (t trust, err error) {
	t.set = s.Name
	documents := s.Documents
	whole := s.Label != nil || s.Name == malay // some of its questions have no answer
	if !whole {
		documents = slices.DeleteFunc(slices.Clone(documents), func(d judged.Record) bool { return !s.Kept(d.ID) })
	}
	desk, err := fill(ctx, dir, documents)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	for _, q := range s.Questions {
		if !whole && !s.Answerable(q.ID) {
			continue // nobody knows what answers it
		}
		ids, found, err := search(ctx, desk, q.Text)
		if err != nil {
			return t, err
		}
		can := whole && s.Answerable(q.ID)
		for d := range s.Judged[q.ID] {
			can = can || s.Kept(d)
		}
		yes := can && len(ids) > 0 && s.Right(q.ID, ids[0])
		t.questions = append(t.questions, q.ID)
		t.right = append(t.right, judged.Outcome{Confidence: found.Confidence, Right: yes})
		t.possible = append(t.possible, judged.Outcome{Confidence: found.Confidence, Right: can})
	}
	return t, nil
}
