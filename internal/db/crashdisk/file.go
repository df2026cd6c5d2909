package crashdisk

import (
	"io"
	"maps"
	"math/rand/v2" //house:allow math/rand/v2: a test must be repeatable by its seed
	"path/filepath"
	"slices"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// file is a file of a disk, whatever its names.
type file struct {
	data   []byte           // as a program sees it
	synced []byte           // as the disk holds it for certain
	dirty  map[int][][]byte // states of sectors since the last sync, the newest last
	fresh  bool             // its first sync makes the names of the folder durable too

	shared                    int // locks
	reserved, pending, single bool
}

const states = 8 // remembered of each sector

func (f *file) write(b []byte, off int64) {
	if end := off + int64(len(b)); end > int64(len(f.data)) {
		f.data = append(f.data, make([]byte, end-int64(len(f.data)))...)
	}
	copy(f.data[off:], b)
	if f.dirty == nil {
		f.dirty = map[int][][]byte{}
	}
	for s := int(off / sector); int64(s)*sector < off+int64(len(b)); s++ {
		state := slices.Clone(f.data[s*sector : min(len(f.data), (s+1)*sector)])
		f.dirty[s] = append(f.dirty[s], state)
		if len(f.dirty[s]) > states {
			f.dirty[s] = f.dirty[s][1:]
		}
	}
}

func (f *file) sync() {
	f.synced = slices.Clone(f.data)
	f.dirty = nil
}

// image is f as it might be found after the power went.
func (f *file) image(rng *rand.Rand) []byte {
	image := slices.Clone(f.synced)
	if len(f.data) < len(image) && rng.IntN(2) == 0 {
		image = image[:len(f.data)]
	}
	keep := rng.IntN(5) // of four sectors, from none to all
	for _, s := range slices.Sorted(maps.Keys(f.dirty)) {
		if rng.IntN(4) >= keep {
			continue
		}
		seen := f.dirty[s]
		state := seen[len(seen)-1]
		if rng.IntN(4) == 0 {
			state = seen[rng.IntN(len(seen))]
		}
		if rng.IntN(16) == 0 {
			state = state[:rng.IntN(len(state)+1)] // torn
		}
		if end := s*sector + len(state); end > len(image) {
			image = append(image, make([]byte, end-len(image))...)
		}
		copy(image[s*sector:], state)
	}
	if len(f.data) > len(image) && rng.IntN(2) == 0 {
		image = append(image, make([]byte, len(f.data)-len(image))...)
	}
	return image
}

func (d *Disk) names() []string {
	all := maps.Clone(d.kept)
	maps.Copy(all, d.seen)
	return slices.Sorted(maps.Keys(all))
}

// Open implements vfs.VFS.
func (d *Disk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == "" || flags&(vfs.OPEN_TEMP_DB|vfs.OPEN_TEMP_JOURNAL|vfs.OPEN_SUBJOURNAL|vfs.OPEN_TRANSIENT_DB) != 0 {
		return &vfsutil.SliceFile{}, flags | vfs.OPEN_MEMORY, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.before(Open, name); err != nil {
		return nil, flags, err
	}
	f := d.seen[name]
	if f == nil {
		if flags&vfs.OPEN_CREATE == 0 {
			return nil, flags, sqlite3.CANTOPEN
		}
		f = &file{fresh: flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_JOURNAL) != 0}
		d.seen[name] = f
	}
	h := &handle{d: d, f: f, name: name}
	if shm := vfs.NewSharedMemory(filepath.Join(d.shared, filepath.Base(name)+"-shm"), flags); shm != nil {
		h.shm = shm
	}
	return h, flags, nil
}

// Delete implements vfs.VFS.
func (d *Disk) Delete(name string, syncFolder bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.before(Delete, name); err != nil {
		return err
	}
	if d.seen[name] == nil {
		return sqlite3.IOERR_DELETE_NOENT
	}
	delete(d.seen, name)
	if syncFolder {
		d.syncFolder()
	}
	return nil
}

// Access implements vfs.VFS.
func (d *Disk) Access(name string, _ vfs.AccessFlag) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[name] != nil, nil
}

