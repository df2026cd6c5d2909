package pattern

import (
	"fmt"
	"net/netip"
	"slices"
)

// compiler makes a pattern ready. Tests that are written the same are one.
type compiler struct {
	tests []*check
	seen  map[string]int // of a test as printed, its index
	pos   Pos            // of the comparison last read
	sizes int64          // of the programs of expressions so far
}

func (c *compiler) test(t Test) (int, error) {
	key := (&Pattern{Root: &Single{Test: t}}).String()
	if i, ok := c.seen[key]; ok {
		return i, nil
	}
	k, err := c.check(t)
	if err != nil {
		return 0, err
	}
	if len(c.tests) == MaxTests {
		return 0, &Error{c.pos, fmt.Sprintf("the pattern has more than %d different tests in brackets; write it as several patterns", MaxTests)}
	}
	c.seen[key] = len(c.tests)
	c.tests = append(c.tests, k)
	return len(c.tests) - 1, nil
}

func (c *compiler) check(t Test) (*check, error) {
	j, ok := t.(*Junction)
	if !ok {
		one := t.(*Comparison)
		c.pos = one.Pos
		k, err := compileComparison(one)
		if err != nil {
			return nil, err
		}
		if k.matches != nil {
			if c.sizes += k.matches.size; c.sizes > maxPrograms {
				return nil, &Error{one.Pos, "the expressions of the pattern are too large together; write it as several patterns"}
			}
		}
		return &check{one: k, types: []string{one.Path.ObjectType}}, nil
	}
	out := &check{op: j.Op}
	for i, term := range j.Terms {
		k, err := c.check(term)
		if err != nil {
			return nil, err
		}
		out.terms = append(out.terms, k)
		switch {
		case i == 0:
			out.types = slices.Clone(k.types)
		case j.Op == Or:
			out.types = append(out.types, k.types...)
		default:
			out.types = slices.DeleteFunc(out.types, func(t string) bool { return !slices.Contains(k.types, t) })
		}
	}
	slices.Sort(out.types)
	out.types = slices.Compact(out.types)
	if len(out.types) == 0 {
		return nil, &Error{c.pos, "AND in brackets joins comparisons of different object types, which no one object meets; " +
			"write [a:b = 1] AND [c:d = 2] for two objects"}
	}
	return out, nil
}

func compileComparison(in *Comparison) (*comparison, error) {
	c := &comparison{path: in.Path, routes: routesOf(in.Path), op: in.Op, negated: in.Negated}
	fail := func(problem string) (*comparison, error) { return nil, &Error{in.Pos, problem} }
	if in.Exists {
		c.op = ""
		return c, nil
	}
	var problem string
	switch in.Op {
	case Like:
		c.like = globOf(in.Values[0].Text)
		return c, nil
	case Matches:
		if c.matches, problem = expressionOf(in.Values[0].Text); problem != "" {
			return fail(problem)
		}
		return c, nil
	case IsSubset, IsSuperset:
		var ok bool
		if c.net.prefix, ok = network(in.Values[0].Text); !ok {
			return fail(in.Values[0].String() + " is no address and no subnet; write '192.0.2.0/24' or '2001:db8::/32'")
		}
		return c, nil
	}
	for _, l := range in.Values {
		k, problem := constantOf(l)
		if problem != "" {
			return fail(problem)
		}
		if !alike(in.Values[0].Kind, l.Kind) {
			return fail("the list after IN mixes " + in.Values[0].Kind.String() + " and " + l.Kind.String() + "; give it values of one type")
		}
		c.values = append(c.values, k)
	}
	if in.Op == In && len(in.Values) > 0 && in.Values[0].Kind == String {
		c.texts = map[string]bool{}
		for _, l := range in.Values {
			c.texts[l.Text] = true
		}
	}
	return c, nil
}

// alike says whether literals of two kinds may stand in one list: those of one kind, and numbers.
func alike(a, b LiteralKind) bool {
	number := func(k LiteralKind) bool { return k == Int || k == Float }
	return a == b || number(a) && number(b)
}

// netRange is the operand of ISSUBSET and ISSUPERSET.
type netRange struct{ prefix netip.Prefix }

func (r netRange) passes(n *node, enc coding, op Op) bool {
	if n.kind != isText || enc != plain {
		return false
	}
	p, ok := network(n.text)
	if !ok {
		return false
	}
	if op == IsSubset {
		return within(p, r.prefix)
	}
	return within(r.prefix, p)
}

// observation makes what must be seen ready.
func (c *compiler) observation(o Observation) (*term, error) {
	switch o := o.(type) {
	case *Single:
		i, err := c.test(o.Test)
		if err != nil {
			return nil, err
		}
		var set testSet
		set.set(i)
		return newSet(set), nil
	case *Combination:
		terms := make([]*term, len(o.Terms))
		for i := range o.Terms {
			var err error
			if terms[i], err = c.observation(o.Terms[i]); err != nil {
				return nil, err
			}
		}
		return combine(o.Op, terms), nil
	case *Qualified:
		t, err := c.observation(o.Of)
		for _, q := range o.Qualifiers {
			if err != nil {
				return nil, err
			}
			t, err = c.qualify(t, q)
		}
		return t, err
	}
	return nil, &Error{c.pos, "the pattern is empty; a test stands in brackets: [ipv4-addr:value = '192.0.2.1']"}
}

func (c *compiler) qualify(t *term, q Qualifier) (*term, error) {
	switch q := q.(type) {
	case Within:
		seconds, _ := q.Seconds.Float()
		return newWithin(t, seconds), nil
	case Repeats:
		return newRepeat(t, int64(q.Times)), nil
	case StartStop:
		start, ok := q.Start.Time()
		stop, also := q.Stop.Time()
		if !ok || !also {
			return nil, &Error{c.pos, "no calendar has the day of START " + q.Start.String() + " STOP " + q.Stop.String()}
		}
		return newSpan(t, tickOf(start), tickOf(stop)), nil
	}
	return t, nil
}
