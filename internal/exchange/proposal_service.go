package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Propose is a change that somebody wants to propose. Where the object addressed the whole community the proposal does
// too; a proposal about an object that was for some goes to its custodian alone, and nobody else learns of it.
type Propose struct {
	About
	Patch  map[string]json.RawMessage // by property; null takes it out
	Reason string
}

// Proposal is a proposal as a reader sees it.
type Proposal struct {
	Delivery journal.Delivery
	Target   journal.Delivery // the last version of the object
	Title    string           // of the object
	Version  string           // of the object that it is about
	Patch    map[string]json.RawMessage
	Reason   string
	State    ProposalState
	Answer   string // of the custodian, once it is decided
	ForMe    bool   // the reader is the custodian of the object
	Mine     bool   // the reader proposed it
	Changes  []PropertyChange
}

// Undecided tells whether p still waits for its custodian.
func (p Proposal) Undecided() bool { return p.State == ProposalOpen || p.State == ProposalSuperseded }

// MakeProposal proposes a change to an object of another.
func (s *Service) MakeProposal(ctx context.Context, a polder.Actor, g Propose) (Result, error) {
	d, o, err := s.proposalTarget(ctx, a, g.Community, g.ID)
	if err != nil {
		return Result{}, err
	}
	g.Reason = strings.TrimSpace(g.Reason)
	switch {
	case d.Custodian == a.Org:
		return Result{}, polder.Errorf(polder.Conflict, "id: you are the custodian of this object; share a new version of it instead")
	case g.Reason == "" || len(g.Reason) > maxProposalReason:
		return Result{}, polder.Errorf(polder.Invalid, "reason: say in at most %d characters why it should change", maxProposalReason)
	}
	if _, err := proposalApplied(o, g.Patch, s.now()); err != nil {
		return Result{}, err
	}
	var to []polder.OrgID
	if !d.Nominal.Except() {
		to = []polder.OrgID{d.Custodian}
	}
	patch, err := json.Marshal(g.Patch)
	if err != nil {
		return Result{}, polder.Errorf(polder.Invalid, "patch: %w", err)
	}
	res, err := s.answerTo(ctx, a, g.About, d, to, "note", func(n *stix.Members) {
		n.Set("abstract", clip("Proposed change: "+ownTitle(o), 200))
		n.Set("content", g.Reason)
		n.Set("object_refs", []string{g.ID})
		n.Set("external_references", []func(*stix.Members){func(e *stix.Members) {
			e.Set("source_name", proposalSource)
			e.Set("external_id", proposalReference)
		}})
		setProposal(n, func(x *stix.Members) {
			x.Set("target", g.ID)
			x.Set("version", d.VersionText())
			x.Set("patch", json.RawMessage(patch))
			x.Set("reason", g.Reason)
		})
	}, proposalDefinition)
	if len(to) > 0 {
		hideReaders(&res)
	}
	return res, err
}

// hideReaders takes out who a proposal about an object for some is for: its custodian, whose name the object may not say.
func hideReaders(r *Result) {
	r.Readers = nil
	for i := range r.Items {
		r.Items[i].Readers = nil
	}
}

// toCustodian tells whether Polder chose the reader of what is in raw: a proposal about an object for some.
func toCustodian(raw []byte) bool { return bytes.Contains(raw, []byte(proposalExtension)) }

func setProposal(n *stix.Members, set func(*stix.Members)) {
	n.Set("extensions", func(e *stix.Members) {
		e.Set(proposalExtension, func(x *stix.Members) {
			x.Set("extension_type", "property-extension")
			set(x)
		})
	})
}

// proposalTarget is the object that a proposal is about, as the actor sees it.
func (s *Service) proposalTarget(ctx context.Context, a polder.Actor, community, id string) (journal.Delivery, stix.Object, error) {
	d, err := s.inSight(ctx, a, community, id)
	if err != nil {
		return d, stix.Object{}, err
	}
	switch {
	case d.Version == "" || d.Raw == nil:
		return d, stix.Object{}, polder.Errorf(polder.Invalid, "id: an observable, or an object that was erased, has no next version; write a note about it instead")
	case d.Revoked:
		return d, stix.Object{}, polder.Errorf(polder.Conflict, "id: the object is revoked, which is final")
	}
	o, err := stix.Parse(d.Raw)
	return d, o, err
}

