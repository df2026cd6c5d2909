package names

import (
	"cmp"
	"slices"
)

// What one search does is bounded by these, whatever is asked.
const (
	maxMeetings   = 8000 // words of the index that are compared with the words of one query
	minMeetings   = 48   // of them for each word, at least
	maxNeighbours = 400  // that one word of a query keeps
	maxCompared   = 480  // names that are compared with one query
	maxQueryJoin  = 24   // letters of words of the query that are tried as one
	minCompared   = 40   // unless there are fewer
	minHalf       = 5    // letters of a word that is met within one of the query
	maxSpan       = 8    // words of the query that are tried as one by their first letters
	minLetters    = 3    // of them
	maxBesides    = 200  // names that are compared because they are met as a whole
	joinedSim     = 0.95 // how alike a word and the two it is made of are taken to be
)

// search is the scratch of one search. It belongs to one goroutine at a time.
type search struct {
	x         *Index
	q         *Name
	threshold float64

	words   []queryWord
	met     []neighbour // of all words of the query
	spans   []span
	spanMet []neighbour // of all spans
	joined  []uint32    // names that hold a word of the query as two
	seen    []uint32    // of each word of the index: when it was last met
	alike   []float32   // of each word of the index: how alike it was then
	turn    uint32      // counts the words met, for seen
	tallies []tally     // of each name
	search  uint32      // counts the searches, for tallies
	besides []uint32    // names that are met as a whole: by their first letters, by the organisation they name
	touched []uint32    // names with a tally of this search
	all     mass        // of the query
	bar     float64     // the raw figure that a name must be able to reach
	chosen  []candidate
	found   []Found
	scorer  scorer
	sims    simTable
}

// queryWord is a word of the query with the words of the index that it meets.
type queryWord struct {
	word       *Word
	from, to   int     // its neighbours among search.met
	jFrom, jTo int     // the names that hold it as two words, among search.joined
	cost       int     // how many names that leads to
	info       float32 // what it tells
	order      int     // its place in the query
}

// neighbour is a word of the index that is like a word of the query.
type neighbour struct {
	word uint32
	sim  float32
}

// tally is what a name has gathered in a search.
type tally struct {
	sum    float32
	search uint32
	last   uint16 // 1 + the word of the query that gave last
}

// candidate is a name that may be compared, with the raw figure of the score that it can reach at most.
type candidate struct {
	name uint32
	most float64
}

func newSearch(x *Index) *search {
	s := &search{
		x:       x,
		seen:    make([]uint32, len(x.words)),
		alike:   make([]float32, len(x.words)),
		tallies: make([]tally, len(x.names)),
	}
	s.sims.row = make([]uint32, len(x.words))
	s.sims.turn = make([]uint32, len(x.words))
	s.scorer.sim = s.sims.sim
	return s
}

// begin meets the words of the query with those of the index.
func (s *search) begin(q *Name, threshold float64) {
	s.q, s.threshold = q, threshold
	s.words, s.met, s.joined = s.words[:0], s.met[:0], s.joined[:0]
	s.besides, s.touched, s.chosen, s.found = s.besides[:0], s.touched[:0], s.chosen[:0], s.found[:0]
	if s.search++; s.search == 0 { // came round: what is kept from long ago must not look new
		clear(s.tallies)
		s.search = 1
	}
	s.sims.begin(q)
	s.all = massOf(q)
	for _, r := range q.orgs {
		s.besides = append(s.besides, s.x.joinKeys.find(orgKey(r.org))...)
	}
	budget := max(minMeetings, maxMeetings/len(q.Words))
	s.meetSpans(budget / 4)
	for i, w := range q.Words {
		s.words = append(s.words, s.meet(i, w, budget))
	}
	slices.SortStableFunc(s.words, func(a, b queryWord) int {
		return cmp.Compare(float32(a.cost+1)*b.info, float32(b.cost+1)*a.info)
	})
}

// meet finds the neighbours of a word of the query, alone and together with the words beside it.
func (s *search) meet(i int, w *Word, budget int) queryWord {
	k := queryWord{word: w, from: len(s.met), jFrom: len(s.joined), info: tells(w), order: i}
	s.nextTurn()
	s.met = s.meetWord(s.met, w, budget)
	for _, p := range s.spans {
		if p.first <= i && i < p.first+p.n {
			s.met = append(s.met, s.spanMet[p.from:p.to]...)
		}
	}
	s.meetHalves(w, k.from)
	slices.SortFunc(s.met[k.from:], func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(b.sim, a.sim), cmp.Compare(a.word, b.word))
	})
	k.to = min(len(s.met), k.from+maxNeighbours)
	s.met = s.met[:k.to]
	if len(w.Latin) >= minJoined && len(w.Latin) <= maxKeyed {
		s.joined = append(s.joined, s.x.joinKeys.find(joinedKeyOfWhole(w.Latin, w.Sound))...)
	}
	k.jTo = len(s.joined)
	if len(w.Latin) >= minLetters && isLetters(w) {
		s.besides = append(s.besides, s.x.joinKeys.find(hashKey(lettersHash, w.Latin, -1))...)
	}
	k.cost = k.jTo - k.jFrom
	for _, n := range s.met[k.from:k.to] {
		k.cost += len(s.x.holders.of(n.word))
	}
	return k
}

func (s *search) nextTurn() {
	if s.turn++; s.turn == 0 {
		clear(s.seen)
		s.turn = 1
	}
}

