package notify

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// How a message ended; waiting is 0.
const (
	sent    = 1
	givenUp = 2
	dropped = 3
)

// most is how many messages one look at a person's box takes, and so how many one digest holds.
const most = 200

// recipient is whose messages are delivered one after the other.
type recipient struct {
	person  polder.PersonID
	channel Channel
}

// item is one message of a parcel.
type item struct {
	Message
	letter Letter
	tries  int // before this one
}

// parcel is what goes out as one letter: one message, or several of one rhythm.
type parcel []item

// Run delivers until ctx ends or the database fails, and returns when the last delivery is over. It returns nil when
// ctx ended.
func (b *Box) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	var mu sync.Mutex
	busy := map[recipient]bool{}
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.d.Failed():
			return b.d.Err()
		case <-t.C:
		case <-b.wake:
		}
		all, err := b.look(ctx)
		mu.Lock()
		for _, r := range all {
			if len(busy) >= b.o.Workers {
				break // the end of one wakes us
			}
			if busy[r] {
				continue
			}
			busy[r] = true
			running.Go(func() {
				if err := b.serve(ctx, r); err != nil && ctx.Err() == nil {
					b.o.Log.Error("a delivery was not written down; it is repeated when its lease is over", "error", err)
				}
				mu.Lock()
				delete(busy, r)
				mu.Unlock()
				b.nudge()
			})
		}
		working := len(busy) > 0
		mu.Unlock()
		if err != nil && ctx.Err() == nil {
			b.o.Log.Error("cannot read the outbox", "error", err)
		}
		if err != nil || working {
			t.Reset(b.o.Poll)
		} else {
			t.Reset(b.pause(ctx))
		}
	}
}

// look takes away what is long over and returns who has something due, the longest waiting first.
func (b *Box) look(ctx context.Context) ([]recipient, error) {
	if err := b.purge(ctx); err != nil {
		return nil, err
	}
	return b.due(ctx)
}

// sqlReady is the condition that a message may be taken; arguments: now, now, now + the lease. A lease that ends later
// than one taken now would, was taken before the clock was set back, and counts as over.
const sqlReady = `state = 0 AND due <= ? AND (leased <= ? OR leased > ?)`

func (b *Box) ready() []any {
	now := b.o.Now()
	return []any{now.UnixMicro(), now.UnixMicro(), now.Add(b.o.Lease).UnixMicro()}
}

