package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
)

// TestOnlyItsOrganisation: alerts are read and decided by people of the organisation that took the events in, with the
// right role. To everybody else they do not exist.
func TestOnlyItsOrganisation(t *testing.T) {
	w := newAlertWorld(t)
	g := w.record(w.found(1))
	for _, c := range []struct {
		why  string
		by   polder.Actor
		kind polder.Kind // of reading; Internal for none
		acts polder.Kind
	}{
		{"a reader reads", w.as(here, polder.RoleReader), 0, polder.Forbidden},
		{"a contributor decides", w.as(here, polder.RoleContributor), 0, 0},
		{"a steward does too", w.as(here, polder.RoleSteward), 0, 0},
		{"the administrator of the node has no right here", w.as(here, polder.RoleAdmin), polder.Forbidden, polder.Forbidden},
		{"a neighbour", w.as(there, polder.RoleSteward), polder.NotFound, polder.NotFound},
		{"nobody", polder.Actor{}, polder.Forbidden, polder.Forbidden},
	} {
		_, err := w.Alert(t.Context(), c.by, g.ID)
		if (err == nil) != (c.kind == 0) || err != nil && polder.KindOf(err) != c.kind {
			t.Errorf("%s: reading says %v", c.why, err)
		}
		_, err = w.Decide(t.Context(), c.by, g.ID, StateInWork, "")
		if (err == nil) != (c.acts == 0) || err != nil && polder.KindOf(err) != c.acts {
			t.Errorf("%s: deciding says %v", c.why, err)
		}
		page, err := w.Alerts(t.Context(), c.by, Filter{})
		if seen := err == nil && len(page.Groups) > 0; seen != (c.kind == 0) {
			t.Errorf("%s: listed %v, %v", c.why, seen, err)
		}
		counts, _ := w.Counts(t.Context(), c.by)
		if (len(counts.States) > 0) != (c.kind == 0) {
			t.Errorf("%s: counts %v", c.why, counts)
		}
		found, _ := w.Find(t.Context(), c.by, "archive", 10)
		news, _ := w.Since(t.Context(), c.by, 0, 10)
		if (len(found) > 0) != (c.kind == 0) || (len(news) > 0) != (c.kind == 0) {
			t.Errorf("%s: found %d, new %d", c.why, len(found), len(news))
		}
	}
}

func TestDecide(t *testing.T) {
	w := newAlertWorld(t)
	by := w.as(here, polder.RoleContributor)
	g := w.record(w.found(1), w.found(2))
	if g.Count != 2 || g.State != StateNew {
		t.Fatalf("the group is %+v", g)
	}
	for _, c := range []struct {
		state  State
		reason string
		kind   polder.Kind
	}{
		{StateFalse, "", polder.Invalid}, {"fixed", "x", polder.Invalid}, {StateSuppressed, "because", polder.Invalid}, {StateClosed, strings.Repeat("x", maxText+1), polder.Invalid},
	} {
		if _, err := w.Decide(t.Context(), by, g.ID, c.state, c.reason); polder.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s %.10q: %v", c.state, c.reason, err)
		}
	}
	for _, state := range []State{StateInWork, StateConfirmed, StateConfirmed} {
		_, err := w.Decide(t.Context(), by, g.ID, state, "seen by the team")
		noErr(t, err)
	}
	sheet, err := w.Alert(t.Context(), by, g.ID)
	noErr(t, err)
	if sheet.State != StateConfirmed || sheet.By != "Sanne de Wit" || sheet.Reason != "seen by the team" || len(sheet.History) != 2 {
		t.Errorf("after three decisions, two of them the same: %+v, history %+v", sheet.Group, sheet.History)
	}
	// A confirmed group takes what follows; a closed one does not.
	if n := w.record(w.found(3)); n.ID != g.ID || n.Count != 3 {
		t.Errorf("what follows a confirmed alert begins anew: %+v", n)
	}
	_, err = w.Decide(t.Context(), by, g.ID, StateClosed, "")
	noErr(t, err)
	if n := w.record(w.found(4)); n.ID == g.ID || n.State != StateNew {
		t.Errorf("what follows a closed alert hides in it: %+v", n)
	}
	entries, err := w.audit.List(t.Context(), audit.Filter{Viewer: by})
	noErr(t, err)
	if len(entries) != 3 || entries[0].Action != "alert.state" || entries[0].Object != g.ID {
		t.Errorf("the audit says %+v", entries)
	}
	for _, other := range []polder.Actor{w.as(there, polder.RoleSteward), w.as(there, polder.RoleAdmin)} {
		if entries, err := w.audit.List(t.Context(), audit.Filter{Viewer: other}); err != nil || len(entries) != 0 {
			t.Errorf("%s of another organisation reads %d entries: %v", other.Role, len(entries), err)
		}
	}
}

