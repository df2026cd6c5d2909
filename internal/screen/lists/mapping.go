package lists

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/polder-exchange/polder/names"
)

// Mapping says how to read a table whose columns are not self-explaining: a national end-user list, an export of one's
// own. [ParseMapping] reads it from YAML:
//
//	title: End users of concern
//	source: Ministry of Trade
//	licence: open government licence
//	purpose: restricted        # or verified
//	delimiter: ";"             # , ; | or tab; else the one that fits
//	encoding: windows-1251     # else UTF-8, UTF-16 and Windows-1252 are told apart
//	header: 2                  # the row with the names of the columns; 0 when there is none
//	dates: day-first           # or month-first; else 03/04/1970 is read as 1970
//	columns:                   # by name, or by number from 1; several are joined
//	  id: No.
//	  name: [Given names, Surname]
//	  aliases: {column: Also known as, separator: ";"}
//	  type: {column: Kind, values: {firm: company, natural person: person}}
//	  country: Country of address
//	  address: [Street, Town, Country of address]
//	  birth: Date of birth
//	  identifiers:
//	    - {column: LEI, kind: lei}
//	    - {column: Reg. no., kind: registration, country: NL}
//	  programmes: {column: Weapons of concern, separator: ","}
//	  means: Measure
//	  note: Remarks
//	  url: Link
//	  listed: Since
//	constants: {type: company, country: CN, programme: end users, means: licence required}
type Mapping struct {
	Title     string    `yaml:"title"`
	Source    string    `yaml:"source"`
	Licence   string    `yaml:"licence"`
	Date      string    `yaml:"date"`
	Purpose   Purpose   `yaml:"purpose"`
	Encoding  string    `yaml:"encoding"`
	Delimiter string    `yaml:"delimiter"`
	Header    *int      `yaml:"header"`
	Dates     string    `yaml:"dates"`
	Columns   columns   `yaml:"columns"`
	Constants constants `yaml:"constants"`

	file string
}

// columns say where each part of an entry is found.
type columns struct {
	ID          cells `yaml:"id"`
	List        cells `yaml:"list"`
	Name        cells `yaml:"name"`
	Aliases     many  `yaml:"aliases"`
	Weak        many  `yaml:"weak_aliases"`
	Former      many  `yaml:"former_names"`
	Type        cells `yaml:"type"`
	Country     many  `yaml:"country"`
	Address     many  `yaml:"address"`
	Birth       many  `yaml:"birth"`
	Identifiers many  `yaml:"identifiers"`
	Programmes  many  `yaml:"programmes"`
	Means       cells `yaml:"means"`
	Note        cells `yaml:"note"`
	URL         cells `yaml:"url"`
	Listed      cells `yaml:"listed"`
	Changed     cells `yaml:"changed"`
}

// constants stand for what every entry has in common.
type constants struct {
	List      string `yaml:"list"`
	Type      string `yaml:"type"`
	Country   string `yaml:"country"`
	Programme string `yaml:"programme"`
	Means     string `yaml:"means"`
	URL       string `yaml:"url"`
}

// cells are one or more columns that are joined, with what is said about them. None is set when from is empty.
type cells struct {
	from      []string
	separator string
	kind      string
	country   string
	values    map[string]string
	line      int
}

// many is a list of cells, each read on its own.
type many []cells

// maxMapping bounds a mapping file.
const maxMapping = 64 << 10

// ParseMapping reads a mapping file. Errors carry the line of what is wrong; name stands in them.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	if len(data) > maxMapping {
		return nil, failf(name, 0, "a mapping of more than 64 KiB", "")
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlFault(name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, failf(name, 1, fmt.Sprintf("%d YAML documents", len(file.Docs)), "one, with columns")
	}
	var bad guard
	ast.Walk(&bad, file.Docs[0].Body)
	if bad.line > 0 {
		return nil, failf(name, bad.line, bad.what, "write it out")
	}
	m := &Mapping{file: name}
	if err := yaml.UnmarshalWithOptions(data, m, yaml.Strict()); err != nil {
		return nil, yamlFault(name, err)
	}
	return m, m.check()
}

// guard finds what a mapping may not hold: anchors and aliases, which can make a small file huge, and deep nesting.
type guard struct {
	line int
	what string
}

// Visit implements ast.Visitor.
func (g *guard) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		g.line, g.what = n.GetToken().Position.Line, "an anchor or alias"
	}
	if g.line > 0 {
		return nil
	}
	return g
}

// lineError is what is wrong in a mapping, before the name of its file is known.
type lineError struct {
	line        int
	what, right string
}

func (e *lineError) Error() string { return e.what + "; " + e.right }

func wrong(line int, what, right string) error { return &lineError{line, what, right} }

// yamlFault gives an error of the YAML reader the line it speaks of.
func yamlFault(name string, err error) error {
	e, ok := err.(interface {
		GetToken() *token.Token
		GetMessage() string
	})
	if l, found := errors.AsType[*lineError](err); found {
		return failf(name, l.line, l.what, l.right)
	}
	if !ok || e.GetToken() == nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return failf(name, 0, clip(text, 200), "a mapping as the manual shows")
	}
	return failf(name, e.GetToken().Position.Line, clip(e.GetMessage(), 200), "a mapping as the manual shows")
}

