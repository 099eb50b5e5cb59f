// Package anthropic has Claude as an llm.Model, over Anthropic's Messages API or a
// gateway that speaks it.
//
//	m, err := anthropic.New(anthropic.Options{
//		APIKey: os.Getenv("ANTHROPIC_API_KEY"),
//		Model:  "claude-haiku-5-5",
//	})
//
// Failures are [llm.Error]s. [llm.Retry] asks again, and [llm.WithPrice] knows what
// an answer cost.
//
// # How requests are sent
//
// Messages of one role that follow each other are sent as one, results of tools
// before text. A conversation that begins with the assistant, such as with a
// greeting, has a user message put before it, since the API wants one. What was
// called before and is not among the tools any more is declared all the same, and
// may not be called.
//
// [llm.Output] is sent as output_config.format. Claude takes a part of JSON Schema
// there: objects allow no other properties than those named, oneOf becomes anyOf,
// and constraints such as minimum or maxLength are left out, so whoever asks checks
// what comes.
//
// [llm.Request.CacheInstructions] and [llm.Message.Cache] become cache_control, at
// most four of them: those of the last messages count.
//
// # How answers are read
//
// Calls are yielded when the answer has ended, so one that breaks off has none. What
// Claude thinks is not part of the answer; the blocks of it that stand before a call
// are its [llm.ToolCall.Signature], since Claude wants them back.
package anthropic
