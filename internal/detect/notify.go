package detect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
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

// Notice is what one person wants to be told of: new alerts of its organisation from a level on, over one channel, at
// once or as a digest.
type Notice struct {
	ID      string
	Person  polder.PersonID
	Org     polder.OrgID
	Level   Level // and above
	Channel notify.Channel
	Target  string // of a webhook or a log server
	Secret  []byte // the webhook's, for its signature
	Digest  notify.Rhythm
	Enabled bool
	Made    time.Time
}

// maxNotices is how many one person has at most.
const maxNotices = 20

// noticesAtOnce is how many messages one look makes for one person; what is more is one message with the number.
const noticesAtOnce = 20

// check puts the notice into its kept form, or says what must be mended.
func (n *Notice) check() error {
	if _, err := ParseLevel(string(n.Level)); err != nil {
		return err
	}
	if n.Digest > notify.Daily {
		return polder.Errorf(polder.Invalid, "digest: use now, hourly or daily")
	}
	n.Target = strings.TrimSpace(n.Target)
	u, err := url.Parse(n.Target)
	whole := err == nil && u.Host != "" && u.User == nil && len(n.Target) <= 1000
	switch n.Channel {
	case notify.ByMail:
		n.Target = ""
	case notify.ByWebhook:
		if !whole || u.Scheme != "https" && u.Scheme != "http" {
			return polder.Errorf(polder.Invalid, "target: write the whole address of the webhook, such as https://chat.example/hooks/1")
		}
	case notify.BySyslog:
		if !whole || !slices.Contains(notify.SyslogSchemes, u.Scheme) || u.Port() == "" {
			return polder.Errorf(polder.Invalid, "target: write the address of the log server with its port, such as syslog+tls://logs.example:6514")
		}
	default:
		return polder.Errorf(polder.Invalid, "channel: use mail, webhook or syslog")
	}
	return nil
}

// NotifierOptions are what a [Notifier] needs; Service, Accounts, Outbox, Site, URL, Secret and Senders must be there.
type NotifierOptions struct {
	Service  *Service
	Accounts *accounts.Service
	Outbox   *db.DB    // where messages wait; of its own: an outbox has one directory of recipients
	Site     *web.Site // for the words of the messages
	URL      string    // how people reach the node, for links
	Secret   []byte    // for the addresses that switch a notification off
	Senders  map[notify.Channel]notify.Sender
	Zone     *time.Location // of daily digests; nil is UTC
	Poll     time.Duration  // how long something may go unnoticed; 0 is two seconds
	Log      *slog.Logger
}

// Notifier tells people of new alerts of their organisation. It follows the groups with a cursor of its own, so what a
// cut-off left half done is done again without being sent again. Who may be told is asked when the message is made and
// once more when it leaves: who left, lost its role or clicked "off" gets nothing, and of an indicator that was
// withdrawn in between nobody is told.
//
// What a message holds goes by the level of the knowledge: of one's own rules and of CLEAR and GREEN objects the title;
// of everything else that there is an alert, how severe, and where to read it after logging in. No message ever holds a
// host, an account, a value or an event: telemetry does not leave the node.
type Notifier struct {
	o   NotifierOptions
	box *notify.Box
}

// NewNotifier makes the notifier; [Notifier.Run] runs it.
func NewNotifier(o NotifierOptions) *Notifier {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Poll, 2*time.Second)
	o.URL = strings.TrimRight(o.URL, "/")
	n := &Notifier{o: o}
	n.box = notify.New(o.Outbox, notify.Options{Directory: n, Senders: o.Senders, Zone: o.Zone, Group: n.group, Now: o.Service.o.Now, Log: o.Log})
	return n
}

// Migrate brings the outbox up to date.
func (n *Notifier) Migrate(ctx context.Context) error { return n.box.Migrate(ctx) }

// toldCursor names the last group of which people were told.
const toldCursor = "told"

// Run looks for what is new and delivers until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.box.Run(ctx); err != nil {
			n.o.Log.Error("notifications of alerts are no longer delivered", "error", err)
		}
	}()
	t := time.NewTicker(n.o.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		changed := n.o.Service.Changed()
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			n.o.Log.Error("cannot look for alerts to notify of", "error", err)
			changed = nil // the next try is at the next tick
		}
		select {
		case <-changed:
		case <-t.C:
		case <-ctx.Done():
		}
	}
	<-done
}

