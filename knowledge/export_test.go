package knowledge

import "context"

// Foresee returns what a write will change in the index of a company; nil if that is
// not read before.
func Foresee(ctx context.Context, l *Library, company string, writes []Write) *forecast {
	return l.indexes.foresee(ctx, company, writes)
}

// Right reports whether a write changed what was foreseen.
func (a *forecast) Right(writes []Write, out Written) bool {
	return a.of(a.followed, knownChanges(writes, out.Documents)) == a.prepared
}
