package agent_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/docs"
)

// Every code of a decision is explained in words.
func TestDecisionsInWords(t *testing.T) {
	codes := decisions(t)
	if len(codes) < 6 {
		t.Fatalf("found the codes %q, want those of all decisions", codes)
	}
	b, err := docs.Pages.ReadFile("explain.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, code := range append(codes, "cancelled", "interrupted", "internal") {
		if !strings.Contains(page, "`"+code+"`") {
			t.Errorf("docs/explain.md does not say what %s means", code)
		}
		first, _, _ := strings.Cut(agent.Explanation{Decision: code}.Text(nil), "\n")
		if !regexp.MustCompile(`^decision    [A-Z][a-z].*\. \(` + code + `\)$`).MatchString(first) {
			t.Errorf("decision %q is told as %q, want a sentence and the code: add it to agent/explanationtext.go", code, first)
		}
	}
	for _, code := range []string{generative.ReasonModelFailed, generative.ReasonUnknownModel, generative.ReasonUnsupported, generative.ReasonUnclear, generative.ReasonAskedBack} {
		if text := (agent.Explanation{Decision: "answered", Reason: code}).Text(nil); !regexp.MustCompile(`\n            [A-Z][a-z].*\. \(` + code + `\)`).MatchString(text) {
			t.Errorf("reason %q is told as %q, want a sentence and the code", code, text)
		}
	}
	for _, code := range []string{"tool_results", "nothing_found", "no_subject", "unknown_words", "partial_match", "embedder_failed"} {
		if !strings.Contains(page, "| `"+code+"` |") {
			t.Errorf("docs/explain.md does not say what %s means", code)
		}
		if text := (agent.Explanation{Reasons: []string{code}}).Text(nil); !regexp.MustCompile(`lowered: [a-z ,]+ \(` + code + `\)`).MatchString(text) {
			t.Errorf("reason %q is told as %q, want words and the code", code, text)
		}
	}
}

// decisions reads the constants that begin with decided out of the package.
func decisions(t *testing.T) (codes []string) {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if strings.HasPrefix(name.Name, "decided") && i < len(spec.Values) {
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok {
						code, _ := strconv.Unquote(lit.Value)
						codes = append(codes, code)
					}
				}
			}
			return true
		})
	}
	return codes
}

// What an explanation looks like in a terminal.
func TestExplanationText(t *testing.T) {
	e := agent.Explanation{
		Query: "When do you\nopen\x1b[31m?", Rewritten: true, Decision: "answered", Reasons: []string{"partial_match", "brand_new"},
		Confidence: 0.75, Threshold: 0.5, Revision: 12, Settings: 3, Attempts: 2, Recovered: true,
		Retrieval: 1234567, Answering: 2 * time.Second,
		Candidates: []agent.Candidate{
			{DocumentID: "doc_1", Version: 4, PassageID: "psg_1", Score: 9.5, Scores: map[string]float64{"bm25": 8, "vector": 1.5}, Cited: true},
			{DocumentID: "doc_2", Version: 1, PassageID: "psg_2", Score: 2, Scores: map[string]float64{"bm25": 2}},
		},
		ModelCalls: []agent.ModelCall{
			{Purpose: "rewrite", Model: "test:small", Finish: "stop", Usage: agent.Usage{InputTokens: 10, OutputTokens: 2}, Duration: 3 * time.Millisecond},
			{Purpose: "answer", Model: "test:big", Error: "rate_limited", Failed: 2, Usage: agent.Usage{InputTokens: 100, CachedTokens: 50, OutputTokens: 20, Cost: 0.0015, Estimated: true}, First: 2 * time.Millisecond, Duration: 5 * time.Millisecond},
		},
		ToolCalls: []agent.CallNote{{ID: "call_1", Name: "find_order", State: agent.CallCompleted, Round: 1, Duration: 7 * time.Millisecond}},
	}
	const want = `decision    It answered: what was found is likely enough to answer the question. (answered)
searched    When do you open[31m? (with what was said before)
confidence  0.750, not below the threshold 0.500
            lowered: the best passage has only a part of the question (partial_match)
            lowered: brand_new
revisions   12 of the knowledge, version 3 of the settings
time        1.2ms searching, 2s answering
attempts    2, since documents that it cited changed meanwhile
recovered   the turn was taken over from a process that was lost

found
     cited  score  bm25   vector  document          passage
  1  yes    9.500  8.000  1.500   hours.md, version 4  psg_1
  2         2.000  2.000  -       doc_2, version 1  psg_2

models
  1  test:small for rewrite: 10 tokens in, 2 out, 3ms, ended with stop
  2  test:big for answer: 100 tokens in (50 kept by the provider), 20 out (estimated), $0.001500, 5ms (2ms to the first part), in 3 attempts, failed: rate_limited
     together: 110 tokens in (50 kept by the provider), 22 out (estimated), $0.001500

tools
  1  find_order: completed, 7ms, call_1
`
	got := e.Text(func(id string) string { return map[string]string{"doc_1": "hours.md"}[id] })
	if squeeze(got) != squeeze(want) {
		t.Errorf("Text =\n%s\nwant\n%s", got, want)
	}
	if again := e.Text(func(id string) string { return map[string]string{"doc_1": "hours.md"}[id] }); again != got {
		t.Errorf("Text again =\n%s\nwant\n%s", again, got)
	}
}

// squeeze makes runs of blanks one.
func squeeze(s string) string { return regexp.MustCompile(` +`).ReplaceAllString(s, " ") }
