package sigma

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// nodeKind is what a node of a YAML document is.
type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	listNode
	mapNode
)

var kindWords = [...]string{"nothing", "true or false", "a number", "a text", "a list", "a map"}

func (k nodeKind) String() string { return kindWords[k] }

// node is a value of a YAML document and where it stands. Of a map, keys and items go together.
type node struct {
	kind         nodeKind
	text         string // of a scalar: a string's text, a number as it was written, "true" or "false"
	keys         []node
	items        []node
	line, column int
}

// get is the value under a key of a map; ok is false when there is none.
func (n *node) get(key string) (*node, bool) {
	for i := range n.keys {
		if n.keys[i].text == key {
			return &n.items[i], true
		}
	}
	return nil, false
}

// size is how many values a node holds, itself included.
func (n *node) size() int {
	sum := 1
	for i := range n.items {
		sum += n.items[i].size()
	}
	return sum
}

// errorf is an error that stands at the node; the file is named by whoever knows it.
func (n *node) errorf(format string, args ...any) *Error {
	return &Error{Line: n.line, Column: n.column, Text: fmt.Sprintf(format, args...)}
}

// str is the text of a scalar.
func (n *node) str(what string) (string, error) {
	switch n.kind {
	case stringNode, numberNode, boolNode:
		return n.text, nil
	}
	return "", n.errorf("%s is %s; write a text", what, n.kind)
}