// check says what is missing or contradictory in a mapping.
func (m *Mapping) check() error {
	switch {
	case len(m.Columns.Name.from) == 0:
		return failf(m.file, 0, "no column for the name", "columns: {name: …}")
	case m.Delimiter != "" && !slices.Contains([]string{",", ";", "|", "\t", "tab"}, m.Delimiter):
		return failf(m.file, 0, fmt.Sprintf("the delimiter %q", m.Delimiter), "one of , ; | tab")
	case m.Dates != "" && m.Dates != "day-first" && m.Dates != "month-first":
		return failf(m.file, 0, fmt.Sprintf("dates: %q", m.Dates), "day-first or month-first")
	case m.Purpose != "" && m.Purpose != Restricted && m.Purpose != Verified:
		return failf(m.file, 0, fmt.Sprintf("purpose: %q", m.Purpose), "restricted or verified")
	case m.Header != nil && (*m.Header < 0 || *m.Header > 100):
		return failf(m.file, 0, fmt.Sprintf("header: %d", *m.Header), "a row from 1 to 100, or 0 for none")
	case m.Date != "" && wholeDay(m.Date, dayFirst) == "":
		return failf(m.file, 0, fmt.Sprintf("date: %q", m.Date), "a day such as 2026-01-31")
	}
	if _, err := htmlindex.Get(m.Encoding); m.Encoding != "" && err != nil {
		return failf(m.file, 0, fmt.Sprintf("the encoding %q is not known", clip(m.Encoding, 40)), "a name such as utf-8, windows-1251, shift_jis or gb18030")
	}
	if _, err := names.ParseType(m.Constants.Type); err != nil {
		return failf(m.file, 0, err.Error(), "")
	}
	for from, to := range m.Columns.Type.values {
		if _, err := names.ParseType(to); err != nil {
			return failf(m.file, m.Columns.Type.line, fmt.Sprintf("the value %q of type is read as %q", from, to), "person, company, vessel or any")
		}
	}
	kinds := []string{IDLEI, IDRegistration, IDTax, IDIMO, IDMMSI, IDAircraft, IDBIC, IDPassport, IDNational, IDOther}
	for _, c := range m.Columns.Identifiers {
		if !slices.Contains(kinds, c.kind) {
			return failf(m.file, c.line, fmt.Sprintf("an identifier of the kind %q", c.kind), "kind: one of "+strings.Join(kinds, ", "))
		}
	}
	return nil
}

// UnmarshalYAML reads a list of cells, or one.
func (m *many) UnmarshalYAML(n ast.Node) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		var c cells
		err := c.UnmarshalYAML(n)
		*m = many{c}
		return err
	}
	for _, v := range seq.Values {
		var c cells
		if err := c.UnmarshalYAML(v); err != nil {
			return err
		}
		*m = append(*m, c)
	}
	return nil
}

// UnmarshalYAML reads the name or number of a column, a list of them, or an object with more about it.
func (c *cells) UnmarshalYAML(n ast.Node) error {
	c.line = n.GetToken().Position.Line
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, v := range n.Values {
			if !scalar(v) {
				return wrong(c.line, "a list of something else than columns", "names or numbers of columns")
			}
			c.from = append(c.from, text(v))
		}
		return nil
	case *ast.MappingNode:
		for _, v := range n.Values {
			if err := c.set(v); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		return c.set(n)
	}
	if !scalar(n) {
		return wrong(c.line, "this is no column", "its name or number")
	}
	c.from = []string{text(n)}
	return nil
}

// set takes one key of the object that says more about a column.
func (c *cells) set(v *ast.MappingValueNode) error {
	line, key := v.Key.GetToken().Position.Line, v.Key.GetToken().Value
	switch key {
	case "column", "columns":
		var from cells
		if err := from.UnmarshalYAML(v.Value); err != nil {
			return err
		}
		c.from = from.from
		return nil
	case "values":
		c.values = map[string]string{}
		pairs := []*ast.MappingValueNode{}
		switch n := v.Value.(type) {
		case *ast.MappingNode:
			pairs = n.Values
		case *ast.MappingValueNode:
			pairs = append(pairs, n)
		}
		for _, p := range pairs {
			c.values[strings.ToLower(p.Key.GetToken().Value)] = text(p.Value)
		}
		return nil
	}
	field := map[string]*string{"separator": &c.separator, "kind": &c.kind, "country": &c.country}[key]
	if field == nil || !scalar(v.Value) {
		return wrong(line, fmt.Sprintf("%q says nothing about a column", clip(key, 40)), "column, separator, kind, country or values")
	}
	*field = text(v.Value)
	return nil
}

func scalar(n ast.Node) bool {
	_, ok := n.(ast.ScalarNode)
	return ok
}

func text(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return strings.TrimSpace(n.GetToken().Value)
}

// number is a column given by its number from 1, as an index; false when it is a name.
func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n - 1, err == nil && n > 0
}
