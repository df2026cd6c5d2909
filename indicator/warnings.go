package indicator

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/gaissmai/bart"
)

// Warning says that a value should not become a block, and why.
type Warning struct {
	List    string // name of the list
	Reason  string // what the list is about
	Matched string // the entry of the list
}

// Matching is how the entries of a list are compared.
type Matching string

// The ways of comparing. They are those of MISP warning lists.
const (
	MatchString    Matching = "string"    // the whole value; an entry that starts with a dot as hostname
	MatchHostname  Matching = "hostname"  // a name, the names below it, and the parents that would take it along
	MatchCIDR      Matching = "cidr"      // addresses and blocks that overlap
	MatchSubstring Matching = "substring" // a part of the value
	MatchRegex     Matching = "regex"     // an expression in RE2 syntax, with or without /…/i around
)

// List is a list of values that should not be blocked.
type List struct {
	Name     string
	Reason   string // for the person who reads the warning
	Matching Matching
	Kinds    []Kind // to which kinds it applies; empty: to all
	Entries  []string
}

// Warnings knows lists of values that must never become blocks. It is filled first and then only read: Check may be
// called by many goroutines once no Add is under way.
type Warnings struct {
	lists    []listInfo
	values   index               // whole values
	names    index               // names that cover what is below them
	parents  index               // names that would take a listed name along
	networks bart.Table[[]int32] // every prefix with the lists that name it
	special  []special           // lists of substrings and expressions
}

type listInfo struct {
	name, reason string
	kinds        []Kind
}

func (l listInfo) covers(kind Kind) bool { return len(l.kinds) == 0 || slices.Contains(l.kinds, kind) }

// special is a list that has to be walked.
type special struct {
	list    int32
	parts   map[string][]string // by their first gram bytes
	short   []string            // parts that are shorter
	regexps []*regexp.Regexp
}

// gram is the length of the key under which substrings are kept.
const gram = 4

func (s *special) addPart(part string) {
	if len(part) < gram {
		s.short = append(s.short, part)
		return
	}
	if s.parts == nil {
		s.parts = map[string][]string{}
	}
	s.parts[part[:gram]] = append(s.parts[part[:gram]], part)
}

// find is the first entry that matches a value, lower being the value in lower case; "" if none does.
func (s *special) find(value, lower string) string {
	for i := 0; s.parts != nil && i+gram <= len(lower); i++ {
		for _, part := range s.parts[lower[i:i+gram]] {
			if strings.HasPrefix(lower[i:], part) {
				return part
			}
		}
	}
	for _, part := range s.short {
		if strings.Contains(lower, part) {
			return part
		}
	}
	for _, re := range s.regexps {
		if re.MatchString(value) {
			return re.String()
		}
	}
	return ""
}

// index maps a text to the lists that name it, in little memory: a million entries are usual.
type index struct {
	first map[string]int32
	all   []posting
}

// posting is one list that names a text; next is the one before, or -1.
type posting struct {
	list, next int32
	entry      string // the entry, where it is not the text itself
}

func (x *index) add(text, entry string, list int32) {
	if x.first == nil {
		x.first = map[string]int32{}
	}
	next, ok := x.first[text]
	if !ok {
		next = -1
	} else if x.all[next].list == list {
		return
	}
	if entry == text {
		entry = ""
	}
	x.all = append(x.all, posting{list, next, entry})
	x.first[text] = int32(len(x.all) - 1)
}

// each calls fn for the lists that name a text.
func (x *index) each(text string, fn func(list int32, entry string)) {
	at, ok := x.first[text]
	for ok && at >= 0 {
		p := x.all[at]
		entry := p.entry
		if entry == "" {
			entry = text
		}
		fn(p.list, entry)
		at = p.next
	}
}

// Add adds a list. Entries that do not fit its way of matching are left out and told in the error, which joins one text
// for each; the others are in force. An unknown way of matching adds nothing.
func (w *Warnings) Add(l List) error {
	switch l.Matching {
	case MatchString, MatchHostname, MatchCIDR, MatchSubstring, MatchRegex:
	default:
		return fmt.Errorf("list %s: %q is no way of matching; use string, hostname, cidr, substring or regex", show(l.Name), string(l.Matching))
	}
	w.lists = append(w.lists, listInfo{l.Name, l.Reason, l.Kinds})
	id := int32(len(w.lists) - 1)
	var walk special
	var left leftOut
	for _, entry := range l.Entries {
		if err := w.addEntry(l, id, strings.TrimSpace(entry), &walk); err != nil {
			left.add(entry, err)
		}
	}
	if l.Matching == MatchSubstring || l.Matching == MatchRegex {
		walk.list = id
		w.special = append(w.special, walk)
	}
	return left.err(l.Name)
}

func (w *Warnings) addEntry(l List, id int32, entry string, walk *special) error {
	if entry == "" {
		return nil
	}
	switch l.Matching {
	case MatchSubstring:
		walk.addPart(strings.ToLower(entry))
	case MatchRegex:
		expression := stripDelimiters(entry)
		if expression == "" {
			return errors.New("an empty expression matches everything")
		}
		re, err := regexp.Compile(expression)
		if err != nil {
			return err
		}
		walk.regexps = append(walk.regexps, re)
	case MatchCIDR:
		return w.addNetwork(id, entry)
	case MatchHostname:
		return w.addName(id, entry)
	default:
		if strings.HasPrefix(entry, ".") {
			return w.addName(id, entry)
		}
		w.addString(id, entry)
	}
	return nil
}

// addString adds a whole value. An address among the strings is a block of one.
func (w *Warnings) addString(id int32, entry string) {
	if w.addNetwork(id, entry) == nil {
		return
	}
	key := strings.ToLower(entry)
	if name, err := normaliseDomain(entry); err == nil {
		key = name
		w.addParents(id, name)
	}
	w.values.add(key, entry, id)
}

