// Package engine puts stores of both kinds side by side on one disk: SQLite in
// folders of its own, and PostgreSQL on a server of its own. Both wait for the disk
// before they acknowledge anything.
//
//	both, err := engine.Both(dir)
//	place, err := both[0].New(ctx)
//	st, err := engine.Open(ctx, place)
//
// A place is a folder or a URL, so that another process can open it too.
package engine
