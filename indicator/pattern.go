package indicator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/polder-exchange/polder/stix/pattern"
)

// paths are the object paths of the kinds that a STIX pattern compares as a text.
var paths = map[Kind]string{
	IPv4: "ipv4-addr:value", IPv6: "ipv6-addr:value", Domain: "domain-name:value", URL: "url:value", Email: "email-addr:value",
	MD5: "file:hashes.MD5", SHA1: "file:hashes.'SHA-1'", SHA256: "file:hashes.'SHA-256'", SHA512: "file:hashes.'SHA-512'",
	Imphash: "file:extensions.'windows-pebinary-ext'.imphash", CertSerial: "x509-certificate:serial_number",
	UserAgent: "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
	Filename:  "file:name", Mutex: "mutex:name", MAC: "mac-addr:value", RegistryKey: "windows-registry-key:key",
}

// Pattern is the STIX pattern that finds a value, which is escaped as it has to be and otherwise left as it is. A block
// of addresses becomes ISSUBSET, an AS number a number. It is empty for a CVE, which STIX tells as a vulnerability
// object, for JA3 and JA3S, which it has no path for, and for a value that is not of its kind where the pattern depends
// on it (blocks, AS numbers and fingerprints of certificates).
func Pattern(kind Kind, value string) string {
	switch kind {
	case CIDR:
		v, err := normaliseCIDR(value)
		if err != nil {
			return ""
		}
		if strings.Contains(v, ":") {
			return "[ipv6-addr:value ISSUBSET " + pattern.Quote(v) + "]"
		}
		return "[ipv4-addr:value ISSUBSET " + pattern.Quote(v) + "]"
	case ASN:
		v, err := Normalise(ASN, value)
		if err != nil {
			return ""
		}
		return "[autonomous-system:number = " + v[2:] + "]"
	}
	if kind == CertHash {
		v, err := Normalise(CertHash, value)
		if err != nil {
			return ""
		}
		name := map[int]string{32: "MD5", 40: "'SHA-1'", 64: "'SHA-256'"}[len(v)]
		return "[x509-certificate:hashes." + name + " = " + pattern.Quote(v) + "]"
	}
	if path, ok := paths[kind]; ok {
		return "[" + path + " = " + pattern.Quote(value) + "]"
	}
	return ""
}

// Value is a value with its kind, normalised.
type Value struct {
	Kind  Kind
	Value string
}

// ErrNoSingleValue says that a pattern is right but asks for more than one value, or for none that has a kind.
var ErrNoSingleValue = errors.New("the pattern is not the test for one value")

// FromPattern reads the pattern of one value. The error is a [*pattern.Error] for a pattern that is wrong, and
// [ErrNoSingleValue] for one that combines or restricts.
func FromPattern(text string) (Kind, string, error) {
	values, err := AnyFromPattern(text)
	if err != nil {
		return "", "", err
	}
	if len(values) != 1 {
		return "", "", fmt.Errorf("%w: it lists %d", ErrNoSingleValue, len(values))
	}
	return values[0].Kind, values[0].Value, nil
}

// AnyFromPattern reads a pattern that any one of several values meets, as a list with IN or OR has it: each value is an
// indicator by itself. The errors are those of [FromPattern]; no value is given where only a combination counts.
func AnyFromPattern(text string) ([]Value, error) {
	p, err := pattern.Parse(text)
	if err != nil {
		return nil, err
	}
	return Values(p)
}

// Values is [AnyFromPattern] for a pattern that is parsed already.
func Values(p *pattern.Pattern) ([]Value, error) {
	return valuesOfObservation(nil, p.Root)
}

