package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// SetCalibration implements [knowledge.CalibrationStore].
func (s *Store) SetCalibration(ctx context.Context, c store.Commit, calibration *knowledge.Calibration) (revision int64, err error) {
	var body []byte
	if calibration != nil {
		stored := *calibration
		stored.FittedAt = moment(micros(stored.FittedAt))
		if body, err = json.Marshal(stored); err != nil {
			return 0, fmt.Errorf("calibration of company %s: %w", c.Company, err)
		}
	}
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		c.Events = foreign(c.Events)
		if revision, err = advance(tx, c.Company, ""); err != nil {
			return err
		}
		query, args := `DELETE FROM calibrations WHERE company = ?`, []any{c.Company}
		if body != nil {
			query = `INSERT INTO calibrations (company, body) VALUES (?, ?) ON CONFLICT (company) DO UPDATE SET body = excluded.body`
			args = append(args, string(body))
		}
		if _, err := tx.Exec(query, args...); err != nil {
			return err
		}
		return s.write(c, tx)
	})
	return revision, err
}

// Calibration implements [knowledge.CalibrationStore].
func (s *Store) Calibration(ctx context.Context, company string) (out knowledge.Calibration, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		var body string
		found, err := one(tx, []any{&body}, `SELECT body FROM calibrations WHERE company = ?`, company)
		if err != nil {
			return err
		}
		if !found {
			return store.NotFound("calibration", company)
		}
		out = knowledge.Calibration{}
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			return corrupt("calibrations", company, err)
		}
		return nil
	})
	return out, err
}
