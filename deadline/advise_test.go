package deadline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFiveQuestions(t *testing.T) {
	all := Packs{}.Questions()
	var takes []string
	for _, q := range all {
		takes = append(takes, q.Take)
		for _, lang := range []string{"en", "nl"} {
			if ask, help := q.In(lang); ask == "" || help == "" {
				t.Errorf("question %s lacks its words in %s", q.ID, lang)
			}
		}
		if q.Take != "aware" && len(q.Options) < 3 {
			t.Errorf("question %s has %d options", q.ID, len(q.Options))
		}
	}
	if want := []string{"jurisdiction", "sector", "kind", "serious", "aware"}; !slices.Equal(takes, want) {
		t.Errorf("the questions fill %v, want %v", takes, want)
	}
}

// The answer says what must be reported with the article, and what not and why.
func TestAdvice(t *testing.T) {
	at := tableTime(t, "2026-11-22T09:44:00+01:00")
	for _, c := range []struct {
		why    string
		a      Answers
		duties []string // ids that are there
		absent []string // ids that are not
		not    map[string]Reason
	}{
		{"a chip maker is broken into and loses names of staff", Answers{Jurisdiction: "NL", Sectors: []string{"manufacturing", "product maker"}, Kinds: []string{"incident", "personal data breach"}, Serious: Unknown, Aware: at},
			[]string{"nis2-nl/early-warning", "gdpr-nl/notification", "gdpr-nl/people", "cra-eu/incident-warning"}, []string{"dora-nl/initial"},
			map[string]Reason{"DORA": OtherSector, "Wbni": OtherSector, "whistleblower directive (Wet bescherming klokkenluiders)": OtherKind}},
		{"it is not serious: NIS2 asks nothing, the GDPR may", Answers{Jurisdiction: "NL", Sectors: []string{"manufacturing"}, Kinds: []string{"incident", "personal data breach"}, Serious: No, Aware: at},
			[]string{"gdpr-nl/notification"}, []string{"nis2-nl/early-warning", "gdpr-nl/people"}, map[string]Reason{"NIS2 (Cbw)": NotSerious}},
		{"a power firm, of which the Wbni asks no more", Answers{Jurisdiction: "NL", Sectors: []string{"energy"}, Kinds: []string{"incident"}, Aware: at}, []string{"nis2-nl/early-warning"}, []string{"nis1-nl/report"}, map[string]Reason{"Wbni": NoLonger}},
		{"a hole in a product before the CRA held", Answers{Jurisdiction: "DE", Kinds: []string{"exploited-vulnerability"}, Aware: tableTime(t, "2026-08-01T10:00:00Z")}, nil, []string{"cra-eu/vulnerability-warning"},
			map[string]Reason{"CRA": NotYet, "GDPR": OtherKind}},
	} {
		advice, err := Packs{}.Advise(c.a)
		if err != nil {
			t.Fatalf("%s: %v", c.why, err)
		}
		var ids []string
		for _, d := range advice.Duties {
			ids = append(ids, d.ID)
			if d.Rule.Article == "" || d.Rule.Source == "" {
				t.Errorf("%s: %s has no article", c.why, d.ID)
			}
		}
		for _, id := range c.duties {
			if !slices.Contains(ids, id) {
				t.Errorf("%s: %s is not there: %v", c.why, id, ids)
			}
		}
		for _, id := range c.absent {
			if slices.Contains(ids, id) {
				t.Errorf("%s: %s is there", c.why, id)
			}
		}
		if len(ids) != len(slices.Compact(slices.Sorted(slices.Values(ids)))) {
			t.Errorf("%s: a duty is listed twice: %v", c.why, ids)
		}
		got := map[string]Reason{}
		for _, n := range advice.Not {
			got[n.Regulation] = n.Reason
			if n.Source == "" {
				t.Errorf("%s: why %s asks nothing has no source", c.why, n.Regulation)
			}
		}
		for act, reason := range c.not {
			if got[act] != reason {
				t.Errorf("%s: %s asks nothing because of %q, want %q (all: %v)", c.why, act, got[act], reason, got)
			}
		}
	}
	for _, a := range []Answers{{Jurisdiction: "NL", Aware: at}, {Jurisdiction: "XX", Kinds: []string{"incident"}, Aware: at}, {Jurisdiction: "NL", Kinds: []string{"x"}, Aware: at}, {Jurisdiction: "NL", Kinds: make([]string, 31), Aware: at},
		{Jurisdiction: "NL", Kinds: []string{"incident"}}} {
		if _, err := (Packs{}).Advise(a); err == nil {
			t.Errorf("%+v is answered", a)
		}
	}
}

// A form is filled with what is known; what is required and not known is named, what is too long is cut, and the JSON is
// as its documentation says.
func TestFill(t *testing.T) {
	form, ok := FormNamed("nis2-early-warning")
	if !ok {
		t.Fatal("there is no early warning")
	}
	got := Fill(form, Facts{"organisation.name": " Acme Optics \n", "case.summary": strings.Repeat("é", MaxFact), "case.malicious": "yes", "not.asked": "secret"})
	var name, summary FilledField
	for _, f := range got.Fields {
		switch f.ID {
		case "organisation":
			name = f
		case "summary":
			summary = f
		}
		if f.EN == "" || f.NL == "" || f.From == "" {
			t.Errorf("field %q lacks words or where it comes from", f.ID)
		}
		if f.Missing != (f.Required && f.Value == "") || f.Missing != slices.Contains(got.Missing, f.ID) {
			t.Errorf("field %s: missing is %v, required %v, value %q", f.ID, f.Missing, f.Required, f.Value)
		}
	}
	if name.Value != "Acme Optics" || name.Missing {
		t.Errorf("organisation: %+v", name)
	}
	if len(summary.Value) > MaxFact+3 || !strings.HasSuffix(summary.Value, "…") {
		t.Errorf("summary: %d bytes", len(summary.Value))
	}
	if !slices.Contains(got.Missing, "contact") || slices.Contains(got.Missing, "register") {
		t.Errorf("missing: %v; want contact, which is required, and not register, which is not", got.Missing)
	}
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var shape map[string]any
	if err := json.Unmarshal(raw, &shape); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"id", "en", "nl", "fields", "missing"} {
		if _, ok := shape[key]; !ok {
			t.Errorf("the JSON of a form lacks %q", key)
		}
	}
	if strings.Contains(string(raw), "secret") {
		t.Error("a fact that was not asked for is in the form")
	}
	if empty := Fill(form, nil); len(empty.Missing) == 0 {
		t.Error("an empty form misses nothing")
	}
}

func TestLocalZones(t *testing.T) {
	for _, p := range (Packs{}).Jurisdictions() {
		zone, err := Packs{}.Zone(p.ID)
		if err != nil || zone == time.Local {
			t.Errorf("%s: zone %v, %v", p.ID, zone, err)
		}
	}
	if n := len((Packs{}).Jurisdictions()); n != 28 {
		t.Errorf("%d jurisdictions, want 27 member states and the Union", n)
	}
}
