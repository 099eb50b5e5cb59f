// Package sqlite keeps everything in one SQLite database, in a file of a folder:
// the store that needs no server.
//
//	st, err := sqlite.Open(ctx, "data", nil)
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//
// The database is in WAL mode with synchronous=FULL: a step that was
// acknowledged survives a killed process and a power cut. Steps of many
// goroutines that wait for the disk at the same moment share one transaction and
// one fsync. Several processes may have the folder open at once; SQLite's own
// locks keep them apart. The folder must be on a local disk, since those locks
// and the shared memory of WAL mode do not work over a network file system.
//
// SQLite is modernc.org/sqlite, in Go, without cgo. It needs the very version of
// modernc.org/libc that its own go.mod names; [Open] refuses another.
package sqlite
