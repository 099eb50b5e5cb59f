// Package server serves a desk over HTTP, as openapi.yaml describes it.
//
//	desk, err := answerdesk.Open(ctx, "data", nil)
//	…
//	http.Handle("/v1/", server.New(desk, nil))
//
// [New] returns an [http.Handler] that mounts in any mux, under a path of its own
// if [Options.BasePath] says so. Callers show an API key, unless
// [Options.Authenticate] knows them in another way. [Client] is the typed client
// of package client on a desk in the same process, with no network between.
//
// A request passes through the pipeline (pipeline.go): who calls, what they may
// do, how often, whether the body is what the contract says, and whether it was
// made before. What is left to an operation's own method is to say it in the
// words of the desk.
package server
