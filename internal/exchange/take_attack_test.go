package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// signers says what signatures are worth, by the name of an object.
type signers map[string]Signature

func (s signers) Sign(_ context.Context, _ polder.OrgID, _ polder.Community, o stix.Object) (stix.Object, error) {
	return o, nil
}

func (s signers) Check(_ context.Context, _ polder.CommunityID, o stix.Object, _ polder.Seq) (Signature, error) {
	if found, ok := s[o.Name]; ok {
		return found, nil
	}
	return Signature{State: SignatureNone}, nil
}

func (s signers) Bind(*db.Tx, polder.CommunityID, string, Signature) error { return nil }

// handedOver is a delivery as an honest home would hand it over.
func handedOver(l *spoke, seq polder.Seq, raw []byte, level stix.Marking) Handed {
	var o struct{ ID string }
	_ = json.Unmarshal(raw, &o)
	return Handed{Seq: seq, Community: l.com.ID, ID: o.ID, Level: level, Everyone: true, Raw: raw}
}

// TestS22WhatALyingHomeHandsOver (S9, S11, S22): each lie is refused, named in its verdict, and stands in no other's way;
// a frame is GREEN where it says so and RED inside it does not come in.
func TestS22WhatALyingHomeHandsOver(t *testing.T) {
	h := newHub(t)
	l := h.member("x", polder.RoleContributor)
	l.sign = signers{
		"forged":  {State: SignatureWrong, Signer: string(l.org.ID), Reason: "does not fit"},
		"missing": {State: SignatureMissing, Reason: "no signature"},
		"unknown": {State: SignatureUnknown, Signer: "identity--00000000-0000-4000-8000-000000000001", Reason: "no key"},
	}
	local := string(l.orgs["a"].ID)
	other := "identity--00000000-0000-4000-8000-00000000abcd"
	otherBlind := string(l.where.Blind)
	held := someIndicator(1, 3, "held", stix.Green, "")
	identity := func(id string) []byte {
		return fmt.Appendf(nil, `{"type":"identity","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"x","identity_class":"organization","object_marking_refs":["%s"]}`, id, stix.Green.ID())
	}
	edit := func(h Handed, fn func(*Handed)) Handed { fn(&h); return h }
	twoTLP := strings.Replace(string(someIndicator(20, 1, "two", stix.Green, "")), stix.Green.ID()+`"`, stix.Green.ID()+`","`+stix.Red.ID()+`"`, 1)
	redefined := fmt.Appendf(nil, `{"type":"marking-definition","spec_version":"2.1","id":"%s","created":"2022-10-01T00:00:00.000Z","definition_type":"statement","definition":{"statement":"anything goes"}}`, stix.Red.ID())
	red := someIndicator(21, 1, "red", stix.Red, "")
	cases := []struct {
		name, why string
		h         Handed
		state     string
		reason    string
	}{
		{"honest", "the rest of the frame is taken", handedOver(l, 1, held, stix.Green), "stored", ""},
		{"RED in a GREEN frame", "S11: the claim is wider than the mark", handedOver(l, 2, red, stix.Green), "refused", "marking widened"},
		{"AMBER as CLEAR", "S22: a peer widens a marking", handedOver(l, 3, someIndicator(22, 1, "amber", stix.Amber, ""), stix.Clear), "refused", "marking widened"},
		{"GREEN as AMBER", "stricter is kept", handedOver(l, 4, someIndicator(23, 1, "green", stix.Green, ""), stix.Amber), "stored", ""},
		{"RED for everybody", "RED names its readers", handedOver(l, 5, red, stix.Red), "refused", "names its readers"},
		{"two markings", "S11: TLP twice", handedOver(l, 6, []byte(twoTLP), stix.Green), "refused", ""},
		{"redefined", "S11: another definition under a TLP id", handedOver(l, 7, redefined, stix.Clear), "refused", ""},
		{"no level", "a delivery has one", handedOver(l, 8, someIndicator(24, 1, "none", stix.Green, ""), stix.None), "refused", "claims none"},
		{"for another", "it names somebody else", edit(handedOver(l, 9, red, stix.Red), func(h *Handed) { h.Everyone, h.To = false, []polder.OrgID{l.orgs["b"].ID} }), "refused", "not for the organisation"},
		{"other id", "the claim is not the object", edit(handedOver(l, 10, held, stix.Green), func(h *Handed) { h.ID = "indicator--00000000-0000-4000-8000-00000000ffff" }), "refused", "the delivery says"},
		{"other community", "not of this link", edit(handedOver(l, 11, held, stix.Green), func(h *Handed) { h.Community = l.where.ID }), "refused", "community"},
		{"unknown kind", "a later protocol", edit(handedOver(l, 12, held, stix.Green), func(h *Handed) { h.Kind = 7 }), "refused", "kind"},
		{"forged", "S9: a wrong signature", handedOver(l, 13, someIndicator(25, 1, "forged", stix.Green, ""), stix.Green), "refused", "signature"},
		{"stripped", "S22: a signature was stripped", handedOver(l, 14, someIndicator(26, 1, "missing", stix.Green, ""), stix.Green), "quarantined", "signature"},
		{"unknown key", "it may come later", handedOver(l, 15, someIndicator(27, 1, "unknown", stix.Green, ""), stix.Green), "quarantined", "signature"},
		{"same version, other content", "S9", handedOver(l, 16, someIndicator(1, 3, "changed", stix.Green, ""), stix.Green), "refused", "other content"},
		{"older version", "taken as older, and not the last", handedOver(l, 17, someIndicator(1, 2, "older", stix.Green, ""), stix.Green), "stored", ""},
		{"replayed", "S22: a loop ends", handedOver(l, 18, held, stix.Green), "duplicate", ""},
		{"revoked below", "a revocation is the last version", handedOver(l, 19, someIndicator(1, 1, "gone", stix.Green, `,"revoked":true`), stix.Green), "refused", "revocation"},
		{"local identity", "X13: only the organisation itself", handedOver(l, 20, identity(local), stix.Green), "refused", "organisation of this node"},
		{"in a local name", "X13: it did not share it", handedOver(l, 21, someIndicator(28, 1, "name", stix.Green, `,"created_by_ref":"`+local+`"`), stix.Green), "refused", "organisation of this node"},
		{"other blind identity", "of a community that is not the peer's", handedOver(l, 22, identity(otherBlind), stix.Green), "refused", "another community"},
		{"stranger's identity", "anybody's who is known to none", handedOver(l, 23, identity(other), stix.Green), "stored", ""},
		{"home's member", "the home answers for it", handedOver(l, 24, identity(string(h.orgs["a"].ID)), stix.Green), "stored", ""},
		{"no JSON", "noise", edit(handedOver(l, 25, held, stix.Green), func(h *Handed) { h.Raw = []byte(`{"type":`) }), "refused", ""},
	}
	var batch []Handed
	for _, c := range cases {
		batch = append(batch, c.h)
	}
	before := len(batch)
	got, err := l.Take(context.Background(), l.origin(), batch, nil)
	ok(t, err)
	if len(got) != before {
		t.Fatalf("%d verdicts for %d", len(got), before)
	}
	for i, c := range cases {
		if got[i].State != c.state || !strings.Contains(got[i].Reason, c.reason) || got[i].Seq != c.h.Seq {
			t.Errorf("%s (%s): %+v, want %s %q", c.name, c.why, got[i], c.state, c.reason)
		}
	}
	page, err := l.journal.Page(context.Background(), polder.Sight{Org: l.org.ID, Communities: []polder.CommunityID{l.com.ID}}, journal.Query{IDs: []string{cases[0].h.ID}, Limit: 10})
	ok(t, err)
	if len(page.Deliveries) != 1 || page.Deliveries[0].Version != "2026-01-01T00:00:03.000" || string(page.Deliveries[0].Raw) != string(held) {
		t.Errorf("the original is not what is served: %+v", page.Deliveries)
	}
	l.sign = signers{}
	again, err := l.Retake(context.Background(), l.origin())
	ok(t, err)
	sameText(t, "what waited", states(again), []string{"stored", "stored"})
	again, err = l.Retake(context.Background(), l.origin())
	ok(t, err)
	if len(again) != 0 {
		t.Errorf("still waiting: %+v", again)
	}
}