func TestSuppress(t *testing.T) {
	w := newAlertWorld(t)
	by := w.as(here, polder.RoleContributor)
	g := w.record(w.found(1))
	good := Suppression{Rule: g.Rule, Scope: ScopeHost, Value: "ws-041", Reason: "backup machine", Until: w.pass(0).Add(24 * time.Hour)}
	for _, c := range []struct {
		why    string
		change func(*Suppression)
	}{
		{"no reason", func(u *Suppression) { u.Reason = " " }}, {"no rule", func(u *Suppression) { u.Rule = "" }}, {"no value", func(u *Suppression) { u.Value = "" }}, {"unknown scope", func(u *Suppression) { u.Scope = "net" }},
		{"an end that is over", func(u *Suppression) { u.Until = w.pass(0) }}, {"no end", func(u *Suppression) { u.Until = time.Time{} }}, {"an end far away", func(u *Suppression) { u.Until = w.pass(0).AddDate(2, 0, 0) }},
	} {
		bad := good
		c.change(&bad)
		if _, err := w.Suppress(t.Context(), by, bad, ""); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	if _, err := w.Suppress(t.Context(), w.reader(here), good, ""); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a reader: %v", err)
	}
	u, err := w.Suppress(t.Context(), by, good, g.ID)
	noErr(t, err)
	if n := w.record(w.found(2)); n.State != StateSuppressed || n.Suppression != u.ID {
		t.Errorf("an alert that is met is %+v", n)
	}
	elsewhere := w.found(3)
	elsewhere.Host = "WS-042"
	if n := w.record(elsewhere); n.State != StateNew {
		t.Errorf("the alert of another host is %s", n.State)
	}
	_, err = w.Record(t.Context(), there, []Finding{w.found(2)})
	noErr(t, err)
	page, err := w.Alerts(t.Context(), w.reader(there), Filter{})
	noErr(t, err)
	if len(page.Groups) != 1 {
		t.Errorf("a neighbour's alert is suppressed by ours")
	}
	page, err = w.Alerts(t.Context(), by, Filter{})
	noErr(t, err)
	if len(page.Groups) != 1 || page.Groups[0].Host != "WS-042" {
		t.Errorf("the queue is %+v", page.Groups)
	}
	page, err = w.Alerts(t.Context(), by, Filter{States: []State{StateSuppressed}})
	noErr(t, err)
	if len(page.Groups) != 2 {
		t.Errorf("%d suppressed ones are listed, want the one at hand and the one that followed", len(page.Groups))
	}
	list, err := w.Suppressions(t.Context(), by)
	noErr(t, err)
	if len(list) != 1 || list[0].Count != 1 || list[0].Title == "" {
		t.Errorf("listed: %+v", list)
	}
	w.pass(25 * time.Hour) // it ends by itself
	late := w.found(5)
	if n := w.record(late); n.State != StateNew {
		t.Errorf("after its end an alert is %s", n.State)
	}
	if err := w.EndSuppression(t.Context(), by, u.ID); polder.KindOf(err) != polder.Conflict {
		t.Errorf("ending it after its end: %v", err)
	}
}

func TestEndSuppression(t *testing.T) {
	w := newAlertWorld(t)
	by := w.as(here, polder.RoleContributor)
	u, err := w.Suppress(t.Context(), by, Suppression{Rule: w.found(1).ID, Scope: ScopeValue, Value: `c:\tools\7z.exe`, Reason: "our packer", Until: w.pass(0).Add(time.Hour)}, "")
	noErr(t, err)
	noErr(t, w.ChangeSuppression(t.Context(), by, u.ID, "our own packer", w.pass(0).Add(2*time.Hour)))
	got, err := w.Suppression(t.Context(), by, u.ID)
	noErr(t, err)
	if got.Reason != "our own packer" || !got.Until.Equal(w.pass(0).Add(2*time.Hour)) {
		t.Errorf("changed to %+v", got)
	}
	if err := w.EndSuppression(t.Context(), w.as(there, polder.RoleSteward), u.ID); polder.KindOf(err) != polder.NotFound {
		t.Errorf("a neighbour ends it: %v", err)
	}
	if n := w.record(w.found(1)); n.State != StateSuppressed {
		t.Errorf("before its end: %s", n.State)
	}
	noErr(t, w.EndSuppression(t.Context(), by, u.ID))
	if n := w.record(w.found(2)); n.State != StateNew {
		t.Errorf("after it was ended: %s", n.State)
	}
	entries, err := w.audit.List(t.Context(), audit.Filter{Viewer: by, Action: "suppression."})
	noErr(t, err)
	if len(entries) != 3 {
		t.Errorf("the audit has %d entries of it, want made, changed, ended", len(entries))
	}
}

