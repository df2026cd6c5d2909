package pattern

import (
	"strconv"
	"strings"
)

// String prints the pattern in one normal layout: single spaces, "=" and "!=", quotes and parentheses only where they
// are needed. Parse of the result gives an equal tree.
func (p *Pattern) String() string {
	var b strings.Builder
	writeObservation(&b, p.Root)
	return b.String()
}

// binding is how tightly an observation holds together: a child that binds no tighter than its parent needs
// parentheses.
func binding(o Observation) int {
	if c, ok := o.(*Combination); ok {
		switch c.Op {
		case FollowedBy:
			return 0
		case ObservationOr:
			return 1
		}
		return 2
	}
	if _, ok := o.(*Qualified); ok {
		return 3
	}
	return 4
}

func writeObservation(b *strings.Builder, o Observation) {
	switch o := o.(type) {
	case *Single:
		b.WriteByte('[')
		writeTest(b, o.Test)
		b.WriteByte(']')
	case *Combination:
		for i, term := range o.Terms {
			if i > 0 {
				b.WriteString(" " + string(o.Op) + " ")
			}
			writeWrapped(b, term, binding(term) <= binding(o))
		}
	case *Qualified:
		writeWrapped(b, o.Of, binding(o.Of) <= binding(o))
		for _, q := range o.Qualifiers {
			writeQualifier(b, q)
		}
	}
}

func writeWrapped(b *strings.Builder, o Observation, parens bool) {
	if parens {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	writeObservation(b, o)
}

func writeQualifier(b *strings.Builder, q Qualifier) {
	switch q := q.(type) {
	case Within:
		b.WriteString(" WITHIN " + q.Seconds.String() + " SECONDS")
	case Repeats:
		b.WriteString(" REPEATS " + strconv.Itoa(q.Times) + " TIMES")
	case StartStop:
		b.WriteString(" START " + q.Start.String() + " STOP " + q.Stop.String())
	}
}

func writeTest(b *strings.Builder, t Test) {
	switch t := t.(type) {
	case *Comparison:
		b.WriteString(t.String())
	case *Junction:
		for i, term := range t.Terms {
			if i > 0 {
				b.WriteString(" " + string(t.Op) + " ")
			}
			child, nested := term.(*Junction)
			if nested && (t.Op == And || child.Op == Or) {
				b.WriteByte('(')
				writeTest(b, term)
				b.WriteByte(')')
			} else {
				writeTest(b, term)
			}
		}
	}
}

// String prints the comparison as it stands inside brackets.
func (c Comparison) String() string {
	not := ""
	if c.Negated {
		not = "NOT "
	}
	if c.Exists {
		return not + "EXISTS " + c.Path.String()
	}
	head := c.Path.String() + " " + not + string(c.Op) + " "
	if c.Op != In {
		return head + c.Values[0].String()
	}
	texts := make([]string, len(c.Values))
	for i, v := range c.Values {
		texts[i] = v.String()
	}
	return head + "(" + strings.Join(texts, ", ") + ")"
}

// String prints the path: ipv4-addr:value, file:hashes.'SHA-256', process:argv[*].
func (p ObjectPath) String() string { return p.ObjectType + ":" + p.Property() }

// Property prints the path without its object type: value, hashes.'SHA-256', argv[*].
func (p ObjectPath) Property() string {
	var b strings.Builder
	for i, s := range p.Steps {
		switch s.Kind {
		case Key:
			if i > 0 {
				b.WriteByte('.')
			}
			if isPlainKey(s.Key) {
				b.WriteString(s.Key)
			} else {
				b.WriteString(quote(s.Key))
			}
		case Index:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case Any:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// isPlainKey says whether a property name can stand without quotes.
func isPlainKey(s string) bool {
	if s == "" || !isLetter(s[0]) || keywords[s] {
		return false
	}
	for i := range len(s) {
		if !isWordByte(s[i]) || s[i] == '-' {
			return false
		}
	}
	return true
}

// String prints the literal as it stands in a pattern.
func (l Literal) String() string {
	switch l.Kind {
	case String:
		return quote(l.Text)
	case Timestamp:
		return "t'" + l.Text + "'"
	case Hex:
		return "h'" + l.Text + "'"
	case Binary:
		return "b'" + l.Text + "'"
	}
	return l.Text
}

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// quote writes a text as a literal. Only the quote and the backslash are escaped.
func quote(s string) string { return "'" + escapes.Replace(s) + "'" }

// Quote writes any text as a string literal of a pattern, so that no character of it ends the literal early.
func Quote(s string) string { return quote(s) }