// TestTakeUnconfirmed: until a person has compared the peer's fingerprint nothing above GREEN is taken.
func TestTakeUnconfirmed(t *testing.T) {
	l := newHub(t).member("x", polder.RoleContributor)
	from := l.origin()
	from.Most = stix.Green
	got, err := l.Take(context.Background(), from, []Handed{handedOver(l, 1, someIndicator(1, 1, "a", stix.Amber, ""), stix.Amber), handedOver(l, 2, someIndicator(2, 1, "g", stix.Green, ""), stix.Green)}, nil)
	ok(t, err)
	sameText(t, "states", states(got), []string{"refused", "stored"})
}

// TestTakeIsAtomic (Atomic): where the caller's part fails, nothing is stored; and a link that may not deliver, or too
// much at once, is an error of the whole.
func TestTakeIsAtomic(t *testing.T) {
	ctx := context.Background()
	l := newHub(t).member("x", polder.RoleContributor)
	batch := []Handed{handedOver(l, 1, someIndicator(1, 1, "a", stix.Green, ""), stix.Green)}
	broken := errors.New("cut")
	if _, err := l.Take(ctx, l.origin(), batch, func(*db.Tx) error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if got := sightOf(t, l.world, l.org.ID, l.com.ID); len(got) != 0 {
		t.Fatalf("half stored: %q", got)
	}
	for _, c := range []struct {
		why  string
		from func(*Origin)
		n    int
	}{
		{"a peer that is not the home", func(o *Origin) { o.Peer = "identity--00000000-0000-4000-8000-000000000009" }, 1},
		{"an organisation that is no member", func(o *Origin) { o.Org = l.orgs["a"].ID }, 1},
		{"a community of this node", func(o *Origin) { o.Community = l.where.ID }, 1},
		{"an organisation that lives elsewhere", func(o *Origin) { o.Org = l.hub.orgs["a"].ID }, 1},
		{"too many", func(*Origin) {}, Batch + 1},
	} {
		from := l.origin()
		c.from(&from)
		if _, err := l.Take(ctx, from, make([]Handed, c.n), nil); err == nil {
			t.Errorf("%s: taken", c.why)
		}
	}
}

// TestTakeRegainsItsOwn: a member that lost what its organisation shared has it again from the home, with custody, and
// does not hand it up again.
func TestTakeRegainsItsOwn(t *testing.T) {
	l := newHub(t).member("x", polder.RoleContributor)
	mine := handedOver(l, 5, someIndicator(1, 1, "mine", stix.Green, ""), stix.Green)
	mine.Mine = true
	got, err := l.Take(context.Background(), l.origin(), []Handed{mine}, nil)
	ok(t, err)
	sameText(t, "states", states(got), []string{"stored"})
	l.shareAs(Request{Objects: one(someIndicator(1, 2, "mine, changed", stix.Green, ""))})
	up, _ := l.above(0, 100)
	if len(up) != 1 || !strings.Contains(string(up[0].Raw), "changed") {
		t.Errorf("handed up: %+v", up)
	}
}

// TestS22InOurOwnName: what an organisation shares leaves its node signed. A home that says "this is yours" of what carries
// no signature, under a number from before the home knew a key of it, is refused.
func TestS22InOurOwnName(t *testing.T) {
	ctx := context.Background()
	l := newHub(t).member("x", polder.RoleContributor)
	l.sign = signers{"signed": {State: SignatureValid, Signer: string(l.org.ID)}}
	var batch []Handed
	by := fmt.Sprintf(`,"created_by_ref":"%s"`, l.org.ID)
	for n, raw := range [][]byte{
		someIndicator(1, 1, "forged", stix.Green, by), someIndicator(2, 1, "signed", stix.Green, by), someIndicator(3, 1, "of nobody", stix.Green, ""),
	} {
		h := handedOver(l, polder.Seq(n+1), raw, stix.Green)
		h.Mine = true
		batch = append(batch, h)
	}
	got, err := l.Take(ctx, l.origin(), batch, nil)
	ok(t, err)
	sameText(t, "states", states(got), []string{"refused", "stored", "stored"})
}

// TestTakeWithdrawals (X18, X19): what the home withdraws goes, with its bytes where it erased them, also of what was
// withdrawn before; what never left the organisation stays; the same withdrawal takes out nothing that came since.
func TestTakeWithdrawals(t *testing.T) {
	ctx := context.Background()
	h := newHub(t)
	l := h.member("x", polder.RoleContributor)
	a, steward := h.as("a", polder.RoleContributor), h.steward("d")
	l.shareAs(Request{Objects: one(someIndicator(9, 1, "kept at home", stix.Red, ""))})
	h.share(a, Request{Objects: one(someIndicator(1, 1, "erased at once", stix.Green, ""), someIndicator(2, 1, "erased later", stix.Green, ""), someIndicator(3, 1, "again", stix.Green, ""), observed("192.0.2.7"), observed("192.0.2.8"))})
	l.pull(100, true)
	id := func(n int) string { return fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n) }
	withdraw := func(by polder.Actor, id string, erase bool) {
		t.Helper()
		_, err := h.Withdraw(ctx, by, Withdrawal{Community: h.where.Alias, ID: id, Erase: erase})
		ok(t, err)
	}
	withdraw(steward, id(1), true)
	withdraw(a, id(2), false)
	withdraw(a, id(3), false)
	withdraw(a, "ipv4-addr--fe609036-dbde-52d8-a120-35d115a7d338", false)
	l.pull(100, true)
	if n := l.stored("erased at once") + l.stored("192.0.2.9"); n != 0 {
		t.Errorf("%d bodies are left of what was erased", n)
	}
	if l.stored("erased later") != 1 {
		t.Error("a withdrawal took the bytes")
	}
	withdraw(steward, id(2), true)
	h.share(a, Request{Objects: one(someIndicator(3, 1, "again", stix.Green, ""))})
	l.pull(100, true)
	if n := l.stored("erased later"); n != 0 {
		t.Errorf("%d bodies are left of what was erased later", n)
	}
	l.down = 0
	l.pull(100, true)
	got := strings.Join(sightOf(t, l.world, l.org.ID, l.com.ID), "\n")
	for text, want := range map[string]bool{id(1): false, id(2): false, id(3): true, id(9): true, "fe609036": false, "c95cfd21": true} {
		if strings.Contains(got, text) != want {
			t.Errorf("%s is there: %v\n%s", text, !want, got)
		}
	}
	_, err := l.journal.Verify(ctx, nil)
	ok(t, err)
}

