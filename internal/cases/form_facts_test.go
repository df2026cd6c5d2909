package cases

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// TestDeadlineFormFacts: a form takes over what the case knows of its impact, cause, malice and who was told; the entries
// of control lists only where the case is AMBER+STRICT or stricter; what is marked stricter than the case stays out; and
// what nobody knows is still named as missing.
func TestDeadlineFormFacts(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	jewel, err := w.SetJewel(ctx, chief, Jewel{Name: "canary-jewel", Technology: []string{"2B350.g", "3B001"}, Products: []string{"Lens holder"}})
	caseMust(t, err)
	for _, c := range []struct {
		why           string
		level, damage stix.Marking
		class         string
		want          map[string]string
	}{
		{"everything is known", stix.AmberStrict, stix.AmberStrict, "intrusions/system-compromise", map[string]string{"impact": "A copy of the drawings left\nPartners: Wafer Werke", "cause": "intrusions: system-compromise, cyber", "malicious": "yes (intrusions/system-compromise)", "knowledge": "2B350.g, 3B001", "measures": "Keys were changed", "police": "police"}},
		{"a wider case says no technology", stix.Amber, stix.Amber, "intrusions/system-compromise", map[string]string{"impact": "A copy of the drawings left\nPartners: Wafer Werke", "knowledge": ""}},
		{"a stricter assessment stays out", stix.Amber, stix.Red, "intrusions/system-compromise", map[string]string{"impact": "", "measures": "", "police": ""}},
		{"a class that says nothing of malice", stix.Amber, stix.Amber, "availability/outage", map[string]string{"malicious": "", "cause": "availability: outage, cyber"}},
		{"a class that says nothing", stix.Amber, stix.Amber, "other/undetermined", map[string]string{"malicious": "", "cause": ""}},
	} {
		v, err := w.OpenCase(ctx, lead, CaseNew{Title: "Odd log-ins", Level: c.level, Sector: "energy", Class: c.class, Roads: []Road{RoadCyber, RoadUnknown}, Aware: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)})
		caseMust(t, err)
		_, err = w.TouchJewels(ctx, lead, v.ID, []string{jewel.ID})
		caseMust(t, err)
		_, err = w.AssessDamage(ctx, lead, v.ID, Damage{Taken: TakenSome, What: "A copy of the drawings left", Partners: []string{"Wafer Werke"}, Told: []string{"police"}, Measures: "Keys were changed", Level: c.damage})
		caseMust(t, err)
		have := map[string]string{}
		for _, rule := range []string{ruleWarning, ruleNotification, ruleFinal} {
			f, err := w.DeadlineForm(ctx, lead, v.ID, rule)
			caseMust(t, err)
			for _, field := range f.Form.Fields {
				have[field.ID] = field.Value
				if missing := slices.Contains(f.Form.Missing, field.ID); missing != (field.Required && field.Value == "") {
					t.Errorf("%s: %s of %s is %q, and named as missing: %v", c.why, field.ID, rule, field.Value, missing)
				}
				if strings.Contains(field.Value, "canary") {
					t.Errorf("%s: %s names a jewel", c.why, field.ID)
				}
			}
		}
		for id, want := range c.want {
			if got, asked := have[id]; !asked || got != want {
				t.Errorf("%s: %s is %q (asked for: %v), want %q", c.why, id, got, asked, want)
			}
		}
	}
}
