package storetest_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/store/storetest"
	"github.com/answerdesk-go/answerdesk/store/storetest/internal/reference"
)

// TestModelPassesItsOwnSuite tries the suite on the store that engines are
// compared with.
func TestModelPassesItsOwnSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		s := &reference.Store{}
		t.Cleanup(func() { s.Close() })
		return s
	})
}
