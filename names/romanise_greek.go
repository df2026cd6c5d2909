package names

import "strings"

// greekLetters writes Greek as passports do (ELOT 743), but for the pairs of letters.
var greekLetters = table{
	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m", 'ν': "n",
	'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
}

// The further ways of writing Greek: h for χ and by sound; the way of books and of names taken into English.
var (
	greekSound   = table{'χ': "h", 'υ': "i", 'ξ': "ks"}
	greekBook    = table{'β': "b", 'η': "e", 'χ': "kh", 'υ': "y", 'φ': "ph"}
	greekEnglish = table{'κ': "c", 'φ': "ph", 'χ': "ch", 'β': "b", 'η': "e", 'υ': "y"}
)

// greek reads a Greek word in its usual ways.
func (r *reader) greek(word []rune) {
	plain := []rune(fold(string(word)))
	r.add(greekWrite(plain, "mp", "nt", "gk", nil))
	r.add(greekWrite(plain, "b", "d", "g", greekSound))
	r.add(greekWrite(plain, "b", "nt", "g", table{'χ': "kh", 'η': "e"}))
	r.add(greekWrite(plain, "mp", "nt", "gk", table{'χ': "h", 'υ': "i"}))
	r.add(spell(plain, greekBook, greekLetters))
	english := greekWrite(plain, "mp", "nt", "nk", greekEnglish)
	r.add(english)
	if stem, ok := strings.CutSuffix(english, "os"); ok {
		r.add(stem + "us")
	}
	if like, ok := allAlike(plain); ok {
		r.add(like)
	}
}

// greekWrite writes a folded Greek word; mp, nt and gk are how μπ, ντ and γκ are written.
func greekWrite(word []rune, mp, nt, gk string, letters table) string {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if i+1 < len(word) {
			if pair, ok := greekPair(word[i], word[i+1], word[i+2:]); ok {
				b.WriteString(pair)
				i++
				continue
			}
			switch {
			case word[i] == 'μ' && word[i+1] == 'π':
				b.WriteString(pick(i == 0, "b", mp))
				i++
				continue
			case word[i] == 'ν' && word[i+1] == 'τ':
				b.WriteString(nt)
				i++
				continue
			case word[i] == 'γ' && word[i+1] == 'κ':
				b.WriteString(gk)
				i++
				continue
			}
		}
		b.WriteString(spell(word[i:i+1], letters, greekLetters))
	}
	return b.String()
}

// greekPair is how two letters are written that stand for one sound, αυ and ευ by what follows them.
func greekPair(a, b rune, rest []rune) (string, bool) {
	switch {
	case a == 'ο' && b == 'υ':
		return "ou", true
	case a == 'γ' && (b == 'γ' || b == 'χ' || b == 'ξ'):
		return "n" + map[rune]string{'γ': "g", 'χ': "ch", 'ξ': "x"}[b], true
	case (a == 'α' || a == 'ε' || a == 'η') && b == 'υ':
		voice := "v"
		if len(rest) == 0 || strings.ContainsRune("θκξπστφχψ", rest[0]) {
			voice = "f"
		}
		return greekLetters[a] + voice, true
	}
	return "", false
}
