package stix

import "strings"

// This file holds the rules on how properties of one object fit together that several types share.

// atLeastOne asks for one of these properties.
func atLeastOne(names ...string) rule {
	return func(c *checker, n int32) {
		for _, name := range names {
			if c.d.has(n, name) {
				return
			}
		}
		c.fail(n, "lacks all of "+strings.Join(names, ", ")+"; give at least one")
	}
}

// exactlyOne asks for one of two properties.
func exactlyOne(a, b string) rule {
	return func(c *checker, n int32) {
		switch hasA, hasB := c.d.has(n, a), c.d.has(n, b); {
		case hasA && hasB:
			c.failAt(n, b, "must not be given beside "+a+"; keep one")
		case !hasA && !hasB:
			c.fail(n, "has neither "+a+" nor "+b+"; give one")
		}
	}
}

// needs asks for the others where name is given.
func needs(name string, others ...string) rule {
	return func(c *checker, n int32) {
		if !c.d.has(n, name) {
			return
		}
		for _, other := range others {
			if !c.d.has(n, other) {
				c.failAt(n, other, "is required beside "+name)
			}
		}
	}
}

// notBefore asks that the later timestamp, where both are given, does not come before the earlier.
func notBefore(earlier, later string) rule {
	return func(c *checker, n int32) {
		a, b, ok := c.moments(n, earlier, later)
		if ok && b.before(a) {
			c.failAt(n, later, "is "+b.Text+"; must not be before "+earlier+", "+a.Text)
		}
	}
}

// after asks that the later timestamp, where both are given, comes after the earlier.
func after(earlier, later string) rule {
	return func(c *checker, n int32) {
		a, b, ok := c.moments(n, earlier, later)
		if ok && !a.before(b) {
			c.failAt(n, later, "is "+b.Text+"; must be after "+earlier+", "+a.Text)
		}
	}
}

func (c *checker) moments(n int32, first, second string) (a, b Timestamp, ok bool) {
	a, whyA := parseTimestamp(c.d.textOf(n, first))
	b, whyB := parseTimestamp(c.d.textOf(n, second))
	return a, b, whyA == "" && whyB == ""
}

// whenPlain runs a check on a member, unless the observable says that its values are defanged.
func whenPlain(name string, k check) rule {
	return func(c *checker, n int32) {
		v := c.d.get(n, name)
		if v < 0 || c.d.isTrue(n, "defanged") {
			return
		}
		back := c.enter(name)
		k(c, v)
		c.path = c.path[:back]
	}
}
