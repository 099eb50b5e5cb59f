package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
)

// ErrSnapshot is wrapped by the errors of [Index.Restore]: the index is to be built
// anew.
var ErrSnapshot = errors.New("snapshot is of no use")

// A snapshot is, all numbers being uvarints unless they say otherwise:
//
//	magic, version of the format
//	a hash of how texts are analyzed       8 bytes
//	the options: K1 and B as 8 bytes each, the weights, the language
//	the tag
//	how many segments there are
//	for each: its bytes, and, if something is gone from it, a bit for each row
//	the SHA-256 of all that                32 bytes
//
// A tag, a language and the like are written behind their length.
const (
	magic         = "answerdesk.index"
	formatVersion = 3
	// MaxTag is how many bytes a tag may have.
	MaxTag = 1 << 10
)

// header writes what has to be the same for a snapshot to be of use.
func (x *Index) header() []byte {
	o := &x.options
	out := binary.AppendUvarint([]byte(magic), formatVersion)
	out = le.AppendUint64(out, analyzed())
	out = le.AppendUint64(out, math.Float64bits(o.K1))
	out = le.AppendUint64(out, math.Float64bits(o.B))
	for _, w := range []int{o.TitleWeight, o.HeadingWeight, o.QuestionWeight} {
		out = binary.AppendUvarint(out, uint64(w))
	}
	return appendBytes(out, []byte(o.Language))
}

func appendBytes(out, b []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

// Snapshot writes what a search would look at now, and a tag of up to [MaxTag]
// bytes that Restore returns. There is no text in it but the terms, ids and values
// that filters ask for. Searches and writes go on meanwhile.
func (x *Index) Snapshot(w io.Writer, tag []byte) error {
	if len(tag) > MaxTag {
		return fmt.Errorf("snapshot: a tag of %d bytes is longer than %d", len(tag), MaxTag)
	}
	parts := x.view.Load().parts
	sum := sha256.New()
	both := io.MultiWriter(w, sum)
	out := appendBytes(x.header(), tag)
	out = binary.AppendUvarint(out, uint64(len(parts)))
	for i := range parts {
		p := &parts[i]
		out = binary.AppendUvarint(out, uint64(len(p.data)))
		if _, err := both.Write(out); err != nil {
			return err
		}
		if _, err := both.Write(p.data); err != nil {
			return err
		}
		out = out[:0]
		if p.gone == nil {
			out = append(out, 0)
			continue
		}
		out = append(out, 1)
		for _, word := range p.gone.bits {
			out = le.AppendUint64(out, word)
		}
	}
	if _, err := both.Write(out); err != nil {
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// Restore puts what a snapshot holds in the place of all that is in the index, and
// returns its tag. It keeps data, which is not to be changed. The error wraps
// [ErrSnapshot] if data is not, to the last bit, what Snapshot wrote of an index
// with the same options and the same analysis; then the index stays as it was.
func (x *Index) Restore(data []byte) (tag []byte, err error) {
	parts, tag, err := x.read(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	x.writer.Lock()
	defer x.writer.Unlock()
	x.publish(parts)
	return tag, nil
}

func (x *Index) read(data []byte) ([]part, []byte, error) {
	end := len(data) - sha256.Size
	if end < 0 {
		return nil, nil, errors.New("it is too short")
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil, nil, errors.New("its checksum is another")
	}
	return x.readParts(data[:end])
}

// readParts reads a snapshot without its checksum.
func (x *Index) readParts(data []byte) ([]part, []byte, error) {
	header := x.header()
	r := packed.NewReader(data)
	if !bytes.Equal(r.Bytes(len(header)), header) {
		return nil, nil, errors.New("it was made in another way")
	}
	tag := bytes.Clone(r.Bytes(int(r.Uint(MaxTag))))
	parts := make([]part, r.Uint(1<<10))
	for i := range parts {
		g, err := openSegment(r.Bytes(int(r.Uint(1 << 40))))
		if r.Err() == nil && err == nil {
			err = g.check()
		}
		if r.Err() != nil || err != nil {
			return nil, nil, errors.Join(r.Err(), err)
		}
		g.prepare(&x.options)
		parts[i].segment = g
		if r.Uint(1) == 0 {
			continue
		}
		bits := r.Bytes(8 * ((int(g.rows) + 63) / 64))
		if r.Err() != nil {
			return nil, nil, r.Err()
		}
		if parts[i].gone, err = g.readGone(bits); err != nil {
			return nil, nil, err
		}
	}
	if r.Err() == nil && r.Rest() > 0 {
		r.Fail("end")
	}
	return parts, tag, r.Err()
}

// readGone reads which rows are gone.
func (g *segment) readGone(bits []byte) (*gone, error) {
	isGone := func(row uint32) bool { return bits[row/8]>>(row%8)&1 != 0 }
	var documents []uint32
	for d := range g.documents {
		first, end := g.rowsOf(d)
		for row := first; row < end; row++ {
			if isGone(row) != isGone(first) {
				return nil, fmt.Errorf("document %d is gone in part", d)
			}
		}
		if isGone(first) {
			documents = append(documents, d)
		}
	}
	p := part{segment: g}
	return p.less(documents), nil
}

// analyzed is a hash of what analysis makes of some texts. It is another one when
// the same word may have become another term.
var analyzed = sync.OnceValue(func() uint64 {
	h := uint64(0)
	for _, code := range []string{"ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "ms", "nl", "pt", "ru", "th", "tr", "vi", "zh", "und"} {
		a := analysis.For(code)
		for _, t := range a.Tokens(nil, analyzedText) {
			h = mix(h ^ hash(t.Term) + uint64(t.At))
			if t.Stop {
				h++
			}
		}
	}
	return h
})

// analyzedText has words that stemmers and scanners differ in.
const analyzedText = `The running of generalizations and the happily opened API_KEY, v1.2.3, sales@example.com, 1,250.50 and C++. ` +
	`Die Häuser der Straße wurden geöffnet; Rechtsschutzversicherung. Les conditions générales, naïveté, d'abonnement. ` +
	`Las devoluciones y los niños. As informações e os pães. Le spedizioni e la città. De leveringen en het huisje. ` +
	`Доставка товаров и возвратов. İstanbul'daki ışıklar ve müşteriler. Penghantaran dan pembelian, membelikan-nya, perbelanjaan. ` +
	`وَالْكِتَابُ والمكتبات للمدارس إلى المستخدمين. पुस्तकों की वापसी लड़कियाँ। 我们的退货政策。配送料はいくらですか。カタカナ 배송은 얼마나 ร้านเปิดกี่โมง Chính sách đổi trả.`
