package cases

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

func withPartner(id CaseID, part Part, ceiling stix.Marking) SharingAsk {
	return SharingAsk{Case: id, Community: "ring", Org: wafers, Part: part, Ceiling: ceiling}
}

func titles(items []Item) string {
	var out []string
	for _, it := range items {
		out = append(out, it.Title)
	}
	return strings.Join(out, ", ")
}

// TestSharedCase: the other side sees what its ceiling allows and nothing of what is stricter; what changes comes as a
// new version, what is struck out or marked stricter is taken back; what it adds comes back into one timeline; and when
// the sharing ends everything is gone.
func TestSharedCase(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Lens holder", Summary: "It went out", Level: stix.Green, Class: "information-content-security/data-leak", Severity: SeverityHigh, Countries: []string{"NL", "DE"}})
	caseMust(t, err)
	first := w.add(lead, c.ID, Item{Kind: ItemEntry, Level: stix.Green, Title: "It began", At: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)})
	w.add(lead, c.ID, Item{Kind: ItemEntry, Level: stix.Red, Title: "canary-red"})
	w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Green, Observable: &Observable{Type: indicator.Domain, Value: "drawings.example", Bad: true}})
	w.add(lead, c.ID, Item{Kind: ItemTask, Level: stix.Green, Title: "canary-task"})

	look := withPartner(c.ID, PartWork, stix.Amber)
	look.Preview = true
	got, err := w.ShareCase(ctx, lead, look)
	caseMust(t, err)
	if got.Left || len(got.Lines) != 3 || strings.Join(got.Readers, ", ") != "Wafer Werke, Acme Optics" || len(ring.objects) != 0 {
		t.Fatalf("the preview: %+v, and %d objects left", got, len(ring.objects))
	}
	got, err = w.ShareCase(ctx, lead, withPartner(c.ID, PartWork, stix.Amber))
	caseMust(t, err)
	if !got.Left || len(got.Lines) != 3 {
		t.Fatalf("sharing: %+v", got)
	}
	for _, never := range []string{"canary", string(c.ID), "person-", "Lotte"} {
		if strings.Contains(ring.sees(wafers), never) {
			t.Errorf("the other side reads %q", never)
		}
	}
	if ring.sees(ncsc) != "" {
		t.Error("who is not named reads it")
	}

	theirs, err := w.SharedWithUs(ctx, guest)
	caseMust(t, err)
	if len(theirs) != 1 || theirs[0].Title != "Lens holder" || theirs[0].Owner != "Acme Optics" || !theirs[0].Crosses || theirs[0].Part != PartWork || theirs[0].Level != stix.Green || theirs[0].Class != "information-content-security/data-leak" {
		t.Fatalf("they see %+v", theirs)
	}
	if mine, err := w.SharedWithUs(ctx, lead); err != nil || len(mine) != 0 {
		t.Errorf("a case is shared with its own organisation: %v %v", mine, err)
	}
	key := theirs[0].Key
	one, err := w.SharedWith(ctx, guest, key)
	caseMust(t, err)
	if got := titles(one.Items); got != "It began, drawings.example" {
		t.Fatalf("items: %s", got)
	}

	all, err := w.Sharings(ctx, lead, c.ID)
	caseMust(t, err)
	if len(all) != 1 || all[0].Behind || all[0].Name != "Wafer Werke" || all[0].Sent.IsZero() {
		t.Fatalf("sharings: %+v", all)
	}
	level := stix.Red
	first.Level, first.Title = level, "It began"
	if _, err := w.ChangeItem(ctx, lead, c.ID, first); err != nil {
		t.Fatal(err)
	}
	w.add(lead, c.ID, Item{Kind: ItemNote, Level: stix.Amber, Title: "A note"})
	if all, err = w.Sharings(ctx, lead, c.ID); err != nil || !all[0].Behind {
		t.Errorf("after changes: %+v %v", all, err)
	}
	_, err = w.BringShared(ctx, lead, c.ID, false, false)
	caseMust(t, err)
	one, err = w.SharedWith(ctx, guest, key)
	caseMust(t, err)
	if got := titles(one.Items); strings.Contains(got, "It began") || !strings.Contains(got, "A note") {
		t.Errorf("after it was marked stricter they see %s", got)
	}
	sharedReplies(t, w, c.ID, key, all[0].ID)
}

