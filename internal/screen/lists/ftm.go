package lists

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/polder-exchange/polder/names"
)

// isFTM tells entities of FollowTheMoney: an object with a schema and properties.
func isFTM(h *head) bool { return !h.array && h.has("id", "schema", "properties") }

// ftmEntity is an entity of FollowTheMoney.
type ftmEntity struct {
	ID         string                `json:"id"`
	Caption    string                `json:"caption"`
	Schema     string                `json:"schema"`
	Properties map[string][]ftmValue `json:"properties"`
	Datasets   []string              `json:"datasets"`
	FirstSeen  string                `json:"first_seen"`
	LastChange string                `json:"last_change"`
	Target     *bool                 `json:"target"`
}

// ftmValue is a value of a property: a text, or in nested exports an entity.
type ftmValue struct {
	text   string
	entity *ftmEntity
}

// UnmarshalJSON reads a text, a number or an entity.
func (v *ftmValue) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		v.entity = new(ftmEntity)
		return json.Unmarshal(b, v.entity)
	}
	var t jsonText
	err := t.UnmarshalJSON(b)
	v.text = string(t)
	return err
}

// all are the texts of these properties.
func (e *ftmEntity) all(props ...string) []string {
	var out []string
	for _, p := range props {
		for _, v := range e.Properties[p] {
			if v.text != "" {
				out = append(out, v.text)
			}
		}
	}
	return out
}

func (e *ftmEntity) first(props ...string) string {
	if all := e.all(props...); len(all) > 0 {
		return all[0]
	}
	return ""
}

// ftmTypes are the schemata of parties.
var ftmTypes = map[string]names.Type{
	"Person": names.Person, "Company": names.Company, "Organization": names.Company, "PublicBody": names.Company, "LegalEntity": names.Any,
	"Vessel": names.Vessel, "Airplane": names.Vessel, "Vehicle": names.Vessel, "Asset": names.Any, "Security": names.Any, "Thing": names.Any,
}

// ftmNumbers are the properties that hold numbers, and their kinds.
var ftmNumbers = []struct{ prop, kind string }{
	{"leiCode", IDLEI}, {"registrationNumber", IDRegistration}, {"ogrnCode", IDRegistration}, {"uscCode", IDRegistration}, {"voenCode", IDTax},
	{"innCode", IDTax}, {"taxNumber", IDTax}, {"vatCode", IDTax}, {"imoNumber", IDIMO}, {"mmsi", IDMMSI}, {"swiftBic", IDBIC},
	{"passportNumber", IDPassport}, {"idNumber", IDNational}, {"socialSecurityNumber", IDNational}, {"callSign", IDOther}, {"okpoCode", IDOther},
	{"dunsCode", IDOther}, {"uniqueEntityId", IDOther}, {"npiCode", IDOther}, {"serialNumber", IDOther}, {"cryptoWallet", IDOther},
}

// ftmLinks is what other entities say of parties that have not come yet.
type ftmLinks struct {
	b       *builder
	waiting map[string][]func(e *Entry)
	person  bool // the country of a person was left out
	other   map[string]int
}

// readFTM reads entities of FollowTheMoney. Sanctions and identifications are joined to the parties they name, whichever
// comes first; addresses that are entities of their own are left out, nationality stays behind, and so does the country of a person, which may be one.
func readFTM(s *source, b *builder) error {
	l := &ftmLinks{b: b, waiting: map[string][]func(*Entry){}, other: map[string]int{}}
	err := readLines(s, b, func(line int, f *ftmEntity) error { return l.take(line, f) })
	if err != nil {
		return err
	}
	if l.person {
		b.note("the countries of persons are left out: in this form they may be nationalities")
	}
	for _, schema := range sortedKeys(l.other) {
		b.note(fmt.Sprintf("%d records of the kind %s are no parties and were left out", l.other[schema], clip(clean(schema), 40)))
	}
	return nil
}

func (l *ftmLinks) take(line int, f *ftmEntity) error {
	if f.Schema == "" || f.ID == "" {
		l.b.skip(line, "no id or no schema")
		return nil
	}
	if t, ok := ftmTypes[f.Schema]; ok {
		if f.Target != nil && !*f.Target {
			l.b.skip(line, "not a target of the list, only linked to one")
			return nil
		}
		return l.party(line, f, t)
	}
	if props, apply := l.link(f); apply != nil {
		for _, id := range f.all(props...) {
			if at, ok := l.b.find(clean(id)); ok {
				l.apply(at, apply)
			} else {
				l.waiting[id] = append(l.waiting[id], apply)
			}
		}
		return nil
	}
	if len(l.other) < 100 || l.other[f.Schema] > 0 {
		l.other[f.Schema]++
	}
	return nil
}

// apply adds to an entry that is there, and cleans it again.
func (l *ftmLinks) apply(at int, f func(*Entry)) {
	e := l.b.parties.at(at)
	f(e)
	l.b.tidy(e)
}

// link is what an entity that is no party says of one, and the properties that name it.
func (l *ftmLinks) link(f *ftmEntity) (props []string, apply func(e *Entry)) {
	switch f.Schema {
	case "Sanction":
		return []string{"entity"}, func(e *Entry) { ftmSanction(e, f) }
	case "Identification", "Passport":
		return []string{"holder"}, func(e *Entry) { ftmIdentification(e, f) }
	}
	return nil, nil
}

