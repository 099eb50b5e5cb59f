package judged_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/judged"
)

func TestMeasures(t *testing.T) {
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-4 {
			t.Errorf("%s = %.4f, want %.4f", name, got, want)
		}
	}
	ndcg, reciprocal, recall := judged.Ranked([]string{"x", "a", "b"}, map[string]float64{"a": 2, "b": 1, "c": 1, "d": 0})
	near("nDCG", ndcg, (3/math.Log2(3)+1/math.Log2(4))/(3+1/math.Log2(3)+1/math.Log2(4)))
	near("reciprocal rank", reciprocal, 0.5)
	near("recall", recall, 2.0/3)

	list := []judged.Outcome{{Confidence: 0.9, Right: true}, {Confidence: 0.8}, {Confidence: 0.7, Right: true}, {Confidence: 0.1}, {Confidence: 0.1, Right: true}}
	near("AUROC", judged.AUROC(list), (2+1+0.5)/6)
	near("calibration error", judged.CalibrationError(list), (0.1+0.8+0.3+0.8)/5)
}

func TestLuceneColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	table := "| a | b |\n\n| set | yardstick | Lucene 8.7 | x |\n| --- | --- | --- | --- |\n| stackfaq | .729 | **.726** | .7 |\n| clinc150 hit@1 | .818/.858 | .817/.857 | |\n"
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := judged.Lucene(path)
	if err != nil || len(got) != 2 || got["stackfaq"] != 0.726 || got["clinc150"] != 0.817 {
		t.Errorf("Lucene = %v, %v", got, err)
	}
}

func TestRiskCoverage(t *testing.T) {
	curve := judged.RiskCoverage([]judged.Outcome{{Confidence: 0.5}, {Confidence: 0.9, Right: true}, {Confidence: 0.5, Right: true}, {Confidence: 0.1}})
	for i, want := range []float64{0, 0.25, 1.0 / 3, 0.5} {
		if math.Abs(curve[i]-want) > 1e-9 {
			t.Errorf("risk with %d answered = %v, want %v", i+1, curve[i], want)
		}
	}
}
