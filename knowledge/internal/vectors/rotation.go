package vectors

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// A rotation turns vectors about the origin in a random way, which changes no
// angle between two of them and spreads each over all its numbers, so that the
// signs of the numbers tell as much as signs can. It is the same for all vectors
// of as many dimensions, everywhere.
//
// It is made of rounds of random signs and a Walsh-Hadamard transform, which
// stand in for a random matrix at a cost of n log n (Ailon and Chazelle, "The
// Fast Johnson-Lindenstrauss Transform", 2009). The transform takes powers of
// two: the largest that fits is applied to the front and to the back in turn.
type rotation [rounds][]float32

// Four rounds mix the front with the back twice.
const rounds = 4

func newRotation(dimensions int) *rotation {
	r, random := new(rotation), rand.New(rand.NewPCG(0, uint64(dimensions)))
	for i := range r {
		r[i] = make([]float32, dimensions)
		for j := range r[i] {
			r[i][j] = float32(1 - 2*int(random.Uint64()&1))
		}
	}
	return r
}

// turn rotates v in place.
func (r *rotation) turn(v []float32) {
	part := 1 << (bits.Len(uint(len(v))) - 1)
	for i, signs := range r {
		for j, s := range signs[:len(v)] {
			v[j] *= s
		}
		if i%2 == 0 {
			hadamard(v[:part])
		} else {
			hadamard(v[len(v)-part:])
		}
	}
}

// hadamard applies the normalised Walsh-Hadamard transform to v, whose length is
// a power of two.
func hadamard(v []float32) {
	half := 1
	if len(v) >= 4 { // the first two steps at once
		for w := v; len(w) >= 4; w = w[4:] {
			a, b, c, d := w[0]+w[1], w[0]-w[1], w[2]+w[3], w[2]-w[3]
			w[0], w[1], w[2], w[3] = a+c, b+d, a-c, b-d
		}
		half = 4
	}
	for ; half < len(v); half *= 2 {
		for i := 0; i < len(v); i += 2 * half {
			a, b := v[i:i+half], v[i+half:i+2*half]
			for j, x := range a {
				y := b[j]
				a[j], b[j] = x+y, x-y
			}
		}
	}
	norm := float32(1 / math.Sqrt(float64(len(v))))
	for i := range v {
		v[i] *= norm
	}
}
