package indicator

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// names maps international names to the form that the DNS asks for.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule())

// normaliseDomain gives a name in lower-case punycode without the last dot. Labels may hold underscores, as in the DNS.
// One label alone is a name too: a top-level domain must be able to be named in order to be warned of.
func normaliseDomain(v string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("%s is no domain name: %s; write mail.example.org", show(v), why)
	}
	name := v
	if !isASCII(v) {
		ascii, err := names.ToASCII(v)
		if err != nil || !isASCII(ascii) {
			return bad("it has characters that no name may have")
		}
		name = ascii
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if len(name) > 253 {
		return bad("it has more than 253 characters")
	}
	label := ""
	for label = range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return bad("it has an empty part")
		case len(label) > 63:
			return bad("a part has more than 63 characters")
		case label[0] == '-' || label[len(label)-1] == '-':
			return bad("a part starts or ends with a hyphen")
		case !isLabel(label):
			return bad("it has characters that no name may have")
		}
	}
	if strings.Trim(label, "0123456789") == "" {
		return bad("its last part is a number")
	}
	return name, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func isLabel(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// specialNames are top-level names that no registry sells and that are still used: in examples, at home, by Tor.
var specialNames = map[string]bool{"example": true, "test": true, "invalid": true, "local": true, "internal": true, "onion": true}

// hasKnownTLD says whether a normalised name ends in a top-level domain that exists.
func hasKnownTLD(name string) bool {
	suffix, icann := publicsuffix.PublicSuffix(name)
	return icann || strings.Contains(suffix, ".") || specialNames[suffix]
}

// isPublicSuffix says whether anybody may register below the name: com, co.uk, github.io.
func isPublicSuffix(name string) bool {
	suffix, _ := publicsuffix.PublicSuffix(name)
	return suffix == name
}

// registrable is the name that somebody registered: example.co.uk for a.b.example.co.uk. A public suffix is its own.
func registrable(name string) string {
	if d, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return d
	}
	return name
}

// isICANN says whether a public suffix is one of a registry, not of a provider.
func isICANN(name string) bool {
	_, icann := publicsuffix.PublicSuffix(name)
	return icann
}
