// Package api holds the shapes of the hosted API as the server sees them, and
// calls the method that serves an operation. It is generated from openapi.yaml;
// errors and headers, which are the same for all operations, are left to package
// server.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../../openapi.yaml
