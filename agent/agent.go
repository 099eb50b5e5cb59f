package agent

import (
	"encoding/json"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Defaults of an agent's settings.
const (
	// DefaultThreshold is the confidence below which an agent refuses.
	DefaultThreshold = 0.5

	// DefaultFallbackText is what an agent says when it refuses.
	DefaultFallbackText = "I could not find an answer to that in what I have been given."

	// DefaultHandoffText is what an agent says when a person is to take over.
	DefaultHandoffText = "A person will take this over and get back to you."
)

// MaxSettings bounds the settings of an agent, in bytes of JSON.
const MaxSettings = 256 << 10

// An Agent answers the customers of a company from its knowledge.
type Agent struct {
	ID        string    `json:"id"`
	Settings            // what its owner chooses
	Default   bool      `json:"default"` // the company's own; it cannot be deleted
	Version   int       `json:"version"` // counts the changes of its settings, from 1
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Settings are what the owner of an agent chooses. The zero value of a field
// means its default. Lengths are in characters where nothing else is said; all
// settings together are at most [MaxSettings].
type Settings struct {
	Name         string   `json:"name"`                   // 1 to 200
	WebsiteURL   string   `json:"website_url,omitzero"`   // http or https, at most 2,000 bytes: where the business is found
	Industry     string   `json:"industry,omitzero"`      // what kind of business it is, at most 100
	Instructions string   `json:"instructions,omitzero"`  // for an [Answerer] that writes: how to answer, at most 20,000
	Languages    []string `json:"languages,omitzero"`     // of its users, at most 50 BCP 47 tags, the first one preferred; none means those of the default agent
	Threshold    float64  `json:"threshold,omitzero"`     // 0 to 1; 0 means [DefaultThreshold]
	FallbackText string   `json:"fallback_text,omitzero"` // at most 2,000; empty means [DefaultFallbackText]

	// TargetError is the share of the answers given that is expected to be wrong
	// at most, instead of a threshold, which is 1 less it. It is more than 0 and
	// less than 1; 0 means that it is not set. It holds as far as the confidence
	// is calibrated: see [knowledge.Base.Calibrate] and docs/confidence.md.
	TargetError float64 `json:"target_error,omitzero"`

	// For an [Answerer] that writes, beside Instructions.
	Persona     string   `json:"persona,omitzero"`     // who speaks, such as "Mia of Harbour Boats", at most 2,000
	Tone        string   `json:"tone,omitzero"`        // how it speaks, such as "warm and short", at most 500
	Model       string   `json:"model,omitzero"`       // which of the desk's models, at most 200 without spaces; empty: its first
	Temperature *float64 `json:"temperature,omitzero"` // 0 to 2; nil: the model's own

	// Unsupported says what is done with a sentence that nothing bears out; empty
	// means [UnsupportedDrop].
	Unsupported Unsupported `json:"unsupported,omitzero"`

	// Translated says what is done with a sentence that is in another language than
	// the passage it cites; empty means [TranslatedFlag], and [TranslatedDrop] where
	// Unsupported is [UnsupportedRefuse].
	Translated TranslatedSetting `json:"translated,omitzero"`

	// KnowledgeFilter narrows what the agent may answer from, as
	// [knowledge.Query.Filter] does, by whose rules it goes; at most 16 KiB of
	// JSON. Nil or empty means all that it may use.
	KnowledgeFilter map[string]any `json:"knowledge_filter,omitzero"`

	// Greeting and StarterQuestions are what a conversation can be opened with, by
	// whoever shows it: at most 2,000, and at most 10 questions of 1 to 200.
	Greeting         string   `json:"greeting,omitzero"`
	StarterQuestions []string `json:"starter_questions,omitzero"`

	// HandoffText is what the agent says when a person is to take over, at most
	// 2,000; empty means [DefaultHandoffText].
	HandoffText string `json:"handoff_text,omitzero"`

	// Tools says, by their names, how tools may be called, and declares those that
	// the caller answers. At most 64, whose names are 1 to 64 letters and digits of
	// English, "_" and "-".
	Tools map[string]ToolSettings `json:"tools,omitzero"`

	// Budget bounds what a turn may take.
	Budget Budget `json:"budget,omitzero"`

	// RetentionDays is how long conversations are kept after their last message, at
	// most 36,500; 0 means for ever. [Desk.Run] deletes older ones every hour.
	//
	// [Desk.Run]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk#Desk.Run
	RetentionDays int `json:"retention_days,omitzero"`
}

// Unsupported is what is done with a sentence of a model that nothing bears out: no
// span that it cites, and no result of a tool, has its words, names and numbers.
type Unsupported string

// What can be done with it.
const (
	UnsupportedFlag   Unsupported = "flag"   // it stays, and [Reply.Unsupported] names it
	UnsupportedDrop   Unsupported = "drop"   // it is left out; a reply of nothing else is refused
	UnsupportedRefuse Unsupported = "refuse" // the whole reply is refused
)

// A TranslatedSetting is what is done with a sentence of a model that is in another
// language than the passage it cites, so that its words cannot be compared: its names,
// numbers with their units, codes and denials stand there.
type TranslatedSetting string

// What can be done with it.
const (
	TranslatedFlag TranslatedSetting = "flag" // it stays, and [Reply.Translated] names it
	TranslatedDrop TranslatedSetting = "drop" // nothing bears it out: see [Settings.Unsupported]
)

// Translates returns the setting Translated with its default.
func (s Settings) Translates() TranslatedSetting {
	switch {
	case s.Translated != "":
		return s.Translated
	case s.Unsupported == UnsupportedRefuse:
		return TranslatedDrop
	}
	return TranslatedFlag
}

// ToolSettings say how an agent may call a tool. With Parameters they declare one
// that callers answer, and not this program: see [Conversations.Answer]. The fields
// below Parameters stand beside it only.
type ToolSettings struct {
	Approval Approval `json:"approval,omitzero"` // empty: as the tool itself says

	// Parameters is a JSON Schema of an object, at most 32 KiB.
	Parameters     json.RawMessage `json:"parameters,omitzero"`
	Description    string          `json:"description,omitzero"` // for the model, at most 4,000
	Idempotent     bool            `json:"idempotent,omitzero"`
	ReadOnly       bool            `json:"read_only,omitzero"`
	TimeoutSeconds int             `json:"timeout_seconds,omitzero"` // for the caller's result; 0 means 120, at most 3,600
}

// A Budget bounds what a turn may take. The zero value of a field means its default.
// At a bound the turn makes the best answer that it can.
type Budget struct {
	ModelCalls int     `json:"model_calls,omitzero"` // 0 means 8; at most 50
	ToolCalls  int     `json:"tool_calls,omitzero"`  // 0 means 16; at most 100
	Tokens     int     `json:"tokens,omitzero"`      // of models, in and out; 0 means 100,000, at most 10,000,000
	Cost       float64 `json:"cost,omitzero"`        // in US dollars, where prices are known; 0: no bound, at most 1,000
	Seconds    int     `json:"seconds,omitzero"`     // without waiting for people; 0 means 120; at most 600
}

// Filled returns the budget with its defaults.
func (b Budget) Filled() Budget {
	defaultTo(&b.ModelCalls, 8)
	defaultTo(&b.ToolCalls, 16)
	defaultTo(&b.Tokens, 100_000)
	defaultTo(&b.Seconds, 120)
	return b
}

// threshold returns the confidence below which the agent refuses.
func (s Settings) threshold() float64 {
	switch {
	case s.TargetError != 0:
		return 1 - s.TargetError
	case s.Threshold != 0:
		return s.Threshold
	}
	return DefaultThreshold
}

// fallback returns what the agent says when it refuses.
func (s Settings) fallback() string {
	if s.FallbackText == "" {
		return DefaultFallbackText
	}
	return s.FallbackText
}

// handoff returns what the agent says when a person is to take over.
func (s Settings) handoff() string {
	if s.HandoffText == "" {
		return DefaultHandoffText
	}
	return s.HandoffText
}

// language returns which of the agent's languages a message is in, the one preferred
// if that is not sure; "" if it has none.
func (s Settings) language(text string) string {
	if len(s.Languages) == 0 {
		return ""
	}
	if tag, sure := knowledge.DetectLanguage(text, s.Languages); sure {
		return tag
	}
	return s.Languages[0]
}
