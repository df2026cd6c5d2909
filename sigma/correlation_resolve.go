package sigma

import "fmt"

// resolveCorrelations finds what the correlations of a collection speak of. A correlation that speaks of a rule that is
// not there, or of itself by whatever way, is taken out of the collection and is an error, as is what speaks of it.
func (c *Collection) resolveCorrelations() []*Error {
	var bad []*Error
	byID, byName := c.references()
	parents := map[*Correlation][]*Correlation{}
	open := map[*Correlation]int{} // how many correlations below are not known to be good
	for _, cor := range c.Correlations {
		if err := cor.resolve(byID, byName); err != nil {
			bad = append(bad, err)
			open[cor] = -1
			continue
		}
		for _, t := range cor.targets {
			if t.correlation != nil {
				parents[t.correlation] = append(parents[t.correlation], cor)
				open[cor]++
			}
		}
	}
	var ready []*Correlation
	for _, cor := range c.Correlations {
		if open[cor] == 0 {
			ready = append(ready, cor)
		}
	}
	good := map[*Correlation]bool{}
	for len(ready) > 0 {
		cor := ready[len(ready)-1]
		ready, good[cor] = ready[:len(ready)-1], true
		for _, p := range parents[cor] {
			if open[p]--; open[p] == 0 {
				ready = append(ready, p)
			}
		}
	}
	kept := c.Correlations[:0:0]
	for _, cor := range c.Correlations {
		switch {
		case good[cor]:
			kept = append(kept, cor)
		case open[cor] > 0:
			bad = append(bad, cor.blame(open))
		}
	}
	c.Correlations = kept
	return bad
}

// blame says why a correlation whose references all exist cannot be used: it follows one that cannot either until that
// leads to one without a rule, or back to where it was.
func (c *Correlation) blame(open map[*Correlation]int) *Error {
	path, seen := c.label(), map[*Correlation]bool{}
	at := c
	for {
		seen[at] = true
		for _, t := range at.targets {
			if t.correlation != nil && open[t.correlation] != 0 {
				at = t.correlation
				break
			}
		}
		if len(seen) <= 16 {
			path += " → " + at.label()
		}
		switch {
		case open[at] < 0:
			return c.errorf("it is about the correlation %s, which could not be loaded; mend that one first (%s)", at.label(), path)
		case seen[at]:
			return c.errorf("it leads back to itself: %s; a correlation may speak only of rules and of correlations that do not speak of it", path)
		}
	}
}

// references are the rules and correlations by id and by name. A key that two have leads nowhere.
func (c *Collection) references() (byID, byName map[string][]target) {
	byID, byName = map[string][]target{}, map[string][]target{}
	enter := func(r *Rule, t target) {
		if r.ID != "" {
			byID[r.ID] = append(byID[r.ID], t)
		}
		if r.Name != "" {
			byName[r.Name] = append(byName[r.Name], t)
		}
	}
	for _, r := range c.Rules {
		enter(r, target{rule: r})
	}
	for _, cor := range c.Correlations {
		enter(&cor.Rule, target{correlation: cor})
	}
	return byID, byName
}

func (c *Correlation) errorf(format string, args ...any) *Error {
	return &Error{File: c.File, Line: c.Line, Column: 1, Text: fmt.Sprintf("correlation %s: %s", quote(c.Title), fmt.Sprintf(format, args...))}
}

// resolve finds the targets of the correlation. A name goes to a rule of the same file first, since files of several
// makers use the same names.
func (c *Correlation) resolve(byID, byName map[string][]target) *Error {
	c.targets = c.targets[:0:0]
	for _, ref := range c.Refs {
		found := byID[ref]
		if len(found) == 0 {
			found = byName[ref]
		}
		if len(found) > 1 {
			if near := c.near(found); len(near) > 0 {
				found = near
			}
		}
		switch len(found) {
		case 0:
			return c.errorf("there is no rule with the id or name %s; load the file that has it, or give the rule that name", quote(ref))
		case 1:
			c.targets = append(c.targets, found[0])
		default:
			a, b := found[0].about(), found[1].about()
			return c.errorf("%s is the id or name of two rules, at %s:%d and %s:%d; give one of them another", quote(ref), a.File, a.Line, b.File, b.Line)
		}
	}
	return nil
}

func (c *Correlation) near(found []target) []target {
	var near []target
	for _, t := range found {
		if t.about().File == c.File {
			near = append(near, t)
		}
	}
	return near
}

func (t target) about() *Rule {
	if t.rule != nil {
		return t.rule
	}
	return &t.correlation.Rule
}

func (c *Correlation) label() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.ID != "":
		return c.ID
	}
	return quote(c.Title)
}