// sharedReplies is what the other side adds to a case that is shared with it, until the sharing is stopped.
func sharedReplies(t *testing.T, w *caseWorld, id CaseID, key, sharing string) {
	t.Helper()
	ctx := t.Context()
	_, err := w.ReplyToShared(ctx, guest, key, Item{Kind: ItemEntry, Title: "x"}, false)
	caseIs(t, err, polder.Forbidden, "role")
	_, err = w.ReplyToShared(ctx, partner, key, Item{Kind: ItemEntry, Level: stix.Amber, Title: "Seen here too", At: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}, false)
	caseMust(t, err)
	_, err = w.ReplyToShared(ctx, partner, key, Item{Kind: ItemObservable, Observable: &Observable{Type: indicator.Domain, Value: "DRAWINGS.example"}}, false)
	caseMust(t, err)
	for _, bad := range []Item{{Kind: ItemTask, Title: "x"}, {Kind: ItemEntry}, {Kind: ItemObservable}, {Kind: ItemNote, Title: strings.Repeat("x", 301)}, {Kind: ItemNote, Title: "x", Level: 9}} {
		if _, err := w.ReplyToShared(ctx, partner, key, bad, false); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	back, err := w.FromOthers(ctx, lead, id)
	caseMust(t, err)
	if len(back) != 2 || back[0].Title != "Seen here too" || back[0].Org != wafers {
		t.Fatalf("came back: %+v", back)
	}
	one, err := w.SharedWith(ctx, partner, key)
	caseMust(t, err)
	if one.Items[0].Title != "Seen here too" {
		t.Errorf("the joint timeline begins with %q", one.Items[0].Title)
	}

	caseIs(t, w.StopSharing(ctx, lead, id, "nothing"), polder.NotFound, "not shared so")
	caseMust(t, w.StopSharing(ctx, lead, id, sharing))
	if _, err := w.SharedWith(ctx, partner, key); polder.KindOf(err) != polder.NotFound {
		t.Errorf("after it was stopped: %v", err)
	}
	if back, err = w.FromOthers(ctx, lead, id); err != nil || len(back) != 0 {
		t.Errorf("after it was stopped %v came back, %v", back, err)
	}
	var said []string
	history, err := w.CaseHistory(ctx, lead, id)
	caseMust(t, err)
	for _, h := range history {
		if h.What == "sharing" {
			said = append(said, h.Did+" "+h.Reason)
		}
	}
	if got := strings.Join(said, "; "); got != "stopped Wafer Werke TLP:AMBER; sent Wafer Werke TLP:AMBER; sent Wafer Werke TLP:AMBER; shared Wafer Werke TLP:AMBER" {
		t.Errorf("the history says %q", got)
	}
}

// TestSharedRights: only the own organisation shares, its lead begins it, nobody shares above the own sight, and a warning
// stops everything until it was read.
func TestSharedRights(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c := w.open(stix.Amber, "Case")
	w.let(c.ID, worker, PartWork, stix.Amber)
	w.let(c.ID, partner, PartWork, stix.Red)
	w.add(lead, c.ID, Item{Kind: ItemNote, Level: stix.Red, Title: "held-word"})
	for _, s := range []struct {
		why string
		by  polder.Actor
		ask SharingAsk
		k   polder.Kind
	}{
		{"who works does not begin it", worker, withPartner(c.ID, PartRead, stix.Amber), polder.Forbidden},
		{"another organisation does not", partner, withPartner(c.ID, PartRead, stix.Amber), polder.Forbidden},
		{"who was not let in does not learn of it", chief, withPartner(c.ID, PartRead, stix.Amber), polder.NotFound},
		{"below the case's own level there is nothing to share", lead, withPartner(c.ID, PartRead, stix.Green), polder.Forbidden},
		{"no part that there is not", lead, withPartner(c.ID, PartLead, stix.Amber), polder.Invalid},
		{"no contact point by this door", lead, withPartner(c.ID, PartContact, stix.Amber), polder.Invalid},
		{"no level", lead, withPartner(c.ID, PartRead, stix.None), polder.Invalid},
		{"not with oneself", lead, SharingAsk{Case: c.ID, Community: "ring", Org: optics, Part: PartRead, Ceiling: stix.Amber}, polder.Invalid},
		{"not elsewhere", lead, SharingAsk{Case: c.ID, Community: "other", Org: wafers, Part: PartRead, Ceiling: stix.Amber}, polder.Invalid},
	} {
		if _, err := w.ShareCase(ctx, s.by, s.ask); polder.KindOf(err) != s.k {
			t.Errorf("%s: %v", s.why, err)
		}
	}
	ring.hold = "held-word"
	got, err := w.ShareCase(ctx, lead, withPartner(c.ID, PartRead, stix.Red))
	caseMust(t, err)
	if !got.Held || got.Left || len(ring.objects) != 0 {
		t.Fatalf("held: %+v, %d objects", got, len(ring.objects))
	}
	if all, err := w.Sharings(ctx, lead, c.ID); err != nil || len(all) != 0 {
		t.Errorf("a sharing that was held is there: %v %v", all, err)
	}
	ask := withPartner(c.ID, PartRead, stix.Red)
	ask.Confirmed = true
	if got, err = w.ShareCase(ctx, lead, ask); err != nil || !got.Left {
		t.Fatalf("confirmed: %+v %v", got, err)
	}
	if _, err := w.BringShared(ctx, worker, c.ID, true, false); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("who sees less than is shared would take it back: %v", err)
	}
	if _, err := w.Sharings(ctx, partner, c.ID); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("another organisation reads with whom it is shared: %v", err)
	}
	all, err := w.SharedWithUs(ctx, partner)
	caseMust(t, err)
	if _, err := w.ReplyToShared(ctx, partner, all[0].Key, Item{Kind: ItemNote, Title: "x"}, true); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("who was let in to read adds: %v", err)
	}
}

