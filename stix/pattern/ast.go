package pattern

import "strconv"

// Pos is a place in the text of a pattern. The zero value is "nowhere": a node that no text was read for.
type Pos struct {
	Line   int // 1 for the first line
	Column int // in characters, 1 for the first of its line
	Offset int // in bytes from the start of the text
}

// Pattern is one parsed pattern. The zero value is not a pattern: get one from [Parse], or build the tree and set Root.
type Pattern struct {
	Root Observation
}

// Observation says what must be observed: a [*Single], a [*Combination] or a [*Qualified].
type Observation interface{ isObservation() }

// Single is one test in brackets, which one observation has to meet.
type Single struct {
	Test Test
}

// ObservationOp joins observations.
type ObservationOp string

// The operators between observations, from the loosest binding to the tightest.
const (
	FollowedBy     ObservationOp = "FOLLOWEDBY"
	ObservationOr  ObservationOp = "OR"
	ObservationAnd ObservationOp = "AND"
)

// Combination joins two or more observations by one operator, read from left to right.
type Combination struct {
	Op    ObservationOp
	Terms []Observation
}

// Qualified restricts an observation in time or number by its qualifiers, applied from left to right. Two
// qualifiers of one kind stand in one list only on a [*Single], where [Pattern.Check] reports them; elsewhere a second
// one of a kind is a Qualified around the first.
type Qualified struct {
	Of         Observation
	Qualifiers []Qualifier
}

func (*Single) isObservation()      {}
func (*Combination) isObservation() {}
func (*Qualified) isObservation()   {}

// Qualifier is a [Within], a [Repeats] or a [StartStop].
type Qualifier interface{ isQualifier() }

// Within asks that everything is seen within so many seconds.
type Within struct {
	Seconds Literal // Int or Float, above zero
}

// Repeats asks that the observation is made so many times.
type Repeats struct {
	Times int // at least 1
}

// StartStop asks that everything is seen from Start up to, and not including, Stop.
type StartStop struct {
	Start, Stop Literal // both Timestamp
}

func (Within) isQualifier()    {}
func (Repeats) isQualifier()   {}
func (StartStop) isQualifier() {}

// Test is what stands in brackets: a [*Comparison] or a [*Junction].
type Test interface{ isTest() }

// JunctionOp joins tests.
type JunctionOp string

// The operators between tests, from the loosest binding to the tightest.
const (
	Or  JunctionOp = "OR"
	And JunctionOp = "AND"
)

// Junction joins two or more tests by AND or OR.
type Junction struct {
	Op    JunctionOp
	Terms []Test
}

func (*Comparison) isTest() {}
func (*Junction) isTest()   {}

// Op compares the values at a path with literals.
type Op string

// The comparison operators. "==" reads as Equal and "<>" as NotEqual.
const (
	Equal          Op = "="
	NotEqual       Op = "!="
	Greater        Op = ">"
	Less           Op = "<"
	GreaterOrEqual Op = ">="
	LessOrEqual    Op = "<="
	In             Op = "IN"
	Like           Op = "LIKE"
	Matches        Op = "MATCHES"
	IsSubset       Op = "ISSUBSET"
	IsSuperset     Op = "ISSUPERSET"
)

// Comparison is one test of the values at a path.
type Comparison struct {
	Path    ObjectPath
	Op      Op        // empty when Exists
	Negated bool      // NOT stands before the operator, or before EXISTS
	Values  []Literal // one, any number with IN, none when Exists
	Exists  bool      // EXISTS path: the path leads to a value
	Pos     Pos       // where the comparison starts
}

// ObjectPath leads from an object of one type to values in it.
type ObjectPath struct {
	ObjectType string // such as "ipv4-addr"
	Steps      []Step // at least one; the first is a Key
}

// StepKind says how a step of a path goes on.
type StepKind uint8

// The kinds of step.
const (
	Key   StepKind = iota // into a property: .name or .'quoted name'
	Index                 // to one element of a list: [0]; a negative index is kept as written
	Any                   // to every element of a list: [*]
)

// Step is one step of an [ObjectPath]. Steps are comparable with ==.
type Step struct {
	Kind  StepKind
	Key   string // of a Key
	Index int    // of an Index
}

// Comparisons lists every comparison of the pattern, in the order of the text.
func (p *Pattern) Comparisons() []Comparison {
	var all []Comparison
	eachComparison(p.Root, func(c *Comparison) { all = append(all, *c) })
	return all
}

// Value is a literal text that a pattern looks for.
type Value struct {
	ObjectType string // such as "file"
	Path       string // as printed, without the type: hashes.'SHA-256'
	Value      string
}

// Values lists the texts that the pattern compares for equality (with = or IN, not negated), in the order of the text.
// Numbers, times, wildcards, expressions and subnets are no values.
func (p *Pattern) Values() []Value {
	var all []Value
	eachComparison(p.Root, func(c *Comparison) {
		if c.Negated || c.Op != Equal && c.Op != In {
			return
		}
		for _, l := range c.Values {
			if l.Kind == String {
				all = append(all, Value{c.Path.ObjectType, c.Path.Property(), l.Text})
			}
		}
	})
	return all
}

// eachComparison calls visit for every comparison below an observation, from left to right.
func eachComparison(o Observation, visit func(*Comparison)) {
	switch o := o.(type) {
	case *Single:
		eachOfTest(o.Test, visit)
	case *Combination:
		for _, term := range o.Terms {
			eachComparison(term, visit)
		}
	case *Qualified:
		eachComparison(o.Of, visit)
	}
}

func eachOfTest(t Test, visit func(*Comparison)) {
	switch t := t.(type) {
	case *Comparison:
		visit(t)
	case *Junction:
		for _, term := range t.Terms {
			eachOfTest(term, visit)
		}
	}
}

// String is the place for a person: "line 1, column 14".
func (p Pos) String() string {
	return "line " + strconv.Itoa(p.Line) + ", column " + strconv.Itoa(p.Column)
}
