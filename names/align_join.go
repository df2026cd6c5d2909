package names

import (
	"cmp"
	"slices"
	"strings"
)

const (
	maxTries  = 200  // runs of two names whose letters are compared one by one
	maxJoin   = 4    // neighbours that one word may stand for
	leastJoin = 0.78 // how alike a word and a run must be
)

// takeJoins links words with runs of neighbours that are the same but for the spaces: khalil and "kha lil".
func (s *scorer) takeJoins() {
	s.runs, s.tries = s.runs[:0], 0
	for i, w := range s.a.Words {
		if j, n, v := s.bestRun(w, s.b.Words, s.rowBest(i), isRing(s.b, s.a)); n > 0 {
			s.runs = append(s.runs, link{ai: i, an: 1, bi: j, bn: n, sim: v, how: howJoined})
		}
	}
	for j, w := range s.b.Words {
		if i, n, v := s.bestRun(w, s.a.Words, s.columnBest(j), isRing(s.a, s.b)); n > 0 {
			s.runs = append(s.runs, link{ai: i, an: n, bi: j, bn: 1, sim: v, how: howJoined})
		}
	}
	if len(s.runs) > 1 {
		slices.SortStableFunc(s.runs, func(x, y link) int { return cmp.Compare(y.sim, x.sim) })
	}
	for _, l := range s.runs {
		a, b := runBits(l.ai, l.an, len(s.a.Words)), runBits(l.bi, l.bn, len(s.b.Words))
		if s.leftA&a == a && s.leftB&b == b {
			s.link(l)
		}
	}
}

// rowBest is how alike word i of a and its best partner are.
func (s *scorer) rowBest(i int) float64 {
	best, m := 0.0, len(s.b.Words)
	for j := range m {
		best = max(best, s.sims[i*m+j])
	}
	return best
}

// columnBest is how alike word j of b and its best partner are.
func (s *scorer) columnBest(j int) float64 {
	best, m := 0.0, len(s.b.Words)
	for i := range s.a.Words {
		best = max(best, s.sims[i*m+j])
	}
	return best
}

// isRing says whether a run may go on from the last word of n to its first: when the surname is known to stand first, or
// when the run is all that is compared.
func isRing(n, other *Name) bool {
	return n.family != 0 || len(other.Words) == 1
}

// bestRun is the run of words that is most like w, and more so than alone, the best single word.
func (s *scorer) bestRun(w *Word, words []*Word, alone float64, ring bool) (first, n int, sim float64) {
	phrase := w.Kind == LegalForm && strings.IndexByte(w.Text, ' ') >= 0
	if len(w.Latin) < 4 && sameDigits(w.Latin, "") || len(w.Latin) < 2 || alone >= 0.97 && !phrase || len(words) < 2 || w.Kind == Number {
		return 0, 0, 0
	}
	if sim = max(leastJoin, min(alone+0.04, 0.955)); phrase {
		sim = leastJoin
	}
	shortest, longest := len(w.Latin), len(w.Latin)
	for _, r := range w.Alt {
		shortest, longest = min(shortest, len(r)), max(longest, len(r))
	}
	slack, digits := len(w.Latin)/6, !sameDigits(w.Latin, "")
	for i := range words {
		size, known := 0, true
		for k := 0; k < min(maxJoin, len(words)); k++ {
			if i+k >= len(words) && !ring {
				break
			}
			v := words[(i+k)%len(words)]
			if v.Latin == "" || v.Kind == Number && !digits {
				break
			}
			known = known && v.Kind == LegalForm
			if size += len(v.Latin); size > longest+slack {
				break
			}
			if k == 0 || size+slack < shortest || phrase && known {
				continue
			}
			if got := s.runSim(w, words, i, k+1); got > sim {
				first, n, sim = i, k+1, got
			}
		}
	}
	if n == 0 {
		return 0, 0, 0
	}
	return first, n, sim
}

// runSim is how alike a word and n words from i on are.
func (s *scorer) runSim(w *Word, words []*Word, i, n int) float64 {
	s.joined = s.joined[:0]
	var set uint64
	factor := 0.97
	for k := range n {
		v := words[(i+k)%len(words)]
		s.joined = append(s.joined, v.Latin...)
		if last := len(s.joined) - 1; k > 0 && k+1 < n && v.Kind == Particle && v.Latin == "al" {
			if next := words[(i+k+1)%len(words)].Latin[0]; strings.IndexByte("tdrzsn", next) >= 0 {
				s.joined[last] = next // Nur al-Din is said Nuruddin
			}
		}
		set |= v.letters
		factor = min(factor, 0.97*otherSyllable(v, w))
	}
	if string(s.joined) == w.Latin {
		return 0.98
	}
	for _, r := range w.Alt {
		if string(s.joined) == r {
			return 0.96
		}
	}
	if n == 2 {
		if isPairOf(w.Latin, words[i], words[(i+1)%len(words)]) {
			return 0.93
		}
		if v := articleSim(w, words[i], words[(i+1)%len(words)]); v > 0 {
			return v
		}
	}
	first, last := s.joined[0] == w.Latin[0], s.joined[len(s.joined)-1] == w.Latin[len(w.Latin)-1]
	if !first && !last || !near(set, w.letters, len(s.joined), len(w.Latin)) {
		return 0
	}
	if s.tries++; s.tries > maxTries {
		return 0
	}
	best := editSim(s.joined, w.Latin)
	for _, r := range w.Alt {
		if near(set, letterSet(r), len(s.joined), len(r)) {
			best = max(best, 0.97*editSim(s.joined, r))
		}
	}
	return factor * best
}

