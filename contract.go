package answerdesk

import _ "embed"

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns openapi.yaml, the contract of the hosted API, which package
// server serves and package client calls. The caller must not change it.
func OpenAPI() []byte { return openAPI }