// TestWithdrawnForTwoOrganisationsOfOneNode (X18): a home hands the same withdrawal over to each organisation of a node,
// under the same number; it goes for both.
func TestWithdrawnForTwoOrganisationsOfOneNode(t *testing.T) {
	h := newHub(t)
	one1 := h.member("x", polder.RoleContributor)
	one2 := h.join(one1.world, "y", polder.RoleContributor)
	a := h.as("a", polder.RoleContributor)
	h.share(a, Request{To: []polder.OrgID{one1.org.ID, one2.org.ID}, Objects: one(someIndicator(1, 1, "for two", stix.Amber, ""))})
	for _, l := range []*spoke{one1, one2} {
		l.pull(100, true)
		if n := len(sightOf(t, l.world, l.org.ID, l.com.ID)); n != 1 {
			t.Fatalf("%s sees %d", l.org.Name, n)
		}
	}
	_, err := h.Withdraw(context.Background(), a, Withdrawal{Community: h.where.Alias, ID: "indicator--00000000-0000-4000-8000-000000000001"})
	ok(t, err)
	for _, l := range []*spoke{one1, one2} {
		l.pull(100, true)
		if n := len(sightOf(t, l.world, l.org.ID, l.com.ID)); n != 0 {
			t.Errorf("%s still sees %d", l.org.Name, n)
		}
	}
}

