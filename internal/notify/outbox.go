package notify

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Channel is a way to reach a person.
type Channel string

// The channels there are.
const (
	ByMail    Channel = "mail"
	ByWebhook Channel = "webhook"
)

// Rhythm says how soon a message is sent. The zero value is at once.
type Rhythm uint8

// The rhythms there are: at once, with others at the next full hour, with others at the next digest of the day.
const (
	AtOnce Rhythm = iota
	Hourly
	Daily
)

// digestHour is the hour of the day, in the box's zone, at which daily digests go out.
const digestHour = 7

// After is the first moment, not before t, at which a message of this rhythm goes out. zone is that of the reader.
func (r Rhythm) After(t time.Time, zone *time.Location) time.Time {
	switch r {
	case Hourly:
		if full := t.Truncate(time.Hour); !full.Before(t) {
			return full
		}
		return t.Truncate(time.Hour).Add(time.Hour)
	case Daily:
		local := t.In(zone)
		next := time.Date(local.Year(), local.Month(), local.Day(), digestHour, 0, 0, 0, zone)
		if next.Before(t) {
			next = time.Date(local.Year(), local.Month(), local.Day()+1, digestHour, 0, 0, 0, zone)
		}
		return next
	}
	return t
}

// Message is something to tell one person over one channel.
type Message struct {
	Key       string // names it: a second message with the same key is not sent
	To        polder.PersonID
	Channel   Channel
	About     string // what it tells of, as the caller names it: [Box.Forget] takes it back
	Rhythm    Rhythm
	NotBefore time.Time // zero is now
	Subject   string
	Body      string
	Link      string
}

// Directory says, at the moment of delivery, where a person is reached. node plugs it in.
type Directory interface {
	// Reach returns where to send m. [polder.ErrNotFound] means that the person left, ended these messages, or may no
	// longer know what m is about: m is dropped.
	Reach(ctx context.Context, m Message) (Address, error)
}

// Options are the choices of [New]. The zero value of each but Directory is right for a node without mail.
type Options struct {
	Directory Directory
	Senders   map[Channel]Sender
	Zone      *time.Location // of daily digests; nil is UTC

	// Group makes one letter of several to the same person; nil is a plain list in English.
	Group func(to polder.PersonID, letters []Letter) Letter

	Hourly  int           // letters to one person on one channel in an hour; 0 means 20
	Tries   int           // before a message is dead; 0 means 12
	First   time.Duration // the wait after the first failure, doubled each time; 0 means 1 min
	Longest time.Duration // the longest wait; 0 means 4 h
	Lease   time.Duration // how long one delivery may take; 0 means 3 min
	Poll    time.Duration // how long a message of another process may go unnoticed; 0 means 10 s
	Workers int           // persons that are served at the same time; 0 means 4
	Keep    time.Duration // how long the key of an ended message is kept; 0 means 30 days
	Now     func() time.Time
	Log     *slog.Logger
}

func (o Options) filled() Options {
	or(&o.Hourly, 20)
	or(&o.Tries, 12)
	or(&o.First, time.Minute)
	or(&o.Longest, 4*time.Hour)
	or(&o.Lease, 3*time.Minute)
	or(&o.Poll, 10*time.Second)
	or(&o.Workers, 4)
	or(&o.Keep, 30*24*time.Hour)
	or(&o.Zone, time.UTC)
	if o.Group == nil {
		o.Group = list
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// Box is the outbox. Its methods may be called from any goroutine.
type Box struct {
	d    *db.DB
	o    Options
	wake chan struct{}
}

// New makes the outbox of a database. [Box.Run] delivers what is put in.
func New(d *db.DB, o Options) *Box {
	return &Box{d: d, o: o.filled(), wake: make(chan struct{}, 1)}
}

// Migrate brings the table up to date.
func (b *Box) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return b.d.Migrate(ctx, "notify", files)
}

// Enqueue puts a message into the outbox. One with a key that is already there changes nothing, even after delivery.
func (b *Box) Enqueue(tx *db.Tx, m Message) error {
	if m.Key == "" || m.To == "" || m.Channel != ByMail && m.Channel != ByWebhook {
		return errors.New("enqueue a message: it needs a key, a person and a channel")
	}
	now := b.o.Now()
	due := m.NotBefore
	if due.Before(now) {
		due = now
	}
	due = m.Rhythm.After(due, b.o.Zone)
	_, err := tx.Exec(`INSERT INTO outbox (key, person, channel, about, rhythm, subject, body, link, made, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO NOTHING`, m.Key, string(m.To), string(m.Channel), m.About, int(m.Rhythm), m.Subject, m.Body, m.Link, now.UnixMicro(), due.UnixMicro())
	if err != nil {
		return fmt.Errorf("enqueue a message: %w", err)
	}
	tx.OnCommit(b.nudge)
	return nil
}

// Forget drops what is still waiting about something: it was withdrawn or erased. A message that is being sent just now
// may still arrive.
func (b *Box) Forget(tx *db.Tx, about string) error {
	if about == "" {
		return nil
	}
	return b.drop(tx, `UPDATE outbox SET state = 3, ended = ?, subject = '', body = '', link = '' WHERE about = ? AND state IN (0, 2)`, about)
}

// ForgetPerson drops what is still waiting for a person.
func (b *Box) ForgetPerson(tx *db.Tx, p polder.PersonID) error {
	return b.drop(tx, `UPDATE outbox SET state = 3, ended = ?, subject = '', body = '', link = '' WHERE person = ? AND state IN (0, 2)`, string(p))
}

func (b *Box) drop(tx *db.Tx, query, arg string) error {
	if _, err := tx.Exec(query, b.o.Now().UnixMicro(), arg); err != nil {
		return fmt.Errorf("drop messages: %w", err)
	}
	return nil
}

// Dead is a message that was given up.
type Dead struct {
	Message
	Made  time.Time
	Ended time.Time
	Tries int
	Fault string // without any address
}

// Dead lists messages that were given up, the latest first, at most limit. Their text is not among it.
func (b *Box) Dead(ctx context.Context, limit int) ([]Dead, error) {
	rows, err := b.d.Read().QueryContext(ctx, `SELECT key, person, channel, about, rhythm, made, ended, tries, fault FROM outbox WHERE state = 2 ORDER BY ended DESC, key LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Dead
	for rows.Next() {
		var d Dead
		var made, ended int64
		if err := rows.Scan(&d.Key, (*string)(&d.To), (*string)(&d.Channel), &d.About, &d.Rhythm, &made, &ended, &d.Tries, &d.Fault); err != nil {
			return nil, err
		}
		d.Made, d.Ended = time.UnixMicro(made).UTC(), time.UnixMicro(ended).UTC()
		out = append(out, d)
	}
	return out, rows.Err()
}

// Revive has a dead message tried again from now; one that is not dead is [polder.ErrNotFound].
func (b *Box) Revive(tx *db.Tx, key string) error {
	r, err := tx.Exec(`UPDATE outbox SET state = 0, tries = 0, leased = 0, due = ?, fault = '' WHERE key = ? AND state = 2`, b.o.Now().UnixMicro(), key)
	if err != nil {
		return fmt.Errorf("revive a message: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(polder.Errorf(polder.NotFound, "there is no dead message %s", key), err)
	}
	tx.OnCommit(b.nudge)
	return nil
}

func (b *Box) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
