package index

import "slices"

// Languages returns those that the documents are in, those of most first, and that
// of [Options] if there are none.
func (x *Index) Languages() []string {
	if spoken := x.view.Load().languages; len(spoken) > 0 {
		return slices.Clone(spoken)
	}
	return []string{x.options.Language}
}
