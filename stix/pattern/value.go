package pattern

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nodeKind is the type of a value in observed data.
type nodeKind uint8

const (
	isNull nodeKind = iota
	isBool
	isInt
	isFloat
	isText
	isList
	isObject
)

// node is one value in observed data. Of the fields only those of its kind say anything.
type node struct {
	kind  nodeKind
	yes   bool
	whole int64
	float float64
	text  string
	list  []node
	keys  []member
}

// member is a property of an object.
type member struct {
	name  string
	value node
}

// get is the value of a property, nil if there is none.
func (n *node) get(name string) *node {
	for i := range n.keys {
		if n.keys[i].name == name {
			return &n.keys[i].value
		}
	}
	return nil
}

// coding is how a text stands for bytes. STIX says it by the end of the property's name.
type coding uint8

const (
	plain    coding = iota
	asHex           // …_hex
	asBase64        // …_bin
)

func codingOf(property string) coding {
	switch {
	case strings.HasSuffix(property, "_hex"):
		return asHex
	case strings.HasSuffix(property, "_bin"):
		return asBase64
	}
	return plain
}

// bytesOf are the bytes that a text of this coding stands for; false when it does not.
func bytesOf(text string, c coding) (string, bool) {
	var b []byte
	var err error
	switch c {
	case asHex:
		b, err = hex.DecodeString(text)
	case asBase64:
		b, err = base64.StdEncoding.DecodeString(text)
	default:
		return "", false
	}
	return string(b), err == nil
}

