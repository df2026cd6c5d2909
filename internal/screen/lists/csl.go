package lists

import (
	"strings"

	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/names"
)

// cslLists are the parts of the Consolidated Screening List: their code, what trade.gov calls them (as far as it takes to
// tell them), and what a listing asks for where the list itself does not say.
var cslLists = []struct{ code, says, means string }{
	{"SDN", "specially designated nationals", ofacMeans},
	{"NS-MBS", "menu-based sanctions", "Some dealings are prohibited or subject to conditions, as the entry's directives say; property is not blocked by this listing alone"},
	{"SSI", "sectoral sanctions", "Dealings in new debt or equity, or other dealings named by the directives, are prohibited"},
	{"CMIC", "military-industrial complex", "US persons may not buy or sell its publicly traded securities"},
	{"CAP", "part 561", "Correspondent or payable-through accounts are prohibited or under strict conditions"},
	{"CAP", "capta", "Correspondent or payable-through accounts are prohibited or under strict conditions"},
	{"PLC", "palestinian legislative council", "Transactions are rejected"},
	{"FSE", "foreign sanctions evaders", "US persons may not deal with the party in goods, services or technology"},
	{"NS-ISA", "iran sanctions act", "Sanctions chosen from a menu, as the entry says; property is not blocked by this listing alone"},
	{"DPL", "denied persons", "No part in any transaction with items subject to the Export Administration Regulations"},
	{"EL", "entity list", "A licence is required as the entry says"},
	{"MEU", "military end user", "A licence is required for the items of supplement 2 to part 744 of the EAR"},
	{"UVL", "unverified list", "No licence exceptions; a statement of the party is required before an export that needs no licence"},
	{"DTC", "aeca debarred", "No part in exports of defence articles and services"},
	{"DTC", "itar debarred", "No part in exports of defence articles and services"},
	{"ISN", "nonproliferation sanctions", "Non-proliferation sanctions, as the notice in the Federal Register says"},
}

// cslCode is the code of a list by the name that trade.gov gives it; the name itself when it is not known.
func cslCode(source string) string {
	lower := strings.ToLower(source)
	for _, l := range cslLists {
		if strings.Contains(lower, l.says) {
			return l.code
		}
	}
	for _, l := range cslLists {
		if strings.HasSuffix(lower, "("+strings.ToLower(l.code)+")") {
			return l.code
		}
	}
	return clean(source)
}

// cslMeans is what a listing asks for: the licence words of the entry, else what its list asks for.
func cslMeans(code, requirement, policy string) string {
	if m := strings.Trim(clean(requirement)+" "+clean(policy), " "); m != "" {
		return m
	}
	for _, l := range cslLists {
		if l.code == code {
			return l.means
		}
	}
	return ""
}

func cslType(s string) names.Type {
	switch t := strings.ToLower(clean(s)); t {
	case "person":
		return names.Person
	default:
		return ofacType(t)
	}
}

const (
	cslTitle  = "Consolidated Screening List"
	cslSource = "International Trade Administration, US Department of Commerce"
)

func isCSLLines(h *head) bool {
	return !h.array && h.has("id", "list", "name", "aliases") && (h.has("license_requirement") || h.has("programs"))
}

// cslLine is a line of the short form.
type cslLine struct {
	ID          string   `json:"id"`
	List        string   `json:"list"`
	Name        string   `json:"name"`
	Aliases     []string `json:"aliases"`
	Type        string   `json:"type"`
	Countries   []string `json:"countries"`
	Programs    string   `json:"programs"`
	Requirement string   `json:"license_requirement"`
	Policy      string   `json:"license_policy"`
	Notice      string   `json:"fr"`
	URL         string   `json:"url"`
}

