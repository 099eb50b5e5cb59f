// Package llmtest has what tests of models and embedders, and of what uses them,
// need.
//
// A [Script] is a model that says what a test tells it to:
//
//	m := llmtest.NewScript(
//		llmtest.Say("Let me look.").Call("hours", map[string]string{"day": "Monday"}),
//		llmtest.Say("We open at nine."),
//	)
//
// [Obedient] does whatever it reads, for tests of who may make a model do what;
// [Instant] answers at once, for benchmarks; [Embedder] makes vectors without a
// model.
//
// [TestModel] holds a model to the contract of llm.Model with recorded answers, which
// [Record] can write; [TestEmbedder] does so with an embedder.
package llmtest
