package db

import (
	"context"
	"time"

	"github.com/polder-exchange/polder/internal/fail"
)

// The log is emptied into the database when it holds this many pages (4 MiB); when readers have kept it from being
// started anew until it holds the second number (64 MiB), the writer waits for them a moment, now and then.
const (
	logPages    = 1000
	logTooLong  = 16000
	logPatience = "200" // milliseconds
	logNagging  = 5 * time.Second
)

// tend looks after the log between two groups, when everyone of the last one has been answered.
func (d *DB) tend() {
	if d.Err() != nil {
		return
	}
	pages, copied, err := d.walk("NOOP")
	if err != nil || pages-copied < logPages {
		return
	}
	if pages < logTooLong || d.o.Now().Sub(d.walSeen) < logNagging {
		_ = d.checkpoint(context.Background(), "")
		return
	}
	d.walSeen = d.o.Now()
	d.o.Log.Warn("a reader keeps the log from being emptied", "path", d.path, "pages", pages)
	_ = d.exec("PRAGMA busy_timeout = " + logPatience)
	_ = d.checkpoint(context.Background(), "TRUNCATE")
	_ = d.exec("PRAGMA busy_timeout = 10000")
}

// checkpoint copies the log into the database, and with how = "TRUNCATE" then empties it. That another process or a
// reader keeps it from finishing is no error.
func (d *DB) checkpoint(ctx context.Context, how string) error {
	if _, _, err := d.walk("PASSIVE"); err != nil {
		return err
	}
	if err := fail.At("checkpoint.during"); err != nil {
		return err
	}
	if how == "" {
		return nil
	}
	_, _, err := d.walk(how)
	return err
}

// walk runs a checkpoint and returns how many pages the log holds and how many of them are in the database.
func (d *DB) walk(how string) (pages, copied int, err error) {
	var busy int
	err = d.pin.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+how+")").Scan(&busy, &pages, &copied)
	return pages, copied, err
}
