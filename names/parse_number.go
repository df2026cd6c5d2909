package names

import (
	"strconv"
	"strings"
)

// numerals are the Roman numbers that names bear, by value.
var numerals = [...]string{1: "i", 2: "ii", 3: "iii", 4: "iv", 5: "v", 6: "vi", 7: "vii", 8: "viii", 9: "ix", 10: "x", 11: "xi", 12: "xii", 13: "xiii",
	14: "xiv", 15: "xv", 16: "xvi", 17: "xvii", 18: "xviii", 19: "xix", 20: "xx", 21: "xxi", 22: "xxii", 23: "xxiii", 24: "xxiv"}

// isNumberSign says whether a word only says that a number follows: "No. 7", "Nr 7", "number seven".
func isNumberSign(text string) bool {
	switch text {
	case "no", "nr", "num", "number", "numero", "numer", "nummer", "nro", "ndeg", "n", "номер", "номера", "رقم", "شماره", "第":
		return true
	}
	return false
}

// numberAt says whether token i is a number, in digits or in a word.
func (p *parser) numberAt(i int, t Type) bool {
	return i < len(p.tokens) && (p.digitsOf(i, t) != "" || lookup(p.texts[i:i+1], t).kind == Number)
}

// digitsOf is the number that token i is, in digits: "44", "21st", "XIV"; "" when it is none. Roman numbers are read in
// the names of firms and ships, but not at the front; those that are also words, only behind a word of the trade where
// the type is not known; single letters, only behind one at the end.
func (p *parser) digitsOf(i int, t Type) string {
	k := p.tokens[i]
	text := k.text
	if k.script == Digits {
		return arabicDigits(text)
	}
	if n := len(text); n > 2 && isDigit(text[0]) {
		switch text[n-2:] {
		case "st", "nd", "rd", "th":
			if _, err := strconv.Atoi(text[:n-2]); err == nil {
				return text[:n-2]
			}
		}
	}
	if i == 0 || t == Person || k.script != Latin || len(text) > 5 {
		return ""
	}
	single := len(text) == 1
	if (t == Any && (text == "vi" || text == "xi") || single) && !p.isTrade(i-1, t) || single && i+1 < len(p.tokens) {
		return ""
	}
	for value, numeral := range numerals {
		if text == numeral && value > 0 {
			return strconv.Itoa(value)
		}
	}
	return ""
}

// isTrade says whether token i, or what stands before it when it is a number sign, is a word of the trade.
func (p *parser) isTrade(i int, t Type) bool {
	if i > 0 && isNumberSign(p.texts[i]) {
		i--
	}
	return lookup(p.texts[i:i+1], t).kind == Trade
}

// arabicDigits are digits of any script as those of ASCII, without zeros in front.
func arabicDigits(s string) string {
	readings := readings(s, Digits)
	if len(readings) > 0 {
		s = readings[0]
	}
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0"
	}
	return s
}

// addUp makes one word of a ten and a unit that are written as two: "forty four", "twenty 1".
func (p *parser) addUp(n *Name) {
	for i := 0; i+1 < len(n.Words); i++ {
		v, w := n.Words[i], n.Words[i+1]
		if v.Kind != Number || w.Kind != Number || v.Concept == 0 {
			continue
		}
		ten, err1 := strconv.Atoi(numberOf(v))
		unit, err2 := strconv.Atoi(numberOf(w))
		if err1 != nil || err2 != nil || ten < 20 || ten > 90 || ten%10 != 0 || unit < 1 || unit > 9 {
			continue
		}
		k := token{script: v.Script, digits: strconv.Itoa(ten + unit)}
		n.Words[i] = p.word(v.Text+" "+w.Text, k, Number, 0)
		n.Words = append(n.Words[:i+1], n.Words[i+2:]...)
		n.aside, n.family = dropBit(n.aside, i+1), dropBit(n.family, i+1)
	}
}

// dropBit takes bit i out and moves those above it down.
func dropBit(bits uint64, i int) uint64 {
	return bits&lowBits(i) | bits>>(i+1)<<i
}
