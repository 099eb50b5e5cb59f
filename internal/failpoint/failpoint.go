// Package failpoint names the places where a test may stop a process.
package failpoint

import "sync/atomic"

var hook atomic.Pointer[func(name string)]

// At is called at the place with the given name. Unless a test has set a hook it
// does nothing.
func At(name string) {
	if h := hook.Load(); h != nil {
		(*h)(name)
	}
}

// Set makes h the hook of every place; nil removes it. It is for tests.
func Set(h func(name string)) {
	if h == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&h)
}
