package sqlstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// PutVectors implements [knowledge.VectorStore].
func (s *Store) PutVectors(ctx context.Context, c store.Commit, space string, vectors []knowledge.PassageVector) (revision int64, err error) {
	each, blobs, err := vectorRows(c.Company, space, vectors)
	if err != nil {
		return 0, err
	}
	stored := 0
	err = s.engine.WriteLong(ctx, func(tx Tx) error {
		c := c
		c.Events = foreign(c.Events)
		if err := lockKnowledge(tx, c.Company); err != nil {
			return err
		}
		var live []knowledge.Ref
		err := tx.QueryEach(`SELECT p.document_id, p.version, p.ordinal FROM passages p
			JOIN documents d ON d.company = p.company AND d.id = p.document_id AND d.version = p.version
			WHERE p.company = ? AND p.document_id = ? AND p.version = ? AND p.ordinal = ?`, each, func(r Rows) error {
			var ref knowledge.Ref
			err := r.Scan(&ref.DocumentID, &ref.Version, &ref.Ordinal)
			live = append(live, ref)
			return err
		})
		if err != nil {
			return err
		}
		if stored = len(live); stored > 0 {
			if err := writeVectors(tx, c.Company, space, live, blobs); err != nil {
				return err
			}
		}
		touched := make([]string, len(live))
		for i, ref := range live {
			touched[i] = ref.DocumentID
		}
		if revision, err = advance(tx, c.Company, touched...); err != nil {
			return err
		}
		return s.write(c, tx)
	})
	if err != nil {
		return 0, err
	}
	s.grew(ctx, &s.vectors, "passage_vectors", stored)
	return revision, nil
}

// vectorRows returns what finds the passages of vectors, each once and in the order
// of the key, and the bytes of the vectors by passage: the last one counts.
func vectorRows(company, space string, vectors []knowledge.PassageVector) (each [][]any, blobs map[knowledge.Ref][]byte, err error) {
	if space == "" || len(space) > knowledge.MaxSpace || !utf8.ValidString(space) || strings.ContainsRune(space, 0) {
		return nil, nil, fmt.Errorf("the name of a space of vectors has %d bytes: it is a text of 1 to %d bytes", len(space), knowledge.MaxSpace)
	}
	blobs = make(map[knowledge.Ref][]byte, len(vectors))
	for _, v := range vectors {
		if len(v.Vector) == 0 || len(v.Vector) > knowledge.MaxDimensions {
			return nil, nil, fmt.Errorf("passage %d of document %s: its vector has %d numbers: it has 1 to %d", v.Ordinal, v.DocumentID, len(v.Vector), knowledge.MaxDimensions)
		}
		if _, twice := blobs[v.Ref]; !twice {
			each = append(each, []any{company, v.DocumentID, v.Version, v.Ordinal})
		}
		blobs[v.Ref] = vectorBytes(v.Vector)
	}
	return each, blobs, nil
}