// readCSLLines reads the short form: a line a party. The countries of persons mix nationality with address and are left out.
func readCSLLines(s *source, b *builder) error {
	b.about(cslTitle, cslSource, "", "")
	dropped := false
	err := readLines(s, b, func(line int, r *cslLine) error {
		e := Entry{
			ID: r.ID, List: r.List, Type: cslType(r.Type), Name: r.Name, Countries: r.Countries,
			Programmes: splitList(r.Programs, ";"), Means: cslMeans(r.List, r.Requirement, r.Policy), Note: cslNotice(r.Notice), URL: r.URL,
		}
		if e.Type == names.Person && len(e.Countries) > 0 && !fail.Bug("nationality-kept") {
			e.Countries, dropped = nil, true
		}
		for _, a := range r.Aliases {
			e.Aliases = append(e.Aliases, cslAliases(a)...)
		}
		return b.add(line, e)
	})
	if dropped {
		b.note("the countries of persons are left out: this form mixes those of addresses with nationalities")
	}
	return err
}

// cslAliases are the aliases in one field: some hold two or more, parted by semicolons, the last with an "and" before it.
func cslAliases(field string) []Alias {
	var out []Alias
	for _, a := range splitList(field, ";") {
		out = append(out, Alias{Name: strings.TrimPrefix(a, "and ")})
	}
	return out
}

func cslNotice(s string) string {
	if s = clean(s); s == "" {
		return ""
	}
	return "Federal Register: " + s
}

