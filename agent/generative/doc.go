// Package generative writes replies with a model, from passages and from what tools
// say, and checks each sentence before anybody sees it.
//
//	model, err := openai.New(openai.Options{APIKey: key, Model: "gpt-5-mini"})
//	if err != nil {
//		return err
//	}
//	a := generative.New(model, &generative.Options{Fallback: extractive.New(nil)})
//	desk, err := answerdesk.Open(ctx, "data", &answerdesk.Options{Answerer: a})
//
// A sentence is shown when it is whole. The marks such as [1] with which the model
// says where it has read it are taken out and become citations of the sentences of
// the passage that bear it out; a mark that points elsewhere is put right. What
// nothing bears out is left out, flagged, or makes the agent refuse, as the agent's
// settings say: see [agent.Unsupported].
//
// What is compared are words, so a sentence in another language than the passage is
// borne out by none. Of the results of tools, whose names mostly are English, a sentence
// in another language must have its figures and names, and at least one.
//
// Passages, context, files and results of tools stand in the prompt as data, between
// marks that they cannot contain.
package generative
