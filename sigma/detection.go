package sigma

import (
	"math/big"
	"slices"
	"strings"
)

// MaxValues bounds the values of one rule, those that placeholders and repeated mentions bring included.
const MaxValues = 1 << 16

// searches are the named parts of a detection and the condition over them.
type searches struct {
	names      []string // in the order of the file
	clauses    map[string]clause
	conditions []node
	at         *node
	o          *LoadOptions
	values     int
}

// notSearches are keys of a detection that name no search.
var notSearches = []string{"condition", "timeframe"}

// parseSearches reads a detection: each search, and the condition without its meaning yet.
func parseSearches(det *node, o *LoadOptions) (*searches, error) {
	if det.kind != mapNode {
		return nil, det.errorf("detection is %s; write a map of searches and a condition", det.kind)
	}
	s := &searches{clauses: map[string]clause{}, at: det, o: o}
	for i, k := range det.keys {
		if slices.Contains(notSearches, k.text) {
			continue
		}
		c, err := s.search(&det.items[i])
		if err != nil {
			return nil, err
		}
		s.names, s.clauses[k.text] = append(s.names, k.text), c
	}
	cond, ok := det.get("condition")
	if !ok {
		return nil, det.errorf("no condition; say when the rule matches: condition: selection")
	}
	s.conditions = []node{*cond}
	if cond.kind == listNode {
		s.conditions = cond.items
	}
	if len(s.conditions) == 0 {
		return nil, cond.errorf("the list of conditions is empty; write at least one")
	}
	if len(s.names) == 0 {
		return nil, det.errorf("no search; name what to look for: selection: {Image|endswith: '\\tool.exe'}")
	}
	return s, nil
}

// search reads a search: a map whose items must all match, or a list of maps and keywords one of which must.
func (s *searches) search(n *node) (clause, error) {
	switch n.kind {
	case mapNode:
		return s.items(n)
	case listNode:
		var kids []clause
		var words []*node
		for i := range n.items {
			if n.items[i].kind < listNode {
				words = append(words, &n.items[i])
				continue
			}
			c, err := s.search(&n.items[i])
			if err != nil {
				return clause{}, err
			}
			kids = append(kids, c)
		}
		if len(words) > 0 {
			c, err := s.item(n, "", words)
			if err != nil {
				return clause{}, err
			}
			kids = append(kids, c)
		}
		if len(kids) == 0 {
			return clause{}, n.errorf("the list is empty; write at least one map or keyword")
		}
		return newClause(anyOf, kids...), nil
	case nullNode:
		return clause{}, n.errorf("the search is empty; write a map of fields or a list of keywords")
	}
	return s.item(n, "", []*node{n})
}

// items reads a map of detection items.
func (s *searches) items(n *node) (clause, error) {
	var kids []clause
	for i := range n.keys {
		v := &n.items[i]
		values := []*node{v}
		switch v.kind {
		case listNode:
			values = values[:0]
			for j := range v.items {
				values = append(values, &v.items[j])
			}
			if len(values) == 0 {
				return clause{}, v.errorf("the list of %s is empty; write at least one value, or null for a field that is not there", quote(n.keys[i].text))
			}
		case mapNode:
			return clause{}, v.errorf("%s is a map; write the path to a field with dots: %s.%s", quote(n.keys[i].text), n.keys[i].text, firstKey(v))
		}
		c, err := s.item(&n.keys[i], n.keys[i].text, values)
		if err != nil {
			return clause{}, err
		}
		kids = append(kids, c)
	}
	if len(kids) == 0 {
		return clause{}, n.errorf("the map is empty; write at least one field")
	}
	return newClause(allOf, kids...), nil
}

func firstKey(n *node) string {
	if len(n.keys) == 0 {
		return "name"
	}
	return n.keys[0].text
}

// item reads one detection item: the field and modifiers of key, and its values.
func (s *searches) item(at *node, key string, values []*node) (clause, error) {
	words := strings.Split(key, "|")
	field, words := strings.TrimSpace(words[0]), words[1:]
	all, neq, expand := false, false, false
	var chain []string
	for _, w := range words {
		switch w {
		case "all":
			all = true
		case "neq":
			neq = true
		case "expand":
			expand = true
		default:
			if modifiers[w] == nil {
				return clause{}, at.errorf("modifier %s of %s is unknown; %s", quote(w), quote(key), meant(w, modifierNames))
			}
			chain = append(chain, w)
		}
	}
	var kids []clause
	var open atoms
	for _, v := range values {
		ops, err := s.operands(at, v, chain, expand)
		if err != nil {
			return clause{}, err
		}
		var one atoms
		if !all {
			one, open = open, atoms{}
		}
		for i := range ops {
			if err := one.take(field, &ops[i]); err != nil {
				return clause{}, err
			}
		}
		if all {
			kids = append(kids, one.clause(field))
		} else {
			open = one
		}
	}
	c := newClause(allOf, kids...)
	if !all {
		c = open.clause(field)
	}
	if neq {
		c = newClause(noneOf, c)
	}
	return c, nil
}

