// Package pull reads the items of a list that a REST API serves as JSON, page
// after page, and takes each to the parts of a document. It keeps nothing: what
// an earlier pull learned is told by the caller, and what this one found is
// handed to it.
//
//	puller, err := pull.New(out.HTTP(), nil) // out is an egress.Client
//	if err != nil {
//		return err
//	}
//	run, err := puller.Pull(pull.Source{
//		URL:        "https://shop.example.com/api/articles",
//		Header:     http.Header{"Authorization": {"Bearer " + token}},
//		Items:      "data",
//		Mapping:    pull.Mapping{ID: "id", Title: "attributes.title", Text: "attributes.body"},
//		Pagination: pull.Pagination{Kind: pull.Next, Path: "links.next"},
//	}, known)
//	if err != nil {
//		return err
//	}
//	for item, err := range run.Items(ctx) {
//		if err != nil {
//			return err
//		}
//		if item.Err == nil {
//			save(item.ID, item.Hash, item.Title, item.Text)
//		}
//	}
//
// A [Source] says what is pulled, an [Item] is what became of one entry, and the
// [Report] of a [Run] says how it ended and whether all items were seen.
// [Puller.Preview] looks at the first page and suggests how to read it.
//
// # What is asked for
//
// Only GET requests are made, so a pull changes nothing at the other side, and
// only to the scheme, host and port of the source, whatever an answer says: the
// source's headers never go elsewhere. One request is under way at a time, with
// a pause between two. Retry-After is obeyed within a bound; a server that fails,
// or a connection that breaks, is tried three times.
//
// # How a list ends
//
// Where pages are numbered or counted, the list ends at a page without items, or
// where a Link or X-Total-Pages header says so; how many items a page has proves
// nothing, because many APIs give fewer than they are asked for. A run ends, too,
// when the API gives what it has given before, and says so: what a caller keeps
// should go only if [Report.Complete] is set.
//
// # Bounds
//
// Whatever a server sends is hostile: bytes of a page and of a run, time, pages,
// items, the depth of JSON, its keys and values, and the matches of a path are
// bounded, and so is what a path may ask for. An item beyond a bound is yielded
// with an Err, and the run goes on; a page beyond one ends it with an [Error].
package pull
