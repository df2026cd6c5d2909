package lists

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/names"
)

// ofacMeans is what a listing as Specially Designated National asks for.
const ofacMeans = "Property and interests in property are blocked; US persons may not deal with the party"

const ofacSearch = "https://sanctionssearch.ofac.treas.gov/Details.aspx?id="

// ofacOthers tells the consolidated list of those who are not on the SDN list: it has the same forms, and nothing within
// it says so but the name of its file.
func ofacOthers(s *source) bool { return strings.HasPrefix(stem(s.name), "cons") }

// ofacPart is the list that the entries stand on, and what it asks for; both "" where the programme decides.
func ofacPart(s *source) (list, means string) {
	if ofacOthers(s) {
		return "", ""
	}
	return "SDN", ofacMeans
}

func ofacAbout(s *source, b *builder, date, version string) {
	title := "Specially Designated Nationals and Blocked Persons List"
	if ofacOthers(s) {
		title = "Consolidated list of OFAC, beside the SDN list"
	}
	b.about(title, "Office of Foreign Assets Control, US Department of the Treasury", date, version)
}

// isOFACCSV tells SDN.CSV: twelve columns, -0- for nothing, a number first; with a header or, as published, without.
func isOFACCSV(h *head) bool {
	like := 0
	for _, row := range h.lines {
		if len(row) != 12 {
			return false
		}
		if digits(row[0]) && (strings.TrimSpace(row[2]) == "-0-" || ofacType(row[2]) != names.Any) {
			like++
		}
	}
	return h.delim == ',' && like > 0 && like >= len(h.lines)-2
}

func digits(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// ofacType is the type as OFAC says it; -0- means an entity, which the caller knows.
func ofacType(s string) names.Type {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "individual":
		return names.Person
	case "vessel", "aircraft":
		return names.Vessel
	case "entity":
		return names.Company
	}
	return names.Any
}

// ofacText is a field of OFAC's, "" where it says nothing.
func ofacText(s string) string {
	if s = clean(s); s == "-0-" {
		return ""
	}
	return s
}

// readOFACCSV reads SDN.CSV, with what companions it has: aliases, addresses, remarks that were too long.
func readOFACCSV(s *source, b *builder) error {
	ofacAbout(s, b, "", "")
	more, err := ofacCompanions(s, b)
	if err != nil {
		return err
	}
	rows := newRows(s.name, s.in, ',')
	for {
		row, err := rows.next()
		if err == io.EOF {
			return more.unused(b)
		}
		if err != nil {
			return err
		}
		switch {
		case len(row) > 1 && columnKey(row[0]) == "id" && columnKey(row[1]) == "name", strings.Trim(strings.Join(row, ""), " \x1a") == "":
		case len(row) != 12:
			if rows.cut {
				return s.fail(rows.line, "the file ends within a row", "load it again; it was cut off")
			}
			b.skip(rows.line, fmt.Sprintf("a row of %d columns where SDN.CSV has 12", len(row)))
		case !digits(row[0]):
			b.skip(rows.line, "no number of the entry in the first column")
		default:
			if err := b.add(rows.line, ofacEntry(s, row, more)); err != nil {
				return err
			}
		}
	}
}

func ofacEntry(s *source, row []string, more *ofacMore) Entry {
	id := clean(row[0])
	e := Entry{ID: id, Type: ofacType(row[2]), Name: ofacText(row[1]), URL: ofacSearch + id}
	e.List, e.Means = ofacPart(s)
	if e.Type == names.Any {
		e.Type = names.Company
	}
	e.Programmes = ofacProgrammes(row[3])
	r := parseRemarks(row[11] + more.comments[id])
	e.Aliases = append(append(e.Aliases, more.aliases[id]...), r.aliases...)
	e.Births, e.Identifiers = r.births, r.identifiers
	e.Addresses, e.Countries = more.addresses[id], append(more.countries[id], r.countries...)
	notes := r.rest
	if t := ofacText(row[4]); t != "" && !slices.Contains(notes, t) {
		notes = append([]string{"Title: " + t}, notes...)
	}
	if e.Type == names.Vessel {
		if t := ofacText(row[5]); t != "" {
			e.Identifiers = append(e.Identifiers, Identifier{Kind: IDOther, Value: t})
		}
		if t := ofacText(row[9]); t != "" {
			e.Countries = append(e.Countries, t)
		}
		notes = append(notes, titled("Type", row[6]), titled("Owner", row[10]))
	}
	e.Note = joinNotes(notes...)
	return e
}