// meetHalves adds the words of the index that a word of the query begins or ends with, where nothing else is like it:
// what is written together with them may be a part of a phrase, which no name holds as a word.
func (s *search) meetHalves(w *Word, from int) {
	if len(w.Latin) < 2*minHalf-1 || len(w.Latin) > maxKeyed || w.Kind != Proper {
		return
	}
	for _, n := range s.met[from:] {
		if n.sim > joinedSim {
			return
		}
	}
	for cut := minHalf; cut+2 <= len(w.Latin); cut++ {
		for _, half := range [2]string{w.Latin[:cut], w.Latin[len(w.Latin)-cut:]} {
			for _, id := range s.x.wordKeys.find(hashKey(readingHash, half, -1)) {
				if v := s.x.words[id]; v.Latin == half && v.Kind == Proper && s.seen[id] != s.turn {
					s.met = append(s.met, neighbour{id, joinedSim * float32(cut) / float32(len(w.Latin))})
				}
			}
		}
	}
}

// span is a run of words of the query that stands for one word of the index: written together, or by their first
// letters.
type span struct {
	first, n int // words of the query
	from, to int // its neighbours among search.spanMet
}

// meetSpans finds the words of the index that runs of the query's words stand for.
func (s *search) meetSpans(budget int) {
	words := s.q.Words
	s.spans, s.spanMet = s.spans[:0], s.spanMet[:0]
	for i := range words {
		for n := 2; n <= maxSpan && i+n <= len(words); n++ {
			p := span{first: i, n: n, from: len(s.spanMet)}
			if text := joinedLatin(words[i : i+n]); len(text) >= minJoined && len(text) <= maxQueryJoin && n <= 3 {
				s.nextTurn()
				s.spanMet = s.meetWord(s.spanMet, newWord(text, Latin, Proper, 0), budget)
			}
			s.meetLetters(words[i : i+n])
			if p.to = len(s.spanMet); p.to > p.from {
				s.spans = append(s.spans, p)
			}
		}
	}
}

// meetLetters adds to search.spanMet the words of the index that are the first letters of words.
func (s *search) meetLetters(words []*Word) {
	if len(words) < minLetters || words[0].Kind == Particle || words[len(words)-1].Kind == Particle {
		return
	}
	text := firstLetters(words, false)
	if len(text) < minLetters {
		return
	}
	for _, id := range s.x.wordKeys.find(hashKey(readingHash, text, -1)) {
		if w := s.x.words[id]; w.Latin == text && isLetters(w) {
			s.spanMet = append(s.spanMet, neighbour{id, float32(acronymSim(w))})
		}
	}
}

// mayBeNear says whether a word and one of the index can be alike by their letters, as far as a glance tells.
func (s *search) mayBeNear(w *Word, id uint32) bool {
	v := s.x.words[id]
	return len(w.Alt) > 0 || len(v.Alt) > 0 || near(w.letters, v.letters, len(w.Latin), len(v.Latin))
}

// joinedLatin is the romanised words written together; "" when one has no romanisation.
func joinedLatin(words []*Word) (text string) {
	for _, w := range words {
		if w.Latin == "" {
			return ""
		}
		text += w.Latin
	}
	return text
}

// firstLetters are the first letters of romanised words, with particles or without.
func firstLetters(words []*Word, particles bool) string {
	var buf [maxSpan]byte
	out := buf[:0]
	for _, w := range words {
		if !abbreviates(w.Script) {
			return ""
		}
		if w.Latin != "" && (particles || w.Kind != Particle) && len(out) < maxSpan {
			out = append(out, w.Latin[0])
		}
	}
	return string(out)
}

// meetWord adds to met the words of the index that share a key with w and are like it; those met before in this turn
// are left out. The surest keys are looked up first, so that what a budget leaves out is what is least alike.
func (s *search) meetWord(met []neighbour, w *Word, budget int) []neighbour {
	var keys [keyGrades][]uint32
	eachKey(w, func(key uint32, grade keyGrade) { keys[grade] = append(keys[grade], key) })
	eachLackingTwo(w.Latin, func(key uint32) { keys[twoLettersOff] = append(keys[twoLettersOff], key) })
	for grade, some := range keys {
		for _, key := range some {
			for _, id := range s.x.wordKeys.find(key) {
				if s.seen[id] == s.turn || keyGrade(grade) >= nearSound && !s.mayBeNear(w, id) {
					continue
				}
				if budget--; budget < 0 {
					return met
				}
				s.seen[id] = s.turn
				if sim, way := wordSim(w, s.x.words[id]); sim >= leastSim {
					met = append(met, neighbour{id, float32(sim)})
					s.sims.keep(w, s.x.words[id], sim, way)
				}
			}
		}
	}
	return met
}

// compare scores the chosen names, and stops when none that is left can be among the best.
func (s *search) compare(limit int) []Found {
	for _, c := range s.chosen {
		n := s.x.names[c.name]
		if score := s.scorer.score(s.q, n); score >= s.threshold {
			s.found = append(s.found, Found{Ref: s.x.refs[c.name], Score: score, name: int32(c.name)})
		}
	}
	return bestOf(s.found, limit)
}

// bestOf keeps the best name of each ref, and of those the best; the result is a new slice.
func bestOf(found []Found, limit int) []Found {
	slices.SortFunc(found, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(b.Score, a.Score), cmp.Compare(a.name, b.name))
	})
	found = slices.CompactFunc(found, func(a, b Found) bool { return a.Ref == b.Ref })
	slices.SortFunc(found, func(a, b Found) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Ref, b.Ref))
	})
	return slices.Clone(found[:min(len(found), limit)])
}
