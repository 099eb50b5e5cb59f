//go:build race

package server_test

// raced says whether the race detector looks on.
const raced = true
