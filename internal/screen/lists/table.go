package lists

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/names"
)

// selfNames are the names of columns that need no mapping, by what they hold.
var selfNames = map[string][]string{
	"id":           {"id", "uid", "unique id", "reference", "ref", "reference number", "number", "no"},
	"list":         {"list"},
	"name":         {"name", "full name", "party", "party name", "company", "company name", "entity name", "legal name", "primary name", "naam", "organisation", "organization"},
	"aliases":      {"aliases", "alias", "aka", "a.k.a.", "also known as", "other names", "alternative names", "alt names", "alt_names", "trading name", "trade name"},
	"weak_aliases": {"weak aliases", "weak alias"},
	"former_names": {"former names", "former name", "previous names", "previous name", "formerly known as"},
	"type":         {"type", "kind", "party type", "entity type"},
	"country":      {"country", "countries", "country code", "jurisdiction", "country of address", "country of registration", "flag"},
	"address":      {"address", "addresses"},
	"birth":        {"birth_date", "birth date", "birthdate", "birth", "dob", "date of birth"},
	"programmes":   {"programme", "programmes", "program", "programs", "regime"},
	"means":        {"means", "measure", "measures", "sanctions imposed"},
	"note":         {"note", "notes", "remark", "remarks", "comment", "comments"},
	"url":          {"url", "link", "website", "web site"},
	"listed":       {"listed", "listed on", "date listed", "date designated"},
	"changed":      {"changed", "last updated", "updated", "last change"},
	IDLEI:          {"lei", "lei code"},
	IDRegistration: {"registration", "registration number", "registration no", "reg no", "reg. no.", "company number", "kvk", "kvk number", "uscc", "ogrn"},
	IDTax:          {"tax", "tax id", "tax number", "vat", "vat number", "inn", "tin"},
	IDIMO:          {"imo", "imo number"},
	IDMMSI:         {"mmsi"},
	IDBIC:          {"bic", "swift", "swift bic"},
	IDPassport:     {"passport", "passport number"},
	IDNational:     {"national id", "national number"},
	IDAircraft:     {"tail number", "aircraft registration"},
}

// selfColumn says what a column holds by its name; "" when the name does not say.
func selfColumn(name string) string {
	key := columnKey(name)
	for what, list := range selfNames {
		if slices.ContainsFunc(list, func(n string) bool { return columnKey(n) == key }) {
			return what
		}
	}
	return ""
}

// isTable tells a table whose first row names the columns, one of them the name.
func isTable(h *head) bool {
	return h.keys == nil && h.root == "" && len(h.lines) > 0 && slices.ContainsFunc(h.lines[0], func(c string) bool { return selfColumn(c) == "name" })
}

// selfMapping makes a mapping of a header; the columns that it leaves out are returned.
func selfMapping(header []string) (m *Mapping, left []string) {
	one := 1
	m = &Mapping{Header: &one}
	c := &m.Columns
	single := map[string]*cells{"id": &c.ID, "list": &c.List, "name": &c.Name, "type": &c.Type, "means": &c.Means, "note": &c.Note, "url": &c.URL, "listed": &c.Listed, "changed": &c.Changed}
	several := map[string]*many{"aliases": &c.Aliases, "weak_aliases": &c.Weak, "former_names": &c.Former, "country": &c.Country, "address": &c.Address, "birth": &c.Birth, "programmes": &c.Programmes}
	for i, name := range header {
		cell := cells{from: []string{fmt.Sprint(i + 1)}, separator: ";|"}
		what := selfColumn(name)
		switch {
		case what == "":
			if clean(name) != "" {
				left = append(left, clip(clean(name), 40))
			}
		case single[what] != nil && len(single[what].from) == 0:
			cell.separator = ""
			*single[what] = cell
		case single[what] != nil && what == "name":
			c.Aliases = append(c.Aliases, cell) // "company" beside "name"
		case single[what] != nil:
			left = append(left, clip(clean(name), 40))
		case several[what] != nil:
			if what == "address" {
				cell.separator = ";|\n"
			}
			*several[what] = append(*several[what], cell)
		default:
			cell.kind = what
			c.Identifiers = append(c.Identifiers, cell)
		}
	}
	return m, left
}

