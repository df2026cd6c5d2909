// Package crashdisk is a disk in memory that loses power, for tests of what a database keeps. Only tests import it.
//
// A [Disk] remembers of every file what has been synced and what has only been written. [Disk.Crash] makes the disk
// that would be found afterwards: all that was synced, and of the rest a random subset of 512-byte sectors, each in
// one of the states it went through, or torn in the middle; a name that was made or removed without a sync of the
// folder may or may not be there. The same seed and the same operations give the same disk.
//
// It runs SQLite as another driver has it (github.com/ncruces/go-sqlite3) through that driver's virtual file system. So
// it proves the settings, the transactions and the order of syncs that package db asks for, and not the file layer of
// the driver that a node uses; kills of the real binary and faults on a real disk are for that.
//
//	disk := crashdisk.New(t, seed)
//	disk.CrashAfter(n)                    // from the n-th operation on, everything fails
//	d, err := db.Open(ctx, "x.db", disk.Options())
//	… write until it fails, note what was acknowledged …
//	again := disk.Crash()
//	d, err = db.Open(ctx, "x.db", again.Options())
package crashdisk

import (
	"errors"
	"fmt"
	"math/rand/v2" //house:allow math/rand/v2: a test must be repeatable by its seed
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"
	_ "github.com/ncruces/go-sqlite3/embed"  // SQLite itself
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
)

// Op is an operation on a disk that can fail or be the last one.
type Op string

const (
	Open     Op = "open"
	Read     Op = "read"
	Write    Op = "write"
	Truncate Op = "truncate"
	Sync     Op = "sync"
	Delete   Op = "delete"
)

// Errors for [Disk.Fault] to return.
var (
	ErrSync  error = sqlite3.IOERR_FSYNC // EIO of fsync
	ErrWrite error = sqlite3.IOERR_WRITE // EIO of write
	ErrRead  error = sqlite3.IOERR_READ  // EIO of read
	ErrFull  error = sqlite3.FULL        // ENOSPC
)

// ErrPower is what every operation returns after the power is gone.
var ErrPower error = sqlite3.IOERR

const sector = 512

// Disk is a disk in memory. Its fields are set before use; its methods may be called from any goroutine.
type Disk struct {
	Synchronous string // PRAGMA synchronous: "full" unless set to "normal" or "off", the controls
	Rough       bool   // does not promise that an overwrite leaves the neighbouring bytes alone

	// Fault, if set, is asked before every operation, which fails with what it returns. n counts the operations of this
	// disk from 1, reads and opens left out.
	Fault func(op Op, name string, n int) error

	t      testing.TB
	name   string
	shared string // folder of the log's index, which is memory and dies with the power

	mu    sync.Mutex
	rng   *rand.Rand
	seen  map[string]*file // the folder as a program sees it
	kept  map[string]*file // the folder as the disk holds it
	count int
	last  int // the power goes after this operation; 0 is never
	off   bool
	syncs int
}

var disks atomic.Int64

// New is an empty disk, removed when the test ends.
func New(t testing.TB, seed uint64) *Disk {
	return newDisk(t, rand.New(rand.NewPCG(seed, 1)), map[string]*file{})
}

func newDisk(t testing.TB, rng *rand.Rand, files map[string]*file) *Disk {
	synchronous := "full"
	if fail.Bug("sync-normal") {
		synchronous = "normal"
	}
	d := &Disk{
		Synchronous: synchronous, t: t, name: fmt.Sprintf("crashdisk%d", disks.Add(1)), shared: t.TempDir(), rng: rng,
		seen: map[string]*file{}, kept: map[string]*file{},
	}
	for n, f := range files {
		d.seen[n], d.kept[n] = f, f
	}
	vfs.Register(d.name, d)
	t.Cleanup(func() { vfs.Unregister(d.name) })
	return d
}

// Options opens a database on this disk: db.Open(ctx, "x.db", disk.Options()).
func (d *Disk) Options() db.Options {
	return db.Options{Driver: "sqlite3", DSN: d.dsn, Code: Code, Readers: 1, LogPages: 60}
}

func (d *Disk) dsn(path string, readonly bool) string {
	s := "file:/" + filepath.Base(path) + "?vfs=" + d.name + "&_pragma=busy_timeout(10000)"
	if readonly {
		return s + "&mode=ro&_pragma=query_only(1)"
	}
	return s + "&_txlock=immediate&_pragma=journal_mode(wal)&_pragma=synchronous(" + d.Synchronous +
		")&_pragma=wal_autocheckpoint(0)&_pragma=foreign_keys(1)&_pragma=temp_store(2)"
}

// Code is SQLite's extended result code of an error of this driver.
func Code(err error) int {
	var e *sqlite3.Error
	if errors.As(err, &e) {
		return int(e.ExtendedCode())
	}
	var x sqlite3.ExtendedErrorCode
	if errors.As(err, &x) {
		return int(x)
	}
	return 0
}

// CrashAfter lets the power go after n more operations that change something.
func (d *Disk) CrashAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = d.count + n
}

// Operations counts the operations so far that change something.
func (d *Disk) Operations() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// Syncs counts the syncs so far that succeeded.
func (d *Disk) Syncs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}

// Crash takes the power away, if it is not gone already, and returns the disk that is found afterwards.
func (d *Disk) Crash() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	found := map[string]*file{}
	for _, name := range d.names() {
		f := d.kept[name]
		if now := d.seen[name]; now != f && d.rng.IntN(2) == 0 {
			f = now // the name reached the disk, or its removal did
		}
		if f != nil {
			image := f.image(d.rng)
			found[name] = &file{data: image, synced: append([]byte(nil), image...)}
		}
	}
	again := newDisk(d.t, rand.New(rand.NewPCG(d.rng.Uint64(), 2)), found)
	again.Synchronous, again.Rough = d.Synchronous, d.Rough
	return again
}

// Damage changes a file behind everybody's back. It tells whether there is such a file.
func (d *Disk) Damage(name string, change func(data []byte) []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.seen["/"+name]
	if f != nil {
		f.data = change(f.data)
	}
	return f != nil
}

// before counts an operation and says whether it may go on.
func (d *Disk) before(op Op, name string) error {
	if d.off {
		return ErrPower
	}
	if op != Read && op != Open {
		d.count++
		if d.last > 0 && d.count > d.last {
			d.off = true
			return ErrPower
		}
	}
	if d.Fault != nil {
		return d.Fault(op, filepath.Base(name), d.count)
	}
	return nil
}

// syncFolder makes all names durable.
func (d *Disk) syncFolder() {
	clear(d.kept)
	for n, f := range d.seen {
		d.kept[n] = f
	}
}
