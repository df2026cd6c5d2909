package exchange

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestAcceptNarrowProposal: what is proposed on another node about an object that few see reaches its custodian, whom that
// node does not know, and nobody else; so does the answer.
func TestAcceptNarrowProposal(t *testing.T) {
	ctx := context.Background()
	h := newHub(t)
	maker, firm, other := h.member("Maker", polder.RoleContributor), h.member("Firm", polder.RoleContributor), h.member("Other", polder.RoleContributor)
	object := indicatorOf(1, 0, stix.Amber, "proposal.example", "")
	maker.shareAs(Request{Objects: []Incoming{{Raw: object}}, Level: stix.Amber, To: []polder.OrgID{firm.org.ID}, Confirmed: true})
	sameText(t, "maker pushes", states(maker.push(10, true)), []string{stateStored})
	firm.pull(100, true)
	o, err := stix.Parse(object)
	ok(t, err)
	propose := Propose{About: About{Community: firm.com.Alias, ID: o.ID, Confirmed: true}, Reason: "It is another.", Patch: map[string]json.RawMessage{"name": json.RawMessage(`"Better"`)}}
	_, err = firm.MakeProposal(ctx, firm.as(firm.name(), polder.RoleContributor), propose)
	ok(t, err)
	for _, v := range firm.push(10, true) {
		if v.State != stateStored {
			t.Errorf("the firm pushes: %+v", v)
		}
	}
	// What comes back to the proposer does not say who decides: that may be somebody who shared blind.
	if echo, _ := firm.below(0, 100); len(echo) < 2 {
		t.Errorf("comes back: %+v", echo)
	} else {
		for _, e := range echo {
			if slices.Contains(e.To, maker.org.ID) {
				t.Errorf("the home names the custodian to who proposes: %s for %q", e.ID, e.To)
			}
		}
	}
	maker.pull(100, true)
	other.pull(100, true)
	me := maker.as(maker.name(), polder.RoleContributor)
	all, err := maker.Proposals(ctx, me, maker.com.Alias)
	ok(t, err)
	if len(all) != 1 || !all[0].ForMe || all[0].State != ProposalOpen {
		t.Fatalf("at the custodian: %+v", all)
	}
	if all, err := other.Proposals(ctx, other.as(other.name(), polder.RoleContributor), other.com.Alias); err != nil || len(all) != 0 {
		t.Errorf("at a stranger: %+v, %v", all, err)
	}
	if rows := sightOf(t, other.world, other.org.ID, other.com.ID); len(rows) > 2 {
		t.Errorf("a stranger sees %q", rows)
	}
}
