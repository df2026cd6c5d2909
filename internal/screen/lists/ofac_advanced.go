package lists

import (
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/names"
)

// isOFACAdvanced tells SDN_ADVANCED.XML and CONS_ADVANCED.XML.
func isOFACAdvanced(h *head) bool {
	return h.root == "Sanctions" && (strings.Contains(h.space, "advanced") || strings.Contains(h.text, "<ReferenceValueSets"))
}

// advanced is what the parts of the document before and after the parties say of them. The document is one of
// references: the value sets come first, then places and documents, then parties, then what each is listed for.
type advanced struct {
	b         *builder
	values    map[string]map[string]string // value set → id → text
	countries map[string]string            // AreaCode and Country ids → name
	places    map[string]place
	documents map[string][]document // by identity
}

type place struct{ line, country string }

type document struct{ kind, number, country string }

// readOFACAdvanced reads it as a stream: what is held is the references and the list itself.
func readOFACAdvanced(s *source, b *builder) error {
	b.strict = true
	a := &advanced{b: b, values: map[string]map[string]string{}, countries: map[string]string{}, places: map[string]place{}, documents: map[string][]document{}}
	take := func(path []string) bool {
		n := len(path)
		return within(path, "DateOfIssue", "Location", "IDRegDocument", "DistinctParty", "SanctionsEntry") && n <= 3 || n == 3 && path[1] == "ReferenceValueSets"
	}
	return readXML(s, take, nil, func(el *element) error {
		switch el.name {
		case "DateOfIssue":
			d := numbersDate(el)
			ofacAbout(s, b, d, d)
		case "Location":
			a.place(el)
		case "IDRegDocument":
			a.document(el)
		case "DistinctParty":
			return a.party(s, el)
		case "SanctionsEntry":
			a.listing(el)
		default:
			a.valueSet(el)
		}
		return nil
	}, "Sanctions", "ReferenceValueSets", "Locations", "IDRegDocuments", "DistinctParties", "SanctionsEntries")
}

// valueSet keeps one of the sets of words that the rest refers to.
func (a *advanced) valueSet(el *element) {
	set := map[string]string{}
	for _, v := range el.kids {
		set[v.attr("ID")] = clean(v.text)
		if v.name == "PartySubType" {
			set["party "+v.attr("ID")] = v.attr("PartyTypeID")
		}
		if v.name == "AreaCode" || v.name == "Country" {
			name := v.attr("Description")
			if name == "" {
				name = clean(v.text)
			}
			a.countries[v.name+v.attr("ID")] = name
		}
	}
	a.values[strings.TrimSuffix(el.name, "Values")] = set
}

func (a *advanced) value(set, id string) string { return a.values[set][id] }

// place keeps an address: its parts, and the country by its area code.
func (a *advanced) place(el *element) {
	var p place
	var parts []string
	for _, part := range el.all("LocationPart") {
		for _, v := range part.all("LocationPartValue") {
			if t := v.get("Value"); t != "" && v.attr("Primary") != "false" && !slices.Contains(parts, t) {
				parts = append(parts, t)
			}
		}
	}
	p.country = a.countries["AreaCode"+el.kid("LocationAreaCode").attr("AreaCodeID")]
	if c := a.countries["Country"+el.kid("LocationCountry").attr("CountryID")]; c != "" {
		p.country = c
	}
	p.line = joinComma(append(parts, p.country)...)
	a.places[el.attr("ID")] = p
}

// document keeps a passport, a registration or the like.
func (a *advanced) document(el *element) {
	who := el.attr("IdentityID")
	d := document{kind: a.value("IDRegDocType", el.attr("IDRegDocTypeID")), number: el.get("IDRegistrationNo"), country: a.countries["Country"+el.attr("IssuedBy-CountryID")]}
	a.documents[who] = append(a.documents[who], d)
}

// party reads a party: its profile's type, its identity's names, and its features.
func (a *advanced) party(s *source, el *element) error {
	for _, p := range el.all("Profile") {
		e := Entry{ID: el.attr("FixedRef"), List: "SDN", Means: ofacMeans, Type: a.partyType(p.attr("PartySubTypeID"))}
		if e.ID == "" {
			e.ID = p.attr("ID")
		}
		e.URL = ofacSearch + e.ID
		for _, id := range p.all("Identity") {
			a.identity(&e, id)
		}
		var notes []string
		for _, f := range p.all("Feature") {
			notes = append(notes, a.feature(&e, f)...)
		}
		notes = append(notes, el.get("Comment"))
		e.Note = joinNotes(notes...)
		if err := a.b.add(el.line, e); err != nil {
			return err
		}
	}
	return nil
}

func (a *advanced) partyType(sub string) names.Type {
	text := strings.ToLower(a.value("PartySubType", sub) + " " + a.value("PartyType", a.value("PartySubType", "party "+sub)))
	switch {
	case strings.Contains(text, "vessel"), strings.Contains(text, "aircraft"):
		return names.Vessel
	case strings.Contains(text, "individual"):
		return names.Person
	case strings.Contains(text, "entity"):
		return names.Company
	}
	return names.Any
}

