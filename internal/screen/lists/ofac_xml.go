package lists

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/names"
)

// isOFACXML tells SDN.XML and CONSOLIDATED.XML.
func isOFACXML(h *head) bool { return h.root == "sdnList" }

// readOFACXML reads them. The list says how many records it has; one that holds another number is refused.
func readOFACXML(s *source, b *builder) error {
	b.strict = true
	take := func(path []string) bool { return within(path, "publshInformation", "publishInformation", "sdnEntry") }
	want, got := -1, 0
	err := readXML(s, take, nil, func(el *element) error {
		if el.name != "sdnEntry" {
			d := el.get("Publish_Date")
			ofacAbout(s, b, date(d, monthFirst), d)
			if n, err := strconv.Atoi(el.get("Record_Count")); err == nil {
				want = n
			}
			return nil
		}
		got++
		return ofacXMLEntry(s, b, el)
	}, "sdnList", "publshInformation", "publishInformation")
	if err == nil && want >= 0 && want != got {
		return s.fail(0, fmt.Sprintf("the list says that it has %d records and holds %d", want, got), "load it again")
	}
	return err
}

func ofacXMLEntry(s *source, b *builder, el *element) error {
	if err := el.single(s, "uid", "firstName", "lastName", "sdnType"); err != nil {
		return err
	}
	e := Entry{ID: el.get("uid"), Type: ofacType(el.get("sdnType")), Name: ofacName(el.get("lastName"), el.get("firstName"))}
	e.List, e.Means = ofacPart(s)
	e.Programmes = el.texts("programList", "program")
	if digits(e.ID) {
		e.URL = ofacSearch + e.ID
	}
	for _, a := range el.all("akaList", "aka") {
		kind := ""
		if t := a.get("type"); strings.HasPrefix(t, "f") {
			kind = "former"
		} else if strings.HasPrefix(t, "n") {
			kind = "now"
		}
		e.Aliases = append(e.Aliases, Alias{Name: ofacName(a.get("lastName"), a.get("firstName")), Weak: a.get("category") == "weak", Kind: kind})
	}
	for _, a := range el.all("addressList", "address") {
		country := a.get("country")
		e.Addresses = append(e.Addresses, joinComma(a.get("address1"), a.get("address2"), a.get("address3"), a.get("city"), a.get("stateOrProvince"), a.get("postalCode"), country))
		e.Countries = append(e.Countries, country)
	}
	for _, d := range el.all("dateOfBirthList", "dateOfBirthItem") {
		if t := birth(d.get("dateOfBirth"), monthFirst); t != "" {
			e.Births = append(e.Births, t)
		}
	}
	notes := []string{titled("Title", el.get("title"))}
	for _, d := range el.all("idList", "id") {
		notes = append(notes, ofacNumber(&e, d.get("idType"), d.get("idNumber"), d.get("idCountry")))
	}
	r := parseRemarks(el.get("remarks"))
	e.Births, e.Aliases, e.Identifiers, e.Countries = append(e.Births, r.births...), append(e.Aliases, r.aliases...), append(e.Identifiers, r.identifiers...), append(e.Countries, r.countries...)
	if v := el.kid("vesselInfo"); v != nil {
		e.Type = names.Vessel
		if t := v.get("callSign"); t != "" {
			e.Identifiers = append(e.Identifiers, Identifier{Kind: IDOther, Value: t})
		}
		e.Countries = append(e.Countries, v.get("vesselFlag"))
		notes = append(notes, titled("Type", v.get("vesselType")), titled("Owner", v.get("vesselOwner")))
	}
	e.Note = joinNotes(append(notes, r.rest...)...)
	return b.add(el.line, e)
}

// ofacNumber takes a number of an entry; what is none (a gender, a web site) is returned as a remark, or left out.
func ofacNumber(e *Entry, label, value, country string) string {
	lower := strings.ToLower(label)
	switch {
	case value == "" || strings.Contains(lower, "gender") || strings.Contains(lower, "nationality of birth"):
		return ""
	case strings.HasPrefix(lower, "nationality of registration"):
		e.Countries = append(e.Countries, value)
		return ""
	}
	for _, n := range notNumbers {
		if strings.HasPrefix(label, n) {
			return titled(label, value)
		}
	}
	if !numberLike(label, value) || strings.Contains(lower, "sanctions") {
		return titled(label, value)
	}
	e.Identifiers = append(e.Identifiers, identifier(label, value, country))
	return ""
}

// ofacName is a name as OFAC writes it: the family name, a comma, the others.
func ofacName(last, first string) string {
	if last == "" || first == "" {
		return last + first
	}
	return last + ", " + first
}
