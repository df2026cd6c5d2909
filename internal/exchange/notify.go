package exchange

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// NotifierOptions are what a [Notifier] needs; Site, URL and Senders must be there.
type NotifierOptions struct {
	Site    *web.Site // for the words of the messages
	URL     string    // how people reach the node, for links
	Senders map[notify.Channel]notify.Sender
	Zone    *time.Location // of daily digests; nil is UTC
	Poll    time.Duration  // how long a share of another process may go unnoticed; 0 is a second
	Gather  time.Duration  // how long a look waits for more, so that what comes one by one costs one look; 0 is half a second
}

// Notifier tells people of what is new to them. It is a reader of the journal with a cursor in the database: what was
// looked through is looked through once, and what a cut-off left half done is done again without being sent again.
//
// It reads by the sight of each person that has rules, at that moment, and once more when the message leaves: who lost
// sight, left, or clicked "off" gets nothing, and what was withdrawn in between goes to nobody (X18). What a message
// holds goes by the level: of CLEAR and GREEN the name, the type and the values, defanged; of everything else that
// there is something, at which level, in which community, and where to read it after logging in.
type Notifier struct {
	s   *Service
	o   NotifierOptions
	box *notify.Box
}

// noticesAtOnce is how many messages one rule makes of one look; what is more is one message with the number.
const noticesAtOnce = 50

// NewNotifier makes the notifier of a service; [Service.Run] runs it.
func NewNotifier(s *Service, o NotifierOptions) *Notifier {
	n := &Notifier{s: s, o: o}
	n.o.URL = strings.TrimRight(o.URL, "/")
	if n.o.Gather == 0 {
		n.o.Gather = time.Second / 2
	}
	if n.o.Poll == 0 {
		n.o.Poll = time.Second
	}
	n.box = notify.New(s.db, notify.Options{Directory: n, Senders: o.Senders, Zone: o.Zone, Group: n.group, Now: s.now, Log: s.log})
	s.notifier = n
	return n
}

// Migrate brings the outbox's table up to date.
func (n *Notifier) Migrate(ctx context.Context) error { return n.box.Migrate(ctx) }

// run looks and delivers until ctx ends.
func (n *Notifier) run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.box.Run(ctx); err != nil {
			n.s.log.Error("notifications are no longer delivered", "error", err)
		}
	}()
	t := time.NewTicker(n.o.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		changed := n.s.journal.Changed()
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			n.s.log.Error("cannot look for what to notify of", "error", err)
			changed = nil // the next try is at the next tick
		}
		select {
		case <-changed:
			n.gather(ctx)
		case <-t.C:
		case <-ctx.Done():
		}
	}
	<-done
}

// gather waits a moment, to look once at what comes one by one.
func (n *Notifier) gather(ctx context.Context) {
	t := time.NewTimer(n.o.Gather)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// look finds what is new since the last look and puts the messages into the outbox.
func (n *Notifier) look(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			n.s.log.Error("looking for what to notify of panicked", "panic", p, "stack", string(debug.Stack()))
			err = errors.New("a fault of ours; see the log")
		}
	}()
	top := n.s.journal.Top()
	since, begun, err := notifiedTo(ctx, n.s.db.Read())
	if err != nil || begun && since >= top {
		return err
	}
	if begun { // the first time begins now: nobody is told of the past
		readers, err := n.readers(ctx)
		if err != nil {
			return err
		}
		for _, r := range readers {
			if err := n.tell(ctx, r, since, top); err != nil {
				return err
			}
		}
	}
	return n.s.db.Write(ctx, func(tx *db.Tx) error { return setNotifiedTo(tx, top) })
}

// listener is a person with rules, and what it may see now.
type listener struct {
	rules []Rule
	words web.Words
	sight polder.Sight
}

// readers are those who have rules and may see something.
func (n *Notifier) readers(ctx context.Context) (out []listener, err error) {
	rules, err := enabledRules(ctx, n.s.db.Read())
	if err != nil {
		return nil, err
	}
	for len(rules) > 0 {
		first := rules[0]
		i := slices.IndexFunc(rules, func(r Rule) bool { return r.Person != first.Person })
		if i < 0 {
			i = len(rules)
		}
		mine := rules[:i]
		rules = rules[i:]
		sight, err := n.sightOf(ctx, first)
		if errors.Is(err, polder.ErrNotFound) || err == nil && len(sight.Communities) == 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, listener{mine, n.wordsOf(ctx, first.Person), sight})
	}
	return out, nil
}

