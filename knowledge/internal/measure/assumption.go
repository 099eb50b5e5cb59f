package main

import (
	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// assumption prints how well a confidence does on each set if it is fitted on all
// of the others: whether what it learns of some companies holds for others.
func assumption(r *report, data string) error {
	sets := append(known[:len(known):len(known)], unseen...)
	drawn := map[string][]group{}
	for _, name := range sets {
		var err error
		if drawn[name], err = groups(data, name); err != nil {
			return err
		}
	}
	r.line("Fitted on all sets but the one tested:")
	r.heading()
	worst, mean := 0.0, 0.0
	for _, name := range sets {
		var train []group
		for _, other := range sets {
			for _, g := range drawn[other] {
				if other != name {
					g.weight = 1 / float64(len(drawn[other]))
					train = append(train, g)
				}
			}
		}
		o := outcomes(drawn[name], fit(train, all), all)
		r.row(name, o)
		off := judged.CalibrationError(o.right)
		worst, mean = max(worst, off), mean+off/float64(len(sets))
	}
	r.line("calibration error on sets not fitted on: %.3f on average, %.3f at worst", mean, worst)
	return r.err
}
