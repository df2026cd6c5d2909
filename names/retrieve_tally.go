package names

import (
	"cmp"
	"slices"
)

// gather gives each name that holds words like the query's its tally, and chooses those that are worth a comparison.
// Words that tell much and lead to few names go first; once what is left could not make a hit by itself, it only adds to
// names that were met already.
func (s *search) gather() {
	s.bar = rawFor(s.threshold) - barSlack
	least := leastMet(s.all, s.bar)
	var left float32
	for _, k := range s.words {
		left += k.info
	}
	for _, k := range s.words {
		s.tally(k, left >= least)
		left -= k.info
	}
	s.choose()
}

// tells is what a word adds to what a name tells, for retrieval: what a score may pass over, such as an initial that
// stands for a word, must not count against a name here.
func tells(w *Word) float32 {
	if w.Kind == Initial {
		return 0.1 * w.info
	}
	return w.info
}

// tally adds what a word of the query gives to the names that hold its neighbours; with fresh also to names that have
// no tally yet.
func (s *search) tally(k queryWord, fresh bool) {
	last := uint16(k.order) + 1
	if !fresh && k.cost > 6*len(s.touched) {
		s.tallyTouched(k, last)
		return
	}
	for _, name := range s.joined[k.jFrom:k.jTo] { // a name takes the first: better than a half of the word alone
		s.give(name, k.gain(joinedSim, k.info), last, fresh)
	}
	for _, n := range s.met[k.from:k.to] {
		gain := k.gain(n.sim, tells(s.x.words[n.word]))
		for _, name := range s.x.holders.of(n.word) {
			s.give(name, gain, last, fresh)
		}
	}
}

// gain is what a word of the query that met one that tells as much as that, so alike, brings, as the score counts it.
func (k *queryWord) gain(sim, other float32) float32 {
	lost := 1 - sim
	return (k.info + other) / 2 * (1 - lost*lost*0.5 - lost*0.5)
}

func (s *search) give(name uint32, gain float32, last uint16, fresh bool) {
	t := &s.tallies[name]
	switch {
	case t.search != s.search:
		if fresh {
			*t = tally{gain, s.search, last}
			s.touched = append(s.touched, name)
		}
	case t.last != last:
		t.sum += gain
		t.last = last
	}
}

// tallyTouched is tally for names that have a tally, by their words.
func (s *search) tallyTouched(k queryWord, last uint16) {
	s.nextTurn()
	for _, n := range s.met[k.from:k.to] {
		if s.seen[n.word] != s.turn { // the most alike comes first
			s.seen[n.word], s.alike[n.word] = s.turn, k.gain(n.sim, tells(s.x.words[n.word]))
		}
	}
	for _, name := range s.joined[k.jFrom:k.jTo] {
		s.give(name, k.gain(joinedSim, k.info), last, false)
	}
	for _, name := range s.touched {
		var best float32
		for _, w := range s.x.within.of(name) {
			if s.seen[w] == s.turn {
				best = max(best, s.alike[w])
			}
		}
		if best > 0 {
			s.give(name, best, last, false)
		}
	}
}

// choose keeps the names that can reach the threshold, those that can score most first; where they are few, some of the
// others, since words may be alike that share no key.
func (s *search) choose() {
	const steps = 1 << 10
	var count [steps + 1]int // of names, by what they can reach: a query of common words touches too many to sort
	reach, least := 0, leastMet(s.all, s.bar/2)
	for _, name := range s.touched {
		if s.tallies[name].sum < least {
			continue
		}
		most := rawAtMost(s.tallies[name].sum, s.all, s.x.masses[name])
		if most >= s.bar {
			reach++
		}
		if most >= s.bar/2 {
			s.chosen = append(s.chosen, candidate{name, most})
			count[int(most*steps)]++
		}
	}
	keep := max(minCompared, min(reach, maxCompared))
	lowest, above := steps, count[steps]
	for lowest > 0 && above < keep {
		lowest--
		above += count[lowest]
	}
	s.chosen = slices.DeleteFunc(s.chosen, func(c candidate) bool { return int(c.most*steps) < lowest })
	slices.SortFunc(s.chosen, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.most, a.most), cmp.Compare(a.name, b.name))
	})
	s.chosen = s.chosen[:min(len(s.chosen), keep)]
	s.chooseBesides()
}

// chooseBesides adds the names that are met as a whole, whatever their words tell.
func (s *search) chooseBesides() {
	if len(s.besides) == 0 {
		return
	}
	chosen := make(map[uint32]bool, len(s.chosen))
	for _, c := range s.chosen {
		chosen[c.name] = true
	}
	for _, name := range s.besides[:min(len(s.besides), maxBesides)] {
		if !chosen[name] {
			chosen[name] = true
			s.chosen = append(s.chosen, candidate{name, 1})
		}
	}
}

// mass is what the words of a name tell, as far as a comparison needs partners for them.
type mass struct {
	heavy float32 // of the words that count against a name that lacks them
	spare float32 // of the words that its initials may stand for, at most
}

func massOf(n *Name) (m mass) {
	var all float32
	for _, w := range n.Words {
		all += w.info
		switch w.Kind {
		case LegalForm, Title, Particle:
		case Initial:
			m.spare++
		default:
			m.heavy += w.info
		}
	}
	if m.heavy == 0 { // nothing but a legal form: then that is the name
		m.heavy = all
	}
	return m
}

const (
	barSlack = 0.06 // how far a raw figure may lie above what is thought to be the most
	leanest  = 0.5  // what the cheapest word that only one name has costs, beside others
	milder   = 0.4  // what of the dearest costs for such words is counted on
)

// rawAtMost is the raw figure of a comparison of two names in which so much met: the scorer's own sum, with what is not
// yet known in the names' favour.
func rawAtMost(met float32, query, listed mass) float64 {
	f := &shipped
	m := float64(min(met, query.heavy, listed.heavy))
	if m <= 0 {
		return 0
	}
	a := max(0, float64(query.heavy-listed.spare)-m)
	b := max(0, float64(listed.heavy-query.spare)-m)
	alone := leanest * f.extra * max(a-b, b-a)
	loss := f.contrary*min(a, b) + alone*(1+milder*f.sole*max(0, 1.6-m))
	return m / (m + loss*(1+f.scarce/(m+0.2)))
}

// leastMet is the least that must meet of a query for a raw figure, of a name all of whose words meet.
func leastMet(query mass, raw float64) float32 {
	low, high := float32(0), query.heavy
	for range 12 {
		if mid := (low + high) / 2; rawAtMost(mid, query, mass{heavy: mid}) < raw {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// rawFor is the raw figure that scores a threshold.
func rawFor(threshold float64) float64 {
	low, high := 0.0, 1.0
	for range 20 {
		if mid := (low + high) / 2; calibrate(mid, &shipped) < threshold {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