// TestWithdrawn: when the shared object is gone, the alert says when, where and how often, and nothing that the object
// said; search does not find it.
func TestWithdrawn(t *testing.T) {
	w := newAlertWorld(t)
	by := w.as(here, polder.RoleContributor)
	f := w.hit(1)
	g := w.record(f)
	_, err := w.Suppress(t.Context(), by, Suppression{Rule: f.ID, Scope: ScopeValue, Value: "firmware-klepwerk.example", Reason: "klepwerk again", Until: w.pass(0).Add(time.Hour)}, "")
	noErr(t, err)
	_, err = w.Decide(t.Context(), by, g.ID, StateInWork, "klepwerk again")
	noErr(t, err)
	before, err := w.Alert(t.Context(), by, g.ID)
	noErr(t, err)
	if before.Hidden || before.Object == nil || len(before.Relations) != 1 || !strings.Contains(fmt.Sprint(before), "klepwerk") {
		t.Fatalf("before: %+v", before)
	}
	shared := w.found(1) // a rule that came as a shared object
	shared.Title, shared.Origin.Object, shared.Origin.Community = "klepwerk loader", f.ID, "chip"
	w.record(shared)
	_, err = w.Suppress(t.Context(), by, Suppression{Rule: shared.ID, Scope: ScopeHost, Value: "WS-041", Reason: "klepwerk again", Until: w.pass(0).Add(time.Hour)}, "")
	noErr(t, err)
	w.exchange.withdraw(f.ID)
	if of, err := w.Alerts(t.Context(), by, Filter{Object: f.ID}); err != nil || len(of.Groups) != 0 {
		t.Errorf("the list still tells that something rests on it: %+v, %v", of, err)
	}
	after, err := w.Alert(t.Context(), by, g.ID)
	noErr(t, err)
	list, err := w.Alerts(t.Context(), by, Filter{})
	noErr(t, err)
	found, err := w.Find(t.Context(), by, "klepwerk", 10)
	noErr(t, err)
	ended, err := w.Suppressions(t.Context(), by)
	noErr(t, err)
	if !after.Hidden || after.Count != 1 || after.Host == "" || len(after.Alerts) != 1 || len(found) != 0 || len(list.Groups) != 2 || !ended[0].Hidden || !ended[1].Hidden {
		t.Errorf("after: %+v, found %d", after, len(found))
	}
	for _, said := range []string{fmt.Sprint(after), fmt.Sprint(list), fmt.Sprint(ended)} {
		if strings.Contains(said, "klepwerk") || strings.Contains(said, "confidence is") {
			t.Errorf("what was withdrawn is still told: %s", said)
		}
	}
}