// Proposals are those that the actor sees in a community (in all of its communities when empty) about objects in its
// sight, newest first; at most [MaxFound].
func (s *Service) Proposals(ctx context.Context, a polder.Actor, community string) ([]Proposal, error) {
	sight, err := s.SightIn(ctx, a, community)
	if err != nil {
		return nil, err
	}
	if err := s.search.await(ctx); err != nil {
		return nil, err
	}
	g := &gathering{s: s, sight: sight, limit: MaxFound, where: where{s.journal.Scopes(sight), []string{"note"}}, seen: map[polder.Seq]bool{}}
	if err := g.from(ctx, g.named([]string{"e:" + proposalReference})); err != nil {
		return nil, err
	}
	return s.proposals(ctx, a, sight, g.found().Deliveries)
}

// Proposal is one proposal.
func (s *Service) Proposal(ctx context.Context, a polder.Actor, community, id string) (Proposal, error) {
	d, err := s.inSight(ctx, a, community, id)
	if err != nil {
		return Proposal{}, err
	}
	sight, err := s.SightIn(ctx, a, string(d.Community))
	if err != nil {
		return Proposal{}, err
	}
	if err := s.search.await(ctx); err != nil {
		return Proposal{}, err
	}
	all, err := s.proposals(ctx, a, sight, []journal.Delivery{d})
	if err == nil && len(all) == 0 {
		err = polder.Errorf(polder.NotFound, "no such proposal, or none that you may see, in this community")
	}
	if err != nil {
		return Proposal{}, err
	}
	return all[0], nil
}

// proposals reads notes as proposals, with their objects and decisions. What is none, or is about what is not in sight, is
// left out.
func (s *Service) proposals(ctx context.Context, a polder.Actor, sight polder.Sight, notes []journal.Delivery) (out []Proposal, err error) {
	type place struct {
		c  polder.CommunityID
		id string
	}
	var ids []string
	for _, d := range notes {
		o, err := stix.Parse(d.Raw)
		if err != nil {
			continue // erased, or held by an earlier version of the rules
		}
		w, ok := proposalOf(o)
		if !ok || w.Target == "" {
			continue
		}
		out = append(out, Proposal{Delivery: d, Version: w.Version, Patch: w.Patch, Reason: w.Reason, Mine: d.Sharer == a.Org && a.Org != ""})
		out[len(out)-1].Target.ID = w.Target
		ids = append(ids, w.Target)
	}
	targets := map[place]journal.Delivery{}
	for some := range slices.Chunk(ids, 200) {
		page, err := s.journal.Page(ctx, sight, journal.Query{IDs: some, Limit: 4 * len(some)})
		if err != nil {
			return nil, err
		}
		for _, d := range page.Deliveries {
			targets[place{d.Community, d.ID}] = d
		}
	}
	out = slices.DeleteFunc(out, func(p Proposal) bool { return targets[place{p.Delivery.Community, p.Target.ID}].Seq == 0 })
	decided, err := s.proposalDecisions(ctx, sight, out)
	if err != nil {
		return nil, err
	}
	homes, err := s.accounts.Homes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Target = targets[place{out[i].Delivery.Community, out[i].Target.ID}]
		out[i].ForMe = out[i].Target.Custodian == a.Org && a.Org != ""
		_, far := homes[out[i].Target.Custodian]
		out[i].judge(decided[out[i].Delivery.ID], far, s)
	}
	return out, nil
}

// proposalDecision is a note that decides a proposal.
type proposalDecision struct {
	journal.Delivery
	proposalWords
	signer string
}

// proposalDecisions are the notes in sight that say they decide these, by proposal.
func (s *Service) proposalDecisions(ctx context.Context, sight polder.Sight, all []Proposal) (map[string][]proposalDecision, error) {
	out := map[string][]proposalDecision{}
	for some := range slices.Chunk(all, 100) {
		ids := make([]string, len(some))
		for i, p := range some {
			ids[i] = p.Delivery.ID
		}
		found, err := s.referring(ctx, sight, ids, []string{"note"}, MaxFound)
		if err != nil {
			return nil, err
		}
		for _, d := range found.Deliveries {
			if o, err := stix.Parse(d.Raw); err == nil {
				if w, ok := proposalOf(o); ok && w.Proposal != "" {
					out[w.Proposal] = append(out[w.Proposal], proposalDecision{d, w, SignerOf(o)})
				}
			}
		}
	}
	return out, nil
}