// observed is an observable.
func observed(ip string) []byte {
	ids := map[string]string{"192.0.2.7": "fe609036-dbde-52d8-a120-35d115a7d338", "192.0.2.8": "c95cfd21-a57b-59bb-8226-60a4007d0ea2"}
	raw := fmt.Appendf(nil, `{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--%s","value":"%s","object_marking_refs":["%s"]}`, ids[ip], ip, stix.Green.ID())
	return raw
}

// TestAcceptRules (S9, S22): a member's node shares by the rules of a share, and for its own organisation alone.
func TestAcceptRules(t *testing.T) {
	ctx := context.Background()
	h := newHub(t)
	x, y := h.member("x", polder.RoleContributor), h.member("y", polder.RoleReader)
	h.share(h.as("a", polder.RoleContributor), Request{Objects: one(someIndicator(1, 1, "a's", stix.Green, ""))})
	blind, err := h.accounts.BlindObject(ctx, h.where.ID)
	ok(t, err)
	hand := func(seq polder.Seq, raw []byte, level stix.Marking, to ...polder.OrgID) Handed {
		c := handedOver(x, seq, raw, level)
		c.To, c.Everyone = to, len(to) == 0
		return c
	}
	altered := []byte(strings.Replace(string(blind), "A member", "The member", 1))
	cases := []struct {
		why       string
		h         Handed
		state     string
		custodian bool
	}{
		{"a share", hand(1, someIndicator(2, 1, "b", stix.Green, ""), stix.Green), "stored", true},
		{"in the name of a member", hand(2, someIndicator(3, 1, "c", stix.Green, `,"created_by_ref":"`+string(h.where.Blind)+`"`), stix.Green), "stored", true},
		{"the blind identity is there", hand(3, blind, stix.Clear), "duplicate", true},
		{"another under its id", hand(4, altered, stix.Clear), "refused", true},
		{"another's version", hand(5, someIndicator(1, 2, "mine now", stix.Green, ""), stix.Green), "refused", false},
		{"what another shared", hand(6, someIndicator(1, 1, "a's", stix.Green, ""), stix.Green), "duplicate", false},
		{"wider than its mark", hand(7, someIndicator(4, 1, "d", stix.Amber, ""), stix.Green), "refused", true},
		{"in another's name", hand(8, someIndicator(5, 1, "e", stix.Green, `,"created_by_ref":"`+string(h.orgs["a"].ID)+`"`), stix.Green), "refused", true},
		{"to who is no member", hand(9, someIndicator(6, 1, "f", stix.Red, ""), stix.Red, h.orgs["out"].ID), "refused", true},
		{"red for everybody", hand(10, someIndicator(7, 1, "g", stix.Red, ""), stix.Red), "refused", true},
		{"red for one", hand(11, someIndicator(8, 1, "h", stix.Red, ""), stix.Red, y.org.ID, h.orgs["out"].ID), "stored", true},
		{"withdrawal of another's", Handed{Seq: 12, Kind: journal.Withdrawn, Community: h.where.ID, ID: "indicator--00000000-0000-4000-8000-000000000001"}, "refused", true},
		{"withdrawal of its own", Handed{Seq: 13, Kind: journal.Withdrawn, Community: h.where.ID, ID: "indicator--00000000-0000-4000-8000-000000000002", Version: "2026-01-01T00:00:01.000Z"}, "withdrawn", true},
	}
	var batch []Handed
	for _, c := range cases {
		batch = append(batch, c.h)
	}
	got, err := h.Accept(ctx, x.actor(), h.where.ID, batch, nil)
	ok(t, err)
	for i, c := range cases {
		if got[i].State != c.state || got[i].Custodian != c.custodian {
			t.Errorf("%s: %+v, want %s %v", c.why, got[i], c.state, c.custodian)
		}
	}
	if seen := strings.Join(sightOf(t, h.world, y.org.ID, h.where.ID), " "); !strings.Contains(seen, "000000000008 ") || strings.Contains(seen, "000000000002 ") {
		t.Errorf("y sees %s", seen)
	}
	_, err = h.Accept(ctx, y.actor(), h.where.ID, batch[:1], nil)
	isKind(t, "a reader shares", err, polder.Forbidden)
	ok(t, h.accounts.Leave(ctx, accounts.Local(), h.where.ID, x.org.ID))
	if _, err = h.Accept(ctx, x.actor(), h.where.ID, batch[:1], nil); err == nil {
		t.Error("who left still shares")
	}
}

