package stix

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// This file holds the checks of the standard's data types (STIX 2.1, part 2).

func text(c *checker, n int32) {
	if c.d.kind(n) != '"' {
		c.fail(n, "must be a string")
	}
}

func boolean(c *checker, n int32) {
	if k := c.d.kind(n); k != 't' && k != 'f' {
		c.fail(n, "must be true or false")
	}
}

func number(c *checker, n int32) {
	if c.d.kind(n) != '0' {
		c.fail(n, "must be a number")
	}
}

// maxInteger is the largest integer of STIX, and -maxInteger the smallest.
const maxInteger = 1<<53 - 1

func integer(c *checker, n int32) { c.integer(n, -maxInteger, maxInteger) }

func (c *checker) integer(n int32, low, high int64) {
	if c.d.kind(n) != '0' {
		c.fail(n, "must be an integer")
		return
	}
	i, err := strconv.ParseInt(c.d.raw(n), 10, 64)
	switch {
	case err != nil && strings.ContainsAny(c.d.raw(n), ".eE"):
		c.fail(n, "must be an integer, written without fraction and exponent")
	case err != nil || i < low || i > high:
		c.failf(n, "is %s; must be from %d to %d", shorten(c.d.raw(n)), low, high)
	}
}

func between(low, high int64) check { return func(c *checker, n int32) { c.integer(n, low, high) } }

// degrees is a number within -limit to limit.
func degrees(limit float64) check {
	return func(c *checker, n int32) {
		if c.d.kind(n) != '0' {
			c.fail(n, "must be a number")
			return
		}
		if f, err := strconv.ParseFloat(c.d.raw(n), 64); err != nil || math.Abs(f) > limit {
			c.failf(n, "is %s; must be from -%v to %v", shorten(c.d.raw(n)), limit, limit)
		}
	}
}

func timestamp(c *checker, n int32) {
	if c.d.kind(n) != '"' {
		c.fail(n, "must be a timestamp, a string; "+timestampForm)
		return
	}
	if _, why := parseTimestamp(c.d.string(n)); why != "" {
		c.fail(n, why)
		return
	}
	c.d.nodes[n].instant = true
}

func enum(words ...string) check {
	return func(c *checker, n int32) {
		switch {
		case c.d.kind(n) != '"':
			c.fail(n, "must be a string")
		case !slices.Contains(words, c.d.string(n)):
			c.failf(n, "is %s; must be %s", quoted(c.d.string(n)), oneOf(words))
		}
	}
}

// open is a string that should be a word of a vocabulary; another word is worth a hint.
func open(vocabulary []string) check {
	return func(c *checker, n int32) {
		text(c, n)
		if c.hints && c.d.kind(n) == '"' && !slices.Contains(vocabulary, c.d.string(n)) {
			c.failf(n, "is %s, a word of one's own; the standard knows %s", quoted(c.d.string(n)), oneOf(vocabulary))
		}
	}
}

func list(item check) check {
	return func(c *checker, n int32) {
		switch {
		case c.d.kind(n) != '[':
			c.fail(n, "must be a list")
			return
		case c.d.empty(n):
			c.fail(n, "must not be an empty list; leave it out")
			return
		}
		for i, v := range c.d.items(n) {
			back := c.enterItem(i)
			item(c, v)
			c.path = c.path[:back]
		}
	}
}

var texts = list(text)

// object is a nested object of that shape.
func object(s shape) check { return func(c *checker, n int32) { c.shape(n, &s) } }

// dictionary has keys of one's own; each value must pass the check.
func dictionary(value check) check {
	return func(c *checker, n int32) {
		if !c.isObject(n) {
			return
		}
		for key, v := range c.d.members(n) {
			back := c.enter(key)
			if !validKey(key) {
				c.fail(v, "is not a key of a dictionary; write at most 250 of a-z, A-Z, 0-9, _ and -")
			} else {
				value(c, v)
			}
			c.path = c.path[:back]
		}
	}
}

func validKey(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return s != "" && len(s) <= 250
}

