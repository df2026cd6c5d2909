package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// Filter narrows rules: each of the rules it names matches only where the filter's condition does as well, (rule) and
// (condition). To keep known harmless events from a rule, its condition is "not selection".
type Filter struct {
	Rule // its title, id, log source and so on

	// Refs are the rules it narrows, as written: ids or names. Empty when Any is set.
	Refs []string
	// Any says that it narrows every rule whose log source its own covers.
	Any bool

	applied map[*Rule]bool
}

// parseFilter reads a document that has a filter.
func parseFilter(doc node, o *LoadOptions) (*Filter, error) {
	f := &Filter{applied: map[*Rule]bool{}}
	f.Line = doc.line
	err := parseHeader(&doc, &f.Rule)
	if err != nil {
		return nil, err
	}
	if f.LogSource, err = parseLogSource(&doc); err != nil {
		return nil, err
	}
	n, _ := doc.get("filter")
	if n.kind != mapNode {
		return nil, n.errorf("filter is %s; write a map with rules, selection and condition", n.kind)
	}
	if err := f.parseRefs(n); err != nil {
		return nil, err
	}
	rest := without(*n, "rules")
	if _, ok := rest.get("condition"); !ok {
		return nil, n.errorf("the filter has no condition; write condition: not selection to keep what is selected from the rules")
	}
	s, err := parseSearches(&rest, o)
	if err != nil {
		return nil, err
	}
	f.match, err = s.condition()
	return f, err
}

func (f *Filter) parseRefs(n *node) error {
	const form = "write the ids or names of the rules it narrows, or any"
	v, ok := n.get("rules")
	if !ok {
		return n.errorf("the filter has no rules; %s", form)
	}
	list, err := v.list("rules")
	if err != nil {
		return err
	}
	if len(list) == 0 || slices.Contains(list, "") {
		return v.errorf("the filter's rules are empty; %s", form)
	}
	if slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, "any") }) {
		if len(list) > 1 {
			return v.errorf("rules has any beside others; write any alone, or the rules")
		}
		f.Any = true
		return nil
	}
	f.Refs = list
	return nil
}

func (f *Filter) errorf(format string, args ...any) *Error {
	return &Error{File: f.File, Line: f.Line, Column: 1, Text: fmt.Sprintf("filter %s: %s", quote(f.Title), fmt.Sprintf(format, args...))}
}

// covers says whether a rule's log source is the filter's or a part of it.
func (f *Filter) covers(r *Rule) bool {
	a, b := f.LogSource, r.LogSource
	return (a.Product == "" || a.Product == b.Product) && (a.Category == "" || a.Category == b.Category) && (a.Service == "" || a.Service == b.Service)
}

// apply narrows a rule, once.
func (f *Filter) apply(r *Rule) {
	if !f.applied[r] {
		f.applied[r] = true
		r.match = newClause(allOf, r.match, f.match)
	}
}

// applyFilters narrows the rules of a collection by its filters. What a filter names and cannot narrow is an error; the
// rest of it counts.
func (c *Collection) applyFilters() []*Error {
	if len(c.Filters) == 0 {
		return nil
	}
	var bad []*Error
	byID, byName := c.references()
	for _, f := range c.Filters {
		if f.Any {
			for _, r := range c.Rules {
				if f.covers(r) {
					f.apply(r)
				}
			}
			continue
		}
		for _, ref := range f.Refs {
			found := byID[ref]
			if len(found) == 0 {
				found = byName[ref]
			}
			if err := f.narrow(ref, found); err != nil {
				bad = append(bad, err)
			}
		}
	}
	return bad
}

// narrow applies the filter to what one of its references leads to.
func (f *Filter) narrow(ref string, found []target) *Error {
	if len(found) == 0 {
		return f.errorf("there is no rule with the id or name %s; load the file that has it, or take it off the filter's rules", quote(ref))
	}
	for _, t := range found {
		switch {
		case t.rule == nil:
			return f.errorf("%s is a correlation; name the rules that it is about", quote(ref))
		case !f.covers(t.rule):
			return f.errorf("it is for another log source than the rule %s; give it the rule's logsource, or a part of it", quote(t.rule.Title))
		}
		f.apply(t.rule)
	}
	return nil
}

// link binds what a collection's documents say of each other: filters to rules, correlations to what they are about.
// Doing it again changes nothing.
func (c *Collection) link() []*Error {
	return append(c.applyFilters(), c.resolveCorrelations()...)
}
