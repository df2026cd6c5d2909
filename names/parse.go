package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is read of a name at most; the rest is passed over.
const (
	maxWords     = 64
	maxWordRunes = 64
	maxTextBytes = 8 << 10
	maxInitials  = 6 // of a run of single letters that is tried as one abbreviation
)

// Parse reads a name. It never fails: what cannot be read has no words. At most 64 words are kept.
func Parse(text string, t Type) *Name {
	var p parser
	return p.parse(text, t)
}

// wordKey is what makes two words the same word.
type wordKey struct {
	text    string
	kind    Kind
	concept Concept
}

// key is the word's key among the words of a parser.
func (w *Word) key() wordKey { return wordKey{w.Text, w.Kind, w.Concept} }

// parser reads names. With words set, each distinct word is made once and kept there, and the names share it; the zero
// value makes every word anew. It is for one goroutine.
type parser struct {
	words map[wordKey]*Word

	tokens []token  // scratch of one name
	texts  []string // the tokens' texts, for lookup
}

// token is a word as it stands in the text.
type token struct {
	text   string
	script Script
	aside  bool // in brackets
	dotted bool // a letter with a dot or a stroke after it, or before it
	family bool // before the first comma
}

// parse reads a name as [Parse] does.
func (p *parser) parse(text string, t Type) *Name {
	n := &Name{Text: text, Type: t}
	if len(text) > maxTextBytes {
		n.cut = true
		text = text[:maxTextBytes]
		for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
			text = text[:len(text)-1]
		}
		text = text[:len(text)-1]
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, " ")
	}
	p.tokens = p.tokens[:0]
	if p.tokenise(fold(text), t) {
		n.cut = true
	}
	p.joinLetters(t)
	p.texts = p.texts[:0]
	for _, k := range p.tokens {
		p.texts = append(p.texts, k.text)
	}
	n.Words = make([]*Word, 0, min(len(p.tokens), maxWords))
	for i := 0; i < len(p.tokens); {
		if len(n.Words) == maxWords {
			n.cut = true
			break
		}
		i += p.take(n, i)
	}
	return n
}

// take reads the word or the phrase that begins at token i, and says how many tokens it is.
func (p *parser) take(n *Name, i int) int {
	k := p.tokens[i]
	m := lookup(p.texts[i:], n.Type)
	text, kind, taken := k.text, Proper, 1
	var concept Concept
	if m.n > 0 {
		kind, taken = m.kind, m.n
		if len(m.concepts) > 0 {
			concept = m.concepts[0]
		}
	}
	if taken > 1 {
		text = strings.Join(p.texts[i:i+taken], " ")
	}
	if m.n == 0 || kind == Particle && !k.dotted {
		switch {
		case k.script == Digits:
			kind = Number
		case n.Type == Person && isLetter(k.text) && (m.n == 0 || k.dotted):
			kind = Initial
		}
	}
	bit := uint64(1) << len(n.Words)
	if k.aside {
		n.aside |= bit
	}
	if k.family {
		n.family |= bit
	}
	n.Words = append(n.Words, p.word(text, k.script, kind, concept))
	return taken
}

// word is the word of that key, made when there is none yet.
func (p *parser) word(text string, s Script, kind Kind, concept Concept) *Word {
	key := wordKey{text, kind, concept}
	if w := p.words[key]; w != nil {
		return w
	}
	w := newWord(strings.Clone(text), s, kind, concept)
	if p.words != nil {
		p.words[w.key()] = w
	}
	return w
}

// newWord works out what is known of a word.
func newWord(text string, s Script, kind Kind, concept Concept) *Word {
	w := &Word{Text: text, Script: s, Kind: kind, Concept: concept}
	for i, r := range readings(strings.ReplaceAll(text, " ", ""), s) {
		if i == 0 {
			w.Latin = r
		} else if len(w.Alt) < 8 && r != w.Latin {
			w.Alt = append(w.Alt, r)
		}
	}
	if len(w.Latin) > maxWordRunes {
		w.Latin = w.Latin[:maxWordRunes]
	}
	w.Sound = sound(w.Latin)
	w.letters = letterSet(w.Latin)
	w.info = float32(information(w))
	return w
}

// isLetter says whether s is one letter.
func isLetter(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n == len(s) && unicode.IsLetter(r)
}
