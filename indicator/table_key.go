package indicator

import (
	"fmt"
	"net/netip"
	"unicode"
	"unicode/utf8"
)

// AppendKey appends to dst the form under which a value of a kind is looked up in a [Table] and a [Gate], and says
// whether it is one at all: what [Normalise] gives, and beside it URLs without what changes no request (an empty path,
// the usual port, a fragment), and names of files and registry keys in lower case, since Windows tells no difference.
// It allocates nothing when dst has room, but for names outside ASCII and URLs with such a host.
// The key of a key is the key itself. A [CIDR] has the key of its text.
func AppendKey(dst []byte, kind Kind, value []byte) ([]byte, bool) {
	value = trimSpace(value)
	if len(value) == 0 || len(value) > MaxValue {
		return dst, false
	}
	switch kind {
	case IPv4:
		a, ok := parseIPv4(value)
		if !ok {
			return dst, false
		}
		return a.AppendTo(dst), true
	case IPv6:
		a, ok := parseIPv6(value)
		if !ok {
			return dst, false
		}
		return a.AppendTo(dst), true
	case MD5, SHA1, SHA256, SHA512, Imphash, JA3, JA3S:
		return appendHash(dst, kind, value)
	case Domain:
		return appendDomain(dst, value)
	case URL:
		return appendURL(dst, value)
	case Email:
		return appendEmail(dst, value)
	case Filename, RegistryKey:
		return appendFolded(dst, value)
	}
	return appendSlowly(dst, kind, value)
}

// appendSlowly goes the way of Normalise.
func appendSlowly(dst []byte, kind Kind, value []byte) ([]byte, bool) {
	v, err := Normalise(kind, string(value))
	return append(dst, v...), err == nil
}

func trimSpace(v []byte) []byte {
	if len(v) > 0 && v[0] > ' ' && v[0] < utf8.RuneSelf && v[len(v)-1] > ' ' && v[len(v)-1] < utf8.RuneSelf {
		return v
	}
	for len(v) > 0 {
		r, n := utf8.DecodeRune(v)
		if !unicode.IsSpace(r) {
			break
		}
		v = v[n:]
	}
	for len(v) > 0 {
		r, n := utf8.DecodeLastRune(v)
		if !unicode.IsSpace(r) {
			break
		}
		v = v[:len(v)-n]
	}
	return v
}

// parseIPv4 reads four numbers with dots, none with a leading zero.
func parseIPv4(v []byte) (netip.Addr, bool) {
	if len(v) < 7 || len(v) > 15 {
		return netip.Addr{}, false
	}
	var out [4]byte
	part, digits, n := 0, 0, 0
	for _, c := range v {
		switch {
		case c == '.':
			if digits == 0 || part == 3 {
				return netip.Addr{}, false
			}
			out[part] = byte(n)
			part, digits, n = part+1, 0, 0
		case c < '0' || c > '9' || digits > 0 && n == 0:
			return netip.Addr{}, false
		default:
			if n = n*10 + int(c-'0'); n > 255 {
				return netip.Addr{}, false
			}
			digits++
		}
	}
	out[part] = byte(n)
	return netip.AddrFrom4(out), part == 3 && digits > 0
}

// parseIPv6 reads an IPv6 address without a zone, a mapped IPv4 address included.
func parseIPv6(v []byte) (netip.Addr, bool) {
	if len(v) < 2 || len(v) > 45 {
		return netip.Addr{}, false
	}
	var out [16]byte
	at, gap := 0, -1
	if v[0] == ':' {
		if v[1] != ':' {
			return netip.Addr{}, false
		}
		gap, v = 0, v[2:]
	}
	for len(v) > 0 && at < 16 {
		n, digits := hexGroup(v)
		if digits < len(v) && v[digits] == '.' {
			four, ok := parseIPv4(v)
			if !ok || at > 12 {
				return netip.Addr{}, false
			}
			bytes := four.As4()
			at, v = at+copy(out[at:], bytes[:]), nil
			break
		}
		if digits == 0 || digits > 4 {
			return netip.Addr{}, false
		}
		out[at], out[at+1] = byte(n>>8), byte(n)
		at += 2
		if v = v[digits:]; len(v) == 0 {
			break
		}
		if v[0] != ':' || len(v) == 1 {
			return netip.Addr{}, false
		}
		if v = v[1:]; v[0] == ':' {
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap, v = at, v[1:]
		}
	}
	if len(v) > 0 || gap < 0 && at != 16 || gap >= 0 && at == 16 {
		return netip.Addr{}, false
	}
	if gap >= 0 {
		moved := at - gap
		copy(out[16-moved:], out[gap:at])
		clear(out[gap : 16-moved])
	}
	return netip.AddrFrom16(out), true
}