// splitList parts a text at any of these characters.
func splitList(s, at string) []string {
	var out []string
	for _, p := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(at, r) }) {
		if p = clean(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// isCSLJSON tells the answer of trade.gov, whole or as a bare array.
func isCSLJSON(h *head) bool {
	return !h.array && h.has("results") || h.array && (h.has("source", "name") || h.has("source_list_url"))
}

// cslParty is a result of trade.gov.
type cslParty struct {
	ID          string       `json:"id"`
	Source      string       `json:"source"`
	Number      jsonText     `json:"entity_number"`
	Type        string       `json:"type"`
	Programs    []string     `json:"programs"`
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	AltNames    []string     `json:"alt_names"`
	Addresses   []cslAddress `json:"addresses"`
	Births      []string     `json:"dates_of_birth"`
	IDs         []cslNumber  `json:"ids"`
	Requirement string       `json:"license_requirement"`
	Policy      string       `json:"license_policy"`
	Notice      string       `json:"federal_register_notice"`
	Start       string       `json:"start_date"`
	Remarks     string       `json:"remarks"`
	CallSign    string       `json:"call_sign"`
	Flag        string       `json:"vessel_flag"`
	VesselType  string       `json:"vessel_type"`
	Owner       string       `json:"vessel_owner"`
	Country     string       `json:"country"`
	ListURL     string       `json:"source_list_url"`
	InfoURL     string       `json:"source_information_url"`
}

type cslAddress struct {
	Address  string `json:"address"`
	City     string `json:"city"`
	State    string `json:"state"`
	Postcode string `json:"postal_code"`
	Country  string `json:"country"`
}

type cslNumber struct {
	Type    string `json:"type"`
	Number  string `json:"number"`
	Country string `json:"country"`
}

// readCSLJSON reads the JSON of trade.gov. Its answer to a search names the total; one that holds less is refused.
func readCSLJSON(s *source, b *builder) error {
	b.about(cslTitle, cslSource, "", "")
	n, total := 0, 0
	err := readArray(s, b, "results", map[string]any{"total": &total}, func(line int, r *cslParty) error {
		n++
		return b.add(line, r.entry())
	})
	if err == nil && total > n {
		return s.fail(0, "this is a page of an answer: "+countOf(n, total)+" parties", "load the whole list (consolidated.json), not a search")
	}
	return err
}

func (r *cslParty) entry() Entry {
	e := Entry{
		ID: r.ID, List: cslCode(r.Source), Type: cslType(r.Type), Name: r.Name, Programmes: r.Programs,
		Note: r.Remarks, Listed: wholeDay(r.Start, monthFirst), URL: r.InfoURL,
	}
	if n := clean(string(r.Number)); n != "" {
		e.ID = n
	}
	e.Means = cslMeans(e.List, r.Requirement, r.Policy)
	for _, a := range r.AltNames {
		e.Aliases = append(e.Aliases, cslAliases(a)...)
	}
	for _, a := range r.Addresses {
		if a.Country != "" {
			e.Countries = append(e.Countries, a.Country)
		}
		e.Addresses = append(e.Addresses, joinComma(a.Address, a.City, a.State, a.Postcode, a.Country))
	}
	for _, c := range []string{r.Flag, r.Country} {
		if c != "" && e.Type != names.Person {
			e.Countries = append(e.Countries, c)
		}
	}
	for _, d := range r.Births {
		if t := birth(d, monthFirst); t != "" {
			e.Births = append(e.Births, t)
		}
	}
	for _, d := range r.IDs {
		r.number(&e, d)
	}
	if r.CallSign != "" {
		e.Identifiers = append(e.Identifiers, Identifier{Kind: IDOther, Value: r.CallSign})
	}
	e.Note = joinNotes(titled("Title", r.Title), e.Note, titled("Vessel type", r.VesselType), titled("Owner", r.Owner), cslNotice(r.Notice))
	return e
}

// number takes one of the entry's ids; some are no numbers (gender, web site, remarks about sanctions).
func (r *cslParty) number(e *Entry, d cslNumber) {
	e.Note = joinNotes(e.Note, ofacNumber(e, d.Type, d.Number, d.Country))
}

func titled(title, text string) string {
	if text = ofacText(text); text == "" {
		return ""
	}
	return strings.TrimRight(clean(title), " -:") + ": " + text
}

// joinNotes puts remarks together, without empty ones.
func joinNotes(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = clean(p); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "; ")
}

func isCSLCSV(h *head) bool { return h.header("source", "name", "programs", "source_list_url") }

// readCSLCSV reads the CSV of trade.gov, whose cells hold several values parted by semicolons.
func readCSLCSV(s *source, b *builder) error {
	b.about(cslTitle, cslSource, "", "")
	return readColumns(s, b, ',', []string{"name"}, func(line int, get func(string) string) error {
		r := cslParty{
			ID: get("_id"), Source: get("source"), Number: jsonText(get("entity_number")), Type: get("type"), Name: get("name"), Title: get("title"),
			Programs: splitList(get("programs"), ";"), AltNames: splitList(get("alt_names"), ";"), Births: splitList(get("dates_of_birth"), ";"),
			Requirement: get("license_requirement"), Policy: get("license_policy"), Notice: get("federal_register_notice"), Start: get("start_date"),
			Remarks: get("remarks"), CallSign: get("call_sign"), Flag: get("vessel_flag"), VesselType: get("vessel_type"), Owner: get("vessel_owner"), InfoURL: get("source_information_url"),
		}
		for _, a := range splitList(get("addresses"), ";") {
			country := a[strings.LastIndex(a, ",")+1:]
			if len(Country(country)) != 2 {
				country = ""
			}
			r.Addresses = append(r.Addresses, cslAddress{Address: strings.TrimSuffix(a, ","+country), Country: clean(country)})
		}
		e := r.entry()
		for _, d := range splitList(get("ids"), ";") {
			cslCell(&r, &e, d)
		}
		return b.add(line, e)
	})
}

// cslCell reads a number of the CSV: "Passport, A1234567, IR" or "type, number".
func cslCell(r *cslParty, e *Entry, cell string) {
	parts := strings.Split(cell, ",")
	for i := range parts {
		parts[i] = clean(parts[i])
	}
	n := cslNumber{Type: parts[0]}
	switch {
	case len(parts) == 2:
		n.Number = parts[1]
	case len(parts) == 3 && len(Country(parts[0])) == 2:
		n.Country, n.Type, n.Number = parts[0], parts[1], parts[2]
	case len(parts) >= 3 && len(Country(parts[len(parts)-1])) == 2:
		n.Number, n.Country = strings.Join(parts[1:len(parts)-1], ","), parts[len(parts)-1]
	default:
		n.Number = strings.Join(parts[1:], ",")
	}
	if n.Number != "" {
		r.number(e, n)
	}
}
