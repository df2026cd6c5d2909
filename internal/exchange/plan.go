package exchange

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// sharing is one share under way.
type sharing struct {
	s       *Service
	actor   polder.Actor
	request Request
	member  polder.Membership
	given   policy.Given
	creator string          // of what Polder makes
	orgs    map[string]bool // ids of identities that stand for an organisation or for "a member" on this node
	cands   []candidate
	result  Result
	rules   *release.Rules // what holds for what leaves the organisation
	stopped bool           // a value waits for somebody's reason

	signatures map[[32]byte]stix.Object // what was signed already, by digest
}

// begin checks the request as a whole.
func (s *Service) begin(ctx context.Context, a polder.Actor, r Request) (*sharing, error) {
	m, err := s.membership(ctx, a, r.Community)
	if err != nil {
		return nil, err
	}
	if m.Right(a) < polder.RoleContributor {
		return nil, polder.Errorf(polder.Forbidden, "community %s: you may read here but not share; ask a steward for the role of contributor", m.Alias)
	}
	if err := s.db.Room(); err != nil && !r.Preview {
		return nil, err
	}
	org, err := s.accounts.Org(ctx, a.Org)
	if err != nil {
		return nil, err
	}
	sh := &sharing{s: s, actor: a, request: r, member: m, creator: string(m.Blind), orgs: map[string]bool{}, signatures: map[[32]byte]stix.Object{}}
	if r.Named {
		sh.creator = string(a.Org)
	}
	sh.given = policy.Given{By: a.Org, Level: r.Level, Unmarked: m.Unmarked, Widest: org.Widest, Bytes: r.Bytes}
	sh.result.Refused, sh.result.Warnings = []Refusal{}, r.LeftOut
	if err := sh.releaseBegins(ctx); err != nil {
		return nil, err
	}
	if err := sh.recipients(ctx); err != nil {
		return nil, err
	}
	return sh, sh.knownIdentities(ctx)
}

func (sh *sharing) recipients(ctx context.Context) error {
	if len(sh.request.to) > 0 {
		sh.request.To = sh.request.to
		return nil
	}
	if len(sh.request.To) == 0 {
		return nil
	}
	members, err := sh.s.members(ctx, sh.member.Community.ID)
	if err != nil {
		return err
	}
	for _, o := range sh.request.To {
		if !slices.ContainsFunc(members, func(m polder.Membership) bool { return m.Org == o }) {
			return polder.Errorf(polder.Invalid, "to: %s is not the id of a member of %s; name members by their identity id", o, sh.member.Alias)
		}
	}
	return nil
}

func (sh *sharing) knownIdentities(ctx context.Context) error {
	orgs, err := sh.s.accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, o := range orgs {
		sh.orgs[string(o.ID)] = true
	}
	communities, err := sh.s.accounts.Communities(ctx)
	if err != nil {
		return err
	}
	for _, c := range communities {
		sh.orgs[string(c.Blind)] = true
	}
	return nil
}

// prepare checks each object by itself.
func (sh *sharing) prepare(ctx context.Context) error {
	for i, in := range sh.request.Objects {
		c, err := sh.withoutParts(in, i)
		if err == nil {
			err = sh.identityRule(c)
		}
		if err == nil {
			if err = sh.signatureRule(ctx, &c); err != nil && polder.KindOf(err) == polder.Internal {
				return err
			}
		}
		if err != nil {
			sh.refuse(c, err)
			continue
		}
		sh.cands = append(sh.cands, c)
	}
	return nil
}

// identityRule: an organisation's identity comes from that organisation alone, a blind one from the node alone (X13).
func (sh *sharing) identityRule(c candidate) error {
	if id := c.object.ID; sh.orgs[id] && id != string(sh.actor.Org) {
		return polder.Errorf(polder.Forbidden, "id: this identity stands for an organisation or community of this node, and only that may share it")
	}
	return nil
}