// look tells everybody of the groups that are new since the last look.
func (n *Notifier) look(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			n.o.Log.Error("looking for alerts to notify of panicked", "panic", p, "stack", string(debug.Stack()))
			err = errors.New("a fault of ours; see the log")
		}
	}()
	s := n.o.Service
	told, err := cursor(ctx, s.o.DB.Read(), toldCursor)
	if err != nil {
		return err
	}
	groups, err := groupsSince(ctx, s.o.DB.Read(), told, 500)
	if err != nil || len(groups) == 0 {
		return err
	}
	notices, err := enabledNotices(ctx, s.o.DB.Read())
	if err != nil {
		return err
	}
	for _, r := range notices {
		if err := n.tell(ctx, r, groups); err != nil {
			return err
		}
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error { return setCursor(tx, toldCursor, groups[len(groups)-1].N) })
}

// tell puts into the outbox what one notice says of some groups.
func (n *Notifier) tell(ctx context.Context, r Notice, groups []Group) error {
	var mine []Group
	for _, g := range groups {
		if g.Org == r.Org && g.State == StateNew && g.Level.rank() >= r.Level.rank() {
			mine = append(mine, g)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	by, err := n.actor(ctx, r)
	if errors.Is(err, polder.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	shown, err := n.o.Service.show(ctx, by, mine)
	if err != nil {
		return err
	}
	words := n.wordsOf(ctx, r.Person)
	var out []notify.Message
	for i, g := range shown {
		if i == noticesAtOnce {
			out = append(out, notify.Message{Key: noticeKey("more-"+g.ID, r.ID), To: r.Person, Channel: r.Channel, Rhythm: r.Digest, About: "more",
				Subject: words.T("detect.notify.more", "n", len(shown)-i), Link: n.o.URL + "/alerts"})
			break
		}
		out = append(out, n.message(words, r, g))
	}
	return n.o.Outbox.Write(ctx, func(tx *db.Tx) error {
		for _, m := range out {
			if err := n.box.Enqueue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// message is what one person is told of one group.
func (n *Notifier) message(words web.Words, r Notice, g Shown) notify.Message {
	m := notify.Message{Key: noticeKey(g.ID, r.ID), To: r.Person, Channel: r.Channel, Rhythm: r.Digest, About: "alert " + g.ID, Link: n.o.URL + "/alerts/" + g.ID}
	level := words.T("detect.level." + string(g.Level))
	if g.Hidden || g.TLP() > stix.Green {
		m.Subject = words.T("detect.notify.closed", "level", level)
		m.Body = words.T("detect.notify.closed-text")
		return m
	}
	m.Subject = words.T("detect.notify.open", "level", level, "title", web.Visible(web.Defang(g.Title)))
	m.Body = words.T("detect.notify.open-text", "kind", words.T("detect.kind."+string(g.Kind)))
	return m
}

func noticeKey(what, notice string) string { return "alert:" + what + ":" + notice }

// noticeOfKey is the notice in the key of a message.
func noticeOfKey(key string) string { return key[strings.LastIndexByte(key, ':')+1:] }

// actor is the person of a notice as it is now; NotFound when it left the organisation or may not read alerts any more.
func (n *Notifier) actor(ctx context.Context, r Notice) (polder.Actor, error) {
	a, err := n.o.Accounts.Refresh(ctx, polder.Actor{Org: r.Org, Person: r.Person})
	if kind := polder.KindOf(err); err != nil && (kind == polder.Unauthorised || kind == polder.NotFound) {
		return a, errNoNotice
	}
	if err == nil && (a.Org != r.Org || may(a, polder.RoleReader) != nil) {
		err = errNoNotice
	}
	return a, err
}

func (n *Notifier) wordsOf(ctx context.Context, p polder.PersonID) web.Words {
	person, err := n.o.Accounts.Person(ctx, p)
	if err != nil {
		return n.o.Site.Words("")
	}
	return n.o.Site.Words(person.Language)
}

// Reach says where to send a message, at the moment at which it leaves; NotFound drops it. It is [notify.Directory].
func (n *Notifier) Reach(ctx context.Context, m notify.Message) (to notify.Address, err error) {
	r, err := readNotice(ctx, n.o.Service.o.DB.Read(), noticeOfKey(m.Key))
	if err != nil {
		return to, err
	}
	if !r.Enabled || r.Person != m.To || r.Channel != m.Channel {
		return to, errNoNotice
	}
	by, err := n.actor(ctx, r)
	if err != nil {
		return to, err
	}
	if id, single := strings.CutPrefix(m.About, "alert "); single {
		sheet, err := n.o.Service.Alert(ctx, by, id)
		if err != nil {
			return to, err
		}
		if sheet.Hidden || sheet.State == StateSuppressed {
			return to, errNoNotice
		}
	}
	person, err := n.o.Accounts.Person(ctx, r.Person)
	if err != nil {
		return to, err
	}
	return notify.Address{Mail: person.Email, URL: r.Target, Secret: r.Secret, Unsubscribe: n.offLink(r.ID)}, nil
}

// group makes one letter of several, in the reader's language, with the way to end each notice.
func (n *Notifier) group(to polder.PersonID, letters []notify.Letter) notify.Letter {
	words := n.wordsOf(context.Background(), to)
	var text strings.Builder
	var off []string
	for i, l := range letters {
		fmt.Fprintf(&text, "%d. %s\n   %s\n\n", i+1, l.Subject, l.Link)
		if link := n.offLink(noticeOfKey(l.Key)); !slices.Contains(off, link) {
			off = append(off, link)
		}
	}
	text.WriteString(words.T("detect.notify.off") + "\n" + strings.Join(off, "\n") + "\n")
	return notify.Letter{Key: letters[0].Key, Subject: words.T("detect.notify.digest", "n", len(letters)), Body: text.String(), Link: n.o.URL + "/alerts", Time: letters[len(letters)-1].Time}
}

// offKind keeps the tokens of alerts apart from those of objects.
const offKind = "alert notification off"

// offToken turns one notice off, without a log-in, and does nothing else.
func (n *Notifier) offToken(notice string) string {
	return notify.OffToken(n.o.Secret, offKind, notice)
}

func (n *Notifier) offLink(notice string) string { return n.o.URL + "/alert-off/" + n.offToken(notice) }

// noticeOfToken is the notice that a token turns off. Tokens that were made up and notices that are gone are one
// NotFound.
func (n *Notifier) noticeOfToken(ctx context.Context, token string) (Notice, error) {
	id, ok := notify.OffID(n.o.Secret, offKind, token)
	if !ok {
		return Notice{}, errNoNotice
	}
	return readNotice(ctx, n.o.Service.o.DB.Read(), id)
}

// Off turns the notice of a token off. Twice is once.
func (n *Notifier) Off(ctx context.Context, token string) error {
	r, err := n.noticeOfToken(ctx, token)
	if err != nil {
		return err
	}
	return n.o.Service.o.DB.Write(ctx, func(tx *db.Tx) error { return switchNotice(tx, r.ID, false) })
}

var errOnlyPeople = polder.Errorf(polder.Forbidden, "notifications are for people; log in as one")

// Notices are those of the person that asks.
func (n *Notifier) Notices(ctx context.Context, a polder.Actor) ([]Notice, error) {
	if a.Person == "" {
		return nil, errOnlyPeople
	}
	return noticesOf(ctx, n.o.Service.o.DB.Read(), a.Person)
}

// AddNotice adds a notice for the person that asks. Each webhook has a secret of its own, shown once.
func (n *Notifier) AddNotice(ctx context.Context, a polder.Actor, r Notice) (Notice, error) {
	if a.Person == "" {
		return r, errOnlyPeople
	}
	if err := may(a, polder.RoleReader); err != nil {
		return r, err
	}
	if err := r.check(); err != nil {
		return r, err
	}
	if n.o.Senders[r.Channel] == nil {
		return r, polder.Errorf(polder.Invalid, "channel: %s is not set up on this node; ask its administrator", r.Channel)
	}
	r.ID, r.Person, r.Org, r.Enabled, r.Made = strings.ToLower(rand.Text()), a.Person, a.Org, true, n.o.Service.o.Now().UTC()
	r.Secret = nil
	if r.Channel == notify.ByWebhook {
		r.Secret = []byte(rand.Text())
	}
	return r, n.o.Service.o.DB.Write(ctx, func(tx *db.Tx) error {
		held, err := noticesOfTx(tx, a.Person)
		if err != nil {
			return err
		}
		if len(held) >= maxNotices {
			return polder.Errorf(polder.Conflict, "you have %d notifications of alerts; delete one first", len(held))
		}
		return insertNotice(tx, r)
	})
}

// DeleteNotice deletes a notice of the person that asks.
func (n *Notifier) DeleteNotice(ctx context.Context, a polder.Actor, id string) error {
	return n.onOwn(ctx, a, id, func(tx *db.Tx) error { return removeNotice(tx, id) })
}

// SwitchNotice turns a notice of the person that asks on or off.
func (n *Notifier) SwitchNotice(ctx context.Context, a polder.Actor, id string, on bool) error {
	return n.onOwn(ctx, a, id, func(tx *db.Tx) error { return switchNotice(tx, id, on) })
}

func (n *Notifier) onOwn(ctx context.Context, a polder.Actor, id string, do func(*db.Tx) error) error {
	r, err := readNotice(ctx, n.o.Service.o.DB.Read(), id)
	if err != nil {
		return err
	}
	if a.Person == "" || r.Person != a.Person {
		return errNoNotice
	}
	return n.o.Service.o.DB.Write(ctx, do)
}
