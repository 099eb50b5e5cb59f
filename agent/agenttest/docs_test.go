package agenttest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/evals"
	"github.com/answerdesk-go/answerdesk/docs"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A desk without a model is asked about Answerdesk's own pages, as customers would.
// What it does not manage stands in the baseline as failing, which is written anew,
// when it has become better or the pages have changed, by
//
//	go run ./cmd/answerdesk eval --documents docs --baseline agent/agenttest/testdata/docs/baseline.json --write-baseline agent/agenttest/testdata/docs
func TestOwnDocs(t *testing.T) {
	results := agenttest.Run(t, deskOfDocs(t), "testdata/docs")
	if len(results) < 60 {
		t.Errorf("%d conversations were held, want 60 at least", len(results))
	}
	sums := map[string]evals.Summary{}
	for _, r := range results {
		name := strings.TrimSuffix(r.File, evals.Extension)
		sums[name] = evals.Sum(slices.DeleteFunc(slices.Clone(results), func(o evals.Result) bool { return o.File != r.File }))
	}
	for name, least := range map[string]int{"unanswerable": 20, "paraphrases": 20, "conversations": 10, "plain": 10} {
		if sums[name].Conversations < least {
			t.Errorf("%s has %d conversations, want %d at least", name, sums[name].Conversations, least)
		}
		t.Logf("%s: %s", name, sums[name])
	}
}

// deskOfDocs returns a desk that knows the pages of package docs.
func deskOfDocs(t *testing.T) *answerdesk.Desk {
	t.Helper()
	desk := agenttest.Desk(t)
	for in, err := range desk.Knowledge().Ingest(t.Context(), knowledge.Files(docs.Pages)) {
		if err != nil || in.Err != nil {
			t.Fatal(err, in.Err)
		}
	}
	return desk
}

// A paraphrase shares no word that carries meaning with the heading that the answer
// stands under; and the heading is there.
func TestParaphrasesShareNoWord(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("testdata/docs/paraphrases.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^-- conversation (\S+\.md): (.+) --\n> (.+)$`).FindAllStringSubmatch(string(text), -1)
	if len(found) < 20 || len(found) != strings.Count(string(text), "-- conversation ") {
		t.Fatalf("found %d paraphrases, want each of the file's, and 20 at least", len(found))
	}
	for _, m := range found {
		page, heading, question := m[1], m[2], m[3]
		b, err := docs.Pages.ReadFile(page)
		if err != nil || !regexp.MustCompile(`(?m)^#+ `+regexp.QuoteMeta(heading)+`$`).Match(b) {
			t.Errorf("%s has no heading %q (%v)", page, heading, err)
		}
		words := knowledge.AppendTerms(nil, heading, "en")
		if len(words) == 0 {
			t.Errorf("%q has no word that carries meaning", heading)
		}
		for _, word := range knowledge.AppendTerms(nil, question, "en") {
			if slices.Contains(words, word) {
				t.Errorf("%q shares %q with the heading %q", question, word, heading)
			}
		}
	}
}
