package release

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder/indicator"
)

// Rule names what an organisation keeps to itself.
type Rule string

// The rules.
const (
	RuleNames     Rule = "names"
	RuleStaff     Rule = "staff"
	RuleAddresses Rule = "addresses"
	RuleNetworks  Rule = "networks"
	RuleHosts     Rule = "hosts"
	RuleWords     Rule = "words"
	RuleCustom    Rule = "custom"
	RuleDerive    Rule = "marking"
	RuleBlind     Rule = "blind"
)

// stand is what stands in for a fact of a rule.
var stand = map[Rule]string{RuleNames: neutral[0], RuleStaff: neutral[1], RuleAddresses: neutral[2], RuleNetworks: neutral[2], RuleHosts: neutral[3], RuleWords: neutral[4]}

// why says for people what a fact of a rule is.
var why = map[Rule]string{
	RuleNames: "is a name of your organisation", RuleStaff: "is the name of one of your own people", RuleAddresses: "is an address or phone number of your organisation",
	RuleNetworks: "is an address in your own networks", RuleHosts: "is a domain, mail address or host of your own", RuleWords: "is a word for a project or product of yours",
	RuleCustom: "is a custom property that your organisation does not keep", RuleDerive: "is marked stricter than the level that was asked for", RuleBlind: "names your organisation as the creator",
}

// maybe says for people what may be a fact of a rule.
var maybe = map[Rule]string{
	RuleNames: "is a word in a name of your organisation", RuleStaff: "may be the family name of one of your own people", RuleHosts: "is the name of a domain of your own without its end",
	RuleWords: "is the name of a project of yours without what it is", RuleNetworks: "looks like a version, and would be an address in your own networks",
}

// separated says which separators a fact takes between its letters.
type separated uint8

const (
	byWords separated = iota // where the fact has some itself, or none
	byDots                   // dots, exactly where the fact has them
	freely                   // anywhere
)

// inflection says which endings a fact takes.
type inflection uint8

const (
	none     inflection = iota
	genitive            // s
	endings             // those of Dutch and English, and words that a firm's name is compounded with
)

// term is one spelling of a fact.
type term struct {
	rule  Rule
	label string // of a forbidden word
	text  string
	by    separated
	host  bool // a name of hosts: what stands before it on the left belongs to it
	inner bool // something must stand before it
	firm  bool // a name of a firm: a legal form behind it belongs to it
	tight bool // no part of a word, whatever its case

	inflect  inflection
	family   bool   // a family name: what stands beside it says whether it is a person's
	certain  bool   // which a capital alone makes one
	initials string // of the given names beside it
	handle   bool   // a name of an account: no white space in it
	person   bool   // a whole name: no part of a sentence ends within, unless it has capitals
	turned   bool   // the family name comes first: no sentence ends within
	short    bool   // the name that DOS makes of it: six letters, ~ and a digit
	doubt    bool   // a person is asked about it
	upper    bool   // only with a capital
}

// terms are all spellings of what the profile takes out.
func terms(p Profile) (all []term) {
	f := p.Facts
	if p.Minimise.Names {
		for _, n := range f.Names {
			all = append(all, nameTerms(n)...)
		}
	}
	if p.Minimise.Staff {
		own := f.Domains
		if !p.Minimise.Hosts {
			own = nil
		}
		for _, x := range f.Staff {
			all = append(append(all, staffTerms(x)...), mailTerms(x, own)...)
		}
	}
	if p.Minimise.Addresses {
		for _, a := range f.Addresses {
			all = append(all, addressTerms(a)...)
		}
		for _, n := range f.Phones {
			all = append(all, phoneTerms(n)...)
		}
	}
	if p.Minimise.Hosts {
		all = append(all, hostTerms(f)...)
	}
	if p.Minimise.Words {
		for _, w := range f.Words {
			all = append(all, umlauts(term{rule: RuleWords, text: w, inflect: endings})...)
			if first, rest, ok := strings.Cut(w, " "); ok && slices.Contains(undertakings, words(first)) && utf8.RuneCountInString(rest) >= 4 {
				all = append(all, umlauts(term{rule: RuleWords, text: rest, doubt: true, upper: true, inflect: endings})...)
			}
		}
	}
	return all
}

// undertakings stand before the name of one.
var undertakings = []string{"project", "projekt", "operatie", "operation", "programma", "programme", "program", "plan", "missie", "mission", "codename", "codenaam"}

