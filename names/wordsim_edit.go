package names

// The cost of edits in spelling; one plain letter for another costs 1.
const (
	costOpticalTwin = 0.25 // 0 for o, 1 for l
	costVowel       = 0.6  // a vowel for a vowel
	costLike        = 0.6  // letters that one sound is written with
	costNeighbour   = 0.85 // the next key of the keyboard
	costDouble      = 0.45 // a letter doubled, or no more doubled
	costMute        = 0.5  // an h that comes or goes
	costLoseVowel   = 0.75
	costSwap        = 0.7  // two letters that changed places
	costTwo         = 0.4  // two letters for the one that is written for the same sound
	costDigit       = 30   // a digit for another, or for a letter that is not like it: it is another number
	firstLetter     = 1.35 // times as dear at the first letter, where few err
)

// shortWord is how much more an edit costs for each letter that a word has less than five.
const shortWord = 0.08

const maxEdit = 48 // letters that are compared of a word

// letters are romanised letters.
type letters interface{ string | []byte }

// editSim is how alike two romanised words are by their letters. It is symmetric.
func editSim[A, B letters](a A, b B) float64 {
	a, b = a[:min(len(a), maxEdit)], b[:min(len(b), maxEdit)]
	if x, y := patronymicStem(a), patronymicStem(b); x < len(a) && y < len(b) {
		a, b = a[:x], b[:y] // an ending that both have says nothing
	} else if n := sharedEnding(a, b); n > 0 {
		a, b = a[:len(a)-n], b[:len(b)-n]
	}
	size := float64(len(a)+len(b)) / 2
	d := editDistance(a, b)
	return max(0, 1-d/(0.5*size+0.8)-shortWord*d*max(0, 5-size))
}

// surnameEndings are what the surnames of a country end with by the thousand, longer ones first.
var surnameEndings = [...]string{"ovic", "evic", "owski", "ewski", "inski", "ski", "sky", "ic", "mann", "man", "enko", "yan", "ian", "dze", "shvili",
	"son", "sen", "oglu", "zadeh", "illo", "ard", "er", "awa", "moto", "ura"}

// sharedEnding is how many letters two words have in common at their ends because their surnames are made so; 0 when too
// little would be left of either.
func sharedEnding[A, B letters](a A, b B) int {
	const least = 3
	for _, end := range surnameEndings {
		n := len(end)
		if len(a) >= n+least && len(b) >= n+least && string(a[len(a)-n:]) == end && string(b[len(b)-n:]) == end {
			return n
		}
	}
	return 0
}

