package exchange

import (
	"context"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/stix"
)

// TestReleaseAgain: what is shared a second time, later, is unchanged although facts were taken out of it (X16): an own
// object, what was derived of another's and of parts marked stricter, and a bundle of them all.
func TestReleaseAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		blind  release.Blind
		derive stix.Marking
		in     [][]byte
	}{
		{"in the community's name", release.BlindAll, stix.None, [][]byte{reportOf(1, 0, stix.Green, `"name":"Inbraak bij Klepwerk BV"`)}},
		{"all of them", release.BlindMade, stix.Green, [][]byte{
			reportOf(1, 0, stix.Green, `"name":"Inbraak bij Klepwerk BV"`), partly(3, stix.Green, stix.Amber, `"description"`, `,"lang":"en"`),
			reportOf(2, 0, stix.Green, `"created_by_ref":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","name":"At Klepwerk"`),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := keeper()
			p.Blind = c.blind
			w.sets("a", p)
			a := w.as("a", polder.RoleContributor)
			var in []Incoming
			for _, raw := range c.in {
				in = append(in, Incoming{Raw: raw})
			}
			first := w.share(a, Request{Objects: in, Derive: c.derive, Confirmed: true})
			if first.Stored == 0 || len(first.Refused) > 0 {
				t.Fatalf("%d stored, refused %+v", first.Stored, first.Refused)
			}
			w.pass(26 * time.Hour)
			again := w.share(a, Request{Objects: in, Derive: c.derive, Confirmed: true})
			if again.Stored != 0 || again.Duplicates != first.Stored || len(again.Refused) > 0 {
				t.Errorf("again: %d stored, %d duplicates, refused %+v; first %d", again.Stored, again.Duplicates, again.Refused, first.Stored)
			}
		})
	}
}

// TestReleaseDerivedAnew: what was derived keeps when it was created, and gets a later version only when it says
// something else.
func TestReleaseDerivedAnew(t *testing.T) {
	w := newWorld(t)
	w.sets("a", keeper())
	a := w.as("a", polder.RoleContributor)
	theirs := func(version int, name string) []Incoming {
		return one(reportOf(2, version, stix.Green, `"created_by_ref":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","name":"`+name+`"`))
	}
	id := w.share(a, Request{Objects: theirs(0, "At Klepwerk"), Confirmed: true}).Items[0].ID
	was := w.reads("b", id)
	w.pass(time.Hour)
	if res := w.share(a, Request{Objects: theirs(1, "At Klepwerk, twice"), Confirmed: true}); res.Stored != 1 || res.Duplicates != 1 {
		t.Errorf("a later version: %d stored, %d duplicates", res.Stored, res.Duplicates)
	}
	is := w.reads("b", id)
	if is.Name != "At [organisation], twice" || is.Created != was.Created || !is.Modified.Time.After(was.Modified.Time) {
		t.Errorf("%s became %s", was.Raw(), is.Raw())
	}
}

// TestShareSetMinimised: a part of a set of which something is taken out is the same on a rerun.
func TestShareSetMinimised(t *testing.T) {
	w := newWorld(t)
	w.sets("a", keeper())
	a := w.as("a", polder.RoleContributor)
	for i, want := range []SetResult{{New: 2}, {Same: 2}, {Same: 2}} {
		got, err := w.ShareSet(context.Background(), a, partsOf("vessels", "1", "Aurora of Klepwerk", "2", "Borealis"))
		ok(t, err)
		if got.New != want.New || got.Changed != want.Changed || got.Same != want.Same || got.Withdrawn != 0 {
			t.Fatalf("run %d: %d new, %d changed, %d the same, %d withdrawn", i, got.New, got.Changed, got.Same, got.Withdrawn)
		}
		w.pass(time.Hour)
	}
	if see, all := w.texts("c"); !see[`"Aurora of [organisation]"`] || all != 2 {
		t.Errorf("c sees %v in %d versions", see, all)
	}
}
