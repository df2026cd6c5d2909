package indicator

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"net/netip"
	"regexp"
	"strings"
	"sync"

	"github.com/gaissmai/bart"
)

// Gate knows which values mean nothing when they are seen, because lists say that they are everybody's: resolvers,
// update servers, the most visited sites, hashes of empty files. It is for hits as [Warnings] is for blocks: where that
// tells a person every reason and warns of parents too, this answers for the value itself, by one list, at once.
//
// Lists are added first; after the last one Check may be called by any number of goroutines. An entry of a list costs
// about 40 bytes, whatever its length.
type Gate struct {
	seeds    [2]maphash.Seed
	lists    []gateList
	whole    map[gateKey]uint32 // values as a whole, to a set of lists
	names    map[gateKey]uint32 // names with all below them
	networks bart.Table[uint32]
	parts    []gateParts
	exprs    []gateExpr

	sets  [][]uint16
	setOf map[string]uint32
}

// gateKey is a value under both seeds: nobody who does not know them can look for another that meets it.
type gateKey [2]uint64

type gateList struct {
	name  string
	kinds uint64 // a bit for the code of each; all bits when it applies to everything
	local bool   // it names what means something else in each network; see CheckOwn
}

// gateParts are the substrings of a list, by their first gram bytes.
type gateParts struct {
	list   uint16
	begins map[[gram]byte][][]byte
	some   [1 << 10]uint64 // a bit for the hash of each beginning
	short  [][]byte
}

type gateExpr struct {
	list uint16
	expr *regexp.Regexp
}

// NewGate has no list; [Gate.AddBuiltin] adds the built-in ones.
func NewGate() *Gate {
	return &Gate{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, whole: map[gateKey]uint32{}, names: map[gateKey]uint32{}, setOf: map[string]uint32{}}
}

// AddBuiltin adds the built-in lists of [NewWarnings], but those named.
func (g *Gate) AddBuiltin(but ...string) {
	left := map[string]bool{}
	for _, name := range but {
		left[name] = true
	}
	for _, l := range builtin {
		if left[l.Name] {
			continue
		}
		if err := g.Add(l); err != nil {
			panic("a built-in list is wrong: " + err.Error())
		}
		g.lists[len(g.lists)-1].local = l.Name == ListSpecialNetworks || l.Name == ListDocumentation || l.Name == ListSpecialNames
	}
}

// LoadFS adds the MISP warning lists of a folder, under the terms of [Warnings.LoadFS].
func (g *Gate) LoadFS(folder fs.FS) (loaded int, err error) { return loadFS(folder, g.Add) }

// LoadTar adds the MISP warning lists of a .tar.gz, under the terms of [Warnings.LoadFS].
func (g *Gate) LoadTar(r io.Reader) (loaded int, err error) { return loadTar(r, g.Add) }

// Len is how many lists the gate has.
func (g *Gate) Len() int { return len(g.lists) }

// Add adds a list, under the terms of [Warnings.Add].
func (g *Gate) Add(l List) error {
	switch l.Matching {
	case MatchString, MatchHostname, MatchCIDR, MatchSubstring, MatchRegex:
	default:
		return fmt.Errorf("list %s: %q is no way of matching; use string, hostname, cidr, substring or regex", show(l.Name), string(l.Matching))
	}
	if len(g.lists) >= maxLists {
		return fmt.Errorf("list %s: there are more than %d lists; remove those that are not needed", show(l.Name), maxLists)
	}
	mask := uint64(0)
	for _, k := range l.Kinds {
		mask |= 1 << kindCode(k)
	}
	if len(l.Kinds) == 0 {
		mask = ^uint64(0)
	}
	id := uint16(len(g.lists))
	g.lists = append(g.lists, gateList{name: l.Name, kinds: mask})
	parts := gateParts{list: id, begins: map[[gram]byte][][]byte{}}
	var left leftOut
	for _, entry := range l.Entries {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		if err := g.addEntry(l.Matching, id, entry, &parts); err != nil {
			left.add(entry, err)
		}
	}
	if l.Matching == MatchSubstring {
		g.parts = append(g.parts, parts)
	}
	return left.err(l.Name)
}

