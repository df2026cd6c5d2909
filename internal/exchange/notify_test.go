package exchange

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/notify/notifytest"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// office is a world with a mail server.
type office struct {
	*world
	*Notifier
	t    *testing.T // shadows the world's
	post *notifytest.Server
}

// noticeWords are the texts of messages, as short as can be.
const noticeWords = `exchange.notify.open = {name} in {community}
exchange.notify.closed = {level} in {community}
exchange.notify.closed-text = Log in to read it.
exchange.notify.type = Type: {type}
exchange.notify.level = Level: {level}
exchange.notify.more.one = {n} more
exchange.notify.more.other = {n} more
exchange.notify.digest.one = {n} message
exchange.notify.digest.other = {n} messages
exchange.notify.off-each = Off:
exchange.notify.test = A test
exchange.notify.test-text = It works.
`

func newOffice(t *testing.T) *office {
	t.Helper()
	w := newWorld(t)
	post := notifytest.New(t, nil)
	words := fstest.MapFS{"locale/en.txt": {Data: []byte(noticeWords)}, "locale/nl.txt": {Data: []byte(noticeWords)}}
	site, err := web.New(web.Options{}, web.Part{Name: "exchange", Files: words})
	ok(t, err)
	n := NewNotifier(w.Service, NotifierOptions{Site: site, URL: "https://node.example/", Senders: map[notify.Channel]notify.Sender{
		notify.ByMail: &notify.Mail{Server: post.Addr, Roots: post.Roots, From: mail.Address{Address: "polder@node.example"}, Now: w.Service.now},
	}})
	ok(t, n.Migrate(t.Context()))
	ok(t, n.look(t.Context())) // from now on
	return &office{w, n, t, post}
}

// person is one of an organisation, and its one rule.
func (o *office) person(org string, role polder.Role, r Rule) (polder.Actor, Rule) {
	o.t.Helper()
	p, _, err := o.accounts.AddPerson(o.t.Context(), accounts.Local(), accounts.NewPerson{Org: o.orgs[org].ID, Email: fmt.Sprintf("%s.%s@mail.example", org, r.Kind), Role: role})
	ok(o.t, err)
	a := polder.Actor{Org: p.Org, Person: p.ID, Role: role}
	r.Channel = notify.ByMail
	r, err = o.AddRule(o.t.Context(), a, r)
	ok(o.t, err)
	return a, r
}

// delivered looks once, delivers what is due, and returns the letters by recipient since the last time.
func (o *office) delivered() map[string][]notifytest.Letter {
	o.t.Helper()
	before := len(o.post.Letters())
	ok(o.t, o.look(o.t.Context()))
	o.send()
	got := map[string][]notifytest.Letter{}
	for _, l := range o.post.Letters()[before:] {
		got[l.To] = append(got[l.To], l)
	}
	return got
}

