package pattern

import (
	"slices"
	"sort"
)

// possible says whether the places so far and those that are sure to come could be filled, if the instants that are
// still to be chosen did not matter. False is certain, true is not.
func (s *search) possible(list *todo) bool {
	kept := len(s.places)
	defer func() { s.places = s.places[:kept] }()
	for ; list != nil; list = list.next {
		if !s.foresee(list.term, list.lo, list.hi, times(list.copies, list.again+1)) {
			return false
		}
	}
	return s.flow(-1) != nil
}

// foresee adds the places that a term is sure to ask for; false when it can never be met.
func (s *search) foresee(t *term, lo, hi tick, copies int64) bool {
	if !s.work.spend(1) {
		return false
	}
	switch t.kind {
	case setTerm:
		s.places = append(s.places, place{t.tests, max(lo, t.lo), min(hi, t.hi), copies})
		return true
	case eitherTerm:
		return true
	case spanTerm:
		if t.start >= t.stop {
			return false
		}
		lo, hi = max(lo, t.start), min(hi, t.stop-1)
	case repeatTerm:
		copies = times(copies, t.times)
	}
	for _, sub := range t.terms {
		if !s.foresee(sub, lo, hi, copies) {
			return false
		}
	}
	return true
}

// settle fills the places and returns the indices that were bound, nil when there are too few observations.
func (s *search) settle() []int {
	if s.must < 0 {
		return s.indices(s.flow(-1))
	}
	for i := range s.places {
		p := &s.places[i]
		if s.seen[s.must].fits(p.tests, p.lo, p.hi) {
			if bound := s.indices(s.flow(i)); bound != nil {
				return bound
			}
		}
	}
	return nil
}

func (s *search) indices(f *flow) []int {
	if f == nil {
		return nil
	}
	var bound []int
	for at, shares := range f.shares {
		if len(shares) > 0 {
			bound = append(bound, s.seen[at].index)
		}
	}
	slices.Sort(bound)
	return bound
}

// flow says which observation fills which places.
type flow struct {
	s      *search
	shares map[int][]share // of a candidate
	fit    [][]int         // of a place, the candidates that fit it, rising
}

// share is how often an observation fills a place.
type share struct {
	place int
	count int64
}

// flow fills the places, nil when that cannot be done. The observation that must be bound goes to the place forced
// first, unless that is -1.
func (s *search) flow(forced int) *flow {
	f := &flow{s: s, shares: map[int][]share{}, fit: make([][]int, len(s.places))}
	for i := range s.places {
		f.fit[i] = s.fitting(&s.places[i])
		var room int64
		for _, at := range f.fit[i] {
			room += s.seen[at].number
		}
		if room < s.places[i].want || s.work.left < 0 {
			return nil
		}
	}
	if forced >= 0 {
		f.give(s.must, forced, 1)
	}
	for i := range s.places {
		need := s.places[i].want
		if i == forced {
			need--
		}
		for _, at := range f.fit[i] {
			if need == 0 {
				break
			}
			if n := min(need, f.free(at)); n > 0 {
				f.give(at, i, n)
				need -= n
			}
		}
		for need > 0 {
			n := f.shift(i, need)
			if n == 0 || s.work.left < 0 {
				return nil
			}
			need -= n
		}
	}
	return f
}

// fitting lists the candidates that fit a place, by index.
func (s *search) fitting(p *place) []int {
	from := 0
	if p.lo != never {
		from = sort.Search(len(s.first), func(i int) bool { return later(s.seen[s.first[i]].first, s.widest) >= p.lo })
	}
	var fit []int
	for _, at := range s.first[from:] {
		c := &s.seen[at]
		if c.first > p.hi {
			break
		}
		s.work.left--
		if c.fits(p.tests, p.lo, p.hi) {
			fit = append(fit, int(at))
		}
	}
	slices.Sort(fit)
	return fit
}

func (f *flow) free(at int) int64 {
	n := f.s.seen[at].number
	for _, h := range f.shares[at] {
		n -= h.count
	}
	return n
}

// give adds to, or with a negative count takes from, what an observation does for a place.
func (f *flow) give(at, place int, count int64) {
	list := f.shares[at]
	for i := range list {
		if list[i].place == place {
			if list[i].count += count; list[i].count == 0 {
				list = slices.Delete(list, i, i+1)
			}
			f.shares[at] = list
			return
		}
	}
	f.shares[at] = append(list, share{place, count})
}

// arrival is how the search for a way reached a place: by taking a candidate from it for the place before.
type arrival struct {
	before, at int
	seen       bool
}

// shift finds up to need more for a place by moving others to observations that are free. It returns how many it found.
func (f *flow) shift(place int, need int64) int64 {
	reached := make([]arrival, len(f.s.places))
	reached[place] = arrival{-1, -1, true}
	queue := []int{place}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		for _, at := range f.fit[p] {
			if !f.s.work.spend(1) {
				return 0
			}
			if free := f.free(at); free > 0 {
				return f.move(reached, p, at, min(need, free))
			}
			for _, h := range f.shares[at] {
				if !reached[h.place].seen {
					reached[h.place] = arrival{p, at, true}
					queue = append(queue, h.place)
				}
			}
		}
	}
	return 0
}

// move passes observations along the way that was found: the place at its end gets a free one and hands its own back.
func (f *flow) move(reached []arrival, end, free int, most int64) int64 {
	for p := end; reached[p].before >= 0; p = reached[p].before {
		most = min(most, f.count(reached[p].at, p))
	}
	at := free
	for p := end; ; p = reached[p].before {
		f.give(at, p, most)
		if reached[p].before < 0 {
			return most
		}
		at = reached[p].at
		f.give(at, p, -most)
	}
}

func (f *flow) count(at, place int) int64 {
	for _, h := range f.shares[at] {
		if h.place == place {
			return h.count
		}
	}
	return 0
}
