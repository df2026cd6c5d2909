package release

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file is about people: the forms in which their names are written, and when a family name tells a person.

// formal are forms of address before a family name, in any case.
var formal = []string{"deheer", "dhr", "heer", "hr", "mevrouw", "mevr", "mw", "mej", "meneer", "mr", "mrs", "ms", "miss", "mx", "dr", "ir", "ing", "drs", "prof", "herr", "frau", "sir", "madame", "monsieur", "senor", "senora"}

// roles are words before a family name that tells a person, if it has a capital.
var roles = []string{
	"collega", "colleague", "manager", "directeur", "director", "beheerder", "analist", "analyst", "engineer", "ingenieur", "officer", "ciso", "cio", "ceo", "cfo", "cto", "dpo", "fg", "teamleider",
	"inspecteur", "inspector", "professor", "doctor", "dokter", "familie", "fam", "inkoper", "boekhouder", "planner", "operator", "stagiair", "adviseur", "consultant", "agent", "voorzitter", "secretaris", "user", "gebruiker",
}

// infixes stand before a family name and belong to it.
var infixes = []string{"van", "de", "der", "den", "ter", "ten", "te", "het", "t", "von", "zu", "zum", "zur", "du", "da", "di", "del", "della", "dos", "la", "le", "el", "al", "bin", "op", "in", "vander", "vande", "vanden"}

// leading are words with a capital that begin a sentence before somebody's family name, and are no given name.
var leading = []string{
	"volgens", "met", "door", "van", "aan", "bij", "voor", "na", "naar", "toen", "ook", "en", "maar", "of", "mail", "bel", "gebeld", "vraag", "account", "gebruiker", "laptop", "en", "omdat", "als", "dat", "waarop", "daarop", "zegt", "aldus", "namens",
	"by", "from", "with", "for", "to", "and", "but", "or", "when", "then", "after", "before", "while", "that", "according", "ask", "call", "called", "user", "contact", "attn", "tav", "cc", "bcc", "both", "beste", "geachte", "dear", "hi", "hallo", "groet", "regards", "re", "fw", "van", "aan",
}

// shorter are short forms of what stands before a family name.
var shorter = map[string][]string{"van der": {"v d", "vd"}, "van den": {"v d", "vd"}, "van de": {"v d", "vd"}, "van": {"v"}, "de": {"d"}, "op den": {"o d"}, "in t": {"i t"}, "van het": {"v h"}, "van t": {"v t"}}

// surname is a family name: what stands before it, and the rest.
type surname struct{ infix, bare string }

func (s surname) whole() string { return strings.TrimSpace(s.infix + " " + s.bare) }

// surnames are the family names that a person goes by: the one given, and either half of a double one.
func surnames(family []string) []surname {
	var at int
	for at < len(family)-1 && isInfix(family[at]) {
		at++
	}
	all := []surname{{strings.Join(family[:at], " "), strings.Join(family[at:], " ")}}
	if first, second, double := strings.Cut(all[0].bare, "-"); double && utf8.RuneCountInString(first) > 2 && utf8.RuneCountInString(second) > 2 {
		all = append(all, surname{all[0].infix, strings.TrimSpace(first)})
		rest := strings.Fields(second)
		n := 0
		for n < len(rest)-1 && isInfix(rest[n]) {
			n++
		}
		if n < len(rest) {
			all = append(all, surname{strings.Join(rest[:n], " "), strings.Join(rest[n:], " ")})
		}
	}
	return all
}

func isInfix(s string) bool {
	return slices.Contains(infixes, strings.Trim(strings.ToLower(s), "'’"))
}

// splitName tells given names from the family name, which begins at the first infix, or at a word with a hyphen before
// one (Jansen-de Boer), or is the last word.
func splitName(parts []string) (given, family []string) {
	at := len(parts) - 1
	for i := 1; i < len(parts)-1; i++ {
		_, second, hyphen := strings.Cut(parts[i], "-")
		if isInfix(parts[i]) || hyphen && isInfix(second) {
			at = i
			break
		}
	}
	return parts[:at], parts[at:]
}

