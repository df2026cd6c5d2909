package deadline

import (
	"os"
	"strings"
	"testing"
	"time"
)

// tableRow is a row of testdata/table.txt.
type tableRow struct {
	line         int
	situation    Situation
	rule, expect string
	why          string
}

func readTable(t *testing.T) (rows []tableRow) {
	t.Helper()
	raw, err := os.ReadFile("testdata/table.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(raw), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "|")
		if len(f) != 8 {
			t.Fatalf("table.txt:%d: %d columns, want 8", i+1, len(f))
		}
		s := Situation{Jurisdiction: f[0], Sector: f[1], Kind: f[2], Aware: tableTime(t, f[3]), Events: map[string]time.Time{}}
		for e := range strings.SplitSeq(f[4], ",") {
			if name, at, ok := strings.Cut(e, "="); ok {
				s.Events[name] = tableTime(t, at)
			}
		}
		rows = append(rows, tableRow{i + 1, s, f[5], f[6], f[7]})
	}
	return rows
}

func tableTime(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// said is a deadline as the table writes it.
func said(all []Deadline, rule string) string {
	for _, d := range all {
		switch {
		case d.ID != rule:
		case d.Waits != "":
			return "waits " + d.Waits
		case d.Due.IsZero():
			return "no time"
		default:
			return d.Due.Format(time.RFC3339)
		}
	}
	return "absent"
}

// The deadlines are those of a table that was counted by hand, over all packs.
func TestTable(t *testing.T) {
	rows := readTable(t)
	if len(rows) < 60 {
		t.Fatalf("the table has %d rows, want at least 60", len(rows))
	}
	packs := map[string]bool{}
	for _, r := range rows {
		all, err := Packs{}.Due(r.situation)
		if err != nil {
			t.Errorf("table.txt:%d: %v", r.line, err)
			continue
		}
		if got := said(all, r.rule); got != r.expect {
			t.Errorf("table.txt:%d: %s is %s, want %s: %s", r.line, r.rule, got, r.expect, r.why)
		}
		if _, _, ok := (Packs{}).Rule(r.rule); !ok {
			t.Errorf("table.txt:%d: there is no rule %s", r.line, r.rule)
		}
		pack, _, _ := strings.Cut(r.rule, "/")
		packs[pack] = true
	}
	for _, p := range (Packs{}).All() {
		if !packs[p.ID] {
			t.Errorf("pack %s has no row in the table", p.ID)
		}
	}
}

// Who asks about an incident in the Netherlands always gets the three reports of NIS2, and how binding they are.
func TestDutchIncidentHasThreeReports(t *testing.T) {
	for _, at := range []struct{ aware, status string }{{"2025-05-01T10:00:00Z", Voluntary}, {"2026-06-30T20:00:00Z", Voluntary}, {"2026-06-30T23:00:00Z", Unconfirmed}, {"2027-01-01T10:00:00Z", Unconfirmed}} {
		for _, sector := range []string{"energy", "manufacturing", "research", "chips"} {
			all, err := Packs{}.Due(Situation{Jurisdiction: "NL", Sector: sector, Kind: "incident", Aware: tableTime(t, at.aware)})
			if err != nil {
				t.Fatal(err)
			}
			for _, what := range []string{"early warning", "incident notification", "final report"} {
				found := false
				for _, d := range all {
					if d.Rule.What == what && d.Regulation == "NIS2 (Cbw)" && !d.Due.IsZero() {
						found = true
						if d.Status != at.status || !strings.Contains(d.Note, "Cyberbeveiligingswet") {
							t.Errorf("%s, %s: %s has status %q and note %q, want %q and a note on the Cbw", at.aware, sector, what, d.Status, d.Note, at.status)
						}
					}
				}
				if !found {
					t.Errorf("%s, %s: no %s", at.aware, sector, what)
				}
			}
		}
	}
}

// What is counted from a report that was not sent says so; from one that was, it does not.
func TestEstimates(t *testing.T) {
	s := Situation{Jurisdiction: "NL", Sector: "energy", Kind: "incident", Aware: tableTime(t, "2026-11-22T09:44:00+01:00"), Events: map[string]time.Time{}}
	before := dueOf(t, s, "nis2-nl/final-report")
	s.Events["sent:notification"] = tableTime(t, "2026-11-24T09:00:00+01:00")
	after := dueOf(t, s, "nis2-nl/final-report")
	if !before.Estimated || !strings.Contains(before.Why, "not sent yet") {
		t.Errorf("unsent: estimated is %v, why %q; want an estimate that says why", before.Estimated, before.Why)
	}
	if after.Estimated || strings.Contains(after.Why, "not sent yet") {
		t.Errorf("sent: estimated is %v, why %q; want none", after.Estimated, after.Why)
	}
	if warning := dueOf(t, s, "nis2-nl/early-warning"); warning.Estimated || !warning.Hours {
		t.Errorf("early warning: estimated %v, hours %v; want false and true", warning.Estimated, warning.Hours)
	}
}

func dueOf(t *testing.T, s Situation, id string) Deadline {
	t.Helper()
	all, err := Packs{}.Due(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("no deadline %s in %v", id, s)
	return Deadline{}
}

// Words are forgiving in case, accents, language and their usual other names; those that are not known are answered with
// the list of those that are.
func TestWords(t *testing.T) {
	at := tableTime(t, "2026-11-22T09:44:00+01:00")
	for _, s := range []Situation{
		{Jurisdiction: "nl", Sector: "ENERGY", Kind: "Incident"}, {Jurisdiction: "Nederland", Sector: "energie", Kind: "significant incident"}, {Jurisdiction: "Holland", Sector: "Electricity", Kind: "cyber_incident"},
		{Jurisdiction: " The Netherlands ", Sector: "district heating", Kind: "hack"},
	} {
		s.Aware = at
		if d := dueOf(t, s, "nis2-nl/early-warning"); d.Due.IsZero() {
			t.Errorf("%+v: no early warning", s)
		}
	}
	for _, c := range []struct {
		s    Situation
		want string
	}{
		{Situation{Jurisdiction: "NL", Sector: "gardening", Kind: "incident"}, `sector "gardening" is not known; use one of any, other, energy`},
		{Situation{Jurisdiction: "NL", Sector: "energy", Kind: "party"}, `kind "party" is not known; use one of incident, near-miss`},
		{Situation{Jurisdiction: "NL", Sector: "energy"}, `kind: nothing is said; use one of incident`},
		{Situation{Jurisdiction: "Atlantis", Sector: "energy", Kind: "incident"}, `jurisdiction "Atlantis" is not known; use one of EU, AT, BE`},
		{Situation{Jurisdiction: strings.Repeat("x", 5000), Kind: "incident"}, `is not known`},
	} {
		c.s.Aware = at
		_, err := Packs{}.Due(c.s)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1000 {
			t.Errorf("%.60v: %v, want %q", c.s, err, c.want)
		}
	}
	if _, err := (Packs{}).Due(Situation{Jurisdiction: "NL", Kind: "incident"}); err == nil || !strings.Contains(err.Error(), "aware") {
		t.Errorf("without awareness: %v, want an error that names it", err)
	}
}
