package cases

import (
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestRemovedMemberIsSharedNothing: an organisation that is taken out of a case loses what was shared with it too, and a
// contact point that was told stays told. One that leaves by itself does not end what its owner shares.
func TestRemovedMemberIsSharedNothing(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	caseMust(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "BE", Community: "ring", Org: ncsc}))
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Lens holder", Level: stix.Green, Countries: []string{"BE", "NL"}})
	caseMust(t, err)
	w.add(lead, c.ID, Item{Kind: ItemEntry, Level: stix.Green, Title: "It began"})
	for _, who := range []struct {
		by   polder.Actor
		ends bool
	}{{lead, true}, {partner, false}} {
		_, err = w.SetMember(ctx, lead, c.ID, CaseWithWhom{Org: wafers, Part: PartWork, Ceiling: stix.Green})
		caseMust(t, err)
		_, err = w.ShareCase(ctx, lead, withPartner(c.ID, PartWork, stix.Amber))
		caseMust(t, err)
		_, err = w.TellContacts(ctx, lead, c.ID, "early-warning", false)
		caseMust(t, err)
		if !strings.Contains(ring.sees(wafers), "It began") {
			t.Fatal("nothing was shared")
		}
		caseMust(t, w.RemoveMember(ctx, who.by, c.ID, "", wafers))
		if gone := !strings.Contains(ring.sees(wafers), "It began"); gone != who.ends {
			t.Errorf("taken out by %s, what was shared is gone: %v", who.by.Name, gone)
		}
		if ring.sees(ncsc) == "" {
			t.Error("the contact point knows nothing any more")
		}
	}
	all, err := w.Sharings(ctx, lead, c.ID)
	caseMust(t, err)
	if len(all) != 2 {
		t.Errorf("what goes on: %+v", all)
	}
}

// TestStruckOutIsBehind: what is struck out, and what is marked stricter than a sharing goes, is shown as behind until it
// is brought up to date, and is then taken back.
func TestStruckOutIsBehind(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Lens holder", Level: stix.Green})
	caseMust(t, err)
	struck := w.add(lead, c.ID, Item{Kind: ItemEntry, Level: stix.Green, Title: "canary-struck"})
	stricter := w.add(lead, c.ID, Item{Kind: ItemNote, Level: stix.Green, Title: "canary-stricter"})
	_, err = w.ShareCase(ctx, lead, withPartner(c.ID, PartRead, stix.Amber))
	caseMust(t, err)
	behind := func(want bool) {
		t.Helper()
		all, err := w.Sharings(ctx, lead, c.ID)
		caseMust(t, err)
		if len(all) != 1 || all[0].Behind != want {
			t.Errorf("%+v, want behind %v", all, want)
		}
	}
	for _, change := range []func() error{
		func() error {
			_, err := w.StrikeItem(ctx, lead, c.ID, struck.ID, struck.Version, "another day")
			return err
		},
		func() error {
			stricter.Level = stix.Red
			_, err := w.ChangeItem(ctx, lead, c.ID, stricter)
			return err
		},
	} {
		behind(false)
		caseMust(t, change())
		behind(true)
		got, err := w.BringShared(ctx, lead, c.ID, true, false)
		caseMust(t, err)
		if !strings.Contains(strings.Join(got.Warnings, " "), "1 objects are taken back") {
			t.Errorf("what was done: %+v", got)
		}
	}
	behind(false)
	if strings.Contains(ring.sees(wafers), "canary") {
		t.Error("what was struck out or marked stricter stayed behind")
	}
}

// TestEarlyWarningTellsContacts: who says that an early warning was sent is asked whether the contact points of the
// countries that the case touches should know, and on that word they do: that it crosses borders, and not what it is.
func TestEarlyWarningTellsContacts(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "canary-title", Level: stix.Amber, Sector: "energy", Countries: []string{"BE", "NL"}, Aware: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)})
	caseMust(t, err)
	_, _, err = w.MarkSentAndTell(ctx, lead, c.ID, "gdpr-nl/notification", DeadlineMark{})
	caseIs(t, err, polder.Invalid, "nis2-nl.early-warning")
	_, told, err := w.MarkSentAndTell(ctx, lead, c.ID, ruleWarning, DeadlineMark{Version: w.duty(c.ID, ruleWarning).Version})
	caseMust(t, err)
	if len(told) != 0 || len(ring.objects) != 0 {
		t.Errorf("nobody is set, and %+v were told", told)
	}
	_, err = w.ReopenDeadline(ctx, lead, c.ID, ruleWarning, DeadlineMark{Version: w.duty(c.ID, ruleWarning).Version, Reason: "a slip"})
	caseMust(t, err)
	caseMust(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "BE", Community: "ring", Org: ncsc}))
	if ring.sees(ncsc) != "" {
		t.Error("a contact point was told without a word")
	}
	_, told, err = w.MarkSentAndTell(ctx, lead, c.ID, ruleWarning, DeadlineMark{Version: w.duty(c.ID, ruleWarning).Version})
	caseMust(t, err)
	list, err := w.CrossBorder(ctx, contact)
	caseMust(t, err)
	if len(told) != 1 || told[0].Country != "BE" || len(list) != 1 || list[0].Stage != "early-warning" || !list[0].Crosses || strings.Contains(ring.sees(ncsc), "canary") {
		t.Errorf("told %+v, who sees %+v", told, list)
	}
	w.Service.o.Keeper = nil
	_, _, err = w.MarkSentAndTell(ctx, lead, c.ID, ruleNotification, DeadlineMark{Version: w.duty(c.ID, ruleNotification).Version})
	caseIs(t, err, polder.Unavailable, "it is noted as sent, and the contact points were not told")
	if d := w.duty(c.ID, ruleNotification); d.Sent.IsZero() {
		t.Error("it is not noted as sent")
	}
}

// TestEarlyWarningPage: the page of an early warning offers to tell the contact points, ticked, where the case crosses
// borders and some are set; the word goes with the form, and so does that of who unticks it.
func TestEarlyWarningPage(t *testing.T) {
	w := newCasePages(t)
	_, ring := newSharedWorld(t)
	w.Service.o.Exchange, w.Service.o.Keeper, w.Service.o.Shared = ring, ring, ring
	ctx := t.Context()
	caseMust(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "BE", Community: "ring", Org: ncsc}))
	for _, c := range []struct {
		countries     []string
		tick          string
		offered, told bool
	}{{[]string{"NL"}, "", false, false}, {[]string{"BE", "NL"}, "", true, false}, {[]string{"BE", "NL"}, "yes", true, true}} {
		v, err := w.OpenCase(ctx, lead, CaseNew{Title: "Odd log-ins", Level: stix.Amber, Sector: "energy", Countries: c.countries})
		caseMust(t, err)
		form := "/cases/deadlines/" + string(v.ID) + "/nis2-nl.early-warning"
		page := w.see("lead", form)
		if got := strings.Contains(page, "Tell Contact Point BE (BE)"); got != c.offered {
			t.Errorf("%v: offered %v", c.countries, got)
		}
		if c.offered {
			i := strings.Index(page, `name="tell"`)
			if i < 0 || !strings.Contains(page[i:i+80], "checked") {
				t.Errorf("it is not ticked: %.120s", page[max(i, 0):])
			}
		}
		w.did("lead", form+"/sent", "version", "1", "tell", c.tick)
		if got := ring.sees(ncsc) != ""; got != c.told {
			t.Errorf("%v %q: told %v", c.countries, c.tick, got)
		}
	}
}
