package names

// simTable remembers how alike the words of one query and the words of an index are, so that a pair is compared once a
// search however many names it stands in.
type simTable struct {
	words  []*Word  // of the query
	row    []uint32 // of each word of the index: its row
	turn   []uint32 // of each word of the index: the search its row belongs to
	now    uint32
	filled int        // rows in use
	rows   []knownSim // len(words) for each row
}

type knownSim struct {
	sim   float64
	how   how
	known bool
}

// begin forgets the last query.
func (t *simTable) begin(q *Name) {
	t.words, t.filled = q.Words, 0
	if t.now++; t.now == 0 {
		clear(t.turn)
		t.now = 1
	}
}

// at is where the pair is kept; nil when w is not of the query.
func (t *simTable) at(w, listed *Word) *knownSim {
	id, n := listed.id, len(t.words)
	if t.turn[id] != t.now {
		t.turn[id], t.row[id] = t.now, uint32(t.filled)
		t.filled++
		if len(t.rows) < t.filled*n {
			t.rows = append(t.rows, make([]knownSim, max(t.filled*n-len(t.rows), 1024))...)
		}
		clear(t.rows[(t.filled-1)*n : t.filled*n])
	}
	row := t.rows[int(t.row[id])*n:]
	for i, v := range t.words {
		if v == w {
			return &row[i]
		}
	}
	return nil
}

// keep notes what is known already.
func (t *simTable) keep(w, listed *Word, sim float64, way how) {
	if k := t.at(w, listed); k != nil {
		*k = knownSim{sim, way, true}
	}
}

// sim is [wordSim] of a word of the query and a word of the index.
func (t *simTable) sim(w, listed *Word) (float64, how) {
	k := t.at(w, listed)
	if k == nil {
		return wordSim(w, listed)
	}
	if !k.known {
		sim, way := wordSim(w, listed)
		*k = knownSim{sim, way, true}
	}
	return k.sim, k.how
}
