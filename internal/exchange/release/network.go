package release

import (
	"net/netip"
	"strconv"
	"strings"
)

// networks finds addresses of these networks in a text, however they are written.
type networks []netip.Prefix

// find lists them in order.
func (ns networks) find(text string) (out []span) {
	if len(ns) == 0 {
		return nil
	}
	for i := 0; i < len(text); {
		if !beginsAddress(text, i) {
			i++
			continue
		}
		a, bits, n := readAddress(text[i:])
		if n > 7 && i > 0 && (strings.IndexByte("-_.", text[i-1]) >= 0 || isWord(text[i-1])) && isNumber(text[i:i+n]) {
			n = 0 // a number within an identifier
		}
		own := n > 0 && ns.own(a, bits)
		if o, m := readOctal(text[i:]); !own && m > 0 && ns.own(o, o.BitLen()) {
			a, n, own = o, m, true
		}
		if own {
			out = append(out, span{start: i, end: i + n, core: i, rule: RuleNetworks, doubt: a.Is4() && versionBefore(text[:i])})
		}
		if !own && a.Is4() {
			n = 1 // one's own may begin within four numbers that are another's
		}
		i += max(n, 1)
	}
	return out
}

// versionBefore tells whether what ends there says that a version follows.
func versionBefore(s string) bool {
	word := strings.TrimRight(s[max(0, len(s)-16):], " :=/-")
	at := len(word)
	for at > 0 && isWord(word[at-1]) {
		at--
	}
	switch strings.ToLower(word[at:]) {
	case "v":
		return len(word) == len(s[max(0, len(s)-16):])
	case "version", "versie", "versies", "versions", "firmware", "release", "build", "ver":
		return true
	}
	return false
}

func isWord(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}

// isNumber tells whether an address is written as one number.
func isNumber(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 'z' || !isWord(byte(r)) })
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// beginsAddress tells whether an address may begin at i: a digit that follows none, a hexadecimal one that
// follows none, or two colons.
func beginsAddress(text string, i int) bool {
	if text[i] == ':' {
		return strings.HasPrefix(text[i:], "::")
	}
	if hexDigit(text[i]) < 0 {
		return false
	}
	return i == 0 || hexDigit(text[i-1]) < 0 || isDigit(text[i]) && !isDigit(text[i-1])
}

// own tells whether an address, or a block around it, belongs to one of the networks. A block that is far wider than
// one's own tells little.
func (ns networks) own(a netip.Addr, bits int) bool {
	if in, ok := within4(a); ok && bits == a.BitLen() && ns.own(in, in.BitLen()) {
		return true
	}
	for _, n := range ns {
		if n.Contains(a) {
			return true
		}
		if p, err := a.Prefix(bits); err == nil && p.Overlaps(n) && bits >= n.Bits()-8 {
			return true
		}
	}
	return false
}

// within4 is the IPv4 address that an IPv6 one carries: by NAT64, 6to4, ISATAP, or at its end behind zeros.
func within4(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() {
		return a, false
	}
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a), b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe, netip.MustParsePrefix("::/96").Contains(a) && b[12] != 0:
		return netip.AddrFrom4([4]byte(b[12:])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return a, false
}

// readAddress reads an address, and the length of its block, from the beginning of s; n is 0 when there is none.
func readAddress(s string) (a netip.Addr, bits, n int) {
	if a, n = readArpa6(s); n == 0 {
		if a, n = readIPv4(s); n == 0 {
			a, n = readIPv6(s)
		}
	}
	if n == 0 {
		return a, 0, 0
	}
	bits = a.BitLen()
	rest := s[n:]
	if strings.HasPrefix(rest, "%2f") || strings.HasPrefix(rest, "%2F") {
		rest = "/" + rest[3:]
		if b, m := blockLength(rest, a.BitLen()); m > 0 {
			return a, b, n + m + 2
		}
		return a, bits, n
	}
	if b, m := blockLength(rest, a.BitLen()); m > 0 {
		return a, b, n + m
	}
	return a, bits, n
}

func blockLength(s string, most int) (bits, n int) {
	if len(s) < 2 || s[0] != '/' {
		return 0, 0
	}
	for n = 1; n < len(s) && n < 4 && isDigit(s[n]); n++ {
		bits = bits*10 + int(s[n]-'0')
	}
	if n == 1 || bits > most || n < len(s) && isWord(s[n]) {
		return 0, 0
	}
	return bits, n
}

// part reads a number: decimal, leading zeros or not, or hexadecimal with 0x.
func part(s string) (value uint64, n int) {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		for n = 2; n < len(s) && n < 10 && hexDigit(s[n]) >= 0; n++ {
			value = value<<4 | uint64(hexDigit(s[n]))
		}
		if n > 2 {
			return value, n
		}
		n = 0 // a nought, and a letter behind it
	}
	for n < len(s) && n < 11 && isDigit(s[n]) {
		value = value*10 + uint64(s[n]-'0')
		n++
	}
	return value, n
}

