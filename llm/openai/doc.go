// Package openai has chat models and embeddings from OpenAI and from any server
// that speaks the same protocol: Ollama, vLLM, llama.cpp, LiteLLM, OpenRouter,
// Azure OpenAI, text-embeddings-inference and others.
//
//	m, err := openai.New(openai.Options{APIKey: os.Getenv("OPENAI_API_KEY"), Model: "gpt-5-mini"})
//
// or, with a server of one's own,
//
//	m, err := openai.New(openai.Options{
//		BaseURL: "http://127.0.0.1:11434/v1",
//		Model:   "qwen3",
//		Client:  http.DefaultClient, // it is on this machine
//	})
//
// The [Model] it returns is an llm.Model, and the [Embedder] of [NewEmbedder] an
// llm.Embedder. Failures are [llm.Error]s.
//
// # What servers do in their own ways
//
// A [Model] reads the streams of Chat Completions, and takes as they come: calls in
// pieces, mixed with each other, whole, with or without an index or an id, before
// and after text; an answer with calls that ends as if it had none; usage at the
// end, with each chunk or nowhere, which makes it an estimate; an answer that is no
// stream though one was asked for; a stream that ends without its last mark after
// it has said why it ended. Calls are yielded when the answer has ended, since they
// are complete only then. Thoughts that some servers show are left out.
package openai
