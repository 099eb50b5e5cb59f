package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var calibrateCommand = command{
	name: "calibrate", takes: "[FILE]", about: "fit the confidence to questions of the company's own",
	more: `FILE has a question on each line, and what answers it: documents by id or external
id, any of which will do. With none of them, nothing answers it:

  {"question": "When do you open?", "answers": ["/srv/help/hours.md"]}
  {"question": "Do you sell boats?", "answers": []}

Take them as customers ask them, at least 30, at least 10 that have an answer and 10
that have none, in the shares in which they come. From then on the confidence is how
often the company's searches are right, and "calibrated" is true.

Prints how far the confidence was off before and is off after, each question held out
while the others were fitted, and what share of the questions would be answered at
some target error rates: an agent with such a target_error has 1 less it as threshold.

With --dry-run nothing is changed. With --reset, and no FILE, the confidence is again
what it is for companies in general. With --agent the questions are asked of that
agent; the company has one calibration for all.`,
	settings: []setting{
		storeSetting, dataSetting, companySetting, agentSetting,
		{
			name: "dry-run", about: "print, and change nothing",
			set: func(given *call, s string) (err error) { given.dryRun, err = readBool(s); return err },
		},
		{
			name: "reset", about: "remove the calibration",
			set: func(given *call, s string) (err error) { given.reset, err = readBool(s); return err },
		},
	}, max: 1, do: calibrate,
}

func calibrate(ctx context.Context, given *call) error {
	switch {
	case given.reset && (given.dryRun || len(given.args) > 0):
		return errors.New("--reset goes with neither a FILE nor --dry-run")
	case !given.reset && len(given.args) == 0:
		return errors.New("FILE is missing: it has the questions; or say --reset")
	}
	var questions []knowledge.Judged
	var lines []int
	if !given.reset {
		var err error
		if questions, lines, err = readJudged(given.args[0]); err != nil {
			return err
		}
	}
	desk, err := given.open(ctx)
	if err != nil {
		return err
	}
	defer desk.Close()
	company, err := given.of(ctx, desk)
	if err != nil {
		return err
	}
	base := company.Knowledge()
	if given.reset {
		return given.uncalibrate(ctx, base)
	}
	if given.agent != "" {
		a, err := company.Agent(given.agent).Get(ctx)
		if err != nil {
			return given.named(err)
		}
		languages, err := company.Agents().Languages(ctx, a)
		if err != nil {
			return given.named(err)
		}
		for i := range questions {
			questions[i].AgentID, questions[i].Languages = a.ID, languages
		}
	}
	trial, err := base.TryCalibration(ctx, questions)
	if item, ok := errors.AsType[*knowledge.ItemError](err); ok {
		return fmt.Errorf("%s, line %d: %w", given.args[0], lines[item.Index], item.Err)
	} else if _, ok := errors.AsType[*knowledge.InvalidError](err); ok {
		return fmt.Errorf("%s: %w", given.args[0], err)
	} else if err != nil {
		return given.named(err)
	}
	if !given.dryRun {
		if err := base.SetCalibration(ctx, &trial.Calibration); err != nil {
			return given.named(err)
		}
	}
	_, err = io.WriteString(given.stdout, showTrial(trial, given.dryRun))
	return err
}

// uncalibrate removes the calibration of a company.
func (given *call) uncalibrate(ctx context.Context, base *knowledge.Base) error {
	_, err := base.Calibration(ctx)
	if _, none := errors.AsType[*store.NotFoundError](err); none {
		say(given.stdout, "there is no calibration\n")
		return nil
	}
	if err == nil {
		err = base.SetCalibration(ctx, nil)
	}
	if err != nil {
		return given.named(err)
	}
	say(given.stdout, "the calibration is removed\n")
	return nil
}

// targets are the error rates that showTrial tells of.
var targets = []float64{0.05, 0.1, 0.2}

// showTrial renders what a calibration does.
func showTrial(t knowledge.Trial, dry bool) string {
	var b strings.Builder
	c := t.Calibration
	fmt.Fprintf(&b, "questions: %d, %d with an answer\ncalibration error: %.3f before, %.3f after\n", c.Questions, c.Answered, c.Before, c.Error)
	var tenths [10]struct{ n, sum, right float64 }
	for _, o := range t.Outcomes {
		d := &tenths[min(int(o.After*10), 9)]
		d.n++
		d.sum += o.After
		if o.Right {
			d.right++
		}
	}
	fmt.Fprintf(&b, "\n%-12s %9s %6s %6s\n", "confidence", "questions", "mean", "right")
	for i, d := range tenths {
		if d.n > 0 {
			fmt.Fprintf(&b, "%.1f to %.1f   %9.0f %6.2f %6.2f\n", float64(i)/10, float64(i+1)/10, d.n, d.sum/d.n, d.right/d.n)
		}
	}
	fmt.Fprintf(&b, "\n%-12s %9s %9s %9s\n", "target error", "threshold", "answered", "wrong")
	for _, e := range targets {
		var n, wrong float64
		for _, o := range t.Outcomes {
			if o.After >= 1-e {
				n++
				if !o.Right {
					wrong++
				}
			}
		}
		fmt.Fprintf(&b, "%-12.2f %9.2f %7.0f %% %7.0f %%\n", e, 1-e, 100*n/float64(len(t.Outcomes)), 100*wrong/max(n, 1))
	}
	if dry {
		b.WriteString("\nnothing was changed\n")
	} else {
		b.WriteString("\nthe calibration is in use\n")
	}
	return b.String()
}
