package exchange

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
)

// What becomes of a handed delivery; see [Verdict].
const (
	stateStored      = "stored"
	stateDuplicate   = "duplicate"
	stateWithdrawn   = "withdrawn"
	stateRefused     = "refused"
	stateQuarantined = "quarantined"
)

// Take brings what the home of a community handed over into this node's log: checked again, signed as it should be,
// nothing twice, in the order given. A delivery that is not taken stands in no other's way, and its verdict says why; what
// cannot be judged before a key comes is quarantined, and taken by [Service.Retake]. An error is about the batch as a whole, and a fault of this
// node or of the link: then nothing is stored. and runs in the transaction that stores.
func (s *Service) Take(ctx context.Context, from Origin, batch []Handed, and func(tx *db.Tx) error) ([]Verdict, error) {
	t, err := s.Inspect(ctx, from, batch, nil)
	if err != nil {
		return nil, err
	}
	return t.Store(ctx, and)
}

// Inspected is a batch whose deliveries were checked each by itself, which is most of the work of [Service.Take]. It is
// stored once.
type Inspected struct {
	t        *taking
	arrivals []arrival
}

// Inspect is the first half of [Service.Take]. before is the batch that is stored before this one, if there is such: it may
// be on its way still.
func (s *Service) Inspect(ctx context.Context, from Origin, batch []Handed, before *Inspected) (*Inspected, error) {
	if len(batch) > Batch {
		return nil, polder.Errorf(polder.Invalid, "a peer hands over at most %d deliveries at a time, not %d", Batch, len(batch))
	}
	t, err := s.taking(ctx, from)
	if err != nil {
		return nil, err
	}
	if before != nil {
		t.before = before.t
	}
	if err := s.db.Room(); err != nil {
		return nil, err
	}
	arrivals, err := t.inspect(ctx, batch)
	return &Inspected{t, arrivals}, err
}

// Store is the second half of [Service.Take].
func (i *Inspected) Store(ctx context.Context, and func(tx *db.Tx) error) ([]Verdict, error) {
	t := i.t
	err := t.s.db.Write(ctx, func(tx *db.Tx) error {
		if err := t.begin(tx, len(i.arrivals)); err != nil {
			return err
		}
		if err := t.store(i.arrivals); err != nil || and == nil {
			return err
		}
		return and(tx)
	})
	t.before = nil
	return t.verdicts, err
}

// taking is one batch under way from the home of communities to this node.
type taking struct {
	*ground
	s          *Service
	from       Origin
	individual bool // every delivery stands for the organisation that signed it; see [Service.Regain]

	tx       *db.Tx
	plans    map[polder.CommunityID]*plan
	open     polder.CommunityID  // whose plan holds what is not written yet
	before   *taking             // what it stored, this batch's inspection may not have seen
	signers  map[signedID]string // of this batch's
	bound    []boundHere
	echoes   []polder.Seq
	counts   map[polder.CommunityID]*tally
	verdicts []Verdict
}

type signedID struct {
	community polder.CommunityID
	id        string
}

type boundHere struct {
	signedID
	found Signature
}

// tally is what the audit says of a batch in one community.
type tally struct {
	stored, duplicates, withdrawn, refused int
	first, last                            polder.Seq
	object                                 string
	narrow                                 bool
}

func (s *Service) taking(ctx context.Context, from Origin) (*taking, error) {
	g, err := s.grounds.of(ctx, s.accounts, from)
	if err != nil {
		return nil, err
	}
	return &taking{ground: g, s: s, from: from}, nil
}

// begin makes ready for the transaction, and sees again that the organisation still belongs where it did.
func (t *taking) begin(tx *db.Tx, n int) error {
	t.tx, t.plans, t.open = tx, map[polder.CommunityID]*plan{}, ""
	t.signers, t.bound, t.echoes = map[signedID]string{}, nil, nil
	t.counts, t.verdicts = map[polder.CommunityID]*tally{}, make([]Verdict, 0, n)
	if t.individual {
		return nil
	}
	epoch, err := t.s.accounts.EpochTx(tx)
	if err != nil || epoch == t.epoch {
		return err
	}
	ms, err := t.s.accounts.MembershipsOfTx(tx, polder.Actor{Org: t.from.Org})
	if err != nil {
		return err
	}
	for c := range t.mirrors {
		if !slices.ContainsFunc(ms, func(m polder.Membership) bool { return m.Community.ID == c }) {
			return polder.Errorf(polder.Forbidden, "organisation %s has left a community while its deliveries came", t.from.Org)
		}
	}
	return nil
}

