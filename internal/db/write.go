package db

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
)

// A group is one transaction: as many waiting writes as fit these bounds, and the one that began it.
const (
	groupWrites = 64
	groupTime   = 50 * time.Millisecond
)

// write is a call of [DB.Write] on its way.
type write struct {
	ctx   context.Context
	fn    func(*Tx) error
	state atomic.Int32 // waiting, begun or dropped: the writer and the caller race for the first step
	done  chan error   // holds the answer
	after []func()
}

const (
	waiting int32 = iota
	begun
	dropped
)

func (w *write) begin() bool { return w.state.CompareAndSwap(waiting, begun) }
func (w *write) drop() bool  { return w.state.CompareAndSwap(waiting, dropped) }

type inside struct{}

// Write runs fn in a transaction, exactly once, on the writer's goroutine, and returns when the transaction is on disk
// or undone. An error of fn undoes what fn wrote, and nothing else, and is returned; a panic is an error. fn must be
// short, must not call Write, and must not keep tx.
//
// While ctx lasts and the writer is busy the write waits, at most Options.Patience; a write that has begun is carried
// through even when ctx ends. Errors of the database have the kinds Unavailable (again later) and Full.
func (d *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Value(inside{}) == d {
		return errors.New("a write may not begin another one")
	}
	w := &write{ctx: ctx, fn: fn, done: make(chan error, 1)}
	if err := d.enqueue(w); err != nil {
		return err
	}
	patience := time.NewTimer(d.o.Patience)
	defer patience.Stop()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		if w.drop() {
			return ctx.Err()
		}
	case <-patience.C:
		if w.drop() {
			return polder.Errorf(polder.Unavailable, "the database is busy: this write waited %s and was not begun; try again", d.o.Patience)
		}
	}
	return <-w.done
}

func (d *DB) enqueue(w *write) error {
	d.gate.RLock()
	defer d.gate.RUnlock()
	if d.closed {
		return polder.Errorf(polder.Unavailable, "the database is closed")
	}
	if err := d.refusal(); err != nil {
		return err
	}
	select {
	case d.queue <- w:
		return nil
	default:
		return polder.Errorf(polder.Unavailable, "the database is busy: %d writes wait already; try again", cap(d.queue))
	}
}

// refusal is the answer to every write after the database has failed.
func (d *DB) refusal() error {
	if err := d.Err(); err != nil {
		return polder.Errorf(polder.Unavailable, "the database has failed and takes no writes until the node is started again: %w", err)
	}
	return nil
}

// run is the writer's goroutine.
func (d *DB) run() {
	defer close(d.drained)
	g := &group{d: d}
	defer func() {
		// Reached with the queue open only when fn ended this goroutine (runtime.Goexit): nobody may be left waiting.
		if d.Err() != nil {
			g.abandon()
		}
	}()
	for w := range d.queue {
		g.from(w)
		d.tend()
	}
}

// group is the transaction that the writer's goroutine has under way.
type group struct {
	d       *DB
	open    bool     // BEGIN was done
	running *write   // whose fn runs
	held    []*write // done, waiting for the commit; never empty while open but for the first
	count   int
	start   time.Time
}

// from takes w and what else waits into one transaction.
func (g *group) from(w *write) {
	g.count, g.start = 0, g.d.o.Now()
	for w != nil {
		g.add(w)
		w = g.next()
	}
	g.commit()
}

func (g *group) next() *write {
	g.count++
	if g.count >= groupWrites || g.d.o.Now().Sub(g.start) >= groupTime {
		return nil
	}
	select {
	case w := <-g.d.queue: // nil once the queue is closed and empty
		return w
	default:
		return nil
	}
}

func (g *group) add(w *write) {
	if !w.begin() {
		return
	}
	if err := g.d.refusal(); err != nil {
		w.done <- err
		return
	}
	if err := g.ready(); err != nil {
		w.done <- err
		return
	}
	g.running = w
	err := g.call(w)
	g.running = nil
	switch broken := g.d.raw.broken; {
	case broken != nil:
		g.held = append(g.held, w)
		g.abort(broken)
	case err != nil:
		w.done <- g.undo(err)
	default:
		g.keep(w)
	}
}

// ready opens the transaction, or a savepoint in it. The first write needs none: when it fails, everything is undone.
func (g *group) ready() error {
	if g.open {
		if err := g.d.exec("SAVEPOINT one"); err != nil {
			g.abort(err)
			return g.d.translate(err)
		}
		return nil
	}
	g.d.raw.broken = nil
	if err := g.d.exec("BEGIN IMMEDIATE"); err != nil {
		return g.d.translate(err)
	}
	g.open = true
	return nil
}

// call runs the write's function. Panics become errors.
func (g *group) call(w *write) (err error) {
	d := g.d
	tx := &Tx{d: d, w: w, ctx: context.WithoutCancel(context.WithValue(w.ctx, inside{}, d))}
	returned := false
	defer func() {
		tx.end()
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		} else if !returned {
			d.fail(errors.New("a write ended the writer's goroutine"))
		}
	}()
	err = w.fn(tx)
	returned = true
	return err
}

// undo takes back what the last write wrote and returns its answer.
func (g *group) undo(cause error) error {
	if len(g.held) == 0 {
		g.rollback()
		return cause
	}
	err := g.d.exec("ROLLBACK TO one")
	if err == nil {
		err = g.d.exec("RELEASE one")
	}
	if err != nil {
		g.abort(err)
	}
	return cause
}

func (g *group) keep(w *write) {
	if len(g.held) > 0 {
		if err := g.d.exec("RELEASE one"); err != nil {
			g.held = append(g.held, w)
			g.abort(err)
			return
		}
	}
	g.held = append(g.held, w)
}

func (g *group) commit() {
	if !g.open {
		return
	}
	d := g.d
	if err := fail.At("commit.before"); err != nil {
		g.abort(err)
		return
	}
	if err := d.exec("COMMIT"); err != nil {
		g.abort(err)
		return
	}
	g.open = false
	if err := fail.At("commit.after"); err != nil {
		d.fail(err)
		g.answer(d.refusal())
		return
	}
	for _, w := range g.held {
		for _, fn := range w.after {
			d.after(fn)
		}
	}
	g.answer(nil)
}

// after runs what a write asked for after the commit. Its panic is logged: the commit stands.
func (d *DB) after(fn func()) {
	defer func() {
		if p := recover(); p != nil {
			d.o.Log.Error("panic after a commit", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	fn()
}

// abort undoes the whole transaction and answers everyone in it.
func (g *group) abort(cause error) {
	g.rollback()
	err := g.d.translate(cause)
	if polder.KindOf(err) == polder.Internal {
		err = polder.Errorf(polder.Unavailable, "nothing was stored; try again: %w", cause)
	}
	g.answer(err)
}

func (g *group) rollback() {
	// SQLite may have rolled back on its own already, and then says so with an error that means nothing here.
	_ = g.d.exec("ROLLBACK")
	g.open = false
}

func (g *group) answer(err error) {
	for _, w := range g.held {
		w.done <- err
	}
	clear(g.held)
	g.held = g.held[:0]
}

// abandon answers everyone who waits, now and until the database is closed, that it has failed.
func (g *group) abandon() {
	if g.open {
		g.rollback()
	}
	if g.running != nil {
		g.held = append(g.held, g.running)
	}
	g.answer(g.d.refusal())
	for w := range g.d.queue {
		if w.begin() {
			w.done <- g.d.refusal()
		}
	}
}

// exec runs a statement of the writer's own on its connection.
func (d *DB) exec(text string) error {
	_, err := d.pin.ExecContext(context.Background(), text)
	return err
}
