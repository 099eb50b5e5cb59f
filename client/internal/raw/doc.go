// Package raw builds the requests of the hosted API, one function an operation,
// and sends them. It reads no answers: package client does.
package raw

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../../openapi.yaml
