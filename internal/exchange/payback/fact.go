package payback

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// notGiven are the types that are no knowledge by themselves: they say who, how and about what.
var notGiven = []string{"identity", "marking-definition", "extension-definition", "language-content", "relationship", "sighting", "opinion", "note"}

// retracted is the stance of a version that takes back what earlier ones said.
const retracted exchange.Stance = "retracted"

// givenRow is a delivery of something that somebody gave.
type givenRow struct {
	journal.Scanned
	speaker, open string
	until         int64
	observed      int64
	context       int
}

// saidRow is something that a delivery says about an object.
type saidRow struct {
	journal.Scanned
	exchange.Statement
	speaker, open string
}

// read adds to w what a delivery comes to. Those that were withdrawn or reach nobody come to nothing.
func (x *index) read(ctx context.Context, d journal.Scanned, w *writing) error {
	if d.Kind == journal.Withdrawn {
		gone, err := x.journal.TakenBy(ctx, d.Delivery)
		if err != nil {
			return err
		}
		w.gone = append(w.gone, gone...)
		if !slices.Contains(notGiven, d.Type()) {
			w.taken = append(w.taken, d)
		}
		return nil
	}
	if d.Gone != 0 || d.Raw == nil || d.Scope == 0 {
		return nil
	}
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return nil // held by an earlier version of the rules; nothing of it can be counted
	}
	speaker, err := x.speakers.Of(ctx, d.Delivery, o)
	if err != nil {
		return err
	}
	open, err := x.openly(ctx, o)
	if err != nil {
		return err
	}
	if !slices.Contains(notGiven, o.Type) {
		w.given = append(w.given, givenRow{Scanned: d, speaker: speaker, open: open, until: micro(o.ValidUntil.Time), observed: micro(firstSight(o, d)), context: contextOf(o)})
		return nil
	}
	for _, s := range statements(o) {
		w.said = append(w.said, saidRow{d, s, speaker, open})
	}
	return nil
}

// openly is the contributor of an object as everybody reads it: its signer, else its creator; "" where it is "a member" or
// nobody.
func (x *index) openly(ctx context.Context, o stix.Object) (string, error) {
	if signer := exchange.SignerOf(o); signer != "" {
		return signer, nil
	}
	if o.CreatedByRef == "" {
		return "", nil
	}
	_, blind, err := x.blind(ctx, polder.OrgID(o.CreatedByRef))
	if blind {
		return "", err
	}
	return o.CreatedByRef, err
}

// statements are those of o, or, where o takes them back, that it does.
func statements(o stix.Object) (out []exchange.Statement) {
	if !o.Revoked {
		return exchange.StatementsOf(o)
	}
	ids := o.ObjectRefs
	if o.Type == "sighting" {
		ids = []string{o.SightingOfRef}
	}
	for _, id := range ids[:min(len(ids), 100)] {
		if id != "" {
			out = append(out, exchange.Statement{About: id, Stance: retracted})
		}
	}
	return out
}

// firstSight is when what an object tells was seen first, as far as it says; it never lies after the delivery.
func firstSight(o stix.Object, d journal.Scanned) time.Time {
	at := o.Created.Time
	if !o.ValidFrom.IsZero() {
		at = o.ValidFrom.Time
	}
	for _, name := range []string{"first_observed", "first_seen"} {
		var text string
		if raw := o.Property(name); raw != nil {
			text = strings.Trim(string(raw), `"`)
		}
		if t, err := stix.ParseTimestamp(text); err == nil {
			at = t.Time
			break
		}
	}
	if shared := d.Seq.Time(); at.IsZero() || at.After(shared) {
		return shared
	}
	return at
}

// contextOf are the bits of contextItems.
func contextOf(o stix.Object) (bits int) {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return len(o.Property(n)) > 2 }) // more than "" or []
	}
	for i, there := range []bool{
		o.Description != "", has("labels", "indicator_types", "kill_chain_phases", "malware_types", "tool_types", "infrastructure_types", "threat_actor_types", "report_types"),
		o.Property("confidence") != nil, has("external_references"), !o.ValidUntil.IsZero(),
	} {
		if there {
			bits |= 1 << i
		}
	}
	return bits
}

// micro is a time as it is stored; 0 for none.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
