package policy

import (
	"fmt"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Delivery is one record of an id in a community, as far as the rules need it. Only live ones (not withdrawn) are
// given to this package, in the order of their numbers.
type Delivery struct {
	Seq        polder.Seq
	Line       int64 // the line of versions it belongs to
	Custodian  polder.OrgID
	Sharer     polder.OrgID
	Version    string // sortable instant text; for observables the number itself decides
	Digest     [32]byte
	BareDigest [32]byte // digest without the TLP mark
	Level      stix.Marking
	Nominal    polder.Audience // whom the share addressed
	Reached    polder.Audience // who got the version by this delivery; disjoint between the deliveries of a version
	Last       polder.Audience // for whom this is the last version
	Revoked    bool
	Created    string       // sortable instant text of created; "" for observables
	CreatedBy  polder.OrgID // created_by_ref
}

// Share is what somebody wants to bring into a community: one object, checked and with its level.
type Share struct {
	By         polder.OrgID
	To         []polder.OrgID
	Level      stix.Marking
	Version    string // "" for observables
	Digest     [32]byte
	BareDigest [32]byte
	Revoked    bool
	Created    string
	CreatedBy  polder.OrgID
}

// Observable tells whether the object has no versions of its own (X15).
func (s Share) Observable() bool { return s.Version == "" }

// Outcome is what a share comes to. The zero value is a duplicate: it succeeds and changes nothing.
type Outcome struct {
	Append  bool
	Line    int64 // 0 begins a new line
	Nominal polder.Audience
	Reached polder.Audience
	Last    polder.Audience
	Older   []Change // deliveries for whose readers a newer version came
	Held    bool     // the same version is held: its bytes are delivered, not those that came
	HeldAs  polder.Seq
}

// Change gives the delivery Seq a new Last.
type Change struct {
	Seq  polder.Seq
	Last polder.Audience
}

// Plan decides what share s comes to, given all live deliveries of the same id in the same community (X9, X13–X16).
// Its errors tell the sharer nothing of what it may not see.
func Plan(history []Delivery, s Share) (Outcome, error) {
	if s.Observable() {
		return planObservable(history, s), nil
	}
	nominal := Nominal(s.By, s.To, s.Level)
	line := lineSeenBy(history, s.By)
	if line == nil {
		return outcome(history, s, Outcome{Nominal: nominal, Reached: nominal.Minus(reached(history))}), nil
	}
	if held := find(line, func(d Delivery) bool { return d.Version == s.Version }); held != nil {
		return planHeld(history, line, held, s)
	}
	if err := newVersion(line, s); err != nil {
		return Outcome{}, err
	}
	o := Outcome{Line: line[0].Line, Nominal: nominal, Reached: nominal.Minus(reached(othersThan(history, line[0].Line)))}
	return outcome(history, s, o), nil
}

// planHeld is a share of a version that the sharer already sees: a duplicate, or a widening by the custodian (X9).
func planHeld(history, line, held []Delivery, s Share) (Outcome, error) {
	same := held[0].Digest == s.Digest || held[0].BareDigest == s.BareDigest && s.BareDigest != [32]byte{}
	if !same {
		return Outcome{}, polder.Errorf(polder.Conflict, "modified: version %s is held with other content; a change needs a later modified", s.Version)
	}
	if held[0].Custodian != s.By {
		return Outcome{}, nil
	}
	nominal := Nominal(s.By, s.To, s.Level)
	others := reached(othersThan(history, line[0].Line))
	var have polder.Audience
	for _, d := range held {
		if !s.Level.Wider(d.Level) {
			have = have.Union(d.Nominal)
		}
	}
	if nominal.Minus(have).Minus(others).Empty() {
		return Outcome{}, nil
	}
	o := Outcome{Line: line[0].Line, Nominal: nominal, Reached: nominal.Minus(reached(held)).Minus(others), Held: true, HeldAs: held[0].Seq}
	return outcome(history, s, o), nil
}

// newVersion says why s may not follow in the line that its sharer sees, or nil.
func newVersion(line []Delivery, s Share) error {
	if line[0].Custodian != s.By {
		return polder.Errorf(polder.Forbidden, "id: another member is its custodian here, and only the custodian adds versions; share a note or an opinion about it instead")
	}
	for _, d := range line {
		switch {
		case d.Revoked && s.Version > d.Version:
			return polder.Errorf(polder.Conflict, "revoked: version %s revoked this object, which is final; share it under a new id", d.Version)
		case s.Revoked && d.Version > s.Version:
			return polder.Errorf(polder.Conflict, "modified: a revocation must be the last version, and %s is held; set modified after it", d.Version)
		case d.Created != s.Created:
			return polder.Errorf(polder.Conflict, "created: must stay %sZ in every version", d.Created)
		case d.CreatedBy != s.CreatedBy:
			return polder.Errorf(polder.Conflict, "created_by_ref: must stay what it was in the first version")
		}
	}
	return nil
}

// planObservable: each content at each level is a record of its own; whoever sees one brings nothing new by sharing it
// again, and only who brought it widens it (X15).
func planObservable(history []Delivery, s Share) Outcome {
	same := find(history, func(d Delivery) bool { return d.Digest == s.Digest && d.Level == s.Level })
	mine := find(same, func(d Delivery) bool { return d.Sharer == s.By })
	if mine == nil && find(same, func(d Delivery) bool { return d.Reached.Contains(s.By) }) != nil {
		return Outcome{}
	}
	nominal := Nominal(s.By, s.To, s.Level)
	o := Outcome{Nominal: nominal, Reached: nominal.Minus(reached(same))}
	if o.Reached.Empty() {
		return Outcome{}
	}
	if mine != nil {
		o.Line, o.Held, o.HeldAs = mine[0].Line, true, mine[0].Seq
	}
	return outcome(history, s, o)
}

// outcome completes o: who has a newer version already, and for whom older ones are no longer the last.
func outcome(history []Delivery, s Share, o Outcome) Outcome {
	o.Append, o.Last = true, o.Reached
	for _, d := range history {
		if !s.Observable() && d.Line != o.Line {
			continue
		}
		if !s.Observable() && d.Version > s.Version {
			o.Last = o.Last.Minus(d.Reached)
			continue
		}
		if !s.Observable() && d.Version == s.Version {
			continue
		}
		if last := d.Last.Minus(o.Reached); !last.Equal(d.Last) {
			o.Older = append(o.Older, Change{d.Seq, last})
		}
	}
	return o
}

// lineSeenBy is the line that org sees of this id, all its deliveries; nil when it sees none. By construction a reader
// is reached by one line only.
func lineSeenBy(history []Delivery, org polder.OrgID) []Delivery {
	for _, d := range history {
		if d.Reached.Contains(org) {
			return find(history, func(x Delivery) bool { return x.Line == d.Line })
		}
	}
	return nil
}

func othersThan(history []Delivery, line int64) []Delivery {
	return find(history, func(d Delivery) bool { return d.Line != line })
}

func find(all []Delivery, keep func(Delivery) bool) (out []Delivery) {
	for _, d := range all {
		if keep(d) {
			out = append(out, d)
		}
	}
	return out
}

func reached(all []Delivery) (a polder.Audience) {
	for _, d := range all {
		a = a.Union(d.Reached)
	}
	return a
}

// LevelFor reader is the widest level at which a version reaches it, over the version's live deliveries (X9).
func LevelFor(reader polder.OrgID, version []Delivery) stix.Marking {
	widest := stix.Red
	for _, d := range version {
		if d.Nominal.Contains(reader) && d.Level.Wider(widest) {
			widest = d.Level
		}
	}
	return widest
}

// String is for the messages of tests.
func (d Delivery) String() string {
	return fmt.Sprintf("%d line %d %s to %s reached %s last %s", d.Seq, d.Line, d.Version, d.Nominal, d.Reached, d.Last)
}