// FullPathname implements vfs.VFS.
func (d *Disk) FullPathname(name string) (string, error) { return "/" + filepath.Base(name), nil }

// handle is an open file.
type handle struct {
	d    *Disk
	f    *file
	name string
	lock vfs.LockLevel
	shm  vfs.SharedMemory
}

var (
	_ vfs.FileSharedMemory = &handle{}
	_ vfs.FileLockState    = &handle{}
)

// SharedMemory implements vfs.FileSharedMemory.
func (h *handle) SharedMemory() vfs.SharedMemory { return h.shm }

// Close implements vfs.File.
func (h *handle) Close() error {
	if h.shm != nil {
		_ = h.shm.Close()
	}
	return h.Unlock(vfs.LOCK_NONE)
}

// ReadAt implements vfs.File.
func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.before(Read, h.name); err != nil {
		return 0, err
	}
	if off >= int64(len(h.f.data)) {
		return 0, io.EOF
	}
	n := copy(b, h.f.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements vfs.File.
func (h *handle) WriteAt(b []byte, off int64) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.before(Write, h.name); err != nil {
		return 0, err
	}
	h.f.write(b, off)
	return len(b), nil
}

// Truncate implements vfs.File.
func (h *handle) Truncate(size int64) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.before(Truncate, h.name); err != nil {
		return err
	}
	if size < int64(len(h.f.data)) {
		h.f.data = h.f.data[:size:size]
	}
	return nil
}

// Sync implements vfs.File.
func (h *handle) Sync(vfs.SyncFlag) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.before(Sync, h.name); err != nil {
		return err
	}
	h.f.sync()
	if h.f.fresh {
		h.f.fresh = false
		h.d.syncFolder()
	}
	h.d.syncs++
	return nil
}

// Size implements vfs.File.
func (h *handle) Size() (int64, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	return int64(len(h.f.data)), nil
}

// SectorSize implements vfs.File.
func (h *handle) SectorSize() int { return sector }

// DeviceCharacteristics implements vfs.File.
func (h *handle) DeviceCharacteristics() vfs.DeviceCharacteristic {
	if h.d.Rough {
		return 0
	}
	return vfs.IOCAP_POWERSAFE_OVERWRITE
}

// Lock implements vfs.File.
func (h *handle) Lock(want vfs.LockLevel) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	f := h.f
	if h.lock >= want {
		return nil
	}
	switch want {
	case vfs.LOCK_SHARED:
		if f.pending || f.single {
			return sqlite3.BUSY
		}
		f.shared++
	case vfs.LOCK_RESERVED:
		if f.reserved {
			return sqlite3.BUSY
		}
		f.reserved = true
	case vfs.LOCK_EXCLUSIVE:
		if h.lock < vfs.LOCK_PENDING {
			f.pending = true
			h.lock = vfs.LOCK_PENDING
		}
		if f.shared > 1 {
			return sqlite3.BUSY
		}
		f.single = true
	}
	h.lock = want
	return nil
}

// Unlock implements vfs.File.
func (h *handle) Unlock(to vfs.LockLevel) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	f := h.f
	if h.lock <= to {
		return nil
	}
	if h.lock >= vfs.LOCK_EXCLUSIVE {
		f.single = false
	}
	if h.lock >= vfs.LOCK_PENDING {
		f.pending = false
	}
	if h.lock >= vfs.LOCK_RESERVED {
		f.reserved = false
	}
	if to < vfs.LOCK_SHARED {
		f.shared--
	}
	h.lock = to
	return nil
}

// CheckReservedLock implements vfs.File.
func (h *handle) CheckReservedLock() (bool, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	return h.f.reserved, nil
}

// LockState implements vfs.FileLockState.
func (h *handle) LockState() vfs.LockLevel { return h.lock }
