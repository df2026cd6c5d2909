package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

func patchOf(pairs ...string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return out
}

func (w *world) propose(a polder.Actor, id string, patch map[string]json.RawMessage) string {
	w.t.Helper()
	res, err := w.MakeProposal(context.Background(), a, Propose{About: About{ID: id, Community: w.where.Alias, Confirmed: true}, Patch: patch, Reason: "We know better."})
	ok(w.t, err)
	if len(res.Refused) > 0 {
		w.t.Fatalf("%+v", res.Refused)
	}
	return res.Items[len(res.Items)-1].ID
}

func (w *world) proposal(a polder.Actor, id string) Proposal {
	w.t.Helper()
	p, err := w.Proposal(context.Background(), a, w.where.Alias, id)
	ok(w.t, err)
	return p
}

func (w *world) last(a polder.Actor, id string) (journal.Delivery, stix.Object) {
	w.t.Helper()
	d, err := w.inSight(context.Background(), a, w.where.Alias, id)
	ok(w.t, err)
	o, err := stix.Parse(d.Raw)
	ok(w.t, err)
	return d, o
}

// TestProposal: a proposal changes nothing by itself; its custodian accepts it, which makes a version, or declines it.
func TestProposal(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b, c := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.as("c", polder.RoleContributor)
	w.share(a, Request{Objects: one(someIndicator(1, 0, "old name", stix.Amber, `,"confidence":80,"labels":["x"]`), someIndicator(2, 0, "second", stix.Amber, ""))})
	id := sid("indicator", 1)
	was, _ := w.last(a, id)
	p1 := w.propose(b, id, patchOf("name", `"new name"`, "confidence", "null", "labels", `["x","y"]`))
	p2 := w.propose(c, id, patchOf("revoked", "true"))
	if now, _ := w.last(a, id); now.Seq != was.Seq {
		t.Fatal("a proposal changed the object")
	}
	got := w.proposal(a, p1)
	if got.State != ProposalOpen || !got.ForMe || got.Mine || got.Reason != "We know better." || got.Title != "old name" {
		t.Errorf("the custodian reads %+v", got)
	}
	want := []PropertyChange{{"name", []LineChange{{"-", "old name"}, {"+", "new name"}}}, {"labels", []LineChange{{" ", "x"}, {"+", "y"}}}, {"confidence", []LineChange{{"-", "80"}}}}
	if fmt.Sprint(got.Changes) != fmt.Sprint(want) {
		t.Errorf("the difference is %+v, want %+v", got.Changes, want)
	}
	if d, o := w.last(a, p1); o.CreatedByRef != string(w.where.Blind) || d.Level != stix.Amber {
		t.Errorf("the proposal names %s at %s", o.CreatedByRef, d.Level)
	}
	if _, err := w.AcceptProposal(ctx, b, w.where.Alias, p1, true); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("its maker accepts it: %v", err)
	}
	res, err := w.AcceptProposal(ctx, a, w.where.Alias, p1, true)
	if ok(t, err); len(res.Refused) > 0 {
		t.Fatalf("%+v", res.Refused)
	}
	now, o := w.last(c, id)
	if o.Name != "new name" || o.Property("confidence") != nil || string(o.Property("labels")) != `["x","y"]` || o.Created.Text != "2026-01-01T00:00:00.000Z" || now.Custodian != a.Org {
		t.Errorf("accepted: %s", o.Raw())
	}
	if got := w.proposal(b, p1); got.State != ProposalAccepted || !got.Mine || got.ForMe {
		t.Errorf("its maker reads %+v", got)
	}
	if got := w.proposal(a, p2); got.State != ProposalSuperseded {
		t.Errorf("the other proposal is %s", got.State)
	}
	if _, err := w.AcceptProposal(ctx, a, w.where.Alias, p2, true); polder.KindOf(err) != polder.Conflict {
		t.Errorf("a superseded proposal is accepted: %v", err)
	}
	if _, err := w.DeclineProposal(ctx, a, w.where.Alias, p2, " "); polder.KindOf(err) != polder.Invalid {
		t.Errorf("declined without a reason: %v", err)
	}
	_, err = w.DeclineProposal(ctx, a, w.where.Alias, p2, "It is alive.")
	ok(t, err)
	if got := w.proposal(c, p2); got.State != ProposalDeclined || got.Answer != "It is alive." {
		t.Errorf("declined: %+v", got)
	}
	if _, err := w.DeclineProposal(ctx, a, w.where.Alias, p2, "Once more."); polder.KindOf(err) != polder.Conflict {
		t.Errorf("decided twice: %v", err)
	}
	p3 := w.propose(b, sid("indicator", 2), patchOf("revoked", "true"))
	_, err = w.Withdraw(ctx, b, Withdrawal{Community: w.where.Alias, ID: p3})
	ok(t, err)
	if all, err := w.Proposals(ctx, a, ""); err != nil || len(all) != 2 {
		t.Errorf("after one was withdrawn there are %d: %v", len(all), err)
	}
}

