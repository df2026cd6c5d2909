package match

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/seal"
)

// TestMatchLaw: whatever the set and the question, the answer is what membership says.
func TestMatchLaw(t *testing.T) {
	w := newMatchWorld(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		if round++; round > 12 {
			return // each round is tens of milliseconds of curve work
		}
		value := rapid.StringMatching(`[a-d]{1,3}`)
		set := rapid.SliceOfN(value, 0, 40).Draw(t, "set")
		asked := rapid.SliceOfNDistinct(value, 1, 40, rapid.ID).Draw(t, "asked")
		w.publish("law", Party, 1_000_000, set...)
		m, err := w.ask(w.client(w.asker.Org), "law", asked...)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range asked {
			if in, ok := m.In[v]; !ok || in != slices.Contains(set, v) {
				t.Fatalf("%q: %v (answered %v), the set is %q", v, in, ok, set)
			}
		}
	})
}

// TestNothingIsKept: of the values published and asked nothing is in the database, its log or the audit.
func TestNothingIsKept(t *testing.T) {
	w := newMatchWorld(t)
	w.publish("seen", "domain", 0, "canary-published.example")
	m, err := w.ask(w.client(w.asker.Org), "seen", "canary-published.example", "canary-asked.example")
	must(t, err)
	if got := sortedKeys(m.In); !slices.Equal(got, []string{"canary-published.example"}) || m.Elements != 16 {
		t.Fatalf("%v with %d elements", got, m.Elements)
	}
	for _, e := range slices.Concat(w.audited(w.asker, "match."), w.audited(w.owner, "match.")) {
		if strings.Contains(asJSON(t, e), "canary") {
			t.Errorf("audit: %+v", e)
		}
	}
	must(t, w.db.Close())
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.path + suffix)
		if err == nil && bytes.Contains(b, []byte("canary")) {
			t.Errorf("polder.db%s holds a value", suffix)
		}
	}
}

// TestWhoReadsWhatOfAsking: the audit of a question is its asker's; the owner reads sums, and of nobody.
func TestWhoReadsWhatOfAsking(t *testing.T) {
	w := newMatchWorld(t)
	p := w.publish("seen", "domain", 16, "gate.example")
	c := w.client(w.asker.Org)
	_, err := w.ask(c, "seen", "gate.example")
	must(t, err)
	_, err = w.ask(c, "seen", "gate.example")
	isKind(t, err, polder.Limited)
	_, err = w.ask(c, "seen", "gate.example")
	isKind(t, err, polder.Limited)
	mine := w.audited(w.asker, "match.")
	if len(mine) != 2 || mine[1].Action != "match.ask" || mine[1].Detail["elements"] != "16" || mine[0].Action != "match.stopped" {
		t.Errorf("the asker reads %+v", mine)
	}
	owners := w.audited(w.owner, "match.")
	if len(owners) != 2 || owners[0].Action != "match.budget" || owners[0].Detail["organisations"] != "1" || strings.Contains(asJSON(t, owners), string(w.asker.Org)) {
		t.Errorf("the owner reads %+v", owners)
	}
	days, err := readDays(w.reader(t.Context()), p.ID, 31)
	must(t, err)
	if len(days) != 1 || days[0].Elements != 16 || days[0].Stopped != 1 {
		t.Errorf("of how much was asked is kept %+v", days)
	}
	for org, want := range map[polder.OrgID]bool{w.owner.Org: true, w.asker.Org: false} {
		status, page := w.get(org, "/match/"+p.ID)
		if status != http.StatusOK || strings.Contains(page, "used its budget up") != want || strings.Contains(page, "How much was asked") != want {
			t.Errorf("%s: page %d tells of use: want %v", org, status, want)
		}
		if strings.Contains(page, string(w.asker.Org)) {
			t.Error("the page names who asked")
		}
	}
}

