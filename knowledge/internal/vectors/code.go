package vectors

import (
	"math"
	"math/bits"
)

// A vector's codes are what is left of it at length 1, turned, when the centre of
// all is taken away, in one and in two bits a number, after Gao and Long,
// "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for
// Approximate Nearest Neighbor Search", SIGMOD 2024. With each stand the numbers
// that turn its product with a question into an estimate of the cosine without
// bias, and into how far off that may be.
//
// The coarse code has the signs, 64 to a word: they stand for 1 and -1. The fine
// one has a bit more of each number: with the sign, they stand for 3, 1, -1 and
// -3, the steps being as wide as the numbers' standard deviation (for a normal
// distribution .9957 of it is best: Max, "Quantizing for Minimum Distortion", 1960).
//
//	coarse  base float32 | slope float32, slack float32 | ones uint32, signs
//	fine    base float32 | slope float32, slack float32 | ones uint32, bits
//
// The estimate is base + slope · (code · question), its standard error slack times
// the question's distance from the centre. Ones is how many bits are set.
type code []uint64

// head is how many words of a code come before its bits.
const head = 2

// codeWords is how many words a code takes.
func codeWords(dimensions int) int { return head + (dimensions+63)/64 }

func pack(low, high uint32) uint64 { return uint64(low) | uint64(high)<<32 }

func low(w uint64) float32  { return math.Float32frombits(uint32(w)) }
func high(w uint64) float32 { return math.Float32frombits(uint32(w >> 32)) }

// encode writes the codes of a vector, given as numbers of 16 bits and their scale.
func encode(coarse, fine code, values []int16, scale float32, centre []float32) {
	var squares, base float64
	for i, v := range values {
		r := float64(v)*float64(scale) - float64(centre[i])
		squares += r * r
		base += r * float64(centre[i])
	}
	n := float64(len(values))
	step := math.Sqrt(squares / n)

	clear(coarse)
	clear(fine)
	ones, bits := 0, 0
	var one, two, level float64 // the vector's products with its codes, and the square of the fine one
	for i, v := range values {
		r := float64(v)*float64(scale) - float64(centre[i])
		size := 1.0
		if math.Abs(r) >= step {
			size = 3
		}
		if r >= 0 {
			coarse[head+i/64] |= 1 << (i % 64)
			ones++
		}
		if (r >= 0) == (size == 3) {
			fine[head+i/64] |= 1 << (i % 64)
			bits++
		}
		one += math.Abs(r)
		two += math.Abs(r) * size
		level += size * size
	}
	slope, slack := fit(one, n, squares, n)
	coarse[0] = pack(math.Float32bits(float32(base)), math.Float32bits(slope))
	coarse[1] = pack(math.Float32bits(slack), uint32(ones))
	slope, slack = fit(two, level, squares, n)
	fine[0] = pack(math.Float32bits(float32(base)), math.Float32bits(slope))
	fine[1] = pack(math.Float32bits(slack), uint32(bits))
}

// fit returns a code's slope and slack. The part of the code, at that slope, which
// is at right angles to the vector meets a question as a random direction would.
func fit(product, code, squares, n float64) (slope, slack float32) {
	if product == 0 {
		return 0, 0 // the vector is the centre
	}
	s := squares / product
	return float32(s), float32(math.Sqrt(max(0, code*s*s-squares) / max(1, n-1)))
}

// sure is how many standard errors a cosine is above its estimate at most, for the
// vector to be found: of those just near enough, one in 400 is not.
const sure = 2.8

// A probe is a question in the form that codes are compared with: what is left of
// it without the centre, in 4 bits a number, of which the first bits stand
// together, the second, and so on.
type probe struct {
	planes [][4]uint64 // for each word of bits
	offset float32     // the question's product with the centre
	unit   float32     // of the 4-bit numbers
	low    float32     // what 0 stands for
	all    float32     // the sum of all numbers
	spread float32     // the variance for a slack of 1, times sure squared
	blur   float32     // and what the 4 bits add, for a slope of 1 and a code of 1 and -1
}

func newProbe(question, centre []float32) *probe {
	n := len(question)
	p := &probe{planes: make([][4]uint64, (n+63)/64)}
	least, most := float32(math.Inf(1)), float32(math.Inf(-1))
	var squares, offset float64
	for i, c := range centre {
		d := question[i] - c
		least, most = min(least, d), max(most, d)
		squares += float64(d) * float64(d)
		offset += float64(question[i]) * float64(c)
	}
	p.low, p.unit = least, (most-least)/15
	sum := 0
	for i, c := range centre {
		level := 0
		if p.unit > 0 {
			level = min(15, int((question[i]-c-least)/p.unit+.5))
		}
		sum += level
		for bit := range 4 {
			p.planes[i/64][bit] |= uint64(level>>bit&1) << (i % 64)
		}
	}
	p.offset, p.all = float32(offset), p.unit*float32(sum)+p.low*float32(n)
	p.spread = sure * sure * float32(squares)
	p.blur = sure * sure * p.unit * p.unit * float32(n) / 12 // rounding errors are even over unit
	return p
}

// sum returns the sum of the question's numbers where a code has a bit.
func (p *probe) sum(c code) float32 {
	words := c[head:]
	planes := p.planes[:len(words)]
	n0, n1, n2, n3 := 0, 0, 0, 0
	for i, w := range words {
		q := &planes[i]
		n0 += bits.OnesCount64(w & q[0])
		n1 += bits.OnesCount64(w & q[1])
		n2 += bits.OnesCount64(w & q[2])
		n3 += bits.OnesCount64(w & q[3])
	}
	return p.unit*float32(n0+2*n1+4*n2+8*n3) + p.low*float32(c[1]>>32)
}

// most returns what the cosine of the question and a vector is at most, as sure as
// [sure] says, by its coarse code, whose sum is given.
func (p *probe) most(coarse code, sum float32) float32 {
	slope, slack := high(coarse[0]), low(coarse[1])
	return p.offset + low(coarse[0]) + slope*(2*sum-p.all) + p.error(slack, slope*slope)
}

// atMost does so by the fine code and the coarse one's sum, nearer to the truth.
func (p *probe) atMost(fine code, sum float32) float32 {
	slope, slack := high(fine[0]), low(fine[1])
	product := 4*sum + 2*p.sum(fine) - 3*p.all
	return p.offset + low(fine[0]) + slope*product + p.error(slack, 5*slope*slope) // 5: the mean square of 1 and 3
}

// rounding is how far a score is from a cosine, for the 16 bits of a number.
const rounding = 5e-5

func (p *probe) error(slack, gain float32) float32 {
	return rounding + float32(math.Sqrt(float64(slack*slack*p.spread+gain*p.blur)))
}