// judge finds out how p stands. Only what the custodian of the object says decides it. Where the object came from another
// node, far, its home stands for every custodian there, so who signed the object must have signed the decision.
func (p *Proposal) judge(decisions []proposalDecision, far bool, s *Service) {
	p.State = ProposalOpen
	o, err := stix.Parse(p.Target.Raw)
	if err == nil {
		p.Title = ownTitle(o)
	}
	for _, d := range decisions {
		if d.Community == p.Delivery.Community && d.Sharer == p.Target.Custodian && (!far || d.signer != "" && d.signer == SignerOf(o)) {
			p.State, p.Answer = d.Outcome, d.Reason
			return
		}
	}
	switch {
	case err != nil || p.Target.Revoked:
		p.State = ProposalEnded
		return
	case p.Target.VersionText() != p.Version:
		p.State = ProposalSuperseded
	}
	if next, err := proposalApplied(o, p.Patch, s.now()); err == nil {
		p.Changes = proposalDifference(o, next)
	}
}

// AcceptProposal makes the proposed version of an object whose custodian the actor is, and closes the proposal with thanks.
func (s *Service) AcceptProposal(ctx context.Context, a polder.Actor, community, id string, confirmed bool) (Result, error) {
	p, err := s.proposalForMe(ctx, a, community, id)
	if err != nil {
		return Result{}, err
	}
	if p.State == ProposalSuperseded {
		return Result{}, polder.Errorf(polder.Conflict, "the object has changed since this was proposed for version %s; decline it, or make the change yourself", p.Version)
	}
	o, err := stix.Parse(p.Target.Raw)
	if err != nil {
		return Result{}, err
	}
	next, err := proposalApplied(o, p.Patch, s.now())
	if err != nil {
		return Result{}, err
	}
	r := Request{Community: string(p.Delivery.Community), Objects: []Incoming{{Raw: next.Raw(), Made: o.CreatedByRef != ""}}, Level: p.Target.Level, Confirmed: confirmed}
	if !p.Target.Nominal.Except() {
		r.to = p.Target.Nominal.Listed()
	}
	res, err := s.Share(ctx, a, r)
	if err != nil || len(res.Refused) > 0 || res.Waits() {
		return res, err
	}
	_, err = s.closeProposal(ctx, a, p, ProposalAccepted, "")
	return res, err
}

// DeclineProposal closes a proposal about an object whose custodian the actor is, with a reason.
func (s *Service) DeclineProposal(ctx context.Context, a polder.Actor, community, id, reason string) (Result, error) {
	p, err := s.proposalForMe(ctx, a, community, id)
	if err != nil {
		return Result{}, err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxProposalReason {
		return Result{}, polder.Errorf(polder.Invalid, "reason: say in at most %d characters why not; whoever proposed it reads this", maxProposalReason)
	}
	return s.closeProposal(ctx, a, p, ProposalDeclined, reason)
}

func (s *Service) proposalForMe(ctx context.Context, a polder.Actor, community, id string) (Proposal, error) {
	p, err := s.Proposal(ctx, a, community, id)
	switch {
	case err != nil:
		return p, err
	case !p.ForMe:
		return p, polder.Errorf(polder.Forbidden, "only the custodian of the object decides about a proposal")
	case !p.Undecided():
		return p, polder.Errorf(polder.Conflict, "this proposal is %s", p.State)
	}
	return p, nil
}

// closeProposal says what became of a proposal to those whom it reached.
func (s *Service) closeProposal(ctx context.Context, a polder.Actor, p Proposal, outcome ProposalState, reason string) (Result, error) {
	said := map[ProposalState]string{ProposalAccepted: "Accepted, with thanks: the object has a new version.", ProposalDeclined: "Declined: " + reason}[outcome]
	target, err := stix.Parse(p.Target.Raw)
	if err != nil {
		return Result{}, err
	}
	about := About{ID: p.Delivery.ID, Community: string(p.Delivery.Community), Key: "proposal " + string(outcome), Confirmed: true,
		Named: target.CreatedByRef == string(a.Org)} // what names its custodian is decided by name: it is no secret, and other nodes believe who signed the object
	return s.answer(ctx, a, about, "note", func(n *stix.Members) {
		n.Set("abstract", clip("Proposal "+string(outcome)+": "+p.Title, 200))
		n.Set("content", said)
		n.Set("object_refs", []string{p.Delivery.ID})
		setProposal(n, func(x *stix.Members) {
			x.Set("proposal", p.Delivery.ID)
			x.Set("outcome", string(outcome))
			x.Set("reason", reason)
		})
	}, proposalDefinition)
}