// store writes the batch in its order: object after object into a pending batch, each withdrawal behind what came before.
func (t *taking) store(arrivals []arrival) error {
	if err := t.load(arrivals); err != nil {
		return err
	}
	var waiting int
	if err := t.tx.QueryRow(`SELECT count(*) FROM peer_waiting WHERE link = ?`, t.from.Link).Scan(&waiting); err != nil {
		return err
	}
	for i := range arrivals {
		a := &arrivals[i]
		v := Verdict{Seq: a.handed.Seq, ID: a.handed.ID}
		err := a.err
		if err == nil {
			v.State, err = t.one(a)
		}
		switch {
		case err != nil && !isRefusal(err):
			return err
		case err != nil:
			v.State, v.Reason = stateRefused, err.Error()
			if a.gone {
				v.State = stateQuarantined
			}
			if a.wait {
				v.State = stateQuarantined
				if err := t.s.await(t.tx, t.from.Link, a.handed); err != nil {
					return err
				}
			}
		}
		if !a.wait && waiting > 0 {
			if err := t.s.judged(t.tx, t.from.Link, a.handed.Community, a.handed.Seq); err != nil {
				return err
			}
		}
		t.count(a.handed.Community, v)
		t.verdicts = append(t.verdicts, v)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return t.audit()
}

// isRefusal tells whether an error is about a delivery, and not about this node.
func isRefusal(err error) bool {
	switch polder.KindOf(err) {
	case polder.Invalid, polder.NotFound, polder.Forbidden, polder.Conflict:
		return true
	}
	return false
}

func (t *taking) one(a *arrival) (state string, err error) {
	c := a.handed.Community
	if t.open != c {
		if err := t.flush(); err != nil {
			return "", err
		}
		t.open = c
	}
	if a.handed.Kind == journal.Withdrawn {
		return t.withdraw(a.handed)
	}
	return t.plan(a)
}

// load reads what is held of every id of the batch.
func (t *taking) load(arrivals []arrival) error {
	ids := map[polder.CommunityID][]string{}
	for _, a := range arrivals {
		if a.err == nil {
			ids[a.handed.Community] = append(ids[a.handed.Community], a.handed.ID)
		}
	}
	for c, list := range ids {
		slices.Sort(list)
		p := &plan{community: c, history: map[string][]policy.Delivery{}, rows: map[polder.Seq]journal.Delivery{}}
		if err := t.read(p, slices.Compact(list)); err != nil {
			return err
		}
		t.plans[c] = p
	}
	return nil
}

// read reads what is held of some ids, anew.
func (t *taking) read(p *plan, ids []string) error {
	held, err := t.s.journal.History(t.tx, p.community, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		p.history[id] = nil
		for _, d := range held[id] {
			p.rows[d.Seq] = d
			p.history[id] = append(p.history[id], known(d))
		}
	}
	return nil
}

// flush writes what is pending. Deliveries that waited under negative numbers get their own.
func (t *taking) flush() error {
	p := t.plans[t.open]
	if p == nil || len(p.batch) == 0 && len(p.changes) == 0 {
		return nil
	}
	written, err := t.s.journal.Append(t.tx, p.batch)
	if err != nil {
		return err
	}
	for _, ch := range p.changes {
		if err := t.s.journal.SetLast(t.tx, p.community, ch.Seq, ch.Last); err != nil {
			return err
		}
	}
	if err := t.wrote(written); err != nil {
		return err
	}
	for _, d := range written {
		p.rows[d.Seq] = d
	}
	for id, history := range p.history {
		for i := range history {
			d := &p.history[id][i]
			if d.Seq < 0 {
				d.Line, d.Seq = written[-d.Seq-1].Line, written[-d.Seq-1].Seq
			}
		}
	}
	p.batch, p.changes = nil, nil
	return nil
}

// wrote notes of written deliveries who signed them, which came back, and what the audit says.
func (t *taking) wrote(written []journal.Delivery) error {
	for _, b := range t.bound {
		if err := t.s.sign.Bind(t.tx, b.community, b.id, b.found); err != nil {
			return err
		}
	}
	for _, n := range t.echoes {
		if _, err := t.tx.Exec(`INSERT INTO peer_echo (seq) VALUES (?)`, int64(written[-n-1].Seq)); err != nil {
			return err
		}
	}
	t.bound, t.echoes = nil, nil
	if len(written) == 0 {
		return nil
	}
	c := t.tally(t.open)
	if c.first == 0 {
		c.first, c.object = written[0].Seq, written[0].ID
	}
	c.last, c.narrow = written[len(written)-1].Seq, c.narrow || narrow(written)
	return nil
}

func (t *taking) tally(c polder.CommunityID) *tally {
	if t.counts[c] == nil {
		t.counts[c] = &tally{}
	}
	return t.counts[c]
}

func (t *taking) count(c polder.CommunityID, v Verdict) {
	n := t.tally(c)
	switch v.State {
	case stateStored:
		n.stored++
	case stateDuplicate:
		n.duplicates++
	case stateWithdrawn:
		n.withdrawn++
	default:
		n.refused++
	}
}

// audit says what was taken, once for each community; a batch of duplicates says nothing.
func (t *taking) audit() error {
	ids := make([]polder.CommunityID, 0, len(t.counts))
	for c := range t.counts {
		ids = append(ids, c)
	}
	slices.Sort(ids)
	for _, c := range ids {
		n := t.counts[c]
		if n.stored+n.refused == 0 {
			continue
		}
		if _, known := t.mirrors[c]; !known {
			c = "" // a community that is none of the link's
		}
		e := audit.Entry{Action: "peer.take", Community: c, Object: n.object, Blind: true, Narrow: n.narrow}
		e.Detail = map[string]string{"peer": string(t.from.Peer), "for": string(t.from.Org), "stored": itoa(n.stored), "duplicates": itoa(n.duplicates), "refused": itoa(n.refused)}
		if n.first != 0 {
			e.Detail["first"], e.Detail["last"] = itoa(int(n.first)), itoa(int(n.last))
		}
		if err := t.s.audit.Append(t.tx, e); err != nil {
			return err
		}
	}
	return nil
}
