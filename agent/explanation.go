package agent

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// An Explanation says how a reply came about. Besides the user's own words it
// holds ids and numbers, no text of documents.
type Explanation struct {
	Query      string        `json:"query"`                     // as it was searched for
	Rewritten  bool          `json:"rewritten,omitzero"`        // whether the conversation before it was drawn in
	Candidates []Candidate   `json:"candidates"`                // the passages considered, best first
	Decision   string        `json:"decision"`                  // why it answered or refused
	Reason     string        `json:"reason,omitzero"`           // what the [Answerer] says of it, as a short code
	Reasons    []string      `json:"reasons"`                   // what lowered the confidence
	Confidence float64       `json:"confidence"`                // before the decision
	Threshold  float64       `json:"threshold"`                 //
	Revision   int64         `json:"knowledge_revision"`        // of the knowledge searched
	Settings   int           `json:"settings_version"`          // of the agent
	Missing    []string      `json:"missing_settings,omitzero"` // fields of the settings that name what the desk does not have: see [Agents.Missing]
	Attempts   int           `json:"attempts"`                  // more than 1 if a citation did not hold any more
	Retrieval  time.Duration `json:"retrieval_ns"`              // how long the search took
	Answering  time.Duration `json:"answering_ns"`              // how long writing the reply took
	Recovered  bool          `json:"recovered,omitzero"`        // whether the turn was taken over from a lost process
	Steps      int           `json:"steps,omitzero"`            // recorded during the turn

	// Sentences say what bears each sentence of a model out, in the order it said them:
	// at most 200, and none of those that only greet, ask or lead up to others.
	Sentences []Support `json:"sentences,omitzero"`

	ModelCalls []ModelCall `json:"model_calls,omitzero"` // in the order they were made
	ToolCalls  []CallNote  `json:"tool_calls,omitzero"`  // in the order they were asked for
}

// A CallNote is what an [Explanation] says of a call of a tool: neither what it was
// called with nor what came of it.
type CallNote struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	State    CallState     `json:"state"`
	Round    int           `json:"round"`                // see [ToolCall]
	Duration time.Duration `json:"duration_ns,omitzero"` // until it ended, with the waiting
}

// A Candidate is a passage that was considered.
type Candidate struct {
	DocumentID string             `json:"document_id"`
	Version    int                `json:"document_version"`
	PassageID  string             `json:"passage_id"`
	Score      float64            `json:"score"`
	Scores     map[string]float64 `json:"scores,omitzero"`
	Cited      bool               `json:"cited,omitzero"`
}

// The decisions of a turn.
const (
	decidedAnswer        = "answered"
	decidedTools         = "answered_from_tools"
	decidedMessage       = "answered_from_message"
	decidedNothingFound  = "nothing_found"
	decidedLowConfidence = "confidence_below_threshold"
	decidedNoAnswer      = "passages_do_not_answer"
	decidedGone          = "sources_kept_changing"
	decidedMiddleware    = "middleware"
	decidedClarify       = "asked_back"
	decidedHandoff       = "handed_off"
	decidedBudget        = "budget_used_up"
	decidedOutcome       = "tool_outcome_unknown"
)

func candidates(hits []knowledge.Hit, cited []Citation) []Candidate {
	out := make([]Candidate, len(hits))
	for i, h := range hits {
		out[i] = Candidate{DocumentID: h.DocumentID, Version: h.Version, PassageID: h.ID, Score: h.Score, Scores: h.Scores}
		for _, c := range cited {
			out[i].Cited = out[i].Cited || c.PassageID == h.ID
		}
	}
	return out
}

func readExplanation(b []byte) (e Explanation, err error) {
	if len(b) == 0 {
		return e, nil // of a turn that failed
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("explanation does not read: %w", err)
	}
	return e, nil
}
