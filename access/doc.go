// Package access holds who may use a deployment: the companies.
//
// A company is a tenant. It owns its agents, documents and conversations, and
// sees nothing of another company's. Every deployment has a first company, the
// operator's, made when the store is opened for the first time.
package access