func (g *Gate) addEntry(how Matching, id uint16, entry string, parts *gateParts) error {
	switch how {
	case MatchSubstring:
		parts.add([]byte(strings.ToLower(entry)))
		return nil
	case MatchRegex:
		expression := stripDelimiters(entry)
		if expression == "" {
			return errors.New("an empty expression matches everything")
		}
		re, err := regexp.Compile(expression)
		if err != nil {
			return err
		}
		g.exprs = append(g.exprs, gateExpr{id, re})
		return nil
	}
	if g.addNetwork(id, entry) == nil {
		return nil
	}
	if how == MatchCIDR {
		return errNoNetwork
	}
	if how == MatchHostname || strings.HasPrefix(entry, ".") {
		name, err := normaliseDomain(strings.TrimLeft(entry, ".*"))
		if err == nil {
			g.put(g.names, name, id)
		}
		return err
	}
	g.put(g.whole, wholeKey(entry), id)
	return nil
}

// wholeKey is the form in which a string of a list is compared: as the kind that it has would be, and in lower case.
func wholeKey(entry string) string {
	if name, err := normaliseDomain(entry); err == nil {
		return name
	}
	if key, err := Key(URL, entry); err == nil {
		return strings.ToLower(key)
	}
	return strings.ToLower(entry)
}

func (g *Gate) addNetwork(id uint16, entry string) error {
	p, err := parseNetwork(entry)
	if err != nil {
		return err
	}
	g.networks.Modify(p, func(have uint32, there bool) (uint32, bool) {
		return g.with(have, there, id), false
	})
	return nil
}

