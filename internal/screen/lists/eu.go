package lists

import (
	"strings"
	"unicode"

	"github.com/polder-exchange/polder/names"
)

const (
	euTitle  = "EU consolidated list of persons, groups and entities subject to financial sanctions"
	euSource = "European Commission"
	euMeans  = "Funds and economic resources are frozen, and none may be made available, under the regulation of the programme"
)

// isEUXML tells the full export of the EU's financial sanctions.
func isEUXML(h *head) bool {
	return h.root == "export" && (strings.Contains(h.space, "fsd/export") || strings.Contains(h.text, "<sanctionEntity"))
}

// readEUXML reads it. Citizenship, place of birth and gender stay behind.
func readEUXML(s *source, b *builder) error {
	b.strict = true
	take := func(path []string) bool { return within(path, "sanctionEntity") }
	open := func(el *element) error {
		if el.name == "export" {
			b.about(euTitle, euSource, wholeDay(el.attr("generationDate"), dayFirst), el.attr("globalFileId"))
		}
		return nil
	}
	return readXML(s, take, open, func(el *element) error {
		return b.add(el.line, euEntry(el))
	}, "export")
}

// euType is the type by the code (person, enterprise) or its classification (P, E).
func euType(codes ...string) names.Type {
	for _, c := range codes {
		switch strings.ToLower(clean(c)) {
		case "person", "p":
			return names.Person
		case "enterprise", "entity", "e":
			return names.Company
		case "vessel", "ship":
			return names.Vessel
		}
	}
	return names.Any
}

func euEntry(el *element) Entry {
	e := Entry{ID: el.attr("euReferenceNumber"), Means: euMeans}
	if e.ID == "" {
		e.ID = el.attr("logicalId")
	}
	t := el.kid("subjectType")
	e.Type = euType(t.attr("code"), t.attr("classificationCode"))
	for _, r := range el.all("regulation") {
		e.Programmes = append(e.Programmes, r.attr("programme"))
		if e.URL == "" {
			e.URL = r.get("publicationUrl")
		}
		if d := wholeDay(r.attr("publicationDate"), dayFirst); d != "" {
			if e.Listed == "" || d < e.Listed {
				e.Listed = d
			}
			e.Changed = max(e.Changed, d)
		}
	}
	if d := wholeDay(el.attr("designationDate"), dayFirst); d != "" {
		e.Listed = d
	}
	for _, n := range el.all("nameAlias") {
		euName(&e, euWhole(n.attr("wholeName"), n.attr("firstName"), n.attr("middleName"), n.attr("lastName")), n.attr("strong") == "false")
	}
	for _, d := range el.all("birthdate") {
		if t := euBirth(d.attr("birthdate"), d.attr("year"), d.attr("monthOfYear"), d.attr("dayOfMonth"), d.attr("yearRangeFrom"), d.attr("yearRangeTo"), d.attr("circa")); t != "" {
			e.Births = append(e.Births, t)
		}
	}
	for _, a := range el.all("address") {
		euAddress(&e, a.attr("countryIso2Code"), a.attr("countryDescription"), a.attr("street"), a.attr("poBox"), a.attr("zipCode"), a.attr("city"), a.attr("place"), a.attr("region"))
	}
	for _, d := range el.all("identification") {
		if d.attr("knownFalse") == "true" {
			continue
		}
		euNumber(&e, d.attr("identificationTypeCode"), d.attr("identificationTypeDescription"), d.attr("number"), d.attr("latinNumber"), d.attr("countryIso2Code"))
	}
	e.Note = joinNotes(append(el.texts("remark"), el.attr("designationDetails"))...)
	return e
}

func euWhole(whole, first, middle, last string) string {
	if whole != "" {
		return whole
	}
	return joinWords(first, middle, last)
}

// euName adds a name: the first strong one in Latin letters is the primary one.
func euName(e *Entry, name string, weak bool) {
	switch {
	case name == "":
	case e.Name == "" && !weak && latin(name):
		e.Name = name
	default:
		e.Aliases = append(e.Aliases, Alias{Name: name, Weak: weak, Kind: scriptKind(name)})
	}
}

// scriptKind says that a name is in another script than Latin.
func scriptKind(name string) string {
	if latin(name) {
		return ""
	}
	return "original script"
}

// latin tells whether most letters of a name are Latin.
func latin(s string) bool {
	in, out := 0, 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Latin, r):
			in++
		case unicode.IsLetter(r):
			out++
		}
	}
	return in >= out
}