// TestSharedForged: what somebody else says is of a case is not taken for it: neither the receiver nor the owner reads
// an item of whoever is not part of the sharing.
func TestSharedForged(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Case")
	_, err := w.ShareCase(ctx, lead, withPartner(c.ID, PartWork, stix.Green))
	caseMust(t, err)
	all, err := listSharings(w.committed(ctx), c.ID, false)
	caseMust(t, err)
	forged := Kept{Community: "ring", Type: sharedItemType, Definition: []byte(sharedItemDefinition), Name: "forged", In: sharedIn("nothing"), Named: true,
		Parts: []KeptPart{{Key: "1", Level: stix.Green, Set: sharedItem(all[0].ID, Item{Kind: ItemEntry, Title: "forged"})}}}
	for _, to := range []polder.OrgID{optics, wafers} {
		forged.To, forged.Name = []polder.OrgID{to}, "forged"+string(to)
		_, err := ring.Keep(ctx, contact, forged)
		caseMust(t, err)
	}
	if back, err := w.FromOthers(ctx, lead, c.ID); err != nil || len(back) != 0 {
		t.Errorf("the owner reads %+v, %v", back, err)
	}
	theirs, err := w.SharedWithUs(ctx, partner)
	caseMust(t, err)
	one, err := w.SharedWith(ctx, partner, theirs[0].Key)
	caseMust(t, err)
	if len(one.Items) != 0 {
		t.Errorf("the receiver reads %+v", one.Items)
	}
}

