package misp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// mapping says what an attribute type is in STIX. Parts are the pieces of its value, in order; a type of two has them
// with a bar between.
type mapping struct {
	parts    []part
	pattern  func(v []string) string           // nil: no pattern
	observe  func(v []string, s *sightedThing) // nil: no observable
	language string                            // of a rule that is a pattern by itself: yara, sigma, snort
}

// part reads one piece of a value: normalised, or an error.
type part func(string) (string, error)

// sightedThing gathers the observables of one attribute.
type sightedThing struct {
	objects []stix.Object
	err     error
}

// add makes an observable and returns its id.
func (s *sightedThing) add(typ string, set func(*stix.Members)) string {
	o, err := stix.Make(typ, set)
	if err != nil {
		s.err = err
		return ""
	}
	s.objects = append(s.objects, o)
	return o.ID
}

func plain(v string) (string, error) { return v, nil }

func ofKind(k indicator.Kind) part {
	return func(v string) (string, error) { return indicator.Normalise(k, v) }
}

// address reads an IPv4 or IPv6 address or a block of them.
func address(v string) (string, error) {
	if strings.Contains(v, "/") {
		return indicator.Normalise(indicator.CIDR, v)
	}
	if strings.Contains(v, ":") {
		return indicator.Normalise(indicator.IPv6, v)
	}
	return indicator.Normalise(indicator.IPv4, v)
}

func port(v string) (string, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 16)
	if err != nil {
		return "", fmt.Errorf("%q is no port", v)
	}
	return strconv.FormatUint(n, 10), nil
}

// hexOf reads a hash of so many digits.
func hexOf(digits int) part {
	return func(v string) (string, error) {
		v = strings.ToLower(strings.TrimSpace(v))
		if len(v) != digits || strings.Trim(v, "0123456789abcdef") != "" {
			return "", fmt.Errorf("%.80q is no hash of %d hex digits", v, digits)
		}
		return v, nil
	}
}

func addrType(v string) string {
	if strings.Contains(v, ":") {
		return "ipv6-addr"
	}
	return "ipv4-addr"
}

func equals(path, v string) string { return path + " = " + pattern.Quote(v) }

// test puts comparisons into brackets.
func test(comparisons ...string) string { return "[" + strings.Join(comparisons, " AND ") + "]" }

// text types: one path, one observable with one property.
func simple(path, typ, property string, read part) mapping {
	return mapping{
		parts:   []part{read},
		pattern: func(v []string) string { return test(equals(path, v[0])) },
		observe: func(v []string, s *sightedThing) {
			s.add(typ, func(m *stix.Members) { m.Set(property, v[0]) })
		},
	}
}

func onlyPattern(path string) mapping {
	return mapping{parts: []part{plain}, pattern: func(v []string) string { return test(equals(path, v[0])) }}
}

func addressMapping() mapping {
	return mapping{
		parts: []part{address},
		pattern: func(v []string) string {
			if strings.Contains(v[0], "/") {
				return indicator.Pattern(indicator.CIDR, v[0])
			}
			return test(equals(addrType(v[0])+":value", v[0]))
		},
		observe: func(v []string, s *sightedThing) { addAddress(s, v[0]) },
	}
}

func addAddress(s *sightedThing, v string) string {
	return s.add(addrType(v), func(m *stix.Members) { m.Set("value", v) })
}

// endpoint is an address or a name with a port; side is src or dst.
func endpoint(side string, read part) mapping {
	return mapping{
		parts: []part{read, port},
		pattern: func(v []string) string {
			return test(equals("network-traffic:"+side+"_ref.value", v[0]), "network-traffic:"+side+"_port = "+v[1])
		},
		observe: func(v []string, s *sightedThing) {
			protocol, host := "tcp", ""
			if _, err := address(v[0]); err == nil {
				protocol, host = strings.TrimSuffix(addrType(v[0]), "-addr"), addAddress(s, v[0])
			} else {
				host = s.add("domain-name", func(m *stix.Members) { m.Set("value", v[0]) })
			}
			n, _ := strconv.Atoi(v[1])
			s.add("network-traffic", func(m *stix.Members) {
				m.Set(side+"_ref", host)
				m.Set(side+"_port", n)
				m.Set("protocols", []string{protocol})
			})
		},
	}
}

// hashNames are the hashes that STIX has a name for, by attribute type.
var hashNames = map[string]struct {
	name string
	read part
}{
	"md5": {"MD5", hexOf(32)}, "sha1": {"SHA-1", hexOf(40)}, "sha256": {"SHA-256", hexOf(64)}, "sha512": {"SHA-512", hexOf(128)},
	"sha3-256": {"SHA3-256", hexOf(64)}, "sha3-512": {"SHA3-512", hexOf(128)}, "ssdeep": {"SSDEEP", plain}, "tlsh": {"TLSH", plain},
}

