package exchange

import (
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
)

// HandOut is a delivery of this node as it leaves for the node of org, which sees it; the caller's sight has decided
// that. ok is false for what does not concern org, and for what has no bytes any more. A delivery of org's own goes
// back whole, with all whom it named, so that a node that was restored has it again; of another's, org learns neither
// who shared it nor who else was named.
func HandOut(d journal.Delivery, org polder.OrgID) (h Handed, ok bool) {
	if org == "" || !d.Reached.Contains(org) || d.Kind == journal.Object && len(d.Raw) == 0 || d.Kind > journal.Withdrawn {
		return Handed{}, false
	}
	h = Handed{Seq: d.Seq, Kind: d.Kind, Community: d.Community, ID: d.ID, Level: d.Level, Raw: d.Raw, Mine: d.Sharer == org}
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

// HandUp is a delivery of a mirrored community as it leaves for the home: what org shared or withdrew here. ok is false
// for all else: what others shared, what came from the home, and what names nobody but org.
func HandUp(d journal.Delivery, org polder.OrgID) (h Handed, ok bool) {
	if d.Sharer != org {
		return Handed{}, false
	}
	h, ok = HandOut(d, org)
	h.Mine = false
	return h, ok && (h.Everyone || len(h.To) > 0)
}