// legalForms are words that say what kind of firm it is.
var legalForms = []string{
	"bv", "nv", "cv", "vof", "coop", "gmbh", "ag", "kg", "ug", "ohg", "gmbh co kg", "se", "ltd", "limited", "plc", "llp", "llc", "inc", "incorporated", "corp", "corporation",
	"sa", "sas", "sarl", "srl", "spa", "sl", "oy", "oyj", "ab", "as", "asa", "aps", "bvba", "sprl", "kk", "co ltd", "pte ltd", "pty ltd", "sp z o o", "holding", "holding bv",
}

// nameTerms are a firm's name with its legal form and without, with any word for &; and its words one by one, about which
// a person is asked.
func nameTerms(name string) (all []term) {
	for _, n := range []string{name, withoutForm(name), withoutKind(name)} {
		for _, form := range conjunctions(n) {
			all = append(all, umlauts(term{rule: RuleNames, text: form, firm: true, inflect: endings})...)
		}
	}
	if len(name) >= 3 && len(name) <= 5 && name == strings.ToUpper(name) && words(name) == strings.ToLower(name) {
		all = append(all, term{rule: RuleNames, text: strings.Join(strings.Split(name, ""), "."), by: byDots})
	}
	base := name
	if b := withoutForm(name); b != "" {
		base = b
	}
	if list := strings.Fields(words(base)); len(list) > 1 {
		for _, w := range list {
			if utf8.RuneCountInString(w) >= 4 && !slices.Contains(generic, w) {
				all = append(all, term{rule: RuleNames, text: w, doubt: true, upper: true, inflect: endings})
			}
		}
	}
	return all
}

// kinds stand before the name of an organisation and say what it is.
var kinds = []string{"stichting", "vereniging", "cooperatie", "gemeente", "the", "de", "het", "groep", "koninklijke", "royal", "nv", "bv"}

// withoutKind is a name of three words or more without what it is before it, and without a legal form; "" where there is none.
func withoutKind(name string) string {
	if base := withoutForm(name); base != "" {
		name = base
	}
	first, rest, ok := strings.Cut(name, " ")
	if !ok || !slices.Contains(kinds, words(first)) || !strings.Contains(strings.TrimSpace(rest), " ") {
		return ""
	}
	return strings.TrimSpace(rest)
}

// conjunctions are a name with & or a word for it, in any of these; nothing for an empty one.
func conjunctions(name string) []string {
	list := strings.Fields(strings.ReplaceAll(name, "&amp;", "&"))
	at := slices.IndexFunc(list, func(w string) bool {
		return slices.Contains([]string{"&", "+", "and", "en", "und", "et"}, strings.ToLower(w))
	})
	if at <= 0 || at == len(list)-1 {
		return slices.DeleteFunc([]string{name}, func(n string) bool { return n == "" })
	}
	var out []string
	for _, w := range []string{list[at], "&", "and", "en", "und", "et"} {
		out = append(out, strings.Join(slices.Concat(list[:at], []string{w}, list[at+1:]), " "))
	}
	return out
}

// generic are words in the names of many firms.
var generic = strings.Fields(`advies agency automotive bank beheer benelux bouw brothers building business capital care center centre centrum chemical chemicals chemie city college company
	components consult consultancy consulting cooperatie council data defence defense design development digital distribution dutch east electric electronics energie energy engineering enterprise
	enterprises europa europe european export fabriek factory finance financial food foods foundation future gemeente general global green group groep handel health healthcare high holding holland
	hospital import industrial industrie industries industry innovation institute instituut insurance international internationaal international koninklijke laboratories laboratory labs limited
	lithography local logistics logistiek machine machines management manufacturing maritime marine materials media medical metal ministerie mobile national nationaal nederland nederlandse netherlands
	network networks north oost open optical optics partner partners photonics port power precision process product products production productie professional projects public quality research royal school
	science sciences scientific security semiconductor semiconductors service services shipping shop society software solutions solution sons south stad steel stichting store studio supply support system
	systeem systemen systems team tech techniek technical technologie technologies technology telecom trade trading transport union united universiteit university vacuum verenigde vereniging verzekeringen
	water west wereld works world zonen zorg zuid noord`)

// withoutForm is a name without the legal form at its end; "" when there is none, or nothing else.
func withoutForm(name string) string {
	letters := fold(name)
	for _, form := range slices.Backward(legalForms) {
		at := endsIn(letters, strings.ReplaceAll(form, " ", ""))
		if at > 1 && letters[at].before > soft {
			return strings.TrimRight(name[:letters[at].start], " ,.(-")
		}
	}
	return ""
}

