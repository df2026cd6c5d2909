package cases

import (
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestJewelTechnology: entries of control lists are written one way; a slip is told from a word of one's own.
func TestJewelTechnology(t *testing.T) {
	for _, row := range []struct{ in, want, why string }{
		{"3B001.b", "3B001.b", "an entry"},
		{"2b350.G", "2B350.g", "capitals and small letters as the lists have them"},
		{"3B001.f.1.a", "3B001.f.1.a", "a paragraph of a paragraph"},
		{"ML10", "ML10", "of the military list"},
		{"ml 10.b", "ML10.b", "with a space"},
		{"5A002.a. 1", "5A002.a.1", "a space behind a dot"},
		{"grating ruling", "grating ruling", "a word of one's own"},
		{"EUV mirror 3", "EUV mirror 3", "words with a number"},
		{"3B01.b", "", "a digit too few"},
		{"3B0011", "", "a digit too many"},
		{"2B350..g", "", "two dots"},
		{"3B001.b!", "", "a sign too many"},
	} {
		got, err := jewelTechnology(row.in)
		if got != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%q is %q, %v; want %q: %s", row.in, got, err, row.want, row.why)
		}
	}
}

// TestJewelRegister: a steward writes, contributors read, readers where the settings let them, others nothing.
func TestJewelRegister(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	j, err := w.SetJewel(ctx, chief, Jewel{Name: " Mirror polish ", Technology: []string{"3b001.B", "3B001.b"}, Partners: []string{"Wafer Werke", "", "Wafer Werke"}, Products: []string{"Stepper 7"}, Platforms: []string{"Fab 12"}})
	caseMust(t, err)
	if j.Name != "Mirror polish" || !slices.Equal(j.Technology, []string{"3B001.b"}) || !slices.Equal(j.Partners, []string{"Wafer Werke"}) || j.Version != 1 {
		t.Fatalf("%+v", j)
	}
	for who, want := range map[*polder.Actor]polder.Kind{&lead: 0, &looker: polder.Forbidden, &partner: polder.NotFound, &nodeAdmin: polder.Forbidden} {
		_, err := w.Jewel(ctx, *who, j.ID)
		if (err == nil) != (want == 0) || err != nil && polder.KindOf(err) != want {
			t.Errorf("%s reads it: %v", who.Name, err)
		}
		if _, err := w.SetJewel(ctx, *who, Jewel{ID: j.ID, Name: "Mine", Version: 1}); err == nil {
			t.Errorf("%s writes it", who.Name)
		}
	}
	_, err = w.SetCaseSettings(ctx, chief, CaseSettings{ReadersJewels: true})
	caseMust(t, err)
	if _, err := w.Jewel(ctx, looker, j.ID); err != nil {
		t.Errorf("a reader who may: %v", err)
	}
	_, err = w.SetJewel(ctx, chief, Jewel{Name: "MIRROR POLISH"})
	caseIs(t, err, polder.Conflict, "name")
	n := j
	n.Owner = "Head of optics"
	n, err = w.SetJewel(ctx, chief, n)
	caseMust(t, err)
	_, err = w.SetJewel(ctx, chief, j)
	if conflict, ok := err.(*CaseConflict); !ok || conflict.Jewel.Owner != "Head of optics" {
		t.Errorf("made on an older version: %v", err)
	}
	gone, err := w.RemoveJewel(ctx, chief, j.ID, n.Version, true)
	if err != nil || gone.Removed.IsZero() {
		t.Fatalf("%+v, %v", gone, err)
	}
	page, err := w.Jewels(ctx, lead, JewelFilter{})
	if err != nil || len(page.Jewels) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	_, err = w.RemoveJewel(ctx, chief, j.ID, gone.Version, false)
	caseMust(t, err)
	if page, err = w.Jewels(ctx, lead, JewelFilter{Technology: "3b0", Text: "fab"}); err != nil || len(page.Jewels) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	past, err := w.JewelHistory(ctx, lead, j.ID)
	if err != nil || len(past) != 4 || past[0].Did != "restored" || past[3].Did != "added" {
		t.Errorf("%+v, %v", past, err)
	}
	all, err := w.JewelsOf(ctx, wafers)
	if err != nil || len(all) != 0 {
		t.Errorf("of another organisation: %v, %v", all, err)
	}
}

