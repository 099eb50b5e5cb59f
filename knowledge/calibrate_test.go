package knowledge_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// judgedShop is a shop with things in it, questions about them, and as many about
// what it does not have. Each question about a thing names it and something about it
// that no document says.
func judgedShop(t *testing.T, kb *knowledge.Base) []knowledge.Judged {
	t.Helper()
	var list []knowledge.Judged
	for i := range 20 {
		thing := fmt.Sprintf("gadget%c%c", 'a'+i, 'q'+i%7)
		d := put(t, kb, knowledge.Document{ExternalID: "e" + thing, Text: "The " + thing + " weighs two kilograms and comes in green."})
		list = append(list,
			knowledge.Judged{Text: "What does the " + thing + " weigh?", DocumentIDs: []string{d.ID}},
			knowledge.Judged{Text: "Colour and durability of the " + thing + "?", ExternalIDs: []string{"e" + thing}},
			knowledge.Judged{Text: "Which " + thing + "less lantern is green?"},
		)
	}
	return list
}

func TestCalibrate(t *testing.T) {
	st := openStore(t, t.TempDir())
	of := company(t, st)
	lib := knowledge.New(st, nil)
	kb := lib.Company(of)
	questions := judgedShop(t, kb)
	search := func(kb *knowledge.Base, text string) knowledge.Results {
		t.Helper()
		r, err := kb.Search(t.Context(), knowledge.Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := search(kb, questions[1].Text)
	if before.Calibrated {
		t.Error("a search is calibrated before anybody calibrated")
	}
	trial, err := kb.TryCalibration(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kb.Calibration(t.Context()); !isNotFound(err) {
		t.Errorf("after a trial the calibration is there: %v", err)
	}
	c, err := kb.Calibrate(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	if c.Questions != 60 || c.Answered != 40 || !(c.Slope > 0) || c.Error >= c.Before || c.FittedAt.IsZero() || c.Revision == 0 {
		t.Errorf("Calibrate = %+v", c)
	}
	if trial.Calibration.FittedAt = c.FittedAt; trial.Calibration != c {
		t.Errorf("TryCalibration = %+v, Calibrate = %+v", trial.Calibration, c)
	}
	rights := 0
	for _, o := range trial.Outcomes {
		if o.Right {
			rights++
		}
	}
	if rights != 40 || len(trial.Outcomes) != 60 {
		t.Errorf("%d of %d best hits are right, want 40 of 60", rights, len(trial.Outcomes))
	}
	if got, err := kb.Calibration(t.Context()); err != nil || got != c {
		t.Errorf("Calibration = %+v, %v, want %+v", got, err, c)
	}
	after := search(kb, questions[1].Text)
	want := 1 / (1 + math.Exp(-(c.Intercept + c.Slope*math.Log(before.Confidence/(1-before.Confidence)))))
	if !after.Calibrated || math.Abs(after.Confidence-want) > 1e-9 {
		t.Errorf("calibrated confidence = %v, %v, want %v", after.Confidence, after.Calibrated, want)
	}
	if slices.Compare(ids(before), ids(after)) != 0 {
		t.Errorf("a calibration changed what is found: %v, %v", ids(before), ids(after))
	}
	again, err := kb.Calibrate(t.Context(), questions)
	if err != nil || again.Slope != c.Slope || again.Before != c.Before {
		t.Errorf("a second calibration builds on the first: %+v, %v, want %+v", again, err, c)
	}

	other := lib.Company(newCompany(t, st))
	put(t, other, knowledge.Document{Text: "The gadget weighs two kilograms."})
	if r := search(other, "What does the gadget weigh?"); r.Calibrated {
		t.Error("a company's calibration reaches another")
	}
	if r := search(knowledge.New(st, nil).Company(of), questions[1].Text); !r.Calibrated || r.Confidence != after.Confidence {
		t.Errorf("another process has confidence %v, %v, want %v", r.Confidence, r.Calibrated, after.Confidence)
	}
	if err := kb.SetCalibration(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if r := search(kb, questions[1].Text); r.Calibrated || r.Confidence != before.Confidence {
		t.Errorf("with the calibration removed: %v, %v, want %v", r.Confidence, r.Calibrated, before.Confidence)
	}
}

// TestCalibrateLanguages: the questions of an agent are read as its replies read them.
func TestCalibrateLanguages(t *testing.T) {
	kb := newBase(t)
	questions := judgedShop(t, kb)
	d := put(t, kb, knowledge.Document{Text: "Die Häuser dauern lange.", Language: "en"})
	var all []float64
	for _, languages := range [][]string{nil, {"de"}} {
		q := knowledge.Judged{Text: "Häuser dauern", DocumentIDs: []string{d.ID}, Languages: languages}
		trial, err := kb.TryCalibration(t.Context(), append([]knowledge.Judged{q}, questions...))
		if err != nil {
			t.Fatal(err)
		}
		got := trial.Outcomes[0].Before
		if want := search(t, kb, knowledge.Query{Text: q.Text, Languages: languages}).Confidence; got != want {
			t.Errorf("of a question in %q the confidence calibrated is %v, want %v as of a search", languages, got, want)
		}
		all = append(all, got)
	}
	if all[0] == all[1] {
		t.Errorf("the confidence is %v in any language: the question tells nothing", all[0])
	}
}

func ids(r knowledge.Results) (list []string) {
	for _, h := range r.Hits {
		list = append(list, h.DocumentID)
	}
	return list
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*store.NotFoundError](err)
	return ok
}

func TestCalibrateRefuses(t *testing.T) {
	kb := newBase(t)
	good := judgedShop(t, kb)
	with := func(i int, q knowledge.Judged) []knowledge.Judged {
		list := slices.Clone(good)
		list[i] = q
		return list
	}
	var answered, not []knowledge.Judged
	for _, q := range good {
		if len(q.DocumentIDs)+len(q.ExternalIDs) > 0 {
			answered = append(answered, q)
		} else {
			not = append(not, q)
		}
	}
	for _, tt := range []struct {
		name      string
		questions []knowledge.Judged
		index     int // -1: none
		want      string
	}{
		{"none", nil, -1, "questions: 0 are fewer than the 30"},
		{"few", good[:29], -1, "questions: 29 are fewer than the 30"},
		{"many", slices.Repeat(good, 200), -1, "questions: 12000 are more than 10000"},
		{"few with an answer", append(slices.Repeat(not, 2), answered[:9]...), -1, "questions: 9 that have an answer are fewer than 10"},
		{"few without", append(slices.Clone(answered), not[:9]...), -1, "questions: 9 that nothing answers are fewer than 10"},
		{"empty", with(7, knowledge.Judged{Text: " "}), 7, "question: is empty"},
		{"long", with(8, knowledge.Judged{Text: strings.Repeat("a", knowledge.MaxQuery+1)}), 8, "question: "},
		{"broken", with(8, knowledge.Judged{Text: "a\xff"}), 8, "question: "},
		{"unknown external id", with(3, knowledge.Judged{Text: "Green?", ExternalIDs: []string{"nowhere"}}), 3, `answers: "nowhere" is neither`},
		{"empty external id", with(3, knowledge.Judged{Text: "Green?", ExternalIDs: []string{""}}), 3, `answers: "" is neither`},
		{"unknown id", with(3, knowledge.Judged{Text: "Green?", DocumentIDs: []string{"doc_06E0000000000000000000000"}}), 3, "answers: "},
		{"no id", with(3, knowledge.Judged{Text: "Green?", DocumentIDs: []string{"what"}}), 3, `answers: "what" is neither`},
		{"unknown agent", with(3, knowledge.Judged{Text: "Green?", AgentID: "x"}), 3, ""},
	} {
		_, err := kb.Calibrate(t.Context(), tt.questions)
		item, ok := errors.AsType[*knowledge.ItemError](err)
		if err == nil || !strings.Contains(err.Error(), tt.want) || ok != (tt.index >= 0) || ok && item.Index != tt.index {
			t.Errorf("%s: Calibrate = error %v, want %q of question %d", tt.name, err, tt.want, tt.index)
		}
		if strings.Contains(fmt.Sprint(err), "gadget") {
			t.Errorf("%s: the error repeats a question: %v", tt.name, err)
		}
	}
	for _, c := range []knowledge.Calibration{{}, {Slope: -1}, {Slope: math.NaN()}, {Slope: math.Inf(1)}, {Slope: 1, Intercept: math.NaN()}, {Slope: 1, Intercept: math.Inf(-1)}} {
		if err := kb.SetCalibration(t.Context(), &c); err == nil {
			t.Errorf("SetCalibration(%+v) is taken", c)
		}
	}
}