// editDistance is the least cost of the edits that make b of a: letters put in, left out, changed, or swapped with the
// next one.
func editDistance[A, B letters](a A, b B) float64 {
	for len(a) > 1 && len(b) > 1 && a[len(a)-1] == b[len(b)-1] && a[len(a)-2] == b[len(b)-2] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var rows [3][maxEdit + 1]float64
	var twos [maxEdit]uint32
	before, prev, row := &rows[0], &rows[1], &rows[2]
	prev[0] = 0
	for j := range len(b) {
		prev[j+1] = prev[j] + costOne(b, j)
		if j > 0 {
			twos[j] = oneForTwo(b[j-1], b[j])
		}
	}
	for i := range len(a) {
		lose := costOne(a, i)
		row[0] = prev[0] + lose
		two := uint32(0)
		if i > 0 {
			two = oneForTwo(a[i-1], a[i])
		}
		for j := range len(b) {
			if a[i] == b[j] {
				row[j+1] = prev[j]
				continue
			}
			c := costChange(a[i], b[j])
			if i == 0 && j == 0 {
				c *= firstLetter
			}
			d := min(prev[j]+c, prev[j+1]+lose, row[j]+costOne(b, j))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] && !isDigit(a[i]) && !isDigit(b[j]) {
				d = min(d, before[j-1]+costSwap)
			}
			if two != 0 && isIn(two, b[j]) {
				d = min(d, before[j]+costTwo)
			}
			if twos[j] != 0 && isIn(twos[j], a[i]) {
				d = min(d, prev[j-1]+costTwo)
			}
			row[j+1] = d
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}

// oneForTwo are the letters that are written for the sound of two letters, one bit each.
func oneForTwo(x, y byte) uint32 {
	if y == 'h' {
		switch x {
		case 't':
			return 1<<('s'-'a') | 1<<('t'-'a') | 1<<('z'-'a')
		case 'd':
			return 1<<('d'-'a') | 1<<('z'-'a')
		case 'k', 'c':
			return 1<<('h'-'a') | 1<<('k'-'a') | 1<<('x'-'a')
		case 's', 'z':
			return 1<<('s'-'a') | 1<<('j'-'a') | 1<<('x'-'a')
		case 'p':
			return 1 << ('f' - 'a')
		case 'g':
			return 1<<('g'-'a') | 1<<('q'-'a')
		}
		return 0
	}
	switch [2]byte{x, y} {
	case [2]byte{'o', 'u'}, [2]byte{'o', 'o'}:
		return 1<<('u'-'a') | 1<<('w'-'a')
	case [2]byte{'e', 'e'}, [2]byte{'i', 'j'}, [2]byte{'i', 'y'}, [2]byte{'y', 'i'}, [2]byte{'i', 'e'}, [2]byte{'e', 'i'}:
		return 1<<('i'-'a') | 1<<('y'-'a') | 1<<('j'-'a')
	case [2]byte{'a', 'i'}, [2]byte{'e', 'y'}, [2]byte{'a', 'y'}:
		return 1<<('e'-'a') | 1<<('i'-'a')
	case [2]byte{'c', 'k'}, [2]byte{'q', 'u'}:
		return 1 << ('k' - 'a')
	case [2]byte{'k', 's'}:
		return 1 << ('x' - 'a')
	case [2]byte{'d', 'j'}:
		return 1 << ('j' - 'a')
	case [2]byte{'t', 's'}, [2]byte{'t', 'z'}:
		return 1<<('c'-'a') | 1<<('z'-'a')
	}
	return 0
}

// isIn says whether a set of letters, one bit each, holds c.
func isIn(set uint32, c byte) bool {
	return c >= 'a' && c <= 'z' && set&(1<<(c-'a')) != 0
}

// costOne is the cost of the letter at s[i] coming or going.
func costOne[S letters](s S, i int) float64 {
	c := s[i]
	switch {
	case i > 0 && s[i-1] == c && !isDigit(c):
		return costDouble
	case i > 0 && c == 'h':
		return costMute
	case isDigit(c):
		return costDigit
	case i == 0:
		return firstLetter
	case isVowel(c):
		return costLoseVowel
	}
	return 1
}

// costChange is the cost of one letter for another, different one.
func costChange(a, b byte) float64 {
	if a > b {
		a, b = b, a
	}
	switch {
	case a <= '9': // digits sort before letters
		if b <= '9' {
			return costDigit
		}
		switch [2]byte{a, b} {
		case [2]byte{'0', 'o'}, [2]byte{'1', 'i'}, [2]byte{'1', 'l'}, [2]byte{'5', 's'}, [2]byte{'8', 'b'},
			[2]byte{'3', 'e'}, [2]byte{'4', 'a'}, [2]byte{'9', 'g'}, [2]byte{'2', 'z'}, [2]byte{'6', 'b'}:
			return costOpticalTwin
		}
		return costDigit
	case a < 'a' || b > 'z':
		return 1
	case isVowel(a) && isVowel(b):
		return costVowel
	case likeLetters[a-'a']&(1<<(b-'a')) != 0:
		return costLike
	case nextKeys[a-'a']&(1<<(b-'a')) != 0:
		return costNeighbour
	}
	return 1
}

// sameDigits says whether two words have the same digits in the same order.
func sameDigits(a, b string) bool {
	for i, j := 0, 0; ; i, j = i+1, j+1 {
		for i < len(a) && !isDigit(a[i]) {
			i++
		}
		for j < len(b) && !isDigit(b[j]) {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isVowel(c byte) bool {
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'
}

// likeLetters are, by letter, the letters that the same sound is often written with, or that look alike.
var likeLetters = letterPairs("bv bp ck cs cz cq dt dz fv gj gk gh hk hx hj ij il jy jz kq kx lr mn nm pf qg sz sx td uv uw vw wv xz")

// nextKeys are, by letter, the letters beside it on the usual keyboard.
var nextKeys = letterPairs("qw we er rt ty yu ui io op as sd df fg gh hj jk kl zx xc cv vb bn nm " +
	"qa ws ed rf tg yh uj ik ol az sx dc fv gb hn jm wa es rd ft gy hu ji ko lp sz dx fc gv hb jn km")

// letterPairs makes a table of pairs of letters, each in both directions.
func letterPairs(pairs string) (table [26]uint32) {
	for i := 0; i+1 < len(pairs); i += 3 {
		a, b := pairs[i]-'a', pairs[i+1]-'a'
		table[a] |= 1 << b
		table[b] |= 1 << a
	}
	return table
}
