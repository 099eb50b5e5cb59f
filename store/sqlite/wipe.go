package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync/atomic"

	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// With secure_delete SQLite overwrites a row that is deleted where it stands. It
// does not overwrite what it leaves behind when it spreads the rows of a page over
// its neighbours: the page is filled again from its end, and in the unused space
// in its middle copies of rows may stay that have moved away. So after deletes all
// pages are looked through, and their unused space is overwritten.

const (
	wipedAtOnce = 2048    // pages of a database that the delete itself looks through, 8 MiB
	wipeChunk   = 1024    // pages looked through in one transaction
	wipeable    = 1 << 25 // pages that a database may have: with more, kinds of pages look alike
)

// A wiper knows whether pages are to be looked through.
type wiper struct {
	able   bool         // whether this SQLite shows its pages
	wanted atomic.Int64 // counts deletes, and the opening
	done   atomic.Int64 // what it was when the last look began that came to its end
}

// pending reports whether something was deleted since the pages were looked
// through.
func (w *wiper) pending() bool { return w.able && w.done.Load() < w.wanted.Load() }

// wipe overwrites the unused space of all pages, or does nothing if the database
// has more than limit pages.
func (s *Store) wipe(ctx context.Context, limit int64) error {
	wanted, db := s.wiper.wanted.Load(), s.engine()
	var pages int64
	err := db.Get(ctx, func(tx sqlstore.Tx) error { return scanOne(tx, &pages, `PRAGMA page_count`) })
	if err != nil || pages > min(limit, wipeable) {
		return err
	}
	for from := int64(1); from <= pages; from += wipeChunk {
		var dirty []int64
		err := db.Get(ctx, func(tx sqlstore.Tx) (err error) {
			dirty, err = dirtyPages(tx, from, min(from+wipeChunk-1, pages))
			return err
		})
		if err == nil && len(dirty) > 0 {
			err = db.WriteLong(ctx, func(tx sqlstore.Tx) error { return wipePages(tx, dirty) })
		}
		if err != nil {
			return err
		}
	}
	s.wiper.done.Store(wanted)
	return nil
}

// dirtyPages returns the pages of a range whose unused space is not empty.
func dirtyPages(tx sqlstore.Tx, from, to int64) (dirty []int64, err error) {
	rows, err := tx.Query(`WITH RECURSIVE n(x) AS (SELECT ? UNION ALL SELECT x + 1 FROM n WHERE x < ?)
		SELECT pgno, data FROM n CROSS JOIN sqlite_dbpage ON pgno = x`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var (
		number int64
		page   []byte
	)
	for rows.Next() {
		if err := rows.Scan(&number, &page); err != nil {
			return nil, err
		}
		if len(bytes.TrimLeft(unused(number, page), "\x00")) > 0 {
			dirty = append(dirty, number)
		}
	}
	return dirty, rows.Err()
}

// wipePages overwrites the unused space of pages as they are now.
func wipePages(tx sqlstore.Tx, pages []int64) error {
	for _, number := range pages {
		var page []byte
		if err := scanOne(tx, &page, `SELECT data FROM sqlite_dbpage WHERE pgno = ?`, number); err != nil {
			return err
		}
		clear(unused(number, page))
		if _, err := tx.Exec(`UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?`, page, number); err != nil {
			return err
		}
	}
	return nil
}

// scanOne reads the first column of the first row, if there is one.
func scanOne(tx sqlstore.Tx, dest any, query string, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		return rows.Scan(dest)
	}
	return rows.Err()
}

// unused returns the space of a page between the pointers to its cells and the
// cells, or nothing if it is no page of a b-tree. The format is that of
// https://sqlite.org/fileformat2.html#b_tree_pages.
func unused(number int64, page []byte) []byte {
	header := page
	if number == 1 {
		header = page[min(100, len(page)):] // behind that of the database
	}
	if len(header) < 12 {
		return nil
	}
	size := 8
	switch header[0] {
	case 2, 5: // an interior page
		size = 12
	case 10, 13: // a leaf
	default:
		return nil
	}
	cells := int(binary.BigEndian.Uint16(header[3:]))
	from := len(page) - len(header) + size + 2*cells
	to := int(binary.BigEndian.Uint16(header[5:]))
	if to == 0 {
		to = 1 << 16
	}
	if from > to || to > len(page) {
		return nil
	}
	return page[from:to]
}
