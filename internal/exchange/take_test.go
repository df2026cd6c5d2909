package exchange

import (
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestTakeAcceptRound: what a local member of the home shares reaches a member's node, what that node's organisation
// shares reaches the home, both once.
func TestTakeAcceptRound(t *testing.T) {
	h := newHub(t)
	x, y := h.member("x", polder.RoleContributor), h.member("y", polder.RoleContributor)
	h.share(h.as("a", polder.RoleContributor), Request{Objects: one(someIndicator(1, 1, "one", stix.Green, ""), someIndicator(2, 1, "two", stix.Amber, ""))})
	x.shareAs(Request{Objects: one(someIndicator(3, 1, "three", stix.Amber, ""))})
	x.shareAs(Request{Objects: one(someIndicator(4, 1, "four", stix.Red, "")), To: []polder.OrgID{y.org.ID}})
	x.shareAs(Request{Objects: one(someIndicator(5, 1, "five", stix.Red, ""))})
	sameText(t, "pushed", states(x.push(100, false)), []string{"stored", "stored"})
	x.taken = 0
	sameText(t, "pushed again", states(x.push(100, true)), []string{"duplicate", "duplicate"})
	for _, s := range []*spoke{x, y} {
		s.pull(100, false)
		for _, v := range s.pull(100, true) {
			if v.State != "duplicate" {
				t.Errorf("%s again: %+v", s.name(), v)
			}
		}
	}
	sameText(t, "y", sightOf(t, y.world, y.org.ID, y.com.ID), sightOf(t, h.world, y.org.ID, h.where.ID))
	if got := sightOf(t, x.world, x.org.ID, x.com.ID); len(got) != 5 {
		t.Errorf("x sees %q", got)
	}
}
