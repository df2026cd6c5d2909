package names

import "unicode/utf8"

// maxHan bounds the run that is cut up: a longer one is cut up to there, and the rest stays whole.
const maxHan = 256

// segmentHan cuts an unspaced run of Han or Kana (folded) into what the lexicon knows (words, places, names of
// organisations) and what lies between, which stays whole. The pieces are the run when put together again. The name of
// a person is not cut up, and a run of up to three letters that may be one only where the lexicon knows all of it.
func segmentHan(run string, t Type) []string {
	l := tables()
	if run == "" || t == Person {
		return []string{run}
	}
	starts := make([]int, 0, 32) // where each letter begins
	for i := range run {
		if len(starts) == maxHan {
			break
		}
		starts = append(starts, i)
	}
	n := len(starts)
	end := len(run)
	if n < 2 || t == Any && n <= 3 && !l.knowsAll(run) {
		return []string{run}
	}
	at := func(i int) int { // where letter i begins; the end for n
		if i == n {
			return end
		}
		return starts[i]
	}
	from, known := l.cuts(run, starts)
	var pieces []string
	for i := n; i > 0; { // from the end: neighbouring unknown letters are one piece
		j := from[i]
		if !known[i] {
			for j > 0 && !known[j] {
				j = from[j]
			}
		}
		pieces = append(pieces, run[at(j):at(i)])
		i = j
	}
	for i, j := 0, len(pieces)-1; i < j; i, j = i+1, j-1 {
		pieces[i], pieces[j] = pieces[j], pieces[i]
	}
	return pieces
}

// The costs of a cut: as few letters as possible stay unknown, then as few pieces as possible.
const (
	costUnknown = 100
	costPiece   = 10
	costSingle  = 30 // a known word of one letter, which is more often a part of a name
)

// cuts finds the cheapest way to cut a run: for each end, where the last piece begins and whether it is known.
func (l *lexicon) cuts(run string, starts []int) (from []int, known []bool) {
	n := len(starts)
	cost := make([]int, n+1)
	from, known = make([]int, n+1), make([]bool, n+1)
	for i := 1; i <= n; i++ {
		cost[i] = 1 << 30
	}
	for i := range n {
		if c := cost[i] + costUnknown; c < cost[i+1] {
			cost[i+1], from[i+1], known[i+1] = c, i, false
		}
		node := int32(0)
		k := i
		for _, r := range run[starts[i]:] {
			if k == n {
				break
			}
			if node = l.han.step(node, r, l.plain); node == 0 {
				break
			}
			k++
			x := l.han.nodes[node]
			c := cost[i] + costPiece
			switch {
			case x.entry == 0 && x.org == 0:
				continue
			case k-i == 1 && k < n:
				continue // a single letter is a word only at the end: 厂, 所, 院
			case k-i == 1:
				c += costSingle
			case x.entry == 0 && l.comesApart(run[starts[i]:], k-i):
				continue // the words of an organisation's name say more than the whole
			}
			if c <= cost[k] {
				cost[k], from[k], known[k] = c, i, true
			}
		}
	}
	return from, known
}

// knowsAll says whether a run is one word of the lexicon or the name of an organisation.
func (l *lexicon) knowsAll(run string) bool {
	node := int32(0)
	for _, r := range run {
		if node = l.han.step(node, r, l.plain); node == 0 {
			return false
		}
	}
	return l.han.nodes[node] != treeNode{}
}

// comesApart says whether a word of the lexicon stands in the first n letters of a run.
func (l *lexicon) comesApart(run string, n int) bool {
	i := 0
	for at := range run {
		if i >= n {
			break
		}
		node, k := int32(0), i
		for _, r := range run[at:] {
			if node = l.han.step(node, r, l.plain); node == 0 || k >= n {
				break
			}
			k++
			if k-i > 1 && l.han.nodes[node].entry != 0 {
				return true
			}
		}
		i++
	}
	return false
}

// organisation says whether a run at the beginning of words (folded; Han cut up or not) is a name of an organisation
// that the table knows: how many words it covers, 0 for none, and the concept that all names of that organisation
// share (its String is the official name in English). The longest run counts; small words (of, the, and) are passed
// over. It does not allocate.
//
// A name is read word by word as ever; this comes on top. [Parse] asks at each word and remembers run and concept; in a
// comparison two runs of one organisation have met as a whole, whatever their words; an [Index] takes the concept as
// one more key of the name.
func organisation(words []string) (n int, org Concept) {
	l := tables()
	if len(words) == 0 || words[0] == "" {
		return 0, 0
	}
	if r, _ := utf8.DecodeRuneInString(words[0]); isHan(r) {
		return l.organisationHan(words)
	}
	node := int32(0)
	for i, w := range words {
		if i == 2*maxRun {
			break
		}
		if isFiller(w) && i > 0 {
			continue
		}
		if node = l.words.step(node, w); node == 0 {
			break
		}
		if o := l.words.nodes[node].org; o != 0 {
			n, org = i+1, o
		}
	}
	return n, org
}

// organisationHan is organisation for words in Han, which may have been cut up.
func (l *lexicon) organisationHan(words []string) (n int, org Concept) {
	node := int32(0)
	for i, w := range words {
		for _, r := range w {
			if node = l.han.step(node, r, l.plain); node == 0 {
				return n, org
			}
		}
		if o := l.han.nodes[node].org; o != 0 {
			n, org = i+1, o
		}
	}
	return n, org
}

// isFiller says whether a word is one that names of organisations have or leave out.
func isFiller(w string) bool {
	switch w {
	case "of", "the", "and", "for", "&", "in":
		return true
	}
	return false
}