// identity reads the names of an identity: aliases of documented names, whose parts say which is the family name.
func (a *advanced) identity(e *Entry, id *element) {
	groups := map[string]string{} // NamePartGroupID → kind of part
	for _, g := range id.all("NamePartGroups", "MasterNamePartGroup", "NamePartGroup") {
		groups[g.attr("ID")] = a.value("NamePartType", g.attr("NamePartTypeID"))
	}
	for _, al := range id.all("Alias") {
		primary := al.attr("Primary") == "true"
		kind := aliasKind(a.value("AliasType", al.attr("AliasTypeID")))
		for _, doc := range al.all("DocumentedName") {
			name, script := a.documented(doc, groups)
			k := kind
			if script != "" && script != "Latin" {
				k = "original script"
			}
			if primary && e.Name == "" && k != "original script" {
				e.Name = name
				continue
			}
			e.Aliases = append(e.Aliases, Alias{Name: name, Weak: al.attr("LowQuality") == "true", Kind: k})
		}
	}
	for _, d := range a.documents[id.attr("ID")] {
		if note := ofacNumber(e, d.kind, d.number, d.country); note != "" {
			e.Note = joinNotes(e.Note, note)
		}
	}
}

func aliasKind(s string) string {
	switch strings.ToUpper(strings.ReplaceAll(s, ".", "")) {
	case "FKA":
		return "former"
	case "NKA":
		return "now"
	}
	return ""
}

// documented puts a name together as OFAC writes it, and says its script.
func (a *advanced) documented(doc *element, groups map[string]string) (name, script string) {
	var last, rest []string
	for _, part := range doc.all("DocumentedNamePart", "NamePartValue") {
		script = a.value("Script", part.attr("ScriptID"))
		text := clean(part.text)
		if strings.EqualFold(groups[part.attr("NamePartGroupID")], "Last Name") {
			last = append(last, text)
		} else {
			rest = append(rest, text)
		}
	}
	if script != "" && script != "Latin" {
		return joinWords(strings.Join(rest, " "), strings.Join(last, " ")), script
	}
	return ofacName(joinWords(last...), joinWords(rest...)), script
}

// feature reads a date of birth, a place, a number of a vessel or a remark. Place of birth, nationality, citizenship and
// gender stay behind.
func (a *advanced) feature(e *Entry, f *element) []string {
	label := a.value("FeatureType", f.attr("FeatureTypeID"))
	lower := strings.ToLower(label)
	var notes []string
	for _, v := range f.all("FeatureVersion") {
		switch {
		case strings.Contains(lower, "birthdate"):
			if t := numbersPeriod(v.kid("DatePeriod")); t != "" {
				e.Births = append(e.Births, t)
			}
			continue
		case strings.Contains(lower, "birth"), strings.HasPrefix(lower, "nationality country"), strings.Contains(lower, "citizenship"), strings.Contains(lower, "gender"):
			continue
		}
		for _, l := range v.all("VersionLocation") {
			p := a.places[l.attr("LocationID")]
			if p.country == "" && strings.HasPrefix(lower, "nationality of registration") {
				p.country = p.line
			}
			if p.line != "" && p.line != p.country {
				e.Addresses = append(e.Addresses, p.line)
			}
			if !strings.Contains(lower, "former") && !strings.Contains(lower, "previous") {
				e.Countries = append(e.Countries, p.country)
			}
		}
		for _, d := range v.all("VersionDetail") {
			text := clean(d.text)
			if text == "" {
				text = a.value("DetailReference", d.attr("DetailReferenceID"))
			}
			if note := ofacNumber(e, label, text, ""); note != "" {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

// listing adds what a party is listed for: programmes, lists, since when.
func (a *advanced) listing(el *element) {
	at, ok := a.b.find(el.attr("ProfileID"))
	if !ok {
		return
	}
	e := a.b.parties.at(at)
	if l := a.value("List", el.attr("ListID")); l != "" {
		if l = strings.TrimSuffix(l, " List"); l != "SDN" {
			e.List = a.b.shared(cslCode(l), maxText)
			e.Means = a.b.shared(cslMeans(e.List, "", ""), maxNote)
		}
	}
	for _, ev := range el.all("EntryEvent") {
		if d := numbersDate(ev.kid("Date")); len(d) == 10 && (e.Listed == "" || d < e.Listed) {
			e.Listed = a.b.shared(d, 10)
		}
	}
	for _, m := range el.all("SanctionsMeasure") {
		if t := m.get("Comment"); t != "" && a.value("SanctionsType", m.attr("SanctionsTypeID")) != "Block" && !slices.Contains(e.Programmes, t) {
			e.Programmes = append(e.Programmes, a.b.shared(t, maxText))
		}
	}
}

// numbersDate reads <Year>, <Month> and <Day>.
func numbersDate(el *element) string {
	return day(el.get("Year"), el.get("Month"), el.get("Day"))
}

// numbersPeriod reads a period: a day when it is one, else its years.
func numbersPeriod(p *element) string {
	if p == nil {
		return ""
	}
	from, to := bound(p.kid("Start"), "From"), bound(p.kid("End"), "To")
	if p.kid("End") == nil {
		to = bound(p.kid("Start"), "To")
	}
	switch {
	case from == to || to == "":
		return from
	case from == "":
		return to
	case from[:4] == to[:4] && strings.HasSuffix(from, "-01-01") && strings.HasSuffix(to, "-12-31"):
		return from[:4]
	case len(from) == 10 && len(to) == 10 && from[:7] == to[:7] && strings.HasSuffix(from, "-01") && lastOfMonth(to):
		return from[:7]
	}
	return years(from, to)
}

func bound(el *element, which string) string {
	if d := numbersDate(el.kid(which)); d != "" {
		return d
	}
	return numbersDate(el.kid(map[string]string{"From": "To", "To": "From"}[which]))
}

// lastOfMonth tells whether a day is the last of its month.
func lastOfMonth(d string) bool {
	dom, _ := strconv.Atoi(d[8:])
	return day(d[:4], d[5:7], strconv.Itoa(dom+1)) == ""
}
