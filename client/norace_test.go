//go:build !race

package client_test

// racing says that the race detector is on, which allocates for itself.
const racing = false