func (sh *sharing) refuse(c candidate, err error) {
	id := c.object.ID
	if id == "" {
		id = peekID(c.Raw)
	}
	sh.result.Refused = append(sh.result.Refused, Refusal{ID: id, Error: err.Error(), Where: c.Where, Line: c.Where.Line, Index: c.index})
}

// rehearse plans the whole share against what is held now, without writing: every refusal is known before the first
// object is stored.
func (sh *sharing) rehearse(ctx context.Context) error {
	var kept []candidate
	for chunk := range slices.Chunk(sh.cands, Batch) {
		p, err := sh.plan(ctx, sh.s.db.Read(), chunk)
		if err != nil {
			return err
		}
		kept = append(kept, p.accepted...)
		sh.result.Stored += p.stored
		sh.result.Duplicates += p.duplicates
		sh.result.Items = append(sh.result.Items, p.items...)
	}
	sh.cands = kept
	return nil
}

// store appends what was accepted, batch by batch (one for TAXII), each with its audit entry.
func (sh *sharing) store(ctx context.Context) (Result, error) {
	size := Batch
	if sh.request.Partial {
		size = max(len(sh.cands), 1)
	}
	sh.result.Stored, sh.result.Duplicates, sh.result.Items = 0, 0, nil
	for chunk := range slices.Chunk(sh.cands, size) {
		var p *plan
		refused := len(sh.result.Refused)
		err := sh.s.db.Write(ctx, func(tx *db.Tx) (err error) {
			if err := sh.still(tx); err != nil {
				return err
			}
			if p, err = sh.plan(ctx, tx, chunk); err != nil {
				return err
			}
			if len(sh.result.Refused) > refused && !sh.request.Partial {
				return polder.Errorf(polder.Conflict, "%s", sh.result.Refused[refused].Error)
			}
			if err := p.write(tx); err != nil || sh.request.record == nil {
				return err
			}
			return sh.request.record(tx, p.stored, p.duplicates, sh.result.Refused)
		})
		if err != nil {
			return Result{}, err
		}
		sh.result.Stored += p.stored
		sh.result.Duplicates += p.duplicates
		sh.result.Seq = max(sh.result.Seq, p.top)
		sh.result.Items = append(sh.result.Items, p.items...)
	}
	sh.result.Note = sh.note()
	return sh.result, nil
}

// still re-checks the actor's right in the transaction that writes.
func (sh *sharing) still(tx *db.Tx) error {
	a, m, err := sh.s.again(tx, sh.actor, sh.member.Community.ID)
	if err == nil && m.Right(a) >= polder.RoleContributor {
		return nil
	}
	if err == nil || polder.KindOf(err) == polder.NotFound {
		err = polder.Errorf(polder.Forbidden, "community %s: your right to share here has ended", sh.member.Alias)
	}
	return err
}

// again re-reads, in the transaction that writes, who the actor is and its membership: both may have changed since the
// request began. Followers learn of the same rights before they learn of what is written now.
func (s *Service) again(tx *db.Tx, a polder.Actor, c polder.CommunityID) (polder.Actor, polder.Membership, error) {
	epoch, err := s.accounts.EpochTx(tx)
	if err != nil {
		return a, polder.Membership{}, err
	}
	if !fail.Bug("left-told") {
		tx.OnCommit(func() { s.rights.moved(epoch) })
	}
	if a, err = s.accounts.RefreshTx(tx, a); err != nil {
		return a, polder.Membership{}, err
	}
	ms, err := s.accounts.MembershipsOfTx(tx, a)
	if err != nil {
		return a, polder.Membership{}, err
	}
	for _, m := range ms {
		if m.Community.ID == c && m.Right(a) >= polder.RoleReader {
			return a, m, nil
		}
	}
	return a, polder.Membership{}, polder.Errorf(polder.NotFound, "your organisation is not a member of this community any more")
}