// parseNetwork reads a block or a single address as a block.
func parseNetwork(entry string) (netip.Prefix, error) {
	if strings.Trim(entry, "0123456789abcdefABCDEF.:/") != "" {
		return netip.Prefix{}, errNoNetwork
	}
	p, err := netip.ParsePrefix(entry)
	if err != nil {
		a, errAddr := netip.ParseAddr(entry)
		if errAddr != nil || a.Zone() != "" {
			return netip.Prefix{}, errNoNetwork
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	return p.Masked(), nil
}

func (g *Gate) put(in map[gateKey]uint32, text string, id uint16) {
	key := gateKey{maphash.String(g.seeds[0], text), maphash.String(g.seeds[1], text)}
	have, there := in[key]
	in[key] = g.with(have, there, id)
}

// with is the set of lists that have holds, and id: each set is kept once.
func (g *Gate) with(have uint32, there bool, id uint16) uint32 {
	var set []uint16
	if there {
		if set = g.sets[have]; set[len(set)-1] == id {
			return have
		}
	}
	text := make([]byte, 0, 2*len(set)+2)
	for _, l := range append(set[:len(set):len(set)], id) {
		text = append(text, byte(l>>8), byte(l))
	}
	if no, ok := g.setOf[string(text)]; ok {
		return no
	}
	no := uint32(len(g.sets))
	g.sets = append(g.sets, append(set[:len(set):len(set)], id))
	g.setOf[string(text)] = no
	return no
}

func (p *gateParts) add(part []byte) {
	if len(part) < gram {
		p.short = append(p.short, part)
		return
	}
	begin := [gram]byte(part)
	p.begins[begin] = append(p.begins[begin], part)
	h := gramHash(begin)
	p.some[h>>6] |= 1 << (h & 63)
}

// gramHash spreads four bytes over the bits of gateParts.some.
func gramHash(b [gram]byte) uint32 {
	return (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) * 2654435761 >> 16
}

// in says whether a part stands in lowered.
func (p *gateParts) in(lowered []byte) bool {
	for i := 0; i+gram <= len(lowered); i++ {
		begin := [gram]byte(lowered[i:])
		if h := gramHash(begin); p.some[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, part := range p.begins[begin] {
			if bytes.HasPrefix(lowered[i:], part) {
				return true
			}
		}
	}
	for _, part := range p.short {
		if bytes.Contains(lowered, part) {
			return true
		}
	}
	return false
}

// Check says whether a value of a kind is gated, and by which list: the first that names it. The value need not be
// normalised. A value that is none of its kind is not gated. It allocates only for what [AppendKey] allocates for.
func (g *Gate) Check(kind Kind, value string) (list string, gated bool) {
	var raw, room [512]byte
	key, ok := AppendKey(room[:0], kind, append(raw[:0], value...))
	if !ok {
		return "", false
	}
	return g.CheckKey(kind, key)
}

// CheckKey is [Gate.Check] for a value in the form of [AppendKey].
func (g *Gate) CheckKey(kind Kind, key []byte) (list string, gated bool) {
	return g.check(kind, key, false)
}

// CheckOwn is [Gate.CheckKey] for a value that the organisation itself has named: the built-in lists of special-use
// networks and names and of those for documentation do not count then, for an address such as 192.168.0.4 says nothing in
// what others share, but who writes it into a list of its own means the machine in its own network.
func (g *Gate) CheckOwn(kind Kind, key []byte) (list string, gated bool) {
	return g.check(kind, key, true)
}

func (g *Gate) check(kind Kind, key []byte, own bool) (list string, gated bool) {
	code := kindCode(kind)
	if code == 0 || len(g.lists) == 0 {
		return "", false
	}
	c := gateCheck{g: g, mask: 1 << code, first: len(g.lists), own: own}
	var room [512]byte
	lowered, _ := appendFolded(room[:0], key)
	c.whole(lowered)
	switch kind {
	case Domain:
		c.name(key)
	case IPv4, IPv6:
		c.address(key)
	case CIDR:
		if p, err := netip.ParsePrefix(string(key)); err == nil {
			c.network(p)
		}
	case URL:
		c.url(lowered)
	}
	for i := range g.parts {
		if p := &g.parts[i]; c.wants(p.list) && p.in(lowered) {
			c.first = int(p.list)
		}
	}
	c.expressions(key)
	if c.first == len(g.lists) {
		return "", false
	}
	return g.lists[c.first].name, true
}

// gateCheck looks for the first list that names a value.
type gateCheck struct {
	g     *Gate
	mask  uint64
	first int
	own   bool
}

// wants says whether a list applies to the kind and comes before what was found.
func (c *gateCheck) wants(list uint16) bool {
	l := &c.g.lists[list]
	return int(list) < c.first && l.kinds&c.mask != 0 && !(c.own && l.local)
}

func (c *gateCheck) set(no uint32) {
	for _, list := range c.g.sets[no] {
		if c.wants(list) {
			c.first = int(list)
			return
		}
	}
}

func (c *gateCheck) lookup(in map[gateKey]uint32, text []byte) {
	key := gateKey{maphash.Bytes(c.g.seeds[0], text), maphash.Bytes(c.g.seeds[1], text)}
	if no, ok := in[key]; ok {
		c.set(no)
	}
}

func (c *gateCheck) whole(lowered []byte) { c.lookup(c.g.whole, lowered) }

func (c *gateCheck) name(name []byte) {
	for {
		c.lookup(c.g.names, name)
		dot := bytes.IndexByte(name, '.')
		if dot < 0 {
			return
		}
		name = name[dot+1:]
	}
}

func (c *gateCheck) address(key []byte) {
	a, ok := parseIPv4(key)
	if !ok {
		if a, ok = parseIPv6(key); !ok {
			return
		}
		a = a.Unmap()
	}
	if c.g.networks.Contains(a) {
		c.network(netip.PrefixFrom(a, a.BitLen()))
	}
}

func (c *gateCheck) network(p netip.Prefix) {
	for _, no := range c.g.networks.Supernets(p.Masked()) {
		c.set(no)
	}
}

// url checks the host of a URL: against names and networks, and as a whole where the URL asks for nothing but the host.
func (c *gateCheck) url(key []byte) {
	host, rest := urlHost(key)
	if len(host) == 0 {
		return
	}
	if len(rest) <= 1 {
		c.whole(host)
	}
	if host[0] == '[' {
		c.address(host[1 : len(host)-1])
		return
	}
	if _, ok := parseIPv4(host); ok {
		c.address(host)
		return
	}
	c.name(host)
}

// scratch is room for values that expressions look at.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

func (c *gateCheck) expressions(key []byte) {
	for _, e := range c.g.exprs {
		if !c.wants(e.list) {
			continue
		}
		room := scratch.Get().(*[]byte)
		*room = append((*room)[:0], key...)
		if e.expr.Match(*room) {
			c.first = int(e.list)
		}
		scratch.Put(room)
	}
}

// urlHost cuts the host, and what comes behind the port, out of the key of a URL.
func urlHost(key []byte) (host, rest []byte) {
	_, after, ok := bytes.Cut(key, []byte("://"))
	if !ok {
		return nil, nil
	}
	end := bytes.IndexAny(after, "/\\?#")
	if end < 0 {
		end = len(after)
	}
	host, rest = after[:end], after[end:]
	if at := bytes.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if len(host) > 0 && host[0] == '[' {
		if end := bytes.IndexByte(host, ']'); end > 0 {
			return host[:end+1], rest
		}
		return nil, nil
	}
	if colon := bytes.IndexByte(host, ':'); colon >= 0 {
		host = host[:colon]
	}
	return host, rest
}
