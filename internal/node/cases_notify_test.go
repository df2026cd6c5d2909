package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/notify/notifytest"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// mailed is a node whose clock is in the hands of the test, with people of the organisation "sharer"; their addresses are
// NAME@sharer.example, and the first is its steward.
type mailed struct {
	*place
	t      *testing.T
	post   *notifytest.Server // nil: the node names no mail server
	people map[string]polder.Actor
	read   int    // letters that were looked at
	box    *db.DB // the outbox, to see whether something waits
}

func newMailed(t *testing.T, post *notifytest.Server, people ...string) *mailed {
	t.Helper()
	m := &mailed{t: t, post: post, people: map[string]polder.Actor{}}
	m.place = &place{dir: t.TempDir(), log: &lines{}, orgs: map[string]polder.Org{}, tokens: map[string]string{}, ids: map[string]polder.TokenID{}}
	m.make(t)
	began := time.Now().Truncate(time.Hour).Add(time.Hour + 10*time.Minute) // ten minutes into an hour
	m.ahead.Store(int64(time.Until(began)))
	c := Config{LogLevel: "debug"}
	if post != nil {
		c.Mail = Mail{Server: post.Addr, From: "polder@node.example", TLS: "none"}
	}
	n, err := Open(t.Context(), m.dir, c.filled(), Options{Log: m.log, Now: m.now, Password: demoPassword})
	ok(t, err)
	m.Node = n
	t.Cleanup(func() { ok(t, n.Close()) })
	for i, name := range people {
		who := accounts.NewPerson{Org: m.orgs["sharer"].ID, Email: name + "@sharer.example", Name: name, Role: polder.RoleContributor}
		if i == 0 {
			who.Role = polder.RoleSteward
		}
		made, _, err := n.Accounts.AddPerson(t.Context(), accounts.Local(), who)
		ok(t, err)
		m.people[name] = polder.Actor{Org: made.Org, Person: made.ID, Name: name, Role: who.Role}
	}
	if post != nil {
		m.box, err = db.Open(t.Context(), filepath.Join(m.dir, caseOutboxFile), db.Options{})
		ok(t, err)
		t.Cleanup(func() { ok(t, m.box.Close()) })
	}
	return m
}

// plainPost is a mail server on the loopback interface, spoken to without encryption.
func plainPost(t *testing.T) *notifytest.Server {
	return notifytest.New(t, func(s *notifytest.Server) { s.NoTLS = true })
}

// later moves the clock on.
func (m *mailed) later(by time.Duration) { m.ahead.Add(int64(by)) }