// send delivers until nothing is due.
func (o *office) send() {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan error, 1)
	go func() { done <- o.box.Run(ctx) }()
	for end := time.Now().Add(time.Minute); o.waiting(true) > 0; {
		if time.Now().After(end) {
			o.t.Error("the outbox does not get empty")
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	ok(o.t, <-done)
}

// waiting counts what waits in the outbox: what is due now, or everything.
func (o *office) waiting(due bool) (n int) {
	o.t.Helper()
	until := int64(1) << 62
	if due {
		until = o.Service.now().UnixMicro()
	}
	ok(o.t, o.db.Read().QueryRow(`SELECT count(*) FROM outbox WHERE state = 0 AND due <= ?`, until).Scan(&n))
	return n
}

// letterText is everything that a letter says: headers and body.
func letterText(t *testing.T, l notifytest.Letter) string {
	t.Helper()
	body, err := io.ReadAll(quotedprintable.NewReader(l.Body))
	ok(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(l.Header.Get("Subject"))
	ok(t, err)
	return subject + "\n" + l.Raw + "\n" + string(body)
}

func marked(n int, name string, level stix.Marking) []byte {
	return someIndicator(n, 1, name, level, "")
}

// TestNoticeWall: who sees a share gets a mail that holds the content of CLEAR and GREEN and nothing of what is stricter;
// who does not see it, shared it, or is an administrator gets none.
func TestNoticeWall(t *testing.T) {
	o := newOffice(t)
	all := Rule{Kind: RuleEverything}
	o.person("a", polder.RoleReader, all)
	o.person("b", polder.RoleReader, all)
	o.person("c", polder.RoleReader, all)
	o.person("out", polder.RoleSteward, all)
	o.person("d", polder.RoleAdmin, all)
	a := o.as("a", polder.RoleContributor)
	for i, level := range []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red} {
		o.share(a, Request{Objects: one(marked(i, "canary "+level.String(), level)), To: []polder.OrgID{o.orgs["b"].ID}})
		got := o.delivered()
		if len(got) != 1 || len(got["b.everything@mail.example"]) != 1 {
			t.Fatalf("%s: mails to %v, want one to b", level, got)
		}
		said := letterText(t, got["b.everything@mail.example"][0])
		open := level <= stix.Green
		for _, secret := range []string{"canary", fmt.Sprintf("x%d[.]example", i), "indicator"} {
			if strings.Contains(said, secret) != open {
				t.Errorf("%s: says %q is %v:\n%s", level, secret, !open, said)
			}
		}
		for _, never := range []string{fmt.Sprintf("x%d.example", i), "00000000-0000-4000", string(a.Org), "Org a"} {
			if strings.Contains(said, never) {
				t.Errorf("%s: says %q:\n%s", level, never, said)
			}
		}
		if !strings.Contains(said, "Ring") || !strings.Contains(said, "https://node.example/notified/") {
			t.Errorf("%s: says neither where nor how to read it:\n%s", level, said)
		}
	}
}

// TestNoticeMatches: each kind of rule finds what it is for.
func TestNoticeMatches(t *testing.T) {
	watchOf := func(raw string) watched {
		obj, err := stix.Parse([]byte(raw))
		ok(t, err)
		return watch(obj)
	}
	ind := watchOf(`{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Turbine lure","description":"Seen with mail from billing@pay.optics.example and 198.51.100.7.","labels":["optics"],"pattern":"[url:value = 'https://login.acme.example/x']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}`)
	who := watchOf(`{"type":"identity","spec_version":"2.1","id":"identity--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Them","sectors":["non-profit"]}`)
	for _, c := range []struct {
		why   string
		kind  RuleKind
		value string
		in    watched
		want  bool
	}{
		{"everything", RuleEverything, "", ind, true},
		{"a label is a sector", RuleSector, "Optics", ind, true},
		{"a sector of an identity, written with a space", RuleSector, "non profit", who, true},
		{"half a sector", RuleSector, "opt", ind, false},
		{"a word in the name", RuleKeyword, "turbine", ind, true},
		{"two words", RuleKeyword, "Turbine lure", ind, true},
		{"half a word", RuleKeyword, "turb", ind, false},
		{"a word of the description", RuleKeyword, "billing", ind, true},
		{"the own domain in a URL of the pattern", RuleAsset, "acme.example", ind, true},
		{"the own domain in a mail address of the text", RuleAsset, "optics.example", ind, true},
		{"a name that only ends the same", RuleAsset, "me.example", ind, false},
		{"the own network", RuleAsset, "198.51.100.0/24", ind, true},
		{"the own address", RuleAsset, "198.51.100.7", ind, true},
		{"another network", RuleAsset, "203.0.113.0/24", ind, false},
	} {
		if got := (Rule{Kind: c.kind, Value: c.value}).matches(c.in); got != c.want {
			t.Errorf("%s: %s %q is %v, want %v", c.why, c.kind, c.value, got, c.want)
		}
	}
}

// TestNoticeOff: the link of a mail turns its rule off without a log-in, and no other; no other text does.
func TestNoticeOff(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	_, first := o.person("b", polder.RoleReader, Rule{Kind: RuleEverything})
	_, other := o.person("c", polder.RoleReader, Rule{Kind: RuleEverything})
	a := o.as("a", polder.RoleContributor)
	o.share(a, Request{Objects: one(marked(1, "one", stix.Green))})
	letter := o.delivered()["b.everything@mail.example"][0]
	link := strings.Trim(letter.Header.Get("List-Unsubscribe"), "<>")
	if link != o.offLink(first.ID) || letter.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Fatalf("List-Unsubscribe %q, want %q", link, o.offLink(first.ID))
	}
	token := strings.TrimPrefix(link, "https://node.example/off/")
	_, mac, _ := strings.Cut(token, ".")
	for why, bad := range map[string]string{"empty": "", "only the rule": other.ID, "another's proof": other.ID + "." + mac, "cut": token[:len(token)-1], "longer": token + "A"} {
		isKind(t, why, o.Off(ctx, bad), polder.NotFound)
	}
	ok(t, o.Off(ctx, token))
	ok(t, o.Off(ctx, token))
	o.share(a, Request{Objects: one(marked(2, "two", stix.Green))})
	got := o.delivered()
	if len(got["b.everything@mail.example"]) != 0 || len(got["c.everything@mail.example"]) != 1 {
		t.Errorf("after the click mails went to %v", got)
	}
}

