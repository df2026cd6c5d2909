package detect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

// kept is a sender that keeps what it sends.
type kept struct {
	mu      sync.Mutex
	letters []notify.Letter
	to      []notify.Address
}

func (k *kept) Send(_ context.Context, to notify.Address, l notify.Letter) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.letters, k.to = append(k.letters, l), append(k.to, to)
	return nil
}

func (k *kept) sent() []notify.Letter {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.letters)
}

// noticeWorld has two people of one organisation, a reader and an administrator, and one of another.
type noticeWorld struct {
	*alertWorld
	n          *Notifier
	mail, hook *kept
	people     map[string]polder.Actor
	org        orgID
}

func newNoticeWorld(t *testing.T) *noticeWorld {
	t.Helper()
	w := &noticeWorld{alertWorld: newAlertWorld(t), mail: &kept{}, hook: &kept{}, people: map[string]polder.Actor{}}
	ctx := t.Context()
	_, err := w.accounts.Init(ctx, "Node", "NL")
	noErr(t, err)
	for _, p := range []struct {
		org, name string
		role      polder.Role
	}{{"one", "ann", polder.RoleReader}, {"one", "bob", polder.RoleReader}, {"two", "cas", polder.RoleSteward}} {
		id := w.people[p.org].Org
		if id == "" {
			o, err := w.accounts.AddOrg(ctx, accounts.Local(), accounts.NewOrg{Name: p.org})
			noErr(t, err)
			id = o.ID
			w.people[p.org] = polder.Actor{Org: id}
		}
		person, _, err := w.accounts.AddPerson(ctx, accounts.Local(), accounts.NewPerson{Org: id, Email: p.name + "@example.com", Name: p.name, Role: p.role})
		noErr(t, err)
		w.people[p.name] = polder.Actor{Org: id, Person: person.ID, Name: p.name, Role: p.role}
	}
	w.org = w.people["one"].Org
	site, err := web.New(web.Options{}, Part())
	noErr(t, err)
	w.n = NewNotifier(NotifierOptions{Service: w.Service, Accounts: w.accounts, Outbox: w.db, Site: site, URL: "https://node.example/", Secret: []byte("secret"), Poll: 10 * time.Millisecond,
		Senders: map[notify.Channel]notify.Sender{notify.ByMail: w.mail, notify.ByWebhook: w.hook}})
	noErr(t, w.n.Migrate(ctx))
	return w
}

// add gives a person a notice.
func (w *noticeWorld) add(who string, n Notice) Notice {
	w.t.Helper()
	if n.Channel == "" {
		n.Channel = notify.ByMail
	}
	added, err := w.n.AddNotice(w.t.Context(), w.people[who], n)
	noErr(w.t, err)
	return added
}

// deliver looks once and delivers for a moment.
func (w *noticeWorld) deliver(want int) []notify.Letter {
	w.t.Helper()
	noErr(w.t, w.n.look(w.t.Context()))
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.n.box.Run(ctx) }()
	waiting := func() (n int) {
		noErr(w.t, w.db.Read().QueryRow(`SELECT count(*) FROM outbox WHERE state = 0 AND due <= ?`, w.pass(0).UnixMicro()).Scan(&n))
		return n
	}
	until(w.t, "the outbox", func() bool { return waiting() == 0 })
	cancel()
	<-done
	got := append(w.mail.sent(), w.hook.sent()...)
	if len(got) != want {
		w.t.Errorf("%d letters went out, want %d: %+v", len(got), want, got)
	}
	return got
}

// TestNoticeBody: people are told from their level on, once, and a letter never holds a host, an account, a value or an
// event; of what is shared above GREEN not even the title.
func TestNoticeBody(t *testing.T) {
	w := newNoticeWorld(t)
	w.add("ann", Notice{Level: High})
	w.add("bob", Notice{Level: Critical})
	w.add("cas", Notice{Level: Informational})
	low := w.found(9)
	low.ID, low.Level, low.Title = "low rule", Low, "Low one"
	_, err := w.Record(t.Context(), w.org, []Finding{w.found(1), w.found(2), w.hit(1), low})
	noErr(t, err)
	letters := w.deliver(2)
	all := fmt.Sprintf("%+v", letters)
	for _, inside := range []string{"WS-041", "10.41.7.114", "s.dewit", "7z", "klepwerk", "Low one", "EventID"} {
		if strings.Contains(all, inside) {
			t.Errorf("a letter holds %q: %s", inside, all)
		}
	}
	if !strings.Contains(all, "High: Archive made before upload") || !strings.Contains(all, "An alert: High") || !strings.Contains(all, "https://node.example/alerts/") {
		t.Errorf("the letters are %s", all)
	}
	for _, to := range w.mail.to {
		if to.Mail != "ann@example.com" || !strings.HasPrefix(to.Unsubscribe, "https://node.example/alert-off/") {
			t.Errorf("sent to %+v", to)
		}
	}
	w.deliver(2) // nothing new, nothing sent again
}

