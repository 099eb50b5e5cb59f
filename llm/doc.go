// Package llm is what language models are to the rest: a [Model] continues a
// conversation, and an [Embedder] turns texts into vectors. It knows nothing of
// passages, agents or companies.
//
// Providers are packages of their own: llm/openai, which speaks to OpenAI and to any
// server that is compatible with it, llm/anthropic and llm/gemini. Package
// llm/llmtest has models for tests.
package llm
