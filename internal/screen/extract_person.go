package screen

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// personBefore are words behind which a person's name stands.
var personBefore = setOf("mr, mrs, ms, miss, dr, prof, professor, ir, ing, drs, dhr, mevr, mw, herr, frau, mme, mlle, sr, sra, sig, attn, attention, tav, t.a.v, heer, mevrouw, dott, eng, г-н, господин, госпожа, г-жа")

// personAfter are phrases behind which a person's name stands, perhaps with an office between.
var personAfter = regexp.MustCompile(`(?i)\b(?:represented (?:herein |in this matter )?by|vertegenwoordigd door|signed by|ondertekend door|on behalf of|namens deze|vertreten durch|représentée? par|represented)(?:\s|:)|(?:в лице|代表人[:：]?|法定代表人[:：]?)`)

// particles are small words within the names of people.
var particles = setOf("van, der, den, de, het, 't, ten, ter, von, zu, zur, la, le, du, da, dos, das, di, del, della, bin, ibn, bint, al, el, ul, abu, y, e, af, av, ben")

// people finds persons by the words before their names.
func (f *finder) people() {
	for i := 0; i+1 < len(f.words) && !f.full(); i++ {
		w := strings.ToLower(f.words[i].text)
		if !personBefore[w] || !f.words[i].capital && w != "heer" && w != "mevrouw" && w != "t.a.v" && w != "attn" && w != "dhr" && w != "mevr" && w != "mw" && w != "drs" && w != "ir" && w != "ing" && w != "г-н" && w != "господин" && w != "госпожа" {
			continue
		}
		if start, end := f.personAt(i + 1); end > start {
			f.add(f.words[start].start, f.words[end-1].end, names.Person, surePerson, "it stands behind “"+f.words[i].text+"”")
		}
	}
	for _, at := range personAfter.FindAllStringIndex(f.text, 4*MaxMentions) {
		i, _ := slices.BinarySearchFunc(f.words, at[1], func(w textWord, at int) int { return w.start - at })
		for k := i; k < min(i+10, len(f.words)); k++ { // "its director, Mr"
			if strings.ContainsAny(f.words[k].gap, ".;") && k > i && len(f.words[k-1].text) > 4 {
				break
			}
			start, end := f.personAt(k)
			if end <= start || end == start+1 && !personBefore[strings.ToLower(f.words[max(start-1, 0)].text)] {
				continue
			}
			if _, form := f.formAt(end - 1); !form {
				f.add(f.words[start].start, f.words[end-1].end, names.Person, surePerson, "it stands behind “"+strings.Trim(f.text[at[0]:at[1]], " :：")+"”")
			}
			break
		}
	}
}

// offices are what a person is called between such a phrase and the name.
var offices = setOf("its, director, ceo, cfo, president, manager, chairman, managing, general, head, owner, directeur, bestuurder, haar, zijn, voorzitter, eigenaar, chief, executive, officer, de, the, and, company, firm, board")

// personAt is the run of words at i that can be a person's name: capitalised words, initials and particles.
func (f *finder) personAt(i int) (start, end int) {
	for most := i + 5; i < most && i < len(f.words) && (personBefore[strings.ToLower(f.words[i].text)] || f.words[i].capital && offices[strings.ToLower(f.words[i].text)]); {
		i++
	}
	end = i
	for k := i; k < len(f.words) && k-i < 7; k++ {
		w := f.words[k]
		low := strings.ToLower(w.text)
		if k > i && !personGap(f.words[k-1].text, w.gap) || strings.ContainsFunc(w.text, unicode.IsDigit) {
			break
		}
		if w.capital {
			end = k + 1
		} else if !particles[low] {
			break
		}
	}
	return i, end
}

// personGap is what may stand between two words of a person's name.
func personGap(before, gap string) bool {
	switch gap {
	case " ", "\u00a0", "-", "’", "'":
		return true
	case ".", ". ":
		return len([]rune(before)) <= 2 || strings.Contains(before, ".") || personBefore[strings.ToLower(before)]
	}
	return false
}

