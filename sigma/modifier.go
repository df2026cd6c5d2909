package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// operand is a value of a detection item on its way through the modifiers.
type operand struct {
	at       *node
	kind     atomKind
	fresh    bool // no modifier has turned it into something else
	raw      string
	patterns []pattern // isPattern: it is any of these
	atom     atom      // all other kinds
	flags    string    // of a regular expression
}

// modifier changes operands. Each stands for its name after a bar.
type modifier func(v *operand) error

// modifiers are those that act on single values. all, neq and expand act on the item as a whole.
var modifiers = map[string]modifier{
	"contains":     func(v *operand) error { return v.open("contains", true, true) },
	"startswith":   func(v *operand) error { return v.open("startswith", false, true) },
	"endswith":     func(v *operand) error { return v.open("endswith", true, false) },
	"cased":        (*operand).cased,
	"re":           (*operand).regexp,
	"i":            func(v *operand) error { return v.flag("i") },
	"m":            func(v *operand) error { return v.flag("m") },
	"s":            func(v *operand) error { return v.flag("s") },
	"exists":       (*operand).exists,
	"fieldref":     (*operand).fieldref,
	"base64":       func(v *operand) error { return v.encode("base64", encodeBase64) },
	"base64offset": func(v *operand) error { return v.encode("base64offset", encodeBase64Offset) },
	"wide":         func(v *operand) error { return v.encode("wide", encodeUTF16(binary.LittleEndian, "")) },
	"utf16le":      func(v *operand) error { return v.encode("utf16le", encodeUTF16(binary.LittleEndian, "")) },
	"utf16be":      func(v *operand) error { return v.encode("utf16be", encodeUTF16(binary.BigEndian, "")) },
	"utf16":        func(v *operand) error { return v.encode("utf16", encodeUTF16(binary.LittleEndian, "\xff\xfe")) },
	"windash":      (*operand).windash,
	"cidr":         (*operand).cidr,
	"lt":           func(v *operand) error { return v.compare("lt") },
	"lte":          func(v *operand) error { return v.compare("lte") },
	"gt":           func(v *operand) error { return v.compare("gt") },
	"gte":          func(v *operand) error { return v.compare("gte") },
	"minute":       func(v *operand) error { return v.timePart("minute") },
	"hour":         func(v *operand) error { return v.timePart("hour") },
	"day":          func(v *operand) error { return v.timePart("day") },
	"week":         func(v *operand) error { return v.timePart("week") },
	"month":        func(v *operand) error { return v.timePart("month") },
	"year":         func(v *operand) error { return v.timePart("year") },
}

// modifierNames are all modifiers, for errors.
var modifierNames = slices.Sorted(maps.Keys(func() map[string]modifier {
	m := maps.Clone(modifiers)
	m["all"], m["neq"], m["expand"] = nil, nil, nil
	return m
}()))

// text says that an operand is a text no modifier has made something else of.
func (v *operand) text(name string) error {
	if v.kind != isPattern || v.at.kind == nullNode {
		return fmt.Errorf("%s cannot be applied to %s; it takes a text", name, v.what())
	}
	return nil
}

// what is the operand in words.
func (v *operand) what() string {
	switch v.kind {
	case isRegexp:
		return "a regular expression"
	case isNetwork:
		return "a network"
	case isCompared:
		return "a comparison"
	case isThere:
		return "exists"
	case isField:
		return "the name of a field"
	}
	return v.at.kind.String()
}

func (v *operand) open(name string, before, after bool) error {
	switch v.kind {
	case isRegexp: // finds its match anywhere already
		body := "(?:" + v.raw + ")"
		if !before {
			body = `\A` + body
		}
		if !after {
			body += `\z`
		}
		v.raw = body
		return nil
	case isField:
		v.atom.before, v.atom.after = v.atom.before || before, v.atom.after || after
		return nil
	}
	if err := v.text(name); err != nil {
		return err
	}
	for i, p := range v.patterns {
		v.patterns[i] = p.open(before, after)
	}
	v.fresh = false
	return nil
}

