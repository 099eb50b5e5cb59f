// Package sdk compares our clients of model providers with the providers' own SDKs,
// over the recordings in llm/openai, llm/anthropic and llm/gemini. For each of them:
//
//   - what our client sends is read with the types of the SDK, and when the SDK's
//     client sends it, the same JSON comes out: nothing that we send is unknown to
//     it, and nothing has another name or form;
//   - the SDK's client, pointed at the recorded answer, reads the same text, calls,
//     counts and errors from it as ours.
//
// It is a module of its own, so that none of these SDKs reaches anybody else:
//
//	cd tools/llm/sdk && go test ./...
//
// which takes some minutes of compiling the first time, two of them for OpenAI's.
package sdk