func (b *Box) due(ctx context.Context) ([]recipient, error) {
	rows, err := b.d.Read().QueryContext(ctx, `SELECT person, channel FROM outbox WHERE `+sqlReady+` GROUP BY person, channel ORDER BY min(due) LIMIT 1000`, b.ready()...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []recipient
	for rows.Next() {
		var r recipient
		if err := rows.Scan((*string)(&r.person), (*string)(&r.channel)); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// pause is how long there is nothing to do.
func (b *Box) pause(ctx context.Context) time.Duration {
	var next *int64
	err := b.d.Read().QueryRowContext(ctx, `SELECT min(max(due, leased)) FROM outbox WHERE state = 0`).Scan(&next)
	if err != nil || next == nil {
		return b.o.Poll
	}
	return min(max(time.UnixMicro(*next).Sub(b.o.Now()), time.Millisecond), b.o.Poll)
}

// serve takes what is due for one recipient, packs it, and sends parcel after parcel. After one that could not be
// delivered the rest waits too: it would go the same way.
func (b *Box) serve(ctx context.Context, r recipient) error {
	if ctx.Err() != nil {
		return nil
	}
	parcels, err := b.take(ctx, r)
	if err != nil {
		return err
	}
	for i, p := range parcels {
		wait, err := b.deliver(ctx, r, p)
		if err != nil {
			return err
		}
		if wait > 0 || ctx.Err() != nil {
			return b.d.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
				return b.again(tx, slices.Concat(parcels[i+1:]...), b.o.Now().Add(wait), -1)
			})
		}
	}
	return nil
}

// take leases the due messages of one recipient, or puts them off when the recipient had enough for an hour.
func (b *Box) take(ctx context.Context, r recipient) (out []parcel, err error) {
	err = b.d.Write(ctx, func(tx *db.Tx) error {
		out = nil
		now := b.o.Now()
		lately, opens, err := b.recent(tx, r, now)
		if err != nil {
			return err
		}
		if lately >= b.o.Hourly {
			_, err := tx.Exec(`UPDATE outbox SET due = ? WHERE person = ? AND channel = ? AND state = 0 AND due <= ?`, opens.UnixMicro(), string(r.person), string(r.channel), now.UnixMicro())
			return err
		}
		if out, err = b.pack(tx, r, b.o.Hourly-lately); err != nil {
			return err
		}
		for _, p := range out {
			for _, m := range p {
				if _, err := tx.Exec(`UPDATE outbox SET leased = ?, tries = tries + 1 WHERE key = ?`, now.Add(b.o.Lease).UnixMicro(), m.Key); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return out, err
}

// recent counts the letters of the last hour, and says when the first of them is an hour old.
func (b *Box) recent(tx *db.Tx, r recipient, now time.Time) (letters int, opens time.Time, err error) {
	var first *int64
	err = tx.QueryRow(`SELECT count(DISTINCT batch), min(ended) FROM outbox WHERE person = ? AND channel = ? AND state = 1 AND ended > ? AND ended <= ?`,
		string(r.person), string(r.channel), now.Add(-time.Hour).UnixMicro(), now.UnixMicro()).Scan(&letters, &first)
	if err != nil || first == nil {
		return letters, now, err
	}
	return letters, time.UnixMicro(*first).Add(time.Hour), nil
}

// pack reads what is due and makes at most room parcels of it: a message at once is a parcel of its own, a digest is one
// parcel a rhythm, and when that is more than there is room for, everything is one parcel.
func (b *Box) pack(tx *db.Tx, r recipient, room int) ([]parcel, error) {
	rows, err := tx.Query(`SELECT key, about, rhythm, subject, body, link, made, tries FROM outbox WHERE person = ? AND channel = ? AND `+sqlReady+` ORDER BY made, key LIMIT ?`,
		append(append([]any{string(r.person), string(r.channel)}, b.ready()...), most)...)
	if err != nil {
		return nil, err
	}
	var out []parcel
	var whole parcel
	digests := map[Rhythm]int{}
	for rows.Next() {
		m := item{Message: Message{To: r.person, Channel: r.channel}}
		var made int64
		if err := rows.Scan(&m.Key, &m.About, &m.Rhythm, &m.Subject, &m.Body, &m.Link, &made, &m.tries); err != nil {
			return nil, err
		}
		m.letter = Letter{m.Key, m.Subject, m.Body, m.Link, time.UnixMicro(made).UTC()}
		whole = append(whole, m)
		at, old := digests[m.Rhythm]
		if !old || m.Rhythm == AtOnce {
			at = len(out)
			digests[m.Rhythm] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], m)
	}
	if len(out) > room {
		out = []parcel{whole}
	}
	return out, rows.Err()
}

// deliver sends one parcel, less what the recipient may no longer have, and writes down how it went. wait is above 0
// when it is to be tried again.
func (b *Box) deliver(ctx context.Context, r recipient, p parcel) (wait time.Duration, err error) {
	held, cancel := context.WithTimeout(ctx, b.o.Lease)
	to, kept, gone, fault := b.reach(held, p)
	if fault == nil && len(kept) > 0 {
		fault = b.send(held, r, to, b.letter(r, kept))
	}
	cancel()
	stopped := ctx.Err() != nil
	var again, dead parcel
	for _, m := range kept {
		if Permanent(fault) || m.tries+1 >= b.o.Tries {
			dead = append(dead, m)
		} else {
			again = append(again, m)
			wait = max(wait, b.backoff(m.tries+1))
		}
	}
	// Written down even when ctx has ended: the database is closed after Run returns.
	err = b.d.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		if err := b.end(tx, gone, dropped, ""); err != nil {
			return err
		}
		switch {
		case fault == nil:
			return b.end(tx, kept, sent, "")
		case stopped: // the try does not count
			return b.again(tx, kept, b.o.Now(), -1)
		}
		return errors.Join(b.end(tx, dead, givenUp, fault.Error()), b.again(tx, again, b.o.Now().Add(wait), 0))
	})
	if fault == nil || stopped {
		return 0, err
	}
	b.o.Log.Warn("a message could not be delivered", "person", string(r.person), "channel", string(r.channel), "again", len(again), "given_up", len(dead), "error", fault)
	return wait, err
}

// letter is what goes out for a parcel.
func (b *Box) letter(r recipient, p parcel) Letter {
	if len(p) == 1 {
		return p[0].letter
	}
	var all []Letter
	for _, m := range p {
		all = append(all, m.letter)
	}
	return b.o.Group(r.person, all)
}

// reach asks for each message whether and where its recipient may still have it.
func (b *Box) reach(ctx context.Context, p parcel) (to Address, kept, gone parcel, err error) {
	for _, m := range p {
		a, err := b.o.Directory.Reach(ctx, m.Message)
		switch {
		case errors.Is(err, polder.ErrNotFound):
			gone = append(gone, m)
		case err != nil:
			return Address{}, p, nil, fmt.Errorf("find the recipient: %w", err)
		default:
			to = a
			kept = append(kept, m)
		}
	}
	return to, kept, gone, nil
}

func (b *Box) send(ctx context.Context, r recipient, to Address, l Letter) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b.o.Log.Error("sending a message panicked", "channel", string(r.channel), "panic", p, "stack", string(debug.Stack()))
			err = errors.New("a fault of ours; see the log")
		}
	}()
	s := b.o.Senders[r.channel]
	if s == nil {
		return permanent{fmt.Errorf("%s is not set up on this node", r.channel)}
	}
	return s.Send(ctx, to, l)
}

