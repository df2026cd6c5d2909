package exchange

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/stix"
)

// partly is a report of which some parts are marked stricter than the rest.
func partly(n int, whole, part stix.Marking, selectors string, rest string) []byte {
	return reportOf(n, 0, whole, fmt.Sprintf(`"name":"R","description":"who it was","labels":["a","b","c"],"external_references":[{"source_name":"s","description":"one"},{"source_name":"t","description":"two","external_id":"7"}],"granular_markings":[{"marking_ref":"%s","selectors":[%s]},{"lang":"nl","selectors":["labels.[2]"]}]%s`, part.ID(), selectors, rest))
}

// TestDerive: marked properties are taken out, the object is another one, and it says what it was made of to those who
// may know.
func TestDerive(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	raw := partly(1, stix.Green, stix.Red, `"description","labels.[0]","labels.[1]","external_references.[1].external_id"`, "")
	res := w.share(a, Request{Objects: one(raw), To: []polder.OrgID{w.orgs["b"].ID}})
	if res.Stored != 1 || res.Items[0].Level != stix.Red {
		t.Fatalf("the whole: %+v", res)
	}
	res = w.share(a, Request{Objects: one(raw), Derive: stix.Green})
	if res.Stored != 2 || len(res.Refused) > 0 {
		t.Fatalf("%+v", res)
	}
	made, link := res.Items[0], res.Items[1]
	o := w.reads("c", made.ID)
	if o == nil || made.Level != stix.Green || o.ID == sid("report", 1) || o.Description != "" || len(o.Labels) != 1 || o.Labels[0] != "c" || o.CreatedByRef != string(w.where.Blind) || strings.Contains(o.Text(), `"7"`) || strings.Contains(o.Text(), "who it was") {
		t.Fatalf("c reads %+v", o)
	}
	if len(o.Granular) != 1 || o.Granular[0].Lang != "nl" || o.Granular[0].Selectors[0] != "labels.[0]" {
		t.Errorf("what is left of the selectors: %+v", o.Granular)
	}
	if got := w.reads("b", link.ID); got == nil || got.SourceRef != made.ID || got.TargetRef != sid("report", 1) || link.Level != stix.Red {
		t.Errorf("b, who holds both, reads %+v", got)
	}
	for _, who := range []string{"c", "d", "out"} {
		if w.reads(who, link.ID) != nil || w.reads(who, sid("report", 1)) != nil {
			t.Errorf("%s learns of the stricter object", who)
		}
	}
	if again := w.share(a, Request{Objects: one(raw), Derive: stix.Green}); again.Stored != 0 || again.Duplicates != 2 {
		t.Errorf("again: %+v", again)
	}
	if plain := w.share(a, Request{Objects: one(onPattern(5, stix.Green, "N", "[domain-name:value = 'x.example']")), Derive: stix.Green}); plain.Stored != 1 || plain.Items[0].DerivedFrom != "" {
		t.Errorf("what has no such marks leaves as it is: %+v", plain)
	}
}

// TestDeriveRefused: what would be no object, or would go where its giver did not let it go, is refused with the reason.
func TestDeriveRefused(t *testing.T) {
	w := newWorld(t)
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor)
	second := w.community("Second")
	for _, name := range []string{"b", "c"} {
		w.join(name, second, polder.RoleContributor)
	}
	for _, c := range []struct {
		raw  []byte
		want string
		why  string
	}{
		{partly(1, stix.Green, stix.Red, `"name"`, ""), "name", "a report needs a name"},
		{partly(2, stix.Amber, stix.Red, `"description"`, ""), "the object as a whole is TLP:AMBER", "the whole is stricter than asked for"},
		{partly(3, stix.Green, stix.Red, `"created"`, ""), "no object is without it", "what every object has"},
		{partly(4, stix.Green, stix.Red, `"external_references.[0].description"`, ""), "external_references[0]", "a reference that says nothing any more"},
	} {
		got := w.share(a, Request{Objects: one(c.raw), Derive: stix.Green})
		if len(got.Refused) != 1 || !strings.Contains(got.Refused[0].Error, c.want) || got.Stored != 0 {
			t.Errorf("%s: %+v (%s)", c.want, got, c.why)
		}
	}
	// Of another's object, given to b alone: what is made of it goes to no others here, and nowhere stricter was said.
	raw := partly(6, stix.Green, stix.Red, `"description"`, "")
	w.share(a, Request{Objects: one(raw), To: []polder.OrgID{w.orgs["b"].ID}})
	if got := w.share(b, Request{Objects: one(raw), Derive: stix.Green}); len(got.Refused) == 0 || !strings.Contains(got.Refused[0].Error, "to no others") {
		t.Errorf("widened to all: %+v", got)
	}
	if got := w.share(b, Request{Objects: one(raw), Derive: stix.Green, To: []polder.OrgID{w.orgs["a"].ID}}); len(got.Refused) != 0 || got.Stored != 2 {
		t.Errorf("among those who have it: %+v", got)
	}
	// Its own mark lets the rest go on to another community; an object that was given stricter than it is marked does not.
	if got := w.share(b, Request{Community: second.Alias, Objects: one(raw), Derive: stix.Green}); len(got.Refused) != 0 || got.Stored != 2 || w.reads("c", got.Items[0].ID) == nil || w.reads("c", got.Items[1].ID) != nil {
		t.Errorf("onward: %+v", got)
	}
	amber := partly(7, stix.Amber, stix.Red, `"description"`, "")
	w.share(a, Request{Objects: one(amber), To: []polder.OrgID{w.orgs["b"].ID}})
	if got := w.share(b, Request{Community: second.Alias, Objects: one(amber), Derive: stix.Amber}); len(got.Refused) == 0 {
		t.Errorf("AMBER goes on to another community: %+v", got)
	}
	narrowed := reportOf(8, 0, stix.Green, `"name":"At Klepwerk"`)
	w.share(a, Request{Objects: one(narrowed), Level: stix.Amber})
	p := keeper()
	w.sets("b", p)
	if got := w.share(b, Request{Objects: one(narrowed)}); len(got.Refused) == 0 || !strings.Contains(got.Refused[0].Error, "goes no wider") {
		t.Errorf("given as AMBER, made into GREEN: %+v", got)
	}
	if got := w.share(b, Request{Community: second.Alias, Objects: one(narrowed)}); len(got.Refused) == 0 {
		t.Errorf("given as AMBER, minimised and taken elsewhere: %+v", got)
	}
}

// TestDeriveWall: where the relationship would be stricter than what leaves, it stays with the sharer.
func TestDeriveWall(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	p := release.Default()
	p.Highest = stix.Amber
	w.sets("a", p)
	raw := partly(1, stix.Green, stix.Red, `"description"`, "")
	if got := w.share(a, Request{Objects: one(raw)}); len(got.Refused) != 1 {
		t.Fatalf("the whole leaves: %+v", got)
	}
	got := w.share(a, Request{Objects: one(raw), Derive: stix.Green})
	if got.Stored != 2 || w.reads("b", got.Items[0].ID) == nil || w.reads("b", got.Items[1].ID) != nil || w.reads("a", got.Items[1].ID) == nil {
		t.Errorf("%+v", got)
	}
	readers := w.share(a, Request{Objects: one(raw), Derive: stix.Green, Preview: true}).Items[1].Readers
	if !slices.Equal(readers, []polder.OrgID{a.Org}) {
		t.Errorf("the preview says that the relationship is read by %v", readers)
	}
}