// list is the texts of a list; one text stands for a list of one, and nothing for an empty list.
func (n *node) list(what string) ([]string, error) {
	if n.kind == nullNode {
		return nil, nil
	}
	if n.kind != listNode {
		s, err := n.str(what)
		return []string{s}, err
	}
	out := make([]string, 0, len(n.items))
	for i := range n.items {
		if n.items[i].kind == nullNode {
			continue
		}
		s, err := n.items[i].str(what)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// parseYAML reads one YAML document that begins on the line after the one given, and takes the work it is from effort.
// An empty one is of kind nullNode.
func parseYAML(data []byte, after int, effort *int) (n node, err error) {
	defer func() {
		if r := recover(); r != nil { // of the parser below: a document of strangers must not end the process
			err = &Error{Line: after + 1, Column: 1, Text: "the document cannot be read as YAML"}
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if err := checkShape(tokens, after, effort); err != nil {
		return node{}, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return node{}, yamlError(err, after)
	}
	r := reader{after: after, anchors: map[string]ast.Node{}, left: maxNodes}
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		if _, ok := d.Body.(*ast.CommentGroupNode); ok {
			continue
		}
		if _, ok := d.Body.(*ast.DirectiveNode); ok {
			continue
		}
		return r.read(d.Body, 0)
	}
	return node{line: after + 1, column: 1}, nil
}

// yamlError is an error of the YAML parser in our words' form.
func yamlError(err error, after int) error {
	var located interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &located) && located.GetToken() != nil && located.GetToken().Position != nil {
		p := located.GetToken().Position
		return &Error{Line: after + p.Line, Column: p.Column, Text: "not YAML: " + located.GetMessage()}
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return &Error{Line: after + 1, Column: 1, Text: "not YAML: " + text}
}

// maxNodes bounds the nodes of a document, aliases resolved.
const maxNodes = 1 << 20

// maxKeys bounds the keys of one map.
const maxKeys = 4096

// maxDocumentKeys bounds the keys of a document.
const maxDocumentKeys = 16 << 10

// maxEffort bounds the work of a file's documents, each counted by the square of its keys: the parser compares each key
// of a map with all others.
const maxEffort = 1 << 31

// checkShape refuses a document that nests deeper than MaxDepth, or has more keys than are allowed, before a parser
// meets it that takes memory by the one and time by the other.
func checkShape(tokens token.Tokens, after int, effort *int) error {
	flow, entries, line, keys := 0, 0, 0, 0
	for _, t := range tokens {
		p := t.Position
		if p == nil {
			continue
		}
		deep := false
		if p.Line != line {
			line, entries, deep = p.Line, 0, p.Column > maxIndent
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
			deep = flow > MaxDepth
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			entries++
			deep = deep || entries > MaxDepth
		case token.MappingValueType:
			keys++
		}
		if deep {
			return &Error{Line: after + p.Line, Column: p.Column, Text: fmt.Sprintf("nested too deep; at most %d levels", MaxDepth)}
		}
	}
	if keys > maxDocumentKeys {
		return &Error{Line: after + 1, Column: 1, Text: fmt.Sprintf("%d keys in one document; at most %d", keys, maxDocumentKeys)}
	}
	if *effort -= keys * keys; *effort < 0 {
		return &Error{Line: after + 1, Column: 1, Text: "too many keys in one file; cut it into several"}
	}
	return nil
}

// maxIndent bounds the column at which a level of a document begins, and so how many levels there are.
const maxIndent = 2048

// reader turns the parser's tree into nodes, with anchors, aliases and merge keys resolved.
type reader struct {
	after   int
	anchors map[string]ast.Node
	open    []string // the anchors whose value is being read
	left    int
}

func (r *reader) at(n ast.Node) (line, column int) {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return r.after + t.Position.Line, t.Position.Column
	}
	return r.after + 1, 1
}

func (r *reader) read(n ast.Node, depth int) (node, error) {
	out := node{}
	if n == nil {
		return out, nil
	}
	out.line, out.column = r.at(n)
	if r.left--; r.left < 0 {
		return out, out.errorf("more than %d values in a document, aliases resolved; cut it into several", maxNodes)
	}
	if depth > MaxDepth {
		return out, out.errorf("nested too deep; at most %d levels", MaxDepth)
	}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.kind, out.text = boolNode, "false"
		if n.Value {
			out.text = "true"
		}
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = numberNode, n.GetToken().Value
	case *ast.StringNode:
		out.kind, out.text = stringNode, n.Value
	case *ast.LiteralNode:
		out.kind, out.text = stringNode, n.Value.Value
	case *ast.SequenceNode:
		return r.readList(out, n, depth)
	case *ast.MappingNode:
		return r.readMap(out, n.Values, depth)
	case *ast.MappingValueNode:
		return r.readMap(out, []*ast.MappingValueNode{n}, depth)
	case *ast.TagNode:
		return r.readTag(n, depth)
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		r.anchors[name] = n.Value
		r.open = append(r.open, name)
		defer func() { r.open = r.open[:len(r.open)-1] }()
		return r.read(n.Value, depth+1)
	case *ast.AliasNode:
		return r.readAlias(out, n, depth)
	default:
		return out, out.errorf("%s is not part of a rule", strings.ToLower(n.Type().String()))
	}
	return out, nil
}

// readTag reads a tagged value: !!str makes a text of a scalar, other tags change nothing.
func (r *reader) readTag(n *ast.TagNode, depth int) (node, error) {
	v, err := r.read(n.Value, depth+1)
	if err == nil && n.Start.Value == "!!str" && v.kind < listNode {
		v.kind = stringNode
	}
	return v, err
}

func (r *reader) readAlias(out node, n *ast.AliasNode, depth int) (node, error) {
	name := n.Value.GetToken().Value
	v, ok := r.anchors[name]
	if !ok {
		return out, out.errorf("*%s has no anchor &%s before it", name, name)
	}
	for _, o := range r.open {
		if o == name {
			return out, out.errorf("*%s contains itself", name)
		}
	}
	return r.read(v, depth+1)
}

func (r *reader) readList(out node, n *ast.SequenceNode, depth int) (node, error) {
	out.kind = listNode
	for _, v := range n.Values {
		item, err := r.read(v, depth+1)
		if err != nil {
			return out, err
		}
		if item.line == 0 {
			item.line, item.column = out.line, out.column
		}
		out.items = append(out.items, item)
	}
	return out, nil
}

func (r *reader) readMap(out node, values []*ast.MappingValueNode, depth int) (node, error) {
	out.kind = mapNode
	if len(values) > maxKeys {
		return out, out.errorf("%d keys in one map; at most %d", len(values), maxKeys)
	}
	var merged []node
	for _, v := range values {
		line, column := r.at(v.Key)
		if len(out.keys) == 0 {
			out.line, out.column = line, column
		}
		item, err := r.read(v.Value, depth+1)
		if err != nil {
			return out, err
		}
		if v.Key.IsMergeKey() {
			merged = append(merged, item)
			continue
		}
		key, err := r.readKey(v.Key, depth)
		if err != nil {
			return out, err
		}
		if _, twice := out.get(key.text); twice {
			return out, key.errorf("the key %s occurs twice in one map; give the second a name of its own, or put both values in one list", quote(key.text))
		}
		if item.line == 0 {
			item.line, item.column = line, column
		}
		out.keys, out.items = append(out.keys, key), append(out.items, item)
	}
	if len(merged) == 0 {
		return out, nil
	}
	have := out.index()
	for i := range merged {
		if err := merge(&out, &merged[i], have); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (r *reader) readKey(k ast.MapKeyNode, depth int) (node, error) {
	var key node
	var err error
	switch k := k.(type) {
	case *ast.MappingKeyNode:
		key, err = r.read(k.Value, depth+1)
	default:
		key, err = r.read(k, depth+1)
	}
	if err == nil && key.kind >= listNode {
		err = key.errorf("a key is %s; write a text", key.kind)
	}
	return key, err
}

// merge adds to a map what a merge key (<<) brings and the map does not say itself.
func merge(out, from *node, have map[string]int) error {
	if from.kind == listNode {
		for i := range from.items {
			if err := merge(out, &from.items[i], have); err != nil {
				return err
			}
		}
		return nil
	}
	if from.kind != mapNode {
		return from.errorf("<< merges %s; write a map or an alias of one", from.kind)
	}
	for i, k := range from.keys {
		if _, ok := have[k.text]; !ok {
			have[k.text] = len(out.keys)
			out.keys, out.items = append(out.keys, k), append(out.items, from.items[i])
		}
	}
	return nil
}

// index is where each key of a map stands.
func (n *node) index() map[string]int {
	at := make(map[string]int, len(n.keys))
	for i, k := range n.keys {
		at[k.text] = i
	}
	return at
}
