package exchange

import (
	"context"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// TestTakeAheadOfTheOneBefore (S22): a batch that is checked while the one before it is stored may not sign another's id
// that came with that one.
func TestTakeAheadOfTheOneBefore(t *testing.T) {
	ctx := context.Background()
	l := newHub(t).member("x", polder.RoleContributor)
	hand := func(seq polder.Seq, n int, text string) []Handed {
		return []Handed{handedOver(l, seq, someIndicator(1, n, text, stix.Green, ""), stix.Green)}
	}
	l.sign = signers{"first": {State: SignatureValid, Signer: "identity--one"}, "second": {State: SignatureValid, Signer: "identity--two"}}
	one, err := l.Inspect(ctx, l.origin(), hand(1, 1, "first"), nil)
	ok(t, err)
	two, err := l.Inspect(ctx, l.origin(), hand(2, 2, "second"), one)
	ok(t, err)
	for _, b := range []struct {
		i    *Inspected
		want string
	}{{one, stateStored}, {two, stateRefused}} {
		got, err := b.i.Store(ctx, nil)
		ok(t, err)
		sameText(t, "states", states(got), []string{b.want})
	}
}

// TestTakeOnChangedGround: what is known of who is who is read again when it changed, within this process or by another:
// an organisation that has left gets nothing any more, and one that came is known.
func TestTakeOnChangedGround(t *testing.T) {
	ctx := context.Background()
	h := newHub(t)
	l := h.member("x", polder.RoleContributor)
	take := func(seq polder.Seq, raw []byte) ([]Verdict, error) {
		return l.Take(ctx, l.origin(), []Handed{handedOver(l, seq, raw, stix.Green)}, nil)
	}
	_, err := take(1, someIndicator(1, 1, "a", stix.Green, ""))
	ok(t, err)
	late := h.member("y", polder.RoleContributor)
	l.roster()
	got, err := take(2, someIndicator(2, 1, "b", stix.Green, `,"created_by_ref":"`+string(late.org.ID)+`"`))
	ok(t, err)
	sameText(t, "an organisation that came later", states(got), []string{stateStored})
	ok(t, l.db.Write(ctx, func(tx *db.Tx) error { return l.accounts.RemoveMirror(tx, accounts.Local(), l.com.ID, l.org.ID) }))
	if _, err := take(3, someIndicator(3, 1, "c", stix.Green, "")); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("an organisation that has left: %v, want forbidden", err)
	}
}