// TestS31Enumeration: a client that walks 65,536 addresses, or a list of a million names, is stopped at the budget of its
// organisation, and the owner is told that somebody was.
func TestS31Enumeration(t *testing.T) {
	w := newMatchWorld(t)
	const budget = 1_040 // the walk is the same at 10,000, and ten times as long
	for _, c := range []struct {
		kind Kind
		list []string
	}{{"ipv4", addresses(0, 65_536)}, {"domain", numbered(1_000_000, "d%d.example")}} {
		w.publish("walked-"+string(c.kind), c.kind, budget, c.list[5], c.list[1_500], c.list[3_000]) // the first two in the first two batches, which go together
		m, err := w.ask(w.client(w.asker.Org), "walked-"+string(c.kind), c.list...)
		isKind(t, err, polder.Limited)
		if m.Elements > budget || len(m.In) > budget || len(m.In) < budget/2 {
			t.Errorf("%s: %d elements sent, %d answered with a budget of %d", c.kind, m.Elements, len(m.In), budget)
		}
		if got := sortedKeys(m.In); len(got) != 1 {
			t.Errorf("%s: found %v", c.kind, got)
		}
	}
	sets, err := readSets(w.reader(t.Context()))
	must(t, err)
	for _, set := range sets {
		if days, err := readDays(w.reader(t.Context()), set.ID, 31); err != nil || len(days) != 1 || days[0].Stopped != 1 {
			t.Errorf("%s: the owner was told %+v, %v", set.Name, days, err)
		}
	}
}

// TestS31DefaultBudgets holds the arithmetic that docs and help state.
func TestS31DefaultBudgets(t *testing.T) {
	if b := float64(Budget("ipv4")); fmt.Sprintf("%.1f days, %.0f years", 65536/b, (1<<32)/b/365) != "6.6 days, 1177 years" {
		t.Errorf("ipv4: %.1f days for a /16, %.0f years for all", 65536/b, (1<<32)/b/365)
	}
	if b := Budget("domain"); 1_000_000/b != 100 {
		t.Errorf("domain: a million in %d days", 1_000_000/b)
	}
	w := newMatchWorld(t)
	for _, k := range Kinds() {
		if p := w.publish("of-"+string(k), k, 0, "x"); p.Budget != Budget(k) {
			t.Errorf("%s: a set has %d, the table says %d", k, p.Budget, Budget(k))
		}
	}
}

