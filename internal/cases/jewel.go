package cases

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
)

// Jewel is something of an organisation's own that is worth stealing, in its private register. The register holds names
// and list entries, never the know-how itself.
type Jewel struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Technology []string     `json:"technology"` // entries of control lists: "2B350.g"
	Systems    []string     `json:"systems"`    // where it is kept and used
	Products   []string     `json:"products"`   // made with it, joint ones too
	Partners   []string     `json:"partners"`   // who shares in it
	Platforms  []string     `json:"platforms"`  // of customers, that depend on it
	Worth      string       `json:"worth"`      // what its loss would mean, in plain words
	Owner      string       `json:"owner"`      // who answers for it
	Changed    time.Time    `json:"changed"`
	Version    int          `json:"version"`
	Org        polder.OrgID `json:"-"`
	Removed    time.Time    `json:"removed,omitzero"` // no longer in the register; cases that name it still do
}

// JewelFilter says which jewels a list holds, by name.
type JewelFilter struct {
	Text       string // in any of its words
	Technology string // an entry of a control list, or the beginning of one
	Removed    bool   // those that are no longer in the register instead
	Next       string
	Limit      int // at most 200; 0 is 50
}

// JewelPage is a page of the register.
type JewelPage struct {
	Jewels []Jewel `json:"jewels"`
	Next   string  `json:"next"`
}

// JewelRevision is what a jewel once was.
type JewelRevision struct {
	At    time.Time       `json:"at"`
	By    polder.PersonID `json:"by"`
	Did   string          `json:"did"` // added, changed, removed, restored
	Jewel Jewel           `json:"jewel"`
}

// JewelImport tells what became of the rows of a file.
type JewelImport struct {
	Added   int      `json:"added"`
	Changed int      `json:"changed"`
	Same    int      `json:"same"`
	Refused int      `json:"refused"`
	Faults  []string `json:"faults"` // of the first refused rows
}

// Bounds of the register.
const (
	maxJewels      = 5_000 // of an organisation
	maxTouched     = 200   // of a case
	maxJewelWords  = 100   // of one list of a jewel
	maxJewelWord   = 200   // bytes
	maxJewelImport = 8 << 20
	maxImportRows  = 5_000
	maxFaults      = 20 // that an import names
)

// jewelEntry is the shape of an entry of the EU's list of dual-use items or of a national one made after it: category,
// group, number, and paragraphs after dots. "3B001.b", "2B350.g", "ML10".
var jewelEntry = regexp.MustCompile(`^(?:[0-9][A-E][0-9]{3}|ML[0-9]{1,2})(?:\.[a-z0-9]{1,3}){0,6}$`)

// jewelLooksListed tells whether somebody means such an entry, so that a slip in it is not kept as a word of one's own.
var jewelLooksListed = regexp.MustCompile(`^(?i:[0-9][A-E][0-9]|ML ?[0-9])`)

// jewelTechnology puts an entry of a control list right: capitals and dots as the lists write them. What has another shape
// is a word of the organisation's own, and stays.
func jewelTechnology(s string) (string, error) {
	if !jewelLooksListed.MatchString(s) {
		return s, nil
	}
	head, rest, _ := strings.Cut(strings.ReplaceAll(s, " ", ""), ".")
	out := strings.ToUpper(head)
	if rest != "" {
		out += "." + strings.ToLower(rest)
	}
	if !jewelEntry.MatchString(out) {
		return "", polder.Errorf(polder.Invalid, "technology: %.40q begins like an entry of a control list and is none; write it as 3B001.b or 2B350.g, or in words of your own", s)
	}
	return out, nil
}