// TestYieldCustody: where the home says that another is custodian, versions from the home follow here.
func TestYieldCustody(t *testing.T) {
	h := newHub(t)
	x := h.member("x", polder.RoleContributor)
	raw := someIndicator(1, 1, "both", stix.Green, "")
	h.share(h.as("a", polder.RoleContributor), Request{Objects: one(raw)})
	x.shareAs(Request{Objects: one(raw)})
	if got := x.push(10, true); len(got) != 1 || got[0].State != "duplicate" || got[0].Custodian {
		t.Fatalf("got %+v", got)
	}
	_, err := x.Share(context.Background(), x.as("x", polder.RoleContributor), Request{Community: x.com.Alias, Objects: one(someIndicator(1, 2, "x's", stix.Green, "")), Partial: true})
	ok(t, err)
	h.share(h.as("a", polder.RoleContributor), Request{Objects: one(someIndicator(1, 2, "a's", stix.Green, ""))})
	sameText(t, "taken", states(x.pull(10, true)), []string{"duplicate", "stored"})
	isKind(t, "custody is reassigned at a mirror", x.Reassign(context.Background(), x.as("x", polder.RoleSteward), x.com.Alias, "indicator--00000000-0000-4000-8000-000000000001", x.org.ID), polder.Forbidden)
}

