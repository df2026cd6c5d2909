package lists

import (
	"strings"

	"github.com/polder-exchange/polder/names"
)

// isUN tells the consolidated list of the UN Security Council.
func isUN(h *head) bool { return h.root == "CONSOLIDATED_LIST" }

const unMeans = "UN Security Council measures of this regime: assets freeze, and where the resolution says so travel ban and arms embargo"

// readUN reads the consolidated list. Nationality, place of birth and gender stay behind.
func readUN(s *source, b *builder) error {
	b.strict = true
	take := func(path []string) bool { return within(path, "INDIVIDUAL", "ENTITY") }
	open := func(el *element) error {
		if el.name == "CONSOLIDATED_LIST" {
			b.about("UN Security Council Consolidated List", "United Nations Security Council", date(el.attr("dateGenerated"), dayFirst), el.attr("dateGenerated"))
		}
		return nil
	}
	return readXML(s, take, open, func(el *element) error { return unParty(s, b, el) }, "CONSOLIDATED_LIST", "INDIVIDUALS", "ENTITIES")
}

func unParty(s *source, b *builder, el *element) error {
	if err := el.single(s, "DATAID", "REFERENCE_NUMBER", "FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"); err != nil {
		return err
	}
	e := Entry{
		ID:     el.get("REFERENCE_NUMBER"),
		Type:   names.Company,
		Name:   joinWords(el.get("FIRST_NAME"), el.get("SECOND_NAME"), el.get("THIRD_NAME"), el.get("FOURTH_NAME")),
		Means:  unMeans,
		Note:   el.get("COMMENTS1"),
		Listed: wholeDay(el.get("LISTED_ON"), dayFirst),
	}
	if e.ID == "" {
		e.ID = el.get("DATAID")
	}
	if el.name == "INDIVIDUAL" {
		e.Type = names.Person
	}
	if regime := el.get("UN_LIST_TYPE"); regime != "" {
		e.Programmes = []string{regime}
	}
	for _, t := range el.texts("LAST_DAY_UPDATED", "VALUE") {
		e.Changed = max(e.Changed, wholeDay(t, dayFirst))
	}
	if t := el.get("NAME_ORIGINAL_SCRIPT"); t != "" {
		e.Aliases = append(e.Aliases, Alias{Name: t, Kind: "original script"})
	}
	for _, a := range el.all(el.name + "_ALIAS") {
		e.Aliases = append(e.Aliases, unAlias(a)...)
	}
	for _, a := range el.all(el.name + "_ADDRESS") {
		unAddress(&e, a)
	}
	for _, d := range el.all("INDIVIDUAL_DATE_OF_BIRTH") {
		if t := unBirth(d); t != "" {
			e.Births = append(e.Births, t)
		}
	}
	for _, d := range el.all("INDIVIDUAL_DOCUMENT") {
		label := strings.TrimSpace(d.get("TYPE_OF_DOCUMENT") + " " + d.get("TYPE_OF_DOCUMENT2"))
		country := d.get("ISSUING_COUNTRY")
		if country == "" {
			country = d.get("COUNTRY_OF_ISSUE")
		}
		if n := d.get("NUMBER"); n != "" {
			e.Identifiers = append(e.Identifiers, identifier(translateDocument(label), n, country))
		}
	}
	if e.Type == names.Company {
		e.Identifiers = append(e.Identifiers, imoInText(e.Note)...)
	}
	return b.add(el.line, e)
}

// unAlias reads an alias; one field sometimes holds several, parted by semicolons.
func unAlias(a *element) []Alias {
	kind, quality, note := "", strings.ToLower(a.get("QUALITY")), strings.ToLower(a.get("NOTE"))
	switch {
	case strings.HasPrefix(quality, "f.k.a"), strings.Contains(note, "formerly"), strings.Contains(note, "previously"):
		kind = "former"
	case strings.Contains(note, "nom de guerre"):
		kind = "nom de guerre"
	}
	var out []Alias
	for name := range strings.SplitSeq(a.get("ALIAS_NAME"), ";") {
		if name = clean(name); name != "" {
			out = append(out, Alias{Name: name, Weak: quality == "low", Kind: kind})
		}
	}
	return out
}

func unAddress(e *Entry, a *element) {
	country := a.get("COUNTRY")
	line := joinComma(a.get("STREET"), a.get("CITY"), a.get("STATE_PROVINCE"), a.get("ZIP_CODE"), country)
	if line != "" {
		e.Addresses = append(e.Addresses, line)
	}
	if country != "" {
		e.Countries = append(e.Countries, country)
	}
}

// unBirth reads a date of birth in one of its kinds: exact, approximately, between.
func unBirth(d *element) string {
	if from, to := d.get("FROM_YEAR"), d.get("TO_YEAR"); from != "" || to != "" {
		return years(date(from, dayFirst), date(to, dayFirst))
	}
	t := date(d.get("DATE"), dayFirst)
	if t == "" {
		t = date(d.get("YEAR"), dayFirst)
	}
	if t != "" && (d.get("TYPE_OF_DATE") == "APPROXIMATELY" || strings.EqualFold(d.get("NOTE"), "Approximately")) {
		return aboutYear(t)
	}
	return t
}

// translateDocument puts the French and Spanish words for a passport, which the list also uses, into English.
func translateDocument(label string) string {
	l := strings.ToLower(label)
	if strings.Contains(l, "passeport") || strings.Contains(l, "pasaporte") {
		return "passport"
	}
	return label
}

// joinWords puts the parts of a name together.
func joinWords(parts ...string) string {
	return clean(strings.Join(parts, " "))
}

// joinComma puts the parts of an address together, without empty ones.
func joinComma(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = strings.Trim(clean(p), ", "); p != "" && (len(out) == 0 || out[len(out)-1] != p) {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}

// imoInText finds numbers that a remark calls IMO numbers.
func imoInText(s string) []Identifier {
	var out []Identifier
	upper := strings.ToUpper(s)
	for {
		_, after, ok := strings.Cut(upper, "IMO")
		if !ok || len(out) == 10 {
			return out
		}
		if m := imoNumber.FindStringSubmatch(after[:min(len(after), 24)]); m != nil {
			out = append(out, Identifier{Kind: IDIMO, Value: m[1]})
		}
		upper = after
	}
}