// jewelWords checks a list of short texts: without empty ones, each once, in the order given.
func jewelWords(name string, all []string) ([]string, error) {
	out := []string{}
	for _, w := range all {
		w, err := caseLine(name, w, maxJewelWord, false)
		if err != nil {
			return nil, err
		}
		if w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	if len(out) > maxJewelWords {
		return nil, polder.Errorf(polder.TooLarge, "%s: %d are too many; at most %d", name, len(out), maxJewelWords)
	}
	return out, nil
}

// check puts a jewel right, or says what is wrong with it.
func (j *Jewel) check() (err error) {
	if j.Name, err = caseLine("name", j.Name, maxJewelWord, true); err != nil {
		return err
	}
	if j.Owner, err = caseLine("owner", j.Owner, maxJewelWord, false); err != nil {
		return err
	}
	if j.Worth, err = caseProse("worth", j.Worth, 4_000); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		list *[]string
	}{{"technology", &j.Technology}, {"systems", &j.Systems}, {"products", &j.Products}, {"partners", &j.Partners}, {"platforms", &j.Platforms}} {
		if *f.list, err = jewelWords(f.name, *f.list); err != nil {
			return err
		}
	}
	for i, t := range j.Technology {
		if j.Technology[i], err = jewelTechnology(t); err != nil {
			return err
		}
	}
	slices.Sort(j.Technology)
	j.Technology = slices.Compact(j.Technology)
	return nil
}

// folded is what a jewel is looked for by.
func (j Jewel) folded() string {
	parts := []string{j.Name, j.Worth, j.Owner}
	for _, l := range [][]string{j.Technology, j.Systems, j.Products, j.Partners, j.Platforms} {
		parts = append(parts, l...)
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// same tells whether a person would say that nothing has changed.
func (j Jewel) same(o Jewel) bool {
	j.ID, j.Changed, j.Version, j.Removed, j.Org = o.ID, o.Changed, o.Version, o.Removed, o.Org
	return reflect.DeepEqual(j, o)
}

// jewelHeadings are the headings that a table of jewels may have, by what they fill.
var jewelHeadings = map[string]string{
	"name": "name", "naam": "name", "jewel": "name", "technology": "technology", "technologie": "technology", "control list": "technology", "eccn": "technology", "systems": "systems", "system": "systems", "systemen": "systems",
	"products": "products", "product": "products", "producten": "products", "partners": "partners", "partner": "partners", "platforms": "platforms", "platform": "platforms", "worth": "worth", "waarde": "worth", "owner": "owner", "eigenaar": "owner",
}

// readJewels reads a file of jewels: a JSON list of objects, JSON lines, or a table with a heading whose lists are
// separated by semicolons. Each row is a jewel that was checked, or says what is wrong with it and where.
func readJewels(name string, raw []byte) (rows []jewelRow, err error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) {
		return nil, polder.Errorf(polder.Invalid, "%s: is not UTF-8; save it as UTF-8 and send it again", name)
	}
	text := bytes.TrimSpace(raw)
	switch {
	case len(text) == 0:
		return nil, polder.Errorf(polder.Invalid, "%s: is empty; send a table with the heading name,technology,systems,products,partners,platforms,worth,owner, or JSON", name)
	case text[0] == '[' || text[0] == '{':
		rows, err = readJewelJSON(name, text)
	default:
		rows, err = readJewelTable(name, raw)
	}
	if err == nil && len(rows) == 0 {
		err = polder.Errorf(polder.Invalid, "%s: holds no jewel; there is a heading and nothing below it", name)
	}
	return rows, err
}

// jewelRow is a row of a file.
type jewelRow struct {
	Jewel
	fault error
}

// jewelJSON is a jewel in a file: what a person writes of it, and nothing that the node says.
type jewelJSON struct {
	Name       string   `json:"name"`
	Technology []string `json:"technology"`
	Systems    []string `json:"systems"`
	Products   []string `json:"products"`
	Partners   []string `json:"partners"`
	Platforms  []string `json:"platforms"`
	Worth      string   `json:"worth"`
	Owner      string   `json:"owner"`
}

func readJewelJSON(name string, text []byte) (rows []jewelRow, err error) {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	list := text[0] == '['
	if list {
		if _, err := dec.ReadToken(); err != nil {
			return nil, polder.Errorf(polder.Invalid, "%s: %w", name, err)
		}
	}
	for n := 1; ; n++ {
		if list && dec.PeekKind() == ']' {
			_, err = dec.ReadToken()
			list = false
			if err != nil {
				return nil, polder.Errorf(polder.Invalid, "%s: %w", name, err)
			}
			if _, err = dec.ReadToken(); err != io.EOF {
				return nil, polder.Errorf(polder.Invalid, "%s: something stands behind the list; send one", name)
			}
			return rows, nil
		}
		value, err := dec.ReadValue()
		if err == io.EOF && !list {
			return rows, nil
		}
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "%s: jewel %d: %w", name, n, err)
		}
		if n > maxImportRows {
			return nil, polder.Errorf(polder.TooLarge, "%s: holds more than %d jewels; send it in parts", name, maxImportRows)
		}
		rows = append(rows, jewelOfJSON(name, n, value))
	}
}