func (v *operand) cased() error {
	if v.kind == isField {
		v.atom.cased = true
		return nil
	}
	if err := v.text("cased"); err != nil {
		return err
	}
	for i := range v.patterns {
		v.patterns[i].cased = true
	}
	return nil
}

func (v *operand) regexp() error {
	if err := v.text("re"); err != nil {
		return err
	}
	if !v.fresh {
		return fmt.Errorf("re takes the text as it is written; put it first")
	}
	v.kind = isRegexp
	return nil
}

func (v *operand) flag(f string) error {
	if v.kind != isRegexp {
		return fmt.Errorf("%s is a flag of a regular expression; write it after re", f)
	}
	if !strings.Contains(v.flags, f) {
		v.flags += f
	}
	return nil
}

func (v *operand) exists() error {
	if v.at.kind != boolNode {
		return fmt.Errorf("exists takes true or false, not %s", v.at.kind)
	}
	v.kind, v.atom = isThere, atom{kind: isThere}
	return nil
}

func (v *operand) fieldref() error {
	if err := v.text("fieldref"); err != nil {
		return err
	}
	if v.raw == "" {
		return fmt.Errorf("fieldref takes the name of a field, not an empty text")
	}
	v.kind, v.atom = isField, atom{kind: isField, other: v.raw}
	for _, p := range v.patterns { // what came before fieldref: contains, startswith, endswith, cased
		n := len(p.parts)
		v.atom.before = n > 1 && p.parts[0].kind == anyText
		v.atom.after = n > 1 && p.parts[n-1].kind == anyText
		v.atom.cased = p.cased
	}
	return nil
}

// encode replaces each pattern by its encodings.
func (v *operand) encode(name string, f func(pattern) ([]pattern, error)) error {
	if err := v.text(name); err != nil {
		return err
	}
	var out []pattern
	for _, p := range v.patterns {
		spelled, ok := p.spelled(maxSpelled)
		if !ok {
			return fmt.Errorf("%s after windash has more than %d spellings of %s; write fewer options in one text", name, maxSpelled, quote(v.raw))
		}
		for _, s := range spelled {
			enc, err := f(s)
			if err != nil {
				return fmt.Errorf("%s %w", name, err)
			}
			out = append(out, enc...)
		}
	}
	v.patterns, v.fresh = out, false
	return nil
}

// maxSpelled bounds how many texts a text with dashes is spelled as.
const maxSpelled = 125

func encodeBase64(p pattern) ([]pattern, error) {
	s, ok := p.plain()
	if !ok {
		return nil, fmt.Errorf("cannot encode a text with wildcards, since only the whole can be encoded; put contains after it, or escape the wildcard with a backslash")
	}
	out := plainPattern(base64.StdEncoding.EncodeToString([]byte(s)))
	out.cased = p.cased
	return []pattern{out}, nil
}

// encodeBase64Offset is the text as it looks in Base64 at each of the three places it may begin within a group, less
// the letters that what stands around it decides.
func encodeBase64Offset(p pattern) ([]pattern, error) {
	s, ok := p.plain()
	if !ok {
		return nil, fmt.Errorf("cannot encode a text with wildcards, since only the whole can be encoded; put contains after it, or escape the wildcard with a backslash")
	}
	var out []pattern
	for shift := range 3 {
		enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + s))
		from := []int{0, 2, 3}[shift]
		to := len(enc) - []int{0, 3, 2}[(shift+len(s))%3]
		if from >= to {
			return nil, fmt.Errorf("needs a longer text: %s is not to be told in the middle of others", quote(s))
		}
		x := plainPattern(enc[from:to])
		x.cased = p.cased
		out = append(out, x)
	}
	return out, nil
}