func valuesOfObservation(list []Value, o pattern.Observation) ([]Value, error) {
	switch o := o.(type) {
	case *pattern.Single:
		return valuesOfTest(list, o.Test)
	case *pattern.Combination:
		if o.Op != pattern.ObservationOr {
			return nil, fmt.Errorf("%w: it joins observations by %s", ErrNoSingleValue, o.Op)
		}
		var err error
		for _, term := range o.Terms {
			if list, err = valuesOfObservation(list, term); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return nil, fmt.Errorf("%w: it has a qualifier", ErrNoSingleValue)
}

func valuesOfTest(list []Value, t pattern.Test) ([]Value, error) {
	switch t := t.(type) {
	case *pattern.Comparison:
		return valuesOfComparison(list, t)
	case *pattern.Junction:
		if t.Op != pattern.Or {
			return nil, fmt.Errorf("%w: it joins tests by AND", ErrNoSingleValue)
		}
		var err error
		for _, term := range t.Terms {
			if list, err = valuesOfTest(list, term); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func valuesOfComparison(list []Value, c *pattern.Comparison) ([]Value, error) {
	subnet := c.Op == pattern.IsSubset
	if c.Negated || c.Exists || c.Op != pattern.Equal && c.Op != pattern.In && !subnet || len(c.Values) == 0 {
		return nil, fmt.Errorf("%w: %s is no comparison with a value", ErrNoSingleValue, c)
	}
	for _, l := range c.Values {
		v, err := valueAt(c.Path, l, subnet)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// valueAt says what a literal at a path is.
func valueAt(path pattern.ObjectPath, l pattern.Literal, subnet bool) (Value, error) {
	kind := kindAt(path, l)
	if (kind == IPv4 || kind == IPv6) && strings.Contains(l.Text, "/") {
		kind = CIDR
	} else if subnet && kind != IPv4 && kind != IPv6 {
		kind = ""
	}
	if kind == "" || (l.Kind == pattern.Int) != (kind == ASN) || l.Kind != pattern.Int && l.Kind != pattern.String {
		return Value{}, fmt.Errorf("%w: %s = %s is of no known kind", ErrNoSingleValue, path, l)
	}
	text := l.Text
	if kind == ASN {
		text = strings.TrimPrefix(text, "+")
	}
	v, err := Normalise(kind, text)
	if err != nil {
		return Value{}, fmt.Errorf("%w: %w", ErrNoSingleValue, err)
	}
	if kind == CIDR && strings.Contains(v, ":") != (path.ObjectType == "ipv6-addr") && strings.HasPrefix(path.ObjectType, "ip") {
		return Value{}, fmt.Errorf("%w: %s is no %s", ErrNoSingleValue, v, path.ObjectType)
	}
	return Value{kind, v}, nil
}

// kindAt is the kind of value that an object path leads to, "" if it is none.
func kindAt(path pattern.ObjectPath, l pattern.Literal) Kind {
	switch text := path.String(); text {
	case "autonomous-system:number":
		return ASN
	case "file:hashes.SHA1", "file:hashes.'sha-1'", "file:hashes.sha1":
		return SHA1
	case "file:hashes.SHA256", "file:hashes.'sha-256'", "file:hashes.sha256":
		return SHA256
	case "file:hashes.SHA512", "file:hashes.'sha-512'", "file:hashes.sha512":
		return SHA512
	case "file:hashes.md5", "file:hashes.'MD-5'":
		return MD5
	case "file:hashes.imphash", "file:hashes.IMPHASH":
		return Imphash
	case "x509-certificate:hashes.MD5", "x509-certificate:hashes.'SHA-1'", "x509-certificate:hashes.SHA1",
		"x509-certificate:hashes.'SHA-256'", "x509-certificate:hashes.SHA256":
		return CertHash
	case "network-traffic:dst_ref.value", "network-traffic:src_ref.value":
		if k, _ := classifyNumber(l.Text); k == IPv4 || k == IPv6 || k == CIDR {
			return k
		}
		return Domain
	case "email-message:from_ref.value", "email-message:sender_ref.value":
		return Email
	default:
		for kind, own := range paths {
			if own == text {
				return kind
			}
		}
	}
	return ""
}
