package exchange

import (
	"encoding/json"
	"testing"

	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/stix"
)

// TestReleaseKeepsProposals: who takes custom properties out can still propose: a proposal leaves as one.
func TestReleaseKeepsProposals(t *testing.T) {
	rules, err := release.Compile(release.Profile{Minimise: release.Minimise{Custom: true}}, releaseKnown...)
	ok(t, err)
	o, err := stix.Make("note", func(n *stix.Members) {
		n.Set("created", "2026-11-01T00:00:00.000Z")
		n.Set("modified", "2026-11-01T00:00:00.000Z")
		n.Set("content", "why")
		n.Set("object_refs", []string{"malware--3f1c6a52-4c6c-4f0a-9b0e-1b6d5f7d9a12"})
		setProposal(n, func(x *stix.Members) {
			x.Set("target", "malware--3f1c6a52-4c6c-4f0a-9b0e-1b6d5f7d9a12")
			x.Set("patch", json.RawMessage(`{"name":"B"}`))
		})
	})
	ok(t, err)
	out, _, _ := rules.Apply(o)
	if w, is := proposalOf(out); !is || w.Target == "" {
		t.Errorf("it left as an ordinary note: %s", out.Raw())
	}
}
