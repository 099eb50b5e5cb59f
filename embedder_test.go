package answerdesk_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// A desk that is given an embedder gives vectors to what it knew before as to what
// it learns, in every company.
func TestEmbedderOfADesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		open := func(opts *answerdesk.Options) *answerdesk.Desk {
			t.Helper()
			d, err := answerdesk.Open(t.Context(), dir, opts)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		put := func(c *answerdesk.Company, text string) {
			t.Helper()
			if _, err := c.Knowledge().Put(t.Context(), knowledge.Document{Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		before := open(nil)
		other, err := before.Companies().Create(t.Context(), "Other")
		if err != nil {
			t.Fatal(err)
		}
		put(before.Company(before.ID()), "We open at nine.")
		put(before.Company(other.ID), "Parcels leave at noon.")
		if err := before.Close(); err != nil {
			t.Fatal(err)
		}

		d := open(&answerdesk.Options{Embedder: &llmtest.Embedder{}})
		defer d.Close()
		near := func(company, query string) float64 {
			t.Helper()
			r, err := d.Company(company).Knowledge().Search(t.Context(), knowledge.Query{Text: query})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Hits) == 0 {
				return 0
			}
			return r.Hits[0].Scores[knowledge.ScoreVector]
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := d.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		time.Sleep(2 * time.Minute)
		if a, b := near(d.ID(), "We open at nine."), near(other.ID, "Parcels leave at noon."); a < .99 || b < .99 {
			t.Errorf("what was there before is found with vectors as near as %.2f and %.2f, want 1", a, b)
		}
		put(d.Company(d.ID()), "Bicycles are repaired.")
		time.Sleep(2 * time.Second)
		if a := near(d.ID(), "Bicycles are repaired."); a < .99 {
			t.Errorf("what was written is found with a vector as near as %.2f, want 1", a)
		}
		cancel()
		wg.Wait()
	})
}

// A weight of which vectors would be all, or more than all, is refused.
func TestFusionIsChecked(t *testing.T) {
	for _, w := range []float64{-1, 1, 2} {
		if d, err := answerdesk.Open(t.Context(), t.TempDir(), &answerdesk.Options{Fusion: knowledge.Fusion{Weight: w}}); err == nil {
			t.Errorf("Open with a weight of %v = %v, want it refused", w, d.Close())
		}
	}
}