// sightOf is what the person of a rule may see now; NotFound for one that has left.
func (n *Notifier) sightOf(ctx context.Context, r Rule) (polder.Sight, error) {
	a, err := n.s.accounts.Refresh(ctx, polder.Actor{Org: r.Org, Person: r.Person})
	if k := polder.KindOf(err); err != nil && (k == polder.Unauthorised || k == polder.NotFound) {
		return polder.Sight{}, polder.Errorf(polder.NotFound, "the person of the notification is gone")
	}
	if err != nil {
		return polder.Sight{}, err
	}
	return n.s.Sight(ctx, a)
}

func (n *Notifier) wordsOf(ctx context.Context, p polder.PersonID) web.Words {
	person, err := n.s.accounts.Person(ctx, p)
	if err != nil {
		return n.o.Site.Words("")
	}
	return n.o.Site.Words(person.Language)
}

// tell puts into the outbox what lies between two numbers and is for one person.
func (n *Notifier) tell(ctx context.Context, l listener, since, top polder.Seq) error {
	made := map[string]int{}
	q := journal.Query{After: since, Before: top + 1, All: true, Limit: 200}
	for {
		page, err := n.s.journal.Page(ctx, l.sight, q)
		if err != nil {
			return err
		}
		var messages []notify.Message
		for _, d := range page.Deliveries {
			q.After = d.Seq
			found, err := n.messages(ctx, l, d, made)
			if err != nil {
				return err
			}
			messages = append(messages, found...)
		}
		if !page.More {
			messages = append(messages, n.rest(l, top, made)...)
		}
		if err := n.enqueue(ctx, messages); err != nil || !page.More {
			return err
		}
	}
}