func TestListing(t *testing.T) {
	w := newAlertWorld(t)
	var want []string
	for i := range 30 {
		f := w.found(i)
		f.Host, f.Level = fmt.Sprintf("h%d", i%3), Levels[i%5]
		f.ID = fmt.Sprintf("rule-%02d", i)
		f.Time = f.Time.Add(time.Duration(i%7) * time.Minute)
		want = append(want, w.record(f).ID)
	}
	slices.Sort(want)
	for _, sort := range Sorts {
		var got []string
		f := Filter{Sort: sort, Limit: 7}
		for {
			page, err := w.Alerts(t.Context(), w.reader(here), f)
			noErr(t, err)
			for _, g := range page.Groups {
				got = append(got, g.ID)
			}
			if f.Next = page.Next; f.Next == "" {
				break
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("sorted by %s the pages hold %d alerts, or some twice; want %d", sort, len(got), len(want))
		}
	}
	for _, c := range []struct {
		why  string
		f    Filter
		want int
	}{
		{"a level", Filter{Levels: []Level{High}}, 6}, {"two levels", Filter{Levels: []Level{High, Critical}}, 12}, {"a host", Filter{Hosts: []string{"h1"}}, 10}, {"a host that begins like one", Filter{Hosts: []string{"h"}}, 0},
		{"a kind", Filter{Kinds: []Kind{ByPattern}}, 0}, {"a state", Filter{States: []State{StateNew}}, 30},
	} {
		page, err := w.Alerts(t.Context(), w.reader(here), c.f)
		noErr(t, err)
		if len(page.Groups) != c.want {
			t.Errorf("%s: %d, want %d", c.why, len(page.Groups), c.want)
		}
	}
	for _, bad := range []Filter{{Sort: "title"}, {States: []State{"odd"}}, {Levels: []Level{"odd"}}, {Kinds: []Kind{"odd"}}, {Next: "x"}, {Next: "1.x"}, {Hosts: make([]string, 51)}} {
		if _, err := w.Alerts(t.Context(), w.reader(here), bad); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestManyObjects: a list that rests on very many objects asks for them in parts.
func TestManyObjects(t *testing.T) {
	w := newAlertWorld(t)
	var all []Finding
	for i := range mostRefs + 30 {
		all = append(all, w.hit(i))
	}
	_, err := w.Record(t.Context(), here, all)
	noErr(t, err)
	page, err := w.Alerts(t.Context(), w.reader(here), Filter{Limit: 200})
	noErr(t, err)
	for _, g := range page.Groups {
		if g.Hidden {
			t.Fatalf("an alert of an object that is there is hidden: %+v", g)
		}
	}
	if len(page.Groups) != mostRefs+30 {
		t.Errorf("%d alerts are listed", len(page.Groups))
	}
}

// TestLargeGroup: a rule that fires without end costs little: only the first alerts of a group keep their events.
func TestLargeGroup(t *testing.T) {
	w := newAlertWorld(t)
	var all []Finding
	for i := range 130 {
		all = append(all, w.found(i))
	}
	g := w.record(all...)
	if g.Count != 130 {
		t.Fatalf("%d alerts in the group", g.Count)
	}
	sheet, err := w.Alert(t.Context(), w.reader(here), g.ID)
	noErr(t, err)
	if len(sheet.Alerts) != maxDetailed || len(sheet.Alerts[maxDetailed-1].Events) != 1 {
		t.Errorf("%d alerts are shown, the last with %d events", len(sheet.Alerts), len(sheet.Alerts[len(sheet.Alerts)-1].Events))
	}
	var detailed int
	noErr(t, w.db.Read().QueryRow(`SELECT count(*) FROM alert WHERE length(events) > 0`).Scan(&detailed))
	if detailed != maxDetailed {
		t.Errorf("%d alerts keep their events", detailed)
	}
}

// TestManyScopes: a rule that fires on every host there is opens a bounded number of groups; nothing is lost.
func TestManyScopes(t *testing.T) {
	w := newAlertWorld(t)
	var all []Finding
	for i := range maxScopes + 25 {
		f := w.found(i)
		f.Host = fmt.Sprintf("host-%d", i)
		all = append(all, f)
	}
	fresh, err := w.Record(t.Context(), here, all)
	noErr(t, err)
	n, urgent, err := w.Waiting(t.Context(), w.reader(here))
	noErr(t, err)
	if fresh != maxScopes+25 || n != maxScopes+1 || urgent != n {
		t.Errorf("%d alerts in %d groups, %d of them urgent", fresh, n, urgent)
	}
	rest, err := readGroupOf(t.Context(), w.db, alertID(here, all[maxScopes+5]))
	noErr(t, err)
	if rest.Count != 25 || rest.Host != "" {
		t.Errorf("the rest stands in %+v", rest)
	}
	if own, err := readGroupOf(t.Context(), w.db, alertID(here, all[3])); err != nil || own.Host != "host-3" {
		t.Errorf("one of the first stands in %+v, %v", own, err)
	}
}

func TestPrune(t *testing.T) {
	w := newAlertWorld(t)
	by := w.as(here, polder.RoleContributor)
	decided := w.record(w.found(1))
	_, err := w.Decide(t.Context(), by, decided.ID, StateFalse, "a test of ours")
	noErr(t, err)
	fresh := w.record(w.found(2))
	w.pass(181 * 24 * time.Hour)
	gone, err := w.Prune(t.Context())
	noErr(t, err)
	if _, err := w.Alert(t.Context(), by, decided.ID); gone != 1 || polder.KindOf(err) != polder.NotFound {
		t.Errorf("%d gone; what was decided half a year ago: %v", gone, err)
	}
	if _, err := w.Alert(t.Context(), by, fresh.ID); err != nil {
		t.Errorf("what nobody has decided is gone: %v", err)
	}
	var left int
	noErr(t, w.db.Read().QueryRow(`SELECT count(*) FROM alert_history`).Scan(&left))
	if left != 0 {
		t.Errorf("%d entries of a history without its alert", left)
	}
}