// readTable reads a table by its mapping, or by its own header.
func readTable(s *source, b *builder) error {
	h, err := s.head()
	if err != nil {
		return err
	}
	m := b.mapping
	if m == nil {
		if !isTable(h) {
			return s.fail(1, "no column is called name", "name the columns in the first row (name, and any of id, type, aliases, country, birth_date, lei, registration, imo, tax, programme, note, url), or give a mapping")
		}
		if len(h.lines[0]) == 1 {
			return readPlain(s, b)
		}
		var left []string
		if m, left = selfMapping(h.lines[0]); len(left) > 0 {
			b.note("columns that were not read: " + clip(strings.Join(left, ", "), 500))
		}
	}
	b.merge = true
	b.about(m.Title, m.Source, wholeDay(m.Date, dayFirst), "")
	if b.meta.Licence == "" {
		b.meta.Licence = clip(clean(m.Licence), maxText)
	}
	if b.purposeOpen && m.Purpose != "" {
		b.meta.Purpose = m.Purpose
	}
	return m.read(s, b, m.delim(h))
}

func (m *Mapping) delim(h *head) byte {
	switch m.Delimiter {
	case "":
		if h.delim == 0 {
			return ','
		}
		return h.delim
	case "tab":
		return '\t'
	}
	return m.Delimiter[0]
}

// read reads the rows of a table.
func (m *Mapping) read(s *source, b *builder, delim byte) error {
	rows := newRows(s.name, s.in, delim)
	var header []string
	row := 1
	if m.Header != nil {
		row = *m.Header
	}
	for i := range row {
		r, err := rows.next()
		if err == io.EOF {
			return s.fail(0, fmt.Sprintf("the table ends before its header in row %d", i+1), "the header's row in the mapping")
		}
		if err != nil {
			return err
		}
		header = append(header[:0], r...)
	}
	at, err := m.resolve(s, header)
	if err != nil {
		return err
	}
	width := len(header)
	for {
		r, err := rows.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case strings.Trim(strings.Join(r, ""), " \x1a\t") == "":
			continue
		case len(r) < width && rows.cut && width > 1 && len(r) < width/2+1:
			return s.fail(rows.line, fmt.Sprintf("the file ends within a row: %d columns of %d", len(r), width), "load it again; it was cut off")
		case width > 0 && len(r) > width && strings.TrimSpace(strings.Join(r[width:], "")) != "":
			b.skip(rows.line, fmt.Sprintf("more columns than the header's %d", width))
			continue
		}
		if err := b.add(rows.line, m.entry(b, rows.line, r, at)); err != nil {
			return err
		}
	}
}

// resolve finds the columns of a mapping in the header: where each name stands.
func (m *Mapping) resolve(s *source, header []string) (map[string]int, error) {
	at := map[string]int{}
	c := &m.Columns
	all := many{c.ID, c.List, c.Name, c.Type, c.Means, c.Note, c.URL, c.Listed, c.Changed}
	for _, list := range []many{c.Aliases, c.Weak, c.Former, c.Country, c.Address, c.Birth, c.Identifiers, c.Programmes} {
		all = append(all, list...)
	}
	for _, cell := range all {
		for _, from := range cell.from {
			i := slices.IndexFunc(header, func(h string) bool { return clean(h) == clean(from) })
			if i < 0 {
				i = slices.IndexFunc(header, func(h string) bool { return columnKey(h) == columnKey(from) && columnKey(from) != "" })
			}
			if n, ok := number(from); i < 0 && ok && (len(header) == 0 || n < len(header)) {
				i = n
			}
			if i < 0 {
				return nil, failf(m.fileName(s), cell.line, fmt.Sprintf("the list has no column %q", clip(from, 60)), "one of "+clip(strings.Join(header, ", "), 300))
			}
			at[from] = i
		}
	}
	return at, nil
}

func (m *Mapping) fileName(s *source) string {
	if m.file == "" {
		return s.name
	}
	return m.file
}

// values are what cells hold in a row: their columns joined, and parted again by the separator.
func (c cells) read(row []string, at map[string]int, join string) []string {
	var parts []string
	for _, from := range c.from {
		if i := at[from]; i < len(row) {
			if t := strings.TrimSpace(row[i]); t != "" {
				parts = append(parts, t)
			}
		}
	}
	whole := strings.Join(parts, join)
	if whole == "" {
		return nil
	}
	if c.separator == "" {
		return []string{clean(whole)}
	}
	if len(c.separator) > 1 && c.separator[0] != ';' { // a word or mark of several characters
		var out []string
		for p := range strings.SplitSeq(whole, c.separator) {
			if p = clean(p); p != "" {
				out = append(out, p)
			}
		}
		return out
	}
	return splitList(whole, c.separator)
}

func (c cells) one(row []string, at map[string]int) string {
	return strings.Join(c.read(row, at, " "), " ")
}

func (list many) read(row []string, at map[string]int, join string) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.read(row, at, join)...)
	}
	return out
}