// endsIn is where in letters a form at their end begins, or -1.
func endsIn(letters []letter, form string) int {
	at := len(letters) - len(form)
	if at < 0 {
		return -1
	}
	for i := range form {
		if letters[at+i].rune != rune(form[i]) {
			return -1
		}
	}
	return at
}

// umlauts is a term, and what German makes of its letters where they have no dots.
func umlauts(t term) []term {
	other := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "å", "aa", "Å", "Aa", "ø", "oe", "Ø", "Oe").Replace(t.text)
	if other == t.text {
		return []term{t}
	}
	u := t
	u.text = other
	return []term{t, u}
}

// addressTerms are the lines of a postal address that tell where it is: those with a number in them, and the postcode of
// the Netherlands alone. An address without a number is looked for as a whole.
func addressTerms(text string) (all []term) {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == ';' })
	for _, line := range lines {
		w := words(line)
		if !strings.ContainsAny(w, "0123456789") || strings.Count(w, "")-1 < 4 || strings.Trim(w, "0123456789 ") == "" {
			continue
		}
		all = append(all, umlauts(term{rule: RuleAddresses, text: line})...)
		if code := postcode(w); code != "" {
			all = append(all, term{rule: RuleAddresses, text: code})
		}
	}
	return append(all, umlauts(term{rule: RuleAddresses, text: text})...)
}

// postcode is the Dutch postcode with which a line in words begins: four digits and two letters.
func postcode(line string) string {
	digits, letters := strings.TrimSpace(line), ""
	if len(digits) < 6 {
		return ""
	}
	digits, letters = digits[:4], strings.TrimPrefix(digits[4:], " ")
	if strings.Trim(digits, "0123456789") != "" || len(letters) < 2 || len(letters) > 2 && letters[2] != ' ' || strings.IndexFunc(letters[:2], func(r rune) bool { return r < 'a' || r > 'z' }) >= 0 {
		return ""
	}
	return digits + " " + letters[:2]
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// twoDigits are the country codes of two digits; +1 and +7 have one, all others three.
const twoDigits = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "

// phoneTerms are a number as it is dialled from abroad and at home.
func phoneTerms(phone string) (all []term) {
	digits := strings.TrimPrefix(digitsOf(strings.ReplaceAll(phone, "(0)", "")), "00")
	if len(digits) < 7 {
		return nil
	}
	n := 3
	if digits[0] == '1' || digits[0] == '7' {
		n = 1
	} else if strings.Contains(twoDigits, " "+digits[:2]+" ") {
		n = 2
	}
	country, own := digits[:n], digits[n:]
	for _, form := range []string{digits, "00" + digits, country + "0" + own, "00" + country + "0" + own, "0" + own, own} {
		if len(form) >= 7 {
			all = append(all, term{rule: RuleAddresses, text: form, by: freely, tight: true})
		}
	}
	return all
}

// usualSuffixes end the names of hosts that only an inner network knows.
var usualSuffixes = []string{"internal", "local", "lan", "corp", "intra", "home.arpa"}

// hostTerms are domains, hosts and the suffixes of inner names.
func hostTerms(f Facts) (all []term) {
	for _, d := range f.Domains {
		d = strings.TrimSuffix(d, ".")
		all = append(all, term{rule: RuleHosts, text: d, by: byDots, host: true})
		if ascii, err := indicator.Normalise(indicator.Domain, d); err == nil && ascii != strings.ToLower(d) {
			all = append(all, term{rule: RuleHosts, text: ascii, by: byDots, host: true})
		}
		if label, _, _ := strings.Cut(strings.ToLower(d), "."); len(label) >= 6 && !slices.Contains(generic, label) {
			all = append(all, term{rule: RuleHosts, text: label, doubt: true})
		}
	}
	for _, s := range slices.Concat(f.Suffixes, usualSuffixes) {
		all = append(all, term{rule: RuleHosts, text: strings.Trim(s, "."), by: byDots, host: true, inner: true})
	}
	for _, h := range f.Hosts {
		short, _, dotted := strings.Cut(h, ".")
		if dotted {
			all = append(all, term{rule: RuleHosts, text: h, by: byDots, host: true})
		}
		if !dotted || len(short) >= 4 && strings.ContainsFunc(short, func(r rune) bool { return r == '-' || unicode.IsDigit(r) }) {
			all = append(all, term{rule: RuleHosts, text: short})
		}
	}
	return all
}
