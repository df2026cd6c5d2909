package db

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/polder-exchange/polder"
)

// prepare makes an empty file that only its owner may read, and refuses places where SQLite's locks do not hold.
func prepare(path string, log *slog.Logger) error {
	dir := filepath.Dir(path)
	kind, refuse := network(dir)
	if refuse {
		return polder.Errorf(polder.Invalid, "%s is on a network file system (%s), where locks and fsync do not keep their promise: use a local disk", dir, kind)
	}
	if kind != "" {
		log.Warn("this file system may not keep what it promises: a local disk is safer", "path", path, "kind", kind)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return polder.Errorf(polder.Invalid, "%s is not a regular file", path)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), SyncDir(dir))
}

// SyncDir makes the names in dir durable: files that were made, renamed or removed there.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if dirSyncUseless(err) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// Room tells whether the disk has room for a share: below the floor it is refused with [polder.Full], so that what else
// the node must write (log-ins, the audit, the log's index at the next start) still can be. When there is plenty it
// puts the reserve back that a start on a full disk gave up.
func (d *DB) Room() error {
	if !d.own {
		return nil
	}
	have, err := d.o.Free(filepath.Dir(d.path))
	if err != nil {
		return fmt.Errorf("free space beside %s: %w", d.path, err)
	}
	if have < d.o.Floor {
		return polder.Errorf(polder.Full, "the disk is nearly full (%d MiB free, %d MiB are kept for the node itself): make room and try again", have>>20, d.o.Floor>>20)
	}
	if have >= d.o.Floor+d.o.Reserve {
		d.reserving.Lock()
		defer d.reserving.Unlock()
		return keepReserve(d.path, d.o.Reserve)
	}
	return nil
}

func reservePath(path string) string { return path + ".reserve" }

// keepReserve makes the reserve file if it is not there.
func keepReserve(path string, size int64) error {
	name := reservePath(path)
	if info, err := os.Stat(name); err == nil && info.Size() >= size {
		return nil
	}
	if err := fillFile(name, size); err != nil {
		return errors.Join(fmt.Errorf("keep a reserve: %w", err), os.Remove(name))
	}
	return nil
}

// fillFile writes what no file system can store as a hole or compress.
func fillFile(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, rand.Reader, size)
	return errors.Join(err, f.Sync(), f.Close())
}

// freeReserve gives the reserve up. It tells whether there was one.
func freeReserve(path string) bool { return os.Remove(reservePath(path)) == nil }
