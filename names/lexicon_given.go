package names

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// role is the part that a form plays in a group of given names.
type role uint8

// The roles: a full form, a nickname, and a relative in another language that few would take for the same name.
const (
	roleForm role = iota
	roleNick
	roleWeak
)

// givenGroup is one given name in all its forms.
type givenGroup struct {
	forms []string // Latin, the usual one first
}

// givenRole says that a word is a form of a group.
type givenRole struct {
	group uint16
	role  role
}

// givenStrength is how sure it is that two forms are one given name, by their roles.
var givenStrength = [3][3]float64{
	roleForm: {roleForm: 0.95, roleNick: 0.8, roleWeak: 0.5},
	roleNick: {roleForm: 0.8, roleNick: 0.7, roleWeak: 0.4},
	roleWeak: {roleForm: 0.5, roleNick: 0.4, roleWeak: 0.4},
}

// sameGivenName says whether two folded words (Latin, or a given name in Arabic letters) are forms of one given name
// (variants across languages, nicknames): 0 when not, else how sure that is, up to 1. It is symmetric and does not
// allocate.
func sameGivenName(a, b string) float64 {
	l := tables()
	as := l.given[a]
	if len(as) == 0 {
		return 0
	}
	best := 0.0
	for _, y := range l.given[b] {
		for _, x := range as {
			if x.group == y.group {
				best = max(best, givenStrength[x.role][y.role])
			}
		}
	}
	if best > 0 && a == b {
		return 1
	}
	return best
}

// givenReadings are the Latin forms of a given name in Arabic letters (folded), the usual one first; nil when the table
// does not have it. Arabic writing leaves vowels out, so no rule finds them. They must not be changed.
func givenReadings(native string) []string { return tables().native[native] }

// givenNames reads the groups: forms, nicknames, weak relatives (between |, "-" for none), forms in Arabic letters.
func (c *compiler) givenNames() error {
	rows, err := lexiconTable("given.tsv")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if len(r.fields) < 1 || len(r.fields) > 4 {
			return fmt.Errorf("%s: %d fields; forms, nicknames, relatives, native forms would be right", r.at, len(r.fields))
		}
		g := uint16(len(c.groups))
		c.groups = append(c.groups, givenGroup{})
		for i, field := range r.fields {
			if field == "-" {
				continue
			}
			for _, form := range strings.Split(field, "|") {
				c.givenForm(form, g, i)
			}
		}
	}
	return nil
}

// givenForm adds a form of the group g out of the i-th field of a row.
func (c *compiler) givenForm(form string, g uint16, i int) {
	kind := role(i)
	if i == 3 {
		kind = roleForm
	}
	for _, words := range spellings(form) {
		word := strings.Join(words, "")
		if slices.ContainsFunc(c.given[word], func(old givenRole) bool { return old.group == g }) {
			continue // the closer part comes first
		}
		c.given[word] = append(c.given[word], givenRole{g, kind})
		first, _ := utf8.DecodeRuneInString(word)
		switch {
		case i == 0:
			c.groups[g].forms = append(c.groups[g].forms, word)
		case i == 3 && unicode.Is(unicode.Arabic, first):
			c.native[word] = mergeForms(c.native[word], c.groups[g].forms)
		}
	}
}

// maxNative bounds the readings of a native form.
const maxNative = 9

// mergeForms is the first of each in turn, then the next, up to [maxNative], so that no group of a form goes under.
func mergeForms(old, more []string) []string {
	var all []string
	for i := 0; len(all) < maxNative && (i < len(old) || i < len(more)); i++ {
		for _, list := range [][]string{old, more} {
			if i < len(list) && len(all) < maxNative {
				all = append(all, list[i])
			}
		}
	}
	return all
}

// commonWords reads the common words: tradition, class, words. All forms of a given name get the class of its most
// common one.
func (c *compiler) commonWords() error {
	rows, err := lexiconTable("common.tsv")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if len(r.fields) != 3 {
			return fmt.Errorf("%s: %d fields; tradition, class and words would be right", r.at, len(r.fields))
		}
		class, err := strconv.Atoi(r.fields[1])
		if err != nil || class < 1 || class >= len(commonClasses) {
			return fmt.Errorf("%s: class %q; 1 to %d would be right", r.at, r.fields[1], len(commonClasses)-1)
		}
		for _, w := range strings.Fields(r.fields[2]) {
			c.commonAs(w, uint8(class))
			for _, g := range c.given[w] {
				if g.role != roleForm {
					continue
				}
				for _, f := range c.groups[g.group].forms {
					c.commonAs(f, uint8(class))
				}
			}
		}
	}
	return nil
}

// commonAs gives a word a class, unless it is known to be more common.
func (c *compiler) commonAs(w string, class uint8) {
	if old := c.common[w]; old == 0 || class < old {
		c.common[w] = class
	}
}