// TestProposalRefused: what cannot be proposed is refused with what would be right.
func TestProposalRefused(t *testing.T) {
	w := newWorld(t)
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor)
	w.share(a, Request{Objects: one(someIndicator(1, 0, "name", stix.Amber, ""), someIndicator(2, 0, "gone", stix.Amber, `,"revoked":true`),
		[]byte(`{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--6f64a5f3-2c52-5a3e-ba4f-0f3c4a6fc6b9","value":"198.51.100.3"}`))[:2]})
	for _, c := range []struct {
		why   string
		by    polder.Actor
		id    string
		patch map[string]json.RawMessage
		want  polder.Kind
		says  string
	}{
		{"its own custodian", a, sid("indicator", 1), patchOf("name", `"x"`), polder.Conflict, "you are the custodian"},
		{"nothing", b, sid("indicator", 1), nil, polder.Invalid, "is empty"},
		{"whose it is", b, sid("indicator", 1), patchOf("created_by_ref", `"identity--00000000-0000-4000-8000-000000000001"`), polder.Invalid, "cannot be proposed"},
		{"how far it goes", b, sid("indicator", 1), patchOf("object_marking_refs", `[]`), polder.Invalid, "cannot be proposed"},
		{"what it is already", b, sid("indicator", 1), patchOf("name", `"name"`), polder.Invalid, "already"},
		{"no indicator without a pattern", b, sid("indicator", 1), patchOf("pattern", "null"), polder.Invalid, "not be sound"},
		{"a pattern that is none", b, sid("indicator", 1), patchOf("pattern", `"[x"`), polder.Invalid, "not be sound"},
		{"a confidence that is none", b, sid("indicator", 1), patchOf("confidence", `"high"`), polder.Invalid, "not be sound"},
		{"too long", b, sid("indicator", 1), patchOf("description", `"`+strings.Repeat("x", 70<<10)+`"`), polder.TooLarge, "longer"},
		{"a revoked object", b, sid("indicator", 2), patchOf("name", `"x"`), polder.Conflict, "revoked"},
		{"no such object", b, sid("indicator", 3), patchOf("name", `"x"`), polder.NotFound, "no such object"},
	} {
		_, err := w.MakeProposal(context.Background(), c.by, Propose{About: About{ID: c.id, Community: w.where.Alias}, Patch: c.patch, Reason: "Because."})
		if polder.KindOf(err) != c.want || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s: %s", c.why, err, c.want, c.says)
		}
	}
}

// TestProposalReachesNobodyElse: of a proposal about an object that was for some nobody learns but its custodian: not the
// other recipients, not the rest of the community, not the log of any of them; and the level is the object's.
func TestProposalReachesNobodyElse(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b, c, d := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.as("c", polder.RoleContributor), w.as("d", polder.RoleSteward)
	w.share(a, Request{Objects: one(someIndicator(1, 0, "narrow", stix.AmberStrict, "")), To: []polder.OrgID{w.orgs["b"].ID, w.orgs["c"].ID}})
	w.share(a, Request{Objects: one(someIndicator(2, 0, "red", stix.Red, "")), To: []polder.OrgID{w.orgs["b"].ID}})
	everything := func(by polder.Actor) (ids []string) {
		sight, err := w.Sight(ctx, by)
		ok(t, err)
		page, err := w.journal.Page(ctx, sight, journal.Query{Limit: 1000, All: true, Withdrawals: true})
		ok(t, err)
		for _, x := range page.Deliveries {
			if x.Type() == "note" || x.Type() == "indicator" {
				ids = append(ids, x.ID)
			}
		}
		return ids
	}
	for _, who := range []polder.Actor{c, d} {
		before := everything(who)
		note := w.propose(b, sid("indicator", 1), patchOf("name", `"known better"`))
		w.propose(b, sid("indicator", 2), patchOf("name", `"known better"`))
		if after := everything(who); !slices.Equal(before, after) {
			t.Errorf("a member outside reads %v, before the proposal %v", after, before)
		}
		if _, err := w.Proposal(ctx, who, w.where.Alias, note); polder.KindOf(err) != polder.NotFound {
			t.Errorf("it asks for the proposal: %v, want not found", err)
		}
		if all, err := w.Proposals(ctx, who, ""); err != nil || len(all) != 0 {
			t.Errorf("it lists %d proposals: %v", len(all), err)
		}
	}
	mine, err := w.Proposals(ctx, a, "")
	if ok(t, err); len(mine) != 4 {
		t.Fatalf("the custodian lists %d", len(mine))
	}
	for _, p := range mine {
		if p.Delivery.Level != p.Target.Level {
			t.Errorf("a proposal is %s, its object %s", p.Delivery.Level, p.Target.Level)
		}
	}
	before := everything(d)
	open := slices.IndexFunc(mine, func(p Proposal) bool { return p.Target.ID == sid("indicator", 1) })
	_, err = w.AcceptProposal(ctx, a, w.where.Alias, mine[open].Delivery.ID, true)
	ok(t, err)
	if _, o := w.last(c, sid("indicator", 1)); o.Name != "known better" {
		t.Errorf("the other recipient reads %q", o.Name)
	}
	if after := everything(d); !slices.Equal(before, after) {
		t.Errorf("after it was accepted a member outside reads %v, before %v", after, before)
	}
	if got := w.proposal(b, mine[open].Delivery.ID); got.State != ProposalAccepted {
		t.Errorf("its maker reads %s", got.State)
	}
	seen := everything(c)
	if slices.ContainsFunc(seen, func(id string) bool { return strings.HasPrefix(id, "note--") }) {
		t.Errorf("the other recipient reads a note: %v", seen)
	}
}

