package event

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxMapping is the longest mapping file that is read.
const maxMapping = 256 << 10

// maxAlike is how many names may mean the same.
const maxAlike = 64

// Bounds within which a mapping can nest: brackets, and the length of a line, which holds the rest.
const (
	maxBrackets    = 64
	maxMappingLine = 4096
)

// mappingReader reads one mapping file.
type mappingReader struct {
	name  string
	depth int
	m     *Mapping
}

// readMapping reads a mapping file; the caller holds the lock of the shipped ones.
func readMapping(r io.Reader, name string, depth int) (m *Mapping, err error) {
	text, err := io.ReadAll(io.LimitReader(r, maxMapping+1))
	in := &mappingReader{name: name, depth: depth, m: &Mapping{}}
	switch {
	case err != nil:
		return nil, &Error{Name: name, Index: -1, Text: "the mapping cannot be read: " + err.Error(), cause: err}
	case len(text) > maxMapping:
		return nil, in.fail(nil, "the mapping is longer than %d bytes", maxMapping)
	}
	if err := in.flat(text); err != nil {
		return nil, err
	}
	file, err := parseYAML(text)
	if err != nil {
		return nil, in.syntax(err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, in.fail(nil, "a mapping is one YAML document with name, use, strip, rename and fields")
	}
	if err := in.document(file.Docs[0].Body); err != nil {
		return nil, err
	}
	slices.SortStableFunc(in.m.strip, func(a, b string) int { return len(b) - len(a) })
	in.m.strip = slices.Compact(in.m.strip)
	return in.m, nil
}

// flat says whether the text cannot nest deeper than a parser should follow.
func (in *mappingReader) flat(text []byte) error {
	depth, line := 0, 1
	begin := 0
	for i, c := range text {
		switch c {
		case '\n':
			line, begin = line+1, i
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > maxBrackets || i-begin > maxMappingLine {
			return &Error{Name: in.name, Index: -1, Line: int64(line), Text: fmt.Sprintf(
				"a mapping nests at most %d brackets and has lines of at most %d bytes", maxBrackets, maxMappingLine)}
		}
	}
	return nil
}

// parseYAML parses, and answers for a parser that gives up on odd input.
func parseYAML(text []byte) (file *ast.File, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = errors.New("this is no YAML that can be read")
		}
	}()
	return parser.ParseBytes(text, 0)
}

// syntax is an error of the parser, with its line.
func (in *mappingReader) syntax(err error) error {
	e := &Error{Name: in.name, Index: -1, Text: "not YAML: " + err.Error(), cause: err}
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &at) {
		e.Text = "not YAML: " + at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			e.Line = int64(t.Position.Line)
		}
	}
	return e
}

func (in *mappingReader) fail(n ast.Node, text string, args ...any) error {
	e := &Error{Name: in.name, Index: -1, Text: fmt.Sprintf(text, args...)}
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		e.Line = int64(n.GetToken().Position.Line)
	}
	return e
}

func (in *mappingReader) document(body ast.Node) error {
	return in.members(body, "a mapping", []string{"name", "use", "strip", "rename", "fields"}, func(key string, v ast.Node) error {
		switch key {
		case "name":
			name, err := in.text(v, "the name of the mapping")
			in.m.name = name
			return err
		case "use":
			return in.use(v)
		case "strip":
			all, err := in.texts(v, "strip: a list of prefixes, each with its dot")
			in.m.strip = append(in.m.strip, all...)
			return err
		case "rename":
			return in.members(v, "rename", nil, func(path string, v ast.Node) error {
				names, err := in.texts(v, "the names of "+path)
				in.m.alias(path, names)
				return err
			})
		}
		list, ok := v.(*ast.SequenceNode)
		if !ok {
			return in.fail(v, "fields: a list was expected, of entries as {sigma: Image, ecs: process.executable}")
		}
		for _, entry := range list.Values {
			if err := in.entry(entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// use takes over shipped mappings.
func (in *mappingReader) use(v ast.Node) error {
	names, err := in.texts(v, "use: the names of shipped mappings")
	if err != nil {
		return err
	}
	for _, name := range names {
		m, err := shippedMapping(name, in.depth)
		if err != nil {
			return in.fail(v, "use: %v", err)
		}
		in.m.merge(m)
	}
	return nil
}

// entry is one line of fields: names that mean the same.
func (in *mappingReader) entry(v ast.Node) error {
	var all []string
	err := in.members(v, "an entry of fields", []string{"sigma", "ecs", "ocsf"}, func(key string, v ast.Node) error {
		names, err := in.texts(v, "the names in "+key)
		all = append(all, names...)
		return err
	})
	if err != nil {
		return err
	}
	if len(all) > maxAlike {
		return in.fail(v, "an entry of fields holds at most %d names", maxAlike)
	}
	if len(all) < 2 {
		return in.fail(v, "an entry of fields says which names mean the same: at least two, as {sigma: Image, ecs: process.executable}")
	}
	for _, n := range all {
		in.m.group(n, all)
	}
	return nil
}

// members calls each for the members of a YAML mapping, whose keys are among known, if known is not nil.
func (in *mappingReader) members(v ast.Node, what string, known []string, each func(key string, v ast.Node) error) error {
	var pairs []*ast.MappingValueNode
	switch v := v.(type) {
	case *ast.MappingNode:
		pairs = v.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{v}
	default:
		return in.fail(v, "%s: names and values were expected, as in \"name: acme\"", what)
	}
	seen := map[string]bool{}
	for _, p := range pairs {
		key := p.Key.GetToken().Value
		switch {
		case known != nil && !slices.Contains(known, key):
			return in.fail(p.Key, "%s has no %q; there are %s", what, key, strings.Join(known, ", "))
		case seen[key]:
			return in.fail(p.Key, "%q is there twice", key)
		}
		seen[key] = true
		if err := each(key, p.Value); err != nil {
			return err
		}
	}
	return nil
}

// text is a name: no empty one, none longer than a path may be.
func (in *mappingReader) text(v ast.Node, what string) (string, error) {
	s, ok := v.(*ast.StringNode)
	if !ok || s.Value == "" || len(s.Value) > MaxNameBytes {
		return "", in.fail(v, "%s: a text of 1 to %d bytes was expected", what, MaxNameBytes)
	}
	return s.Value, nil
}

// texts is a name or a list of names.
func (in *mappingReader) texts(v ast.Node, what string) ([]string, error) {
	list, ok := v.(*ast.SequenceNode)
	if !ok {
		s, err := in.text(v, what)
		return []string{s}, err
	}
	var all []string
	for _, item := range list.Values {
		s, err := in.text(item, what)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
