package db

// This file lies between database/sql and the driver. Every connection, reading or writing, goes through it, so that no
// error of the disk passes unseen whoever reads, and so that a statement is prepared once per connection.

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
)

const keptStatements = 256 // per connection

// connect makes a pool of at most n connections.
func (d *DB) connect(readonly bool, n int) (*sql.DB, error) {
	base, err := baseConnector(d.o.Driver, d.o.DSN(d.path, readonly))
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector{base, d})
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	return pool, nil
}

func baseConnector(name, dsn string) (driver.Connector, error) {
	if name == "" {
		return ownConnector(dsn)
	}
	probe, err := sql.Open(name, dsn)
	if err != nil {
		return nil, err
	}
	defer probe.Close()
	dc, ok := probe.Driver().(driver.DriverContext)
	if !ok {
		return nil, fmt.Errorf("database driver %s has no connector", name)
	}
	return dc.OpenConnector(dsn)
}

type connector struct {
	driver.Connector
	d *DB
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, c.d.see(err)
	}
	return &conn{Conn: dc, d: c.d, kept: map[string]*statement{}, used: list.New()}, nil
}

// conn is one connection. database/sql calls it from one goroutine at a time.
type conn struct {
	driver.Conn
	d      *DB
	broken error // the first error that may have ended the transaction under way; the writer clears it
	kept   map[string]*statement
	used   *list.List // of *statement, the last used first
}

// statement is a prepared statement that is kept for its text. While its rows are open it is busy, and a second use of
// the same text gets a statement of its own.
type statement struct {
	driver.Stmt
	text string
	busy bool
	kept bool
	elem *list.Element
}

func (c *conn) see(err error) error {
	if err != nil && c.broken == nil && c.d.breaks(err) {
		c.broken = err
	}
	return c.d.see(err)
}

func (c *conn) take(ctx context.Context, text string) (*statement, error) {
	s := c.kept[text]
	if s != nil && !s.busy {
		c.used.MoveToFront(s.elem)
		s.busy = true
		return s, nil
	}
	stmt, err := prepareOn(ctx, c.Conn, text)
	if err != nil {
		return nil, c.see(err)
	}
	fresh := &statement{Stmt: stmt, text: text, busy: true}
	if s == nil {
		c.keep(fresh)
	}
	return fresh, nil
}

func (c *conn) keep(s *statement) {
	s.kept = true
	c.kept[s.text] = s
	s.elem = c.used.PushFront(s)
	for e := c.used.Back(); e != nil && c.used.Len() > keptStatements; {
		old, before := e.Value.(*statement), e.Prev()
		if !old.busy {
			c.forget(old)
			_ = old.Close()
		}
		e = before
	}
}

func (c *conn) forget(s *statement) {
	s.kept = false
	delete(c.kept, s.text)
	c.used.Remove(s.elem)
}

func (c *conn) give(s *statement) {
	s.busy = false
	if !s.kept {
		_ = s.Close()
	}
}

func prepareOn(ctx context.Context, c driver.Conn, text string) (driver.Stmt, error) {
	if p, ok := c.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, text)
	}
	return c.Prepare(text)
}

func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if e, ok := c.Conn.(driver.ExecerContext); ok && len(args) == 0 && script(text) {
		r, err := e.ExecContext(ctx, text, nil)
		return r, c.see(err)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	defer c.give(s)
	r, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return r, c.see(err)
}

// script tells whether text may be more than one statement.
func script(text string) bool {
	return strings.Contains(strings.TrimRight(text, "; \t\r\n"), ";")
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	r, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		c.give(s)
		return nil, c.see(err)
	}
	return &rows{Rows: r, c: c, s: s}, nil
}

type rows struct {
	driver.Rows
	c *conn
	s *statement
}

func (r *rows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err != nil {
		return r.c.see(err)
	}
	return nil
}

func (r *rows) Close() error {
	err := r.Rows.Close()
	if r.s != nil {
		r.c.give(r.s)
		r.s = nil
	}
	return r.c.see(err)
}

// CheckNamedValue refuses times: what a driver makes of them differs, so they are stored as numbers.
func (c *conn) CheckNamedValue(v *driver.NamedValue) (err error) {
	v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value)
	if _, is := v.Value.(time.Time); is {
		return errors.New("a time is stored as a number: pass UnixMicro, not time.Time")
	}
	return err
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := prepareOn(ctx, c.Conn, text)
	return s, c.see(err)
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	b, ok := c.Conn.(driver.ConnBeginTx)
	if !ok {
		return nil, errors.New("database driver has no transactions with options")
	}
	tx, err := b.BeginTx(ctx, o)
	if err != nil {
		return nil, c.see(err)
	}
	return transaction{tx, c}, nil
}

type transaction struct {
	driver.Tx
	c *conn
}

func (t transaction) Commit() error { return t.c.see(t.Tx.Commit()) }

func (c *conn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *conn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

func (c *conn) Close() error {
	for e := c.used.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*statement).Close()
	}
	c.kept, c.used = map[string]*statement{}, list.New()
	return c.Conn.Close()
}