// note says what the sharer should know of the outcome.
func (sh *sharing) note() string {
	for _, it := range sh.result.Items {
		if it.Level == stix.Red && len(sh.request.To) == 0 {
			return "TLP:RED that names nobody is seen by your organisation alone; name its readers (--to)."
		}
	}
	return ""
}

// plan is what a batch comes to, held against what is stored.
type plan struct {
	sh         *sharing
	community  polder.CommunityID
	history    map[string][]policy.Delivery
	rows       map[polder.Seq]journal.Delivery // held deliveries by number
	batch      []journal.Delivery
	changes    []policy.Change               // of held deliveries
	elsewhere  map[string][]journal.Delivery // what the sharer sees of these ids in other communities
	accepted   []candidate
	items      []Item
	stored     int
	duplicates int
	top        polder.Seq
	bound      []signedAs // who signed what is stored
}

func (sh *sharing) plan(ctx context.Context, q journal.Querier, chunk []candidate) (*plan, error) {
	p := &plan{sh: sh, community: sh.member.Community.ID, history: map[string][]policy.Delivery{}, rows: map[polder.Seq]journal.Delivery{}}
	if err := p.load(ctx, q, chunk); err != nil {
		return nil, err
	}
	if err := p.introduce(ctx, chunk); err != nil {
		return nil, err
	}
	p.stored, p.duplicates, p.items = 0, 0, nil // introductions are not the sharer's objects
	for _, c := range chunk {
		if err := p.take(ctx, c); err != nil {
			if polder.KindOf(err) == polder.Internal || polder.KindOf(err) == polder.Unavailable {
				return nil, err
			}
			sh.refuse(c, err)
			continue
		}
		p.accepted = append(p.accepted, c)
	}
	return p, nil
}

// load reads what is held of all ids of the batch.
func (p *plan) load(ctx context.Context, q journal.Querier, chunk []candidate) (err error) {
	ids := []string{p.sh.creator}
	for _, c := range chunk {
		ids = append(ids, c.object.ID)
		if c.origin != nil {
			ids = append(ids, c.origin.ID)
		}
	}
	if p.elsewhere, err = p.sh.elsewhere(ctx, ids); err != nil {
		return err
	}
	held, err := p.sh.s.journal.History(q, p.community, ids)
	if err != nil {
		return err
	}
	for id, ds := range held {
		for _, d := range ds {
			p.rows[d.Seq] = d
			p.history[id] = append(p.history[id], known(d))
		}
	}
	return nil
}

// known is a held delivery as policy sees it. What only its bytes tell is read when it is asked for; see [plan.detail].
func known(d journal.Delivery) policy.Delivery {
	return policy.Delivery{Seq: d.Seq, Line: d.Line, Custodian: d.Custodian, Sharer: d.Sharer, Version: d.Version, Digest: d.Digest,
		Level: d.Level, Nominal: d.Nominal, Reached: d.Reached, Last: d.Last, Revoked: d.Revoked}
}

// detail fills in what policy needs of held deliveries beyond the row: only ids that are already held cost this.
func (p *plan) detail(history []policy.Delivery) error {
	for i := range history {
		d := &history[i]
		row, held := p.rows[d.Seq]
		if !held || d.Created != "" || row.Raw == nil || d.Version == "" {
			continue
		}
		o, err := stix.Parse(row.Raw)
		if err != nil {
			return err
		}
		d.Created, d.CreatedBy = sortable(o.Created.Instant()), polder.OrgID(o.CreatedByRef)
		if d.BareDigest, err = o.DigestWithoutLevel(); err != nil {
			return err
		}
	}
	return nil
}

