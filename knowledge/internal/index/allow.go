package index

// Allow returns what tells which documents the agent and the filter of a query
// allow, of those that are there now; nil if all of them. It is for one goroutine.
func (x *Index) Allow(q Query) func(documentID string) bool {
	if q.AgentID == "" && q.Filter == nil {
		return nil
	}
	v := x.view.Load()
	filters := make([]*filter, len(v.parts))
	return func(id string) bool {
		p, d, ok := v.find(id)
		if !ok {
			return false
		}
		n := 0
		for &v.parts[n] != p {
			n++
		}
		if filters[n] == nil {
			filters[n] = new(new(binder).filter(p, &q))
		}
		return filters[n].allows(d)
	}
}