// TestNoticeLeaves: what waited is dropped when it is withdrawn (X18), when its reader loses sight, and when the rule
// is switched off.
func TestNoticeLeaves(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	o.person("b", polder.RoleReader, Rule{Kind: RuleEverything})
	o.person("c", polder.RoleReader, Rule{Kind: RuleEverything})
	d, rule := o.person("d", polder.RoleReader, Rule{Kind: RuleEverything})
	a := o.as("a", polder.RoleContributor)
	o.share(a, Request{Objects: one(marked(1, "withdrawn-secret", stix.Green), marked(2, "stays", stix.Green))})
	ok(t, o.look(ctx))
	if n := o.waiting(false); n != 6 {
		t.Fatalf("%d messages wait, want 6", n)
	}
	_, err := o.Withdraw(ctx, a, Withdrawal{Community: "ring", ID: "indicator--00000000-0000-4000-8000-000000000001"})
	ok(t, err)
	var held int
	ok(t, o.db.Read().QueryRow(`SELECT count(*) FROM outbox WHERE subject || body LIKE '%withdrawn-secret%'`).Scan(&held))
	if held != 0 {
		t.Errorf("the outbox holds the text of what was withdrawn %d times", held)
	}
	ok(t, o.accounts.Leave(ctx, accounts.Local(), o.where.ID, o.orgs["c"].ID))
	ok(t, o.SwitchRule(ctx, d, rule.ID, false))
	got := o.delivered()
	if len(got) != 1 || len(got["b.everything@mail.example"]) != 1 || strings.Contains(letterText(t, got["b.everything@mail.example"][0]), "withdrawn-secret") {
		t.Errorf("mails went to %v", got)
	}
}

