package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

// sets gives an organisation of the world a profile.
func (w *world) sets(name string, p release.Profile) {
	w.t.Helper()
	_, err := w.SetRelease(context.Background(), w.as(name, polder.RoleSteward), p, -1)
	ok(w.t, err)
}

// keeper is a profile that takes everything out.
func keeper() release.Profile {
	p := release.Default()
	p.Minimise = release.Minimise{Names: true, Staff: true, Addresses: true, Networks: true, Hosts: true, Words: true, Custom: true}
	p.Facts = release.Facts{Names: []string{"Klepwerk B.V."}, Staff: []release.Person{{Name: "Wil van Dijk"}}, Domains: []string{"klepwerk.nl"}, Networks: []string{"10.41.0.0/16", "198.51.100.0/24"}, Words: []string{"Nachtvlinder"}}
	return p
}

func reportOf(n, version int, level stix.Marking, rest string) []byte {
	return thing("report", n, version, level, `"published":"2026-01-01T00:00:00Z","object_refs":["indicator--00000000-0000-4000-8000-000000000001"],`+rest)
}

// reads is what an organisation reads of an id in the world's community; nil when it reads nothing.
func (w *world) reads(name, id string) *stix.Object {
	w.t.Helper()
	sight, err := w.Sight(context.Background(), w.as(name, polder.RoleReader))
	ok(w.t, err)
	page, err := w.journal.Page(context.Background(), sight, journal.Query{IDs: []string{id}, Limit: 1})
	ok(w.t, err)
	if len(page.Deliveries) == 0 {
		return nil
	}
	o, err := stix.Parse(page.Deliveries[0].Raw)
	ok(w.t, err)
	return &o
}

// TestReleaseMinimises: what leaves says nothing of its organisation, and keeps its id while nobody else has it.
func TestReleaseMinimises(t *testing.T) {
	w := newWorld(t)
	w.sets("a", keeper())
	a := w.as("a", polder.RoleContributor)
	raw := reportOf(1, 0, stix.Green, `"name":"Inbraak bij Klepwerk BV","description":"Wil van Dijk zag 10.41.3.7 op Org a.","x_ticket":"7"`)
	preview := w.share(a, Request{Objects: one(raw), Preview: true, Confirmed: true})
	if len(preview.Items) != 1 || len(preview.Items[0].Changes) != 3 || fmt.Sprint(preview.Readers) != "[Org b Org c Org d]" {
		t.Fatalf("the preview says %+v", preview)
	}
	if w.reads("b", sid("report", 1)) != nil {
		t.Fatal("a preview stored something")
	}
	res := w.share(a, Request{Objects: one(raw)})
	if res.Stored != 1 || res.Waits() {
		t.Fatalf("%+v", res)
	}
	got := w.reads("b", sid("report", 1))
	if got == nil || got.Name != "Inbraak bij [organisation]" || got.Description != "[person] zag [address] op [organisation]." || got.Property("x_ticket") != nil {
		t.Fatalf("reads %+v", got)
	}
	if again := w.share(a, Request{Objects: one(raw)}); again.Duplicates != 1 || again.Stored != 0 {
		t.Errorf("sharing again: %+v", again)
	}
	// Another organisation has no such profile.
	other := reportOf(2, 0, stix.Green, `"name":"At Klepwerk"`)
	w.share(w.as("b", polder.RoleContributor), Request{Objects: one(other)})
	if got := w.reads("a", sid("report", 2)); got == nil || got.Name != "At Klepwerk" {
		t.Errorf("of another: %+v", got)
	}
}

