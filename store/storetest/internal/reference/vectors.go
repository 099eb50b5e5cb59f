package reference

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// livePassages names the passages of a document's live version.
func (c *tenant) livePassages(docID string) map[knowledge.Ref]bool {
	out := map[knowledge.Ref]bool{}
	for _, p := range c.documents[docID].read().Passages {
		out[p.Ref] = true
	}
	return out
}

// forgetVectors drops the vectors of documents whose passages are not live any more.
func (c *tenant) forgetVectors(ids ...string) {
	for _, docID := range ids {
		live := c.livePassages(docID)
		for _, vectors := range c.vectors {
			maps.DeleteFunc(vectors, func(ref knowledge.Ref, _ []float32) bool { return ref.DocumentID == docID && !live[ref] })
		}
	}
}

// PutVectors implements [knowledge.VectorStore].
func (s *Store) PutVectors(ctx context.Context, cm store.Commit, space string, vectors []knowledge.PassageVector) (revision int64, err error) {
	if space == "" || len(space) > knowledge.MaxSpace {
		return 0, errors.New("a space has a name of some bytes")
	}
	for _, v := range vectors {
		if len(v.Vector) == 0 || len(v.Vector) > knowledge.MaxDimensions {
			return 0, errors.New("a vector has some numbers")
		}
	}
	err = s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		var touched []string
		for _, v := range vectors {
			if !c.livePassages(v.DocumentID)[v.Ref] {
				continue
			}
			if c.vectors[space] == nil {
				c.vectors[space] = map[knowledge.Ref][]float32{}
			}
			c.vectors[space][v.Ref] = slices.Clone(v.Vector)
			touched = append(touched, v.DocumentID)
		}
		c.changed(touched...)
		revision = c.revision
		return nil
	})
	if err != nil {
		return 0, err
	}
	return revision, nil
}

// Unembedded implements [knowledge.VectorStore].
func (s *Store) Unembedded(ctx context.Context, company, space, after string, limit int) (out []knowledge.Passage, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, docID := range slices.Sorted(maps.Keys(c.documents)) {
			if docID <= after {
				continue
			}
			var lacking []knowledge.Passage
			for _, p := range c.documents[docID].read().Passages {
				if _, has := c.vectors[space][p.Ref]; !has {
					lacking = append(lacking, p)
				}
			}
			if len(out) > 0 && len(lacking) > 0 && len(out)+len(lacking) > limit {
				return nil
			}
			out = append(out, lacking...)
		}
		return nil
	})
	return out, err
}

// Vectors implements [knowledge.VectorStore].
func (s *Store) Vectors(ctx context.Context, company, space string, documents []string) (out []knowledge.PassageVector, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for ref, v := range c.vectors[space] {
			for _, docID := range documents {
				if ref.DocumentID == docID {
					out = append(out, knowledge.PassageVector{Ref: ref, Vector: slices.Clone(v)})
				}
			}
		}
		return nil
	})
	return out, err
}

// DropVectors implements [knowledge.VectorStore].
func (s *Store) DropVectors(ctx context.Context, company, keep string, limit int) (dropped int, err error) {
	err = s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		for space, vectors := range c.vectors {
			maps.DeleteFunc(vectors, func(knowledge.Ref, []float32) bool {
				if space == keep || dropped >= limit {
					return false
				}
				dropped++
				return true
			})
		}
		return nil
	})
	return dropped, err
}

// SetCalibration implements [knowledge.CalibrationStore].
func (s *Store) SetCalibration(ctx context.Context, cm store.Commit, calibration *knowledge.Calibration) (revision int64, err error) {
	err = s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		if c.calibration = nil; calibration != nil {
			c.calibration = new(*calibration)
			c.calibration.FittedAt = stored(calibration.FittedAt)
		}
		c.changed("")
		revision = c.revision
		return nil
	})
	if err != nil {
		return 0, err
	}
	return revision, nil
}

// Calibration implements [knowledge.CalibrationStore].
func (s *Store) Calibration(ctx context.Context, company string) (out knowledge.Calibration, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		if c.calibration == nil {
			return store.NotFound("calibration", company)
		}
		out = *c.calibration
		return nil
	})
	return out, err
}