// entry makes an entry of a row.
func (m *Mapping) entry(b *builder, line int, row []string, at map[string]int) Entry {
	c, k := &m.Columns, &m.Constants
	e := Entry{
		ID: c.ID.one(row, at), List: or(c.List.one(row, at), k.List), Name: c.Name.one(row, at), Means: or(c.Means.one(row, at), k.Means),
		Note: c.Note.one(row, at), URL: or(c.URL.one(row, at), k.URL), Countries: c.Country.read(row, at, " "), Addresses: c.Address.read(row, at, ", "),
		Programmes: c.Programmes.read(row, at, " "), Listed: m.day(c.Listed.one(row, at)), Changed: m.day(c.Changed.one(row, at)),
	}
	if len(e.Countries) == 0 && k.Country != "" {
		e.Countries = []string{k.Country}
	}
	if k.Programme != "" {
		e.Programmes = append(e.Programmes, k.Programme)
	}
	e.Type = m.partyType(b, line, c.Type.one(row, at))
	for _, n := range c.Aliases.read(row, at, " ") {
		e.Aliases = append(e.Aliases, Alias{Name: n})
	}
	for _, n := range c.Weak.read(row, at, " ") {
		e.Aliases = append(e.Aliases, Alias{Name: n, Weak: true})
	}
	for _, n := range c.Former.read(row, at, " ") {
		e.Aliases = append(e.Aliases, Alias{Name: n, Kind: "former"})
	}
	for _, t := range c.Birth.read(row, at, " ") {
		if d := m.birth(t); d != "" {
			e.Births = append(e.Births, d)
		} else {
			b.notice(line, "a date of birth that is none was left out")
		}
	}
	for _, cell := range c.Identifiers {
		for _, n := range cell.read(row, at, " ") {
			e.Identifiers = append(e.Identifiers, identifierOf(cell.kind, n, cell.country))
		}
	}
	return e
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// partyType reads a type by the mapping's values, else by the words that lists use.
func (m *Mapping) partyType(b *builder, line int, s string) names.Type {
	if s == "" {
		s = m.Constants.Type
	}
	if to, ok := m.Columns.Type.values[strings.ToLower(s)]; ok {
		s = to
	}
	switch strings.ToLower(s) {
	case "person", "individual", "natural person", "p", "i", "man", "woman":
		return names.Person
	case "company", "entity", "organisation", "organization", "firm", "business", "enterprise", "legal person", "university", "institution", "group", "c", "e", "o":
		return names.Company
	case "vessel", "ship", "aircraft", "airplane":
		return names.Vessel
	case "", "any", "unknown":
		return names.Any
	}
	b.notice(line, fmt.Sprintf("the type %q is not known and was read as any", clip(s, 40)))
	return names.Any
}

func (m *Mapping) order() order {
	if m.Dates == "month-first" {
		return monthFirst
	}
	return dayFirst
}

func (m *Mapping) day(s string) string {
	if m.Dates == "" && ambiguous(s) {
		return ""
	}
	return wholeDay(s, m.order())
}

func (m *Mapping) birth(s string) string {
	if m.Dates == "" && ambiguous(s) {
		return date(s, dayFirst)[:4]
	}
	return birth(s, m.order())
}

// ambiguous tells whether a date in numbers could have its day or its month first.
func ambiguous(s string) bool {
	d, x := date(s, dayFirst), date(s, monthFirst)
	return len(d) == 10 && len(x) == 10 && d != x
}

// isPlain tells a text of names, a line each: short lines that are no table.
func isPlain(h *head) bool {
	if h.keys != nil || h.root != "" || strings.HasPrefix(h.text, "<") {
		return false
	}
	lines := strings.Split(h.text, "\n")
	for i, l := range lines {
		if cut := i == len(lines)-1 && !h.whole; len(l) > 4*maxName && !cut {
			return false
		}
		if strings.ContainsAny(l, "{}<>\t") {
			return false
		}
	}
	wide, numbered := 0, 0
	for _, row := range h.lines {
		if len(row) >= 3 || len(row) == 2 && h.delim != ',' {
			wide++
		}
		if len(row) > 1 && digits(row[0]) {
			numbered++
		}
	}
	return wide*2 < len(h.lines) && numbered*2 < len(h.lines)
}

// readPlain reads names, one a line. A first line that says "name", empty lines and those that begin with # are no names.
func readPlain(s *source, b *builder) error {
	rows := newRows(s.name, s.in, 0)
	for {
		rows.line = rows.next1
		raw, err := rows.readLine()
		if err != nil && err != io.EOF {
			return err
		}
		text := strings.Trim(clean(string(raw)), "\x1a")
		if len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' {
			text = strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
		}
		if text != "" && text[0] != '#' && !(rows.line == 1 && selfColumn(text) == "name") {
			if err := b.add(rows.line, Entry{Name: text}); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}