// TestProposalForged: nobody but the custodian decides a proposal, whatever a note says.
func TestProposalForged(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.as("c", polder.RoleContributor)
	w.share(a, Request{Objects: one(someIndicator(1, 0, "name", stix.Amber, ""))})
	p := w.propose(b, sid("indicator", 1), patchOf("name", `"x"`))
	w.share(c, Request{Confirmed: true, Objects: []Incoming{{Made: true, Raw: thing("note", 7, 0, stix.Amber,
		`"content":"x","object_refs":["`+p+`"],"extensions":{"`+proposalExtension+`":{"extension_type":"property-extension","proposal":"`+p+`","outcome":"declined"}}`)}}})
	if got := w.proposal(a, p); got.State != ProposalOpen {
		t.Errorf("a note of another member makes it %s", got.State)
	}
	w.share(c, Request{Confirmed: true, Objects: []Incoming{{Made: true, Raw: thing("note", 8, 0, stix.Amber,
		`"content":"x","object_refs":["`+sid("indicator", 1)+`"],"external_references":[{"source_name":"polder","external_id":"x-polder-proposal"}],"extensions":{"`+proposalExtension+`":{"extension_type":"property-extension","target":"`+sid("indicator", 1)+`","version":"2026-01-01T00:00:00.000Z","patch":{"object_marking_refs":[]},"reason":"x"}}`)}}})
	if all, err := w.Proposals(context.Background(), a, ""); err != nil || len(all) != 1 {
		t.Errorf("a patch of the marking is a proposal: %d, %v", len(all), err)
	}
}

// TestProposalTakesSignatureOff: the next version is signed anew, and keeps every other extension.
func TestProposalTakesSignatureOff(t *testing.T) {
	signed := `{"` + stix.SignatureExtension + `":{"extension_type":"property-extension","signer":"identity--00000000-0000-4000-8000-000000000001","key":"k","signature":"AAAA"}`
	for _, c := range []struct{ extensions, want string }{{signed + `}`, ""}, {signed + `,"extension-definition--00000000-0000-4000-8000-000000000001":{"extension_type":"property-extension","abc":1}}`, `"abc":1`}} {
		o, err := stix.Parse(someIndicator(1, 0, "name", stix.Amber, `,"extensions":`+c.extensions))
		ok(t, err)
		next, err := proposalApplied(o, patchOf("name", `"x"`), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		ok(t, err)
		if SignerOf(next) != "" || !strings.Contains(string(next.Property("extensions")), c.want) || !next.Modified.Time.After(o.Modified.Time) {
			t.Errorf("%s", next.Raw())
		}
	}
}

// TestLineDifference: taking the lines that go and leaving those that come out gives what was; the other way what is.
func TestLineDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 8)
		a, b := lines.Draw(t, "a"), lines.Draw(t, "b")
		var was, is []string
		for _, l := range lineDifference(a, b) {
			if l.Sign != "+" {
				was = append(was, l.Text)
			}
			if l.Sign != "-" {
				is = append(is, l.Text)
			}
		}
		if !slices.Equal(was, a) || !slices.Equal(is, b) {
			t.Fatalf("from %v to %v it says from %v to %v", a, b, was, is)
		}
	})
}