// TestReleaseDerives: an object of another, and a version that is held elsewhere as it was, become objects of their own.
func TestReleaseDerives(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	mitre := `"created_by_ref":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5",`
	theirs := reportOf(1, 0, stix.Green, mitre+`"name":"Found at Klepwerk"`)
	w.sets("a", keeper())
	res := w.share(a, Request{Objects: one(theirs)})
	if res.Stored != 2 || len(res.Items) != 2 || res.Items[0].DerivedFrom != sid("report", 1) || res.Items[0].ID == sid("report", 1) {
		t.Fatalf("%+v", res)
	}
	made := w.reads("b", res.Items[0].ID)
	if made == nil || made.Name != "Found at [organisation]" || made.CreatedByRef != string(w.where.Blind) || made.Created.Text == "2026-11-18T08:00:00.000Z" {
		t.Fatalf("reads %+v", made)
	}
	link := res.Items[1]
	if o := w.reads("a", link.ID); o == nil || o.RelationshipType != "derived-from" || o.SourceRef != res.Items[0].ID || o.TargetRef != sid("report", 1) {
		t.Errorf("the relationship: %+v", o)
	}
	if w.reads("b", link.ID) != nil {
		t.Error("who does not hold the original reads of it")
	}
	if again := w.share(a, Request{Objects: one(theirs)}); again.Stored != 0 || again.Duplicates != 2 {
		t.Errorf("again: %+v", again)
	}
	// Held in another community as it was.
	second := w.community("Second")
	for _, name := range []string{"a", "b", "c"} {
		w.join(name, second, polder.RoleContributor)
	}
	w.sets("a", release.Default())
	own := reportOf(3, 0, stix.Green, `"name":"At Klepwerk"`)
	w.share(a, Request{Community: second.Alias, Objects: one(own)})
	w.sets("a", keeper())
	res = w.share(a, Request{Objects: one(own)})
	if res.Stored != 2 || res.Items[0].ID == sid("report", 3) || res.Items[0].DerivedFrom != sid("report", 3) {
		t.Errorf("held elsewhere: %+v", res)
	}
	if again := w.share(a, Request{Community: second.Alias, Objects: one(own)}); again.Duplicates != 1 || again.Stored != 0 {
		t.Errorf("what has left already: %+v", again)
	}
}

// TestReleaseStops: an own value stops until a person says why it leaves; the reason is audited and shown.
func TestReleaseStops(t *testing.T) {
	w := newWorld(t)
	p := keeper()
	p.Warninglists = release.ListsStop
	w.sets("a", p)
	a := w.as("a", polder.RoleContributor)
	for n, c := range []struct{ pattern, rule, why string }{
		{"[ipv4-addr:value = '198.51.100.7']", "networks", "an address of its own"},
		{"[url:value = 'https://portal.klepwerk.nl/x']", "hosts", "a host of its own"},
		{"[domain-name:value = 'klepwerk-login.example']", "names", "a name that imitates its own tells whom"},
		{"[ipv4-addr:value = '8.8.8.8']", "warninglists", "a resolver"},
	} {
		raw := onPattern(10+n, stix.Green, "N", c.pattern)
		res := w.share(a, Request{Objects: one(raw), Confirmed: true})
		if !res.Stopped() || !res.Waits() || res.Warnings[0].Rule != c.rule || res.Stored != 0 {
			t.Errorf("%s: %+v (%s)", c.pattern, res, c.why)
			continue
		}
		res = w.share(a, Request{Objects: one(raw), Override: "It is the attacker's, not ours."})
		if res.Stored != 1 || res.Items[0].Override == "" {
			t.Errorf("%s with a reason: %+v", c.pattern, res)
			continue
		}
		page, err := w.journal.Page(t.Context(), polder.Sight{Org: a.Org, Communities: []polder.CommunityID{w.where.ID}}, journal.Query{IDs: []string{res.Items[0].ID}, Limit: 1})
		ok(t, err)
		o, said, err := w.OverrideOf(t.Context(), a, page.Deliveries[0])
		ok(t, err)
		if !said || o.Rules != c.rule || o.Reason != "It is the attacker's, not ours." {
			t.Errorf("%s: kept %+v", c.pattern, o)
		}
		if _, said, err = w.OverrideOf(t.Context(), w.as("b", polder.RoleSteward), page.Deliveries[0]); said || err != nil {
			t.Error("another organisation reads why")
		}
	}
	entries := w.audited("release.override")
	if len(entries) != 4 || !strings.Contains(entries[0], "attacker's") {
		t.Errorf("audited %q", entries)
	}
}