// TestSharedContacts: a country's contact point is told that a case crosses borders and how far it is, on a person's word,
// without what it is about and whose it is; nobody else is told.
func TestSharedContacts(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	caseIs(t, w.SetContactPoint(ctx, lead, ContactPoint{Country: "BE", Community: "ring", Org: ncsc}), polder.Forbidden, "steward")
	caseIs(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "Belgium", Community: "ring", Org: ncsc}), polder.Invalid, "two letters")
	caseIs(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "BE", Community: "ring", Org: "identity--x"}), polder.Invalid, "no other member")
	caseMust(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "be", Community: "ring", Org: ncsc}))
	caseMust(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "DE", Community: "ring", Org: wafers}))
	caseMust(t, w.SetContactPoint(ctx, chief, ContactPoint{Country: "DE"}))
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "canary-title", Summary: "canary-summary", Level: stix.AmberStrict, Class: "intrusions/system-compromise", Severity: SeverityCritical, Countries: []string{"BE", "DE", "NL"}})
	caseMust(t, err)
	w.add(lead, c.ID, Item{Kind: ItemEntry, Level: stix.Clear, Title: "canary-entry"})

	_, err = w.TellContacts(ctx, lead, c.ID, "soon", false)
	caseIs(t, err, polder.Invalid, "early-warning")
	points, err := w.TellContacts(ctx, lead, c.ID, "early-warning", true)
	caseMust(t, err)
	if len(points) != 1 || points[0].Name != "Contact Point BE" || len(ring.objects) != 0 {
		t.Fatalf("it would tell %+v, and told %d", points, len(ring.objects))
	}
	for _, stage := range []string{"early-warning", "notification"} {
		_, err = w.TellContacts(ctx, lead, c.ID, stage, false)
		caseMust(t, err)
		list, err := w.CrossBorder(ctx, contact)
		caseMust(t, err)
		if len(list) != 1 || list[0].Stage != stage || !list[0].Crosses || list[0].Class != "intrusions/system-compromise" || list[0].Severity != SeverityCritical || strings.Join(list[0].Countries, " ") != "BE DE NL" || list[0].Owner != "" {
			t.Fatalf("the contact point sees %+v", list)
		}
	}
	for _, never := range []string{"canary", string(optics), "Acme"} {
		if strings.Contains(ring.sees(ncsc), never) {
			t.Errorf("the contact point reads %q", never)
		}
	}
	if ring.sees(wafers) != "" {
		t.Error("a country without a contact point was told")
	}
	if list, err := w.CrossBorder(ctx, lead); err != nil || len(list) != 1 || list[0].Title != "canary-title" {
		t.Errorf("the own list: %+v %v", list, err)
	}
	if list, err := w.CrossBorder(ctx, chief); err != nil || len(list) != 0 {
		t.Errorf("who was not let in sees %+v, %v", list, err)
	}
}