// TestRegain: a home that was restored takes back what carries a valid signature, for who signed it and who offers it.
func TestRegain(t *testing.T) {
	ctx := context.Background()
	h := newHub(t)
	x := h.member("x", polder.RoleReader)
	a := string(h.orgs["a"].ID)
	h.sign = signers{"signed": {State: SignatureValid, Signer: a}, "amber": {State: SignatureValid, Signer: a}, "out": {State: SignatureValid, Signer: string(h.orgs["out"].ID)}}
	amber := handedOver(x, 2, someIndicator(2, 1, "amber", stix.Amber, ""), stix.Amber)
	got, err := h.Regain(ctx, x.actor(), h.where.ID, []Handed{
		handedOver(x, 1, someIndicator(1, 1, "signed", stix.Green, ""), stix.Green), amber,
		handedOver(x, 3, someIndicator(3, 1, "unsigned", stix.Green, ""), stix.Green),
		handedOver(x, 4, someIndicator(4, 1, "out", stix.Green, ""), stix.Green),
		{Seq: 5, Kind: journal.Withdrawn, Community: h.where.ID, ID: amber.ID},
	}, nil)
	ok(t, err)
	sameText(t, "states", states(got), []string{"stored", "stored", "quarantined", "quarantined", "quarantined"})
	for org, want := range map[polder.OrgID]int{h.orgs["a"].ID: 2, x.org.ID: 2, h.orgs["b"].ID: 1} {
		if n := len(sightOf(t, h.world, org, h.where.ID)); n != want {
			t.Errorf("%s sees %d, want %d", org, n, want)
		}
	}
	h.share(h.as("a", polder.RoleContributor), Request{Objects: one(someIndicator(2, 2, "next", stix.Amber, ""))})

	// A right signature says who, and not where: what was shared elsewhere is not given back here.
	other, err := h.accounts.AddCommunity(ctx, accounts.Local(), "Other ring", stix.None)
	ok(t, err)
	h.sign = signers{"left": {State: SignatureValid, Signer: "identity--0d0d0d0d-0000-4000-8000-00000000000d"},
		"blind": {State: SignatureValid, Signer: "pseudonym--0d0d0d0d-0000-8000-8000-00000000000d"}}
	by := func(id polder.OrgID) string { return fmt.Sprintf(`,"created_by_ref":"%s"`, id) }
	got, err = h.Regain(ctx, x.actor(), h.where.ID, []Handed{
		handedOver(x, 6, someIndicator(6, 1, "left", stix.Green, ""), stix.Green),
		handedOver(x, 7, someIndicator(7, 1, "blind", stix.Green, by(other.Blind)), stix.Green),
		handedOver(x, 8, someIndicator(8, 1, "blind", stix.Green, by(h.where.Blind)), stix.Green),
	}, nil)
	ok(t, err)
	sameText(t, "states", states(got), []string{"quarantined", "quarantined", "stored"})
}

// TestS22GivenBackAfterWithdrawal: a member that gives back what was withdrawn, or erased, brings nothing back to life:
// the signature is right, and it no longer stands. It may be given back by anybody at any time, so the home looks.
func TestS22GivenBackAfterWithdrawal(t *testing.T) {
	ctx := context.Background()
	h := newHub(t)
	x := h.member("x", polder.RoleReader)
	h.sign = signers{"signed": {State: SignatureValid, Signer: string(h.orgs["a"].ID)}, "next": {State: SignatureValid, Signer: string(h.orgs["a"].ID)}}
	a := h.as("a", polder.RoleContributor)
	h.share(a, Request{Objects: one(someIndicator(1, 1, "signed", stix.Green, ""), someIndicator(2, 1, "signed", stix.Green, ""), observed("192.0.2.7"))})
	x.pull(100, true)
	id := func(n int) string { return fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n) }
	for n, w := range []Withdrawal{{ID: id(1)}, {ID: id(2), Erase: true}} {
		w.Community = h.where.Alias
		_, err := h.Withdraw(ctx, []polder.Actor{a, h.steward("d")}[n], w)
		ok(t, err)
	}
	got, err := h.Regain(ctx, x.actor(), h.where.ID, []Handed{
		handedOver(x, 1, someIndicator(1, 1, "signed", stix.Green, ""), stix.Green),
		handedOver(x, 2, someIndicator(2, 1, "signed", stix.Green, ""), stix.Green),
		handedOver(x, 3, someIndicator(1, 2, "next", stix.Green, ""), stix.Green),
	}, nil)
	ok(t, err)
	sameText(t, "states", states(got), []string{"quarantined", "quarantined", "stored"})
	if !strings.Contains(got[0].Reason, "withdrawn") || !strings.Contains(got[1].Reason, "withdrawn") {
		t.Errorf("reasons: %q, %q", got[0].Reason, got[1].Reason)
	}
}

