package names

import (
	"slices"
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
	begins []int    // the word that begins with each token, or -1
}

// token is a word as it stands in the text.
type token struct {
	text   string
	script Script
	aside  bool   // in brackets
	dotted bool   // a letter with a dot or a stroke after it, or before it
	family bool   // before the first comma
	said   bool   // it says several things; a word of the name is one of them
	digits string // the number that it is
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
	if t == Person || t == Any { // letters that stand together in the name of a firm are one word
		n.bag = bagOf(p.tokens)
	}
	p.joinLetters(t)
	p.joinServant()
	if n.bag == 0 {
		n.bag = bagOf(p.tokens)
	}
	p.texts = p.texts[:0]
	for _, k := range p.tokens {
		p.texts = append(p.texts, k.text)
	}
	p.mendErrors(t)
	p.mendForm(t)
	n.Words = make([]*Word, 0, min(len(p.tokens), maxWords))
	p.begins = p.begins[:0]
	for i := 0; i < len(p.tokens); {
		if len(n.Words) == maxWords {
			n.cut = true
			break
		}
		first := len(n.Words)
		taken := p.take(n, i)
		p.begins = append(p.begins, first)
		for range taken - 1 {
			p.begins = append(p.begins, -1)
		}
		i += taken
	}
	p.findOrganisations(n)
	words := len(n.Words)
	p.addUp(n)
	if len(n.Words) != words {
		n.orgs = nil // their places have moved
	}
	if t == Any && !isPersonal(n) {
		n.family = 0 // what stands before a comma in the name of a firm is no surname
	}
	if t == Person || t == Any {
		p.restoreNames(n)
	}
	if t == Any {
		p.restoreSurname(n)
		p.restorePlaces(n)
	}
	return n
}

// bagOf is a number that words share with the same words in another order, and hardly with any others; 0 for fewer than
// two.
func bagOf(words []token) uint64 {
	if len(words) < 2 {
		return 0
	}
	var bag uint64
	for _, w := range words {
		h := uint64(14695981039346656037)
		for i := range len(w.text) {
			h = (h ^ uint64(w.text[i])) * 1099511628211
		}
		bag += (h ^ h>>32) * 0x9e3779b97f4a7c15
	}
	return max(bag, 1)
}

// noblesse are the articles and prepositions that stand before surnames, between spaces.
const noblesse = " de der den van von zu ter ten di da do dos la le du del della "

// restoreSurname takes a word of the trade behind an article for a surname, where nothing else is of a firm: "Emma de
// Groot".
func (p *parser) restoreSurname(n *Name) {
	last := len(n.Words) - 1
	if last < 2 || last > 4 || n.Words[last].Kind != Trade || n.Words[last-1].Kind != Particle {
		return
	}
	for _, w := range n.Words[:last-1] {
		if w.Kind != Particle && w.Kind != Proper || w.Script != Latin {
			return
		}
	}
	if w := n.Words[last]; n.Words[0].Kind == Proper && strings.Contains(noblesse, " "+n.Words[last-1].Text+" ") {
		n.Words[last] = p.word(w.Text, token{script: w.Script}, Proper, w.Concept)
	}
}

// restorePlaces takes places for names in a short name that has nothing of a firm: "Jordan Miller", "Oman Salahudin".
func (p *parser) restorePlaces(n *Name) {
	if len(n.Words) > 3 {
		return
	}
	for _, w := range n.Words {
		if w.Kind == Trade || w.Kind == LegalForm || w.Kind == Number || w.Script != Latin {
			return
		}
	}
	for i, w := range n.Words {
		if w.Kind == Place {
			n.Words[i] = p.word(w.Text, token{script: w.Script}, Proper, w.Concept)
		}
	}
}

// isPersonal says whether all words of a name may stand in a person's.
func isPersonal(n *Name) bool {
	for _, w := range n.Words {
		switch w.Kind {
		case Trade, LegalForm, Number, Place:
			return false
		}
	}
	return true
}

// restoreNames takes words for names again that were taken for titles, particles or legal forms, where too little of a
// name would be left: "Wu Hao", "Leonor Marques".
func (p *parser) restoreNames(n *Name) {
	if last := len(n.Words) - 1; last > 0 && n.Type == Person && n.family == 0 && n.Words[last].Kind == Particle {
		p.restore(n, last) // a particle links what follows it
	}
	names, small := 0, 0
	for i, w := range n.Words {
		if i > 0 && w.Kind == Title && len(w.Latin) < 4 && n.Words[i-1].Kind != Title && !isFirstGiven(n, i) {
			p.restore(n, i) // short titles stand in front
			w = n.Words[i]
		}
		switch w.Kind {
		case Title, Particle:
			small++
		case LegalForm:
			if n.Type == Person {
				small++
			} else {
				return
			}
		case Initial:
		default:
			names++
		}
	}
	if names >= 2 || small == 0 || names == 0 && n.Type == Any {
		return
	}
	for i, w := range n.Words {
		if w.Kind == Title || w.Kind == Particle || w.Kind == LegalForm {
			p.restore(n, i)
		}
	}
}

// isFirstGiven says whether word i is the first behind the comma of "SURNAME, Given".
func isFirstGiven(n *Name, i int) bool {
	return n.family>>(i-1)&1 == 1 && n.family>>i&1 == 0
}

// restore takes word i for a name.
func (p *parser) restore(n *Name, i int) {
	w := n.Words[i]
	n.Words[i] = p.word(w.Text, token{script: w.Script}, Proper, 0)
}

