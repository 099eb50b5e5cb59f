package access

// A Scope is what the holder of a key may do.
type Scope string

// The scopes. A write key cannot read, so that a program which only feeds the
// knowledge in, say, gives nothing away when its key leaks.
const (
	ScopeRead  Scope = "read"  // GET requests and search
	ScopeWrite Scope = "write" // changes and messages; no reading
	ScopeFull  Scope = "full"  // both, and the company's keys and audit log
)

// Allows reports whether a key of scope s may do what needs the scope need.
func (s Scope) Allows(need Scope) bool {
	switch need {
	case ScopeRead, ScopeWrite:
		return s == need || s == ScopeFull
	case ScopeFull:
		return s == ScopeFull
	}
	return false
}

// ParseScope returns the scope of that name. There is no default: whoever makes
// a key says what it is for.
func ParseScope(name string) (Scope, error) {
	switch s := Scope(name); s {
	case ScopeRead, ScopeWrite, ScopeFull:
		return s, nil
	}
	return "", invalid("scope", "must be one of %s, %s and %s", ScopeRead, ScopeWrite, ScopeFull)
}