// TestNoticeStops: who left, switched off, or whose object was withdrawn or alert suppressed meanwhile gets nothing.
func TestNoticeStops(t *testing.T) {
	for _, c := range []struct {
		why  string
		stop func(w *noticeWorld, n Notice, g Group)
	}{
		{"the person left", func(w *noticeWorld, n Notice, _ Group) {
			noErr(w.t, w.accounts.Disable(w.t.Context(), accounts.Local(), n.Person))
		}},
		{"the person became administrator and reads no alerts", func(w *noticeWorld, n Notice, _ Group) {
			noErr(w.t, w.accounts.SetRole(w.t.Context(), accounts.Local(), n.Person, polder.RoleAdmin))
		}},
		{"one click", func(w *noticeWorld, n Notice, _ Group) {
			noErr(w.t, w.n.Off(w.t.Context(), w.n.offToken(n.ID)))
			noErr(w.t, w.n.Off(w.t.Context(), w.n.offToken(n.ID)))
		}},
		{"deleted", func(w *noticeWorld, n Notice, _ Group) {
			noErr(w.t, w.n.DeleteNotice(w.t.Context(), w.people["ann"], n.ID))
		}},
		{"the indicator was withdrawn", func(w *noticeWorld, _ Notice, g Group) { w.exchange.withdraw(g.Rule) }},
		{"it was suppressed", func(w *noticeWorld, _ Notice, g Group) {
			by := w.as(w.org, polder.RoleContributor)
			_, err := w.Suppress(w.t.Context(), by, Suppression{Rule: g.Rule, Scope: ScopeHost, Value: g.Host, Reason: "a test", Until: w.pass(0).Add(time.Hour)}, g.ID)
			noErr(w.t, err)
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := newNoticeWorld(t)
			n := w.add("ann", Notice{Level: Low})
			_, err := w.Record(t.Context(), w.org, []Finding{w.hit(1)})
			noErr(t, err)
			g, err := readGroupOf(t.Context(), w.db, alertID(w.org, w.hit(1)))
			noErr(t, err)
			noErr(t, w.n.look(t.Context())) // the message waits
			c.stop(w, n, g)
			w.deliver(0)
		})
	}
}

// TestNoticeDigest: a digest waits for its hour and comes as one letter; a flood is one letter with the number.
func TestNoticeDigest(t *testing.T) {
	w := newNoticeWorld(t)
	w.add("ann", Notice{Level: Low, Digest: notify.Hourly})
	var all []Finding
	for i := range 25 {
		f := w.found(i)
		f.ID = fmt.Sprintf("rule-%d", i)
		all = append(all, f)
	}
	w.pass(10 * time.Minute)
	_, err := w.Record(t.Context(), w.org, all)
	noErr(t, err)
	w.deliver(0)
	w.pass(time.Hour)
	got := w.deliver(1)
	if len(got) == 1 && (!strings.Contains(got[0].Subject, "21 alerts") || !strings.Contains(got[0].Body, "5 more alerts") || !strings.Contains(got[0].Body, "/alert-off/")) {
		t.Errorf("the digest is %+v", got[0])
	}
}

func TestNoticeChecks(t *testing.T) {
	w := newNoticeWorld(t)
	ann := w.people["ann"]
	for _, c := range []struct {
		why  string
		by   polder.Actor
		n    Notice
		kind polder.Kind
	}{
		{"no level", ann, Notice{Channel: notify.ByMail}, polder.Invalid},
		{"no channel", ann, Notice{Level: High}, polder.Invalid},
		{"a webhook without an address", ann, Notice{Level: High, Channel: notify.ByWebhook}, polder.Invalid},
		{"a webhook with a password in its address", ann, Notice{Level: High, Channel: notify.ByWebhook, Target: "https://a:b@chat.example/"}, polder.Invalid},
		{"a log server without a port", ann, Notice{Level: High, Channel: notify.BySyslog, Target: "syslog+tls://logs.example"}, polder.Invalid},
		{"a channel that this node has not", ann, Notice{Level: High, Channel: notify.BySyslog, Target: "syslog+tls://logs.example:6514"}, polder.Invalid},
		{"a rhythm that is none", ann, Notice{Level: High, Channel: notify.ByMail, Digest: 9}, polder.Invalid},
		{"a token", polder.Actor{Org: w.org, Token: "t", Role: polder.RoleReader}, Notice{Level: High, Channel: notify.ByMail}, polder.Forbidden},
		{"who reads no alerts", polder.Actor{Org: w.org, Person: "p", Role: polder.RoleAdmin}, Notice{Level: High, Channel: notify.ByMail}, polder.Forbidden},
	} {
		if _, err := w.n.AddNotice(t.Context(), c.by, c.n); err == nil || polder.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	hook := w.add("ann", Notice{Level: High, Channel: notify.ByWebhook, Target: "https://chat.example/hooks/1"})
	if len(hook.Secret) < 20 {
		t.Error("a webhook has no secret of its own")
	}
	for _, do := range []func() error{
		func() error { return w.n.DeleteNotice(t.Context(), w.people["bob"], hook.ID) },
		func() error { return w.n.SwitchNotice(t.Context(), w.people["bob"], hook.ID, false) },
		func() error { return w.n.Off(t.Context(), hook.ID+".made-up") },
		func() error { return w.n.Off(t.Context(), "") },
	} {
		if err := do(); polder.KindOf(err) != polder.NotFound {
			t.Errorf("another's notice: %v", err)
		}
	}
	for range maxNotices - 1 {
		w.add("ann", Notice{Level: High})
	}
	if _, err := w.n.AddNotice(t.Context(), ann, Notice{Level: High, Channel: notify.ByMail}); polder.KindOf(err) != polder.Conflict {
		t.Errorf("one too many: %v", err)
	}
}