// vessel is a word for a ship and its name, quoted or in capitals.
var vessel = regexp.MustCompile(`(?:\b(?:M/V|M/T|M\.V\.|M\.T\.|MV|MT|S/S|F/V|[Mm]otor [Vv]essel|[Mm]otor [Tt]anker|[Vv]essel|VESSEL|[Ss]chip|[Tt]anker|т/х|судно))\s+(?:[Nn]amed\s+|[Nn]ame:?\s+)?(?:["“«'‘]([^"”»'’\n]{2,60})["”»'’]|(\p{Lu}[\p{L}\d'-]*(?:[ ]\p{Lu}[\p{L}\d'-]*|[ ]\d{1,4}\b){0,4}))`)

// vessels finds ships.
func (f *finder) vessels() {
	for _, at := range vessel.FindAllStringSubmatchIndex(f.text, 4*MaxMentions) {
		start, end := at[2], at[3]
		if start < 0 {
			start, end = at[4], at[5]
		}
		if cut := strings.Index(f.text[start:end], " IMO"); cut > 0 {
			end = start + cut
		}
		if name := strings.ToLower(f.text[start:end]); name == "imo" || name == "name" || name == "owner" {
			continue
		}
		f.add(start, end, names.Vessel, sureVessel, "it stands behind “"+strings.TrimSpace(strings.Trim(f.text[at[0]:start], " \"“«'‘"))+"”")
	}
}

// The numbers that are looked for.
var (
	leiNumber    = regexp.MustCompile(`\b[A-Z0-9]{18}\d{2}\b`)
	imoNumber    = regexp.MustCompile(`(?i)\bIMO\b[\s:.]*(?:(?:no|nr|number|nummer)\b)?[\s:.#]*(\d{7})\b`)
	registration = regexp.MustCompile(`(?i)(?:\b(?:kvk|k\.v\.k\.|handelsregister|chamber of commerce|trade register|commercial register|company (?:registration )?(?:no|number|nr)|registration (?:no|number|nr)|reg\.? ?(?:no|nr)|registered (?:no|number)|HRB|crn|uscc|ogrn|огрн)|统一社会信用代码)[\s:：.#()]*(?:(?:no|nr|number|nummer|under number|onder nummer)\b)?[\s:：.#()]*([A-Z]{0,3}\d[A-Z0-9-]{5,20})\b`)
)

// numbers gives each LEI, IMO and registration number to the party that stands before it; an LEI or IMO number without
// one is a party by itself.
func (f *finder) numbers() {
	for _, at := range leiNumber.FindAllStringIndex(f.text, MaxMentions) {
		if value := f.text[at[0]:at[1]]; validLEI(value) {
			f.give(at[0], at[1], lists.Identifier{Kind: lists.IDLEI, Value: value}, true)
		}
	}
	for _, at := range imoNumber.FindAllStringSubmatchIndex(f.text, MaxMentions) {
		if value := f.text[at[2]:at[3]]; validIMO(value) {
			f.give(at[2], at[3], lists.Identifier{Kind: lists.IDIMO, Value: value}, true)
		}
	}
	for _, at := range registration.FindAllStringSubmatchIndex(f.text, MaxMentions) {
		f.give(at[2], at[3], lists.Identifier{Kind: lists.IDRegistration, Value: f.text[at[2]:at[3]]}, false)
	}
	slices.SortStableFunc(f.found, func(a, b found) int { return a.Start - b.Start })
}

// near is how many bytes a number stands behind its party at most.
const near = 400

// give adds a number to the last party before it that is no person.
func (f *finder) give(start, end int, id lists.Identifier, alone bool) {
	for i := len(f.found) - 1; i >= 0; i-- {
		x := &f.found[i]
		if x.Start > start || x.Type == names.Person || len(x.Identifiers) > 0 && x.Identifiers[len(x.Identifiers)-1].Kind == id.Kind {
			continue
		}
		if start-x.End > near || strings.Contains(f.text[min(x.End, start):start], "\n\n\n") {
			break
		}
		x.Identifiers = mergeIDs(x.Identifiers, []lists.Identifier{id})
		return
	}
	if alone {
		f.found = append(f.found, found{Mention{Name: numberName(id), Identifiers: []lists.Identifier{id}, Start: start, End: end, Why: "it is an " + idKinds[id.Kind].name}, sureLine})
		slices.SortStableFunc(f.found, func(a, b found) int { return a.Start - b.Start })
	}
}