// octets reads every character of a text as one byte; false when one is above U+00FF.
func octets(text string) (string, bool) {
	if isASCII(text) {
		return text, true
	}
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

// characters is the inverse of octets: every byte as one character.
func characters(bytes string) string {
	if isASCII(bytes) {
		return bytes
	}
	b := make([]byte, 0, 2*len(bytes))
	for i := range len(bytes) {
		b = utf8.AppendRune(b, rune(bytes[i]))
	}
	return string(b)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// normal is the text in Unicode normal form C.
func normal(s string) string {
	if isASCII(s) {
		return s
	}
	return norm.NFC.String(s)
}

// constant is a literal made ready to be compared.
type constant struct {
	kind  LiteralKind
	text  string // of a String as written; of Hex and Binary the bytes
	bytes string // of a String its characters as bytes, when they fit
	fits  bool
	yes   bool
	whole int64
	float float64
	exact bool // an Int that fits whole
	time  time.Time
}

func constantOf(l Literal) (c constant, problem string) {
	c.kind, c.text = l.Kind, l.Text
	switch l.Kind {
	case String:
		c.bytes, c.fits = octets(l.Text)
	case Bool:
		c.yes, _ = l.Bool()
	case Int, Float:
		c.whole, c.exact = l.Int()
		var ok bool
		if c.float, ok = l.Float(); !ok {
			return c, "the number " + l.Text + " is beyond what a computer counts with; write one below 10^308"
		}
	case Timestamp:
		var ok bool
		if c.time, ok = l.Time(); !ok {
			return c, "no calendar has the day of " + l.String()
		}
	case Hex, Binary:
		b, ok := l.Bytes()
		if !ok {
			return c, l.String() + " cannot be read as bytes"
		}
		c.text = string(b)
	}
	return c, ""
}

// order is the outcome of a comparison; apart when the two are of types that do not compare.
type order int8

const (
	less    order = -1
	same    order = 0
	greater order = 1
	apart   order = 2
)

// compare orders a value of the data against a constant. badTime says that a text was compared with a timestamp and is
// none.
func (c *constant) compare(n *node, enc coding) (o order, badTime bool) {
	switch n.kind {
	case isBool:
		if c.kind == Bool {
			return sameIf(n.yes == c.yes), false
		}
	case isInt, isFloat:
		if c.kind == Int || c.kind == Float {
			return c.compareNumber(n), false
		}
	case isText:
		return c.compareText(n.text, enc)
	}
	return apart, false
}

func sameIf(equal bool) order {
	if equal {
		return same
	}
	return apart
}

func (c *constant) compareNumber(n *node) order {
	switch {
	case n.kind == isInt && c.exact:
		return orderOf(n.whole < c.whole, n.whole == c.whole)
	case n.kind == isInt:
		return compareMixed(n.whole, c.float)
	case c.exact:
		return -compareMixed(c.whole, n.float)
	}
	return orderOf(n.float < c.float, n.float == c.float)
}

// compareMixed orders a whole number against a decimal one without rounding either.
func compareMixed(whole int64, float float64) order {
	const exactly = 1 << 53
	if whole >= -exactly && whole <= exactly || math.IsInf(float, 0) {
		return orderOf(float64(whole) < float, float64(whole) == float)
	}
	return order(new(big.Float).SetInt64(whole).Cmp(big.NewFloat(float)))
}

func orderOf(isLess, isSame bool) order {
	switch {
	case isLess:
		return less
	case isSame:
		return same
	}
	return greater
}

func (c *constant) compareText(text string, enc coding) (o order, badTime bool) {
	switch c.kind {
	case String:
		if bytes, ok := bytesOf(text, enc); ok {
			if !c.fits {
				return apart, false
			}
			return order(strings.Compare(bytes, c.bytes)), false
		}
		return order(strings.Compare(text, c.text)), false
	case Hex, Binary:
		bytes, ok := bytesOf(text, enc)
		if !ok {
			bytes, ok = octets(text)
		}
		if !ok {
			return apart, false
		}
		return order(strings.Compare(bytes, c.text)), false
	case Timestamp:
		t, ok := instant(text)
		if !ok {
			return apart, true
		}
		return order(t.Compare(c.time)), false
	}
	return apart, false
}

// equal says whether a value is the constant. Bytes that are written as a text are also equal to a String that is
// written the same way: file:magic_number_hex = 'ffd8'.
func (c *constant) equal(n *node, enc coding) (yes, badTime bool) {
	o, bad := c.compare(n, enc)
	if o == same {
		return true, bad
	}
	if c.kind == String && n.kind == isText {
		switch enc {
		case asHex:
			return strings.EqualFold(n.text, c.text), bad
		case asBase64:
			return n.text == c.text, bad
		}
	}
	return false, bad
}

// instant reads a timestamp of STIX.
func instant(text string) (time.Time, bool) {
	if malformed(Timestamp, text) != "" {
		return time.Time{}, false
	}
	return Literal{Timestamp, text}.Time()
}

// network reads an address or a subnet in CIDR notation; an address is the subnet that holds it alone.
func network(text string) (netip.Prefix, bool) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p, err == nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// within says whether every address of a is one of b.
func within(a, b netip.Prefix) bool {
	return a.Bits() >= b.Bits() && a.Addr().BitLen() == b.Addr().BitLen() && b.Contains(a.Addr())
}

// glob is the operand of LIKE: % stands for any characters, _ for one.
type glob struct{ runes []rune }

func globOf(text string) glob { return glob{[]rune(normal(text))} }

// match tries a text that is in normal form. It takes len(text) × len(glob) steps at most.
func (g glob) match(text string) bool {
	p, star := 0, -1
	at, back := 0, 0
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		switch {
		case p < len(g.runes) && g.runes[p] == '%':
			star, back = p, at
			p++
		case p < len(g.runes) && (g.runes[p] == '_' || g.runes[p] == r):
			p++
			at += size
		case star >= 0:
			_, skip := utf8.DecodeRuneInString(text[back:])
			back += skip
			p, at = star+1, back
		default:
			return false
		}
	}
	for p < len(g.runes) && g.runes[p] == '%' {
		p++
	}
	return p == len(g.runes)
}

// literals are the texts that everything that matches holds, in order.
func (g glob) literals() []string {
	return strings.FieldsFunc(string(g.runes), func(r rune) bool { return r == '%' || r == '_' })
}

// written is a text, number or truth value as it is written; false of other values.
func (n *node) written() (string, bool) {
	switch n.kind {
	case isText:
		return n.text, true
	case isInt:
		return strconv.FormatInt(n.whole, 10), true
	case isFloat:
		return strconv.FormatFloat(n.float, 'g', -1, 64), true
	case isBool:
		return strconv.FormatBool(n.yes), true
	}
	return "", false
}
