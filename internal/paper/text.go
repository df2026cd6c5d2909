package paper

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"github.com/polder-exchange/polder/names"
)

// letters are the characters of the basic plane that the document's fonts have.
var letters = sync.OnceValue(func() *[1 << 16]bool {
	have := &[1 << 16]bool{}
	var fonts []*sfnt.Font
	for _, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			return have // then everything is given by its code points
		}
		fonts = append(fonts, f)
	}
	var buf sfnt.Buffer
	for r := range have {
		have[r] = true
		for _, f := range fonts {
			n, err := f.GlyphIndex(&buf, rune(r))
			have[r] = have[r] && err == nil && n != 0
		}
	}
	return have
})

// Prints tells whether a character comes out as itself.
func Prints(r rune) bool {
	return r >= ' ' && r < 1<<16 && r != unicode.ReplacementChar && letters()[r] && !unicode.Is(unicode.Cf, r) && !unicode.IsControl(r)
}

// Text is s, on one line, in letters that the document has. A word with others is romanised in brackets; what cannot be,
// and what would hide or turn its neighbours, is given by its code point. as tells whether it is all as it was.
func Text(s string) (out string, as bool) {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")))
	if strings.IndexFunc(s, func(r rune) bool { return !Prints(r) }) < 0 {
		return s, true
	}
	var b strings.Builder
	for i, word := range strings.Split(s, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		printWord(&b, word)
	}
	return b.String(), false
}

// printWord writes a word: runs of characters as they are, and what lies between them otherwise.
func printWord(b *strings.Builder, word string) {
	for word != "" {
		n := strings.IndexFunc(word, func(r rune) bool { return !Prints(r) })
		if n < 0 {
			b.WriteString(word)
			return
		}
		b.WriteString(word[:n])
		word = word[n:]
		first, _ := utf8.DecodeRuneInString(word)
		end, count := len(word), 0
		for i, r := range word {
			if Prints(r) || signs(r) != signs(first) || count == romanisedAtOnce {
				end = i
				break
			}
			count++
		}
		b.WriteString(romanised(word[:end]))
		word = word[end:]
	}
}

// romanisedAtOnce is how many characters are read as one name: a name has a bounded number of words.
const romanisedAtOnce = 24

// signs tells whether a character is no letter of any script.
func signs(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) }

// romanised is a run of letters of other scripts in Latin ones, or its code points, in brackets.
func romanised(run string) string {
	var latin []string
	for _, w := range names.Parse(run, names.Any).Words {
		if w.Latin == "" || strings.IndexFunc(w.Latin, func(r rune) bool { return r > 0x7e || r < ' ' }) >= 0 {
			latin = nil
			break
		}
		latin = append(latin, w.Latin)
	}
	if len(latin) > 0 {
		return "[" + strings.Join(latin, " ") + "]"
	}
	var b strings.Builder
	for _, r := range run {
		fmt.Fprintf(&b, "[U+%04X]", r)
	}
	return b.String()
}