// hashPath is the way to a hash below a type.
func hashPath(typ, name string) string {
	if name == strings.ReplaceAll(name, "-", "") {
		return typ + ":hashes." + name
	}
	return typ + ":hashes.'" + name + "'"
}

func hashMapping(typ, name string, read part) mapping {
	return mapping{
		parts:   []part{read},
		pattern: func(v []string) string { return test(equals(hashPath(typ, name), v[0])) },
		observe: func(v []string, s *sightedThing) {
			s.add(typ, func(m *stix.Members) { m.Set("hashes", map[string]string{name: v[0]}) })
		},
	}
}

func namedHashMapping(name string, read part) mapping {
	return mapping{
		parts:   []part{plain, read},
		pattern: func(v []string) string { return test(equals("file:name", v[0]), equals(hashPath("file", name), v[1])) },
		observe: func(v []string, s *sightedThing) {
			s.add("file", func(m *stix.Members) {
				m.Set("hashes", map[string]string{name: v[1]})
				m.Set("name", v[0])
			})
		},
	}
}

// mappings are the attribute types that STIX has words for.
var mappings = buildMappings()

func buildMappings() map[string]mapping {
	all := map[string]mapping{
		"ip-src": addressMapping(), "ip-dst": addressMapping(),
		"ip-src|port": endpoint("src", address), "ip-dst|port": endpoint("dst", address), "hostname|port": endpoint("dst", ofKind(indicator.Domain)),
		"domain":           simple("domain-name:value", "domain-name", "value", ofKind(indicator.Domain)),
		"hostname":         simple("domain-name:value", "domain-name", "value", ofKind(indicator.Domain)),
		"domain|ip":        resolvedDomain(),
		"url":              simple("url:value", "url", "value", ofKind(indicator.URL)),
		"uri":              simple("url:value", "url", "value", ofKind(indicator.URL)),
		"mac-address":      simple("mac-addr:value", "mac-addr", "value", ofKind(indicator.MAC)),
		"filename":         simple("file:name", "file", "name", plain),
		"mutex":            simple("mutex:name", "mutex", "name", plain),
		"regkey":           simple("windows-registry-key:key", "windows-registry-key", "key", registryKey),
		"regkey|value":     registryValue(),
		"AS":               asNumber(),
		"email-subject":    mailSubject(),
		"email-message-id": onlyPattern("email-message:message_id"),
		"user-agent":       onlyPattern("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"),
		"email-attachment": onlyPattern("email-message:body_multipart[*].body_raw_ref.name"),
		"imphash":          onlyPattern("file:extensions.'windows-pebinary-ext'.imphash"),
		"port":             {parts: []part{port}, pattern: func(v []string) string { return test("network-traffic:dst_port = " + v[0]) }},
		"yara":             {parts: []part{plain}, language: "yara"}, "sigma": {parts: []part{plain}, language: "sigma"}, "snort": {parts: []part{plain}, language: "snort"},
	}
	for _, typ := range []string{"email", "email-src", "email-dst", "target-email", "whois-registrant-email"} {
		all[typ] = simple("email-addr:value", "email-addr", "value", ofKind(indicator.Email))
	}
	for typ, h := range hashNames {
		all[typ] = hashMapping("file", h.name, h.read)
		all["filename|"+typ] = namedHashMapping(h.name, h.read)
		if typ == "md5" || typ == "sha1" || typ == "sha256" {
			all["x509-fingerprint-"+typ] = hashMapping("x509-certificate", h.name, h.read)
		}
	}
	all["malware-sample"] = all["filename|md5"]
	return all
}

func resolvedDomain() mapping {
	return mapping{
		parts: []part{ofKind(indicator.Domain), address},
		pattern: func(v []string) string {
			return test(equals("domain-name:value", v[0]), equals("domain-name:resolves_to_refs[*].value", v[1]))
		},
		observe: func(v []string, s *sightedThing) {
			var ip sightedThing
			id := addAddress(&ip, v[1])
			s.add("domain-name", func(m *stix.Members) {
				m.Set("value", v[0])
				m.Set("resolves_to_refs", []string{id})
			})
			s.objects = append(s.objects, ip.objects...)
			if ip.err != nil {
				s.err = ip.err
			}
		},
	}
}

// hives are the short names of the trees of the registry, which STIX wants in full.
var hives = map[string]string{"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER", "HKCR": "HKEY_CLASSES_ROOT", "HKU": "HKEY_USERS",
	"HKCC": "HKEY_CURRENT_CONFIG"}