// TestS4NothingAboveTheCeiling: whatever a case holds and whoever asks for whatever ceiling, no word that is marked
// stricter stands in any file or in any object that is shared.
func TestS4NothingAboveTheCeiling(t *testing.T) {
	w, ring := newSharedWorld(t)
	level := rapid.SampledFrom([]stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red})
	canary := func(l stix.Marking, n int) string { return fmt.Sprintf("canary%dx%d", l, n) }
	checked := 0
	rapid.Check(t, func(rt *rapid.T) {
		own := level.Draw(rt, "case")
		c, err := w.OpenCase(t.Context(), lead, CaseNew{Title: canary(own, 0), Summary: canary(own, 0), Level: own, Noticed: canary(own, 0), Victim: canary(own, 0), Countries: []string{"NL", "DE"}})
		caseMust(t, err)
		for n := range rapid.IntRange(0, 8).Draw(rt, "items") {
			l := level.Draw(rt, "level")
			it := Item{Kind: rapid.SampledFrom([]ItemKind{ItemEntry, ItemObservable, ItemNote, ItemTask, ItemDecision}).Draw(rt, "kind"), Level: l, Title: canary(l, n), Text: canary(l, n), Weighs: n%2 == 0}
			switch it.Kind {
			case ItemObservable:
				it.Observable = &Observable{Type: indicator.Mutex, Value: canary(l, 100+n), Bad: n%2 == 0}
			case ItemDecision:
				it.Decision = &Decision{Reason: canary(l, n)}
			}
			_, err := w.AddItem(t.Context(), lead, c.ID, it)
			caseMust(t, err)
		}
		ceiling, seat := level.Draw(rt, "ceiling"), level.Draw(rt, "seat")
		w.let(c.ID, worker, PartWork, seat)
		clean := func(what string, top stix.Marking, text string) {
			checked++
			for l := top + 1; l <= stix.Red; l++ {
				if strings.Contains(text, fmt.Sprintf("canary%dx", l)) {
					rt.Fatalf("%s up to %s holds what is %s", what, top.Label(), l.Label())
				}
			}
		}
		for _, by := range []polder.Actor{lead, worker} {
			top := ceiling
			if by.Person == worker.Person {
				top = min(top, seat)
			}
			for _, ask := range []ExportAsk{{Format: FormatJSON}, {Format: FormatSTIX}, {Format: FormatSTIX, Named: true}, {Format: FormatVERIS}, {Format: FormatRSIT}, {Format: FormatCSV}, {Format: FormatCSV, Table: tableTimeline}, {Format: FormatCSV, Table: tableObservables}, {Format: FormatCSV, Table: tableRSIT}, {Format: FormatPDF}} {
				ask.Ceiling, ask.Red = ceiling, by.Person == lead.Person
				if ask.Format == FormatPDF {
					if got, err := w.exportCase(t.Context(), by, c.ID, ask); err == nil && rapid.IntRange(0, 5).Draw(rt, "print") == 0 {
						for l := top + 1; l <= stix.Red; l++ {
							if exportPrints(exportDocumentOf(t, got), fmt.Sprintf("canary%dx", l)) {
								rt.Fatalf("the document up to %s prints what is %s", top.Label(), l.Label())
							}
						}
					}
					continue
				}
				got, err := w.Export(t.Context(), by, c.ID, ask)
				if err != nil {
					clean("the refusal", top, err.Error())
					continue
				}
				if got.Level > top && len(got.Body) > 0 && got.Level != own {
					rt.Fatalf("%s up to %s says it is %s", ask.Format, top.Label(), got.Level.Label())
				}
				clean(string(ask.Format)+" "+ask.Table, top, got.Name+string(got.Body))
			}
		}
		clear(ring.objects)
		if _, err := w.ShareCase(t.Context(), lead, withPartner(c.ID, PartRead, ceiling)); err != nil && own <= ceiling {
			rt.Fatal(err)
		}
		clean("what is shared", ceiling, ring.sees(wafers))
	})
	if checked < 500 {
		t.Errorf("only %d files were looked at", checked)
	}
}

// TestSharedHostile: whatever others make of the types, what is read of it is bounded and sound, or it is left out.
func TestSharedHostile(t *testing.T) {
	at := func(typ, more string) journal.Delivery {
		id := typ + "--0c000000-0000-4000-8000-0000000000bb"
		return journal.Delivery{ID: id, Level: stix.Green, Raw: []byte(`{"type":"` + typ + `","spec_version":"2.1","id":"` + id + `","created":"2026-11-20T00:00:00.000Z","modified":"2026-11-20T00:00:00.000Z","extensions":{"` + map[string]string{sharedCaseType: sharedCaseExtension, sharedItemType: sharedItemExtension}[typ] + `":{"extension_type":"new-sdo"}}` + more + `}`)}
	}
	long := strings.Repeat("ä", 100_000)
	c, ok := sharedCaseOf(at(sharedCaseType, `,"case":"k","part":"read","name":"`+long+`","kind":"rumour","class":"x/y","seriousness":"awful","status":"?","stage":"<b>","countries":["NL","xx","Belgium","D1"]`))
	if !ok || len([]rune(c.Title)) != sharedMaxTitle || c.Kind != "" || c.Class != "other/undetermined" || c.Severity != "" || c.Status != "" || c.Stage != "" || strings.Join(c.Countries, " ") != "NL" {
		t.Errorf("read as %v %+v", ok, c.Countries)
	}
	for why, more := range map[string]string{"no case": `,"part":"read"`, "no part": `,"case":"k"`, "a part that is none": `,"case":"k","part":"lead"`, "a case that is no word": `,"case":"a b","part":"read"`, "a case that is a number": `,"case":5,"part":"read"`, "a long case": `,"case":"` + strings.Repeat("k", 65) + `","part":"read"`} {
		if _, ok := sharedCaseOf(at(sharedCaseType, more)); ok {
			t.Errorf("%s: it was taken", why)
		}
	}
	for why, more := range map[string]string{"a kind that is none": `,"case":"k","kind":"link"`, "a task": `,"case":"k","kind":"task"`, "a value of no type": `,"case":"k","kind":"observable","value":"x","value_type":"soul"`, "no value": `,"case":"k","kind":"observable","value_type":"domain"`} {
		if _, _, ok := sharedItemOf(at(sharedItemType, more)); ok {
			t.Errorf("%s: it was taken", why)
		}
	}
	if _, _, ok := sharedItemOf(at(sharedCaseType, `,"case":"k","kind":"entry","part":"read"`)); ok {
		t.Error("a header was taken for an item")
	}
	big := at(sharedItemType, `,"case":"k","kind":"note","description":"`+strings.Repeat("x", sharedMaxRaw)+`"`)
	if _, _, ok := sharedItemOf(big); ok {
		t.Error("an object above the bound was taken")
	}
}

