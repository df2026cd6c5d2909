package detect

import (
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
)

// TestSighting: only a confirmed alert of a shared indicator becomes a sighting; it carries counts and times; what is
// previewed is what leaves; twice is once.
func TestSighting(t *testing.T) {
	w := newAlertWorld(t)
	by := w.as(here, polder.RoleContributor)
	f := w.hit(1)
	later := f
	later.Events, later.Time = [][]byte{[]byte(`{"n":"later"}`)}, f.Time.Add(time.Minute)
	g := w.record(f, later)
	own := w.record(w.found(1))
	for _, c := range []struct{ id, says string }{{g.ID, "not confirmed"}, {own.ID, "your own rules"}} {
		if _, err := w.ShareSighting(t.Context(), by, c.id, Extra{}); polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %q, got %v", c.says, err)
		}
	}
	_, err := w.Decide(t.Context(), by, g.ID, StateConfirmed, "")
	noErr(t, err)
	if len(w.exchange.shared) != 0 {
		t.Fatal("a sighting left by itself without a rule")
	}
	_, leaving, err := w.PreviewSighting(t.Context(), by, g.ID, Extra{})
	noErr(t, err)
	for _, inside := range []string{"10.41.7.114", "dns.log", "Sanne", "query"} {
		if strings.Contains(string(leaving.Raw), inside) {
			t.Errorf("%q would leave: %s", inside, leaving.Raw)
		}
	}
	if _, err := w.ShareSighting(t.Context(), w.reader(here), g.ID, Extra{}); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a reader shares: %v", err)
	}
	for range 2 {
		_, err := w.ShareSighting(t.Context(), by, g.ID, Extra{})
		noErr(t, err)
	}
	if len(w.exchange.shared) != 1 {
		t.Errorf("%d sightings were shared", len(w.exchange.shared))
	}
	for _, s := range w.exchange.shared {
		if s.Count != 2 || s.Text != "" || s.Named || !s.First.Equal(f.Time.Truncate(time.Millisecond)) || s.Last.Sub(s.First) != time.Minute {
			t.Errorf("shared: %+v", s)
		}
	}
	sheet, err := w.Alert(t.Context(), by, g.ID)
	noErr(t, err)
	if sheet.Sighting == "" || sheet.Sighted != 2 || len(sheet.History) != 2 || sheet.History[0].What != "sighting" {
		t.Errorf("after sharing: %+v, %+v", sheet.Group, sheet.History)
	}
}

func TestSightingRefused(t *testing.T) {
	w := newAlertWorld(t)
	by := w.as(here, polder.RoleContributor)
	gone, revoked, careless := w.record(w.hit(1)), w.record(w.hit(2)), w.record(w.hit(3))
	for _, g := range []Group{gone, revoked, careless} {
		_, err := w.Decide(t.Context(), by, g.ID, StateConfirmed, "")
		noErr(t, err)
	}
	w.exchange.withdraw(gone.Rule)
	o := w.exchange.objects[revoked.Rule]
	o.Revoked = true
	w.exchange.put(o)
	w.exchange.careful = true
	for _, c := range []struct{ id, says string }{{gone.ID, "withdrawn"}, {revoked.ID, "revoked"}, {careless.ID, "10.0.0.1"}} {
		if _, err := w.ShareSighting(t.Context(), by, c.id, Extra{Text: "from 10.0.0.1"}); polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %q, got %v", c.says, err)
		}
	}
	if len(w.exchange.shared) != 0 {
		t.Errorf("%d left", len(w.exchange.shared))
	}
	if _, err := w.ShareSighting(t.Context(), by, careless.ID, Extra{Text: "from 10.0.0.1", Confirmed: true}); err != nil {
		t.Errorf("what a person confirmed: %v", err)
	}
}

// TestSightingRule: by rule, a confirmed alert leaves by itself; the rule is off until a steward makes it.
func TestSightingRule(t *testing.T) {
	w := newAlertWorld(t)
	by, steward := w.as(here, polder.RoleContributor), w.as(here, polder.RoleSteward)
	if err := w.SetSightingRule(t.Context(), by, SightingRule{Community: "chip", Confidence: 80}); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a contributor makes a rule: %v", err)
	}
	for _, bad := range []SightingRule{{Confidence: 80}, {Community: "chip", Confidence: 101}, {Community: "chip", Confidence: -1}} {
		if err := w.SetSightingRule(t.Context(), steward, bad); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	confirm := func(n int) Released {
		t.Helper()
		out, err := w.Decide(t.Context(), by, w.record(w.hit(n)).ID, StateConfirmed, "")
		noErr(t, err)
		return out
	}
	noErr(t, w.SetSightingRule(t.Context(), steward, SightingRule{Community: "chip", Confidence: 90}))
	if out := confirm(1); out.ID != "" {
		t.Errorf("an indicator that is less sure left: %+v", out)
	}
	noErr(t, w.SetSightingRule(t.Context(), steward, SightingRule{Community: "chip", Confidence: 80}))
	if out := confirm(2); out.ID == "" {
		t.Error("an indicator that is sure enough did not leave")
	}
	w.exchange.careful = true
	if out := confirm(3); out.ID != "" || !strings.Contains(out.Refused, "10.0.0.1") {
		t.Errorf("what the careless check holds: %+v", out)
	}
	w.exchange.careful = false
	noErr(t, w.DropSightingRule(t.Context(), steward, "chip"))
	if out := confirm(4); out != (Released{}) {
		t.Errorf("after the rule ended: %+v", out)
	}
	if _, err := w.Decide(t.Context(), by, w.record(w.found(9)).ID, StateConfirmed, ""); err != nil {
		t.Errorf("an alert of one's own rule: %v", err)
	}
}
