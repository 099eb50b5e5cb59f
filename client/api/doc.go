// Package api holds the shapes of the hosted API, as openapi.yaml has them: what
// package client sends and returns.
//
// In what is sent, pointers tell absent from zero: new(0.0) is a threshold of 0,
// and nil is no threshold. In patches, a [nullable.Nullable] that is not set
// leaves a field as it is, and one that is null resets it. Values of strings that
// grow, such as the outcome of a reply, are plain strings: there may be ones that
// this version does not know.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../openapi.yaml