func (n *Notifier) enqueue(ctx context.Context, messages []notify.Message) error {
	if len(messages) == 0 {
		return nil
	}
	return n.s.db.Write(ctx, func(tx *db.Tx) error {
		for _, m := range messages {
			if err := n.box.Enqueue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// messages are those that one delivery makes for one person; made counts by rule.
func (n *Notifier) messages(ctx context.Context, l listener, d journal.Delivery, made map[string]int) (out []notify.Message, err error) {
	if d.Sharer == l.sight.Org || d.Raw == nil {
		return nil, nil // own shares are no news
	}
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return nil, err
	}
	if o.IsMarkingFree() || o.Type == "identity" {
		return nil, nil // they only serve others
	}
	w := watch(o)
	if slices.ContainsFunc(l.rules, func(r Rule) bool { return r.Kind == RuleSector }) {
		if err := n.addSectors(ctx, l.sight, o, &w); err != nil {
			return nil, err
		}
	}
	for _, r := range l.rules {
		if !r.matches(w) {
			continue
		}
		if made[r.ID]++; made[r.ID] <= noticesAtOnce {
			m, err := n.message(ctx, l.words, r, d, o, w)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// addSectors adds those of the identities that the object refers to, as far as the reader sees them.
func (n *Notifier) addSectors(ctx context.Context, sight polder.Sight, o stix.Object, w *watched) error {
	var ids []string
	for _, r := range o.Refs() {
		if strings.HasPrefix(r.ID, "identity--") && len(ids) < 50 {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	page, err := n.s.journal.Page(ctx, sight, journal.Query{IDs: ids, Limit: 200})
	if err != nil {
		return err
	}
	for _, d := range page.Deliveries {
		if who, err := stix.Parse(d.Raw); err == nil {
			w.sectors = append(w.sectors, watch(who).sectors...)
		}
	}
	return nil
}

// message is what one person is told of one delivery.
func (n *Notifier) message(ctx context.Context, words web.Words, r Rule, d journal.Delivery, o stix.Object, w watched) (notify.Message, error) {
	c, err := n.s.accounts.Community(ctx, string(d.Community))
	if err != nil {
		return notify.Message{}, err
	}
	m := notify.Message{
		Key: noticeKey(d.Seq, r.ID), To: r.Person, Channel: r.Channel, Rhythm: r.Digest, About: aboutDelivery(d.Seq, d.ID),
		Link: n.o.URL + "/notified/" + strconv.FormatInt(int64(d.Seq), 10),
	}
	if d.Level == stix.None || d.Level > stix.Green {
		m.Subject = words.T("exchange.notify.closed", "level", d.Level, "community", c.Name)
		m.Body = words.T("exchange.notify.closed-text")
		return m, nil
	}
	m.Subject = words.T("exchange.notify.open", "name", defanged(title(o)), "community", c.Name)
	lines := []string{words.T("exchange.notify.type", "type", d.Type()), words.T("exchange.notify.level", "level", d.Level)}
	values := slices.Compact(slices.Sorted(slices.Values(w.values)))
	for _, v := range values[:min(len(values), 10)] {
		lines = append(lines, defanged(v))
	}
	m.Body = strings.Join(lines, "\n")
	return m, nil
}

// rest tells of what was too much for single messages.
func (n *Notifier) rest(l listener, top polder.Seq, made map[string]int) (out []notify.Message) {
	for _, r := range l.rules {
		if more := made[r.ID] - noticesAtOnce; more > 0 {
			out = append(out, notify.Message{Key: noticeKey(top, r.ID) + ":more", To: r.Person, Channel: r.Channel, Rhythm: r.Digest, About: "more",
				Subject: l.words.T("exchange.notify.more", "n", more), Link: n.o.URL + "/objects"})
		}
	}
	return out
}

func noticeKey(seq polder.Seq, rule string) string { return fmt.Sprintf("notice:%d:%s", seq, rule) }

// ruleOfKey is the rule in the key of a message.
func ruleOfKey(key string) string {
	parts := strings.Split(key, ":")
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

func aboutDelivery(seq polder.Seq, id string) string {
	return "delivery:" + strconv.FormatInt(int64(seq), 10) + ":" + id
}

// Reach says where to send a message, at the moment at which it leaves; NotFound drops it. It is [notify.Directory].
func (n *Notifier) Reach(ctx context.Context, m notify.Message) (to notify.Address, err error) {
	r, err := readRule(ctx, n.s.db.Read(), ruleOfKey(m.Key))
	if err != nil {
		return to, err
	}
	if !r.Enabled || r.Person != m.To || r.Channel != m.Channel {
		return to, errNoRule
	}
	sight, err := n.sightOf(ctx, r)
	if err != nil {
		return to, err
	}
	if err := n.stillThere(ctx, sight, m); err != nil {
		return to, err
	}
	person, err := n.s.accounts.Person(ctx, r.Person)
	if err != nil {
		return to, err
	}
	return notify.Address{Mail: person.Email, URL: r.Target, Secret: r.Secret, Unsubscribe: n.offLink(r.ID)}, nil
}

// stillThere fails with NotFound when the reader may not see any more what the message is about.
func (n *Notifier) stillThere(ctx context.Context, sight polder.Sight, m notify.Message) error {
	rest, single := strings.CutPrefix(m.About, "delivery:")
	if !single {
		if m.About == "more" && len(sight.Communities) == 0 {
			return errNoRule
		}
		return nil
	}
	number, id, _ := strings.Cut(rest, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return err
	}
	page, err := n.s.journal.Page(ctx, sight, journal.Query{IDs: []string{id}, All: true, After: polder.Seq(seq) - 1, Limit: 1, NoBodies: true})
	if err != nil {
		return err
	}
	if len(page.Deliveries) == 0 || int64(page.Deliveries[0].Seq) != seq {
		return polder.Errorf(polder.NotFound, "what the message is about is no longer there for its reader")
	}
	return nil
}

// group makes one letter of several, in the reader's language, with the way to end each of its rules.
func (n *Notifier) group(to polder.PersonID, letters []notify.Letter) notify.Letter {
	words := n.wordsOf(context.Background(), to)
	var text strings.Builder
	var off []string
	for i, l := range letters {
		fmt.Fprintf(&text, "%d. %s\n", i+1, l.Subject)
		for _, part := range []string{l.Body, l.Link} {
			if part = strings.TrimSpace(part); part != "" {
				text.WriteString("   " + strings.ReplaceAll(part, "\n", "\n   ") + "\n")
			}
		}
		text.WriteString("\n")
		if link := n.offLink(ruleOfKey(l.Key)); !slices.Contains(off, link) {
			off = append(off, link)
		}
	}
	if len(off) > 1 {
		text.WriteString(words.T("exchange.notify.off-each") + "\n" + strings.Join(off, "\n") + "\n")
	}
	return notify.Letter{Key: letters[0].Key, Subject: words.T("exchange.notify.digest", "n", len(letters)), Body: text.String(), Time: letters[len(letters)-1].Time}
}

// forgetNotices drops what waits about deliveries that are taken out (X18).
func (s *Service) forgetNotices(tx *db.Tx, id string, seqs []polder.Seq) error {
	if s.notifier == nil {
		return nil
	}
	for _, seq := range seqs {
		if err := s.notifier.box.Forget(tx, aboutDelivery(seq, id)); err != nil {
			return err
		}
	}
	return nil
}

// Notified is the delivery that a message's link leads to, as the actor sees it now.
func (s *Service) Notified(ctx context.Context, a polder.Actor, seq polder.Seq) (journal.Delivery, error) {
	sight, err := s.Sight(ctx, a)
	if err != nil {
		return journal.Delivery{}, err
	}
	page, err := s.journal.Page(ctx, sight, journal.Query{All: true, After: seq - 1, Before: seq + 1, Limit: 1})
	if err != nil {
		return journal.Delivery{}, err
	}
	if len(page.Deliveries) == 0 {
		return journal.Delivery{}, polder.Errorf(polder.NotFound, "what the message told of is not there any more, or not for you")
	}
	return page.Deliveries[0], nil
}
