// Package gemini has Google's Gemini models as an llm.Model, over the Gemini API.
//
//	m, err := gemini.New(gemini.Options{
//		APIKey: os.Getenv("GEMINI_API_KEY"),
//		Model:  "gemini-2.5-flash",
//	})
//
// Failures are [llm.Error]s. [llm.Retry] asks again, and [llm.WithPrice] knows what
// an answer cost.
//
// # How requests are sent
//
// Texts of one role that follow each other are sent as one content; results of tools
// are one of their own. A conversation that begins with the assistant, such as with
// a greeting, has a user's text put before it. What is to be cached is not said,
// since these models see it for themselves.
//
// The schemas of tools and of [llm.Output] are sent as JSON Schema, in the part of it
// that Gemini takes: other constraints, such as pattern or maxLength, are left out,
// and const becomes an enum of one, so whoever asks checks what comes.
//
// # How answers are read
//
// Calls are yielded when the answer has ended, so one that breaks off has none. What
// the model thinks is not part of the answer. The thoughtSignature of a call is its
// [llm.ToolCall.Signature], and goes back with it; a call of another model that
// stands where Gemini 3 wants one is marked as such, as Google documents it. Ids are
// ours where the provider gives none.
//
// A prompt or an answer that is blocked ends with [llm.FinishFiltered]. A call that
// the model could not write, such as MALFORMED_FUNCTION_CALL, is an [llm.Error] of
// kind [llm.Malformed].
package gemini