// introduce shares the identity that objects of this batch name as their creator, when Polder put it there: "a member"
// of the community, or the organisation that chose to be named.
func (p *plan) introduce(ctx context.Context, chunk []candidate) error {
	to, level := p.sh.request.To, stix.Red
	made := find(chunk, func(c candidate) bool { return (c.Made || c.handed) && c.object.CreatedByRef == p.sh.creator })
	if len(made) == 0 {
		return nil
	}
	for _, c := range made {
		if c.level.Wider(level) {
			level = c.level
		}
	}
	if made[0].handed {
		to = handedTo(made)
	}
	raw, err := p.identity(ctx)
	if err != nil {
		return err
	}
	o, err := stix.Parse(raw)
	if err != nil {
		return err
	}
	c := candidate{object: o, level: stix.Clear}
	by := p.sh.actor.Org
	if p.sh.creator != string(p.sh.actor.Org) {
		by = ""
	}
	if level == stix.Red || len(to) > 0 {
		to = append(slices.Clone(to), p.sh.actor.Org)
	}
	share, err := c.share(by, to)
	if err != nil {
		return err
	}
	return p.put(ctx, c, share)
}

func (p *plan) identity(ctx context.Context) ([]byte, error) {
	if p.sh.creator == string(p.sh.actor.Org) {
		return p.sh.s.accounts.IdentityObject(ctx, p.sh.actor.Org)
	}
	return p.sh.s.accounts.BlindObject(ctx, p.sh.member.Community.ID)
}

// take plans one object.
func (p *plan) take(ctx context.Context, c candidate) error {
	history := p.history[c.object.ID]
	if err := p.detail(history); err != nil {
		return err
	}
	c, err := p.settle(c, history)
	if err != nil {
		return err
	}
	if err := p.rights(c, history); err != nil {
		return err
	}
	if err := p.originRights(c); err != nil {
		return err
	}
	if len(history) > 0 {
		if c.bare, err = c.object.DigestWithoutLevel(); err != nil {
			return err
		}
	}
	share, err := c.share(p.sh.actor.Org, c.readers(p.sh.request))
	if err != nil {
		return err
	}
	return p.put(ctx, c, share)
}

// put asks policy and notes what is to be written.
func (p *plan) put(ctx context.Context, c candidate, share policy.Share) error {
	id := c.object.ID
	for i := range p.history[id] {
		if fail.Bug("custody-unchecked") {
			p.history[id][i].Custodian = share.By
		}
	}
	out, err := policy.Plan(p.history[id], share)
	if err != nil {
		return err
	}
	if out.Held {
		if err := p.notWiderThanHeld(c, out.HeldAs); err != nil {
			return err
		}
	}
	isNew := out.Append && !(share.By == "" && out.Reached.Empty())
	if !isNew {
		p.items = append(p.items, p.item(c, isNew))
		p.duplicates++
		return nil
	}
	if out.Held { // its bytes stay
		p.append(c, share, out)
	} else if c, err = p.appendSigned(ctx, c, share, out); err != nil {
		return err
	}
	p.items = append(p.items, p.item(c, isNew))
	p.stored++
	return nil
}

// notWiderThanHeld: a held version keeps its bytes, and so the mark written in them.
func (p *plan) notWiderThanHeld(c candidate, as polder.Seq) error {
	row, ok := p.rows[as]
	if !ok || row.Raw == nil {
		return nil
	}
	o, err := stix.Parse(row.Raw)
	if err != nil {
		return err
	}
	mark, err := o.Level()
	if err == nil && c.level.Wider(mark) {
		return polder.Errorf(polder.Conflict, "object_marking_refs: this version is held as %s; a wider level needs a later modified", mark.Label())
	}
	return nil
}

func (p *plan) item(c candidate, isNew bool) Item {
	return Item{ID: c.object.ID, Type: c.object.Type, Name: c.object.Name, Version: c.object.Version(), Level: c.level, TLP: c.level.String(), New: isNew,
		NamesYou: c.object.CreatedByRef == string(p.sh.actor.Org), Raw: c.object.Raw(), Before: c.Raw, Index: c.index,
		Changes: c.changes, DerivedFrom: c.derivedFrom(), Override: c.override, to: c.readers(p.sh.request)}
}