// anything is any value but null and an empty list.
func anything(c *checker, n int32) {
	switch {
	case c.d.kind(n) == 'n':
		c.fail(n, "must not be null; leave it out")
	case c.d.kind(n) == '[' && c.d.empty(n):
		c.fail(n, "must not be an empty list; leave it out")
	}
}

// either passes a value that is a string or, if not, passes the other check.
func textOr(other check) check {
	return func(c *checker, n int32) {
		if c.d.kind(n) != '"' {
			other(c, n)
		}
	}
}

// textWith is a string for which wrong returns no complaint.
func textWith(wrong func(s string) string) check {
	return func(c *checker, n int32) {
		if c.d.kind(n) != '"' {
			c.fail(n, "must be a string")
			return
		}
		if why := wrong(c.d.string(n)); why != "" {
			c.fail(n, why)
		}
	}
}

// hexadecimal is an even number of hexadecimal digits. Capitals are worth a hint: the standard's rule excludes them, and
// its own examples and schemas use and allow them.
func hexadecimal(c *checker, n int32) {
	if c.d.kind(n) != '"' {
		c.fail(n, "must be a string")
		return
	}
	switch s := c.d.string(n); {
	case s == "" || len(s)%2 != 0 || !allHex(s):
		c.fail(n, "must be an even number of hexadecimal digits")
	case c.hints && s != strings.ToLower(s):
		c.fail(n, "should be in lower case")
	}
}

func allHex(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// binary is base64 with its padding (RFC 4648).
var binary = textWith(func(s string) string {
	body := strings.TrimRight(s, "=")
	bad := strings.IndexFunc(body, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '+' || r == '/')
	})
	if s == "" || bad >= 0 || len(s)%4 != 0 || len(s)-len(body) > 2 {
		return "must be base64 with padding (RFC 4648)"
	}
	return ""
})

// identifier refers to an object of one of these types, or of any type when none is named.
// Types of one's own are taken where the standard lets custom objects stand in.
func identifier(types ...string) check {
	return func(c *checker, n int32) {
		if typ, ok := c.reference(n); ok && typ != "" && len(types) > 0 && !slices.Contains(types, typ) {
			c.failf(n, "refers to %s; must refer to %s", typ, oneOf(types))
		}
	}
}

// identifierNot refers to an object of any type but these.
func identifierNot(types ...string) check {
	return func(c *checker, n int32) {
		if typ, ok := c.reference(n); ok && slices.Contains(types, typ) {
			c.failf(n, "refers to %s, which it must not", typ)
		}
	}
}

// reference reads an identifier and reports one that is none. Within the deprecated objects of an observed-data a
// reference is a key of that dictionary, and its type is "".
func (c *checker) reference(n int32) (typ string, ok bool) {
	if c.d.kind(n) != '"' {
		c.fail(n, "must be an identifier, a string")
		return "", false
	}
	id := c.d.string(n)
	if typ = TypeOf(id); typ != "" {
		return typ, true
	}
	if c.nested {
		if !c.d.has(c.container, id) {
			c.fail(n, "refers to nothing ("+quoted(id)+"); write the key of an object in the same dictionary")
		}
		return "", false
	}
	c.fail(n, wrongID(id))
	return "", false
}

// hashes is the dictionary of hashes by algorithm.
var hashes = dictionary(text).and(func(c *checker, n int32) {
	for name, v := range c.d.members(n) {
		if c.d.kind(v) != '"' {
			continue // reported as no string
		}
		why := wrongHash(name, c.d.string(v))
		if len(name) < 3 {
			why = "is not the name of an algorithm; write 3 characters or more, such as SHA-256"
		}
		if why != "" {
			back := c.enter(name)
			c.fail(v, why)
			c.path = c.path[:back]
		}
	}
})

func (k check) and(more check) check {
	return func(c *checker, n int32) {
		k(c, n)
		more(c, n)
	}
}