// staffTerms are a person's name as people write it, and what stands before the @ of its mail.
func staffTerms(x Person) (all []term) {
	put := func(t term) { t.rule = RuleStaff; all = append(all, umlauts(t)...) }
	full := func(text string) { put(term{text: text, inflect: genitive, person: true}) }
	short := func(account string) {
		if w := []rune(strings.ReplaceAll(words(account), " ", "")); len(w) > 8 {
			all = append(all, term{rule: RuleStaff, text: string(w[:6]), short: true})
		}
	}
	parts := strings.Fields(strings.NewReplacer(",", " ", ".", " ").Replace(x.Name))
	if len(parts) > 0 {
		full(x.Name)
	}
	if len(parts) > 1 {
		given, family := splitName(parts)
		turned := func(text string) { put(term{text: text, inflect: genitive, turned: true}) }
		turned(strings.Join(family, " ") + " " + strings.Join(given, " "))
		first, initials := given[0], initialsOf(given)
		for _, s := range surnames(family) {
			for _, form := range s.forms() {
				full(first + " " + form)
				turned(form + " " + first)
				full(strings.Join(given, " ") + " " + form)
				put(term{text: form, family: true, certain: form != s.bare || strings.ContainsAny(s.bare, " -"), initials: initials})
			}
			for _, in := range []string{initials, string([]rune(initials)[:1])} {
				in = strings.Join(strings.Split(in, ""), " ")
				put(term{text: in + " " + s.whole(), handle: true})
				put(term{text: s.whole() + " " + in, handle: true})
				if s.infix != "" {
					full(s.bare + " " + in + " " + s.infix)
					put(term{text: in + " " + s.bare, handle: true})
					put(term{text: s.bare + " " + in, handle: true})
				}
			}
			if s.infix != "" {
				full(s.bare + " " + first + " " + s.infix)
				full(first + " " + s.bare)
				if utf8.RuneCountInString(s.bare) >= 5 {
					put(term{text: s.bare, family: true, initials: "?"})
				}
			}
			short(string([]rune(initials)[:1]) + s.whole())
		}
		if len(given) > 1 {
			for _, g := range given[1:] {
				if utf8.RuneCountInString(g) > 2 {
					full(first + " " + g)
				}
			}
		}
	}
	if local, _, ok := strings.Cut(x.Mail, "@"); ok && tellsPerson(local, parts) {
		put(term{text: local, handle: true})
		short(local)
	}
	return all
}

// mailTerms are a person's mail address as a whole: its domain may be no fact, and the name before it anybody's. domains
// are those in which every mail box is found anyway.
func mailTerms(x Person, domains []string) (all []term) {
	if _, domain, ok := strings.Cut(strings.ToLower(x.Mail), "@"); !ok || slices.Contains(domains, domain) {
		return nil
	}
	for _, at := range []string{"@", " at "} {
		all = append(all, term{rule: RuleStaff, text: strings.Replace(x.Mail, "@", at, 1), by: byDots})
	}
	return all
}

// forms are the spellings of a family name with what stands before it, and the bare one where nothing does.
func (s surname) forms() []string {
	out := []string{s.whole()}
	for _, short := range shorter[words(s.infix)] {
		out = append(out, short+" "+s.bare)
	}
	return out
}

func initialsOf(given []string) string {
	var b strings.Builder
	for _, g := range strings.FieldsFunc(strings.Join(given, " "), func(r rune) bool { return r == ' ' || r == '-' }) {
		for _, l := range fold(g) {
			b.WriteRune(l.rune)
			break
		}
	}
	if b.Len() == 0 {
		return "?"
	}
	return b.String()
}

// desks are mail boxes that are nobody's.
var desks = []string{"info", "contact", "sales", "support", "security", "soc", "cert", "csirt", "abuse", "admin", "office", "hr", "jobs", "press", "mail", "post", "noreply", "webmaster", "postmaster", "helpdesk", "service", "it", "finance", "invoice", "facturen", "verkoop", "inkoop", "receptie", "administratie"}

// tellsPerson tells whether a mail's local part tells a person by itself. A first name alone is anybody's.
func tellsPerson(local string, parts []string) bool {
	w := words(local)
	switch {
	case slices.Contains(desks, w) || len(w) < 3:
		return false
	case len(parts) > 0 && w == words(parts[0]):
		return len(parts) == 1 && len(w) > 4
	}
	return true
}