func encodeUTF16(order binary.AppendByteOrder, mark string) func(pattern) ([]pattern, error) {
	return func(p pattern) ([]pattern, error) {
		out := pattern{cased: p.cased}
		for i, x := range p.parts {
			switch x.kind {
			case literal:
				var b []byte
				if i == 0 {
					b = append(b, mark...)
				}
				for _, u := range utf16.Encode([]rune(x.text)) {
					b = order.AppendUint16(b, u)
				}
				x.text = string(b)
			case anyRune:
				out.add(x) // a character is two bytes, each of them a character on its own
			}
			out.add(x)
		}
		return []pattern{out}, nil
	}
}

func (v *operand) windash() error {
	if err := v.text("windash"); err != nil {
		return err
	}
	for i, p := range v.patterns {
		v.patterns[i] = p.loosened()
	}
	v.fresh = false
	return nil
}

func (v *operand) cidr() error {
	if err := v.text("cidr"); err != nil {
		return err
	}
	net, err := netip.ParsePrefix(v.raw)
	if err != nil {
		addr, e := netip.ParseAddr(v.raw)
		if e != nil || addr.Zone() != "" {
			return fmt.Errorf("cidr takes a network as 10.0.0.0/8 or 2001:db8::/32, not %s", quote(v.raw))
		}
		net = netip.PrefixFrom(addr, addr.BitLen())
	}
	if a := net.Addr(); a.Is4In6() && net.Bits() >= 96 {
		net = netip.PrefixFrom(a.Unmap(), net.Bits()-96)
	}
	v.kind, v.atom = isNetwork, atom{kind: isNetwork, networks: []netip.Prefix{net.Masked()}}
	return nil
}

// number reads the operand's number into its atom.
func (v *operand) number(name string) error {
	n, ok := parseNumber(v.raw)
	if v.at.kind != numberNode && v.at.kind != stringNode || !ok {
		return fmt.Errorf("%s takes a number, not %s", name, quote(v.raw))
	}
	v.kind, v.atom.kind, v.atom.number = isCompared, isCompared, n
	return nil
}

func (v *operand) compare(op string) error {
	if v.kind == isCompared && v.atom.op == "" { // a part of a time
		v.atom.op = op
		return nil
	}
	if err := v.text(op); err != nil {
		return err
	}
	v.atom.op = op
	return v.number(op)
}

func (v *operand) timePart(name string) error {
	if v.atom.part != noPart {
		return fmt.Errorf("%s is a second part of one time; ask for it in an item of its own", name)
	}
	v.atom.part = timeParts[name]
	if v.kind == isCompared {
		return nil
	}
	if err := v.text(name); err != nil {
		return err
	}
	return v.number(name)
}

// parseNumber reads a finite number in decimal, or a whole one in hexadecimal after 0x.
func parseNumber(s string) (float64, bool) {
	if len(s) == 0 || len(s) > 64 || s[0] > '9' || s[len(s)-1] > 'f' {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && (strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X")) {
		var u uint64
		u, err = strconv.ParseUint(s[2:], 16, 64)
		n = float64(u)
	}
	return n, err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
}

// placeholder is %name% in a text of an item with expand.
var placeholder = regexp.MustCompile(`%([\w.-]+)%`)

// expanded are the texts that a text stands for when each placeholder in it is replaced by each value of its list.
func expanded(s string, lists map[string][]string) ([]string, error) {
	m := placeholder.FindStringSubmatchIndex(s)
	if m == nil {
		return []string{s}, nil
	}
	name := s[m[2]:m[3]]
	list, ok := lists[name]
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("there is no list for the placeholder %%%s%%; give its values, one a line, in a placeholder file named %s", name, name)
	}
	rest, err := expanded(s[m[1]:], lists)
	if err != nil {
		return nil, err
	}
	if len(list)*len(rest) > MaxValues {
		return nil, fmt.Errorf("%s stands for more than %d texts; use fewer placeholders in one text or shorter lists", quote(s), MaxValues)
	}
	out := make([]string, 0, len(list)*len(rest))
	for _, v := range list {
		for _, r := range rest {
			out = append(out, s[:m[0]]+v+r)
		}
	}
	return out, nil
}
