package indicator

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxExpression bounds one expression.
const maxExpression = 1000

// PathExpression is a test for the path of a file, in RE2 syntax: it takes time in proportion to the path, whatever the
// expression.
type PathExpression struct {
	Text    string
	Exclude string // paths that meet this too are not meant

	match, exclude *regexp.Regexp
	literal        []byte // in lower case; stands in every path that matches
}

// NewPathExpression reads an expression and, unless it is "", the one that excludes.
func NewPathExpression(text, exclude string) (*PathExpression, error) {
	e := &PathExpression{Text: text, Exclude: exclude}
	var err error
	if len(text) > maxExpression || len(exclude) > maxExpression {
		return nil, unreadable(text, &syntax.Error{Code: syntax.ErrLarge, Expr: "its length"})
	}
	if e.match, err = regexp.Compile(text); err != nil {
		return nil, unreadable(text, err)
	}
	if e.match.MatchString("") {
		return nil, errEmptyExpression
	}
	if exclude != "" {
		if e.exclude, err = regexp.Compile(exclude); err != nil {
			return nil, unreadable(exclude, err)
		}
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, unreadable(text, err)
	}
	e.literal = []byte(strings.ToLower(required(tree.Simplify())))
	return e, nil
}

// Match says whether a path meets the expression and is not excluded.
func (e *PathExpression) Match(path []byte) bool {
	return e.match.Match(path) && (e.exclude == nil || !e.exclude.Match(path))
}

// required is the longest text that stands in everything an expression matches, "" if there is none that is sure.
func required(r *syntax.Regexp) string {
	switch r.Op {
	case syntax.OpLiteral:
		return ascii(string(r.Rune))
	case syntax.OpCapture, syntax.OpPlus:
		return required(r.Sub[0])
	case syntax.OpRepeat:
		if r.Min > 0 {
			return required(r.Sub[0])
		}
	case syntax.OpConcat:
		best := ""
		for _, sub := range r.Sub {
			if s := required(sub); len(s) > len(best) {
				best = s
			}
		}
		return best
	}
	return ""
}

// ascii is the longest stretch of s in ASCII, where lower case is one byte for one byte.
func ascii(s string) (best string) {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r >= 0x80 }) {
		if len(part) > len(best) {
			best = part
		}
	}
	return best
}

// PathTable finds which of many expressions a path meets. Fill it first; then any number of goroutines may look up.
type PathTable struct {
	all    []*PathExpression
	begins map[[gram]byte][]int32
	some   [1 << 10]uint64
	always []int32 // those with no text to look for
}

// Add adds an expression and returns its number.
func (t *PathTable) Add(e *PathExpression) int {
	no := int32(len(t.all))
	t.all = append(t.all, e)
	if len(e.literal) < gram {
		t.always = append(t.always, no)
		return int(no)
	}
	if t.begins == nil {
		t.begins = map[[gram]byte][]int32{}
	}
	begin := [gram]byte(e.literal)
	t.begins[begin] = append(t.begins[begin], no)
	h := gramHash(begin)
	t.some[h>>6] |= 1 << (h & 63)
	return int(no)
}

// Len is how many expressions there are.
func (t *PathTable) Len() int { return len(t.all) }

// Lookup appends to found the numbers of the expressions that a path meets, each once. room is space for the path in
// lower case and may be nil.
func (t *PathTable) Lookup(found []int, path, room []byte) []int {
	if len(t.all) == 0 || len(path) > MaxValue {
		return found
	}
	from := len(found)
	for _, no := range t.always {
		if t.all[no].Match(path) {
			found = append(found, int(no))
		}
	}
	lowered := room[:0]
	for _, c := range path {
		lowered = append(lowered, lower(c))
	}
	for i := 0; i+gram <= len(lowered); i++ {
		begin := [gram]byte(lowered[i:])
		if h := gramHash(begin); t.some[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, no := range t.begins[begin] {
			e := t.all[no]
			if bytes.HasPrefix(lowered[i:], e.literal) && !slices.Contains(found[from:], int(no)) && e.Match(path) {
				found = append(found, int(no))
			}
		}
	}
	return found
}
