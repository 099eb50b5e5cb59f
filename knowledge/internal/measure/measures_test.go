package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

func TestMeasures(t *testing.T) {
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-4 {
			t.Errorf("%s = %.4f, want %.4f", name, got, want)
		}
	}
	hits := []index.Hit{{DocumentID: "x"}, {DocumentID: "a"}, {DocumentID: "b"}}
	ndcg, reciprocal, recall := ranked(hits, map[string]float64{"a": 2, "b": 1, "c": 1, "d": 0})
	near("nDCG", ndcg, (3/math.Log2(3)+1/math.Log2(4))/(3+1/math.Log2(3)+1/math.Log2(4)))
	near("reciprocal rank", reciprocal, 0.5)
	near("recall", recall, 2.0/3)

	list := []outcome{{0.9, true}, {0.8, false}, {0.7, true}, {0.1, false}, {0.1, true}}
	near("AUROC", auroc(list), (2+1+0.5)/6)
	near("calibration error", calibrationError(list), (0.1+0.8+0.3+0.8)/5)
	x := solve([4][4]float64{{0, 1, 0, 0}, {2, 0, 0, 0}, {0, 0, 1, 1}, {0, 0, 1, -1}}, [4]float64{3, 4, 5, 1})
	for i, want := range []float64{2, 3, 3, 2} {
		near("solution", x[i], want)
	}
}

func TestLuceneColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	table := "| a | b |\n\n| set | yardstick | Lucene 8.7 | x |\n| --- | --- | --- | --- |\n| stackfaq | .729 | **.726** | .7 |\n| clinc150 hit@1 | .818/.858 | .817/.857 | |\n"
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := luceneColumn(path)
	if err != nil || len(got) != 2 || got["stackfaq"] != 0.726 || got["clinc150 hit@1"] != 0.817 {
		t.Errorf("luceneColumn = %v, %v", got, err)
	}
}