// hexGroup reads the hex digits at the start of v, at most five of them.
func hexGroup(v []byte) (n, digits int) {
	for digits < len(v) && digits < 5 {
		d := hexDigit(v[digits])
		if d < 0 {
			break
		}
		n = n<<4 | d
		digits++
	}
	return n, digits
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func appendHash(dst []byte, kind Kind, v []byte) ([]byte, bool) {
	if len(v) != hashDigits(kind) {
		return dst, false
	}
	start := len(dst)
	for _, c := range v {
		if hexDigit(c) < 0 {
			return dst[:start], false
		}
		dst = append(dst, lower(c))
	}
	return dst, true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// appendDomain does what normaliseDomain does, for names in ASCII without allocating.
func appendDomain(dst, v []byte) ([]byte, bool) {
	start := len(dst)
	if v[len(v)-1] == '.' {
		v = v[:len(v)-1]
	}
	if len(v) == 0 || len(v) > 253 {
		return appendIfLong(dst, v)
	}
	label, number := 0, true
	for i, c := range v {
		c = lower(c)
		switch {
		case c >= utf8.RuneSelf:
			return appendSlowly(dst[:start], Domain, v)
		case c == '.':
			if label == 0 || v[i-1] == '-' {
				return dst[:start], false
			}
			label, number = -1, true
		case c >= 'a' && c <= 'z' || c == '_':
			number = false
		case c == '-':
			if label == 0 {
				return dst[:start], false
			}
			number = false
		case c < '0' || c > '9':
			return dst[:start], false
		}
		if label++; label > 63 {
			return dst[:start], false
		}
		dst = append(dst, c)
	}
	if label == 0 || number || v[len(v)-1] == '-' {
		return dst[:start], false
	}
	return dst, true
}

// appendIfLong gives a name of more than 253 bytes another chance: in punycode it may be shorter.
func appendIfLong(dst, v []byte) ([]byte, bool) {
	if len(v) == 0 || isASCII(string(v)) {
		return dst, false
	}
	return appendSlowly(dst, Domain, v)
}

// appendFolded is v in lower case.
func appendFolded(dst, v []byte) ([]byte, bool) {
	start := len(dst)
	for i := 0; i < len(v); {
		c := v[i]
		switch {
		case c == 0:
			return dst[:start], false
		case c < utf8.RuneSelf:
			dst = append(dst, lower(c))
			i++
		default:
			r, n := utf8.DecodeRune(v[i:])
			if r == utf8.RuneError && n == 1 {
				return dst[:start], false
			}
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
			i += n
		}
	}
	return dst, true
}

func appendEmail(dst, v []byte) ([]byte, bool) {
	start := len(dst)
	at := -1
	for i, c := range v {
		if c >= utf8.RuneSelf || c == 0 {
			return appendSlowly(dst, Email, v)
		}
		if c == '@' {
			at = i
		}
	}
	if at < 1 || at > 64 || at+1 == len(v) {
		return dst, false
	}
	for _, c := range v[:at] {
		switch c {
		case ' ', '\t', '\r', '\n', '"', '(', ')', ',', ':', ';', '<', '>', '@', '[', '\\', ']':
			return dst[:start], false
		}
		dst = append(dst, lower(c))
	}
	dst, ok := appendDomain(append(dst, '@'), v[at+1:])
	if !ok {
		return dst[:start], false
	}
	return dst, true
}

// appendURL cuts a URL as splitURL does.
func appendURL(dst, v []byte) ([]byte, bool) {
	start := len(dst)
	colon := 0
	for colon < len(v) && v[colon] != ':' {
		colon++
	}
	if colon == 0 || colon > 20 || colon+3 > len(v) || v[colon+1] != '/' || v[colon+2] != '/' {
		return dst, false
	}
	for _, c := range v[:colon] {
		dst = append(dst, lower(c))
	}
	if !isScheme(string(dst[start:])) {
		return dst[:start], false
	}
	dst = append(dst, "://"...)
	after, end := v[colon+3:], -1
	for i, c := range after {
		if c <= ' ' || c == 0x7f {
			return dst[:start], false
		}
		if end < 0 && (c == '/' || c == '?' || c == '#' || c == '\\') {
			end = i
		}
		if c >= utf8.RuneSelf {
			return appendURLSlowly(dst[:start], v)
		}
	}
	if end < 0 {
		end = len(after)
	}
	dst, ok := appendAuthority(dst, dst[start:start+colon], after[:end])
	if !ok {
		return dst[:start], false
	}
	return appendRest(dst, after[end:]), true
}

// appendURLSlowly is for URLs with signs outside ASCII.
func appendURLSlowly(dst, v []byte) ([]byte, bool) {
	if !utf8.Valid(v) {
		return dst, false
	}
	u, err := splitURL(string(v))
	if err != nil {
		return dst, false
	}
	if usualPort([]byte(u.scheme), []byte(u.port)) {
		u.port = ""
	}
	dst = append(dst, u.scheme+"://"+u.user+u.host+u.port...)
	return appendRest(dst, []byte(u.rest)), true
}

// appendRest appends a path with its query; a fragment never reaches a server.
func appendRest(dst, rest []byte) []byte {
	for i, c := range rest {
		if c == '#' {
			rest = rest[:i]
			break
		}
	}
	if len(rest) == 0 || rest[0] == '?' {
		dst = append(dst, '/')
	}
	return append(dst, rest...)
}

// appendAuthority appends user, host and port of a URL.
func appendAuthority(dst, scheme, v []byte) ([]byte, bool) {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i] == '@' {
			dst, v = append(dst, v[:i+1]...), v[i+1:]
			break
		}
	}
	host, port := v, []byte(nil)
	if len(v) > 0 && v[0] == '[' {
		end := len(v) - 1
		for end > 0 && v[end] != ']' {
			end--
		}
		a, ok := parseIPv6(v[1:max(1, end)])
		if !ok {
			return dst, false
		}
		dst = append(a.AppendTo(append(dst, '[')), ']')
		host, port = nil, v[end+1:]
	} else {
		for i, c := range v {
			if c == ':' {
				host, port = v[:i], v[i:]
				break
			}
		}
		var ok bool
		if a, four := parseIPv4(host); four {
			dst = a.AppendTo(dst)
		} else if len(host) == 0 {
			return dst, false
		} else if dst, ok = appendDomain(dst, host); !ok {
			return dst, false
		}
	}
	switch {
	case !isPort(string(port)):
		return dst, false
	case usualPort(scheme, port):
		return dst, true
	}
	return append(dst, port...), true
}

// usualPort says that a port goes without saying.
func usualPort(scheme, port []byte) bool {
	switch string(port) {
	case ":80":
		return string(scheme) == "http"
	case ":443":
		return string(scheme) == "https"
	case ":21":
		return string(scheme) == "ftp"
	}
	return false
}

// Key is [AppendKey] for text: the key of a value, or what is wrong with the value.
func Key(kind Kind, value string) (string, error) {
	v, err := Normalise(kind, value)
	if err != nil {
		return "", err
	}
	key, ok := AppendKey(make([]byte, 0, len(v)+1), kind, []byte(v))
	if !ok {
		return "", fmt.Errorf("%s is no %s that can be looked up", show(value), kind)
	}
	return string(key), nil
}
