package names

// link is what of one name met what of the other: an words from ai on and bn words from bi on; after the last word comes
// the first. Of a word without a partner the other count is 0.
type link struct {
	ai, an, bi, bn int
	sim            float64
	how            how
	weight         float64 // what it weighs in the comparison
}

// scorer compares pairs of names, one after the other, without allocating once it is warm. The zero value is ready. It
// is for one goroutine.
type scorer struct {
	// sim is how alike a word of the first name and one of the second are; nil is [wordSim]. An index sets it to one
	// that remembers. It must give what wordSim gives.
	sim func(a, b *Word) (float64, how)
	// weigh is what a word weighs; nil is by its kind, its length and how common it is in names in general.
	weigh func(w *Word) float64
	// figures are what the score is made with; nil is those that are shipped.
	figures *figures

	a, b    *Name // in the order of scoring, not as given
	turned  bool  // a and b changed places
	wa, wb  [maxWords]float64
	leftA   uint64 // the words that have no partner yet
	leftB   uint64
	sims    []float64 // of word i of a and j of b at i*len(b.Words)+j
	hows    []how
	links   []link
	match   assignment
	runs    []link // words and neighbours that are the same but for the spaces
	tries   int    // of those that were compared letter by letter
	joined  []byte // letters of neighbours, written together
	verdict verdict
}

// score is how alike two names are, from 0 to 1. It is symmetric. The links stay until the next call.
func (s *scorer) score(a, b *Name) float64 {
	s.begin(a, b)
	if len(a.Words) == 0 || len(b.Words) == 0 {
		return 0
	}
	if s.equal() {
		return 1
	}
	s.compareWords()
	s.takeOrganisations()
	s.takeJoins()
	s.takeShifts()
	s.takeBest()
	s.takeLetters()
	return s.judge()
}

// begin puts the two names in an order that does not depend on how they were given.
func (s *scorer) begin(a, b *Name) {
	s.turned = nameBefore(b, a)
	if s.turned {
		a, b = b, a
	}
	s.a, s.b = a, b
	s.links = s.links[:0]
	s.verdict = verdict{}
	s.leftA, s.leftB = lowBits(len(a.Words)), lowBits(len(b.Words))
	for i, w := range a.Words {
		s.wa[i] = s.weight(w)
	}
	for j, w := range b.Words {
		s.wb[j] = s.weight(w)
	}
}

// lowBits are the n lowest bits.
func lowBits(n int) uint64 {
	if n >= 64 {
		return ^uint64(0)
	}
	return 1<<n - 1
}

// runBits are the bits of n words from i on, of size words that stand in a ring.
func runBits(i, n, size int) uint64 {
	bits := lowBits(n) << i
	if over := i + n - size; over > 0 {
		bits = bits&lowBits(size) | lowBits(over)
	}
	return bits
}

// nameBefore is an order of names, so that a comparison does the same whichever name is given first.
func nameBefore(a, b *Name) bool {
	if len(a.Words) != len(b.Words) {
		return len(a.Words) < len(b.Words)
	}
	for i, w := range a.Words {
		if v := b.Words[i]; w != v && w.Text != v.Text {
			return w.Text < v.Text
		}
	}
	switch {
	case a.Text != b.Text:
		return a.Text < b.Text
	case a.aside != b.aside:
		return a.aside < b.aside
	case a.family != b.family:
		return a.family < b.family
	}
	return a.Type < b.Type
}

// weight is what a word weighs in this comparison.
func (s *scorer) weight(w *Word) float64 {
	if s.weigh != nil {
		return s.weigh(w)
	}
	return float64(w.info)
}

// equal says whether the names are written alike when folded, and links their words when they are.
func (s *scorer) equal() bool {
	if len(s.a.Words) != len(s.b.Words) || s.a.cut != s.b.cut || s.a.cut && s.a.Text != s.b.Text {
		return false
	}
	for i, w := range s.a.Words {
		if v := s.b.Words[i]; w != v && w.Text != v.Text {
			return false
		}
	}
	for i := range s.a.Words {
		s.links = append(s.links, link{ai: i, an: 1, bi: i, bn: 1, sim: 1, how: howSame, weight: max(s.wa[i], 0.01)})
	}
	s.leftA, s.leftB = 0, 0
	return true
}

// compareWords fills the table of how alike the words are.
func (s *scorer) compareWords() {
	n, m := len(s.a.Words), len(s.b.Words)
	if cap(s.sims) < n*m {
		s.sims, s.hows = make([]float64, n*m), make([]how, n*m)
	}
	s.sims, s.hows = s.sims[:n*m], s.hows[:n*m]
	for i, v := range s.a.Words {
		for j, w := range s.b.Words {
			k := i*m + j
			switch {
			case v == w:
				s.sims[k], s.hows[k] = 1, howSame
			case s.sim == nil:
				s.sims[k], s.hows[k] = wordSim(v, w)
			case s.turned:
				s.sims[k], s.hows[k] = s.sim(w, v)
			default:
				s.sims[k], s.hows[k] = s.sim(v, w)
			}
		}
	}
}

// take links words i and j.
func (s *scorer) take(i, j int) {
	k := i*len(s.b.Words) + j
	s.link(link{ai: i, an: 1, bi: j, bn: 1, sim: s.sims[k], how: s.hows[k]})
}

// link adds a link and takes its words out of those that are left.
func (s *scorer) link(l link) {
	s.leftA &^= runBits(l.ai, l.an, len(s.a.Words))
	s.leftB &^= runBits(l.bi, l.bn, len(s.b.Words))
	s.links = append(s.links, l)
}

// takeBest links the words that are left so that their likenesses add up to the most.
func (s *scorer) takeBest() {
	n, m := len(s.a.Words), len(s.b.Words)
	s.match.begin()
	for i := range n {
		if s.leftA>>i&1 == 0 {
			continue
		}
		for j := range m {
			if s.leftB>>j&1 == 0 {
				continue
			}
			if v := s.sims[i*m+j]; v >= leastSim {
				// Where several words do, those in the same place are partners.
				place := float64(i)/float64(n) - float64(j)/float64(m)
				s.match.offer(i, j, v*(0.02+s.wa[i]+s.wb[j])*(1-0.01*place*place))
			}
		}
	}
	for _, p := range s.match.solve() {
		s.take(int(p.i), int(p.j))
	}
}
