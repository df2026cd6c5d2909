package names

// What is looked up of words and names is bounded: longer words are met by the keys of their beginning.
const (
	maxKeyed      = 32 // letters of a word that keys are made of
	minLacking    = 4  // letters of a word that is also met when one is lost
	minLackingTwo = 6  // letters of a word of a query that is also tried without two of them
	maxLackingTwo = 16 // and at most
	minSoundLack  = 5  // sounds of a word that is also met when one is lost
	minJoined     = 4  // letters of two words that are also met when written together
	minSoundJoin  = 4  // sounds of two words that are met together by their sound, not by their letters
)

// keysOfWords leads from what a word may be written or heard as to the word.
func (x *Index) keysOfWords() keyTable {
	var e keyEntries
	for i, w := range x.words {
		eachKey(w, func(key uint32, _ keyGrade) { e.add(key, uint32(i)) })
	}
	return e.table()
}

// keyGrade is how much a shared key says of two words; the surest first.
type keyGrade uint8

const (
	sameReading keyGrade = iota
	sameMeaning
	sameGiven
	oneLetterOff
	sameSound
	nearSound
	twoLettersOff
	keyGrades
)

// eachKey calls f with the keys of a word. Two words that share one are worth comparing.
func eachKey(w *Word, f func(key uint32, grade keyGrade)) {
	f(hashKey(readingHash, clipKey(w.Text), -1), sameReading)
	if w.Latin != w.Text && w.Latin != "" {
		f(hashKey(readingHash, clipKey(w.Latin), -1), sameReading)
	}
	for _, alt := range w.Alt {
		f(hashKey(readingHash, clipKey(alt), -1), sameReading)
	}
	if w.Concept != 0 {
		f(mixKey(conceptHash+uint32(w.Concept)*2654435761), sameMeaning)
	}
	if w.Kind == Proper {
		for _, r := range tables().given[w.Latin] {
			if r.role != roleWeak {
				f(mixKey(givenHash+uint32(r.group)*2654435761), sameGiven)
			}
		}
	}
	eachLacking(lackingHash, w.Latin, minLacking, func(key uint32) { f(key, oneLetterOff) })
	if w.Script != Latin {
		for _, alt := range w.Alt {
			eachLacking(lackingHash, alt, minLacking, func(key uint32) { f(key, oneLetterOff) })
		}
	}
	if len(w.Sound) > 1 {
		f(hashKey(soundHash, clipKey(w.Sound), -1), sameSound)
		eachLacking(soundLackingHash, w.Sound, minSoundLack, func(key uint32) { f(key, nearSound) })
	}
}

// eachLacking calls f with the key of s and of s without each of its letters: two words one letter apart share one of
// them, whether a letter is lost, changed or moved by one.
func eachLacking(kind uint32, s string, least int, f func(key uint32)) {
	if len(s) < least {
		return
	}
	s = clipKey(s)
	f(hashKey(kind, s, -1))
	for i := range len(s) {
		if i == 0 || s[i] != s[i-1] { // of a doubled letter either leaves the same
			f(hashKey(kind, s, i))
		}
	}
}

// eachLackingTwo calls f with the key of s without each two of its letters: what stays of s may be a whole word of
// the index, or one that lost a letter itself. Only queries are tried so: it costs an index nothing.
func eachLackingTwo(s string, f func(key uint32)) {
	if len(s) < minLackingTwo || len(s) > maxLackingTwo {
		return
	}
	var buf [maxLackingTwo]byte
	for i := range len(s) {
		rest := append(append(buf[:0], s[:i]...), s[i+1:]...)
		for j := i; j < len(rest); j++ {
			if j == 0 || rest[j] != rest[j-1] {
				f(hashKey(lackingHash, string(rest), j))
			}
		}
	}
}

func clipKey(s string) string { return s[:min(len(s), maxKeyed)] }

// keysOfNames leads from two adjacent words written together, in either order, from the first letters of all words, and
// from the organisations that a name names, to the name.
func (x *Index) keysOfNames() keyTable {
	var e keyEntries
	for i, n := range x.names {
		words := n.Words
		for _, r := range n.orgs {
			e.add(orgKey(r.org), uint32(i))
		}
		if len(words) < 2 {
			continue
		}
		for j, a := range words {
			b := words[(j+1)%len(words)]
			for _, pair := range [2][2]*Word{{a, b}, {b, a}} {
				if key, ok := joinedKeyOf(pair[0].Latin, pair[1].Latin); ok {
					e.add(key, uint32(i))
				}
			}
		}
		for len(words) > 0 && words[len(words)-1].Kind == LegalForm {
			words = words[:len(words)-1]
		}
		if len(words) < minLetters || len(words) > maxSpan || n.Type == Person {
			continue
		}
		for _, particles := range [2]bool{true, false} {
			if text := firstLetters(words, particles); len(text) >= minLetters {
				e.add(hashKey(lettersHash, text, -1), uint32(i))
			}
		}
	}
	return e.table()
}

// orgKey is the key of an organisation that a name names.
func orgKey(c Concept) uint32 { return mixKey(orgHash + uint32(c)*2654435761) }

// joinedKeyOf is the key of two words written together.
func joinedKeyOf(a, b string) (uint32, bool) {
	if a == "" || b == "" || len(a)+len(b) < minJoined || len(a)+len(b) > maxKeyed {
		return 0, false
	}
	return joinedKeyOfWhole(a+b, ""), true
}

// joinedKeyOfWhole is the same key, of the word that may be two. heard is its sound where it is known.
func joinedKeyOfWhole(latin, heard string) uint32 {
	if heard == "" {
		heard = sound(latin)
	}
	if len(heard) >= minSoundJoin {
		return hashKey(joinedHash, heard, -1)
	}
	return hashKey(joinedHash, latin, -1)
}
