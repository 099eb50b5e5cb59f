package vectors

import (
	"errors"
	"fmt"
	"math"
)

// Check returns an error if a vector cannot be searched for or found: it must have
// as many numbers as dimensions says, all finite, and not all of them 0.
func Check(values []float32, dimensions int) error {
	if len(values) != dimensions {
		return fmt.Errorf("a vector has %d dimensions where the others have %d: vectors of two models cannot be compared", len(values), dimensions)
	}
	zero := true
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("number %d of a vector is %v: it must be finite", i, v)
		}
		zero = zero && v == 0
	}
	if zero {
		return errors.New("a vector has only zeros, so it has no direction")
	}
	return nil
}

// unit writes values, turned, at length 1 to dst.
func (r *rotation) unit(dst, values []float32) {
	squares := 0.0
	for _, v := range values {
		squares += float64(v) * float64(v)
	}
	norm := 1 / math.Sqrt(squares)
	for i, v := range values {
		dst[i] = float32(float64(v) * norm)
	}
	r.turn(dst)
}

// round writes values to dst in 16 bits, the largest of them as 32,767, and
// returns what they must be multiplied with.
func round(dst []int16, values []float32) (scale float32) {
	largest := float32(0)
	for _, v := range values {
		largest = max(largest, v, -v)
	}
	more := math.MaxInt16 / float64(largest)
	for i, v := range values {
		dst[i] = int16(math.RoundToEven(float64(v) * more))
	}
	return largest / math.MaxInt16
}

// long writes a question's values to dst in 30 bits, and returns what they must be
// multiplied with.
func long(dst []int32, values []float32) (scale float64) {
	const most = 1 << 30
	for i, v := range values {
		dst[i] = int32(math.RoundToEven(float64(v) * most))
	}
	return 1. / most
}

// dot returns the product of a vector and a question of as many dimensions, of
// length 1 both, so that no sum overflows.
func dot(a []int16, b []int32) int64 {
	var s0, s1, s2, s3 int64 // that do not wait for each other
	for len(a) >= 8 && len(b) >= 8 {
		s0 += int64(a[0])*int64(b[0]) + int64(a[4])*int64(b[4])
		s1 += int64(a[1])*int64(b[1]) + int64(a[5])*int64(b[5])
		s2 += int64(a[2])*int64(b[2]) + int64(a[6])*int64(b[6])
		s3 += int64(a[3])*int64(b[3]) + int64(a[7])*int64(b[7])
		a, b = a[8:], b[8:]
	}
	for i, x := range a {
		s0 += int64(x) * int64(b[i])
	}
	return s0 + s1 + s2 + s3
}
