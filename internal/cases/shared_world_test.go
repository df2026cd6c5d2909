package cases

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// sharedRing is a community in memory with all organisations of a [caseWorld]: it keeps sets as the exchange does, and
// shows each organisation what names it.
type sharedRing struct {
	*caseExchange
	t       testing.TB
	now     func() time.Time
	objects map[string]journal.Delivery // by custodian and id
	seq     polder.Seq
	hold    string // a word that holds what names it
	left    []Release
	page    int // objects of a page; 0 is 3
}

const ringID polder.CommunityID = "0c000000-0000-4000-8000-0000000000aa"

func (r *sharedRing) Places(_ context.Context, by polder.Actor) ([]Place, []stix.Marking, error) {
	return []Place{{Alias: "ring", Name: "Ring", Members: []PlaceMember{{optics, "Acme Optics", "NL"}, {wafers, "Wafer Werke", "DE"}, {ncsc, "Contact Point BE", "BE"}}}}, []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red}, nil
}

func (r *sharedRing) make(by polder.Actor, k Kept, p KeptPart) stix.Object {
	h := sha256.Sum256([]byte(k.Type + string(by.Org) + k.Name + p.Key))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	x := hex.EncodeToString(h[:16])
	o, err := stix.Make(k.Type, func(m *stix.Members) {
		m.Set("id", k.Type+"--"+x[:8]+"-"+x[8:12]+"-"+x[12:16]+"-"+x[16:20]+"-"+x[20:])
		if k.Named {
			m.Set("created_by_ref", string(by.Org))
		}
		m.Set("created", r.now().Truncate(time.Millisecond))
		p.Set(m)
		m.Set("object_marking_refs", []string{p.Level.ID()})
	})
	if err != nil {
		r.t.Fatalf("the exchange would refuse it: %v", err)
	}
	return o
}

func (r *sharedRing) Keep(_ context.Context, by polder.Actor, k Kept) (out Released, err error) {
	if k.Community != "ring" || len(k.To) != 1 {
		return out, polder.Errorf(polder.Invalid, "kept in %q for %v", k.Community, k.To)
	}
	if _, err := stix.Parse(k.Definition); err != nil {
		r.t.Fatalf("the definition: %v", err)
	}
	keep := map[string]bool{}
	for _, p := range k.Parts {
		o := r.make(by, k, p)
		keep[string(by.Org)+o.ID] = true
		out.IDs, out.Raw = append(out.IDs, o.ID), append(out.Raw, o.Raw())
		if r.hold != "" && strings.Contains(string(o.Raw()), r.hold) {
			out.Held, out.Warnings = true, append(out.Warnings, r.hold+" is marked stricter")
		}
	}
	gone := []string{}
	for key, d := range r.objects {
		o, err := stix.Parse(d.Raw)
		if err == nil && d.Custodian == by.Org && o.Type == k.Type && k.In(o) && !keep[key] {
			gone = append(gone, key)
		}
	}
	out.Withdrawn = len(gone)
	if k.Preview || out.Held && !k.Confirmed {
		return out, nil
	}
	for _, p := range k.Parts {
		o := r.make(by, k, p)
		r.seq++
		r.objects[string(by.Org)+o.ID] = journal.Delivery{Seq: r.seq, Community: ringID, ID: o.ID, Raw: o.Raw(), Level: p.Level, Custodian: by.Org, Sharer: by.Org, Reached: polder.Only(append(k.To, by.Org)...)}
	}
	for _, key := range gone {
		delete(r.objects, key)
	}
	return out, nil
}

// Page is what [SharedLog] asks for.
func (r *sharedRing) Page(_ context.Context, sight polder.Sight, q journal.Query) (page journal.Page, _ error) {
	for _, d := range r.objects {
		if d.Seq > q.After && sight.Allows(d.Community, d.Reached) && slices.Contains(q.Types, stix.TypeOf(d.ID)) {
			page.Deliveries = append(page.Deliveries, d)
		}
	}
	slices.SortFunc(page.Deliveries, func(a, b journal.Delivery) int { return int(a.Seq - b.Seq) })
	if most := max(r.page, 3); len(page.Deliveries) > most { // pages are short, so that paging is tried
		page.Deliveries, page.More = page.Deliveries[:most], true
	}
	return page, nil
}

func (r *sharedRing) Release(_ context.Context, by polder.Actor, rel Release) (out Released, err error) {
	for _, raw := range rel.Objects {
		o, err := stix.Parse(raw)
		if err != nil {
			return out, err
		}
		if o, err = o.WithMarking(rel.Level); err != nil {
			return out, err
		}
		out.IDs, out.Raw = append(out.IDs, o.ID), append(out.Raw, o.Raw())
	}
	out.Readers = []string{"Wafer Werke", "Contact Point BE"}
	if !rel.Preview {
		r.left = append(r.left, rel)
	}
	return out, nil
}

// sees are all texts that an organisation reads in the ring.
func (r *sharedRing) sees(org polder.OrgID) string {
	var b strings.Builder
	for _, d := range r.objects {
		if d.Reached.Contains(org) {
			b.Write(d.Raw)
		}
	}
	return b.String()
}

// newSharedWorld is a world with a ring.
func newSharedWorld(t testing.TB) (*caseWorld, *sharedRing) {
	w := newCaseWorld(t)
	r := &sharedRing{caseExchange: w.exchange, t: t, now: w.tick, objects: map[string]journal.Delivery{}}
	w.Service.o.Exchange, w.Service.o.Keeper, w.Service.o.Shared = r, r, r
	w.Service.o.Own = func(_ context.Context, org polder.OrgID) (polder.Sight, map[polder.CommunityID]string, error) {
		return polder.Sight{Org: org, Communities: []polder.CommunityID{ringID}}, map[polder.CommunityID]string{ringID: "ring"}, nil
	}
	return w, r
}
