package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
)

// Options are the choices of [Open]. The zero value is right for a node.
type Options struct {
	Driver string // of database/sql; "" is the one this package brings, and only then files and free space are looked after

	// DSN names the database for Driver; nil is ours: WAL, synchronous=FULL, foreign keys, defensive, nothing trusted.
	DSN func(path string, readonly bool) string

	// Code is SQLite's extended result code of an error of Driver, 0 when it is none; nil is ours.
	Code func(error) int

	Readers  int           // connections that read; 0 means 4
	Queue    int           // writes that may wait; 0 means 1,024
	Patience time.Duration // the longest wait for the writer; 0 means 10 s
	LogPages int           // pages of the log that are copied into the database at a time; 0 means 1,000
	Floor    int64         // bytes that must be free for [DB.Room]; 0 means 64 MiB
	Reserve  int64         // bytes kept aside so that a full disk does not keep the node from starting; 0 means 8 MiB
	Free     func(dir string) (int64, error)
	Log      *slog.Logger
	Now      func() time.Time
}

func (o Options) filled() Options {
	o.Readers = or(o.Readers, 4)
	o.Queue = or(o.Queue, 1024)
	o.Patience = or(o.Patience, 10*time.Second)
	o.LogPages = or(o.LogPages, 1000)
	o.Floor = or(o.Floor, 64<<20)
	o.Reserve = or(o.Reserve, 8<<20)
	if o.DSN == nil {
		o.DSN = dsn
	}
	if o.Code == nil {
		o.Code = code
	}
	if o.Free == nil {
		o.Free = free
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// DB is an open database. Its methods may be called from any goroutine.
type DB struct {
	path string
	o    Options
	own  bool // files and free space are ours to look after

	writer *sql.DB   // one connection, held by the writer goroutine as pin
	pin    *sql.Conn // used by the writer goroutine alone
	raw    *conn     // what is under pin
	reader *sql.DB

	gate    sync.RWMutex // held while putting into queue, so that Close can close it
	closed  bool
	queue   chan *write
	drained chan struct{} // closed when the writer goroutine has ended
	walSeen time.Time     // when the writer last spoke of a log that cannot be emptied

	hangOnce sync.Once
	hungUp   error // what closing the connections said

	failOnce sync.Once
	failed   chan struct{}
	cause    error // set before failed is closed

	migrating sync.Mutex
	reserving sync.Mutex
}

// Open opens the database at path, and makes it if there is none. A database on a network file system is refused.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	own := o.Driver == ""
	o = o.filled()
	if own {
		if err := prepare(path, o.Log); err != nil {
			return nil, fmt.Errorf("open database %s: %w", path, err)
		}
	}
	d, err := open(ctx, path, o, own)
	if own && polder.KindOf(err) == polder.Full && freeReserve(path) {
		o.Log.Warn("disk full: the reserve was given up to start", "path", path)
		d, err = open(ctx, path, o, own)
	}
	if err != nil {
		return nil, err
	}
	if own {
		if err := d.Room(); err != nil {
			o.Log.Warn("little room on the disk", "path", path, "err", err)
		}
	}
	return d, nil
}

func open(ctx context.Context, path string, o Options, own bool) (_ *DB, err error) {
	d := &DB{
		path: path, o: o, own: own,
		queue: make(chan *write, o.Queue), drained: make(chan struct{}), failed: make(chan struct{}),
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open database %s: %w", path, errors.Join(d.translate(err), d.hangUp()))
		}
	}()
	if d.writer, err = d.connect(false, 1); err != nil {
		return nil, err
	}
	if d.pin, err = d.writer.Conn(ctx); err != nil {
		return nil, err
	}
	if err = d.pin.Raw(func(c any) error { d.raw = c.(*conn); return nil }); err != nil {
		return nil, err
	}
	var mode string
	if err = d.pin.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return nil, err
	}
	if mode != "wal" {
		return nil, fmt.Errorf("journal mode is %q, must be wal", mode)
	}
	if d.reader, err = d.connect(true, o.Readers); err != nil {
		return nil, err
	}
	var tables int
	if err = d.reader.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return nil, err
	}
	go d.run()
	return d, nil
}

// Read is the pool of read-only connections. A query sees what was committed when it began; a transaction of this pool
// sees one moment throughout. Close rows and transactions soon: an open one keeps the log from being emptied.
func (d *DB) Read() *sql.DB { return d.reader }

// Path is where the database lies.
func (d *DB) Path() string { return d.path }

// Failed is closed when the database has failed: no write is acknowledged after that, and the process should end.
func (d *DB) Failed() <-chan struct{} { return d.failed }

// Err says why the database failed; nil while it has not.
func (d *DB) Err() error {
	select {
	case <-d.failed:
		return d.cause
	default:
		return nil
	}
}

func (d *DB) fail(cause error) {
	d.failOnce.Do(func() {
		d.cause = cause
		d.o.Log.Error("database failed: no write is accepted until the node is started again", "path", d.path, "err", cause)
		close(d.failed)
	})
}

// Close carries out the writes that wait, empties the log into the database and closes it. Later writes are refused.
func (d *DB) Close() error {
	d.gate.Lock()
	if !d.closed {
		d.closed = true
		close(d.queue)
	}
	d.gate.Unlock()
	<-d.drained
	d.hangOnce.Do(func() { d.hungUp = d.hangUp() })
	return d.hungUp
}

// hangUp closes all connections, readers first: the last connection to close must be able to write.
func (d *DB) hangUp() error {
	var errs []error
	if d.reader != nil {
		errs = append(errs, d.reader.Close())
	}
	if d.raw != nil && d.Err() == nil {
		errs = append(errs, d.checkpoint(true))
	}
	if d.pin != nil {
		if err := d.pin.Close(); !errors.Is(err, sql.ErrConnDone) {
			errs = append(errs, err)
		}
	}
	if d.writer != nil {
		errs = append(errs, d.writer.Close())
	}
	return errors.Join(errs...)
}
