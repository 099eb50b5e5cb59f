package main

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// sector is how many bytes of a write get to the disk together, if not all do. The
// sectors of a write, and writes, may get there in any order until they are
// synced; one sector in ten that is on its way is torn.
const sector = 512

var errPower = errors.New("no power")

// A disk keeps what was written and not synced apart from what is durable. After a
// number of operations its power is cut.
type disk struct {
	mu    sync.Mutex
	rand  *rand.Rand
	files map[string]*file
	gone  map[string]*file // deleted, and perhaps back after a cut
	left  int              // operations until the cut; less than 0: none comes
	cut   bool
	lying bool // it takes a sync for done at once
	syncs int
}

// A file is what the running system sees of one, and what would be left of it.
type file struct {
	now     []byte
	durable []byte
	pending []change
	entered bool // whether the folder durably has it
}

// A change is a write, or the setting of a size.
type change struct {
	at   int64
	data []byte
	size bool // cut off, or filled with zeros, at at
}

func newDisk(r *rand.Rand, files map[string][]byte) *disk {
	d := &disk{rand: r, files: map[string]*file{}, gone: map[string]*file{}, left: -1}
	for name, b := range files {
		d.files[name] = &file{now: slices.Clone(b), durable: b, entered: true}
	}
	return d
}

// step counts an operation and reports whether it still has power.
func (d *disk) step() error {
	if d.left == 0 {
		d.cut = true
	}
	if d.cut {
		return errPower
	}
	d.left--
	return nil
}

// off reports whether the power has been cut.
func (d *disk) off() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cut
}

func (d *disk) open(name string, create bool) (*file, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil && create && d.step() == nil {
		f = &file{}
		if old := d.gone[name]; old != nil {
			f.durable, f.entered = old.durable, old.entered // until the folder is synced
		}
		d.files[name] = f
	}
	return f, f != nil
}

func (d *disk) remove(name string, sync bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	if f := d.files[name]; f != nil {
		d.gone[name] = f
		delete(d.files, name)
	}
	if sync {
		d.syncFolder()
	}
	return nil
}

func (d *disk) exists(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[name] != nil
}

func (d *disk) read(f *file, b []byte, at int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return 0, errPower
	}
	if at >= int64(len(f.now)) {
		return 0, nil
	}
	return copy(b, f.now[at:]), nil
}

// change writes to a file, or sets its size.
func (d *disk) change(f *file, c change) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := d.left == 0 && !d.cut // this one is under way when the power goes
	err := d.step()
	if err != nil && !last {
		return err
	}
	c.data = slices.Clone(c.data)
	f.pending = append(f.pending, c)
	f.now = c.apply(f.now)
	return err
}

// sync makes a file durable, and perhaps the entries of its folder.
func (d *disk) sync(f *file, folder bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	d.syncs++
	if d.lying {
		return nil
	}
	f.durable, f.pending = slices.Clone(f.now), nil
	if folder {
		d.syncFolder()
	}
	return nil
}

func (d *disk) syncFolder() {
	if d.lying {
		return
	}
	for _, f := range d.files {
		f.entered = true
	}
	clear(d.gone)
}

func (d *disk) size(f *file) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return 0, errPower
	}
	return int64(len(f.now)), nil
}

func (c change) apply(b []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.size {
		if c.at <= int64(len(b)) {
			return b[:c.at:c.at]
		}
		return append(b, make([]byte, c.at-int64(len(b)))...)
	}
	if end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.at:], c.data)
	return b
}

// survivors returns the files as they are after the cut: what is durable, and of
// the rest what chance has let through.
func (d *disk) survivors() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
	through := []float64{0, 0.1, 0.5, 0.9, 1}[d.rand.IntN(5)]
	out := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(d.gone)) {
		if f := d.gone[name]; d.files[name] == nil && f.entered && d.rand.Float64() >= through {
			out[name] = d.through(f, through) // the delete was lost
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if f := d.files[name]; f.entered || d.rand.Float64() < through {
			out[name] = d.through(f, through)
		}
	}
	return out
}

// through returns a file with some of the changes that were on their way.
func (d *disk) through(f *file, share float64) []byte {
	b := slices.Clone(f.durable)
	for _, c := range f.pending {
		if c.size {
			if d.rand.Float64() < share {
				b = c.apply(b)
			}
			continue
		}
		for from := int64(0); from < int64(len(c.data)); {
			to := min((c.at+from)/sector*sector+sector-c.at, int64(len(c.data)))
			if d.rand.Float64() < share {
				part := c.data[from:to]
				if d.rand.IntN(10) == 0 {
					part = part[:d.rand.IntN(len(part))]
				}
				b = change{at: c.at + from, data: part}.apply(b)
			}
			from = to
		}
	}
	return b
}