func (w *Warnings) addName(id int32, entry string) error {
	if w.addNetwork(id, entry) == nil {
		return nil
	}
	name, err := normaliseDomain(strings.TrimLeft(entry, ".*"))
	if err != nil {
		return err
	}
	w.names.add(name, entry, id)
	w.addParents(id, name)
	return nil
}

// addParents notes the names above a listed one, up to the one that somebody registered: blocking them blocks it too.
func (w *Warnings) addParents(id int32, name string) {
	top := registrable(name)
	for at := name; len(at) > len(top); {
		_, at, _ = strings.Cut(at, ".")
		w.parents.add(at, name, id)
	}
}

var errNoNetwork = errors.New("this is no address and no block of addresses")

func (w *Warnings) addNetwork(id int32, entry string) error {
	if strings.Trim(entry, "0123456789abcdefABCDEF.:/") != "" {
		return errNoNetwork
	}
	p, err := netip.ParsePrefix(entry)
	if err != nil {
		a, errAddr := netip.ParseAddr(entry)
		if errAddr != nil || a.Zone() != "" {
			return errNoNetwork
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	w.networks.Modify(p.Masked(), func(have []int32, _ bool) ([]int32, bool) {
		return append(have, id), false
	})
	return nil
}

// stripDelimiters turns /expression/i, as MISP writes it, into RE2 syntax.
func stripDelimiters(entry string) string {
	end := strings.LastIndexByte(entry, '/')
	if !strings.HasPrefix(entry, "/") || end < 1 {
		return entry
	}
	if end > 1 && strings.Contains(entry[end:], "i") {
		return "(?i)" + entry[1:end]
	}
	return entry[1:end]
}

// Check lists the reasons not to block a value, at most one a list, in the order in which the lists were added. A value
// that is not of its kind has one reason: nothing can be said of it.
func (w *Warnings) Check(kind Kind, value string) []Warning {
	v, err := Normalise(kind, value)
	if err != nil {
		return []Warning{{List: "values that are wrong", Reason: err.Error(), Matched: value}}
	}
	c := check{w: w, kind: kind}
	c.general(v)
	for i := range w.special {
		c.walk(&w.special[i], v)
	}
	c.value(v)
	if hostKind, host, ok := Host(kind, v); ok && kind != Email {
		if hostKind == Domain {
			c.name(host)
		} else if a, err := netip.ParseAddr(host); err == nil {
			c.network(netip.PrefixFrom(a, a.BitLen()))
		}
	} else if kind == CIDR {
		c.network(netip.MustParsePrefix(v))
	}
	return c.warnings()
}

// check gathers what one value hits.
type check struct {
	w    *Warnings
	kind Kind
	hits []hit
	own  []Warning // of no list: general reasons
}

type hit struct {
	list  int32
	entry string
}

func (c *check) hit(list int32, entry string) {
	if !c.w.lists[list].covers(c.kind) || slices.ContainsFunc(c.hits, func(h hit) bool { return h.list == list }) {
		return
	}
	c.hits = append(c.hits, hit{list, entry})
}

func (c *check) warnings() []Warning {
	slices.SortFunc(c.hits, func(a, b hit) int { return int(a.list - b.list) })
	all := c.own
	for _, h := range c.hits {
		info := c.w.lists[h.list]
		all = append(all, Warning{List: info.name, Reason: info.reason, Matched: h.entry})
	}
	return all
}

// general tells what no list has to name: blocks that are too wide and names below which anybody registers.
func (c *check) general(v string) {
	switch c.kind {
	case CIDR:
		p := netip.MustParsePrefix(v)
		if widest := widestBlock(p); p.Bits() < widest {
			c.own = append(c.own, Warning{List: "blocks that are too wide", Matched: v,
				Reason: fmt.Sprintf("a block wider than /%d takes in many that are innocent", widest)})
		}
	case Domain:
		if isPublicSuffix(v) {
			c.own = append(c.own, Warning{List: "public suffixes", Reason: "anybody can register names below it", Matched: v})
		}
	}
}

// widestBlock is the shortest prefix that is not too wide.
func widestBlock(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 9
	}
	return 20
}

func (c *check) value(v string) {
	key := v
	if c.kind == Filename || c.kind == RegistryKey || c.kind == CVE || c.kind == URL {
		key = strings.ToLower(v)
	}
	c.w.values.each(key, c.hit)
}

// name checks a name: listed itself, below one that is listed, or above one.
func (c *check) name(name string) {
	c.w.values.each(name, c.hit)
	for at := name; at != ""; _, at, _ = strings.Cut(at, ".") {
		c.w.names.each(at, c.hit)
	}
	if c.kind == Domain {
		c.w.parents.each(name, c.hit)
	}
}

// maxWithin is how many listed networks inside a block are looked at.
const maxWithin = 10_000

// network checks a block: inside a listed one, or with listed ones inside.
func (c *check) network(p netip.Prefix) {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	for listed, lists := range c.w.networks.Supernets(p) {
		for _, id := range lists {
			c.hit(id, listed.String())
		}
	}
	if c.kind != CIDR {
		return
	}
	looked := 0
	for listed, lists := range c.w.networks.Subnets(p) {
		if looked++; looked > maxWithin {
			return
		}
		for _, id := range lists {
			c.hit(id, listed.String())
		}
	}
}

// walk checks a list of substrings or expressions.
func (c *check) walk(s *special, v string) {
	if !c.w.lists[s.list].covers(c.kind) {
		return
	}
	if entry := s.find(v, strings.ToLower(v)); entry != "" {
		c.hit(s.list, entry)
	}
}
