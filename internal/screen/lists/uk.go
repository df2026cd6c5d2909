package lists

import (
	"slices"
	"strings"

	"github.com/polder-exchange/polder/names"
)

const (
	ukTitle  = "UK Sanctions List"
	ukSource = "Foreign, Commonwealth & Development Office, UK"
)

// ukType is the type as British lists say it.
func ukType(s string) names.Type {
	switch strings.ToLower(clean(s)) {
	case "individual":
		return names.Person
	case "entity":
		return names.Company
	case "ship":
		return names.Vessel
	}
	return names.Any
}

func isUKNames(h *head) bool {
	return h.header("Unique ID", "Name", "Regime Name", "Type", "Sanctions Imposed")
}

// readUKNames reads the file of primary names.
func readUKNames(s *source, b *builder) error {
	b.about(ukTitle+", primary names", ukSource, "", "")
	b.note("this form holds primary names alone: aliases, dates of birth and addresses are not known")
	return readColumns(s, b, ',', []string{"Unique ID", "Name"}, func(line int, get func(string) string) error {
		return b.add(line, Entry{
			ID: get("Unique ID"), Type: ukType(get("Type")), Name: get("Name"), Programmes: splitList(get("Regime Name"), "|"),
			Means: get("Sanctions Imposed"), Listed: wholeDay(get("Date Designated"), dayFirst),
		})
	})
}

// ukAlias is a further name, with its kind and strength as British lists say them.
func ukAlias(name, kind, strength string) Alias {
	a := Alias{Name: name, Weak: strings.HasPrefix(strings.ToLower(strength), "low")}
	switch k := strings.ToLower(kind); {
	case strings.Contains(k, "formerly"), strings.Contains(k, "fka"), strings.Contains(k, "f.k.a"):
		a.Kind = "former"
	case strings.Contains(k, "variation"):
		a.Kind = "spelling variation"
	}
	return a
}

// ukName adds a name. The first primary one is the party's name; the row before may have brought aliases alone.
func ukName(e *Entry, name, kind, strength string) {
	k := strings.ToLower(clean(kind))
	switch {
	case name == "":
	case e.Name == "" && (k == "primary name" || k == ""):
		e.Name = name
	default:
		e.Aliases = append(e.Aliases, ukAlias(name, kind, strength))
	}
}

func isUKXML(h *head) bool { return h.root == "Designations" }

// readUKXML reads the XML of the UK Sanctions List. Nationality, place of birth and gender stay behind.
func readUKXML(s *source, b *builder) error {
	b.strict = true
	b.about(ukTitle, ukSource, "", "")
	take := func(path []string) bool { return within(path, "Designation", "DateGenerated") && len(path) == 2 }
	return readXML(s, take, nil, func(el *element) error {
		if el.name == "DateGenerated" {
			b.about("", "", wholeDay(el.text, dayFirst), "")
			return nil
		}
		if err := el.single(s, "UniqueID", "Names", "IndividualEntityShip"); err != nil {
			return err
		}
		return b.add(el.line, ukDesignation(el))
	}, "Designations")
}

func ukDesignation(el *element) Entry {
	e := Entry{
		ID: el.get("UniqueID"), Type: ukType(el.get("IndividualEntityShip")), Programmes: el.texts("RegimeName"), Means: splitMeasures(el.get("SanctionsImposed")),
		Listed: wholeDay(el.get("DateDesignated"), dayFirst), Changed: wholeDay(el.get("LastUpdated"), dayFirst),
		Note: joinNotes(el.get("OtherInformation"), el.get("UKStatementofReasons")),
	}
	if e.ID == "" {
		e.ID = el.get("OFSIGroupID")
	}
	for _, n := range el.all("Names", "Name") {
		name := joinWords(n.get("Name1"), n.get("Name2"), n.get("Name3"), n.get("Name4"), n.get("Name5"), n.get("Name6"))
		ukName(&e, name, n.get("NameType"), n.get("AliasStrength"))
	}
	for _, n := range el.texts("NonLatinNames", "NonLatinName", "NameNonLatinScript") {
		e.Aliases = append(e.Aliases, Alias{Name: n, Kind: "original script"})
	}
	for _, a := range el.all("Addresses", "Address") {
		ukAddress(&e, a.get("AddressCountry"), a.get("AddressLine1"), a.get("AddressLine2"), a.get("AddressLine3"), a.get("AddressLine4"), a.get("AddressLine5"), a.get("AddressLine6"), a.get("AddressPostalCode"))
	}
	for _, d := range el.deep("DOB") {
		ukBirth(&e, d)
	}
	for name, kind := range ukNumbers {
		for _, n := range el.deep(name) {
			ukNumber(&e, kind, n)
		}
	}
	for _, name := range []string{"CurrentBelievedFlagOfShip", "CurrentBelievedFlag"} {
		e.Countries = append(e.Countries, el.deep(name)...)
	}
	sortIdentifiers(&e)
	return e
}

// ukNumbers are the elements that hold numbers, and their kinds.
var ukNumbers = map[string]string{"PassportNumber": IDPassport, "NationalIdentifierNumber": IDNational, "BusinessRegistrationNumber": IDRegistration, "IMONumber": IDIMO}

