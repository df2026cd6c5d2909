package screen

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// Bounds of a text in which parties are looked for.
const (
	MaxTextBytes = 1 << 20 // the rest is not looked at
	MaxMentions  = 200     // the first ones are given
	maxMention   = 200     // bytes of a name that was found
	maxFound     = 20_000  // of all rules together, before those that overlap are sorted out
)

// Mention is a party that a text seems to name. It is a guess for a person to look at: Type is what the text suggests,
// and must not filter what is found.
type Mention struct {
	Name        string             `json:"name"`
	Type        names.Type         `json:"type,omitempty"`
	Identifiers []lists.Identifier `json:"identifiers,omitempty"` // that stand beside it
	Start       int                `json:"start"`                 // where the name stands: bytes of the text
	End         int                `json:"end"`
	Why         string             `json:"why"` // why it was taken for a party
}

// Query is the question about a mention. It leaves the guessed type out.
func (m Mention) Query() Query {
	q := Query{Name: m.Name, Identifiers: m.Identifiers}
	if len(q.Identifiers) == 1 && q.Name == numberName(q.Identifiers[0]) {
		q.Name = "" // nobody is called so
	}
	return q
}

// numberName stands where a number is found without a name.
func numberName(id lists.Identifier) string { return strings.ToUpper(id.Kind) + " " + id.Value }

// found is a mention and how sure its rule is of where the name begins and ends; the surer one wins where two overlap.
type found struct {
	Mention
	sure int
}

// How sure the rules are.
const (
	sureLine  = iota // a line among lines of names
	sureBlock        // the first line of an address
	sureTrade        // a word of the trade
	surePerson
	sureForm  // a legal form
	sureLabel // a label before it
	sureVessel
)

// finder looks for parties in one text.
type finder struct {
	text  string
	words []textWord
	lines []textLineAt
	kinds map[string]names.Kind // what the lexicon says of written forms
	found []found
}

// Extract finds the parties that a contract, an order or a letter names: firms by their legal forms and trade words, what
// stands behind Buyer, Consignee, Koper, 收货人 and the like, people behind Mr, attn. or "represented by", ships, the
// first lines of addresses, each with the LEI, IMO or registration number beside it. They come in the order of the text,
// each once.
func Extract(text string) []Mention {
	f := newFinder(text)
	f.labels()
	f.firms()
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		f.hanFirms()
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
		f.arabicFirms()
	}
	f.between()
	f.people()
	f.vessels()
	f.blocks()
	f.plainLines()
	f.settle()
	f.numbers()
	out := []Mention{}
	seen := map[string]int{}
	for _, x := range f.found {
		key := strings.ToLower(strings.Join(strings.Fields(x.Name), " "))
		if at, ok := seen[key]; ok {
			out[at].Identifiers = mergeIDs(out[at].Identifiers, x.Identifiers)
			continue
		}
		if len(out) == MaxMentions {
			break
		}
		seen[key] = len(out)
		out = append(out, x.Mention)
	}
	return out
}

func newFinder(text string) *finder {
	if len(text) > MaxTextBytes {
		end := MaxTextBytes
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	f := &finder{text: text, kinds: map[string]names.Kind{}}
	f.words = textWordsOf(text)
	f.lines = textLinesOf(text)
	return f
}

// add takes text[start:end] for a party, without what cannot be part of a name at its ends.
func (f *finder) add(start, end int, t names.Type, sure int, why string) {
	if f.full() || start >= end {
		return
	}
	for start < end {
		r, n := utf8.DecodeRuneInString(f.text[start:end])
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			break
		}
		start += n
	}
	for start < end {
		r, n := utf8.DecodeLastRuneInString(f.text[start:end])
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("»”", r) && strings.ContainsAny(f.text[start:end-n], "«“") || r == ')' && strings.Contains(f.text[start:end], "(") || r == '.' && abbreviated(f.text[start:end-n]) {
			break
		}
		end -= n
	}
	name := f.text[start:end]
	if len(name) < 2 || len(name) > maxMention || !strings.ContainsFunc(name, unicode.IsLetter) || nobody[strings.ToLower(name)] {
		return
	}
	f.found = append(f.found, found{Mention{Name: strings.Join(strings.Fields(name), " "), Type: t, Start: start, End: end, Why: why}, sure})
}

// full tells whether so much was found that the text is no contract.
func (f *finder) full() bool { return len(f.found) >= maxFound }

