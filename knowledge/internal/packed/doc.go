// Package packed keeps numbers and strings in few bytes, to be read where they
// lie: in memory, or in what was read from a file.
//
// [Ints] are numbers of one width in bits. [Strings] are strings of which each
// is written as what it does not share with the one before (front coding: Witten,
// Moffat and Bell, "Managing Gigabytes", 1999, section 4.1). Both are appended to
// a byte slice and taken from it again with a [Reader], which checks all that a
// later look-up relies on, so that no bytes make one panic.
package packed

import "errors"

// ErrMalformed is wrapped by the errors of a [Reader].
var ErrMalformed = errors.New("malformed")

// padding is how many bytes stand behind packed numbers, so that eight can be
// loaded from where any of them begins.
const padding = 8