// ofacProgrammes takes "NPWMD] [IFSR" apart.
func ofacProgrammes(s string) []string {
	var out []string
	for p := range strings.SplitSeq(ofacText(s), "] [") {
		if p = strings.Trim(p, "[] "); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// ofacMore is what the other files of the set say, by the number of the entry.
type ofacMore struct {
	aliases   map[string][]Alias
	addresses map[string][]string
	countries map[string][]string
	comments  map[string]string
}

// ofacCompanions reads the other files of the set; the notes say which are missing.
func ofacCompanions(s *source, b *builder) (*ofacMore, error) {
	more := &ofacMore{aliases: map[string][]Alias{}, addresses: map[string][]string{}, countries: map[string][]string{}, comments: map[string]string{}}
	for _, part := range []struct {
		names   []string
		row     func(row []string)
		width   int
		missing string
	}{
		{[]string{"alt", "cons_alt", "sdn_alt", "sdn_aliases", "aliases"}, more.alias, 4,
			"the alias file (alt.csv) is missing: parties were compared by their primary name and by the weak aliases among the remarks alone"},
		{[]string{"add", "cons_add", "sdn_add", "sdn_address", "sdn_addresses", "addresses"}, more.address, 5,
			"the address file (add.csv) is missing: no address or country is known"},
		{[]string{"sdn_comments", "cons_comments", "comments"}, more.comment, 2, ""},
	} {
		text, name, err := s.more.open(part.names...)
		if err != nil {
			return nil, err
		}
		if text == nil {
			if part.missing != "" {
				b.note(part.missing)
			}
			continue
		}
		if err := eachRow(name, text, part.width, part.row); err != nil {
			return nil, err
		}
		b.note("with " + name)
	}
	return more, nil
}

// eachRow calls row for every row of a companion file that begins with a number.
func eachRow(name string, text *source, width int, row func([]string)) error {
	rows := newRows(name, text.in, ',')
	wrong := 0
	for n := 0; ; n++ {
		r, err := rows.next()
		if err == io.EOF {
			if wrong > 10 && wrong*2 > n {
				return failf(name, 0, fmt.Sprintf("%d of %d rows are not of this file's form", wrong, n), fmt.Sprintf("at least %d columns, the number of the entry first", width))
			}
			return nil
		}
		if err != nil {
			return text.locate(err)
		}
		if len(r) < width || !digits(r[0]) {
			wrong++
			continue
		}
		row(r)
	}
}

// alias takes a row of ALT.CSV: number, number of the alias, kind, name, remarks.
func (m *ofacMore) alias(row []string) {
	a := Alias{Name: ofacText(row[3])}
	switch strings.ToLower(ofacText(row[2])) {
	case "fka":
		a.Kind = "former"
	case "nka":
		a.Kind = "now"
	}
	id := clean(row[0])
	m.aliases[id] = append(m.aliases[id], a)
}

// address takes a row of ADD.CSV: number, number of the address, street, town, country, remarks.
func (m *ofacMore) address(row []string) {
	id, country := clean(row[0]), ofacText(row[4])
	if line := joinComma(ofacText(row[2]), ofacText(row[3]), country); line != "" {
		m.addresses[id] = append(m.addresses[id], line)
	}
	if country != "" {
		m.countries[id] = append(m.countries[id], country)
	}
}

// comment takes a row of SDN_COMMENTS.CSV: number, and the remarks from where SDN.CSV cut them off, often within a word.
func (m *ofacMore) comment(row []string) {
	m.comments[clean(row[0])] += strings.Clone(row[1])
}

// unused counts what the companions say of entries that are not there: the files are of different days.
func (m *ofacMore) unused(b *builder) error {
	n := 0
	for id := range m.aliases {
		if _, ok := b.find(id); !ok {
			n++
		}
	}
	if n > 0 {
		b.note(fmt.Sprintf("the alias file names %d entries that the list does not have: the two may be of different days", n))
	}
	return nil
}