// abbreviated tells whether a full stop behind a text is part of its last word, as in "B.V." and "Inc."
func abbreviated(text string) bool {
	last := text[strings.LastIndexAny(text, " ,(")+1:]
	return strings.Contains(last, ".") || len(last) <= 4 && last != "" && unicode.IsUpper(rune(last[0]))
}

// nobody are words that stand where a name should, and are none.
var nobody = setOf("same as above, as above, to order, to the order, same, idem, n/a, none, tbd, to be determined, see above, zie boven, nvt, n.v.t., onbekend, unknown, the buyer, the seller, " +
	"the company, the supplier, the customer, de koper, de verkoper, name, address, naam, adres")

func setOf(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.SplitSeq(words, ", ") {
		out[w] = true
	}
	return out
}

// settle orders what was found by place; where two overlap, the surer one stays, and of equally sure ones the longer.
func (f *finder) settle() {
	slices.SortStableFunc(f.found, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.sure, a.sure), cmp.Compare(b.End-b.Start, a.End-a.Start), cmp.Compare(a.Start, b.Start))
	})
	var taken spans
	kept := f.found[:0]
	for _, x := range f.found {
		if taken.free(x.Start, x.End) {
			taken.take(x.Start, x.End)
			kept = append(kept, x)
		}
	}
	f.found = kept
	slices.SortFunc(f.found, func(a, b found) int { return cmp.Compare(a.Start, b.Start) })
}

// spans are stretches of a text that do not overlap, by their beginning.
type spans struct{ all [][2]int }

func (s *spans) at(start int) int {
	i, _ := slices.BinarySearchFunc(s.all, start, func(x [2]int, at int) int { return cmp.Compare(x[0], at) })
	return i
}

func (s *spans) free(start, end int) bool {
	i := s.at(start)
	return (i == len(s.all) || s.all[i][0] >= end) && (i == 0 || s.all[i-1][1] <= start)
}

func (s *spans) take(start, end int) { s.all = slices.Insert(s.all, s.at(start), [2]int{start, end}) }

// kind is what the lexicon says of words that stand together: a legal form, or anything else.
func (f *finder) form(text string) bool {
	k, ok := f.kinds[text]
	if !ok {
		ws := names.Parse(text, names.Company).Words
		k = names.Proper
		if len(ws) > 0 && !slices.ContainsFunc(ws, func(w *names.Word) bool { return w.Kind != names.LegalForm }) {
			k = names.LegalForm
		}
		f.kinds[text] = k
	}
	return k == names.LegalForm
}

// textWord is a word of a text.
type textWord struct {
	start, end int
	text       string
	capital    bool // begins with a capital, a digit or a letter of a script without capitals
	upper      bool // has no small letter
	gap        string
}

// textWordsOf cuts a text into words: letters, digits and marks, with signs that join them. gap is what stands before a word.
func textWordsOf(text string) []textWord {
	var out []textWord
	last := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '&' {
			i += n
			continue
		}
		start := i
		end := i
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '&':
				i += n
				end = i
				continue
			case strings.ContainsRune(".'’/-‑", r):
				next, _ := utf8.DecodeRuneInString(text[i+n:])
				if unicode.IsLetter(next) || unicode.IsDigit(next) {
					i += n
					continue
				}
			}
			break
		}
		w := textWord{start: start, end: end, text: text[start:end], gap: text[last:start]}
		first, _ := utf8.DecodeRuneInString(w.text)
		w.capital = unicode.IsUpper(first) || unicode.IsTitle(first) || unicode.IsDigit(first) || first == '&' || unicode.IsLetter(first) && !unicode.IsLower(first)
		w.upper = !strings.ContainsFunc(w.text, unicode.IsLower)
		out = append(out, w)
		last, i = end, end
	}
	return out
}

// textLineAt is a line of a text, without the spaces around it.
type textLineAt struct{ start, end int }

func textLinesOf(text string) []textLineAt {
	var out []textLineAt
	at := 0
	for l := range strings.SplitAfterSeq(text, "\n") {
		trimmed := strings.TrimSpace(l)
		start := at + strings.Index(l, trimmed)
		out = append(out, textLineAt{start, start + len(trimmed)})
		at += len(l)
	}
	return out
}

func (f *finder) of(l textLineAt) string { return f.text[l.start:l.end] }