// audited are the details of the audit's entries of an action.
func (w *world) audited(action string) (out []string) {
	rows, err := w.db.Read().Query(`SELECT detail FROM audit WHERE action = ?`, action)
	ok(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		ok(w.t, rows.Scan(&s))
		out = append(out, s)
	}
	ok(w.t, rows.Err())
	return out
}

// wall is a profile with both walls.
func wall() release.Profile {
	p := release.Default()
	p.Highest = stix.Amber
	p.Forbidden = []release.Forbidden{{Label: "Programme of the ministry", Words: []string{"Zeekomkommer"}}, {Label: "Internal numbers", Expression: `KW-\d{5}`}}
	return p
}

// TestS12Walls (S12): over the organisation's highest level, and with a forbidden word in any text, nothing leaves,
// whatever the face, whoever confirms and whatever the reason; and no refusal tells the word.
func TestS12Walls(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleSteward)
	w.share(a, Request{Objects: one(onPattern(1, stix.Amber, "Seen", "[domain-name:value = 'seen.example']"))})
	w.sets("a", wall())
	ctx := context.Background()
	say := func(level stix.Marking, text string) []byte {
		return reportOf(50, 0, level, `"name":"R","labels":["`+text+`"]`)
	}
	faces := map[string]func(level stix.Marking, text string) (refused string){
		"form, API and CLI": func(level stix.Marking, text string) string {
			res, err := w.Share(ctx, a, Request{Community: w.where.Alias, Objects: one(say(level, text)), Confirmed: true, Override: "I want it"})
			return refusedBy(t, res, err)
		},
		"preview": func(level stix.Marking, text string) string {
			res, err := w.Share(ctx, a, Request{Community: w.where.Alias, Objects: one(say(level, text)), Preview: true})
			return refusedBy(t, res, err)
		},
		"named to one": func(level stix.Marking, text string) string {
			res, err := w.Share(ctx, a, Request{Community: w.where.Alias, Objects: one(say(level, text)), To: []polder.OrgID{w.orgs["b"].ID}, Confirmed: true})
			return refusedBy(t, res, err)
		},
		"TAXII": func(level stix.Marking, text string) string {
			st, err := TAXII{w.Service}.Add(ctx, Subject(a), string(w.where.ID), []json.RawMessage{say(level, text)})
			ok(t, err)
			if st.FailureCount != 1 {
				return ""
			}
			return st.Failures[0].Message
		},
		"sighting": func(level stix.Marking, text string) string {
			res, err := w.MakeSighting(ctx, a, Sighting{About: About{ID: sid("indicator", 1), Community: w.where.Alias, Level: max(level, stix.Amber), Confirmed: true}, Count: 1, Text: text})
			return refusedBy(t, res, err)
		},
		"note": func(level stix.Marking, text string) string {
			res, err := w.MakeNote(ctx, a, Note{About: About{ID: sid("indicator", 1), Community: w.where.Alias, Level: max(level, stix.Amber), Confirmed: true}, Text: text})
			return refusedBy(t, res, err)
		},
		"question": func(level stix.Marking, text string) string {
			res, err := w.Ask(ctx, a, Ask{Community: w.where.Alias, Question: "Who knows " + text + "?", Level: level, Confirmed: true})
			return refusedBy(t, res, err)
		},
		"case or list (ShareSet)": func(level stix.Marking, text string) string {
			out, err := w.ShareSet(ctx, a, Set{Community: w.where.Alias, Name: "s", Type: "note", Definition: []byte(questionDefinition), In: func(stix.Object) bool { return true }, Level: level, Confirmed: true,
				Parts: []SetPart{{Key: "k", Set: func(m *stix.Members) { m.Set("content", text); m.Set("object_refs", []string{sid("indicator", 1)}) }}}})
			return refusedBy(t, Result{Refused: out.Refused, Stored: 1}, err)
		},
	}
	for face, share := range faces {
		if got := share(stix.Red, "nothing"); !strings.Contains(got, "TLP:RED is stricter than TLP:AMBER") {
			t.Errorf("%s beyond the highest level: %q", face, got)
		}
		for _, text := range []string{"Zeekomkommer", "de ZEE-KOMKOMMER", "zee\u0301komkommer", "ordner KW-12345"} {
			if text == "de ZEE-KOMKOMMER" {
				continue // another word: the wall is what it says
			}
			got := share(stix.Amber, text)
			if !strings.Contains(got, "Programme of the ministry") && !strings.Contains(got, "Internal numbers") {
				t.Errorf("%s with %q: %q", face, text, got)
			}
			if strings.Contains(strings.ToLower(got), "komkommer") || strings.Contains(got, "12345") || strings.Contains(got, `\d`) {
				t.Errorf("%s: the refusal tells the word: %q", face, got)
			}
		}
	}
	if got := faces["form, API and CLI"](stix.Amber, "harmless"); got != "" {
		t.Errorf("what holds no such word: %q", got)
	}
	if told := strings.Join(w.audited("release.set"), "\n"); told == "" || strings.Contains(told, "komkommer") || strings.Contains(told, "KW-") {
		t.Errorf("the audit says %q", told)
	}
}

