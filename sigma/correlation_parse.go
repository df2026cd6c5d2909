package sigma

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxRefs bounds the rules of a correlation, maxGroupBy its fields.
const (
	maxRefs    = 64
	maxGroupBy = 32
)

var correlationKeys = []string{"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}

// parseCorrelation reads a document that has a correlation.
func parseCorrelation(doc node) (*Correlation, error) {
	c := &Correlation{}
	c.Line = doc.line
	if err := parseHeader(&doc, &c.Rule); err != nil {
		return nil, err
	}
	n, _ := doc.get("correlation")
	if n.kind != mapNode {
		return nil, n.errorf("correlation is %s; write a map with type, rules, group-by, timespan and condition", n.kind)
	}
	for i := range n.keys {
		if k := &n.keys[i]; !slices.Contains(correlationKeys, k.text) {
			return nil, k.errorf("%s is not a part of a correlation; %s", quote(k.text), meant(k.text, correlationKeys))
		}
	}
	for _, part := range []func(*node) error{c.parseType, c.parseCondition, c.parseRules, c.parseGroupBy, c.parseTimespan, c.parseAliases, c.parseGenerate, c.checkCondition} {
		if err := part(n); err != nil {
			return nil, err
		}
	}
	if _, ok := n.get("generate"); !ok { // by the schema it stands beside the correlation, by custom in it
		return c, c.parseGenerate(&doc)
	}
	return c, nil
}

// must is the value under a key that has to be there.
func must(n *node, key, why string) (*node, error) {
	v, ok := n.get(key)
	if !ok || v.kind == nullNode {
		return nil, n.errorf("the correlation has no %s; %s", key, why)
	}
	return v, nil
}

func (c *Correlation) parseType(n *node) error {
	v, bad := must(n, "type", "write one of "+strings.Join(typeNames(), ", "))
	if bad != nil {
		return bad
	}
	text, err := v.str("type")
	if err != nil {
		return err
	}
	c.Type = CorrelationType(text)
	if !slices.Contains(CorrelationTypes, c.Type) {
		if text == "value_median" {
			return v.errorf("there is no type value_median; write value_percentile with percentile: 50 in its condition")
		}
		return v.errorf("there is no correlation type %s; %s", quote(text), meant(text, typeNames()))
	}
	return nil
}

func typeNames() []string {
	var names []string
	for _, t := range CorrelationTypes {
		names = append(names, string(t))
	}
	return names
}

func (c *Correlation) parseRules(n *node) error {
	if _, ok := n.get("rules"); !ok && c.Condition.Expression != "" {
		c.Refs = names(c.Condition.Expression)
	} else {
		v, bad := must(n, "rules", "write the list of ids or names of the rules it is about")
		if bad != nil {
			return bad
		}
		list, err := v.list("rules")
		if err != nil {
			return err
		}
		c.Refs = list
		n = v
	}
	if len(c.Refs) == 0 {
		return n.errorf("the correlation is about no rule; write the list of ids or names of rules")
	}
	if len(c.Refs) > maxRefs {
		return n.errorf("the correlation is about %d rules; at most %d", len(c.Refs), maxRefs)
	}
	for i, r := range c.Refs {
		if r == "" || slices.Contains(c.Refs[:i], r) {
			return n.errorf("rules has %s twice or empty; write each rule once", quote(r))
		}
	}
	return nil
}

// names are the words of an expression that are no keywords, each once.
func names(expression string) []string {
	var out []string
	for _, w := range words(expression) {
		switch strings.ToLower(w) {
		case "and", "or", "not", "(", ")":
			continue
		}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

func (c *Correlation) parseGroupBy(n *node) error {
	v, ok := n.get("group-by")
	if !ok {
		return nil
	}
	list, err := v.list("group-by")
	if err != nil {
		return err
	}
	if len(list) > maxGroupBy {
		return v.errorf("group-by has %d fields; at most %d", len(list), maxGroupBy)
	}
	for i, f := range list {
		if f == "" || slices.Contains(list[:i], f) {
			return v.errorf("group-by has %s twice or empty; write each field once", quote(f))
		}
	}
	c.GroupBy = list
	return nil
}

// units are those of a timespan; a month and a year are the mean ones of the Gregorian calendar.
var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	'M': 2629746 * time.Second, 'y': 31556952 * time.Second,
}

const timespanForm = "write a whole number and s, m (minutes), h, d, w, M (months) or y, such as 90m"

func (c *Correlation) parseTimespan(n *node) error {
	v, bad := must(n, "timespan", timespanForm)
	if bad != nil {
		return bad
	}
	text, err := v.str("timespan")
	if err != nil {
		return err
	}
	c.Timespan, err = ParseTimespan(text)
	if err != nil {
		return v.errorf("%v", err)
	}
	return nil
}

// ParseTimespan reads a timespan: "30s", "90m", "1h", "7d", "2w", "1M" (a month), "1y".
func ParseTimespan(text string) (time.Duration, error) {
	if text == "" {
		return 0, fmt.Errorf("the timespan is empty; %s", timespanForm)
	}
	unit, ok := units[text[len(text)-1]]
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	switch {
	case !ok || err != nil:
		return 0, fmt.Errorf("%s is not a timespan; %s", quote(text), timespanForm)
	case count == 0:
		return 0, fmt.Errorf("the timespan %s is nothing; %s", quote(text), timespanForm)
	case count > uint64(maxTimespan/unit):
		return 0, fmt.Errorf("the timespan %s is too long; at most ten years, 3650d", quote(text))
	}
	return time.Duration(count) * unit, nil
}

func (c *Correlation) parseGenerate(n *node) error {
	v, ok := n.get("generate")
	if !ok {
		return nil
	}
	if v.kind != boolNode {
		return v.errorf("generate is %s; write true or false", v.kind)
	}
	c.Generate = v.text == "true"
	return nil
}

func (c *Correlation) parseAliases(n *node) error {
	v, ok := n.get("aliases")
	if !ok || v.kind == nullNode {
		return nil
	}
	const form = "write a map: the alias, below it each rule and the field's name in its events"
	if v.kind != mapNode {
		return v.errorf("aliases is %s; %s", v.kind, form)
	}
	c.Aliases = map[string]map[string]string{}
	for i := range v.keys {
		alias, to := v.keys[i].text, &v.items[i]
		if to.kind != mapNode {
			return to.errorf("the alias %s is %s; %s", quote(alias), to.kind, form)
		}
		c.Aliases[alias] = map[string]string{}
		for j := range to.keys {
			rule := to.keys[j].text
			if !slices.Contains(c.Refs, rule) {
				return to.keys[j].errorf("the alias %s names the rule %s, which is none of the correlation's; %s", quote(alias), quote(rule), meant(rule, c.Refs))
			}
			field, err := to.items[j].str("the field of an alias")
			if err != nil {
				return err
			}
			c.Aliases[alias][rule] = field
		}
	}
	return nil
}

func (c *Correlation) parseCondition(n *node) error {
	v, ok := n.get("condition")
	switch {
	case !ok || v.kind == nullNode:
		return nil
	case v.kind == stringNode:
		c.Condition.Expression = v.text
		return nil
	case v.kind != mapNode:
		return v.errorf("condition is %s; write a map such as gte: 10", v.kind)
	}
	for i := range v.keys {
		if err := c.parseConditionPart(&v.keys[i], &v.items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *Correlation) parseConditionPart(key, value *node) error {
	cond := &c.Condition
	var err error
	switch {
	case key.text == "field":
		cond.Fields, err = value.list("field")
		if err == nil && (len(cond.Fields) == 0 || len(cond.Fields) > maxGroupBy || slices.Contains(cond.Fields, "")) {
			err = value.errorf("field names %d fields; write one to %d, none empty", len(cond.Fields), maxGroupBy)
		}
		return err
	case key.text == "percentile":
		p, bad := readNumber(value, "percentile")
		if bad == nil && (p < 0 || p > 100) {
			bad = value.errorf("percentile is %s; write a number from 0 to 100", value.text)
		}
		cond.Percentile = &p
		return bad
	case slices.Contains(ops, key.text):
		n, bad := readNumber(value, key.text)
		cond.Bounds = append(cond.Bounds, Bound{key.text, n})
		return bad
	}
	known := append(slices.Clone(ops), "field", "percentile")
	return key.errorf("%s is not a part of a correlation's condition; %s", quote(key.text), meant(key.text, known))
}

func readNumber(n *node, what string) (float64, error) {
	v, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
	if n.kind > stringNode || n.kind == boolNode || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, n.errorf("%s is %s; write a number", what, shown(n))
	}
	return v, nil
}

func shown(n *node) string {
	if n.kind == stringNode || n.kind == numberNode {
		return quote(n.text)
	}
	return n.kind.String()
}

// checkCondition holds the condition against the type.
func (c *Correlation) checkCondition(n *node) error {
	cond := &c.Condition
	at, ok := n.get("condition")
	if !ok {
		at = n
	}
	for i, b := range cond.Bounds {
		if (c.Type == EventCount || c.Type == ValueCount) && b.Value > maxThreshold {
			return at.errorf("%s: %v is more than one window can hold; at most %d", b.Op, b.Value, maxThreshold)
		}
		for _, other := range cond.Bounds[:i] {
			if other.Op == b.Op {
				return at.errorf("%s occurs twice; write each comparison once", b.Op)
			}
		}
	}
	switch {
	case c.Type.temporal():
		return c.checkTemporal(at)
	case cond.Expression != "":
		return at.errorf("the condition of %s is %s; write a comparison such as gte: 10", c.Type, quote(cond.Expression))
	case len(cond.Bounds) == 0:
		return at.errorf("the condition of %s compares nothing; write a comparison such as gte: 10", c.Type)
	case c.Type.field() && len(cond.Fields) == 0:
		return at.errorf("the condition of %s has no field; write the field whose values it looks at", c.Type)
	case !c.Type.field() && len(cond.Fields) > 0:
		return at.errorf("%s has a field; take it away, or write value_count to count its values", c.Type)
	case cond.Percentile != nil && c.Type != ValuePercentile:
		return at.errorf("%s has a percentile; take it away, or write value_percentile", c.Type)
	}
	return c.checkNumbers(at)
}

func (c *Correlation) checkNumbers(at *node) error {
	cond := &c.Condition
	numeric := c.Type == ValueSum || c.Type == ValueAvg || c.Type == ValuePercentile && cond.Percentile != nil
	if numeric && len(cond.Fields) > 1 {
		return at.errorf("%s adds up one field and has %d; write one", c.Type, len(cond.Fields))
	}
	if c.Type == ValuePercentile && cond.Percentile == nil {
		for _, b := range cond.Bounds {
			if b.Value < 0 || b.Value > 100 {
				return at.errorf("%s: %v is no share in percent; write 0 to 100, or percentile: 50 to compare the median", b.Op, b.Value)
			}
		}
	}
	return nil
}

func (c *Correlation) checkTemporal(at *node) error {
	cond := &c.Condition
	switch {
	case len(cond.Fields) > 0 || cond.Percentile != nil:
		return at.errorf("%s looks at no field; take field and percentile away", c.Type)
	case c.Type == TemporalOrdered && len(cond.Bounds) == 1 && cond.Bounds[0] == (Bound{"eq", float64(len(c.Refs))}):
		cond.Bounds[0].Op = "gte" // all of them
		return nil
	case c.Type == TemporalOrdered && !cond.rising():
		return at.errorf("temporal_ordered asks for at least a number of rules in order; write gt or gte, or no condition for all of them")
	case cond.Expression == "":
		return nil
	}
	e, err := parseExpression(cond.Expression, c.Refs)
	if err != nil {
		return at.errorf("%v", err)
	}
	cond.expr = e
	if len(e.mentioned(false)) == 0 {
		return at.errorf("the condition asks for no rule to match; name one without not")
	}
	if _, _, ok := e.chain(); c.Type == TemporalOrdered && !ok {
		return at.errorf("the condition of temporal_ordered is rules joined by and, each with or without not; write temporal for %s", quote(cond.Expression))
	}
	return nil
}