// registryKey reads a key of the registry, its tree written in full.
func registryKey(v string) (string, error) {
	hive, rest, _ := strings.Cut(v, `\`)
	if full, ok := hives[strings.ToUpper(hive)]; ok && rest != "" {
		return full + `\` + rest, nil
	}
	return v, nil
}

func registryValue() mapping {
	return mapping{
		parts: []part{registryKey, plain},
		pattern: func(v []string) string {
			return test(equals("windows-registry-key:key", v[0]), equals("windows-registry-key:values[*].data", v[1]))
		},
		observe: func(v []string, s *sightedThing) {
			s.add("windows-registry-key", func(m *stix.Members) {
				m.Set("key", v[0])
				m.Set("values", []func(*stix.Members){func(m *stix.Members) { m.Set("data", v[1]) }})
			})
		},
	}
}

func asNumber() mapping {
	return mapping{
		parts:   []part{ofKind(indicator.ASN)},
		pattern: func(v []string) string { return indicator.Pattern(indicator.ASN, v[0]) },
		observe: func(v []string, s *sightedThing) {
			n, _ := strconv.ParseInt(v[0][2:], 10, 64)
			s.add("autonomous-system", func(m *stix.Members) { m.Set("number", n) })
		},
	}
}

func mailSubject() mapping {
	return mapping{
		parts:   []part{plain},
		pattern: func(v []string) string { return test(equals("email-message:subject", v[0])) },
		observe: func(v []string, s *sightedThing) {
			s.add("email-message", func(m *stix.Members) {
				m.Set("is_multipart", false)
				m.Set("subject", v[0])
			})
		},
	}
}

// split reads the pieces of a value of a type that is mapped.
func (m mapping) split(typ, value string) ([]string, error) {
	pieces := []string{value}
	if len(m.parts) == 2 {
		bar := strings.LastIndexByte(value, '|')
		if typ == "regkey|value" {
			bar = strings.IndexByte(value, '|')
		}
		if bar < 0 {
			return nil, fmt.Errorf("%.80q has no bar between its two parts", value)
		}
		pieces = []string{value[:bar], value[bar+1:]}
	}
	for i, read := range m.parts {
		v, err := read(pieces[i])
		if err != nil {
			return nil, err
		}
		if v == "" {
			return nil, fmt.Errorf("%.80q has an empty part", value)
		}
		pieces[i] = v
	}
	return pieces, nil
}

// patternOf is the pattern of an attribute and the language it is in; "" when its type has none.
func patternOf(typ, value string) (text, language string, err error) {
	m, ok := mappings[typ]
	switch {
	case !ok:
		return "", "", nil
	case m.language != "":
		return value, m.language, nil
	case m.pattern == nil:
		return "", "", nil
	}
	v, err := m.split(typ, value)
	if err != nil {
		return "", "", err
	}
	return m.pattern(v), "stix", nil
}

// observablesOf are the observables of an attribute; none when its type has none.
func observablesOf(typ, value string) ([]stix.Object, error) {
	m, ok := mappings[typ]
	if !ok || m.observe == nil {
		return nil, nil
	}
	v, err := m.split(typ, value)
	if err != nil {
		return nil, err
	}
	var s sightedThing
	m.observe(v, &s)
	return s.objects, s.err
}

// valuesOf are the values of an observable that attributes are made of, with the attribute type for each.
func valuesOf(o stix.Object) []typedValue {
	var p struct {
		Value, Name, Key, Subject string
		MessageID                 string `json:"message_id"`
		Number                    json.Number
		DstPort                   json.Number `json:"dst_port"`
		SrcPort                   json.Number `json:"src_port"`
		Hashes                    map[string]string
		Values                    []struct{ Data string }
	}
	if json.Unmarshal(o.Raw(), &p) != nil {
		return nil
	}
	var all []typedValue
	add := func(typ, value string) {
		if value != "" {
			all = append(all, typedValue{typ, value})
		}
	}
	switch o.Type {
	case "ipv4-addr", "ipv6-addr":
		add("ip-dst", p.Value)
	case "domain-name":
		add("domain", p.Value)
	case "url":
		add("url", p.Value)
	case "email-addr":
		add("email", p.Value)
	case "mac-addr":
		add("mac-address", p.Value)
	case "mutex":
		add("mutex", p.Name)
	case "autonomous-system":
		if p.Number != "" {
			add("AS", "AS"+p.Number.String())
		}
	case "windows-registry-key":
		add("regkey", p.Key)
		for _, v := range p.Values {
			add("text", v.Data)
		}
	case "network-traffic":
		add("port", p.DstPort.String())
		add("port", p.SrcPort.String())
	case "email-message":
		add("email-subject", p.Subject)
		add("email-message-id", p.MessageID)
	case "file", "x509-certificate":
		add("filename", p.Name)
		for _, typ := range []string{"md5", "sha1", "sha256", "sha512", "sha3-256", "sha3-512", "ssdeep", "tlsh"} {
			prefix := ""
			if o.Type != "file" {
				prefix = "x509-fingerprint-"
			}
			add(prefix+typ, p.Hashes[hashNames[typ].name])
		}
	}
	return all
}

// typedValue is a value with its attribute type.
type typedValue struct{ typ, value string }