// append notes the delivery. Deliveries of this batch have negative numbers until they are written.
func (p *plan) append(c candidate, share policy.Share, out policy.Outcome) {
	n := -polder.Seq(len(p.batch) + 1)
	custodian := share.By
	line := out.Line
	for _, d := range p.history[c.object.ID] {
		if line != 0 && d.Line == line {
			custodian = d.Custodian
		}
	}
	if line == 0 {
		line = int64(n)
	}
	d := journal.Delivery{Community: p.community, Line: line, ID: c.object.ID, Version: share.Version, VersionAsGiven: c.given(), Sharer: share.By, Level: share.Level, Revoked: share.Revoked,
		Nominal: out.Nominal, Reached: out.Reached, Last: out.Last, Digest: share.Digest, Raw: c.object.Raw(), Custodian: custodian}
	if out.Held {
		d.BodyOf, d.Digest = out.HeldAs, p.digestOf(c.object.ID, out.HeldAs)
	}
	p.batch = append(p.batch, d)
	for _, ch := range out.Older {
		p.change(c.object.ID, ch)
	}
	pending := policy.Delivery{Seq: n, Line: line, Custodian: custodian, Sharer: share.By, Version: share.Version, Digest: d.Digest, BareDigest: share.BareDigest,
		Level: share.Level, Nominal: out.Nominal, Reached: out.Reached, Last: out.Last, Revoked: share.Revoked, Created: share.Created, CreatedBy: share.CreatedBy}
	if pending.BareDigest == [32]byte{} {
		pending.BareDigest, _ = c.object.DigestWithoutLevel()
	}
	p.history[c.object.ID] = append(p.history[c.object.ID], pending)
}

func (p *plan) digestOf(id string, seq polder.Seq) [32]byte {
	i := slices.IndexFunc(p.history[id], func(d policy.Delivery) bool { return d.Seq == seq })
	return p.history[id][i].Digest
}

// change gives a delivery another Last: one of this batch at once, a held one when the batch is written.
func (p *plan) change(id string, ch policy.Change) {
	if ch.Seq < 0 {
		p.batch[-ch.Seq-1].Last = ch.Last
	} else {
		p.changes = append(p.changes, ch)
	}
	for i := range p.history[id] {
		if p.history[id][i].Seq == ch.Seq {
			p.history[id][i].Last = ch.Last
		}
	}
}

// write appends the batch, its changes and its audit entry in the caller's transaction.
func (p *plan) write(tx *db.Tx) error {
	if len(p.batch) == 0 {
		return nil
	}
	written, err := p.sh.s.journal.Append(tx, p.batch)
	if err != nil {
		return err
	}
	for _, ch := range p.changes {
		if err := p.sh.s.journal.SetLast(tx, p.community, ch.Seq, ch.Last); err != nil {
			return err
		}
	}
	if err := p.bind(tx); err != nil {
		return err
	}
	p.top = written[len(written)-1].Seq
	byID := map[string]polder.Seq{}
	blind := false
	for _, d := range written {
		byID[d.ID] = d.Seq
	}
	for i := range p.items {
		if p.items[i].New {
			p.items[i].Seq = byID[p.items[i].ID]
		}
		blind = blind || !p.items[i].NamesYou
	}
	e := audit.EntryOf(p.sh.actor)
	e.Action, e.Community, e.Blind, e.Narrow = "share", p.community, blind, narrow(written)
	e.Object = firstID(p.items)
	e.Detail = map[string]string{"stored": itoa(p.stored), "duplicates": itoa(p.duplicates), "first": itoa(int(written[0].Seq)), "last": itoa(int(p.top))}
	if err := p.sh.s.audit.Append(tx, e); err != nil {
		return err
	}
	return p.overridden(tx)
}

// narrow tells whether some of what was written does not reach the whole community: its audit entry must then tell a
// steward outside that audience nothing.
func narrow(written []journal.Delivery) bool {
	return slices.ContainsFunc(written, func(d journal.Delivery) bool { return !d.Nominal.Except() })
}