func ukNumber(e *Entry, kind, value string) {
	if value != "" {
		e.Identifiers = append(e.Identifiers, identifierOf(kind, value, ""))
	}
}

// splitMeasures puts "Asset freeze|Travel Ban" into a sentence's form.
func splitMeasures(s string) string { return strings.Join(splitList(s, "|"), ", ") }

func ukAddress(e *Entry, country string, parts ...string) {
	if line := joinComma(append(parts, country)...); line != "" {
		e.Addresses = append(e.Addresses, line)
	}
	if country != "" {
		e.Countries = append(e.Countries, country)
	}
}

func ukBirth(e *Entry, text string) {
	if d := birth(text, dayFirst); d != "" {
		e.Births = append(e.Births, d)
	}
}

// sortIdentifiers gives numbers that were gathered by kind a steady order.
func sortIdentifiers(e *Entry) {
	slices.SortStableFunc(e.Identifiers, func(a, b Identifier) int { return strings.Compare(a.Kind, b.Kind) })
}

func isUKCSV(h *head) bool { return h.header("Unique ID", "Name 6", "Name 1", "Name type") }

// readUKCSV reads the full CSV of the UK Sanctions List: a report date, a header, and several rows a party.
func readUKCSV(s *source, b *builder) error {
	b.about(ukTitle, ukSource, ukDate(s, "Report Date:"), "")
	return gather(s, b, ',', []string{"Unique ID", "Name 6"}, "Unique ID", func(e *Entry, get func(string) string) {
		e.Type = ukType(get("Designation Type"))
		e.Programmes = append(e.Programmes, get("Regime Name"))
		e.Means = splitMeasures(get("Sanctions Imposed"))
		e.Listed, e.Changed = wholeDay(get("Date Designated"), dayFirst), max(e.Changed, wholeDay(get("Last Updated"), dayFirst))
		e.Note = joinNotes(get("Other Information"), get("UK Statement of Reasons"))
		ukRowName(e, get, get("Name type"), get("Alias strength"), get("Name non-latin script"))
		ukAddress(e, get("Address Country"), get("Address Line 1"), get("Address Line 2"), get("Address Line 3"), get("Address Line 4"), get("Address Line 5"), get("Address Line 6"), get("Address Postal Code"))
		ukBirth(e, get("D.O.B"))
		ukNumber(e, IDPassport, get("Passport number"))
		ukNumber(e, IDNational, get("National Identifier number"))
		ukNumber(e, IDRegistration, get("Business registration number (s)"))
		ukNumber(e, IDIMO, get("IMO number"))
		e.Countries = append(e.Countries, get("Current believed flag of ship"))
	})
}

func ukRowName(e *Entry, get func(string) string, kind, strength, other string) {
	name := joinWords(get("Name 1"), get("Name 2"), get("Name 3"), get("Name 4"), get("Name 5"), get("Name 6"))
	ukName(e, name, kind, strength)
	if other != "" {
		e.Aliases = append(e.Aliases, Alias{Name: other, Kind: "original script"})
	}
}

// ukDate is the date on the first line, behind a word.
func ukDate(s *source, word string) string {
	peek, _ := s.in.Peek(200)
	line := firstLine(strings.TrimSpace(string(peek)))
	_, after, ok := strings.Cut(line, word)
	if !ok {
		return ""
	}
	after = strings.Trim(after, " ,\"\r")
	return or(wholeDay(after, dayFirst), wholeDay(strings.ReplaceAll(after, "-", " "), dayFirst))
}

func isOFSI(h *head) bool { return h.header("Name 6", "Name 1", "Group Type", "Group ID") }

// readOFSI reads the consolidated list of OFSI (ConList.csv), which ended in January 2026: several rows a party.
func readOFSI(s *source, b *builder) error {
	b.about("Consolidated list of financial sanctions targets in the UK", "Office of Financial Sanctions Implementation, HM Treasury", ukDate(s, "Last Updated"), "")
	return gather(s, b, ',', []string{"Name 6", "Group ID"}, "Group ID", func(e *Entry, get func(string) string) {
		e.Type = ukType(get("Group Type"))
		e.Programmes = append(e.Programmes, get("Regime"))
		e.Means = "Asset freeze"
		e.Listed, e.Changed = wholeDay(get("Listed On"), dayFirst), max(e.Changed, wholeDay(get("Last Updated"), dayFirst))
		e.Note = get("Other Information")
		kind := get("Alias Type")
		if kind == "" {
			kind = "Primary name"
		}
		ukRowName(e, get, kind, get("Alias Quality"), get("Name Non-Latin Script"))
		ukAddress(e, get("Country"), get("Address 1"), get("Address 2"), get("Address 3"), get("Address 4"), get("Address 5"), get("Address 6"), get("Post/Zip Code"))
		ukBirth(e, get("DOB"))
		ukNumber(e, IDPassport, get("Passport Number"))
		ukNumber(e, IDNational, get("National Identification Number"))
		e.Identifiers = append(e.Identifiers, imoInText(e.Note)...)
	})
}
