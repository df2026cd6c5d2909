package sigma

import (
	"slices"
	"time"
)

// Correlation is a rule about several events: how many there were of a kind, how many values a field took, which kinds
// came together. It speaks of rules, and of other correlations, by id or name.
type Correlation struct {
	Rule // its title, id, name, level and so on; a correlation has no log source and no detection of its own

	Type CorrelationType
	// Refs are the rules it is about, as written: ids or names.
	Refs []string
	// GroupBy are the fields whose values, taken together, set one group of events apart from the next. Empty: all
	// events are one group.
	GroupBy []string
	// Timespan is how far apart two events may be to be seen together, that far included.
	Timespan time.Duration
	// Aliases give a field of GroupBy, or of Condition, its name in the events of each rule: alias, rule as written,
	// field.
	Aliases   map[string]map[string]string
	Condition CorrelationCondition
	// Generate says that the rules it is about alert on their own as well.
	Generate bool

	targets []target
}

// CorrelationType is what a correlation looks at.
type CorrelationType string

// The types of the specification 2.1.
const (
	EventCount      CorrelationType = "event_count"      // how many events
	ValueCount      CorrelationType = "value_count"      // how many different values of a field
	Temporal        CorrelationType = "temporal"         // which of the rules, in any order
	TemporalOrdered CorrelationType = "temporal_ordered" // which of the rules, in the order they are listed
	ValueSum        CorrelationType = "value_sum"        // the sum of a field
	ValueAvg        CorrelationType = "value_avg"        // its mean
	ValuePercentile CorrelationType = "value_percentile" // the value at a percentile, or the share of each value
)

// CorrelationTypes are all types, in the order of the specification.
var CorrelationTypes = []CorrelationType{EventCount, ValueCount, Temporal, TemporalOrdered, ValueSum, ValueAvg, ValuePercentile}

// temporal says whether the type is about which rules matched, not about numbers.
func (t CorrelationType) temporal() bool { return t == Temporal || t == TemporalOrdered }

// field says whether the type needs a field to look at.
func (t CorrelationType) field() bool { return t != EventCount && !t.temporal() }

// CorrelationCondition is when a correlation matches: bounds on a number, or for the temporal types an expression over
// the rules. The zero value, for the temporal types alone, asks for all rules.
type CorrelationCondition struct {
	// Bounds must all hold.
	Bounds []Bound
	// Fields are the fields that a value type looks at; of several the combination counts as one value.
	Fields []string
	// Percentile is which percentile of the values is compared, 0 to 100. Nil for value_percentile: what is compared is
	// the share, in percent, that each value has of all events.
	Percentile *float64
	// Expression is the condition in words, "a and not b".
	Expression string

	expr *expression
}

// Bound compares a number: gt, gte, lt, lte, eq, neq.
type Bound struct {
	Op    string
	Value float64
}

// ops are the comparisons in the order of the specification.
var ops = []string{"gt", "gte", "lt", "lte", "eq", "neq"}

func (b Bound) holds(n float64) bool {
	switch b.Op {
	case "gt":
		return n > b.Value
	case "gte":
		return n >= b.Value
	case "lt":
		return n < b.Value
	case "lte":
		return n <= b.Value
	case "eq":
		return n == b.Value
	}
	return n != b.Value
}

// holds says whether all bounds do.
func (c *CorrelationCondition) holds(n float64) bool {
	for _, b := range c.Bounds {
		if !b.holds(n) {
			return false
		}
	}
	return true
}

// rising says that the condition, once it holds, holds for every greater number too: it has lower bounds alone.
func (c *CorrelationCondition) rising() bool {
	return !slices.ContainsFunc(c.Bounds, func(b Bound) bool { return b.Op != "gt" && b.Op != "gte" })
}

// target is what a reference leads to: one of the two.
type target struct {
	rule        *Rule
	correlation *Correlation
}

// deferred says that a correlation can be judged only when no more events can come into its window, since a later one
// may undo the match: an upper bound, an equality, a mean, a percentile, the absence of a rule.
func (c *Correlation) deferred() bool {
	switch c.Type {
	case ValueAvg, ValuePercentile:
		return true
	case Temporal:
		if e := c.Condition.expr; e != nil {
			return e.negates()
		}
	case TemporalOrdered:
		return false
	}
	return !c.Condition.rising()
}