// hashDigits is the length of each hash of the standard that is written in hexadecimal.
var hashDigits = map[string]int{"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64, "SHA3-512": 128}

func wrongHash(algorithm, s string) string {
	if want := hashDigits[algorithm]; want > 0 {
		if len(s) != want || !allHex(s) {
			return fmt.Sprintf("must be %d hexadecimal digits", want)
		}
		return ""
	}
	switch algorithm {
	case "SSDEEP":
		if !wordOf(s, "/+:.", 1, 128+32) {
			return "must be an SSDEEP hash, size:chunk:chunk"
		}
	case "TLSH":
		if h := strings.TrimPrefix(s, "T1"); !wordOf(s, "", 70, 72) || len(h) != 70 || !allHex(h) {
			return "must be a TLSH hash: 70 hexadecimal digits, T1 before them or not"
		}
	}
	return ""
}

// wordOf tells whether s has low to high ASCII letters, digits and characters of also.
func wordOf(s, also string, low, high int) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(also, c) >= 0) {
			return false
		}
	}
	return len(s) >= low && len(s) <= high
}

// language is a language code (RFC 5646).
var language = textWith(wrongLanguage)

func wrongLanguage(s string) string {
	for i, part := range strings.Split(s, "-") {
		if !wordOf(part, "", 1, 8) || i == 0 && (len(part) == 1 && part != "x" && part != "i" || strings.ContainsAny(part, "0123456789")) {
			return "is not a language code (" + quoted(s) + "); write one of RFC 5646, such as en or nl-BE"
		}
	}
	return ""
}

// web is a URL by RFC 3986.
var web = textWith(wrongURL)

func wrongURL(s string) string {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || rest == "" || !validScheme(scheme) {
		return "is not a URL (" + quoted(s) + "); write one with its scheme, such as https://"
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return fmt.Sprintf("is not a URL by RFC 3986: the character at byte %d must be percent-encoded", i)
		case c == '%' && (i+2 >= len(s) || !allHex(s[i+1:i+3])):
			return "is not a URL by RFC 3986: % must be followed by two hexadecimal digits"
		}
	}
	return ""
}

func validScheme(s string) bool {
	return s != "" && !strings.ContainsAny(s[:1], "0123456789+-.") && wordOf(s, "+-.", 1, 64)
}

// charset is the name of a character set of IANA's registry.
var charset = textWith(func(s string) string {
	if !wordOf(s, "/.+_:-()", 2, 250) {
		return "is not the name of a character set (" + quoted(s) + "); write IANA's, such as UTF-8"
	}
	return ""
})

// mediaType is a string that should be a media type of IANA's registry; another one is worth a hint.
func mediaType(c *checker, n int32) {
	text(c, n)
	if !c.hints || c.d.kind(n) != '"' {
		return
	}
	top, sub, _ := strings.Cut(c.d.string(n), "/")
	sub, _, _ = strings.Cut(sub, ";")
	if !slices.Contains(mediaTypes, top) || !wordOf(strings.TrimSpace(sub), "!#$&-^_.+", 1, 127) {
		c.fail(n, "is not a media type ("+quoted(c.d.string(n))+"); write one such as application/pdf")
	}
}

// toTheSecond is a timestamp without fraction.
func toTheSecond(c *checker, n int32) {
	timestamp(c, n)
	if c.d.nodes[n].instant && strings.Contains(c.d.string(n), ".") {
		c.fail(n, "must be precise to the second; write it without fraction")
	}
}

// toTheMillisecond is a timestamp that should have three digits of fraction or more; fewer are worth a hint, since
// many producers write none and mean no harm.
func toTheMillisecond(c *checker, n int32) {
	timestamp(c, n)
	if c.hints && c.d.nodes[n].instant && len(c.d.string(n)) < len("2006-01-02T15:04:05.000Z") {
		c.fail(n, "should be precise to the millisecond; "+timestampForm)
	}
}

var mediaTypes = []string{"application", "audio", "font", "image", "message", "model", "multipart", "text", "video"}

// forbidden is a property that must not be there.
func forbidden(why string) check { return func(c *checker, n int32) { c.fail(n, why) } }
