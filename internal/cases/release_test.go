package cases

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

// TestRelease: what is chosen is shown line by line with who will read it, nothing leaves before it is confirmed, and
// what left leads to the case and the case to it.
func TestRelease(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c := w.open(stix.Amber, "canary-title")
	domain := w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Green, Observable: &Observable{Type: indicator.Domain, Value: "drawings.example", Bad: true}})
	address := w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Green, Observable: &Observable{Type: indicator.IPv4, Value: "198.51.100.7"}})
	ask := ReleaseAsk{Case: c.ID, Items: []string{domain.ID, address.ID}, Values: []Observable{{Type: indicator.CVE, Value: "CVE-2024-12345"}}, Title: "How they work", Text: "They ask for drawings.", Community: "ring", Level: stix.Green, Preview: true}
	look, err := w.ReleaseFrom(ctx, lead, ask)
	caseMust(t, err)
	if look.Left || look.Held || len(ring.left) != 0 || len(look.Lines) != 4 || strings.Join(look.Readers, ", ") != "Wafer Werke, Contact Point BE" {
		t.Fatalf("the preview: %+v, %d left", look, len(ring.left))
	}
	says := ""
	for _, l := range look.Lines {
		says += l.Type + " " + l.Says + "; "
		if l.Level != stix.Green || strings.Contains(l.Raw, "canary") || strings.Contains(l.Raw, string(optics)) || strings.Contains(l.Raw, string(c.ID)) {
			t.Errorf("it would leave: %s", l.Raw)
		}
	}
	if says != "indicator drawings.example; ipv4-addr 198.51.100.7; vulnerability CVE-2024-12345; note How they work; " {
		t.Errorf("the lines say %q", says)
	}
	ask.Preview, ask.Seen = false, "something else"
	if _, err := w.ReleaseFrom(ctx, lead, ask); polder.KindOf(err) != polder.Conflict || len(ring.left) != 0 {
		t.Errorf("what was not looked at left: %v", err)
	}
	ask.Seen = look.Digest
	out, err := w.ReleaseFrom(ctx, lead, ask)
	caseMust(t, err)
	if !out.Left || len(ring.left) != 1 || len(out.IDs) != 4 {
		t.Fatalf("released: %+v", out)
	}
	for n, l := range look.Lines {
		if out.Lines[n].ID != l.ID {
			t.Errorf("%s was shown, and %s left", l.ID, out.Lines[n].ID)
		}
	}
	gone, err := w.ReleasedOf(ctx, lead, c.ID)
	caseMust(t, err)
	if len(gone) != 4 || gone[0].By != lead.Person || gone[0].Community != "ring" {
		t.Errorf("the case says %+v left", gone)
	}
	for _, s := range []struct {
		by    polder.Actor
		found bool
	}{{lead, true}, {worker, false}, {partner, false}} {
		ref, found, err := w.CaseOfObject(ctx, s.by, out.IDs[0])
		if err != nil || found != s.found || found && ref.ID != c.ID {
			t.Errorf("%s is led to %v %v, %v", s.by.Name, ref, found, err)
		}
	}
	ask.Named, ask.Seen, ask.Preview = true, "", true
	named, err := w.ReleaseFrom(ctx, lead, ask)
	caseMust(t, err)
	if !strings.Contains(named.Lines[0].Raw, `"created_by_ref":"`+string(optics)) || named.Lines[0].ID == look.Lines[0].ID {
		t.Errorf("named: %s", named.Lines[0].Raw)
	}
}

// TestS12ReleaseCareless: what is marked stricter does not leave, a text that names it is held until it was read, and who
// may not share from the case cannot.
func TestS12ReleaseCareless(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c := w.open(stix.Amber, "Case")
	w.let(c.ID, worker, PartRead, stix.Red)
	w.let(c.ID, partner, PartWork, stix.Red)
	secret := w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Red, Observable: &Observable{Type: indicator.Domain, Value: "secret.example", Bad: true}})
	note := w.add(lead, c.ID, Item{Kind: ItemNote, Level: stix.Green, Title: "x"})
	text := ReleaseAsk{Case: c.ID, Title: "Look out", Text: "for secret.example", Community: "ring", Level: stix.Green}
	for _, s := range []struct {
		why string
		by  polder.Actor
		ask func(*ReleaseAsk)
		k   polder.Kind
	}{
		{"stricter than the release", lead, func(a *ReleaseAsk) { a.Items = []string{secret.ID} }, polder.Forbidden},
		{"a note is no observable", lead, func(a *ReleaseAsk) { a.Items = []string{note.ID} }, polder.Invalid},
		{"an item that is not there", lead, func(a *ReleaseAsk) { a.Items = []string{"nothing"} }, polder.NotFound},
		{"nothing to share", lead, func(a *ReleaseAsk) { a.Text = " " }, polder.Invalid},
		{"no level", lead, func(a *ReleaseAsk) { a.Level = stix.None }, polder.Invalid},
		{"items of no case", lead, func(a *ReleaseAsk) { a.Case, a.Items = "", []string{secret.ID} }, polder.Invalid},
		{"a value that is none", lead, func(a *ReleaseAsk) { a.Values = []Observable{{Type: indicator.IPv4, Value: "300.1.1.1"}} }, polder.Invalid},
		{"too many values", lead, func(a *ReleaseAsk) { a.Values = make([]Observable, releaseMost+1) }, polder.TooLarge},
		{"too long a text", lead, func(a *ReleaseAsk) { a.Text = strings.Repeat("x", sharedMaxText+1) }, polder.TooLarge},
		{"who reads the case", worker, func(*ReleaseAsk) {}, polder.Forbidden},
		{"another organisation", partner, func(*ReleaseAsk) {}, polder.Forbidden},
		{"who was not let in", chief, func(*ReleaseAsk) {}, polder.NotFound},
		{"of nothing", lead, func(a *ReleaseAsk) { a.Case = "" }, polder.Invalid},
		{"of a report that is not there", lead, func(a *ReleaseAsk) { a.Case, a.Report = "", "report-1" }, polder.NotFound},
		{"a role that reads", looker, func(a *ReleaseAsk) { a.Case = "" }, polder.Forbidden},
	} {
		ask := text
		s.ask(&ask)
		ask.Confirmed = true
		if _, err := w.ReleaseFrom(ctx, s.by, ask); polder.KindOf(err) != s.k {
			t.Errorf("%s: %v", s.why, err)
		}
	}
	got, err := w.ReleaseFrom(ctx, lead, text)
	caseMust(t, err)
	if !got.Held || got.Left || len(ring.left) != 0 || !strings.Contains(strings.Join(got.Warnings, " "), "secret.example is marked TLP:RED") {
		t.Fatalf("held: %+v", got)
	}
	text.Confirmed = true
	got, err = w.ReleaseFrom(ctx, lead, text)
	caseMust(t, err)
	if !got.Left || len(ring.left) != 1 || got.Lines[0].Type != "incident" {
		t.Fatalf("confirmed: %+v", got)
	}
}