func mergeIDs(a, b []lists.Identifier) []lists.Identifier {
	for _, id := range b {
		if !slices.Contains(a, id) && len(a) < maxIdentifiers {
			a = append(a, id)
		}
	}
	return a
}

// validLEI checks the two digits at the end (ISO 17442).
func validLEI(s string) bool {
	rest := 0
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case 'A' <= c && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1 && strings.ContainsFunc(s, unicode.IsLetter)
}

// validIMO checks the digit at the end of a ship's number.
func validIMO(s string) bool {
	sum := 0
	for i := range 6 {
		sum += int(s[i]-'0') * (7 - i)
	}
	return strconv.Itoa(sum%10) == s[6:]
}

// address is what the lines below a name look like: a post code, a street and a number, a box, a country.
var address = regexp.MustCompile(`(?i)\b\d{4}\s?[A-Z]{2}\b|\b\d{5,6}\b|\bP\.?O\.? ?Box\b|\bpostbus\b|\b(?:street|road|avenue|lane|boulevard|drive|square|building|floor|district)\b|(?:straat|laan|gracht|plein|kade|stra(?:ß|ss)e|platz)\b|\b(?:str|st|rd|ave|blvd)\.|\b(?:weg|dijk|rue|via|calle|ул|улица|проспект)\b|路|街|号|區|区|شارع`)

// blocks takes the first line of each address.
func (f *finder) blocks() {
	for i := 0; i < len(f.lines); i++ {
		if f.lines[i].start == f.lines[i].end {
			continue
		}
		end := i
		for end < len(f.lines) && f.lines[end].start < f.lines[end].end && end-i <= 8 {
			end++
		}
		if n := end - i; n >= 2 && n <= 8 && f.block(i, end) {
			l := f.lines[i]
			f.add(l.start, l.start+partyLength(f.of(l)), f.typeOf(l.start, l.end, names.Any), sureBlock, "it is the first line of an address")
		}
		i = end
	}
}

// block tells whether lines are a name and an address.
func (f *finder) block(from, to int) bool {
	first := f.of(f.lines[from])
	if !titled(first) || address.MatchString(first) || strings.ContainsAny(first, ":：") {
		return false
	}
	for k := from + 1; k < to; k++ {
		l := f.of(f.lines[k])
		if len(l) > 100 || strings.HasSuffix(l, ".") && strings.Count(l, " ") > 8 {
			return false
		}
		if address.MatchString(l) {
			return true
		}
	}
	return false
}

// titled tells whether a line can be a name: short, its words capitalised, no sentence.
func titled(l string) bool {
	if len(l) < 3 || len(l) > 120 || strings.ContainsAny(l, "?!@=<>{}") || strings.Contains(l, "://") {
		return false
	}
	ws := textWordsOf(l)
	if len(ws) == 0 || len(ws) > mostWords || digitsOnly(strings.ReplaceAll(l, " ", "")) {
		return false
	}
	for _, w := range ws {
		if low := strings.ToLower(w.text); !w.capital && !joiners[low] && !particles[low] && !strings.Contains(w.text, ".") {
			return false
		}
	}
	return ws[0].capital || particles[strings.ToLower(ws[0].text)]
}

// plainLines takes each line of a text that is nothing but names, a line each.
func (f *finder) plainLines() {
	var able []textLineAt
	filled := 0
	for _, l := range f.lines {
		if l.start == l.end {
			continue
		}
		filled++
		if text := f.of(l); titled(text) && !strings.ContainsAny(text, ":：;") {
			able = append(able, l)
		}
	}
	if len(able)*10 < filled*9 || filled == 0 {
		return
	}
	for _, l := range able {
		f.add(l.start, l.end, f.typeOf(l.start, l.end, names.Any), sureLine, "it is a line of its own")
	}
}
