package lists

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/polder-exchange/polder/names"
)

// isBODS tells statements of the Beneficial Ownership Data Standard.
func isBODS(h *head) bool {
	return h.has("statementId") || h.has("statementID", "statementType") || h.has("statementID")
}

// bodsStatement is a statement of BODS 0.4; of 0.2 and 0.3 the fields lie on the statement itself.
type bodsStatement struct {
	StatementID  string       `json:"statementId"`
	StatementID3 string       `json:"statementID"`
	Type3        string       `json:"statementType"`
	Date         string       `json:"statementDate"`
	Replaces     []string     `json:"replacesStatements"`
	Record       string       `json:"recordId"`
	RecordType   string       `json:"recordType"`
	Status       string       `json:"recordStatus"`
	Details      *bodsDetails `json:"recordDetails"`
	Source       struct {
		URL string `json:"url"`
	} `json:"source"`
	bodsDetails
}

// bodsDetails is what a statement says of an entity or a person.
type bodsDetails struct {
	EntityType   any              `json:"entityType"`
	PersonType   string           `json:"personType"`
	Name         string           `json:"name"`
	Alternate    []string         `json:"alternateNames"`
	Names        []bodsName       `json:"names"`
	Identifiers  []bodsIdentifier `json:"identifiers"`
	Jurisdiction bodsPlace        `json:"jurisdiction"`
	Incorporated bodsPlace        `json:"incorporatedInJurisdiction"`
	BirthDate    string           `json:"birthDate"`
	Addresses    []bodsAddress    `json:"addresses"`
}

type bodsName struct {
	Type     string `json:"type"`
	FullName string `json:"fullName"`
	Given    string `json:"givenName"`
	Family   string `json:"familyName"`
}

type bodsIdentifier struct {
	ID     string `json:"id"`
	Scheme string `json:"scheme"`
	Name   string `json:"schemeName"`
}

type bodsPlace struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

type bodsAddress struct {
	Type     string  `json:"type"`
	Address  string  `json:"address"`
	Postcode string  `json:"postCode"`
	Country  anyCode `json:"country"`
}

// anyCode is a country: an object with name and code in 0.4, a code in 0.3.
type anyCode struct{ bodsPlace }

// bodsParty is an entry with what tells whether it stands.
type bodsParty struct {
	entry     Entry
	line      int
	statement string
	date      string
	closed    bool
}

// readBODS reads the entities and persons among the statements: of each record the newest, none that is closed or
// replaced. Who owns whom is not read here.
func readBODS(s *source, b *builder) error {
	var parties []bodsParty
	byRecord := map[string]int{}
	replaced := map[string]bool{}
	take := func(line int, st *bodsStatement) error {
		for _, id := range st.Replaces {
			replaced[id] = true
		}
		p, ok := st.party(line)
		if !ok {
			b.skip(line, "a statement about ownership, which is not read here")
			return nil
		}
		at, seen := byRecord[p.entry.ID]
		switch {
		case p.entry.ID == "":
			b.skip(line, "no id of the statement or record")
		case !seen:
			byRecord[p.entry.ID] = len(parties)
			parties = append(parties, p)
		case p.date >= parties[at].date:
			parties[at] = p
		}
		return nil
	}
	h, err := s.head()
	if err != nil {
		return err
	}
	if h.array {
		err = readArray(s, b, "", nil, take)
	} else {
		err = readLines(s, b, take)
	}
	if err != nil {
		return err
	}
	for _, p := range parties {
		if p.closed || replaced[p.statement] {
			b.skip(p.line, "a record that was closed or replaced")
			continue
		}
		if err := b.add(p.line, p.entry); err != nil {
			return err
		}
	}
	return nil
}

// party is the entry of a statement; false when it is about no party.
func (st *bodsStatement) party(line int) (bodsParty, bool) {
	d, kind := st.Details, strings.ToLower(st.RecordType)
	if st.Type3 != "" {
		d, kind = &st.bodsDetails, strings.TrimSuffix(strings.ToLower(st.Type3), "statement")
	}
	if d == nil || kind != "entity" && kind != "person" {
		return bodsParty{}, false
	}
	p := bodsParty{line: line, statement: st.StatementID + st.StatementID3, date: st.Date, closed: st.Status == "closed"}
	e := Entry{ID: st.Record, Type: names.Company, Name: d.Name, Changed: wholeDay(st.Date, dayFirst), URL: st.Source.URL}
	if e.ID == "" {
		e.ID = p.statement
	}
	if kind == "person" {
		e.Type = names.Person
	}
	for _, n := range d.Names {
		full := n.FullName
		if full == "" {
			full = joinWords(n.Given, n.Family)
		}
		if e.Name == "" && (n.Type == "legal" || n.Type == "individual" || n.Type == "") {
			e.Name = full
			continue
		}
		kind := ""
		if n.Type == "former" || n.Type == "birth" {
			kind = "former"
		}
		e.Aliases = append(e.Aliases, Alias{Name: full, Kind: kind})
	}
	for _, n := range d.Alternate {
		e.Aliases = append(e.Aliases, Alias{Name: n})
	}
	if t := birth(d.BirthDate, dayFirst); t != "" {
		e.Births = append(e.Births, t)
	}
	if e.Type == names.Company {
		for _, j := range []bodsPlace{d.Jurisdiction, d.Incorporated} {
			e.Countries = append(e.Countries, j.country())
		}
	}
	for _, a := range d.Addresses {
		if strings.Contains(strings.ToLower(a.Type), "birth") {
			continue
		}
		e.Countries = append(e.Countries, a.Country.country())
		e.Addresses = append(e.Addresses, joinComma(a.Address, a.Postcode, a.Country.Name))
	}
	for _, i := range d.Identifiers {
		e.Identifiers = append(e.Identifiers, bodsNumber(i, kind))
	}
	p.entry = e
	return p, true
}

// country is the code without the part of the country.
func (p bodsPlace) country() string {
	code, _, _ := strings.Cut(p.Code, "-")
	if code == "" {
		return p.Name
	}
	return code
}

// bodsNumber takes an identifier by its scheme: XI-LEI, else a register by its country's prefix, "GB-COH".
func bodsNumber(i bodsIdentifier, kind string) Identifier {
	scheme := strings.ToUpper(i.Scheme)
	country, _, _ := strings.Cut(scheme, "-")
	switch label := strings.ToLower(i.Scheme + " " + i.Name); {
	case strings.HasPrefix(scheme, "XI-LEI"):
		return identifierOf(IDLEI, i.ID, "")
	case strings.Contains(label, "passport"):
		return identifierOf(IDPassport, i.ID, Country(country))
	case strings.Contains(label, "tax"):
		return identifierOf(IDTax, i.ID, Country(country))
	case kind == "person":
		return identifierOf(IDNational, i.ID, Country(country))
	case len(country) == 2 && country != "XI":
		return identifierOf(IDRegistration, i.ID, country)
	}
	return identifier(i.Name, i.ID, "")
}

// UnmarshalJSON reads a country as an object or as a code.
func (c *anyCode) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		return json.Unmarshal(b, &c.bodsPlace)
	}
	var t jsonText
	err := t.UnmarshalJSON(b)
	c.Code = string(t)
	return err
}