// readIPv4 reads four numbers with dots between, or one number of 32 bits. Behind four numbers .in-addr.arpa turns them.
func readIPv4(s string) (netip.Addr, int) {
	var parts [4]uint64
	at := 0
	for k := range parts {
		v, n := part(s[at:])
		if n == 0 {
			return netip.Addr{}, 0
		}
		parts[k] = v
		at += n
		if k == 3 {
			break
		}
		d := 0
		if at < len(s) {
			d = dotAt(s[at:])
		}
		if d == 0 || at+d >= len(s) || !isDigit(s[at+d]) {
			if k == 0 {
				return wholeNumber(s, v, at)
			}
			return netip.Addr{}, 0
		}
		at += d
	}
	if at < len(s) && isDigit(s[at]) {
		return netip.Addr{}, 0
	}
	var b [4]byte
	for k, v := range parts {
		if v > 255 {
			return netip.Addr{}, 0
		}
		b[k] = byte(v)
	}
	if at < len(s) {
		if d := dotAt(s[at:]); d > 0 && len(s) >= at+d+7 && strings.EqualFold(s[at+d:at+d+7], "in-addr") {
			b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
			at += d + 7
			if len(s) > at && dotAt(s[at:]) > 0 && len(s) >= at+dotAt(s[at:])+4 && strings.EqualFold(s[at+dotAt(s[at:]):][:4], "arpa") {
				at += dotAt(s[at:]) + 4
			}
		}
	}
	return netip.AddrFrom4(b), at
}

// readOctal reads four octal numbers with dots between: those of more than one digit begin with 0.
func readOctal(s string) (netip.Addr, int) {
	var b [4]byte
	at := 0
	for k := range b {
		v, n := 0, 0
		for ; at < len(s) && n < 5 && s[at] >= '0' && s[at] <= '7'; n++ {
			v = v<<3 | int(s[at]-'0')
			at++
		}
		if n == 0 || v > 255 || n > 1 && s[at-n] != '0' {
			return netip.Addr{}, 0
		}
		b[k] = byte(v)
		if k == 3 {
			break
		}
		if at >= len(s) || s[at] != '.' {
			return netip.Addr{}, 0
		}
		at++
	}
	if at < len(s) && isWord(s[at]) {
		return netip.Addr{}, 0
	}
	return netip.AddrFrom4(b), at
}

// wholeNumber is an address written as one number: 0x and eight digits, or eight to ten decimal ones.
func wholeNumber(s string, v uint64, n int) (netip.Addr, int) {
	hex := len(s) > 2 && s[1]|0x20 == 'x'
	if v > 1<<32-1 || hex && n != 10 || !hex && n < 8 || n < len(s) && isWord(s[n]) {
		return netip.Addr{}, 0
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), n
}

// maxIPv6 is the longest text of an address: eight groups, each colon in brackets.
const maxIPv6 = 96

// readIPv6 reads the longest run of hexadecimal digits, colons and dots that is an address.
func readIPv6(s string) (netip.Addr, int) {
	group := 0
	for group < len(s) && group < 4 && hexDigit(s[group]) >= 0 {
		group++
	}
	if group == len(s) || strings.IndexByte(":[%", s[group]) < 0 {
		return netip.Addr{}, 0 // no colon follows the first group
	}
	var plain strings.Builder
	var ends [maxIPv6]int // by length of plain
	at, colons := 0, 0
	for at < len(s) && plain.Len() < maxIPv6-1 {
		b := s[at]
		switch {
		case b == ':':
			plain.WriteByte(':')
			at++
			colons++
		case strings.HasPrefix(s[at:], "[:]") || strings.HasPrefix(s[at:], "%3a") || strings.HasPrefix(s[at:], "%3A"):
			plain.WriteByte(':')
			at += 3
			colons++
		case hexDigit(b) >= 0:
			plain.WriteByte(b)
			at++
		case colons > 1 && dotAt(s[at:]) > 0:
			plain.WriteByte('.')
			at += dotAt(s[at:])
		default:
			colons += 100 // the run is over
		}
		if colons >= 100 {
			colons -= 100
			break
		}
		ends[plain.Len()] = at
	}
	if colons < 2 {
		return netip.Addr{}, 0
	}
	text := plain.String()
	for cut := range 3 {
		if cut > 0 && (len(text) < 2 || strings.IndexByte(":.", text[len(text)-1]) < 0) {
			break
		}
		if cut > 0 {
			text = text[:len(text)-1]
		}
		if a, err := netip.ParseAddr(text); err == nil && a.Is6() {
			return a.Unmap(), behindZone(s, ends[len(text)])
		}
	}
	return netip.Addr{}, 0
}

// behindZone is the end of a zone (%eth0) that follows at n.
func behindZone(s string, n int) int {
	if n+1 >= len(s) || s[n] != '%' || !isWord(s[n+1]) || hexDigit(s[n+1]) >= 0 && n+2 < len(s) && hexDigit(s[n+2]) >= 0 {
		return n
	}
	for n++; n < len(s) && (isWord(s[n]) || s[n] == '.' || s[n] == '_' || s[n] == '-'); n++ {
	}
	return n
}

// readArpa6 reads 32 hexadecimal digits with dots between that ip6.arpa follows.
func readArpa6(s string) (netip.Addr, int) {
	var digits [32]byte
	at := 0
	for k := range digits {
		if at >= len(s) || hexDigit(s[at]) < 0 {
			return netip.Addr{}, 0
		}
		digits[31-k] = s[at]
		at++
		d := 0
		if at < len(s) {
			d = dotAt(s[at:])
		}
		if d == 0 {
			return netip.Addr{}, 0
		}
		at += d
	}
	if len(s) < at+3 || !strings.EqualFold(s[at:at+3], "ip6") {
		return netip.Addr{}, 0
	}
	at += 3
	if rest := s[at:]; len(rest) > 4 && dotAt(rest) > 0 && len(rest) >= dotAt(rest)+4 && strings.EqualFold(rest[dotAt(rest):dotAt(rest)+4], "arpa") {
		at += dotAt(rest) + 4
	}
	var b [16]byte
	for k := range b {
		v, err := strconv.ParseUint(string(digits[2*k:2*k+2]), 16, 8)
		if err != nil {
			return netip.Addr{}, 0
		}
		b[k] = byte(v)
	}
	return netip.AddrFrom16(b).Unmap(), at
}
