package names

import (
	"sync"
	"unicode/utf8"
)

// meaning is what the lexicon knows of a run of words: how many of the words it covers, the part they play, and what
// they mean. n is 0 when it knows nothing of words[0]. The concepts are shared and must not be changed.
type meaning struct {
	n        int
	kind     Kind
	weak     bool // the run is just as well something else ("SA", "As", "Co"): believe it only at an end of a name
	concepts []Concept
}

// lexicon is all tables, compiled. It never changes after it was made.
type lexicon struct {
	concepts []concept // by Concept; 0 is none
	ids      map[conceptKey]Concept
	lists    []Concept // the concepts of all entries, one after the other
	entries  []entry
	words    wordTree
	han      runeTree
	plain    map[rune]rune // traditional and Japanese forms of Han to the simplified one
	given    map[string][]givenRole
	native   map[string][]string // given names in Arabic letters to their Latin forms
	groups   []givenGroup
	generic  []bool           // by Concept: a word of the trade that firms of every trade bear
	common   map[string]uint8 // class of commonness, 1 the most common
}

type concept struct {
	name string
	kind Kind
}

type conceptKey struct {
	name string
	kind Kind
	org  bool
}

// entry is one meaning of a run of words. Several meanings of one run are chained.
type entry struct {
	kind  Kind
	weak  bool
	first int32 // in lexicon.lists
	count int32
	next  int32 // another meaning of the same run; 0 for none
}

// tables compiles the tables at first use.
var tables = sync.OnceValue(func() *lexicon {
	l, err := compileLexicon()
	if err != nil {
		panic("names: built-in table: " + err.Error()) // a test compiles every table
	}
	return l
})

// maxRun is the longest run of words that the lexicon holds.
const maxRun = 12

// lookup finds the longest run at the beginning of words (folded, as written, any script) that the lexicon knows.
// Which meaning an ambiguous word has depends on t: "general" is a title of a person and a word of the trade of a
// company. In the name of a person only titles, particles and legal forms that nobody is called by are known.
//
// Han must come cut up by [segmentHan]. Abbreviations are known as one word and letter by letter ("sa", "s" "a"). Does
// not allocate.
func lookup(words []string, t Type) meaning {
	if len(words) == 0 || words[0] == "" {
		return meaning{}
	}
	l := tables()
	if r, _ := utf8.DecodeRuneInString(words[0]); isHan(r) {
		return l.meaningOf(l.han.entry(words[0], l.plain), 1, t)
	}
	var best meaning
	node := int32(0)
	for i, w := range words {
		if i == maxRun {
			break
		}
		if node = l.words.step(node, w); node == 0 {
			break
		}
		if m := l.meaningOf(l.words.nodes[node].entry, i+1, t); m.n > 0 {
			best = m
		}
	}
	return best
}

// meaningOf is the meaning among the chained ones that fits a name of type t best.
func (l *lexicon) meaningOf(e int32, n int, t Type) meaning {
	best, bestRank := int32(0), 0
	for ; e != 0; e = l.entries[e].next {
		if r := rank(t, l.entries[e].kind, l.entries[e].weak); r > bestRank {
			best, bestRank = e, r
		}
	}
	if best == 0 {
		return meaning{}
	}
	x := l.entries[best]
	return meaning{n: n, kind: x.kind, weak: x.weak, concepts: l.lists[x.first : x.first+x.count : x.first+x.count]}
}

// rank says how readily a word of a name of type t is of a kind; 0 is never.
func rank(t Type, k Kind, weak bool) int {
	switch t {
	case Person:
		switch k {
		case Title:
			return 3
		case Particle:
			return 2
		case LegalForm:
			if !weak {
				return 1
			}
		}
		return 0
	case Any:
		switch k {
		case LegalForm:
			if weak {
				return 1
			}
			return 7
		case Particle:
			return 6
		case Trade:
			return 5
		case Number:
			return 4
		case Place:
			return 3
		case Title:
			return 2
		}
		return 0
	}
	switch k {
	case LegalForm:
		if weak {
			return 3
		}
		return 7
	case Trade:
		return 6
	case Number:
		return 5
	case Place:
		return 4
	case Particle:
		return 2
	case Title:
		return 1
	}
	return 0
}

// commonClasses are the values of the classes of commonness; class 0 is a word that no table has.
var commonClasses = [...]float64{0, 1, 0.75, 0.5}

// commonness is how common a folded Latin word is in names in general, from 0 (rare, or not known) to 1. All naming
// traditions have the same number of words in each class, and all forms of a given name are as common as its most
// common one, so that nobody's name weighs less for where it comes from or how it was romanised. Does not allocate.
func commonness(latin string) float64 { return commonClasses[tables().common[latin]] }

// isGeneric says whether a word is one of the trade that firms of every trade and country bear.
func isGeneric(w *Word) bool { return w.Kind == Trade && tables().generic[w.Concept] }

// String is the concept's English word, "" for none.
func (c Concept) String() string {
	if l := tables(); int(c) < len(l.concepts) {
		return l.concepts[c].name
	}
	return ""
}