func jewelOfJSON(name string, n int, value []byte) jewelRow {
	var in jewelJSON
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return jewelRow{fault: polder.Errorf(polder.Invalid, "%s: jewel %d: %w", name, n, err)}
	}
	return checkedJewel(Jewel{Name: in.Name, Technology: in.Technology, Systems: in.Systems, Products: in.Products, Partners: in.Partners, Platforms: in.Platforms, Worth: in.Worth, Owner: in.Owner}, name, "jewel", n)
}

func checkedJewel(j Jewel, name, what string, n int) jewelRow {
	r := jewelRow{Jewel: j}
	if err := r.check(); err != nil {
		r.fault = polder.Errorf(polder.KindOf(err), "%s: %s %d: %w", name, what, n, err)
	}
	return r
}

func readJewelTable(name string, raw []byte) (rows []jewelRow, err error) {
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	table := csv.NewReader(bytes.NewReader(raw))
	if bytes.Count(first, []byte("\t")) > bytes.Count(first, []byte(",")) {
		table.Comma = '\t'
	}
	table.FieldsPerRecord = -1
	heading, err := table.Read()
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "%s: %w", name, err)
	}
	fills := make([]string, len(heading))
	for i, h := range heading {
		fills[i] = jewelHeadings[strings.ToLower(strings.TrimSpace(h))]
		if fills[i] == "" {
			return nil, polder.Errorf(polder.Invalid, "%s:1: %.40q is no column of a register; use name, technology, systems, products, partners, platforms, worth, owner", name, h)
		}
		if slices.Contains(fills[:i], fills[i]) {
			return nil, polder.Errorf(polder.Invalid, "%s:1: the column %s stands there twice", name, fills[i])
		}
	}
	if !slices.Contains(fills, "name") {
		return nil, polder.Errorf(polder.Invalid, "%s:1: there is no column name", name)
	}
	for {
		fields, err := table.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "%s: %w", name, err)
		}
		if len(rows) >= maxImportRows {
			return nil, polder.Errorf(polder.TooLarge, "%s: has more than %d rows; send it in parts", name, maxImportRows)
		}
		line, _ := table.FieldPos(0)
		if len(fields) > len(fills) {
			rows = append(rows, jewelRow{fault: polder.Errorf(polder.Invalid, "%s: line %d: has %d columns, the heading %d; put what holds a comma between quotes", name, line, len(fields), len(fills))})
			continue
		}
		rows = append(rows, checkedJewel(jewelOfFields(fills, fields), name, "line", line))
	}
}

func jewelOfFields(fills, fields []string) (j Jewel) {
	for i, text := range fields {
		text = indicator.UnguardCell(text)
		list := strings.Split(text, ";")
		switch fills[i] {
		case "name":
			j.Name = text
		case "technology":
			j.Technology = list
		case "systems":
			j.Systems = list
		case "products":
			j.Products = list
		case "partners":
			j.Partners = list
		case "platforms":
			j.Platforms = list
		case "worth":
			j.Worth = text
		case "owner":
			j.Owner = text
		}
	}
	return j
}