// TestS31Colluders: tokens and people of one organisation share its budget; another organisation has its own.
func TestS31Colluders(t *testing.T) {
	w := newMatchWorld(t)
	w.publish("seen", "ipv4", 64, "10.0.0.1")
	var all sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	for range 8 {
		c := w.client(w.token(w.asker.Org, polder.RoleReader).Org)
		all.Go(func() {
			m, err := w.ask(c, "seen", "10.0.0.1")
			mu.Lock()
			defer mu.Unlock()
			if answered += len(m.In); err != nil && polder.KindOf(err) != polder.Limited {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if answered != 4 {
		t.Errorf("%d of 8 questions of 16 elements were answered with a budget of 64", answered)
	}
	other := w.member("Fabriek", polder.RoleReader)
	if _, err := w.ask(w.client(other.Org), "seen", "10.0.0.1"); err != nil {
		t.Errorf("another organisation: %v", err)
	}
}

// TestS31ClockAndRestart: neither a clock that is set a day either way nor a restart opens a budget; running time does.
func TestS31ClockAndRestart(t *testing.T) {
	w := newMatchWorld(t)
	w.publish("seen", "ipv4", 16, "10.0.0.1")
	ask := func() error { _, err := w.ask(w.client(w.asker.Org), "seen", "10.0.0.1"); return err }
	must(t, ask())
	isKind(t, ask(), polder.Limited)
	w.set(func() { w.now = w.now.Add(25 * time.Hour) })
	isKind(t, ask(), polder.Limited)
	w.set(func() { w.now = w.now.Add(-50 * time.Hour) })
	isKind(t, ask(), polder.Limited)
	w.set(func() { w.ran = 23 * time.Hour })
	isKind(t, ask(), polder.Limited)
	w.restart()
	isKind(t, ask(), polder.Limited)
	w.set(func() { w.ran = 59 * time.Minute })
	isKind(t, ask(), polder.Limited)
	w.set(func() { w.ran = 61 * time.Minute })
	must(t, ask())
	isKind(t, ask(), polder.Limited)
}

// TestRetryAfter: over the budget the answer is 429, and says when to come back.
func TestRetryAfter(t *testing.T) {
	w := newMatchWorld(t)
	p := w.publish("seen", "ipv4", 16, "10.0.0.1")
	w.set(func() { w.ran = time.Hour })
	key, err := w.admit(t.Context(), w.asker, p.ID, 1, 16)
	must(t, err)
	w.set(func() { w.ran = 2 * time.Hour })
	if _, err = w.admit(t.Context(), w.asker, p.ID, 1, 16); key == nil {
		t.Fatal("no key")
	}
	isKind(t, err, polder.Limited)
	var much *TooMuch
	if !errors.As(err, &much) || much.RetryAfter() != 23*time.Hour {
		t.Errorf("come back in %v, want 23h", much)
	}
}

// TestWhoMayAsk: members of the community and nobody else; for others a set is not there.
func TestWhoMayAsk(t *testing.T) {
	w := newMatchWorld(t)
	p := w.publish("seen", "ipv4", 0, "10.0.0.1")
	o, err := w.acc.AddOrg(t.Context(), accounts.Local(), accounts.NewOrg{Name: "Stranger"})
	must(t, err)
	stranger := w.token(o.ID, polder.RoleSteward)
	ask, err := seal.Blind(rand.Reader, p.Present.Context(), p.Present.Public, []string{"10.0.0.1"})
	must(t, err)
	for _, name := range []string{p.ID, "seen"} {
		for _, path := range []string{"/api/v1/match/sets/", "/match/"} {
			if status, _ := w.get(stranger.Org, path+name); status != http.StatusNotFound {
				t.Errorf("a stranger gets %d for %s%s", status, path, name)
			}
		}
		_, err = w.Evaluate(t.Context(), stranger, name, 1, ask.Elements)
		isKind(t, err, polder.NotFound)
		_, _, err = w.Filter(t.Context(), stranger, name)
		isKind(t, err, polder.NotFound)
	}
	if status, list := w.get(stranger.Org, "/api/v1/match/sets"); status != 200 || strings.TrimSpace(list) != `{"sets":[]}` {
		t.Errorf("a stranger's list: %d %s", status, list)
	}
	if _, err = w.Evaluate(t.Context(), w.asker, "seen", 1, ask.Elements); err != nil {
		t.Errorf("a reader of the community: %v", err)
	}
	must(t, w.acc.Leave(t.Context(), accounts.Local(), w.com.ID, w.asker.Org))
	_, err = w.Evaluate(t.Context(), w.asker, "seen", 1, ask.Elements)
	isKind(t, err, polder.NotFound)
	admin := polder.Actor{Org: w.owner.Org, Role: polder.RoleAdmin}
	if got, err := w.Offers(t.Context(), admin); err != nil || len(got) != 0 {
		t.Errorf("an administrator is offered %v, %v", got, err)
	}
}

// TestEpochs: publishing again begins another epoch; answers of the one before stop at once, and what somebody kept of it
// is worth nothing.
func TestEpochs(t *testing.T) {
	w := newMatchWorld(t)
	first := w.publish("seen", "ipv4", 0, "10.0.0.1")
	key, err := w.admit(t.Context(), w.asker, first.ID, 1, 16)
	must(t, err)
	kept, err := key.Output("10.0.0.1")
	must(t, err)
	second := w.publish("seen", "ipv4", 0, "10.0.0.1")
	if second.ID != first.ID || second.Present.N != 2 || bytes.Equal(second.Present.Public, first.Present.Public) {
		t.Fatalf("%+v after %+v", second.Present, first.Present)
	}
	ask, err := seal.Blind(rand.Reader, first.Present.Context(), first.Present.Public, []string{"10.0.0.1"})
	must(t, err)
	_, err = w.Evaluate(t.Context(), w.asker, "seen", 1, ask.Elements)
	isKind(t, err, polder.Conflict)
	b, _, err := w.Filter(t.Context(), w.asker, "seen")
	must(t, err)
	set, err := seal.ReadTagSet(b, second.Present.Class)
	must(t, err)
	if set.Has(kept) {
		t.Error("an output of the first epoch is found in the second")
	}
	var secrets int
	must(t, w.db.Read().QueryRow(`SELECT count(*) FROM match_epoch WHERE length(secret) > 0`).Scan(&secrets))
	if secrets != 1 {
		t.Errorf("%d secrets are kept, want that of the present epoch", secrets)
	}
	w.set(func() { w.now = w.now.Add(31 * 24 * time.Hour) })
	_, err = w.Evaluate(t.Context(), w.asker, "seen", 2, ask.Elements)
	isKind(t, err, polder.Conflict)
	if _, page := w.get(w.asker.Org, "/match/"+second.ID); !strings.Contains(page, "The epoch of this set is over") {
		t.Error("the page does not say that the epoch is over")
	}
}

// TestRedSets: a set of indicators begins an epoch when they change and when its time is over, and at no other time.
func TestRedSets(t *testing.T) {
	w := newMatchWorld(t)
	w.reds.values = []string{"gate.example", "GATE.example", "not a domain"}
	_, err := w.Publish(t.Context(), accounts.Local(), NewSet{Org: w.owner.Org, Community: "chips", Name: "red", Kind: "domain", Source: FromRed}, nil, nil)
	must(t, err)
	c := w.client(w.asker.Org)
	_, err = w.ask(c, "red", "gate.example")
	isKind(t, err, polder.Unavailable)
	epoch := func(want uint64, values ...string) {
		t.Helper()
		must(t, w.Refresh(t.Context()))
		m, err := w.ask(c, "red", "gate.example", "door.example")
		must(t, err)
		if got := sortedKeys(m.In); m.Descriptor.Epoch != want || !slices.Equal(got, values) {
			t.Errorf("epoch %d with %v, want %d with %v", m.Descriptor.Epoch, got, want, values)
		}
	}
	epoch(1, "gate.example")
	epoch(1, "gate.example")
	w.set(func() { w.reds.values = []string{"door.example", "gate.example"} })
	epoch(2, "door.example", "gate.example")
	w.set(func() { w.reds.values = nil })
	epoch(3)
	w.set(func() { w.now = w.now.Add(31 * 24 * time.Hour) })
	epoch(4)
}

// TestPublishRefuses: what cannot be published is refused, and nothing of it is stored.
func TestPublishRefuses(t *testing.T) {
	w := newMatchWorld(t)
	o, err := w.acc.AddOrg(t.Context(), accounts.Local(), accounts.NewOrg{Name: "Stranger"})
	must(t, err)
	good := NewSet{Org: w.owner.Org, Community: "chips", Name: "x", Kind: "ipv4", Source: FromFile}
	for _, c := range []struct {
		why    string
		kind   polder.Kind
		change func(*NewSet)
	}{
		{"a name that is none", polder.Invalid, func(n *NewSet) { n.Name = "a/b" }},
		{"no name", polder.Invalid, func(n *NewSet) { n.Name = "" }},
		{"a kind that is none", polder.Invalid, func(n *NewSet) { n.Kind = "cidr" }},
		{"parties from indicators", polder.Invalid, func(n *NewSet) { n.Kind, n.Source = Party, FromRed }},
		{"a budget below a batch", polder.Invalid, func(n *NewSet) { n.Budget = 15 }},
		{"days below none", polder.Invalid, func(n *NewSet) { n.Days = -1 }},
		{"a community that is none", polder.NotFound, func(n *NewSet) { n.Community = "steel" }},
		{"an organisation that is no member", polder.Forbidden, func(n *NewSet) { n.Org = o.ID }},
	} {
		n := good
		c.change(&n)
		_, err := w.Publish(t.Context(), accounts.Local(), n, given("10.0.0.1"), nil)
		if err == nil || polder.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	broken := errors.New("line 3 is none")
	_, err = w.Publish(t.Context(), accounts.Local(), good, func(yield func(string, error) bool) {
		if yield("10.0.0.1", nil) {
			yield("", broken)
		}
	}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("a value that cannot be read: %v", err)
	}
	_, err = w.Publish(t.Context(), w.owner, good, given("10.0.0.1"), nil)
	isKind(t, err, polder.Forbidden)
	if sets, _, err := w.All(t.Context(), accounts.Local()); err != nil || len(sets) != 0 {
		t.Errorf("%d sets are there, %v", len(sets), err)
	}
	w.publish("x", "ipv4", 0, "10.0.0.1")
	other := good
	other.Kind = "domain"
	_, err = w.Publish(t.Context(), accounts.Local(), other, given("gate.example"), nil)
	isKind(t, err, polder.Conflict)
}

// TestRemove: a set that was removed is gone, its key and filter too, and its name is free.
func TestRemove(t *testing.T) {
	w := newMatchWorld(t)
	p := w.publish("seen", "ipv4", 0, "10.0.0.1")
	gone, err := w.Remove(t.Context(), accounts.Local(), w.owner.Org, "chips", "seen")
	must(t, err)
	if gone.ID != p.ID {
		t.Errorf("removed %s", gone.ID)
	}
	_, err = w.Describe(t.Context(), w.asker, "seen")
	isKind(t, err, polder.NotFound)
	var left int
	must(t, w.db.Read().QueryRow(`SELECT (SELECT count(*) FROM match_filter) + (SELECT count(*) FROM match_epoch WHERE length(secret) > 0)`).Scan(&left))
	if left != 0 {
		t.Errorf("%d secrets and pieces of filters are left", left)
	}
	_, err = w.Remove(t.Context(), accounts.Local(), w.owner.Org, "chips", "seen")
	isKind(t, err, polder.NotFound)
	if again := w.publish("seen", "domain", 0, "gate.example"); again.ID == p.ID || again.Present.N != 1 {
		t.Errorf("published again as %+v", again)
	}
}

var updateMatch = flag.Bool("update-match", false, "write the golden descriptor anew")

// TestDescriptorGolden holds the names of a descriptor, on which clients rely, and what is signed of it.
func TestDescriptorGolden(t *testing.T) {
	w := newMatchWorld(t)
	w.publish("denials", Party, 0, "name:acme")
	_, text := w.get(w.asker.Org, "/api/v1/match/sets/denials")
	d, err := w.Describe(t.Context(), w.asker, "denials")
	must(t, err)
	text += string(d.signed())
	for _, same := range []struct{ what, as string }{{`set--[0-9a-f]{32}`, "set--ID"}, {`identity--[0-9a-f-]{36}`, "identity--ID"}, {string(w.com.ID), "COMMUNITY"}, {`[0-9a-f]{64}`, "HASH"}, {`"[A-Za-z0-9+/]{40,}=*"`, `"BYTES"`}, {`\d{5}( \d{5}){5}`, "PRINT"}} {
		text = regexp.MustCompile(same.what).ReplaceAllString(text, same.as)
	}
	const file = "testdata/descriptor.txt"
	if *updateMatch {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if text != string(want) {
		t.Errorf("the descriptor is\n%s\nwant\n%s", text, want)
	}
	must(t, d.Check())
	changed := d
	changed.Filter = strings.Repeat("0", 64)
	if changed.Check() == nil {
		t.Error("a changed descriptor was taken")
	}
}
