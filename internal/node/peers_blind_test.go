package node

import (
	"context"
	"testing"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/stix"
)

// TestPeersBlindAtOnce: what a member of another node says under a pseudonym that nobody knows yet, and under a fresh
// one, is taken by the home as it comes; it does not lie refused until the parts speak again.
func TestPeersBlindAtOnce(t *testing.T) {
	ctx := context.Background()
	home, member := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := home.community(t, "Chips")
	link := linked(t, home, member, c, home.url).Link
	mirror, err := member.Accounts.Community(ctx, string(c.ID))
	ok(t, err)
	until(t, "the link is live", func() bool { return member.linkAt(t, link).Live() })
	for _, question := range []string{"Who knows this host?", "And this one?"} {
		got, err := member.Exchange.Ask(ctx, member.actor(t), exchange.Ask{Community: mirror.Alias, Question: question, Level: stix.Amber, Confirmed: true})
		ok(t, err)
		home.holds(t, c.ID, got.Items[len(got.Items)-1].ID)
		if refused := home.linkAt(t, link).Quarantined; refused != 0 {
			t.Fatalf("%d deliveries were refused on the way", refused)
		}
		ok(t, member.federation.pseudonyms.Renew(ctx, accounts.Local(), member.org.ID, mirror))
	}
}
