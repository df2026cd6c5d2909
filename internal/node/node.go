package node

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/members"
	"github.com/polder-exchange/polder/internal/web"
)

// Files of the data folder.
const (
	databaseFile  = "polder.db"
	headFile      = "head"
	searchFile    = "search.db"
	blobFolder    = "blobs"
	warningFolder = "warninglists"
)

// Options are the outside world of a node. The zero value of each field is the real one.
type Options struct {
	Now      func() time.Time
	Log      io.Writer // where log lines go; nil is standard error
	Listen   net.Listener
	Password accounts.PasswordCost // of new passwords; zero is what is right for a node

	pace peers.Pace // of links; tests shorten it
}

// Node is a node that is open: its database is locked for this process.
type Node struct {
	Dir      string
	Config   Config
	DB       *db.DB
	Audit    *audit.Log
	Accounts *accounts.Service
	Journal  *journal.Journal
	Exchange *exchange.Service

	detection  detection
	screening  screening
	cases      casework
	federation federation

	blobs   *blob.Store
	jobs    *jobs.Jobs
	log     *slog.Logger
	now     func() time.Time
	pace    peers.Pace
	handler http.Handler
	routes  []web.Route
	api     []byte         // the OpenAPI document
	stop    []func() error // in the order in which they are called
	once    sync.Once
}

// Open opens the node of a data folder that `polder init` made. It refuses a folder that another process serves, and a
// log that was cut short or changed.
func Open(ctx context.Context, dir string, c Config, o Options) (n *Node, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = os.Stderr
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, polder.Errorf(polder.Invalid, "log_level: %q is none of debug, info, warn, error", c.LogLevel)
	}
	n = &Node{Dir: dir, Config: c, now: o.Now, pace: o.pace, log: slog.New(slog.NewJSONHandler(o.Log, &slog.HandlerOptions{Level: level}))}
	opened := n // a return with an error sets n to nil
	defer func() {
		if err != nil {
			_ = opened.Close() // the first error counts
		}
	}()
	if err := n.openStore(ctx, o.Password); err != nil {
		return nil, err
	}
	return n, n.build(ctx)
}

// openStore takes the folder and opens what lies in it.
func (n *Node) openStore(ctx context.Context, cost accounts.PasswordCost) error {
	if _, err := os.Stat(filepath.Join(n.Dir, databaseFile)); err != nil {
		return polder.Errorf(polder.NotFound, "%s holds no node; make one with: polder init --data %s --name NAME", n.Dir, n.Dir)
	}
	release, err := db.LockDir(n.Dir)
	if err != nil {
		return err
	}
	n.atEnd(func() error { release(); return nil })
	store, err := openAccounts(ctx, n.Dir, n.now, n.log, cost)
	if err != nil {
		return err
	}
	n.DB, n.Audit, n.Accounts = store.DB, store.Audit, store.Accounts
	n.atEnd(store.Close)
	if err := journal.Migrate(ctx, n.DB); err != nil {
		return err
	}
	if err := exchange.Migrate(ctx, n.DB); err != nil {
		return err
	}
	n.Journal, err = journal.Open(ctx, n.DB, journal.Options{
		Now: n.now, Step: randomSteps(), Log: n.log, Head: filepath.Join(n.Dir, headFile),
	})
	if err != nil {
		return err
	}
	n.atEnd(n.Journal.Close)
	return nil
}

// randomSteps yields numbers from 1 to 16 that nobody can foresee. The journal asks from one goroutine.
func randomSteps() func() int64 {
	random := bufio.NewReaderSize(rand.Reader, 512)
	return func() int64 {
		b, _ := random.ReadByte() // crypto/rand does not fail
		return 1 + int64(b%16)
	}
}

// atEnd has f called by Close, before what was given earlier.
func (n *Node) atEnd(f func() error) { n.stop = append([]func() error{f}, n.stop...) }

// openAccounts opens the database of a folder for what members and administrators change; a serving node may have it
// open too.
func openAccounts(ctx context.Context, dir string, now func() time.Time, log *slog.Logger, cost accounts.PasswordCost) (*members.Store, error) {
	d, err := db.Open(ctx, filepath.Join(dir, databaseFile), db.Options{Log: log, Now: now})
	if err != nil {
		return nil, err
	}
	l := audit.New(d, now)
	a := accounts.New(d, l, accounts.Options{Now: now, Log: log, Password: cost})
	if err := errors.Join(l.Migrate(ctx), a.Migrate(ctx)); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &members.Store{Accounts: a, Audit: l, DB: d, Close: d.Close}, nil
}

// OpenStore is openAccounts for commands: it makes the folder when create says so, and refuses one that holds no node
// otherwise.
func OpenStore(ctx context.Context, dir string, create bool) (*members.Store, error) {
	_, err := os.Stat(filepath.Join(dir, databaseFile))
	switch {
	case create && err == nil:
		return nil, polder.Errorf(polder.Conflict, "--data: %s is initialised already; choose an empty folder for a new node", dir)
	case create:
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, polder.Errorf(polder.NotFound, "--data: %s holds no node; make one with: polder init --data %s --name NAME", dir, dir)
	}
	store, err := openAccounts(ctx, dir, time.Now, slog.New(slog.DiscardHandler), accounts.PasswordCost{})
	if err != nil || !create {
		return store, err
	}
	if err := beginLog(ctx, store.DB, dir); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// beginLog makes the empty log of a new node, with its head file: a copy of the database alone lacks it from the start,
// and is refused (F21).
func beginLog(ctx context.Context, d *db.DB, dir string) error {
	if err := journal.Migrate(ctx, d); err != nil {
		return err
	}
	j, err := journal.Open(ctx, d, journal.Options{Now: time.Now, Step: randomSteps(), Head: filepath.Join(dir, headFile)})
	if err != nil {
		return err
	}
	return j.Close()
}

// Handler is everything that the node answers.
func (n *Node) Handler() http.Handler { return n.handler }

// Serve answers on l until ctx ends or the store fails; then it stops cleanly: no new requests, streams told, ten
// seconds for what is under way.
func (n *Node) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: n.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	if n.Config.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(n.Config.TLSCert, n.Config.TLSKey)
		if err != nil {
			return polder.Errorf(polder.Invalid, "--tls-cert, --tls-key: %w", err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); n.run(run) }()
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	var err error
	select {
	case <-ctx.Done():
	case <-n.DB.Failed():
		err = fmt.Errorf("the database failed, so the node stops: %w", n.DB.Err())
	case err = <-failed:
	}
	n.Journal.Stop()
	drain, end := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer end()
	if stopped := srv.Shutdown(drain); stopped != nil {
		_ = srv.Close() // what did not end in time is cut
	}
	cancel()
	<-done
	return err
}

// Close ends the node. It may be called twice.
func (n *Node) Close() (err error) {
	n.once.Do(func() {
		for _, f := range n.stop {
			err = errors.Join(err, f())
		}
	})
	return err
}