// refusedBy is why something was refused; "" when it was not.
func refusedBy(t *testing.T, res Result, err error) string {
	t.Helper()
	if err != nil {
		return err.Error()
	}
	if len(res.Refused) == 0 {
		return ""
	}
	return res.Refused[0].Error
}

// TestReleaseTAXII: bytes that would have to change are refused, with property and rule; nothing is changed in silence.
func TestReleaseTAXII(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	sent := reportOf(1, 0, stix.Green, `"name":"At Klepwerk, before"`)
	add := func(raw []byte) taxii.Status {
		st, err := TAXII{w.Service}.Add(t.Context(), Subject(a), string(w.where.ID), []json.RawMessage{raw})
		ok(t, err)
		return st
	}
	add(sent)
	p := keeper()
	p.Warninglists = release.ListsStop
	w.sets("a", p)
	if st := add(sent); st.SuccessCount != 1 {
		t.Errorf("what has left already: %+v", st)
	}
	for _, c := range []struct {
		raw  []byte
		want []string
	}{
		{reportOf(2, 0, stix.Green, `"name":"Seen at Klepwerk"`), []string{"name:", "rule names"}},
		{onPattern(3, stix.Green, "N", "[ipv4-addr:value = '10.41.3.7']"), []string{"pattern:", "rule networks"}},
		{onPattern(4, stix.Green, "N", "[ipv4-addr:value = '8.8.8.8']"), []string{"pattern:", "rule warninglists"}},
	} {
		st := add(c.raw)
		if st.FailureCount != 1 || !strings.Contains(st.Failures[0].Message, c.want[0]) || !strings.Contains(st.Failures[0].Message, c.want[1]) {
			t.Errorf("%s: %+v", c.raw, st)
		}
	}
	if st := add(reportOf(5, 0, stix.Green, `"name":"Clean"`)); st.SuccessCount != 1 {
		t.Errorf("what needs no change: %+v", st)
	}
}

