// Package access holds who may use a deployment: the companies, and the keys
// that let programs call in their names.
//
// A company is a tenant. It owns its agents, documents and conversations, and
// sees nothing of another company's. Every deployment has a first company, the
// operator's, made when the store is opened for the first time.
//
// A key has a [Scope], which says what its holder may do, and a [Plan], which
// says how often. Whoever answers requests turns the secret that came with one
// into the [Principal] who calls, and asks what they may do:
//
//	key, secret, err := access.NewKeys(st, company).Create(ctx, access.NewKey{Name: "Web shop", Scope: access.ScopeWrite})
//	…
//	caller, err := access.Authenticate(ctx, st, secret)
//	if errors.Is(err, access.ErrInvalidKey) { … }
//	if !caller.Scope.Allows(access.ScopeRead) { … }
//
// A secret is shown once and stored as its SHA-256. See [Keys.Rotate] for how to
// change one without an interruption.
package access
