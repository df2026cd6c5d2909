package indicator

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxOwner is the longest name that goes into a zone: the name of the zone comes behind it.
const maxOwner = 200

// RPZ says how a response policy zone is written.
type RPZ struct {
	Serial uint32 // of the zone; secondaries fetch it again when it rises
	TTL    uint32 // seconds; 0 means 300
}

// Write writes a zone that answers "no such name" for each domain and all names below it, and for each name that
// resolves to an address or into a block. One indicator is one owner, and for a domain its wildcard. URLs are skipped:
// a zone would take the whole host.
func (z RPZ) Write(w io.Writer, entries []Entry) ([]Skipped, error) {
	if z.TTL == 0 {
		z.TTL = 300
	}
	var l list
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "$TTL %d\n@ IN SOA localhost. hostmaster.localhost. %d 3600 600 604800 %d\n@ IN NS localhost.\n", z.TTL, z.Serial, z.TTL)
	for _, e := range entries {
		if !l.take(&e, true) {
			continue
		}
		switch owner, why := rpzOwner(e); {
		case why != "":
			l.skip(e, why)
		case e.Kind == Domain:
			fmt.Fprintf(b, "%s CNAME .\n*.%s CNAME .\n", owner, owner)
		default:
			fmt.Fprintf(b, "%s CNAME .\n", owner)
		}
	}
	return l.skipped, b.Flush()
}

// rpzOwner is the owner name of an entry, or why it has none.
func rpzOwner(e Entry) (owner, why string) {
	switch e.Kind {
	case Domain:
		last := e.Value[strings.LastIndexByte(e.Value, '.')+1:]
		switch {
		case len(e.Value) > maxOwner:
			return "", fmt.Sprintf("the name has more than %d characters, which leaves no room for the name of the zone", maxOwner)
		case strings.HasPrefix(last, "rpz-"):
			return "", "names that end in " + last + " mean something else in a response policy zone"
		}
		return e.Value, ""
	case IPv4, IPv6:
		a := netip.MustParseAddr(e.Value)
		return rpzPrefix(netip.PrefixFrom(a, a.BitLen())), ""
	case CIDR:
		return rpzPrefix(netip.MustParsePrefix(e.Value)), ""
	case URL:
		return "", "a response policy zone would block the whole host; share the host if all of it is bad"
	}
	return "", "a response policy zone knows names and addresses only"
}

// rpzPrefix writes a block as such a zone has it: its length, then the parts from the last to the first.
func rpzPrefix(p netip.Prefix) string {
	sep := "."
	text := p.Addr().String()
	if p.Addr().Is6() {
		sep = ":"
		text = rpzIPv6(p.Addr())
	}
	parts := strings.Split(text, sep)
	slices.Reverse(parts)
	return strconv.Itoa(p.Bits()) + "." + strings.Join(parts, ".") + ".rpz-ip"
}

// rpzIPv6 writes an address in its short form with "zz" for the zeros that "::" stands for. A mapped address has its
// last two parts in hex like any other.
func rpzIPv6(a netip.Addr) string {
	text := a.String()
	if a.Is4In6() {
		b := a.As16()
		text = fmt.Sprintf("::ffff:%x:%x", uint16(b[12])<<8|uint16(b[13]), uint16(b[14])<<8|uint16(b[15]))
	}
	text = strings.Replace(text, "::", ":zz:", 1)
	return strings.Trim(text, ":")
}
