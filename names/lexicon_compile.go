package names

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed lexicon/*.tsv
var lexiconFiles embed.FS

// lexiconRow is a line of a table: its fields, and where it stands.
type lexiconRow struct {
	fields []string
	at     string // file:line
}

// lexiconTable reads a table: lines of fields with tabs between them; # begins a comment.
func lexiconTable(name string) ([]lexiconRow, error) {
	b, err := lexiconFiles.ReadFile("lexicon/" + name)
	if err != nil {
		return nil, err
	}
	var rows []lexiconRow
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		rows = append(rows, lexiconRow{strings.Split(line, "\t"), fmt.Sprintf("%s:%d", name, n)})
	}
	return rows, nil
}

// compiler puts the tables together. Written forms come first; what is made from them (romanisations, pinyin) only
// takes what no table says otherwise.
type compiler struct {
	*lexicon
	made []madeForm
}

// madeForm is a form that was written in another script than Latin, kept for its romanisations.
type madeForm struct {
	words []string
	entry int32
	org   Concept
	kind  Kind
}

// wordTables are the tables of words with a meaning, in the order in which they speak first.
var wordTables = []struct {
	file string
	kind Kind
}{
	{"legal.tsv", LegalForm},
	{"trade.tsv", Trade},
	{"numbers.tsv", Number},
	{"particles.tsv", Particle},
	{"titles.tsv", Title},
	{"places.tsv", Place},
}

func compileLexicon() (*lexicon, error) {
	c := &compiler{lexicon: &lexicon{
		concepts: make([]concept, 1), ids: map[conceptKey]Concept{}, entries: make([]entry, 1),
		words: newWordTree(), han: newRuneTree(), plain: map[rune]rune{},
		given: map[string][]givenRole{}, native: map[string][]string{}, common: map[string]uint8{},
	}}
	if err := c.hanForms(); err != nil {
		return nil, err
	}
	var errs []error
	for _, t := range wordTables {
		errs = append(errs, c.wordTable(t.file, t.kind))
	}
	errs = append(errs, c.organisations())
	c.romanise()
	errs = append(errs, c.givenNames(), c.commonWords(), c.genericWords())
	return c.lexicon, errors.Join(errs...)
}

// hanForms reads the forms of Han letters: the simplified one, then the others.
func (c *compiler) hanForms() error {
	rows, err := lexiconTable("hanforms.tsv")
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, pair := range strings.Fields(r.fields[0]) {
			simplified, n := utf8.DecodeRuneInString(pair)
			for _, other := range pair[n:] {
				if old, ok := c.plain[other]; ok && old != simplified {
					return fmt.Errorf("%s: %c is a form of %c and of %c", r.at, other, old, simplified)
				}
				c.plain[other] = simplified
			}
		}
	}
	return nil
}

// wordTable reads a table of concepts (joined by +) and their forms (between |). A form that ends in ? is weak; one
// that ends in ~ or ^ is the stem of a Russian or Ukrainian adjective.
func (c *compiler) wordTable(file string, k Kind) error {
	rows, err := lexiconTable(file)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range rows {
		if len(r.fields) != 2 {
			return fmt.Errorf("%s: %d fields; a concept and its forms would be right", r.at, len(r.fields))
		}
		strong, weak := int32(0), int32(0)
		for _, form := range strings.Split(r.fields[1], "|") {
			stem, isWeak := strings.CutSuffix(form, "?")
			e := &strong
			if isWeak {
				e = &weak
			}
			if *e == 0 {
				*e = c.entry(strings.Split(r.fields[0], "+"), k, isWeak)
			}
			for _, f := range inflect(stem) {
				if err := c.written(f, *e, 0, k); err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", r.at, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// entry makes an entry of concepts, which all are of one kind.
func (c *compiler) entry(names []string, k Kind, weak bool) int32 {
	e := entry{kind: k, weak: weak, first: int32(len(c.lists)), count: int32(len(names))}
	for _, n := range names {
		c.lists = append(c.lists, c.concept(conceptKey{name: n, kind: k}))
	}
	c.entries = append(c.entries, e)
	return int32(len(c.entries) - 1)
}

func (c *compiler) concept(k conceptKey) Concept {
	id, ok := c.ids[k]
	if !ok {
		id = Concept(len(c.concepts))
		c.ids[k], c.concepts = id, append(c.concepts, concept{k.name, k.kind})
	}
	return id
}

// The endings of adjectives: nominative of all genders, genitive, and the short form that begins compounds.
var (
	russianEndings     = []string{"ый", "ая", "ое", "ые", "ого", "ых", "о"}
	russianEndingsSoft = []string{"ий", "ая", "ое", "ие", "ого", "их", "о"} // after к, г, х, ж, ч, ш, щ
	ukrainianEndings   = []string{"ий", "а", "е", "і", "ого", "ої", "их", "о"}
)

// inflect is a form with all its endings.
func inflect(form string) []string {
	stem, russian := strings.CutSuffix(form, "~")
	stem, ukrainian := strings.CutSuffix(stem, "^")
	endings := russianEndings
	switch last, _ := utf8.DecodeLastRuneInString(stem); {
	case ukrainian:
		endings = ukrainianEndings
	case !russian:
		return []string{form}
	case strings.ContainsRune("кгхжчшщ", last):
		endings = russianEndingsSoft
	}
	forms := make([]string, len(endings))
	for i, e := range endings {
		forms[i] = stem + e
	}
	return forms
}

// written adds a form that a table says. Two meanings of one kind for one form contradict each other.
func (c *compiler) written(form string, e int32, org Concept, k Kind) error {
	for _, words := range spellings(form) {
		if len(words) > maxRun {
			return fmt.Errorf("%q has %d words; at most %d are read", form, len(words), maxRun)
		}
		n := c.at(words, org != 0)
		if n == nil {
			return fmt.Errorf("%q has no letters", form)
		}
		if !isASCII(words[0]) {
			c.made = append(c.made, madeForm{words, e, org, k})
		}
		if org != 0 {
			if n.org != 0 && n.org != org {
				return fmt.Errorf("%q is a name of %q and of %q", form, c.concepts[n.org].name, c.concepts[org].name)
			}
			n.org = org
			continue
		}
		if err := c.chain(n, e); err != nil {
			return fmt.Errorf("%q: %w", form, err)
		}
	}
	return nil
}

// at is the node of a run of words, made when it is not there. Fillers are left out of names of organisations.
func (c *compiler) at(words []string, org bool) *treeNode {
	if org {
		words = slices.DeleteFunc(slices.Clone(words), isFiller)
	}
	if len(words) == 0 {
		return nil
	}
	if r, _ := utf8.DecodeRuneInString(words[0]); isHan(r) {
		return &c.han.nodes[c.han.node(strings.Join(words, ""), c.plain)]
	}
	return &c.words.nodes[c.words.node(words)]
}

// chain adds an entry to a node.
func (c *compiler) chain(n *treeNode, e int32) error {
	for x := n.entry; x != 0; x = c.entries[x].next {
		if c.sameMeaning(x, e) {
			return nil
		}
		if c.entries[x].kind == c.entries[e].kind {
			return fmt.Errorf("is %s and %s", c.meaningText(x), c.meaningText(e))
		}
	}
	copied := c.entries[e]
	copied.next = n.entry
	c.entries = append(c.entries, copied)
	n.entry = int32(len(c.entries) - 1)
	return nil
}

func (c *compiler) sameMeaning(x, y int32) bool {
	a, b := c.entries[x], c.entries[y]
	return a.kind == b.kind && slices.Equal(c.lists[a.first:a.first+a.count], c.lists[b.first:b.first+b.count])
}

func (c *compiler) meaningText(e int32) string {
	x := c.entries[e]
	var parts []string
	for _, id := range c.lists[x.first : x.first+x.count] {
		parts = append(parts, c.concepts[id].name)
	}
	return strings.Join(parts, "+")
}

// genericWords reads the words of the trade that say next to nothing.
func (c *compiler) genericWords() error {
	c.generic = make([]bool, len(c.concepts))
	rows, err := lexiconTable("generic.tsv")
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, name := range strings.Split(r.fields[0], "|") {
			id, ok := c.ids[conceptKey{name: name, kind: Trade}]
			if !ok {
				return fmt.Errorf("%s: no word of the trade means %q", r.at, name)
			}
			c.generic[id] = true
		}
	}
	return nil
}

// organisations reads the names of organisations: the official English name, then the others.
func (c *compiler) organisations() error {
	rows, err := lexiconTable("organisations.tsv")
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range rows {
		if len(r.fields) != 2 {
			return fmt.Errorf("%s: %d fields; a name and its other names would be right", r.at, len(r.fields))
		}
		org := c.concept(conceptKey{name: r.fields[0], kind: Proper, org: true})
		for _, form := range append(strings.Split(r.fields[1], "|"), r.fields[0]) {
			if err := c.written(form, 0, org, Proper); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.at, err))
			}
		}
	}
	return errors.Join(errs...)
}

// romanise adds the romanisations of all forms that were written in another script, where they are free.
func (c *compiler) romanise() {
	read := map[string][]string{}
	for _, m := range c.made {
		r, _ := utf8.DecodeRuneInString(m.words[0])
		switch {
		case unicode.Is(unicode.Han, r):
			c.pinyin(m.words[0], m)
		case unicode.In(r, unicode.Cyrillic, unicode.Greek):
			c.romanisations(m, read)
		}
	}
	c.made = nil
}

// maxWays bounds the romanisations of a form: those after it are not usual in names of firms.
const maxWays = 4

// romanisations adds a run of words, once for each way to romanise it. read keeps the readings of single words.
func (c *compiler) romanisations(m madeForm, read map[string][]string) {
	all := make([][]string, len(m.words))
	ways := 0
	for i, w := range m.words {
		known, ok := read[w]
		if !ok {
			r, _ := utf8.DecodeRuneInString(w)
			known = readings(w, ScriptOf(r))
			read[w] = known
		}
		if len(known) == 0 || known[0] == w {
			return
		}
		all[i], ways = known, max(ways, min(len(known), maxWays))
	}
	run := make([]string, len(m.words))
	for way := range ways {
		for i := range run {
			run[i] = all[i][min(way, len(all[i])-1)]
		}
		c.free(run, m)
	}
}

// pinyin adds the pinyin of a word in Han: joined, syllable by syllable, and in pairs of syllables.
func (c *compiler) pinyin(word string, m madeForm) {
	var syllables []string
	for _, r := range word {
		syllable := pinyinOf(r)
		if syllable == "" {
			return
		}
		syllables = append(syllables, syllable)
	}
	n := len(syllables)
	if n < 2 || n < 4 && m.org != 0 || n < 3 && m.kind == LegalForm {
		return // one syllable means too many things, and so do two of a brand or of what would count for nothing
	}
	c.free([]string{strings.Join(syllables, "")}, m)
	c.free(syllables, m)
	if n >= 4 && n%2 == 0 {
		var pairs []string
		for i := 0; i < n; i += 2 {
			pairs = append(pairs, syllables[i]+syllables[i+1])
		}
		c.free(pairs, m)
	}
}

// free adds a run where nothing else is known of it.
func (c *compiler) free(words []string, m madeForm) {
	if len(words) > maxRun {
		return
	}
	n := c.at(words, m.org != 0)
	switch {
	case n == nil || n.entry != 0 && m.org == 0 || n.org != 0:
	case m.org != 0:
		n.org = m.org
	default:
		n.entry = m.entry
	}
}

// spellings are the ways in which a form comes in words: with its marks (dots, hyphens, apostrophes) taken out, with
// spaces in their place, and both again with the two letters that ö, ü, å and the like are written as.
func spellings(form string) [][]string {
	texts := []string{foldForm(form)}
	if !isASCII(form) {
		if wide := widen.Replace(form); wide != form {
			texts = append(texts, fold(wide))
		}
	}
	var all [][]string
	for _, text := range texts {
		for i, gap := range []string{"", " "} {
			if i == 1 && !strings.ContainsFunc(text, isMarkOfWord) {
				break
			}
			words := strings.Fields(withoutMarks(text, gap))
			if len(words) > 0 && !slices.ContainsFunc(all, func(w []string) bool { return slices.Equal(w, words) }) {
				all = append(all, words)
			}
		}
	}
	return all
}

var widen = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe", "æ", "ae", "ß", "ss",
	"Ä", "AE", "Ö", "OE", "Ü", "UE", "Å", "AA", "Ø", "OE", "Æ", "AE")

// isMarkOfWord says whether a letter of a form is a mark that may be left out or be a space.
func isMarkOfWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != ' '
}

// foldForm is [fold] for forms, quick for those that only have letters which folding leaves as they are.
func foldForm(form string) string {
	lower := strings.ToLower(form)
	for _, r := range lower {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == ' ', r == '.', r == '-', r == '/', r == '&':
		case r >= 'а' && r <= 'я' && r != 'й', r >= 0x4E00 && r <= 0x9FA5, r >= 0xAC00 && r <= 0xD7A3:
		default:
			return fold(form)
		}
	}
	return lower
}

// withoutMarks is a text of letters, digits and spaces; gap stands for the marks within a word.
func withoutMarks(text, gap string) string {
	if lexiconPlain(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			b.WriteRune(r)
		case unicode.IsSpace(r) || r == '&' || r == '(' || r == ')' || r == ',':
			b.WriteByte(' ')
		default:
			b.WriteString(gap)
		}
	}
	return b.String()
}

func lexiconPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != ' ' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
