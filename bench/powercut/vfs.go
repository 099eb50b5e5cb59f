package main

import (
	"io"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// vfsName is what SQLite calls the disks here.
const vfsName = "powercut"

// A layer is between SQLite and the disks: the first part of a path names a disk.
// The shared memory of the WAL index is a real file in a folder of its own, since a
// cut leaves nothing of it.
type layer struct {
	folder string // of shared memory
	next   atomic.Int64

	mu    sync.Mutex
	disks map[string]*mounted
}

// mounted is a disk, and the locks that connections hold on its files.
type mounted struct {
	*disk
	name  string
	weak  bool // it says that synchronous=FULL whatever it is
	mu    sync.Mutex
	locks map[string]*locks
}

func (l *layer) mount(d *disk, weak bool) *mounted {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &mounted{disk: d, weak: weak, locks: map[string]*locks{}}
	m.name = "disk" + string(rune('a'+l.next.Load()%26)) + itoa(l.next.Add(1))
	l.disks[m.name] = m
	return m
}

func (l *layer) unmount(m *mounted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.disks, m.name)
}

// find returns the disk that a path is on, and the name of the file there.
func (l *layer) find(name string) (*mounted, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	disk, file, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	return l.disks[disk], file
}

// Open implements [vfs.VFS].
func (l *layer) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	const temporary = vfs.OPEN_TEMP_DB | vfs.OPEN_TEMP_JOURNAL | vfs.OPEN_TRANSIENT_DB | vfs.OPEN_SUBJOURNAL
	if flags&temporary != 0 || name == "" {
		return &vfsutil.SliceFile{}, flags | vfs.OPEN_MEMORY, nil
	}
	m, file := l.find(name)
	if m == nil {
		return nil, flags, sqlite3.CANTOPEN
	}
	f, ok := m.open(file, flags&vfs.OPEN_CREATE != 0)
	if !ok {
		return nil, flags, sqlite3.CANTOPEN
	}
	h := &handle{disk: m, file: f}
	h.entering = flags&vfs.OPEN_CREATE != 0 && flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_JOURNAL) != 0
	if flags&vfs.OPEN_MAIN_DB != 0 {
		h.locks = m.lock(file)
		h.shared = vfs.NewSharedMemory(filepath.Join(l.folder, m.name+"-"+path.Base(file)+"-shm"), flags)
	}
	return h, flags, nil
}

// Delete implements [vfs.VFS].
func (l *layer) Delete(name string, sync bool) error {
	m, file := l.find(name)
	if m == nil || !m.exists(file) {
		return sqlite3.IOERR_DELETE_NOENT
	}
	return power(m.remove(file, sync))
}

// Access implements [vfs.VFS].
func (l *layer) Access(name string, _ vfs.AccessFlag) (bool, error) {
	m, file := l.find(name)
	return m != nil && m.exists(file), nil
}

// FullPathname implements [vfs.VFS].
func (l *layer) FullPathname(name string) (string, error) { return name, nil }

// power is what SQLite is told when the power has gone.
func power(err error) error {
	if err != nil {
		return sqlite3.IOERR
	}
	return nil
}

// A handle is a file that a connection has open.
type handle struct {
	disk   *mounted
	file   *file
	locks  *locks
	held   vfs.LockLevel
	shared vfs.SharedMemory

	// entering is whether the first sync is to be one of the folder too, as
	// SQLite's own layer for Unix does for a WAL that may be new.
	entering bool
}

var (
	_ vfs.FileSharedMemory = (*handle)(nil)
	_ vfs.FilePragma       = (*handle)(nil)
	_ vfs.FileLockState    = (*handle)(nil)
)

func (h *handle) Close() error {
	if h.shared != nil {
		_ = h.shared.Close()
	}
	return h.Unlock(vfs.LOCK_NONE)
}

func (h *handle) ReadAt(b []byte, at int64) (int, error) {
	n, err := h.disk.read(h.file, b, at)
	if err != nil {
		return 0, power(err)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) WriteAt(b []byte, at int64) (int, error) {
	if err := h.disk.change(h.file, change{at: at, data: b}); err != nil {
		return 0, power(err)
	}
	return len(b), nil
}

func (h *handle) Truncate(size int64) error {
	return power(h.disk.change(h.file, change{at: size, size: true}))
}

func (h *handle) Sync(vfs.SyncFlag) error {
	err := h.disk.sync(h.file, h.entering)
	h.entering = h.entering && err != nil
	return power(err)
}

func (h *handle) Size() (int64, error) {
	n, err := h.disk.size(h.file)
	return n, power(err)
}

// SectorSize and DeviceCharacteristics are those of SQLite's own layer for Unix.
func (h *handle) SectorSize() int { return 4096 }

func (h *handle) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_POWERSAFE_OVERWRITE | vfs.IOCAP_SUBPAGE_READ
}

func (h *handle) SharedMemory() vfs.SharedMemory { return h.shared }

// Pragma lets a weak setting pass for the one that the store insists on.
func (h *handle) Pragma(name, value string) (string, error) {
	if h.disk.weak && name == "synchronous" && value == "" {
		return "2", nil
	}
	return "", sqlite3.NOTFOUND
}

// locks are what connections hold of a database.
type locks struct {
	mu       sync.Mutex
	shared   int
	reserved bool
	pending  bool
}

func (m *mounted) lock(file string) *locks {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[file] == nil {
		m.locks[file] = &locks{}
	}
	return m.locks[file]
}

func (h *handle) LockState() vfs.LockLevel { return h.held }

func (h *handle) Lock(want vfs.LockLevel) error {
	if h.held >= want || h.locks == nil {
		return nil
	}
	l := h.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	switch want {
	case vfs.LOCK_SHARED:
		if l.pending {
			return sqlite3.BUSY
		}
		l.shared++
	case vfs.LOCK_RESERVED:
		if l.reserved {
			return sqlite3.BUSY
		}
		l.reserved = true
	case vfs.LOCK_EXCLUSIVE:
		if h.held < vfs.LOCK_RESERVED && l.reserved || h.held < vfs.LOCK_PENDING && l.pending {
			return sqlite3.BUSY
		}
		l.reserved, l.pending = true, true
		h.held = vfs.LOCK_PENDING
		if l.shared > 1 {
			return sqlite3.BUSY
		}
	}
	h.held = want
	return nil
}

func (h *handle) Unlock(to vfs.LockLevel) error {
	if h.held <= to || h.locks == nil {
		return nil
	}
	l := h.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.held >= vfs.LOCK_RESERVED {
		l.reserved = false
	}
	if h.held >= vfs.LOCK_PENDING {
		l.pending = false
	}
	if to == vfs.LOCK_NONE {
		l.shared--
	}
	h.held = to
	return nil
}

func (h *handle) CheckReservedLock() (bool, error) {
	if h.locks == nil {
		return false, nil
	}
	h.locks.mu.Lock()
	defer h.locks.mu.Unlock()
	return h.locks.reserved, nil
}