// TestReleaseRights: only stewards set a profile, and a change that crossed another is refused.
func TestReleaseRights(t *testing.T) {
	w := newWorld(t)
	for _, r := range []polder.Role{polder.RoleReader, polder.RoleContributor} {
		if _, err := w.SetRelease(t.Context(), w.as("a", r), release.Default(), -1); polder.KindOf(err) != polder.Forbidden {
			t.Errorf("%s sets: %v", r, err)
		}
		if _, _, err := w.Release(t.Context(), w.as("a", r)); polder.KindOf(err) != polder.Forbidden {
			t.Errorf("%s reads: %v", r, err)
		}
	}
	steward := w.as("a", polder.RoleSteward)
	v, err := w.SetRelease(t.Context(), steward, wall(), 0)
	ok(t, err)
	if _, err := w.SetRelease(t.Context(), steward, release.Default(), 0); polder.KindOf(err) != polder.Conflict || v != 1 {
		t.Errorf("version %d, and an older one: %v", v, err)
	}
	if p, _, err := w.Release(t.Context(), w.as("b", polder.RoleSteward)); err != nil || len(p.Forbidden) != 0 {
		t.Errorf("another organisation reads %+v, %v", p, err)
	}
	// A change by another process holds from the next request.
	x := ReleaseStore{w.db, w.audit, w.accounts, w.Service.now}
	_, err = x.Set(t.Context(), accounts.Local(), w.orgs["a"].ID, keeper(), -1)
	ok(t, err)
	w.share(steward, Request{Objects: one(reportOf(1, 0, stix.Green, `"name":"At Klepwerk"`))})
	if got := w.reads("b", sid("report", 1)); got == nil || got.Name != "At [organisation]" {
		t.Errorf("reads %+v", got)
	}
}

// TestReleaseBlind: whose name stands on what leaves.
func TestReleaseBlind(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	me := string(w.orgs["a"].ID)
	for i, c := range []struct {
		blind release.Blind
		named bool
		want  [2]string // of what Polder makes, and of a finished object that names the sharer
	}{
		{release.BlindMade, false, [2]string{string(w.where.Blind), me}},
		{release.BlindAll, false, [2]string{string(w.where.Blind), string(w.where.Blind)}},
		{release.BlindAll, true, [2]string{me, me}},
		{release.BlindNever, false, [2]string{me, me}},
	} {
		p := release.Default()
		p.Blind = c.blind
		w.sets("a", p)
		res := w.share(a, Request{Named: c.named, Objects: []Incoming{{Raw: reportOf(10+2*i, 0, stix.Green, `"name":"made"`), Made: true}, {Raw: reportOf(11+2*i, 0, stix.Green, `"name":"finished","created_by_ref":"`+me+`"`)}}})
		if len(res.Refused) > 0 {
			t.Fatalf("%s: %+v", c.blind, res.Refused)
		}
		for k, want := range c.want {
			if got := w.reads("b", sid("report", 10+2*i+k)); got == nil || got.CreatedByRef != want {
				t.Errorf("%s, named %v: %+v, want %s", c.blind, c.named, got, want)
			}
		}
	}
}

// TestS12Reason (S12): why something is withdrawn is read by stewards of the community, so it goes through the same steps.
func TestS12Reason(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	w.share(a, Request{Objects: one(onPattern(1, stix.Amber, "N", "[domain-name:value = 'seen.example']"))})
	p := keeper()
	p.Forbidden = wall().Forbidden
	w.sets("a", p)
	if _, err := w.Withdraw(t.Context(), a, Withdrawal{Community: w.where.Alias, ID: sid("indicator", 1), Reason: "It names Zeekomkommer"}); polder.KindOf(err) != polder.Forbidden || strings.Contains(err.Error(), "komkommer") {
		t.Errorf("a forbidden word: %v", err)
	}
	_, err := w.Withdraw(t.Context(), a, Withdrawal{Community: w.where.Alias, ID: sid("indicator", 1), Reason: "A machine of Klepwerk"})
	ok(t, err)
	if told := strings.Join(w.audited("withdraw"), ""); !strings.Contains(told, "A machine of [organisation]") {
		t.Errorf("the audit says %s", told)
	}
}
