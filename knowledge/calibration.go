package knowledge

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Calibration turns the confidence that fits companies in general into one that
// fits one company, whose own questions it was fitted on: the logarithm of the odds
// times Slope plus Intercept.
type Calibration struct {
	Intercept float64 `json:"intercept"`
	Slope     float64 `json:"slope"` // above 0
	Questions int     `json:"questions"`
	Answered  int     `json:"answered"` // of the questions, those that the knowledge answers

	// Error is the mean difference between confidence and share of right answers
	// over tenths, of questions that were held out while it was fitted; Before is
	// the same without it.
	Error  float64 `json:"error"`
	Before float64 `json:"error_before"`

	Revision int64     `json:"knowledge_revision"` // that it was fitted at
	FittedAt time.Time `json:"fitted_at"`
}

// A CalibrationStore keeps the calibrations of companies.
type CalibrationStore interface {
	// SetCalibration stores a company's calibration in place of the one before, or
	// removes it if it is nil. The revision moves on by one, and the feed has an
	// entry without a document, upon which every index reads the calibration again.
	// It returns the revision.
	SetCalibration(ctx context.Context, c store.Commit, calibration *Calibration) (int64, error)

	// Calibration returns a company's calibration, or a [store.NotFoundError].
	Calibration(ctx context.Context, company string) (Calibration, error)
}
