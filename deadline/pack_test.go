package deadline

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// goodPack is a pack that the faults of the tests are put into.
const goodPack = `id: house-nl
act: house
regulation: House rule
jurisdiction: NL
calendar: NL
zone: Europe/Amsterdam
rules:
  - id: board
    what: call the board
    article: "3"
    kinds: [incident]
    trigger: aware
    delay: 2 hours
    recipient: the board
    from: "2026-01-01"
    source: Handbook 3
  - id: note
    what: write it down
    article: "4"
    sectors: [nis2]
    kinds: [incident]
    trigger: sent:board
    delay: 5 working days
    recipient: the file
    from: "2026-01-01"
    source: Handbook 4
`

func loadOne(text string) (Packs, error) {
	return Load(fstest.MapFS{"house.yaml": {Data: []byte(text)}, "notes.txt": {Data: []byte("not a pack")}})
}

func TestGoodPack(t *testing.T) {
	p, err := loadOne(goodPack)
	if err != nil {
		t.Fatal(err)
	}
	all, err := p.Due(Situation{Jurisdiction: "NL", Sector: "energy", Kind: "incident", Aware: tableTime(t, "2026-11-20T16:00:00+01:00")})
	if err != nil {
		t.Fatal(err)
	}
	if got := said(all, "house-nl/board"); got != "2026-11-20T18:00:00+01:00" {
		t.Errorf("board: %s", got)
	}
	if got := said(all, "house-nl/note"); got != "2026-11-27T23:59:59+01:00" { // Friday; Mon to Fri are five working days
		t.Errorf("note: %s", got)
	}
	if len(all) != 2 {
		t.Errorf("%d deadlines, want 2: packs of a folder take the place of those in the package", len(all))
	}
}

// What a pack writes wrong is an error that names the file and the line.
func TestPackFaults(t *testing.T) {
	for _, c := range []struct{ why, from, to, want string }{
		{"a key that is not known", "regulation:", "regulatoin:", "house.yaml:3: "},
		{"a key of a rule that is not known", "    recipient: the board", "    recipeint: the board", "house.yaml:14: "},
		{"a key twice", "act: house\n", "act: house\nact: house\n", "house.yaml:3: "},
		{"a date that is none", `from: "2026-01-01"`, `from: "2026-02-30"`, `house.yaml:15: from "2026-02-30" is not a date`},
		{"no date", `    from: "2026-01-01"` + "\n    source: Handbook 3", "    source: Handbook 3", `house.yaml:8: from "" is not a date`},
		{"an end before the begin", `    source: Handbook 3`, `    to: "2025-01-01"` + "\n    source: Handbook 3", "house.yaml:16: to 2025-01-01 is before from 2026-01-01"},
		{"a trigger that is not known", "trigger: aware", "trigger: full-moon", `house.yaml:12: rule board: trigger "full-moon" is not known`},
		{"a report that nobody sends", "sent:board", "sent:bored", `house.yaml:22: rule note: trigger "sent:bored" is not known`},
		{"a rule that waits for itself", "sent:board", "sent:note", `house.yaml:22: rule note waits for its own report`},
		{"an event that is not known", "    trigger: aware", "    trigger: aware\n    if: raining", `house.yaml:13: rule board: event "raining" is not known`},
		{"a delay that cannot be read", "delay: 2 hours", "delay: soon", `house.yaml:13: delay "soon" cannot be read`},
		{"a delay of nothing", "delay: 2 hours", "delay: 0 hours", `house.yaml:13: delay "0 hours" cannot be read`},
		{"a delay beyond all bounds", "delay: 2 hours", "delay: 99999999 years", `house.yaml:13: delay`},
		{"a sector that is not known", "[nis2]", "[gardening]", `house.yaml:17: rule note: sector "gardening"`},
		{"a kind that is not known", "kinds: [incident]\n    trigger: aware", "kinds: [party]\n    trigger: aware", `house.yaml:11: kind "party" is not known`},
		{"no kind", "    kinds: [incident]\n    trigger: aware", "    trigger: aware", `house.yaml:8: rule board: kinds is empty`},
		{"a calendar that is not known", "calendar: NL", "calendar: XX", `house.yaml:5: calendar "XX" is not known`},
		{"a zone that is not known", "Europe/Amsterdam", "Europe/Mokum", `house.yaml:6: zone "Europe/Mokum" is not known`},
		{"the zone of the machine", "Europe/Amsterdam", "Local", `house.yaml:6: zone "Local" is not known`},
		{"a jurisdiction that is not known", "jurisdiction: NL", "jurisdiction: XX", `house.yaml:4: jurisdiction "XX" is not known`},
		{"a form that is not known", "    source: Handbook 3", "    source: Handbook 3\n    form: tax", `house.yaml:17: form "tax" is not known`},
		{"a rest that is not known", "    source: Handbook 3", "    source: Handbook 3\n    rest: siesta", `house.yaml:17: rest "siesta" is not known`},
		{"a status that is not known", "    source: Handbook 3", "    source: Handbook 3\n    status: maybe", `house.yaml:17: status "maybe" is not known`},
		{"a source that is missing", "    source: Handbook 3\n", "", "house.yaml:8: rule board: source is empty"},
		{"an id twice", "id: note", "id: board", `house.yaml:17: rule id "board" is taken`},
		{"a base that is not there", "act: house", "act: house\nbase: castle", `house.yaml:3: base "castle" is not in the folder`},
		{"recipients without a base", "act: house", "act: house\nrecipients: {board: me}", `house.yaml:3: recipients are for rules of a base`},
		{"an anchor", "act: house", "act: &a house", "house.yaml:2: anchors"},
		{"two documents", goodPack, goodPack + "---\n" + goodPack, "documents"},
		{"no rules", goodPack[strings.Index(goodPack, "rules:"):], "", "neither rules nor a base"},
		{"brackets without end", "[incident]\n    trigger: aware", strings.Repeat("[", 100_000) + "\n    trigger: aware", "house.yaml:11: "},
		{"a file without end", "Handbook 3", strings.Repeat("x", maxFile), "larger than"},
		{"a list where a text belongs", "regulation: House rule", "regulation: [a, b]", "house.yaml:3: "},
	} {
		text := strings.Replace(goodPack, c.from, c.to, 1)
		if text == goodPack {
			t.Fatalf("%s: the test changes nothing", c.why)
		}
		_, err := loadOne(text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.why, err, c.want)
		} else if strings.Contains(err.Error(), "\n") || len(err.Error()) > 1500 {
			t.Errorf("%s: the error is no line: %q", c.why, err)
		}
	}
	if _, err := Load(fstest.MapFS{}); err == nil {
		t.Error("a folder without packs is read as one")
	}
	if _, err := Load(fstest.MapFS{"a.yaml": {Data: []byte(goodPack)}, "b.yaml": {Data: []byte(goodPack)}}); err == nil || !strings.Contains(err.Error(), "b.yaml:1: ") {
		t.Errorf("an id of two packs: %v, want an error in b.yaml", err)
	}
	if _, err := Load(os.DirFS("testdata/nowhere")); err == nil {
		t.Error("a folder that is not there is read as one")
	}
}

