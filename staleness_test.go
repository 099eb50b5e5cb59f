package answerdesk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

func TestStalenessOutOfBounds(t *testing.T) {
	for _, staleness := range []time.Duration{-1, knowledge.MaxStaleness + 1} {
		d, err := answerdesk.Open(t.Context(), t.TempDir(), &answerdesk.Options{Staleness: staleness})
		if err == nil {
			t.Error(d.Close())
		}
		if err == nil || !strings.Contains(err.Error(), "Options.Staleness") || !strings.Contains(err.Error(), staleness.String()) {
			t.Errorf("Open with a Staleness of %v = error %v, want one that names the option and it", staleness, err)
		}
	}
}