// letters does what the node does by itself, until nothing is left that could be sent now, and gives the letters that
// came since the last time by who got them, each with its headers and its text.
func (m *mailed) letters() map[string][]string {
	m.t.Helper()
	ctx, cancel := context.WithCancel(m.t.Context())
	var all sync.WaitGroup
	all.Go(func() { ok(m.t, m.jobs.Run(ctx)) })
	m.runCases(ctx, &all)
	calm := 0
	for range 1200 {
		if calm++; m.due() > 0 {
			calm = 0
		}
		if calm == 40 {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	cancel()
	all.Wait()
	if calm < 40 {
		m.t.Fatal("something still waits to be sent after half a minute")
	}
	got := map[string][]string{}
	if m.post == nil {
		return got
	}
	for _, l := range m.post.Letters()[m.read:] {
		body, err := io.ReadAll(quotedprintable.NewReader(l.Body))
		ok(m.t, err)
		subject, err := new(mime.WordDecoder).DecodeHeader(l.Header.Get("Subject"))
		ok(m.t, err)
		name, _, _ := strings.Cut(l.To, "@")
		got[name] = append(got[name], subject+"\n"+l.Raw+"\n"+string(body))
		m.read++
	}
	return got
}

// due counts jobs and messages whose time has come.
func (m *mailed) due() (n int) {
	m.t.Helper()
	now := m.now().UnixMicro()
	ok(m.t, m.DB.Read().QueryRow(`SELECT count(*) FROM job WHERE dead = 0 AND due <= ?`, now).Scan(&n))
	if m.box != nil {
		var waits int
		ok(m.t, m.box.Read().QueryRow(`SELECT count(*) FROM outbox WHERE state = 0 AND due <= ?`, now).Scan(&waits))
		n += waits
	}
	return n
}

// desk opens a desk, for which people read.
func (m *mailed) desk(name string, readers ...string) (alias string, keys map[string]seal.KeyID) {
	m.t.Helper()
	s, ctx, steward := m.cases.service, m.t.Context(), m.people["steward"]
	d, err := s.OpenDesk(ctx, steward, cases.DeskSettings{Name: name, Listed: true})
	ok(m.t, err)
	keys = map[string]seal.KeyID{}
	for i, who := range readers {
		k, err := seal.GenerateKey(rand.Reader)
		ok(m.t, err)
		locked := make([]byte, 16+12+48) // no passphrase opens it; nobody here reads
		_, err = rand.Read(locked)
		ok(m.t, err)
		_, err = s.PutKey(ctx, m.people[who], seal.LockedKey{Public: k.Public(), Iterations: seal.Iterations, Salt: locked[:16], Nonce: locked[16:28], Key: locked[28:]})
		ok(m.t, err)
		_, err = s.AddReader(ctx, steward, d.Alias, cases.DeskReaderPost{Person: m.people[who].Person})
		ok(m.t, err)
		keys[who] = k.Public().ID()
		if i > 0 {
			_, err = s.ConfirmReader(ctx, m.people[readers[0]], d.Alias, keys[who])
			ok(m.t, err)
		}
	}
	return d.Alias, keys
}

// reported sends a report as a browser without script does.
func (m *mailed) reported(alias, what string) {
	m.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"what": what, "call": "Roerdomp", "who": "desk", "on": "yes", "day": "today"} {
		ok(m.t, form.WriteField(name, value))
	}
	ok(m.t, form.Close())
	a := m.ask(ask{method: "POST", path: "/report/d/" + alias + "?lang=en", kind: form.FormDataContentType(), body: body.String()})
	if a.status != http.StatusOK || !strings.Contains(a.body, `id="receipt"`) {
		m.t.Fatalf("the report is answered %d: %s", a.status, a.body[max(0, strings.Index(a.body, "<main")):])
	}
}

// gets fails when others than these got a letter, or one of them more than one.
func (m *mailed) gets(why string, got map[string][]string, want ...string) {
	m.t.Helper()
	var names []string
	for name, letters := range got {
		if names = append(names, name); len(letters) != 1 {
			m.t.Errorf("%s: %s got %d letters: %q", why, name, len(letters), letters)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, want) {
		m.t.Errorf("%s: letters to %v, want %v", why, names, want)
	}
}

// says fails when a letter lacks a text, or holds one that it must not.
func (m *mailed) says(letters []string, has, lacks []string) {
	m.t.Helper()
	text := strings.Join(letters, "\n")
	for _, want := range has {
		if !strings.Contains(text, want) {
			m.t.Errorf("the letter does not say %q: %s", want, text)
		}
	}
	for _, not := range lacks {
		if strings.Contains(text, not) {
			m.t.Errorf("the letter says %q: %s", not, text)
		}
	}
}

// TestCasesNotifyReport (trust.md S29, S34): a report makes one letter to each who reads for the desk, once its hour is
// over, so that no letter tells when it came; nothing of the report is in it; and nobody else gets one.
func TestCasesNotifyReport(t *testing.T) {
	m := newMailed(t, plainPost(t), "steward", "anna", "bram", "chris")
	alias, _ := m.desk("Vertrouwenspunt", "anna", "bram")
	m.reported(alias, "A kwikstaart logs in at night.")
	m.later(40 * time.Minute)
	m.gets("the hour of the report is not over", m.letters())
	m.later(15 * time.Minute)
	got := m.letters()
	m.gets("the hour is over", got, "anna", "bram")
	for _, name := range []string{"anna", "bram"} {
		m.says(got[name], []string{"A report waits at Vertrouwenspunt", "http://127.0.0.1:8080/cases/reports", "<polder@node.example>"}, []string{"kwikstaart", "Roerdomp", "night", "reports/r"})
	}
	m.later(24 * time.Hour)
	m.gets("nobody acknowledged it, and everybody was told", m.letters())
	m.reported(alias, "A second one.")
	m.reported(alias, "A third one.")
	m.later(2 * time.Hour)
	got = m.letters()
	if len(got) != 2 || len(got["anna"]) != 2 || len(got["bram"]) != 2 {
		t.Errorf("two more reports make %v", got)
	}
	m.says(got["anna"], nil, []string{"second", "third", "Roerdomp"})
	if log := m.log.String(); strings.Contains(log, "kwikstaart") || strings.Contains(log, "Roerdomp") {
		t.Error("the log holds words of a report")
	}
}

// TestCasesNotifyLeft: who no longer reads for a desk, and whose account was closed, gets nothing that still waited to be
// sent.
func TestCasesNotifyLeft(t *testing.T) {
	post := plainPost(t)
	m := newMailed(t, post, "steward", "anna", "bram", "chris")
	alias, keys := m.desk("Vertrouwenspunt", "anna", "bram", "chris")
	m.reported(alias, "A kwikstaart logs in at night.")
	post.Answers = map[string]string{}
	for _, name := range []string{"anna", "bram", "chris"} {
		post.Answers[name+"@sharer.example"] = "450 4.2.1 try again later"
	}
	m.later(time.Hour)
	m.gets("the mail server takes nothing now", m.letters())
	_, err := m.cases.service.RemoveReader(t.Context(), m.people["steward"], alias, keys["bram"])
	ok(t, err)
	ok(t, m.Accounts.Disable(t.Context(), accounts.Local(), m.people["chris"].Person))
	post.Answers = nil
	m.later(time.Hour)
	m.gets("the mail server is back", m.letters(), "anna")
}

// warned is a case of which the law asks an early warning within a day.
func (m *mailed) warned(title string, level stix.Marking, with ...cases.CaseWithWhom) cases.CaseView {
	m.t.Helper()
	c, err := m.cases.service.OpenCase(m.t.Context(), m.people["anna"], cases.CaseNew{Title: title, Severity: cases.SeverityHigh, Level: level, Aware: m.now(), Sector: "energy", Countries: []string{"NL"}, Members: with})
	ok(m.t, err)
	duties, err := m.cases.service.Deadlines(m.t.Context(), m.people["anna"], c.ID)
	ok(m.t, err)
	_, err = m.cases.service.SetDeadlineProfile(m.t.Context(), m.people["anna"], c.ID, cases.DeadlineProfile{Jurisdictions: []string{"NL"}, Sectors: []string{"energy"}, Kinds: []string{"incident"}, Serious: "yes", Version: duties.Profile.Version})
	ok(m.t, err)
	return c
}

// TestCasesNotifyDeadline: people who work on a case are told of its deadlines; who reads it only, another organisation in
// it, and a colleague outside it are not. A case above GREEN is not named. Who left the case gets nothing that waited.
func TestCasesNotifyDeadline(t *testing.T) {
	post := plainPost(t)
	m := newMailed(t, post, "steward", "anna", "bram", "chris", "dirk")
	in := func(name string, part cases.Part) cases.CaseWithWhom {
		return cases.CaseWithWhom{Person: m.people[name].Person, Part: part, Ceiling: stix.Red}
	}
	c := m.warned("Lens holder", stix.Green, in("bram", cases.PartWork), in("chris", cases.PartRead), cases.CaseWithWhom{Org: m.orgs["plain"].ID, Part: cases.PartWork, Ceiling: stix.Green})
	m.gets("nothing is near", m.letters())
	m.later(12*time.Hour + time.Minute)
	got := m.letters()
	m.gets("half of the day is over", got, "anna", "bram")
	zone, err := time.LoadLocation("Europe/Amsterdam")
	ok(t, err)
	due := c.Aware.Add(24 * time.Hour).In(zone).Format("Mon 2 Jan 2006, 15:04 MST")
	m.says(got["anna"], []string{"Early warning (NIS2 (Cbw)): due " + due, "Lens holder", "Nothing is sent for you", "/cases/" + string(c.ID)}, nil)

	level := stix.Amber
	_, err = m.cases.service.ChangeCase(t.Context(), m.people["anna"], c.ID, cases.CaseChange{Version: m.versionOf(c.ID), Level: &level})
	ok(t, err)
	m.later(6 * time.Hour)
	got = m.letters()
	m.gets("three quarters are over, of a case above GREEN", got, "anna", "bram")
	m.says(got["bram"], []string{"A deadline of a case comes near"}, []string{"Lens holder", "arly warning", "NIS2", "Cbw", "energy"})

	post.Answers = map[string]string{"anna@sharer.example": "450 4.2.1 later", "bram@sharer.example": "450 4.2.1 later"}
	m.later(4 * time.Hour)
	m.gets("the mail server takes nothing now", m.letters())
	ok(t, m.cases.service.RemoveMember(t.Context(), m.people["anna"], c.ID, m.people["bram"].Person, ""))
	post.Answers = nil
	m.later(30 * time.Minute)
	m.gets("the mail server is back, and bram has left the case", m.letters(), "anna")
}

func (m *mailed) versionOf(id cases.CaseID) int {
	m.t.Helper()
	c, err := m.cases.service.Case(m.t.Context(), m.people["anna"], id)
	ok(m.t, err)
	return c.Version
}

// TestCasesNotifyNoServer: without a mail server reports arrive and deadlines pass, and nothing fails.
func TestCasesNotifyNoServer(t *testing.T) {
	m := newMailed(t, nil, "steward", "anna")
	if m.cases.notifier != nil {
		t.Error("there is a notifier without a mail server")
	}
	alias, _ := m.desk("Vertrouwenspunt", "anna")
	m.reported(alias, "A kwikstaart logs in at night.")
	c := m.warned("Lens holder", stix.Green)
	for range 5 {
		m.later(6 * time.Hour)
		m.letters()
	}
	duties, err := m.cases.service.Deadlines(t.Context(), m.people["anna"], c.ID)
	ok(t, err)
	if !slices.ContainsFunc(duties.Deadlines, func(d cases.CaseDeadline) bool { return d.State == cases.DeadlineLate }) {
		t.Error("after a day and a quarter nothing is late: the work of the node was not done")
	}
	if log := m.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, "panic") {
		t.Errorf("the log tells of failures: %s", log)
	}
}
