package pattern

import (
	"fmt"
	"regexp"
	"strings"
)

// hashLengths are the hex digits of each hash that STIX names.
var hashLengths = map[string]int{
	"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64, "SHA3-512": 128,
	"SHA-224": 56, "SHA-384": 96, "RIPEMD-160": 40,
}

var hexDigits = regexp.MustCompile(`^[0-9A-Fa-f]*$`)

// Check lists what the grammar lets pass and the standard does not: a hash of the wrong length or with other than hex
// digits, and two qualifiers of one kind on one bracketed test. A producer fixes both; a reader can still match such a
// pattern, as the tree says.
func (p *Pattern) Check() []*Error {
	var found []*Error
	eachComparison(p.Root, func(c *Comparison) {
		if what := checkHash(c); what != "" {
			found = append(found, &Error{c.Pos, what})
		}
	})
	return append(found, checkQualifiers(p.Root)...)
}

func checkHash(c *Comparison) string {
	size, algorithm := hashOf(c.Path)
	if size == 0 || c.Op != Equal && c.Op != NotEqual && c.Op != In {
		return ""
	}
	for _, v := range c.Values {
		if v.Kind == String && (len(v.Text) != size || !hexDigits.MatchString(v.Text)) {
			return fmt.Sprintf("%s is no %s; it has %d hex digits", v, algorithm, size)
		}
	}
	return ""
}

// hashOf is the length of the hash that a path such as hashes.'SHA-256' leads to, 0 if it leads to none.
func hashOf(p ObjectPath) (int, string) {
	n := len(p.Steps)
	if n < 2 || p.Steps[n-2] != (Step{Kind: Key, Key: "hashes"}) || p.Steps[n-1].Kind != Key {
		return 0, ""
	}
	name := strings.ToUpper(p.Steps[n-1].Key)
	if size, ok := hashLengths[name]; ok {
		return size, name
	}
	if digits, ok := strings.CutPrefix(name, "SHA"); ok {
		return hashLengths["SHA-"+digits], "SHA-" + digits
	}
	return 0, ""
}

// checkQualifiers finds bracketed tests with two qualifiers of one kind.
func checkQualifiers(o Observation) (found []*Error) {
	switch o := o.(type) {
	case *Combination:
		for _, term := range o.Terms {
			found = append(found, checkQualifiers(term)...)
		}
	case *Qualified:
		if _, simple := o.Of.(*Single); !simple {
			return checkQualifiers(o.Of)
		}
		for i, q := range o.Qualifiers {
			if hasKind(o.Qualifiers[:i], q) {
				return []*Error{{firstPos(o), "this test has " + keywordOf(q) + " twice; keep one, or put the test with the first into parentheses"}}
			}
		}
	}
	return found
}

func keywordOf(q Qualifier) string {
	switch q.(type) {
	case Within:
		return "WITHIN"
	case Repeats:
		return "REPEATS"
	}
	return "START … STOP"
}

// firstPos is where the first comparison of an observation stands.
func firstPos(o Observation) (pos Pos) {
	found := false
	eachComparison(o, func(c *Comparison) {
		if !found {
			pos, found = c.Pos, true
		}
	})
	return pos
}