// judge tells what a family name from letter i to j is: the name of a person with what belongs to it, or in doubt, or
// nothing. With a form of address, with one of the person's initials before or behind it, or with what belongs before it
// and a capital it is a person's; with a capital alone, or somebody else's given name before it, a person is asked.
func (k *known) judge(text string, letters []letter, i, j int) span {
	s := span{start: letters[i].start, end: letters[j].end, core: letters[i].start, rule: k.rule, label: k.label}
	if letters[i].before <= soft || j+1 < len(letters) && letters[j+1].before <= soft {
		return span{}
	}
	capital := k.capital(text, letters, i, j)
	if at := behindTitle(letters, i, capital); at >= 0 {
		s.start = at
		return s
	}
	if at, dotted, found := initialsBefore(text, letters, i); found {
		own := strings.ContainsRune(k.initials, letters[at].rune)
		switch {
		case own && (dotted || capital && !strings.ContainsRune("aiu", letters[at].rune)):
			s.start = letters[at].start
			return s
		case !capital:
			return span{}
		}
		s.doubt = true
		return s
	}
	if end := initialsBehind(text, letters, j, k.initials); end > 0 && capital {
		s.end = end
		return s
	}
	if !capital {
		s.doubt = true
		if k.certain && !strings.ContainsAny(text[s.start:s.end], " \t\n-'’.") {
			return s // a family name of several words written as one
		}
		return span{}
	}
	s.doubt = !k.certain || givenBefore(text, letters, i)
	return s
}

// capital tells whether the last word of the name has one.
func (k *known) capital(text string, letters []letter, i, j int) bool {
	at := i
	for m := j; m > i; m-- {
		if letters[m].before > soft {
			at = m
			break
		}
	}
	r, _ := utf8.DecodeRuneInString(text[letters[at].start:])
	return unicode.IsUpper(r)
}

// initialsBefore is where single letters begin that stand directly before letter i, and whether a dot follows the last.
func initialsBefore(text string, letters []letter, i int) (at int, dotted, found bool) {
	at = i
	for n := 0; n < 4 && at > 0 && letters[at].before > soft && letters[at].before < long; n++ {
		between := text[letters[at-1].end:letters[at].start]
		if letters[at-1].before <= soft || strings.Trim(between, ". -\u00a0\t") != "" || len(between) > 4 {
			break
		}
		if r, _ := utf8.DecodeRuneInString(text[letters[at-1].start:]); !unicode.IsLetter(r) || !unicode.IsUpper(r) && !strings.HasPrefix(between, ".") {
			break
		}
		dotted = dotted || strings.HasPrefix(between, ".")
		at--
	}
	return at, dotted, at < i
}

// initialsBehind is the end of a person's initials behind a comma that follows letter j; 0 when there are none.
func initialsBehind(text string, letters []letter, j int, initials string) int {
	end := 0
	for m := j + 1; m < len(letters) && m < j+5; m++ {
		between := text[letters[m-1].end:letters[m].start]
		r, n := utf8.DecodeRuneInString(text[letters[m].start:])
		comma := strings.Contains(between, ",") || strings.HasPrefix(text[letters[m].start+n:], ".")
		if m == j+1 && (strings.Trim(between, ", \t") != "" || !comma || !strings.ContainsRune(initials, letters[m].rune)) ||
			m > j+1 && strings.Trim(between, ". ") != "" || !unicode.IsUpper(r) || m+1 < len(letters) && letters[m+1].before <= soft {
			break
		}
		end = letters[m].start + n
		if end < len(text) && text[end] == '.' {
			end++
		}
	}
	return end
}

// givenBefore tells whether what seems somebody's given name stands directly before letter i.
func givenBefore(text string, letters []letter, i int) bool {
	if i == 0 || text[letters[i-1].end:letters[i].start] != " " {
		return false
	}
	from := i - 1
	for from > 0 && letters[from].before <= soft && i-from < maxLetters {
		from--
	}
	if r, _ := utf8.DecodeRuneInString(text[letters[from].start:]); !unicode.IsUpper(r) {
		return false
	}
	return !slices.ContainsFunc(leading, func(w string) bool { return endsIn(letters[:i], w) == from })
}