// FuzzProposal: no note brings the reading of proposals down, and what is read as one changes only what may be proposed.
func FuzzProposal(f *testing.F) {
	f.Add([]byte(`{"extension_type":"property-extension","target":"indicator--00000000-0000-4000-8000-000000000001","version":"x","patch":{"name":"y"},"reason":"z"}`))
	f.Add([]byte(`{"proposal":"note--00000000-0000-4000-8000-000000000001","outcome":"accepted"}`))
	target, err := stix.Parse(someIndicator(1, 0, "name", stix.Amber, ""))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, extension []byte) {
		o, err := stix.Parse(thing("note", 8, 0, stix.Amber, `"content":"x","object_refs":["`+sid("indicator", 1)+`"],"extensions":{"`+proposalExtension+`":`+string(extension)+`}`))
		if err != nil {
			return
		}
		w, is := proposalOf(o)
		if !is || w.Target == "" {
			return
		}
		next, err := proposalApplied(target, w.Patch, decayDay0)
		if err != nil {
			return
		}
		if next.ID != target.ID || string(next.Property("object_marking_refs")) != string(target.Property("object_marking_refs")) || next.CreatedByRef != target.CreatedByRef {
			t.Fatalf("%s", next.Raw())
		}
	})
}

// TestProposalDecidedElsewhere: on a mirror the home's node stands for every custodian there, so a decision counts only
// when who signed the object signed it.
func TestProposalDecidedElsewhere(t *testing.T) {
	w := newWorld(t)
	home := polder.OrgID("identity--7d3c1f5e-0b7a-4f0e-9a51-2f6c8d0e4b19")
	maker, other := "identity--0e9d8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b", "identity--1f0e9d8c-7b6a-4f5e-9d3c-2b1a0f9e8d7c"
	signed := func(by string) []byte {
		o, err := stix.Parse(someIndicator(71, 0, "target", stix.Green, ""))
		ok(t, err)
		if by != "" {
			o, err = o.WithSignature(stix.Signature{Signer: by, Key: "a", Value: []byte("b")})
			ok(t, err)
		}
		return o.Raw()
	}
	for _, c := range []struct {
		target, decision string
		far              bool
		want             ProposalState
		why              string
	}{
		{maker, maker, true, ProposalAccepted, "who signed the object decides"},
		{maker, other, true, ProposalOpen, "another member does not, though its note comes from the same home"},
		{maker, "", true, ProposalOpen, "nor does a note that nobody signed"},
		{"", "", true, ProposalOpen, "an object without a signer is decided at home alone"},
		{maker, "", false, ProposalAccepted, "here the custodian itself is known"},
	} {
		p := Proposal{Target: journal.Delivery{Raw: signed(c.target), Custodian: home, Version: "2026-11-01T10:00:00.000"}, Version: "2026-11-01T10:00:00.000Z"}
		p.judge([]proposalDecision{{Delivery: journal.Delivery{Sharer: home}, proposalWords: proposalWords{Outcome: ProposalAccepted}, signer: c.decision}}, c.far, w.Service)
		if (p.State == ProposalAccepted) != (c.want == ProposalAccepted) {
			t.Errorf("%s, want %s: %s", p.State, c.want, c.why)
		}
	}
}

// TestProposalDecidedByName: who is named as the creator of an object decides about it by name, which other nodes can
// believe; whoever shared it blind stays blind.
func TestProposalDecidedByName(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor)
	w.share(a, Request{Objects: one(someIndicator(1, 0, "named", stix.Amber, `,"created_by_ref":"`+string(a.Org)+`"`), someIndicator(2, 0, "of nobody", stix.Amber, ""))})
	for i, want := range []polder.OrgID{a.Org, w.where.Blind} {
		id := sid("indicator", i+1)
		p := w.propose(b, id, patchOf("name", `"new name"`))
		_, err := w.AcceptProposal(ctx, a, w.where.Alias, p, true)
		ok(t, err)
		sight, err := w.SightIn(ctx, b, w.where.Alias)
		ok(t, err)
		ok(t, w.search.await(ctx))
		found, err := w.referring(ctx, sight, []string{p}, []string{"note"}, 10)
		if ok(t, err); len(found.Deliveries) != 1 {
			t.Fatalf("%d decisions", len(found.Deliveries))
		}
		note, err := stix.Parse(found.Deliveries[0].Raw)
		if ok(t, err); note.CreatedByRef != string(want) {
			t.Errorf("the decision about object %d is by %s, want %s", i+1, note.CreatedByRef, want)
		}
	}
}
