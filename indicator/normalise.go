package indicator

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxValue is the longest value in bytes that is taken for an indicator.
const MaxValue = 4096

var (
	cveForm = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,12}$`)
	asnForm = regexp.MustCompile(`^(?:ASN?)?\s*([0-9]{1,10})$`)
)

// Normalise gives a value its one spelling: lower case where case means nothing, names in punycode without the last
// dot, addresses in their shortest form, blocks without host bits, URLs with a normal scheme and host and the rest as
// given. White space around is dropped. The error says what would be right. Normalise of its own result changes nothing.
func Normalise(kind Kind, value string) (string, error) {
	v := strings.TrimSpace(value)
	switch {
	case v == "":
		return "", fmt.Errorf("the %s is empty", kind)
	case len(v) > MaxValue:
		return "", fmt.Errorf("the %s has %d bytes; at most %d are read", kind, len(v), MaxValue)
	case !utf8.ValidString(v):
		return "", fmt.Errorf("the %s is not UTF-8", kind)
	case strings.ContainsRune(v, 0):
		return "", fmt.Errorf("the %s holds a NUL character; remove it", kind)
	}
	switch kind {
	case IPv4, IPv6:
		return normaliseAddr(kind, v)
	case CIDR:
		return normaliseCIDR(v)
	case Domain:
		return normaliseDomain(v)
	case URL:
		return normaliseURL(v)
	case Email:
		return normaliseEmail(v)
	case MD5, SHA1, SHA256, SHA512, Imphash, JA3, JA3S:
		return normaliseHash(kind, v)
	case CertSerial, CertHash:
		return normaliseCertificate(kind, v)
	}
	return normaliseOther(kind, v)
}

// normaliseOther does the kinds that are names and numbers.
func normaliseOther(kind Kind, v string) (string, error) {
	switch kind {
	case CVE:
		if up := strings.ToUpper(v); cveForm.MatchString(up) {
			return up, nil
		}
		return "", fmt.Errorf("%s is no CVE id; write CVE-2024-12345", show(v))
	case ASN:
		m := asnForm.FindStringSubmatch(strings.ToUpper(v))
		if m != nil {
			if n, err := strconv.ParseUint(m[1], 10, 32); err == nil {
				return "AS" + strconv.FormatUint(n, 10), nil
			}
		}
		return "", fmt.Errorf("%s is no AS number; write AS64500", show(v))
	case MAC:
		if hw, err := net.ParseMAC(v); err == nil && len(hw) == 6 {
			return hw.String(), nil
		}
		return "", fmt.Errorf("%s is no MAC address; write 00:1a:2b:3c:4d:5e", show(v))
	case Filename, Mutex, RegistryKey, UserAgent:
		return v, nil
	}
	return "", fmt.Errorf("%.40q is no kind of indicator; use one of %s", string(kind), kindList())
}

// Equal says whether two values of a kind are the same indicator. Values that cannot be normalised are equal to
// nothing.
func Equal(kind Kind, a, b string) bool {
	na, errA := Normalise(kind, a)
	nb, errB := Normalise(kind, b)
	return errA == nil && errB == nil && na == nb
}

// Recognise says of what kind a whole value is, defanged or not, and gives it normalised. Of the names, a file is told
// from a domain as in [Find].
func Recognise(value string) (Kind, string, error) {
	v := strings.TrimSpace(value)
	if len(v) <= MaxValue {
		v = Refang(v)
		if k, n := classify(v, v != strings.TrimSpace(value)); k != "" {
			return k, n, nil
		}
	}
	return "", "", fmt.Errorf("%s is no indicator that can be told by its form; name its type (%s)", show(value), kindList())
}

// show quotes a value for an error, cut short.
func show(v string) string {
	if r := []rune(v); len(r) > 60 {
		v = string(r[:60]) + "…"
	}
	return strconv.Quote(v)
}

func normaliseAddr(kind Kind, v string) (string, error) {
	a, err := netip.ParseAddr(v)
	if err != nil || (kind == IPv4) != a.Is4() || a.Zone() != "" {
		if kind == IPv4 {
			return "", fmt.Errorf("%s is no IPv4 address; write 192.0.2.1", show(v))
		}
		return "", fmt.Errorf("%s is no IPv6 address; write 2001:db8::1", show(v))
	}
	return a.String(), nil
}

func normaliseCIDR(v string) (string, error) {
	p, err := netip.ParsePrefix(v)
	if err != nil {
		return "", fmt.Errorf("%s is no block of addresses; write 192.0.2.0/24 or 2001:db8::/32", show(v))
	}
	return p.Masked().String(), nil
}

func normaliseHash(kind Kind, v string) (string, error) {
	size := hashDigits(kind)
	if len(v) != size || !isHex(v) {
		return "", fmt.Errorf("%s is no %s; it has %d hex digits", show(v), kind, size)
	}
	return strings.ToLower(v), nil
}

// hashDigits is how many hex digits a hash of a kind has; 0 for kinds that are no hash.
func hashDigits(kind Kind) int {
	switch kind {
	case MD5, Imphash, JA3, JA3S:
		return 32
	case SHA1:
		return 40
	case SHA256:
		return 64
	case SHA512:
		return 128
	}
	return 0
}

// normaliseCertificate reads a serial number or a fingerprint, with or without colons or spaces between its bytes.
func normaliseCertificate(kind Kind, v string) (string, error) {
	digits := strings.NewReplacer(":", "", " ", "", "-", "").Replace(strings.ToLower(v))
	if kind == CertHash {
		if (len(digits) == 32 || len(digits) == 40 || len(digits) == 64) && isHex(digits) {
			return digits, nil
		}
		return "", fmt.Errorf("%s is no fingerprint of a certificate; write 32, 40 or 64 hex digits", show(v))
	}
	digits = strings.TrimPrefix(digits, "0x")
	if digits == "" || len(digits) > 128 || !isHex(digits) {
		return "", fmt.Errorf("%s is no serial number of a certificate; write it in hexadecimal", show(v))
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits = "0"
	}
	return digits, nil
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func normaliseEmail(v string) (string, error) {
	at := strings.LastIndexByte(v, '@')
	if at < 1 || at > 64 || strings.ContainsAny(v[:at], " \t\r\n\"(),:;<>@[\\]") {
		return "", fmt.Errorf("%s is no mail address; write name@example.org", show(v))
	}
	domain, err := normaliseDomain(v[at+1:])
	if err != nil {
		return "", err
	}
	return strings.ToLower(v[:at]) + "@" + domain, nil
}

// urlParts are the pieces of a URL that matter here.
type urlParts struct {
	scheme, user, host, port, rest string // user ends with "@", port starts with ":"
}

func (u urlParts) String() string { return u.scheme + "://" + u.user + u.host + u.port + u.rest }

// normaliseURL keeps path, query and fragment byte for byte: malware is served from paths that no standard allows.
func normaliseURL(v string) (string, error) {
	u, err := splitURL(v)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// splitURL cuts a URL into its pieces, scheme and host normalised.
func splitURL(v string) (urlParts, error) {
	bad := func(why string) (urlParts, error) {
		return urlParts{}, fmt.Errorf("%s is no URL: %s; write https://example.org/path", show(v), why)
	}
	scheme, after, ok := strings.Cut(v, "://")
	u := urlParts{scheme: strings.ToLower(scheme)}
	if !ok || !isScheme(u.scheme) {
		return bad("it has no scheme")
	}
	for _, r := range after {
		if r <= ' ' || r == 0x7f {
			return bad("it holds a space or a control character")
		}
	}
	end := strings.IndexAny(after, "/?#\\")
	if end < 0 {
		end = len(after)
	}
	authority := after[:end]
	u.rest = after[end:]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		u.user, authority = authority[:at+1], authority[at+1:]
	}
	var err error
	if u.host, u.port, err = splitHost(authority); err != nil {
		return bad(err.Error())
	}
	return u, nil
}

// splitHost reads host:port; an IPv6 host stands in brackets and is given with them.
func splitHost(s string) (host, port string, err error) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", fmt.Errorf("its address has no closing bracket")
		}
		a, err := normaliseAddr(IPv6, s[1:end])
		host, port = "["+a+"]", s[end+1:]
		if err != nil || !isPort(port) {
			return "", "", fmt.Errorf("its address is no IPv6 address")
		}
		return host, port, nil
	}
	host = s
	if colon := strings.IndexByte(s, ':'); colon >= 0 {
		host, port = s[:colon], s[colon:]
	}
	if !isPort(port) {
		return "", "", fmt.Errorf("its port is no number")
	}
	if a, err := normaliseAddr(IPv4, host); err == nil {
		return a, port, nil
	}
	if host, err = normaliseDomain(host); err != nil {
		return "", "", fmt.Errorf("its host is neither a name nor an address")
	}
	return host, port, nil
}

// isPort accepts "" and ":443".
func isPort(s string) bool {
	if s == "" {
		return true
	}
	n, err := strconv.ParseUint(s[1:], 10, 16)
	return s[0] == ':' && err == nil && n > 0 && s[1] != '+'
}

func isScheme(s string) bool {
	if s == "" || len(s) > 20 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// Host is the host of a URL or the domain of a mail address: a name or an address with its kind. For a name or an
// address it is the value itself; other kinds have none.
func Host(kind Kind, value string) (Kind, string, bool) {
	v, err := Normalise(kind, value)
	if err != nil {
		return "", "", false
	}
	switch kind {
	case IPv4, IPv6, Domain:
		return kind, v, true
	case Email:
		return Domain, v[strings.LastIndexByte(v, '@')+1:], true
	case URL:
		u, _ := splitURL(v)
		host := strings.Trim(u.host, "[]")
		switch a, err := netip.ParseAddr(host); {
		case err != nil:
			return Domain, host, true
		case a.Is4():
			return IPv4, host, true
		}
		return IPv6, host, true
	}
	return "", "", false
}
