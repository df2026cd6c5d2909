package names

// meaning is what the lexicon knows of a run of words: how many of the words it covers, the part they play, and what
// they mean. n is 0 when it knows nothing of words[0].
type meaning struct {
	n        int
	kind     Kind
	concepts []Concept
}

// lookup finds the longest run at the beginning of words (folded, as written, any script) that the lexicon knows.
func lookup(words []string, t Type) meaning { return meaning{} }

// segmentHan cuts an unspaced run of Han into what the lexicon knows and what lies between.
func segmentHan(run string, t Type) []string { return []string{run} }

// commonness is how common a folded Latin word is in names in general, from 0 (rare, or not known) to 1.
func commonness(latin string) float64 { return 0 }

// String is the concept's English word, "" for none.
func (c Concept) String() string { return "" }

// sameGivenName says whether two folded Latin words are forms of one given name (nicknames, variants across languages):
// 0 when not, else how sure that is, up to 1.
func sameGivenName(a, b string) float64 { return 0 }
