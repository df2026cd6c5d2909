package db

import (
	"context"
	"time"

	"github.com/polder-exchange/polder/internal/fail"
)

// When readers have kept the log from being started anew until it is this many times its usual length, the writer
// waits for them a moment, now and then.
const (
	logTooLong = 16
	logNagging = 5 * time.Second
)

// tend looks after the log between two groups, when everyone of the last one has been answered.
func (d *DB) tend() {
	if d.Err() != nil {
		return
	}
	pages, copied, err := d.walk(`PRAGMA wal_checkpoint(NOOP)`)
	if err != nil || pages-copied < d.o.LogPages {
		return
	}
	if pages < logTooLong*d.o.LogPages || d.o.Now().Sub(d.walSeen) < logNagging {
		_ = d.checkpoint(false) // a failure of the disk has been seen and ends the database; else the next one does it
		return
	}
	d.walSeen = d.o.Now()
	d.o.Log.Warn("a reader keeps the log from being emptied", "path", d.path, "pages", pages)
	_ = d.exec(`PRAGMA busy_timeout = 50`)
	_ = d.checkpoint(true)
	_ = d.exec(`PRAGMA busy_timeout = 10000`)
}

// checkpoint copies the log into the database and, when asked, then empties it. That another process or a reader keeps
// it from finishing is no error.
func (d *DB) checkpoint(empty bool) error {
	if _, _, err := d.walk(`PRAGMA wal_checkpoint(PASSIVE)`); err != nil {
		return err
	}
	if err := fail.At("checkpoint.during"); err != nil || !empty {
		return err
	}
	_, _, err := d.walk(`PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

// walk runs a checkpoint and returns how many pages the log holds and how many of them are in the database.
func (d *DB) walk(how string) (pages, copied int, err error) {
	var busy int
	err = d.pin.QueryRowContext(context.Background(), how).Scan(&busy, &pages, &copied)
	return pages, copied, err
}
