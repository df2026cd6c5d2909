package exchange

import (
	"bytes"
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// HandOut is a delivery of this node as it leaves for the node of org, which sees it, or has its version and is told
// that this widens it; the caller's sight has decided that. Its level is that of the delivery alone. ok is false for what
// does not concern org, and for what has no bytes any more. A delivery of org's own goes back whole, with all whom it
// named, so that a node that was restored has it again; of another's, org learns neither who shared it nor who else was
// named; nor, of its own proposal, who decides about that.
func HandOut(d journal.Delivery, org polder.OrgID) (h Handed, ok bool) {
	if !d.Reached.Contains(org) && !d.Nominal.Contains(org) {
		return Handed{}, false
	}
	if h, ok = handed(d, org); ok && h.Mine && !h.Everyone && (h.Kind == journal.Withdrawn || bytes.Contains(d.Raw, []byte(proposalExtension))) {
		h.To = nil // the home found the custodian to whom a proposal goes, who may be blind
	}
	return h, ok
}

func handed(d journal.Delivery, org polder.OrgID) (h Handed, ok bool) {
	if org == "" || d.Kind == journal.Object && len(d.Raw) == 0 || d.Kind > journal.Withdrawn {
		return Handed{}, false
	}
	h = Handed{Seq: d.Seq, Kind: d.Kind, Community: d.Community, ID: d.ID, Level: d.OwnLevel, Raw: d.Raw, Mine: d.Sharer == org}
	switch {
	case d.Nominal.Equal(polder.Everyone()):
		h.Everyone = true
	case h.Mine && !d.Nominal.Except():
		h.To = slices.DeleteFunc(d.Nominal.Listed(), func(o polder.OrgID) bool { return o == org })
	default:
		h.To = []polder.OrgID{org}
	}
	if d.Kind == journal.Withdrawn {
		h.Raw, h.Erased = nil, d.Erased
		h.Version = d.Stated()
		if d.Digest != [32]byte{} {
			h.Version, h.Record = "", d.Digest[:]
		}
	}
	return h, true
}

// handUp is a delivery of a mirrored community as it leaves for the home: what org shared or withdrew here. ok is false
// for all else: what others shared, what names nobody but org, and what is gone.
func handUp(d journal.Delivery, org polder.OrgID) (h Handed, ok bool) {
	if d.Sharer != org || d.Gone != 0 {
		return Handed{}, false
	}
	h, ok = handed(d, org)
	h.Mine = false
	return h, ok && (h.Everyone || len(h.To) > 0)
}

// Upward is what org shared and withdrew in some mirrored communities, among some rows of the log, as it leaves for their
// home. Whose sight they are in does not matter: a widening reaches only whom the version did not reach before.
func (s *Service) Upward(ctx context.Context, org polder.OrgID, communities []polder.CommunityID, rows []journal.Delivery) (out []Handed, err error) {
	for _, d := range rows {
		if !slices.Contains(communities, d.Community) {
			continue
		}
		h, ok, err := s.HandUp(ctx, d, org)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, h)
		}
	}
	return out, nil
}

// HandDown is [HandOut], signed: what an organisation of this node created and came here in bytes that stay (TAXII) gets
// its signature when it goes to another node.
func (s *Service) HandDown(ctx context.Context, d journal.Delivery, org polder.OrgID) (h Handed, ok bool, err error) {
	if h, ok = HandOut(d, org); ok {
		h.Raw, err = s.signedFor(ctx, d)
	}
	return h, ok && err == nil, err
}

// HandUp is a delivery of a mirrored community as it leaves for the home, signed as by [Service.HandDown]: what org shared
// or withdrew here. ok is false for all else: what others shared, what names nobody but org, and what [Service.Take] has
// regained from the home, since it may have been withdrawn there.
func (s *Service) HandUp(ctx context.Context, d journal.Delivery, org polder.OrgID) (h Handed, ok bool, err error) {
	if h, ok = handUp(d, org); !ok {
		return Handed{}, false, nil
	}
	var back bool
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM peer_echo WHERE seq = ?)`, int64(d.Seq)).Scan(&back)
	if err != nil || back {
		return Handed{}, false, err
	}
	h.Raw, err = s.signedFor(ctx, d)
	return h, err == nil, err
}

// signedFor is the object of a delivery as it leaves for another node: with the signature of its creator, where that
// lives here and the bytes were kept as they came (TAXII); bytes that carry a signature stay.
func (s *Service) signedFor(ctx context.Context, d journal.Delivery) ([]byte, error) {
	if s.sign == nil || d.Kind != journal.Object || d.Sharer == "" || bytes.Contains(d.Raw, []byte(stix.SignatureExtension)) {
		return d.Raw, nil
	}
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return nil, err
	}
	com, err := s.accounts.Community(ctx, string(d.Community))
	if err != nil {
		return nil, err
	}
	if o, err = s.sign.Sign(ctx, d.Sharer, com, o); err != nil {
		return nil, err
	}
	return o.Raw(), nil
}

// YieldCustody gives the peer custody of what the organisation of a link holds of an id in the link's community: the home
// has said that another is its custodian there, and custody is the home's to say.
func (s *Service) YieldCustody(tx *db.Tx, from Origin, id string) error {
	held, err := s.journal.History(tx, from.Community, []string{id})
	if err != nil {
		return err
	}
	for _, d := range held[id] {
		if d.Custodian != from.Org || d.Version == "" || !d.Reached.Contains(from.Org) {
			continue
		}
		if err := s.journal.SetCustodian(tx, from.Community, id, d.Line, from.Peer); err != nil {
			return err
		}
		e := audit.Entry{Org: from.Org, Action: "custody.yield", Community: from.Community, Object: id, Blind: true, Narrow: narrow(held[id])}
		e.Detail = map[string]string{"peer": string(from.Peer)}
		return s.audit.Append(tx, e)
	}
	return nil
}
