package stix

import (
	"strconv"
	"strings"
)

// Granular is a mark or a language that holds for parts of an object.
type Granular struct {
	Selectors  []string
	MarkingRef string // "" where a language is given
	Lang       string // "" where a mark is given
}

var granularMarking = shape{
	props: props{
		"selectors": list(text), "marking_ref": identifier("marking-definition"), "lang": language,
	},
	required: []string{"selectors"},
	rules:    []rule{exactlyOne("marking_ref", "lang")},
}

// selectors checks that every selector of granular_markings selects something of object n.
func selectors(c *checker, n int32) {
	marks := c.d.get(n, "granular_markings")
	if c.d.kind(marks) != '[' {
		return
	}
	back := c.enter("granular_markings")
	for i, mark := range c.d.items(marks) {
		inMark := c.enterItem(i)
		inList := c.enter("selectors")
		for k, s := range c.d.items(c.d.get(mark, "selectors")) {
			if c.d.kind(s) != '"' {
				continue // reported as no string
			}
			inItem := c.enterItem(k)
			if why := c.d.wrongSelector(n, c.d.string(s)); why != "" {
				c.fail(s, why)
			}
			c.path = c.path[:inItem]
		}
		c.path = c.path[:inList]
		c.path = c.path[:inMark]
	}
	c.path = c.path[:back]
}

// wrongSelector says why selector s selects nothing of object n, or "".
func (d *document) wrongSelector(n int32, s string) string {
	at := n
	for part := range strings.SplitSeq(s, ".") {
		index, isItem := strings.CutPrefix(part, "[")
		switch {
		case isItem:
			at = d.item(at, index)
		case !validKey(part):
			return "is not a selector (" + quoted(s) + "); write property names and list positions, as in external_references.[0].url"
		default:
			at = d.get(at, part)
		}
		if at < 0 {
			return "selects nothing (" + quoted(s) + "); name a property that the object has"
		}
	}
	return ""
}

// item is the element of list n that "3]" names, or -1.
func (d *document) item(n int32, index string) int32 {
	digitsOnly, closed := strings.CutSuffix(index, "]")
	want, err := strconv.ParseUint(digitsOnly, 10, 31)
	if !closed || err != nil {
		return -1
	}
	for i, v := range d.items(n) {
		if uint64(i) == want {
			return v
		}
	}
	return -1
}
