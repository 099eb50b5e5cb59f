package knowledge

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/confidence"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
	"github.com/answerdesk-go/answerdesk/store"
)

// How many questions a calibration is fitted on.
const (
	MinJudged     = 30 // together
	MinJudgedKind = 10 // that have an answer, and that have none
	MaxJudged     = 10_000
)

// A Judged is a question of a company's customers, and what answers it.
type Judged struct {
	Text    string
	AgentID string // asked of this agent, as in [Query]; empty: of everything

	// Languages are those that it is likely to be in, as in [Query]: of an agent's
	// question, those of the agent, as its replies have them.
	Languages []string

	// The documents of which each answers it. With neither, nothing does.
	DocumentIDs []string
	ExternalIDs []string
}

// A Trial is what a calibration would be, and how it did.
type Trial struct {
	Calibration Calibration
	Outcomes    []Outcome // of the questions, as they were given
}

// An Outcome is the confidence in the best hit for a question, and whether it was
// right.
type Outcome struct {
	Before float64 // as for companies in general
	After  float64 // calibrated on other questions than this
	Right  bool
}

// judgedFolds is into how many parts the questions are divided: the confidence in
// those of each is calibrated on the others.
const judgedFolds = 5

// Calibrate fits the confidence of searches to the company's own questions, so that
// of those answered with confidence .8, eight of ten are answered right. It stores
// the [Calibration], from which on [Results.Calibrated] is true. Take questions as
// customers ask them, those that nothing answers too, in the shares in which they
// come.
//
// It returns an [InvalidError] for fewer than [MinJudged] questions or fewer than
// [MinJudgedKind] of a kind, and an [ItemError] for a question that cannot be asked
// or that names a document that is not there.
func (b *Base) Calibrate(ctx context.Context, questions []Judged) (Calibration, error) {
	t, err := b.TryCalibration(ctx, questions)
	if err != nil {
		return Calibration{}, err
	}
	return t.Calibration, b.SetCalibration(ctx, &t.Calibration)
}

// TryCalibration is [Base.Calibrate] without storing anything.
func (b *Base) TryCalibration(ctx context.Context, questions []Judged) (Trial, error) {
	if err := checkJudged(questions); err != nil {
		return Trial{}, err
	}
	t := Trial{Calibration: Calibration{Questions: len(questions)}, Outcomes: make([]Outcome, len(questions))}
	there := map[string]bool{}
	for i, q := range questions {
		o, revision, err := b.judge(ctx, q, there)
		if err != nil {
			return Trial{}, &ItemError{Index: i, Err: err}
		}
		t.Outcomes[i] = o
		t.Calibration.Revision = revision
		if q.answered() {
			t.Calibration.Answered++
		}
	}
	t.fit()
	return t, nil
}

// checkJudged reports whether the questions are enough.
func checkJudged(questions []Judged) error {
	with := 0
	for _, q := range questions {
		if q.answered() {
			with++
		}
	}
	switch without := len(questions) - with; {
	case len(questions) < MinJudged:
		return invalid("questions", "%d are fewer than the %d that a calibration needs", len(questions), MinJudged)
	case len(questions) > MaxJudged:
		return invalid("questions", "%d are more than %d", len(questions), MaxJudged)
	case with < MinJudgedKind:
		return invalid("questions", "%d that have an answer are fewer than %d", with, MinJudgedKind)
	case without < MinJudgedKind:
		return invalid("questions", "%d that nothing answers are fewer than %d: add some that customers ask and the knowledge does not answer", without, MinJudgedKind)
	}
	return nil
}

func (q *Judged) answered() bool { return len(q.DocumentIDs)+len(q.ExternalIDs) > 0 }

// judge asks a question. The documents known to be there are noted in there.
func (b *Base) judge(ctx context.Context, q Judged, there map[string]bool) (o Outcome, revision int64, err error) {
	switch {
	case len(q.Text) > MaxQuery:
		return o, 0, invalid("question", "%d bytes are more than %d", len(q.Text), MaxQuery)
	case strings.TrimSpace(q.Text) == "":
		return o, 0, invalid("question", "is empty")
	}
	if err := readable(q.Text); err != nil {
		return o, 0, invalid("question", "%v", err)
	}
	agentID, err := parseAgent(q.AgentID)
	if err != nil {
		return o, 0, err
	}
	ids := make([]string, len(q.DocumentIDs))
	for i, d := range q.DocumentIDs {
		if ids[i], err = parse(d); err == nil && !there[ids[i]] {
			_, err = b.Get(ctx, ids[i])
		}
		if err != nil {
			return o, 0, unanswering(err, d)
		}
		there[ids[i]] = true
	}
	for _, external := range q.ExternalIDs {
		if key := "external " + external; !there[key] {
			list, err := b.List(ctx, Filter{ExternalID: external}, store.Page{Limit: 1})
			if err != nil || external == "" || len(list.Data) == 0 {
				return o, 0, unanswering(err, external)
			}
			there[key] = true
		}
	}
	l := &look{base: b, likely: q.Languages, query: index.Query{Text: q.Text, Limit: DefaultHits, AgentID: agentID}}
	found, hits, revision, err := l.find(ctx, 0)
	if err != nil || len(hits) == 0 {
		return o, revision, err
	}
	o.Before = confidence.Of(found.Signals)
	o.Right = slices.Contains(ids, hits[0].DocumentID) || hits[0].ExternalID != "" && slices.Contains(q.ExternalIDs, hits[0].ExternalID)
	return o, revision, nil
}

