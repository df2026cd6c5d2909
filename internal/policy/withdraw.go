package policy

import (
	"github.com/polder-exchange/polder"
)

// Withdrawal is what somebody wants to take out of a community: versions of one id (X18).
type Withdrawal struct {
	By      polder.OrgID
	Steward bool
	Which   func(Delivery) bool // which versions; nil means all
}

// Removed is one version that goes, from everybody who has it.
type Removed struct {
	Line       int64
	Version    string
	Deliveries []polder.Seq    // those that are withdrawn
	Audience   polder.Audience // who had it, and is told
}

// Again is a delivery that is delivered once more: to those who lose the line they saw and may see this one.
type Again struct {
	Of       polder.Seq
	Audience polder.Audience
	Last     polder.Audience
}

// Effect is what a withdrawal comes to.
type Effect struct {
	Removed []Removed
	Last    []Change
	Again   []Again
}

// Withdraw decides what w takes out, given all live deliveries of the id in the community. Who sees nothing of the id
// gets NotFound; who sees it but is neither its custodian nor a steward gets Forbidden. An observable is withdrawn by
// who brought it.
func Withdraw(history []Delivery, w Withdrawal, observable bool) (Effect, error) {
	line := lineSeenBy(history, w.By)
	if observable {
		line = find(history, func(d Delivery) bool { return d.Reached.Contains(w.By) })
	}
	line = find(line, func(d Delivery) bool { return w.Which == nil || w.Which(d) })
	if find(line, func(d Delivery) bool { return d.Reached.Contains(w.By) }) == nil {
		return Effect{}, polder.Errorf(polder.NotFound, "no such object, or no such version of it, in this community")
	}
	allowed := find(line, func(d Delivery) bool {
		return w.Steward || observable && d.Sharer == w.By || !observable && d.Custodian == w.By
	})
	if allowed == nil {
		return Effect{}, polder.Errorf(polder.Forbidden, "only its custodian or a steward of the community withdraws this object")
	}
	if observable {
		allowed = find(history, func(d Delivery) bool {
			return find(allowed, func(a Delivery) bool { return a.Digest == d.Digest && a.Level == d.Level }) != nil
		})
	}
	return effect(history, allowed, observable), nil
}

func effect(history, gone []Delivery, observable bool) (e Effect) {
	isGone := func(d Delivery) bool {
		return find(gone, func(g Delivery) bool { return g.Seq == d.Seq }) != nil
	}
	live := find(history, func(d Delivery) bool { return !isGone(d) })
	e.Removed = removed(gone, observable)
	if observable {
		e.Last = lastOf(live, true)
		return e
	}
	line := gone[0].Line
	e.Last = lastOf(find(live, func(d Delivery) bool { return d.Line == line }), false)
	lost := reached(gone).Minus(reached(find(live, func(d Delivery) bool { return d.Line == line })))
	e.Again = again(othersThan(live, line), lost)
	return e
}

// removed groups what goes by version; the records of an observable are its versions.
func removed(gone []Delivery, observable bool) (out []Removed) {
	for _, d := range gone {
		key := d.Version
		i := 0
		for ; i < len(out) && (observable || out[i].Version != key); i++ {
		}
		if i == len(out) {
			out = append(out, Removed{Line: d.Line, Version: key})
		}
		out[i].Deliveries = append(out[i].Deliveries, d.Seq)
		out[i].Audience = out[i].Audience.Union(d.Reached)
	}
	return out
}

// lastOf recomputes Last for the deliveries of one line (or of one observable) and returns what changes.
func lastOf(line []Delivery, observable bool) (changes []Change) {
	newer := func(a, b Delivery) bool { return a.Version > b.Version }
	if observable {
		newer = func(a, b Delivery) bool { return a.Seq > b.Seq }
	}
	for _, d := range line {
		last := d.Reached.Minus(reached(find(line, func(x Delivery) bool { return newer(x, d) })))
		if !last.Equal(d.Last) {
			changes = append(changes, Change{d.Seq, last})
		}
	}
	return changes
}

// again delivers other lines, oldest first, to those who lost theirs.
func again(others []Delivery, lost polder.Audience) (out []Again) {
	for len(others) > 0 && !lost.Empty() {
		line := find(others, func(d Delivery) bool { return d.Line == others[0].Line })
		var got polder.Audience
		var mine []Again
		var versions []Delivery
		for _, d := range line {
			to := lost.Intersect(d.Nominal)
			for _, v := range versions {
				if v.Version == d.Version {
					to = to.Minus(v.Reached)
				}
			}
			if to.Empty() {
				continue
			}
			got = got.Union(to)
			mine = append(mine, Again{Of: d.Seq, Audience: to})
			d.Reached = to
			versions = append(versions, d)
		}
		for i := range mine {
			mine[i].Last = mine[i].Audience.Minus(reached(find(versions, func(v Delivery) bool { return v.Version > versions[i].Version })))
		}
		out = append(out, mine...)
		lost = lost.Minus(got)
		others = othersThan(others, others[0].Line)
	}
	return out
}
