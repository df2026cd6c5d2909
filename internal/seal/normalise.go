package seal

import "strings"

// plain are the letters that fold to one ASCII letter, or two; capitals are listed beside them.
var plain = foldTable(
	"a àáâãäåāăąÀÁÂÃÄÅĀĂĄ", "c çćĉċčÇĆĈĊČ", "d ďđĎĐ", "e èéêëēĕėęěÈÉÊËĒĔĖĘĚ", "g ĝğġģĜĞĠĢ", "h ĥħĤĦ",
	"i ìíîïĩīĭįıÌÍÎÏĨĪĬĮİ", "j ĵĴ", "k ķĶ", "l ĺļľłĹĻĽŁ", "n ñńņňÑŃŅŇ", "o òóôõöøōŏőÒÓÔÕÖØŌŎŐ", "r ŕŗřŔŖŘ",
	"s śŝşšșŚŜŞŠȘ", "t ţťŧțŢŤŦȚ", "u ùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ", "w ŵŴ", "y ýÿŷÝŶŸ", "z źżžŹŻŽ", "ij ĳĲ", "ss ßẞ", "ae æÆ", "oe œŒ",
)

func foldTable(lines ...string) map[rune]string {
	t := map[rune]string{}
	for _, l := range lines {
		to, from, _ := strings.Cut(l, " ")
		for _, r := range from {
			t[r] = to
		}
	}
	return t
}

const (
	// between separates words, as a space does.
	between = " \t\n\v\f\r,.-_+\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
		"\u2010\u2011\u2012\u2013\u2014\u2015\u2028\u2029\u202f\u205f\u2212\u3000"
	// unseen is dropped.
	unseen = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
)

// Normalise is how words are read that people typed from paper: in small letters without accents, with one space
// between them, whatever stood there (spaces, dashes, points, line ends). What it does not know stays as it is.
func Normalise(words string) string {
	var b strings.Builder
	gap := false
	for _, r := range words {
		if strings.ContainsRune(between, r) {
			gap = b.Len() > 0
			continue
		}
		if strings.ContainsRune(unseen, r) || r >= 0x300 && r <= 0x36f {
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		switch to, ok := plain[r]; {
		case ok:
			b.WriteString(to)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + 'a' - 'A')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
