package names

// Name is a name that was read for comparison. It never changes.
type Name struct {
	Text  string // as given
	Type  Type   // as given
	Words []*Word

	aside  uint64 // the words that stood in brackets, a bit each
	family uint64 // the words before the comma of "SURNAME, Given", a bit each
	cut    bool   // some of the text was too long to be read
	bag    uint64 // the same for names of the same written words, whatever their order
	orgs   []orgRun
}

// Part is one thing that was compared, and how it met.
type Part struct {
	Kind  string  `json:"kind"`  // "word", "joined", "initial", "given name", "meaning", "legal form", "different", "missing", "extra", "number", …
	A     string  `json:"a"`     // as the first name has it, folded; "" when it has none
	B     string  `json:"b"`     // as the second has it
	Score float64 `json:"score"` // how alike, 0 to 1
	Share float64 `json:"share"` // of the whole comparison: the parts' shares add up to 1
	How   string  `json:"how"`   // in plain words: "same", "one letter differs", "romanised alike", "same meaning: technology"
}

// Comparison is how alike two names are.
type Comparison struct {
	Score float64 `json:"score"` // 0 to 1, calibrated; never NaN; 1 only for names that are equal when folded
	Parts []Part  `json:"parts"`
}

// Compare aligns two names and scores them. The score is symmetric; of the parts, A is always of the first name.
func Compare(a, b *Name) Comparison {
	var s scorer
	score := s.score(a, b)
	return Comparison{Score: score, Parts: s.parts(a, b)}
}