// TestF18HandedOfOtherVersions (F18): what a later node adds to a delivery is ignored, and what an earlier one leaves out
// is its zero.
func TestF18HandedOfOtherVersions(t *testing.T) {
	for _, c := range []struct{ why, text string }{
		{"a later peer", `{"seq":7,"kind":0,"community":"c","id":"i","level":"green","everyone":true,"object":{"a":1},"shade":"blue","extra":{"deep":[1]}}`},
		{"an earlier one", `{"seq":7,"kind":0,"community":"c","id":"i","level":"green","everyone":true,"object":{"a":1}}`},
	} {
		var h Handed
		ok(t, json.Unmarshal([]byte(c.text), &h))
		if h.Seq != 7 || h.Level != stix.Green || !h.Everyone || string(h.Raw) != `{"a":1}` {
			t.Errorf("%s: %+v", c.why, h)
		}
	}
}

// TestHandOut (X6): what leaves for a node tells its organisation nothing beyond what it sees.
func TestHandOut(t *testing.T) {
	raw := []byte(`{}`)
	for _, c := range []struct {
		why      string
		d        journal.Delivery
		ok       bool
		everyone bool
		mine     bool
		to       int
	}{
		{"for everybody", journal.Delivery{Sharer: "a", Nominal: polder.Everyone(), Reached: polder.Everyone(), Raw: raw}, true, true, false, 0},
		{"others that are named stay unnamed", journal.Delivery{Sharer: "a", Nominal: polder.Only("a", "x", "y"), Reached: polder.Only("a", "x", "y"), Raw: raw}, true, false, false, 1},
		{"its own goes back whole", journal.Delivery{Sharer: "x", Nominal: polder.Only("x", "y", "z"), Reached: polder.Only("x", "y", "z"), Raw: raw}, true, false, true, 2},
		{"not for it", journal.Delivery{Sharer: "a", Nominal: polder.Only("a", "y"), Reached: polder.Only("a", "y"), Raw: raw}, false, false, false, 0},
		{"it has that, and is told that all do now", journal.Delivery{Sharer: "a", Nominal: polder.Everyone(), Reached: polder.AllBut("x"), Raw: raw}, true, true, false, 0},
		{"all but some", journal.Delivery{Sharer: "a", Nominal: polder.AllBut("y"), Reached: polder.AllBut("y"), Raw: raw}, true, false, false, 1},
		{"erased", journal.Delivery{Sharer: "a", Nominal: polder.Everyone(), Reached: polder.Everyone()}, false, false, false, 0},
	} {
		h, yes := HandOut(c.d, "x")
		if yes != c.ok || h.Everyone != c.everyone || h.Mine != c.mine || len(h.To) != c.to {
			t.Errorf("%s: %+v %v", c.why, h, yes)
		}
	}
}

// BenchmarkTake stands beside BenchmarkTakeShare: 1,000 objects of which each is checked again, in one transaction.
func BenchmarkTake(b *testing.B) {
	l := newHub(b).member("x", polder.RoleContributor)
	n := 0
	for b.Loop() {
		batch := make([]Handed, 0, Batch)
		for range Batch {
			n++
			batch = append(batch, handedOver(l, polder.Seq(n), someIndicator(n, 1, "x", stix.Green, ""), stix.Green))
		}
		got, err := l.Take(context.Background(), l.origin(), batch, nil)
		ok(b, err)
		if got[0].State != stateStored {
			b.Fatal(got[0])
		}
	}
	b.ReportMetric(float64(Batch)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

func BenchmarkTakeShare(b *testing.B) {
	w := newWorld(b)
	a := w.as("a", polder.RoleContributor)
	n := 0
	for b.Loop() {
		var all []Incoming
		for range Batch {
			n++
			all = append(all, Incoming{Raw: someIndicator(n, 1, "x", stix.Green, "")})
		}
		w.share(a, Request{Objects: all})
	}
	b.ReportMetric(float64(Batch)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}
