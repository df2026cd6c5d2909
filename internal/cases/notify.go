package cases

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// NotifierOptions are what a [Notifier] needs; all but Poll and Log must be there.
type NotifierOptions struct {
	Service  *Service
	Accounts *accounts.Service
	Outbox   *db.DB    // where messages wait; of its own: an outbox has one directory of recipients
	Site     *web.Site // for the words of the messages
	URL      string    // how people reach the node, for links
	Senders  map[notify.Channel]notify.Sender
	Poll     time.Duration // how often it looks for reports that wait; 0 is a minute
	Log      *slog.Logger
}

// Notifier tells people by mail that something waits for them: a report at a desk for which they read, a deadline of a
// case on which they work. A message says that it waits, never what a report holds, and names a case only up to
// TLP:GREEN. Of a report they are told when its hour is over, so that no message tells when it came. Whether somebody may
// still be told is asked once more when the message leaves.
type Notifier struct {
	o   NotifierOptions
	box *notify.Box
}

// NewNotifier makes the notifier; [Notifier.Run] runs it.
func NewNotifier(o NotifierOptions) *Notifier {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Poll == 0 {
		o.Poll = time.Minute
	}
	o.URL = strings.TrimRight(o.URL, "/")
	n := &Notifier{o: o}
	n.box = notify.New(o.Outbox, notify.Options{Directory: n, Senders: o.Senders, Group: n.group, Now: o.Service.o.Now, Log: o.Log})
	return n
}

// Migrate brings the outbox up to date.
func (n *Notifier) Migrate(ctx context.Context) error { return n.box.Migrate(ctx) }

// notifyAtOnce is of how many reports one look tells.
const notifyAtOnce = 500

// Run looks for reports that wait and delivers until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.box.Run(ctx); err != nil {
			n.o.Log.Error("messages about reports and deadlines are no longer delivered", "error", err)
		}
	}()
	t := time.NewTicker(n.o.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			n.o.Log.Error("cannot look for reports that wait", "error", err)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	<-done
}

// look tells the readers of the reports that nobody has acknowledged. Telling twice is telling once: a message has a key.
func (n *Notifier) look(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			n.o.Log.Error("looking for reports that wait panicked", "panic", p, "stack", string(debug.Stack()))
			err = errors.New("a fault of ours; see the log")
		}
	}()
	waiting, err := reportsWaiting(n.o.Service.committed(ctx), n.o.Service.o.Now(), notifyAtOnce)
	if err != nil || len(waiting) == 0 {
		return err
	}
	return n.o.Outbox.Write(ctx, func(tx *db.Tx) error {
		for _, w := range waiting {
			words := n.wordsOf(ctx, w.Person)
			err := n.box.Enqueue(tx, notify.Message{
				Key: "report:" + w.Report + ":" + string(w.Person), To: w.Person, Channel: notify.ByMail, About: aboutDesk + w.Desk,
				Subject: words.T("cases.notify.report", "desk", w.Name), Body: words.T("cases.notify.report-text"), Link: n.o.URL + "/cases/reports",
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// What a message is about, before the alias or the id.
const (
	aboutDesk = "desk "
	aboutCase = "case "
)

// Remind puts a reminder into the outbox. It is [Reminder].
func (n *Notifier) Remind(tx *db.Tx, r DeadlineReminder) error {
	ctx := tx.Context()
	return n.o.Outbox.Write(ctx, func(out *db.Tx) error {
		for _, p := range r.People {
			if err := n.box.Enqueue(out, n.reminder(n.wordsOf(ctx, p), p, r)); err != nil {
				return err
			}
		}
		return nil
	})
}

// reminder is what one person is told of a deadline.
func (n *Notifier) reminder(words web.Words, to polder.PersonID, r DeadlineReminder) notify.Message {
	m := notify.Message{Key: "deadline:" + r.Key + ":" + string(to), To: to, Channel: notify.ByMail, About: aboutCase + string(r.Case), Link: n.o.URL + "/cases/" + string(r.Case)}
	if r.Level > stix.Green {
		m.Subject, m.Body = words.T("cases.notify.due-closed"), words.T("cases.notify.due-closed-text")
		return m
	}
	d := r.Deadline
	what := d.What
	if words.Lang() == "nl" && d.WhatNL != "" {
		what = d.WhatNL
	}
	m.Subject = deadlineCapital(words.T("cases.notify.due", "what", what, "regulation", d.Regulation, "when", deadlineWhen(words, d.Due)))
	m.Body = words.T("cases.notify.due-text", "case", web.Visible(d.CaseTitle), "article", d.Article, "recipient", d.Recipient)
	return m
}

// Reach says where to send a message, at the moment at which it leaves; NotFound drops it. It is [notify.Directory].
func (n *Notifier) Reach(ctx context.Context, m notify.Message) (notify.Address, error) {
	gone := polder.Errorf(polder.NotFound, "this person is not told of it any more")
	person, err := n.o.Accounts.Person(ctx, m.To)
	if err != nil {
		return notify.Address{}, err
	}
	if person.Disabled || m.Channel != notify.ByMail {
		return notify.Address{}, gone
	}
	still, err := n.still(ctx, m, person.Org)
	if err == nil && !still {
		err = gone
	}
	return notify.Address{Mail: person.Email}, err
}

// still tells whether what a message is about still concerns its reader, who is of an organisation now.
func (n *Notifier) still(ctx context.Context, m notify.Message, org polder.OrgID) (bool, error) {
	q := n.o.Service.committed(ctx)
	if alias, about := strings.CutPrefix(m.About, aboutDesk); about {
		d, err := anyDesk(q, alias)
		if err != nil || d == nil || d.Org != org {
			return false, err
		}
		reading, err := deskReading(q, alias)
		return slices.ContainsFunc(reading, func(r deskReaderRow) bool { return r.person == m.To }), err
	}
	id := CaseID(strings.TrimPrefix(m.About, aboutCase))
	c, err := readCase(q, id)
	if err != nil || c.Org != org {
		return false, err
	}
	workers, err := caseWorkers(q, id)
	return slices.Contains(workers, m.To), err
}

// group makes one letter of several.
func (n *Notifier) group(to polder.PersonID, letters []notify.Letter) notify.Letter {
	words := n.wordsOf(context.Background(), to)
	var text strings.Builder
	for i, l := range letters {
		fmt.Fprintf(&text, "%d. %s\n   %s\n\n", i+1, l.Subject, l.Link)
	}
	last := letters[len(letters)-1]
	return notify.Letter{Key: letters[0].Key, Subject: words.T("cases.notify.several", "n", len(letters)), Body: text.String(), Link: n.o.URL + "/cases", Time: last.Time}
}

func (n *Notifier) wordsOf(ctx context.Context, p polder.PersonID) web.Words {
	person, err := n.o.Accounts.Person(ctx, p)
	if err != nil {
		return n.o.Site.Words("")
	}
	return n.o.Site.Words(person.Language)
}