// TestJewelImport: tables and JSON are read row by row; what is wrong is named with its line, and doing it again is harmless.
func TestJewelImport(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	table := "\ufeffNaam,Technology,Partners\nLens,3B001.b;2B350.g,A;B\n,3B001.b,\nGrinder,3B01,\n'=Cmd,own words,C\n"
	out, err := w.ImportJewels(ctx, chief, "list.csv", strings.NewReader(table))
	if err != nil || out.Added != 2 || out.Refused != 2 || len(out.Faults) != 2 || !strings.Contains(out.Faults[0], "line 3") || !strings.Contains(out.Faults[1], "3B01") {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err = w.ImportJewels(ctx, chief, "list.csv", strings.NewReader(table)); err != nil || out.Same != 2 || out.Added+out.Changed != 0 {
		t.Errorf("again: %+v, %v", out, err)
	}
	if out, err = w.ImportJewels(ctx, chief, "list.json", strings.NewReader(`[{"name":"lens","partners":["A"]},{"name":"Etcher","colour":"red"},{"name":"Oven"}]`)); err != nil || out.Changed != 1 || out.Added != 1 || out.Refused != 1 {
		t.Errorf("JSON: %+v, %v", out, err)
	}
	for text, says := range map[string]string{"": "empty", "name\n": "no jewel", "colour,name\nred,x\n": "no column", "worth\nx\n": "no column name", "name,naam\na,b\n": "twice", "\xff\xfe": "UTF-8", "[": "f: ", "[{}] x": "behind"} {
		if _, err := w.ImportJewels(ctx, chief, "f", strings.NewReader(text)); polder.KindOf(err) != polder.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want one that says %q", text, err, says)
		}
	}
	if _, err := w.ImportJewels(ctx, lead, "f", strings.NewReader(table)); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a contributor: %v", err)
	}
}

// TestDamageProposal: an assessment proposes what the jewels that the case touches say, and a guest sees none of them.
func TestDamageProposal(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	lens, err := w.SetJewel(ctx, chief, Jewel{Name: "Lens", Partners: []string{"B", "A"}, Products: []string{"P1"}, Platforms: []string{"F"}})
	caseMust(t, err)
	oven, err := w.SetJewel(ctx, chief, Jewel{Name: "Oven", Partners: []string{"A", "C"}})
	caseMust(t, err)
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Touched", Level: stix.Green, Jewels: []string{lens.ID}})
	caseMust(t, err)
	w.let(c.ID, partner, PartWork, stix.Red)
	d, err := w.TouchJewels(ctx, lead, c.ID, []string{lens.ID, oven.ID})
	caseMust(t, err)
	if d.Signed || !slices.Equal(d.Proposed.Partners, []string{"A", "B", "C"}) || !slices.Equal(d.Proposed.Products, []string{"P1"}) || len(d.Touched) != 2 {
		t.Fatalf("%+v", d)
	}
	_, err = w.AssessDamage(ctx, partner, c.ID, Damage{Taken: TakenAll, What: "x"})
	caseIs(t, err, polder.Forbidden, "own organisation")
	d, err = w.AssessDamage(ctx, lead, c.ID, Damage{Taken: TakenSome, What: "The polish recipe", Partners: d.Proposed.Partners, Jewels: d.Proposed.Jewels, Told: []string{"B"}})
	if err != nil || !d.Signed || d.Version != 1 || d.Level != stix.AmberStrict || !slices.Equal(d.Told, []string{"B"}) {
		t.Fatalf("%+v, %v", d, err)
	}
	_, err = w.AssessDamage(ctx, lead, c.ID, Damage{Taken: TakenAll, What: "All of it"})
	if conflict, ok := err.(*CaseConflict); !ok || conflict.Damage.What != "The polish recipe" {
		t.Errorf("made on an older version: %v", err)
	}
	seen, err := w.Damage(ctx, partner, c.ID)
	if err != nil || len(seen.Touched) != 0 || len(seen.Jewels) != 0 || len(seen.Proposed.Partners) != 0 || seen.What != "The polish recipe" || seen.AssessedBy != "" {
		t.Errorf("a guest sees %+v, %v", seen, err)
	}
	w.let(c.ID, partner, PartWork, stix.Amber)
	if seen, err = w.Damage(ctx, partner, c.ID); err != nil || seen.What != "" || seen.Signed {
		t.Errorf("above the ceiling: %+v, %v", seen, err)
	}
}

// FuzzJewels: no file makes the reader panic, each row is a jewel that passes its own check or says what is wrong, and what
// was put right stays so.
func FuzzJewels(f *testing.F) {
	for _, text := range []string{"name,technology\nLens,3B001.b;x\n", "name\tpartners\nA\tB;C\n", `[{"name":"a"},{"name":""}]`, `{"name":"a"}{"name":"b"}`, "\ufeffnaam\n\"a\nb\"\n", "[", "name\n\"", `[1,"a",null]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows, err := readJewels("f", raw)
		if err != nil {
			if polder.KindOf(err) == polder.Internal {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, r := range rows {
			if r.fault != nil {
				continue
			}
			again := r.Jewel
			if err := again.check(); err != nil || !again.same(r.Jewel) {
				t.Fatalf("%+v becomes %+v, %v", r.Jewel, again, err)
			}
		}
	})
}