// unanswering is the error for an answer that names no document.
func unanswering(err error, name string) error {
	if _, missing := errors.AsType[*store.NotFoundError](err); err != nil && !missing {
		return err
	}
	return invalid("answers", "%q is neither the id nor the external id of a document", clip(name, 64))
}

// fit calibrates on all questions, and to tell how well that does, on four fifths of
// them for each fifth. The fifths have as many right answers each.
func (t *Trial) fit() {
	n := len(t.Outcomes)
	p, right, fold := make([]float64, n), make([]bool, n), make([]int, n)
	var count [2]int
	for i, o := range t.Outcomes {
		kind := 0
		if o.Right {
			kind = 1
		}
		p[i], right[i], fold[i] = o.Before, o.Right, count[kind]%judgedFolds
		count[kind]++
	}
	for f := range judgedFolds {
		var others []float64
		var were []bool
		for i := range p {
			if fold[i] != f {
				others, were = append(others, p[i]), append(were, right[i])
			}
		}
		scale := confidence.FitScale(others, were)
		for i := range p {
			if fold[i] == f {
				t.Outcomes[i].After = scale.Of(p[i])
			}
		}
	}
	scale := confidence.FitScale(p, right)
	c := &t.Calibration
	c.Intercept, c.Slope, c.FittedAt = scale.Intercept, scale.Slope, time.Now().UTC().Truncate(time.Microsecond)
	c.Before = t.off(func(o Outcome) float64 { return o.Before })
	c.Error = t.off(func(o Outcome) float64 { return o.After })
}

// off is the mean difference between confidence and share of right answers, over
// tenths.
func (t *Trial) off(confidence func(Outcome) float64) float64 {
	var gap [10]float64
	for _, o := range t.Outcomes {
		p := confidence(o)
		tenth := &gap[min(int(p*10), 9)]
		*tenth += p
		if o.Right {
			*tenth--
		}
	}
	sum := 0.0
	for _, g := range gap {
		sum += math.Abs(g)
	}
	return sum / float64(len(t.Outcomes))
}

// Calibration returns the company's calibration, or a [store.NotFoundError].
func (b *Base) Calibration(ctx context.Context) (Calibration, error) {
	return b.lib.store.Calibration(ctx, b.company)
}

// SetCalibration stores a calibration in place of the one before; nil removes it.
// Searches that begin after it returned use it.
func (b *Base) SetCalibration(ctx context.Context, c *Calibration) error {
	action := "calibration.set"
	switch {
	case c == nil:
		action = "calibration.remove"
	case !(c.Slope > 0) || math.IsInf(c.Slope, 0):
		return invalid("slope", "%v is not above 0", c.Slope)
	case math.IsNaN(c.Intercept) || math.IsInf(c.Intercept, 0):
		return invalid("intercept", "%v is not a number", c.Intercept)
	}
	revision, err := b.lib.store.SetCalibration(ctx, b.request.Ending(b.commit(action, b.company), b.result()), c)
	if err != nil {
		return err
	}
	b.lib.indexes.follow(ctx, b.company, revision)
	return nil
}

// calibrations are those of companies that were searched, by the revision that they
// were read at: nothing changes them but a step that moves it on.
type calibrations struct {
	mu        sync.Mutex
	byCompany map[string]calibrated
}

type calibrated struct {
	revision int64
	scale    *confidence.Scale // nil: the company has none
}

// maxCalibrations is how many companies' are kept. Beyond, any may go.
const maxCalibrations = 10_000

// of returns the scale of a company at a revision, nil if it has none.
func (c *calibrations) of(ctx context.Context, s CalibrationStore, company string, revision int64) (*confidence.Scale, error) {
	c.mu.Lock()
	known, ok := c.byCompany[company]
	c.mu.Unlock()
	if ok && known.revision >= revision {
		return known.scale, nil
	}
	got, err := s.Calibration(ctx, company)
	known = calibrated{revision: revision, scale: &confidence.Scale{Intercept: got.Intercept, Slope: got.Slope}}
	if _, none := errors.AsType[*store.NotFoundError](err); none {
		known.scale = nil
	} else if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byCompany == nil {
		c.byCompany = map[string]calibrated{}
	}
	if len(c.byCompany) >= maxCalibrations {
		for company := range c.byCompany {
			delete(c.byCompany, company)
			break
		}
	}
	c.byCompany[company] = known
	return known.scale, nil
}