// TestNoticeOnce: a look that was cut off before its cursor was written sends nothing twice, and one after a restart
// misses nothing.
func TestNoticeOnce(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	o.person("b", polder.RoleReader, Rule{Kind: RuleEverything})
	since, _, err := notifiedTo(ctx, o.db.Read())
	ok(t, err)
	o.share(o.as("a", polder.RoleContributor), Request{Objects: one(marked(1, "one", stix.Green))})
	if got := o.delivered(); len(got["b.everything@mail.example"]) != 1 {
		t.Fatalf("mails went to %v", got)
	}
	ok(t, o.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE notification_cursor SET seq = ?`, int64(since))
		return err
	}))
	again := NewNotifier(o.Service, o.Notifier.o)
	o.Notifier = again
	if got := o.delivered(); len(got) != 0 {
		t.Errorf("sent again: %v", got)
	}
	o.share(o.as("a", polder.RoleContributor), Request{Objects: one(marked(2, "two", stix.Green))})
	o.Notifier = NewNotifier(o.Service, o.Notifier.o)
	if got := o.delivered(); len(got["b.everything@mail.example"]) != 1 {
		t.Errorf("after a restart mails went to %v", got)
	}
}

// TestNoticeDigest: what comes within an hour comes together, with the way to end each rule.
func TestNoticeDigest(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	b, first := o.person("b", polder.RoleReader, Rule{Kind: RuleEverything, Digest: notify.Hourly})
	second, err := o.AddRule(ctx, b, Rule{Kind: RuleKeyword, Value: "two", Channel: notify.ByMail, Digest: notify.Hourly})
	ok(t, err)
	a := o.as("a", polder.RoleContributor)
	o.share(a, Request{Objects: one(marked(1, "one", stix.Green))})
	o.share(a, Request{Objects: one(marked(2, "two", stix.Amber))})
	if got := o.delivered(); len(got) != 0 {
		t.Fatalf("a digest went at once: %v", got)
	}
	o.pass(time.Hour)
	got := o.delivered()["b.everything@mail.example"]
	if len(got) != 1 {
		t.Fatalf("%d letters, want one", len(got))
	}
	said := letterText(t, got[0])
	if !strings.Contains(said, "one in Ring") || strings.Contains(said, "two") || !strings.Contains(said, o.offLink(first.ID)) || !strings.Contains(said, o.offLink(second.ID)) {
		t.Errorf("the digest says:\n%s", said)
	}
}

// TestNoticeFlood: an import does not become a thousand messages.
func TestNoticeFlood(t *testing.T) {
	o := newOffice(t)
	o.person("b", polder.RoleReader, Rule{Kind: RuleEverything})
	var many [][]byte
	for i := range noticesAtOnce + 7 {
		many = append(many, marked(i, "many", stix.Green))
	}
	o.share(o.as("a", polder.RoleContributor), Request{Objects: one(many...)})
	ok(t, o.look(t.Context()))
	if n := o.waiting(false); n != noticesAtOnce+1 {
		t.Errorf("%d messages wait", n)
	}
	var subject string
	ok(t, o.db.Read().QueryRow(`SELECT subject FROM outbox WHERE about = 'more'`).Scan(&subject))
	if subject != "7 more" {
		t.Errorf("the last says %q", subject)
	}
}

// TestRules: rules are their person's alone, and what cannot work is refused.
func TestRules(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	b, r := o.person("b", polder.RoleReader, Rule{Kind: RuleEverything})
	c, _ := o.person("c", polder.RoleReader, Rule{Kind: RuleEverything})
	isKind(t, "another's switch", o.SwitchRule(ctx, c, r.ID, false), polder.NotFound)
	isKind(t, "another's deletion", o.DeleteRule(ctx, c, r.ID), polder.NotFound)
	isKind(t, "another's test", o.TestRule(ctx, c, r.ID), polder.NotFound)
	_, err := o.Rules(ctx, o.as("b", polder.RoleReader))
	isKind(t, "a token's rules", err, polder.Forbidden)
	for why, bad := range map[string]Rule{
		"unknown kind":      {Kind: "colour", Channel: notify.ByMail},
		"no word":           {Kind: RuleKeyword, Channel: notify.ByMail},
		"unknown channel":   {Kind: RuleEverything, Channel: "pigeon"},
		"no webhook here":   {Kind: RuleEverything, Channel: notify.ByWebhook, Target: "https://chat.example/"},
		"unknown rhythm":    {Kind: RuleEverything, Channel: notify.ByMail, Digest: 9},
		"webhook: no host":  {Kind: RuleEverything, Channel: notify.ByWebhook, Target: "https:///x"},
		"webhook: a script": {Kind: RuleEverything, Channel: notify.ByWebhook, Target: "javascript:x"},
	} {
		_, err := o.AddRule(ctx, b, bad)
		isKind(t, why, err, polder.Invalid)
	}
	ok(t, o.TestRule(ctx, b, r.ID))
	if got := o.delivered(); len(got["b.everything@mail.example"]) != 1 {
		t.Errorf("the test went to %v", got)
	}
	ok(t, o.DeleteRule(ctx, b, r.ID))
	if all, err := o.Rules(ctx, b); err != nil || len(all) != 0 {
		t.Errorf("%d rules after the deletion (%v)", len(all), err)
	}
}
