package exchange

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// federation is a home and two members, in one process, that random steps drive. Each object belongs to one organisation.
type federation struct {
	h      *hub
	x, y   *spoke
	actors map[string]polder.Actor // by name, at the node where each lives
	owner  map[string]string       // of object ids
	run    int
}

// TestFederationLaws: whatever is shared, versioned, widened, revoked and withdrawn at a home and two members, and however
// the batches between them are cut, repeated and begun anew, in the end each member's log shows its organisation exactly
// what the home's sight gives it (Filter, Reliable), once (Unique), in the home's order (Ordered), at the level that it has there.
func TestFederationLaws(t *testing.T) {
	fewer(t)
	h := newHub(t)
	f := &federation{h: h, actors: map[string]polder.Actor{}}
	f.x, f.y = h.member("x", polder.RoleContributor), h.member("y", polder.RoleContributor)
	for _, n := range []string{"a", "b"} {
		f.actors[n] = h.as(n, polder.RoleContributor)
	}
	f.actors["d"] = h.steward("d")
	f.actors["x"], f.actors["y"] = f.x.as("x", polder.RoleContributor), f.y.as("y", polder.RoleContributor)
	t.Cleanup(func() {
		for _, w := range []*world{h.world, f.x.world, f.y.world} {
			if d := w.journal.Damage(); len(d) > 0 {
				t.Errorf("damage: %v", d)
			}
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		f.run++
		f.owner = map[string]string{}
		for range rapid.IntRange(3, 20).Draw(rt, "steps") {
			f.step(rt)
		}
		f.settle(rt)
		f.agree(rt, f.x)
		f.agree(rt, f.y)
	})
}

func (f *federation) step(rt *rapid.T) {
	s := f.x
	if rapid.Bool().Draw(rt, "y") {
		s = f.y
	}
	move, limit := rapid.Bool().Draw(rt, "answered"), rapid.IntRange(1, 6).Draw(rt, "limit")
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0, 1, 2, 3:
		f.share(rt)
	case 4:
		f.withdraw(rt)
	case 5, 6:
		s.push(limit, move)
	case 7, 8:
		s.pull(limit, move)
	case 9:
		s.down = 0 // another generation: everything again
	}
}

// at is the node where an organisation lives, and the alias of the community there.
func (f *federation) at(name string) (*world, string) {
	switch name {
	case "x":
		return f.x.world, f.x.com.Alias
	case "y":
		return f.y.world, f.y.com.Alias
	}
	return f.h.world, f.h.where.Alias
}

func (f *federation) share(rt *rapid.T) {
	n := rapid.IntRange(0, 3).Draw(rt, "object")
	number := f.run*10 + n
	id := fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", number)
	by := f.owner[id]
	if by == "" {
		by = rapid.SampledFrom([]string{"a", "b", "x", "y"}).Draw(rt, "by")
		f.owner[id] = by
	}
	version, extra := rapid.IntRange(1, 4).Draw(rt, "version"), ""
	if version == 4 {
		extra = `,"revoked":true`
	}
	level := rapid.SampledFrom([]stix.Marking{stix.None, stix.Amber, stix.Red}).Draw(rt, "level") // narrows the object's GREEN
	orgs := map[string]polder.OrgID{"a": f.h.orgs["a"].ID, "b": f.h.orgs["b"].ID, "x": f.x.org.ID, "y": f.y.org.ID}
	var to []polder.OrgID
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "x", "y"}), 0, 2, rapid.ID[string]).Draw(rt, "to") {
		if name != by {
			to = append(to, orgs[name])
		}
	}
	if level == stix.Red && len(to) == 0 {
		return // it would stay at home
	}
	w, alias := f.at(by)
	raw := someIndicator(number, version, "p", stix.Green, extra)
	if _, err := w.Share(context.Background(), f.actors[by], Request{Community: alias, Objects: one(raw), Level: level, To: to}); err != nil {
		rt.Fatal(err)
	}
}

func (f *federation) withdraw(rt *rapid.T) {
	if len(f.owner) == 0 {
		return
	}
	var ids []string
	for id := range f.owner {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	id := rapid.SampledFrom(ids).Draw(rt, "withdrawn")
	by := f.owner[id]
	if rapid.Bool().Draw(rt, "by a steward") {
		by = "d"
	}
	w, alias := f.at(by)
	wd := Withdrawal{Community: alias, ID: id, Erase: by == "d"}
	if rapid.Bool().Draw(rt, "one version") {
		wd.Erase = false
		wd.Versions.Exact = []string{fmt.Sprintf("2026-01-01T00:00:%02d.000", rapid.IntRange(1, 4).Draw(rt, "version"))}
	}
	_, err := w.Withdraw(context.Background(), f.actors[by], wd)
	if err != nil && polder.KindOf(err) != polder.NotFound {
		rt.Fatal(err)
	}
}

// settle lets everything arrive.
func (f *federation) settle(rt *rapid.T) {
	for range 3 {
		for _, s := range []*spoke{f.x, f.y} {
			s.push(1000, true)
		}
		for _, s := range []*spoke{f.x, f.y} {
			for _, v := range s.pull(1000, true) {
				if v.State == stateRefused || v.State == stateQuarantined {
					rt.Fatalf("%s does not take %+v", s.name(), v)
				}
			}
		}
	}
}

// heldAt is one version that an organisation sees.
type heldAt struct {
	key   string
	level stix.Marking
	peers bool // it came from the home
}

func (f *federation) sees(rt *rapid.T, w *world, org polder.OrgID, c polder.CommunityID) (out []heldAt) {
	var ids []string
	for id := range f.owner {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	page, err := w.journal.Page(context.Background(), polder.Sight{Org: org, Communities: []polder.CommunityID{c}}, journal.Query{IDs: ids, All: true, Limit: 1000})
	if err != nil {
		rt.Fatal(err)
	}
	for _, d := range page.Deliveries {
		out = append(out, heldAt{d.ID[len(d.ID)-4:] + " " + d.Version[len(d.Version)-6:], d.Level, d.Sharer == f.h.id})
	}
	return out
}

func (f *federation) agree(rt *rapid.T, s *spoke) {
	want, got := f.sees(rt, f.h.world, s.org.ID, f.h.where.ID), f.sees(rt, s.world, s.org.ID, s.com.ID)
	levels := map[string]stix.Marking{}
	for _, w := range want {
		levels[w.key] = w.level
	}
	seen := map[string]bool{}
	var fromHome []string
	for _, g := range got {
		level, there := levels[g.key]
		switch {
		case !there:
			rt.Fatalf("%s sees %s, and not at the home\n got %v\nwant %v", s.name(), g.key, got, want)
		case seen[g.key]:
			rt.Fatalf("%s sees %s twice", s.name(), g.key)
		case g.level != level:
			rt.Fatalf("%s sees %s as %s, at the home as %s", s.name(), g.key, g.level, level)
		}
		seen[g.key] = true
		if g.peers {
			fromHome = append(fromHome, g.key)
		}
	}
	var order []string
	for _, w := range want {
		if !seen[w.key] {
			rt.Fatalf("%s does not see %s\n got %v\nwant %v", s.name(), w.key, got, want)
		}
		if slices.Contains(fromHome, w.key) {
			order = append(order, w.key)
		}
	}
	if strings.Join(order, ",") != strings.Join(fromHome, ",") {
		rt.Fatalf("%s has %v; the home's order is %v", s.name(), fromHome, order)
	}
}
