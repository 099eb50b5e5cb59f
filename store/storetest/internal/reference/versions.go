package reference

import (
	"context"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A version is one text that a document has had.
type version struct {
	knowledge.Version // Live is filled in on reading
	text              string
	textHash          [32]byte
	passages          []knowledge.Passage
}

// version returns a version that is still kept.
func (d document) version(number int) (version, error) {
	i := slices.IndexFunc(d.versions, func(v version) bool { return v.Version.Version == number })
	if i < 0 {
		return version{}, store.NotFound("version of document", d.ID)
	}
	return d.versions[i], nil
}

// Versions implements [knowledge.SourceStore].
func (s *Store) Versions(ctx context.Context, company, documentID string) (out []knowledge.Version, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		d, err := c.document(documentID)
		for _, v := range slices.Backward(d.versions) {
			v.Live = v.Version.Version == d.Version
			out = append(out, v.Version)
		}
		return err
	})
	return out, err
}

// VersionPassages implements [knowledge.SourceStore].
func (s *Store) VersionPassages(ctx context.Context, company, documentID string, number int) (out []knowledge.Passage, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		d, err := c.document(documentID)
		if err != nil {
			return err
		}
		v, err := d.version(number)
		out = d.passages(v)
		return err
	})
	return out, err
}