// take reads the word or the phrase that begins at token i, and says how many tokens it is. A phrase is one word, but
// for one that says several things ("工业大学": university, technology): that is a word for each.
func (p *parser) take(n *Name, i int) int {
	k := p.tokens[i]
	m := lookup(p.texts[i:], n.Type)
	if m.weak && !p.atAnEnd(i, m.n) {
		m = meaning{}
	}
	if m.n < 2 && isNumberSign(k.text) && p.numberAt(i+1, n.Type) {
		p.add(n, k, k.text, Particle, 0)
		return 1
	}
	if k.digits = p.digitsOf(i, n.Type); k.digits != "" && m.n < 2 {
		p.add(n, k, k.text, Number, 0)
		return 1
	}
	if m.n == 0 {
		if !p.takeArticle(n, i) {
			p.add(n, k, k.text, p.kindOf(k, n.Type), 0)
		}
		return 1
	}
	text := p.writtenAs(i, m.n)
	if n.Type == Person && m.n == 1 && isInitial(k) && (k.dotted || !linksNames(k.text)) {
		m.kind, m.concepts = Initial, nil
	}
	switch len(m.concepts) {
	case 0:
		p.add(n, k, text, m.kind, 0)
	case 1:
		p.add(n, k, text, m.kind, m.concepts[0])
	default:
		k.said = true
		for _, c := range m.concepts[:min(len(m.concepts), maxWords-len(n.Words))] {
			p.add(n, k, text, m.kind, c)
		}
	}
	return m.n
}

// takeArticle reads token i as the article, or a preposition with it, and the word that they are written on.
func (p *parser) takeArticle(n *Name, i int) bool {
	k := p.tokens[i]
	if k.script != Arabic || len(n.Words)+1 >= maxWords {
		return false
	}
	rest := withoutArticle(k.text, n.Type, i == 0)
	if rest == "" {
		return false
	}
	article := lookup([]string{arabicThe}, n.Type)
	p.add(n, k, arabicThe, article.kind, article.concepts[0])
	k.text = rest
	m := lookup([]string{rest}, n.Type)
	if m.n == 0 || m.weak || len(m.concepts) != 1 {
		m = meaning{kind: p.kindOf(k, n.Type), concepts: []Concept{0}}
	}
	p.add(n, k, rest, m.kind, m.concepts[0])
	return true
}

// linksNames says whether a single letter stands between the names of a person as a word: "Ortega y Gasset".
func linksNames(letter string) bool {
	return strings.Contains("yeidl", letter)
}

// kindOf is the kind of a token that the lexicon does not know.
func (p *parser) kindOf(k token, t Type) Kind {
	if t == Person && isInitial(k) {
		return Initial
	}
	return Proper
}

// atAnEnd says whether n tokens from i on begin or end the name, or end what stands before brackets or a comma.
func (p *parser) atAnEnd(i, n int) bool {
	end := i + n
	return i == 0 || end == len(p.tokens) || p.tokens[end].aside && !p.tokens[i].aside
}

// add adds a word to the name.
func (p *parser) add(n *Name, k token, text string, kind Kind, c Concept) {
	bit := uint64(1) << len(n.Words)
	if k.aside {
		n.aside |= bit
	}
	if k.family {
		n.family |= bit
	}
	n.Words = append(n.Words, p.word(text, k, kind, c))
}

// word is the word of that key, made when there is none yet.
func (p *parser) word(text string, k token, kind Kind, concept Concept) *Word {
	key := wordKey{text, kind, concept}
	if w := p.words[key]; w != nil {
		return w
	}
	w := &Word{Text: strings.Clone(text), Script: k.script, Kind: kind, Concept: concept}
	switch {
	case k.digits != "":
		w.addReadings([]string{k.digits}, 0)
	case k.said:
		w.addReadings([]string{latinLetters(concept.String())}, 0)
	}
	w.know()
	if p.words != nil {
		p.words[w.key()] = w
	}
	return w
}

// newWord is a word with what is known of it.
func newWord(text string, s Script, kind Kind, concept Concept) *Word {
	w := &Word{Text: text, Script: s, Kind: kind, Concept: concept}
	w.know()
	return w
}

// know works out what is known of a word by how it is written, and by its romanisation when it has one already.
func (w *Word) know() {
	if w.Latin == "" {
		if w.Script == Arabic && w.Kind == Proper {
			w.addReadings(givenReadings(w.Text), 5)
		}
		w.addReadings(readings(strings.ReplaceAll(w.Text, " ", ""), w.Script), 8)
	}
	w.Sound = sound(w.Latin)
	w.letters = letterSet(w.Latin)
	w.info = float32(information(w))
}

// latinLetters are the letters of an English word or phrase, in lower case.
func latinLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// addReadings adds romanisations, the usual one first, until the word has most beside that.
func (w *Word) addReadings(all []string, most int) {
	for _, r := range all {
		if len(r) > maxWordRunes {
			r = r[:maxWordRunes]
		}
		switch {
		case r == "" || r == w.Latin:
		case w.Latin == "":
			w.Latin = r
		case len(w.Alt) < most && !slices.Contains(w.Alt, r):
			w.Alt = append(w.Alt, r)
		}
	}
}

// isInitial says whether a token may be an initial: one letter of a script that writes sounds, not syllables.
func isInitial(k token) bool {
	return k.script != Han && k.script != Hangul && k.script != Kana && isLetter(k.text)
}

// isLetter says whether s is one letter.
func isLetter(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n == len(s) && unicode.IsLetter(r)
}