// Everything that the package holds itself is right and whole: each rule has both languages, a source, a form, and each
// pack a zone and a calendar.
func TestOwnPacks(t *testing.T) {
	packs := Packs{}.All()
	acts := map[string]map[string]bool{}
	rules := 0
	for _, p := range packs {
		if acts[p.Act] == nil {
			acts[p.Act] = map[string]bool{}
		}
		acts[p.Act][p.Jurisdiction] = true
		for _, r := range p.Rules {
			rules++
			if r.WhatNL == "" || r.Form == "" || r.Recipient == "" {
				t.Errorf("%s/%s lacks its Dutch name, its form or its recipient", p.ID, r.ID)
			}
			if form, ok := FormNamed(r.Form); !ok || len(form.Fields) < 3 {
				t.Errorf("%s/%s: form %q is not there, or asks next to nothing", p.ID, r.ID, r.Form)
			}
		}
	}
	for _, act := range []string{"nis2", "gdpr", "cra", "dora", "whistleblower"} {
		if !acts[act]["EU"] {
			t.Errorf("%s has no pack of the Union", act)
		}
	}
	for _, act := range []string{"nis2", "gdpr", "dora", "whistleblower"} {
		for _, state := range []string{"NL", "DE", "BE", "FR"} {
			if !acts[act][state] {
				t.Errorf("%s has no pack of %s", act, state)
			}
		}
	}
	t.Logf("%d packs, %d rules, %d forms, %d rows in the table", len(packs), rules, len(FormIDs()), len(readTable(t)))
}

// Whatever a file of packs holds, reading it gives packs that answer, or an error of one line; it never panics.
func FuzzPacks(f *testing.F) {
	f.Add([]byte(goodPack))
	for _, name := range []string{"packs/nis2-eu.yaml", "packs/nis2-nl.yaml", "packs/dora-eu.yaml", "packs/whistleblower-fr.yaml"} {
		raw, err := own.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("id: [[[[[[[[[[[["))
	f.Add([]byte("? ? ? ? a"))
	at := time.Date(2026, 11, 22, 9, 44, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Load(fstest.MapFS{"a.yaml": {Data: raw}})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is no line: %q", err)
			}
			return
		}
		for _, kind := range []string{"incident", "personal-data-breach"} {
			if _, err := p.Due(Situation{Jurisdiction: "NL", Sector: "any", Kind: kind, Aware: at}); err != nil {
				t.Errorf("packs that were read do not answer: %v", err)
			}
		}
	})
}

// Whatever is written as a delay is a period that ends after it begins, or an error.
func FuzzPeriod(f *testing.F) {
	for _, s := range append([]string{"24 hours", "without undue delay", "1 month then 2 hours", " 1 day", "-1 days", "1 day then 1 day then 1 day"}, lawDays...) {
		f.Add(s)
	}
	at := time.Date(2026, 11, 22, 9, 44, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePeriod(s)
		if err != nil || !p.Timed() {
			return
		}
		if end := p.End(at, time.UTC, Calendar{}, RestEU); !end.After(at) {
			t.Errorf("%q ends at %s", s, end)
		}
	})
}