func ftmSanction(e *Entry, f *ftmEntity) {
	p := f.all("programId")
	if len(p) == 0 {
		p = f.all("program", "authority")
	}
	e.Programmes = append(e.Programmes, p...)
	if e.Means == "" {
		e.Means = strings.Join(f.all("provisions"), "; ")
	}
	if d := wholeDay(f.first("listingDate", "startDate", "date"), dayFirst); d != "" && (e.Listed == "" || d < e.Listed) {
		e.Listed = d
	}
	e.Note = joinNotes(e.Note, strings.Join(f.all("reason"), "; "))
	if e.URL == "" {
		e.URL = f.first("sourceUrl")
	}
}

func ftmIdentification(e *Entry, f *ftmEntity) {
	label := f.first("type")
	if f.Schema == "Passport" {
		label = "passport"
	}
	for _, n := range f.all("number", "passportNumber") {
		e.Identifiers = append(e.Identifiers, identifier(label, n, f.first("country")))
	}
}

func (l *ftmLinks) party(line int, f *ftmEntity, t names.Type) error {
	e := Entry{ID: f.ID, Type: t, Name: f.Caption, URL: f.first("sourceUrl"), Note: joinNotes(f.all("notes", "summary", "position")...)}
	all := f.all("name")
	if e.Name == "" && len(all) > 0 {
		e.Name = all[0]
	}
	for _, n := range all {
		e.Aliases = append(e.Aliases, Alias{Name: n, Kind: scriptKind(n)})
	}
	for _, p := range []struct {
		prop, kind string
		weak       bool
	}{{"alias", "", false}, {"previousName", "former", false}, {"abbreviation", "abbreviation", false}, {"weakAlias", "", true}} {
		for _, n := range f.all(p.prop) {
			kind := p.kind
			if kind == "" {
				kind = scriptKind(n)
			}
			e.Aliases = append(e.Aliases, Alias{Name: n, Weak: p.weak, Kind: kind})
		}
	}
	for _, d := range f.all("birthDate") {
		if d = birth(d, dayFirst); d != "" {
			e.Births = append(e.Births, d)
		}
	}
	countries := f.all("country", "jurisdiction", "mainCountry", "flag")
	if t == names.Person && len(countries) > 0 {
		countries, l.person = nil, true
	}
	e.Countries = ftmCountries(countries)
	e.Addresses = f.all("address")
	for _, n := range ftmNumbers {
		for _, v := range f.all(n.prop) {
			kind := n.kind
			if f.Schema == "Airplane" && n.prop == "registrationNumber" {
				kind = IDAircraft
			}
			e.Identifiers = append(e.Identifiers, identifierOf(kind, v, ""))
		}
	}
	e.Programmes = f.all("programId", "program")
	if topics := f.all("topics"); len(topics) > 0 {
		e.Note = joinNotes("Topics: "+strings.Join(topics, ", "), e.Note)
	}
	e.Changed = wholeDay(f.LastChange, dayFirst)
	for _, prop := range []string{"sanctions", "identifications", "passports"} {
		for _, v := range f.Properties[prop] {
			if v.entity != nil {
				if _, apply := l.link(v.entity); apply != nil {
					apply(&e)
				}
			}
		}
	}
	for _, apply := range l.waiting[f.ID] {
		apply(&e)
	}
	delete(l.waiting, f.ID)
	return l.b.add(line, e)
}

// ftmCountries are codes as FollowTheMoney writes them: lower case, with regions behind a hyphen.
func ftmCountries(in []string) []string {
	var out []string
	for _, c := range in {
		code, _, _ := strings.Cut(c, "-")
		if len(code) != 2 {
			code = c
		}
		out = append(out, Country(code))
	}
	return out
}

func isTargetsCSV(h *head) bool { return h.header("id", "schema", "name", "birth_date", "dataset") }

// readTargetsCSV reads targets.simple.csv of OpenSanctions, whose cells hold several values parted by semicolons.
func readTargetsCSV(s *source, b *builder) error {
	person := false
	err := readColumns(s, b, ',', []string{"id", "schema", "name"}, func(line int, get func(string) string) error {
		e := Entry{ID: get("id"), Type: ftmTypes[get("schema")], Name: get("name"), Addresses: splitList(get("addresses"), ";"), Programmes: splitList(get("program_ids"), ";"), Changed: wholeDay(get("last_change"), dayFirst)}
		for _, a := range splitList(get("aliases"), ";") {
			e.Aliases = append(e.Aliases, Alias{Name: a, Kind: scriptKind(a)})
		}
		for _, d := range splitList(get("birth_date"), ";") {
			if d = birth(d, dayFirst); d != "" {
				e.Births = append(e.Births, d)
			}
		}
		if e.Countries = ftmCountries(splitList(get("countries"), ";")); e.Type == names.Person && len(e.Countries) > 0 {
			e.Countries, person = nil, true
		}
		for _, n := range splitList(get("identifiers"), ";") {
			e.Identifiers = append(e.Identifiers, anyNumber(n))
		}
		e.Note = get("sanctions")
		return b.add(line, e)
	})
	if person {
		b.note("the countries of persons are left out: in this form they may be nationalities")
	}
	return err
}

// anyNumber is a number whose kind is not said: a LEI is told by its form, all else decides nothing.
func anyNumber(n string) Identifier {
	if leiNumber.MatchString(n) {
		return Identifier{Kind: IDLEI, Value: n}
	}
	return Identifier{Kind: IDOther, Value: n}
}
