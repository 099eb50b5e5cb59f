package transfer_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// learn gives most passages of a company a vector, and the company a calibration.
func learn(t testing.TB, st knowledge.Store, company string) {
	t.Helper()
	cm := store.Commit{Company: company}
	passages, err := st.Unembedded(t.Context(), company, "test:3", "", 30)
	if err != nil || len(passages) < 20 {
		t.Fatalf("Unembedded = %d passages, %v", len(passages), err)
	}
	var vectors []knowledge.PassageVector
	for i, p := range passages {
		vectors = append(vectors, knowledge.PassageVector{Ref: p.Ref, Vector: []float32{float32(i) / 3, -math.MaxFloat32, 1e-45}})
	}
	if _, err := st.PutVectors(t.Context(), cm, "test:3", vectors); err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Microsecond)
	if _, err := st.SetCalibration(t.Context(), cm, &knowledge.Calibration{Intercept: -1.0 / 3, Slope: 0.7, Questions: 90, FittedAt: at}); err != nil {
		t.Fatal(err)
	}
}

// learned returns the vectors and the calibration of a company.
func learned(t testing.TB, st knowledge.Store, company string) string {
	t.Helper()
	live, err := st.LiveDocuments(t.Context(), company, "", math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	var docs, out []string
	for _, l := range live {
		docs = append(docs, l.ID)
	}
	vectors, err := st.Vectors(t.Context(), company, "test:3", docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		out = append(out, fmt.Sprint(v))
	}
	c, err := st.Calibration(t.Context(), company)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(slices.Sorted(slices.Values(out)), " ") + fmt.Sprint(c)
}