func euBirth(whole, year, month, dom, from, to, circa string) string {
	d := date(whole, dayFirst)
	if d == "" {
		d = day(year, month, dom)
	}
	if d == "" || year == "" && whole == "" {
		if span := years(date(from, dayFirst), date(to, dayFirst)); span != "" {
			return span
		}
	}
	if strings.EqualFold(circa, "true") {
		return aboutYear(d)
	}
	return d
}

func euAddress(e *Entry, code, country string, parts ...string) {
	if Country(code) == "" {
		code = country
	}
	code = Country(code)
	if code != "" {
		e.Countries = append(e.Countries, code)
	}
	if c := strings.ToUpper(clean(country)); c == "UNKNOWN" {
		country = ""
	}
	if line := joinComma(append(parts, country)...); line != "" {
		e.Addresses = append(e.Addresses, line)
	}
}

// euNumber takes a number by the code of its kind, else by its description.
func euNumber(e *Entry, code, label, number, latinNumber, country string) {
	if number == "" {
		number = latinNumber
	}
	if number == "" {
		return
	}
	kinds := map[string]string{"passport": IDPassport, "regnumber": IDRegistration, "id": IDNational, "ssn": IDNational, "fiscalcode": IDTax, "taxid": IDTax, "imo": IDIMO, "swiftbic": IDBIC, "electionid": IDNational, "birthcert": IDOther, "tradelic": IDRegistration, "residentperm": IDOther, "other": ""}
	kind := kinds[strings.ToLower(code)]
	if kind == "" {
		kind = identifierKind(label)
	}
	e.Identifiers = append(e.Identifiers, identifierOf(kind, number, country))
}

func isEUCSV(h *head) bool {
	return h.header("Entity_EU_ReferenceNumber", "NameAlias_WholeName") || h.header("Entity_LogicalId", "NameAlias_WholeName")
}

// readEUCSV reads the wide CSV: several rows a party, each with a name, an address, a date of birth or a number.
func readEUCSV(s *source, b *builder) error {
	b.about(euTitle, euSource, "", "")
	h, err := s.head()
	if err != nil {
		return err
	}
	id := "Entity_EU_ReferenceNumber"
	if !h.header(id) {
		id = "Entity_LogicalId"
	}
	return gather(s, b, h.delim, []string{"NameAlias_WholeName", id}, id, func(e *Entry, get func(string) string) {
		if d := wholeDay(get("fileGenerationDate"), dayFirst); d > b.meta.Date {
			b.about("", "", d, "")
		}
		euRow(e, get)
	})
}

// euRow adds what a row says to its party.
func euRow(e *Entry, get func(string) string) {
	e.Means = euMeans
	if e.Type == names.Any {
		e.Type = euType(get("Entity_SubjectType_ClassificationCode"), get("Entity_SubjectType"))
	}
	if d := wholeDay(get("Entity_DesignationDate"), dayFirst); d != "" {
		e.Listed = d
	}
	if d := wholeDay(get("Entity_Regulation_PublicationDate"), dayFirst); e.Listed == "" {
		e.Listed = d
	}
	e.Programmes = append(e.Programmes, get("Entity_Regulation_Programme"))
	if e.URL == "" {
		e.URL = get("Entity_Regulation_PublicationUrl")
	}
	if e.Note == "" {
		e.Note = joinNotes(get("Entity_Remark"), get("Entity_DesignationDetails"))
	}
	euName(e, euWhole(get("NameAlias_WholeName"), get("NameAlias_FirstName"), get("NameAlias_MiddleName"), get("NameAlias_LastName")), strings.EqualFold(get("NameAlias_Strong"), "false"))
	if t := euBirth(get("BirthDate_BirthDate"), get("BirthDate_Year"), get("BirthDate_Month"), get("BirthDate_Day"), get("BirthDate_YearRangeFrom"), get("BirthDate_YearRangeTo"), get("BirthDate_Circa")); t != "" {
		e.Births = append(e.Births, t)
	}
	euAddress(e, get("Address_CountryIso2Code"), get("Address_CountryDescription"), get("Address_Street"), get("Address_PoBox"), get("Address_ZipCode"), get("Address_City"), get("Address_Place"), get("Address_Region"))
	euNumber(e, get("Identification_TypeCode"), get("Identification_TypeDescription"), get("Identification_Number"), get("Identification_LatinNumber"), get("Identification_CountryIso2Code"))
}
