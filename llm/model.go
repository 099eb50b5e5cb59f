package llm

import (
	"context"
	"encoding/json"
	"iter"
)

// A Model continues a conversation. It is safe for use by many goroutines.
//
// [Collect] reads a whole answer. [Retry], [Fallback], [Limit] and [WithPrice] wrap
// models in others.
type Model interface {
	// Generate yields the answer as it is written: any number of [TextDelta],
	// [ToolCall] and [Reset], and then exactly one [Done], or an error, which is the
	// last of the sequence. An answer that breaks off is an error that wraps
	// [ErrIncomplete], never a Done. An error of the provider is an [Error]; that
	// of a context that ended is visible in it.
	//
	// Nothing is sent before the sequence is read, which can be done once. Whoever
	// leaves the loop early, or ends ctx, ends the request, and nothing goes on
	// afterwards. The request is not changed, and may be used again.
	Generate(ctx context.Context, req Request) iter.Seq2[Event, error]
}

// A Request is what a model is asked. Only Messages is required.
type Request struct {
	// Instructions say what the model is and how it answers: the system prompt.
	Instructions string

	// Messages are the conversation so far, oldest first. After a message with tool
	// calls comes one with the result of each of them, in their order.
	Messages []Message

	// Tools are what the model may call.
	Tools []ToolSpec

	// ToolChoice says whether it calls them.
	ToolChoice ToolChoice

	// Output is the form that the text of the answer must have; nil: any.
	Output *Output

	// MaxTokens bounds the answer; 0 means what the provider's package says.
	MaxTokens int

	// Temperature is how freely words are chosen, from 0; nil means the provider's
	// default. Models that do not take one are sent none.
	Temperature *float64

	// CacheInstructions says that tools and instructions will be sent again soon, so
	// that a provider which must be told may keep what it made of them. It changes
	// no answer.
	CacheInstructions bool
}

// A Role says whose message it is.
type Role string

// The roles.
const (
	User      Role = "user"
	Assistant Role = "assistant"
	Tool      Role = "tool" // the results of calls
)

// A Message is one entry of a conversation.
type Message struct {
	Role Role
	Text string // of a user or assistant

	// ToolCalls are what an assistant asked for after its text.
	ToolCalls []ToolCall

	// Results answer the calls of the message before, one each, in their order.
	Results []ToolResult

	// Cache says that the conversation up to and with this message will be sent
	// again soon, as [Request.CacheInstructions] does for what comes before it.
	Cache bool
}

// A ToolSpec describes what a model may call.
type ToolSpec struct {
	Name        string // letters, digits, _ and -, at most 64
	Description string
	Parameters  json.RawMessage // a JSON Schema of an object; nil: it takes none
}

// A ToolResult is what a call came to.
type ToolResult struct {
	CallID  string // of the [ToolCall]
	Name    string // of the tool
	Content string // text or JSON
	Failed  bool   // Content says what went wrong
}

// A ToolChoice says whether a model calls tools: one of the constants, or the name
// of a tool that it must call.
type ToolChoice string

// The choices that are no tool's name.
const (
	ToolAuto     ToolChoice = ""          // as the model sees fit
	ToolNone     ToolChoice = "-none"     // it calls none, though it is told of them
	ToolRequired ToolChoice = "-required" // it calls at least one
)

// An Output is the form an answer must have.
type Output struct {
	Name   string          // letters, digits, _ and -, at most 64
	Schema json.RawMessage // a JSON Schema of an object
}

// An Event is a part of an answer: a [TextDelta], [ToolCall], [Reset] or [Done].
type Event interface{ event() }

// A TextDelta is more text, in whole characters, never empty.
type TextDelta struct{ Text string }

// A ToolCall is something the model asks to have done. It is complete: Arguments is
// a JSON object. What a model wrote in place of one is an [Error] of kind
// [Malformed].
type ToolCall struct {
	ID        string          // unique in the answer; the package makes one up if the provider has none
	Name      string          // of the tool, as the model wrote it
	Arguments json.RawMessage // not checked against the schema

	// Signature is what the provider wants back with the call when the conversation
	// goes on, if anything.
	Signature string
}

// A Reset says to forget all that came before it: the answer begins anew.
type Reset struct{}

// A Done ends an answer.
type Done struct {
	Reason FinishReason
	Usage  Usage
	Model  string // who answered, as "provider:model", such as "openai:gpt-5-mini"
}

func (TextDelta) event() {}
func (ToolCall) event()  {}
func (Reset) event()     {}
func (Done) event()      {}

// A FinishReason says why an answer ended. Models may have others, later.
type FinishReason string

// The reasons.
const (
	FinishStop     FinishReason = "stop"           // it was complete
	FinishTools    FinishReason = "tool_calls"     // it waits for the results of calls
	FinishLength   FinishReason = "length"         // it had MaxTokens, or the model's context was full
	FinishFiltered FinishReason = "content_filter" // the provider would not go on
)

// Usage is what an answer took.
type Usage struct {
	Input     int     // tokens of the request, with those of Cached
	Cached    int     // of Input, those read from the provider's cache
	CacheNew  int     // of Input, those written to it
	Output    int     // tokens of the answer, with those of Reasoning
	Reasoning int     // of Output, those spent on thinking that is not shown
	Cost      float64 // in US dollars; 0 if no price is known: see [WithPrice]
	Estimated bool    // the provider did not count: some numbers are of [EstimateTokens]
	Failed    int     `json:",omitzero"` // attempts that failed before the last one: what they took is counted, too
}

// Add returns the sum of two usages, which is an estimate if one of them is.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		Input: u.Input + v.Input, Cached: u.Cached + v.Cached, CacheNew: u.CacheNew + v.CacheNew,
		Output: u.Output + v.Output, Reasoning: u.Reasoning + v.Reasoning,
		Cost: u.Cost + v.Cost, Estimated: u.Estimated || v.Estimated, Failed: u.Failed + v.Failed,
	}
}

// EstimateTokens guesses how many tokens a text has where nobody has counted: one
// for four bytes of it, rounded up, which is what English has with most models;
// other languages have more characters of several bytes, and fewer of them a token.
func EstimateTokens(text string) int { return (len(text) + 3) / 4 }