// vectorBytes is how a vector is stored: the numbers one after the other, each of
// four bytes as IEEE 754 has it, the lowest first.
func vectorBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// readVector reads what [vectorBytes] returned.
func readVector(b []byte) ([]float32, error) {
	if len(b)%4 != 0 || len(b) == 0 {
		return nil, fmt.Errorf("it has %d bytes", len(b))
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}

// writeVectors writes the vectors of passages that are live.
func writeVectors(tx Tx, company, space string, live []knowledge.Ref, blobs map[knowledge.Ref][]byte) error {
	number, err := makeSpace(tx, company, space)
	if err != nil {
		return err
	}
	rows := make([][]any, len(live))
	for i, ref := range live {
		rows[i] = []any{company, number, ref.DocumentID, ref.Version, ref.Ordinal, blobs[ref]}
	}
	return tx.Each(`INSERT INTO passage_vectors (company, space, document_id, version, ordinal, vector) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (company, space, document_id, version, ordinal) DO UPDATE SET vector = excluded.vector`, rows)
}

// A space is one kind of vectors that a company has.
type space struct {
	number int64
	name   string
}

// spacesOf returns the spaces of a company, of which there are one or two.
func spacesOf(tx Tx, company string) (spaces []space, err error) {
	err = all(tx, func(r Rows) error {
		var s space
		err := r.Scan(&s.number, &s.name)
		spaces = append(spaces, s)
		return err
	}, `SELECT number, name FROM vector_spaces WHERE company = ?`, company)
	return spaces, err
}

// makeSpace returns the number of a space, which it gets if it has none.
func makeSpace(tx Tx, company, name string) (int64, error) {
	spaces, err := spacesOf(tx, company)
	if err != nil {
		return 0, err
	}
	last := int64(0)
	for _, s := range spaces {
		if s.name == name {
			return s.number, nil
		}
		last = max(last, s.number)
	}
	_, err = tx.Exec(`INSERT INTO vector_spaces (company, name, number) VALUES (?, ?, ?)`, company, name, last+1)
	return last + 1, err
}

// dropVectors removes the vectors of documents, in every space: each has company and
// document. Only live versions have vectors.
func dropVectors(tx Tx, each [][]any) error {
	args := make([][]any, len(each))
	for i, a := range each {
		args[i] = []any{a[0], a[0], a[1]}
	}
	return tx.Each(`DELETE FROM passage_vectors WHERE company = ? AND space IN (SELECT number FROM vector_spaces WHERE company = ?)
		AND document_id = ?`, args)
}

// Unembedded implements [knowledge.VectorStore].
func (s *Store) Unembedded(ctx context.Context, company, space, after string, limit int) (out []knowledge.Passage, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		out = nil
		var number int64 // 0, which no space has, if there is none of the name
		if _, err := one(tx, []any{&number}, `SELECT number FROM vector_spaces WHERE company = ? AND name = ?`, company, space); err != nil {
			return err
		}
		first := 0 // of the document that is being read, its place in out
		enough := errors.New("enough")
		take := func(r Rows) error {
			p, err := scanFilled(r)
			if err != nil {
				return err
			}
			if len(out) > 0 && out[first].DocumentID != p.DocumentID {
				first = len(out)
			}
			if first > 0 && len(out) >= limit {
				out = out[:first]
				return enough
			}
			out = append(out, p)
			return nil
		}
		for from := after; ; {
			ids, err := column(tx, `SELECT id FROM documents WHERE company = ? AND id > ? ORDER BY id LIMIT ?`, company, from, liveBatch)
			if err != nil || len(ids) == 0 {
				return err
			}
			from = ids[len(ids)-1]
			err = all(tx, take, `SELECT `+filledColumns+` FROM passages p
				JOIN documents d ON d.company = p.company AND d.id = p.document_id AND d.version = p.version
				WHERE p.company = ? AND p.document_id >= ? AND p.document_id <= ? AND NOT EXISTS (SELECT 1 FROM passage_vectors v
					WHERE v.company = p.company AND v.space = ? AND v.document_id = p.document_id AND v.version = p.version AND v.ordinal = p.ordinal)
				ORDER BY p.document_id, p.version, p.ordinal`, company, ids[0], from, number)
			if errors.Is(err, enough) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	return out, err
}

// Vectors implements [knowledge.VectorStore].
func (s *Store) Vectors(ctx context.Context, company, space string, documents []string) (out []knowledge.PassageVector, err error) {
	if len(documents) == 0 {
		return nil, nil
	}
	each := make([][]any, len(documents))
	for i, d := range documents {
		each[i] = []any{company, company, space, d}
	}
	err = s.engine.Get(ctx, func(tx Tx) error {
		out = nil
		return tx.QueryEach(`SELECT v.document_id, v.version, v.ordinal, v.vector FROM passage_vectors v
			JOIN documents d ON d.company = v.company AND d.id = v.document_id AND d.version = v.version
			WHERE v.company = ? AND v.space = (SELECT number FROM vector_spaces WHERE company = ? AND name = ?) AND v.document_id = ?`,
			each, func(r Rows) error {
				var v knowledge.PassageVector
				var b []byte
				err := r.Scan(&v.DocumentID, &v.Version, &v.Ordinal, &b)
				if err != nil {
					return err
				}
				if v.Vector, err = readVector(b); err != nil {
					return corrupt("passage_vectors", v.DocumentID, err)
				}
				out = append(out, v)
				return nil
			})
	})
	return out, err
}

// DropVectors implements [knowledge.VectorStore].
func (s *Store) DropVectors(ctx context.Context, company, keep string, limit int) (dropped int, err error) {
	err = s.engine.WriteLong(ctx, func(tx Tx) error {
		dropped = 0
		if err := lockKnowledge(tx, company); err != nil {
			return err
		}
		spaces, err := spacesOf(tx, company)
		if err != nil {
			return err
		}
		for _, s := range spaces {
			if s.name == keep || dropped >= limit {
				continue
			}
			n, err := emptySpace(tx, company, s.number, limit-dropped)
			if err != nil {
				return err
			}
			dropped += n
		}
		return nil
	})
	return dropped, err
}

// emptySpace removes up to limit vectors of a space, which goes with its last one,
// and returns how many it removed.
func emptySpace(tx Tx, company string, number int64, limit int) (int, error) {
	var rows [][]any
	err := all(tx, func(r Rows) error {
		var ref knowledge.Ref
		err := r.Scan(&ref.DocumentID, &ref.Version, &ref.Ordinal)
		rows = append(rows, []any{company, number, ref.DocumentID, ref.Version, ref.Ordinal})
		return err
	}, `SELECT document_id, version, ordinal FROM passage_vectors WHERE company = ? AND space = ? ORDER BY document_id, version, ordinal LIMIT ?`,
		company, number, limit+1)
	if err != nil {
		return 0, err
	}
	if len(rows) <= limit {
		if _, err := tx.Exec(`DELETE FROM vector_spaces WHERE company = ? AND number = ?`, company, number); err != nil {
			return 0, err
		}
	}
	rows = rows[:min(len(rows), limit)]
	return len(rows), tx.Each(`DELETE FROM passage_vectors WHERE company = ? AND space = ? AND document_id = ? AND version = ? AND ordinal = ?`, rows)
}
