package pgtest_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