// articleSim is how alike a Latin word that begins with the article of Arabic and the article with a word behind it in
// Arabic letters are: Elsabbah and ال صباح. It is 0 for any others.
func articleSim(w, article, body *Word) float64 {
	if w.Script != Latin || article.Text != arabicThe || body.Script != Arabic {
		return 0
	}
	best := 0.0
	for _, n := range [2]int{2, 3} {
		if len(w.Latin) < n+3 || !joinsNames(w.Latin[:n]) {
			continue
		}
		tail := w.Latin[n:]
		if sound(tail) == body.Sound {
			best = max(best, 0.9)
		}
		best = max(best, 0.97*editSim(tail, body.Latin))
		for _, r := range body.Alt {
			best = max(best, 0.95*editSim(tail, r))
		}
	}
	return best
}

// isPairOf says whether s is a romanisation of v and one of w, written together.
func isPairOf(s string, v, w *Word) bool {
	if len(v.Alt) == 0 && len(w.Alt) == 0 {
		return false
	}
	for i := -1; i < len(v.Alt); i++ {
		head := v.Latin
		if i >= 0 {
			head = v.Alt[i]
		}
		if tail, ok := strings.CutPrefix(s, head); ok && tail != "" && (tail == w.Latin || slices.Contains(w.Alt, tail)) {
			return true
		}
	}
	return false
}

// takeShifts links two neighbours with two whose letters are the same and whose space is elsewhere: "way hongkong" and
// "wayhong kong".
func (s *scorer) takeShifts() {
	a, b := s.a.Words, s.b.Words
	for i := 0; i+1 < len(a); i++ {
		if s.leftA>>i&3 != 3 {
			continue
		}
		for j := 0; j+1 < len(b); j++ {
			if s.leftB>>j&3 == 3 && isShift(a[i].Latin, a[i+1].Latin, b[j].Latin, b[j+1].Latin) {
				s.link(link{ai: i, an: 2, bi: j, bn: 2, sim: 0.96, how: howJoined})
				break
			}
		}
	}
}

// isShift says whether a followed by b has the letters of x followed by y, cut elsewhere.
func isShift(a, b, x, y string) bool {
	if len(a)+len(b) != len(x)+len(y) || len(a) == len(x) {
		return false
	}
	if len(a) > len(x) {
		a, b, x, y = x, y, a, b
	}
	moved := len(x) - len(a)
	return len(a) > 0 && x[:len(a)] == a && x[len(a):] == b[:moved] && b[moved:] == y
}

// takeLetters links a word that is the first letters of several words that are left: AECC and Aero Engine Corporation
// of China, JC and Jean Claude.
func (s *scorer) takeLetters() {
	for i, w := range s.a.Words {
		if s.leftA>>i&1 == 1 && isLetters(w) {
			if j, n := lettersOf(w.Latin, s.b.Words, s.leftB); n > 0 {
				s.link(link{ai: i, an: 1, bi: j, bn: n, sim: acronymSim(w), how: howAcronym})
			}
		}
	}
	for j, w := range s.b.Words {
		if s.leftB>>j&1 == 1 && isLetters(w) {
			if i, n := lettersOf(w.Latin, s.a.Words, s.leftA); n > 0 {
				s.link(link{ai: i, an: n, bi: j, bn: 1, sim: acronymSim(w), how: howAcronym})
			}
		}
	}
}

// isLetters says whether a word may be the first letters of others.
func isLetters(w *Word) bool {
	return w.Kind == Proper && len(w.Latin) >= 2 && len(w.Latin) <= 8
}

// acronymSim is how sure an acronym is: one of more letters is met by chance less often.
func acronymSim(w *Word) float64 {
	return min(0.9, 0.5+0.1*float64(len(w.Latin)))
}

// lettersOf is the run of words, none of which has a partner, whose first letters are the acronym; particles and legal
// forms may be passed over.
func lettersOf(acronym string, words []*Word, left uint64) (first, n int) {
	for i, w := range words {
		if left>>i&1 == 0 || w.Text[0] != acronym[0] && (w.Latin == "" || w.Latin[0] != acronym[0]) {
			continue
		}
		k, j := 0, i
		for ; j < len(words) && k < len(acronym) && left>>j&1 == 1; j++ {
			if j > i && words[j].Text == words[j-1].Text {
				continue // another meaning of the same phrase
			}
			switch begun := beginnings(words[j], acronym[k:]); {
			case begun > 0:
				k += begun
			case j == i || words[j].Kind != Particle && words[j].Kind != LegalForm:
				j = len(words)
			}
		}
		if k == len(acronym) && j <= len(words) && j-i > 1 {
			return i, j - i
		}
	}
	return 0, 0
}

// abbreviates says whether names written in a script are shortened to the first letters of their words.
func abbreviates(s Script) bool { return s != Han && s != Kana && s != Hangul }

// beginnings is how many letters of an acronym a word or a phrase stands for: one for each of its words, all of them or
// none.
func beginnings(w *Word, acronym string) int {
	if !abbreviates(w.Script) {
		return 0
	}
	if strings.IndexByte(w.Text, ' ') < 0 {
		if w.Latin != "" && w.Latin[0] == acronym[0] {
			return 1
		}
		return 0
	}
	n := 0
	for i := range len(w.Text) {
		if i > 0 && w.Text[i-1] != ' ' {
			continue
		}
		if n == len(acronym) || w.Text[i] != acronym[n] {
			return 0
		}
		n++
	}
	return n
}