// FuzzShared: nothing that others share breaks the reader or is above its bounds.
func FuzzShared(f *testing.F) {
	f.Add([]byte(`{"type":"x-polder-case","spec_version":"2.1","id":"x-polder-case--0c000000-0000-4000-8000-0000000000bb","created":"2026-11-20T00:00:00.000Z","modified":"2026-11-20T00:00:00.000Z","case":"k","part":"work","extensions":{"extension-definition--6d0f3a1e-8b52-4c77-9f0e-2a4b8c6d1e35":{"extension_type":"new-sdo"}}}`))
	f.Add([]byte(`{"type":"x-polder-case-item","case":"k","kind":"observable","value":"a.example","value_type":"domain","first_seen":"0000-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"case":null,"countries":[null]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := journal.Delivery{ID: "x-polder-case--0c000000-0000-4000-8000-0000000000bb", Raw: raw, Level: stix.Green}
		if c, ok := sharedCaseOf(d); ok && (len([]rune(c.Title)) > sharedMaxTitle || len([]rune(c.Summary)) > sharedMaxText || len(c.Countries) > sharedMaxList) {
			t.Fatalf("above the bounds: %d %d", len(c.Title), len(c.Countries))
		}
		if _, it, ok := sharedItemOf(d); ok && (len([]rune(it.Title)) > sharedMaxTitle || len([]rune(it.Text)) > sharedMaxText) {
			t.Fatalf("above the bounds: %d %d", len(it.Title), len(it.Text))
		}
	})
}

// TestS4HistoryOfSharing (S4): an organisation that was let into a case does not learn from its history with whom else the
// case is shared, where it was released, or which crown jewels it touches; the case's own organisation does.
func TestS4HistoryOfSharing(t *testing.T) {
	w, _ := newSharedWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Lens holder")
	w.let(c.ID, contact, PartRead, stix.Red)
	_, err := w.ShareCase(ctx, lead, withPartner(c.ID, PartRead, stix.Amber))
	caseMust(t, err)
	caseMust(t, w.db.Write(ctx, func(tx *db.Tx) error {
		v, err := w.caseViewer(ctx, lead)
		if err != nil {
			return err
		}
		for _, what := range []string{"release", "jewels"} {
			if err := w.caseNote(tx, lead, v, c.ID, CaseRevision{What: what, Did: "shared", Reason: "Wafer Werke", Level: stix.Green}); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, one := range []struct {
		who  polder.Actor
		want int
	}{{lead, 4}, {contact, 0}} {
		all, err := w.CaseHistory(ctx, one.who, c.ID)
		caseMust(t, err)
		n := 0
		for _, r := range all {
			if strings.Contains(r.Reason, "Wafer Werke") {
				n++
			}
		}
		if n != one.want {
			t.Errorf("%s reads of the other organisation %d times, want %d", one.who.Name, n, one.want)
		}
	}
}