// operands are what one value of an item becomes: itself, or each text that its placeholders stand for, modified.
func (s *searches) operands(at, v *node, chain []string, expand bool) ([]operand, error) {
	if v.kind >= listNode {
		return nil, v.errorf("a value of %s is %s; write a text, a number, true, false or null", quote(at.text), v.kind)
	}
	texts := []string{v.text}
	if expand {
		if v.kind != stringNode {
			return nil, v.errorf("expand takes a text with a placeholder as %%name%%, not %s", v.kind)
		}
		var err error
		if texts, err = expanded(v.text, s.o.Placeholders); err != nil {
			return nil, v.errorf("%s", err)
		}
	}
	if s.values += len(texts); s.values > MaxValues {
		return nil, v.errorf("more than %d values in one rule; cut it into several", MaxValues)
	}
	ops := make([]operand, len(texts))
	for i, text := range texts {
		if len(text) > MaxPattern {
			return nil, v.errorf("a value of %d bytes; at most %d", len(text), MaxPattern)
		}
		ops[i] = operand{at: v, raw: text, fresh: true}
		ops[i].patterns = []pattern{v.pattern(text)}
		for _, w := range chain {
			if err := modifiers[w](&ops[i]); err != nil {
				return nil, v.errorf("%s", err)
			}
		}
	}
	return ops, nil
}

// pattern is what a scalar of a rule matches by itself.
func (n *node) pattern(text string) pattern {
	switch n.kind {
	case stringNode:
		return parsePattern(text)
	case numberNode:
		return plainPattern(wholeNumber(text))
	}
	return plainPattern(text)
}

// wholeNumber writes a whole number, given in hexadecimal, octal, binary or with a fraction of zeros, in decimal, as
// logs do. Others stay as they are written.
func wholeNumber(s string) string {
	if len(s) > 64 || strings.IndexByte(s, '_') >= 0 {
		return s
	}
	if n, ok := new(big.Int).SetString(s, 0); ok && !leadingZero(s) {
		return n.String()
	}
	if whole, zeros, ok := strings.Cut(s, "."); ok && whole != "" && strings.Trim(zeros, "0") == "" {
		return whole
	}
	return s
}

// leadingZero says that a number is written as 0123, which is decimal in today's YAML.
func leadingZero(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'
}

// atoms gathers the alternatives of one item by what they ask.
type atoms struct {
	patterns []pattern
	regexps  []*expr
	others   []atom
	null     bool
	absent   bool // exists: false
}

// take adds an operand as one more alternative.
func (a *atoms) take(field string, v *operand) error {
	if field == "" && (v.at.kind == nullNode || v.kind == isThere || v.kind == isField) {
		return v.at.errorf("%s needs the name of a field before it; a keyword is a text", v.what())
	}
	switch v.kind {
	case isRegexp:
		x, err := newExpr(v.raw, v.flags)
		if err != nil {
			return v.at.errorf("%s", err)
		}
		a.regexps = append(a.regexps, x)
	case isPattern:
		if v.at.kind == nullNode {
			a.null = true
			return nil
		}
		for _, p := range v.patterns {
			if field == "" && v.fresh {
				p = p.open(true, true)
			}
			if len(p.parts) > maxLoose {
				return v.at.errorf("%d wildcards and dashes in one text; at most %d parts", len(p.parts), maxLoose)
			}
			a.patterns = append(a.patterns, p)
		}
	case isThere:
		if v.at.text == "true" {
			a.others = append(a.others, v.atom)
		} else {
			a.absent = true
		}
	default:
		a.others = append(a.others, v.atom)
	}
	return nil
}

// clause is one of the alternatives, asked of the field.
func (a *atoms) clause(field string) clause {
	var kids []clause
	if len(a.patterns) > 0 {
		kids = append(kids, newAtom(atom{field: field, kind: isPattern, patterns: a.patterns}))
	}
	if len(a.regexps) > 0 {
		kids = append(kids, newAtom(atom{field: field, kind: isRegexp, regexps: a.regexps}))
	}
	var networks atom
	for _, o := range a.others {
		if o.kind == isNetwork {
			networks.networks = append(networks.networks, o.networks...)
			continue
		}
		o.field = field
		kids = append(kids, newAtom(o))
	}
	if len(networks.networks) > 0 {
		networks.field, networks.kind = field, isNetwork
		kids = append(kids, newAtom(networks))
	}
	if a.null {
		kids = append(kids, newAtom(atom{field: field, kind: isNull}))
	}
	if a.absent {
		kids = append(kids, newClause(noneOf, newAtom(atom{field: field, kind: isThere})))
	}
	return newClause(anyOf, kids...)
}
