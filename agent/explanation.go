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
	Query      string        `json:"query"`              // as it was searched for
	Rewritten  bool          `json:"rewritten,omitzero"` // whether the conversation before it was drawn in
	Candidates []Candidate   `json:"candidates"`         // the passages considered, best first
	Decision   string        `json:"decision"`           // why it answered or refused
	Reasons    []string      `json:"reasons"`            // what lowered the confidence
	Confidence float64       `json:"confidence"`         // before the decision
	Threshold  float64       `json:"threshold"`          //
	Revision   int64         `json:"knowledge_revision"` // of the knowledge searched
	Settings   int           `json:"settings_version"`   // of the agent
	Attempts   int           `json:"attempts"`           // more than 1 if a citation did not hold any more
	Retrieval  time.Duration `json:"retrieval_ns"`       // how long the search took
	Answering  time.Duration `json:"answering_ns"`       // how long writing the reply took
	Recovered  bool          `json:"recovered,omitzero"` // whether the turn was taken over from a lost process
	Steps      int           `json:"steps,omitzero"`     // recorded during the turn
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
	decidedNothingFound  = "nothing_found"
	decidedLowConfidence = "confidence_below_threshold"
	decidedNoAnswer      = "passages_do_not_answer"
	decidedGone          = "sources_kept_changing"
	decidedMiddleware    = "middleware"
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