// end writes down that messages are over, and takes their text away, unless they were given up and may be revived.
func (b *Box) end(tx *db.Tx, p parcel, state int, fault string) error {
	for _, m := range p {
		_, err := tx.Exec(`UPDATE outbox SET state = ?1, ended = ?2, batch = ?3, fault = ?4, leased = 0,
			subject = iif(?1 = 2, subject, ''), body = iif(?1 = 2, body, ''), link = iif(?1 = 2, link, '') WHERE key = ?5 AND state = 0`,
			state, b.o.Now().UnixMicro(), p[0].Key, fault, m.Key)
		if err != nil {
			return err
		}
	}
	return nil
}

// again has messages tried at another time; a try that did not count is taken off.
func (b *Box) again(tx *db.Tx, p parcel, at time.Time, tries int) error {
	for _, m := range p {
		if _, err := tx.Exec(`UPDATE outbox SET leased = 0, due = ?, tries = tries + ? WHERE key = ? AND state = 0`, at.UnixMicro(), tries, m.Key); err != nil {
			return err
		}
	}
	return nil
}

// backoff is the wait after a try that failed: First, then twice as long each time, at most Longest.
func (b *Box) backoff(try int) time.Duration {
	d := b.o.First
	for ; try > 1 && d < b.o.Longest; try-- {
		d *= 2
	}
	return min(d, b.o.Longest)
}

// purge takes away keys of messages that ended long ago.
func (b *Box) purge(ctx context.Context) error {
	before := b.o.Now().Add(-b.o.Keep).UnixMicro()
	var some bool
	err := b.d.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM outbox WHERE state <> 0 AND ended < ?)`, before).Scan(&some)
	if err != nil || !some {
		return err
	}
	return b.d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM outbox WHERE key IN (SELECT key FROM outbox WHERE state <> 0 AND ended < ? LIMIT 1000)`, before)
		return err
	})
}

// list is the plain form of several letters in one.
func list(_ polder.PersonID, letters []Letter) Letter {
	var text strings.Builder
	for i, l := range letters {
		fmt.Fprintf(&text, "%d. %s\n", i+1, l.Subject)
		for _, part := range []string{l.Body, l.Link} {
			if part = strings.TrimSpace(part); part != "" {
				text.WriteString("   " + strings.ReplaceAll(part, "\n", "\n   ") + "\n")
			}
		}
		text.WriteString("\n")
	}
	first := letters[0]
	return Letter{Key: first.Key, Subject: fmt.Sprintf("%d messages, first: %s", len(letters), first.Subject), Body: text.String(), Time: letters[len(letters)-1].Time}
}
