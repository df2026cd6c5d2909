package indicator

import (
	"fmt"
	"strings"
)

// Kind is what a value is. The text of a Kind is stable: it is stored and shown.
type Kind string

// The kinds of value.
const (
	IPv4        Kind = "ipv4"
	IPv6        Kind = "ipv6"
	CIDR        Kind = "cidr" // a block of IPv4 or IPv6 addresses
	Domain      Kind = "domain"
	URL         Kind = "url"
	Email       Kind = "email"
	MD5         Kind = "md5"
	SHA1        Kind = "sha1"
	SHA256      Kind = "sha256"
	SHA512      Kind = "sha512"
	Filename    Kind = "filename"
	Mutex       Kind = "mutex"
	ASN         Kind = "asn" // AS64500
	CVE         Kind = "cve" // CVE-2024-12345
	MAC         Kind = "mac"
	RegistryKey Kind = "registry-key"
	Imphash     Kind = "imphash"            // MD5 over the imports of a Windows program
	JA3         Kind = "ja3"                // MD5 over how a TLS client says hello
	JA3S        Kind = "ja3s"               // the same of a server
	CertSerial  Kind = "certificate-serial" // hexadecimal, without leading zeros
	CertHash    Kind = "certificate-hash"   // fingerprint of a certificate: MD5, SHA-1 or SHA-256
	UserAgent   Kind = "user-agent"
)

var kinds = [...]Kind{IPv4, IPv6, CIDR, Domain, URL, Email, MD5, SHA1, SHA256, SHA512, Filename, Mutex, ASN, CVE, MAC, RegistryKey,
	Imphash, JA3, JA3S, CertSerial, CertHash, UserAgent}

// Kinds lists every kind, in a fixed order.
func Kinds() []Kind { return append([]Kind(nil), kinds[:]...) }

// kindNames are the names that other tools and people give the kinds, as foldName leaves them. "ip" is not among them:
// the value tells which of the three it is.
var kindNames = map[string]Kind{
	"ipv4addr": IPv4, "ipv4address": IPv4, "ipv6addr": IPv6, "ipv6address": IPv6, "subnet": CIDR, "network": CIDR, "netblock": CIDR,
	"netwerk": CIDR, "ipv4cidr": CIDR, "ipv6cidr": CIDR, "hostname": Domain, "domainname": Domain, "host": Domain, "fqdn": Domain,
	"domein": Domain, "domeinnaam": Domain, "uri": URL, "link": URL, "emailaddr": Email, "emailaddress": Email, "emailsrc": Email,
	"emaildst": Email, "mail": Email, "mailadres": Email, "emailadres": Email, "filehashmd5": MD5, "hashmd5": MD5,
	"filehashsha1": SHA1, "hashsha1": SHA1, "filehashsha256": SHA256, "hashsha256": SHA256, "filehashsha512": SHA512,
	"hashsha512": SHA512, "file": Filename, "bestand": Filename, "bestandsnaam": Filename, "as": ASN, "autonomoussystem": ASN,
	"vulnerability": CVE, "kwetsbaarheid": CVE, "macaddr": MAC, "macaddress": MAC, "macadres": MAC, "regkey": RegistryKey, "registry": RegistryKey,
	"windowsregistrykey": RegistryKey, "register": RegistryKey, "muteks": Mutex, "importhash": Imphash,
	"hashimphash": Imphash, "peimphash": Imphash, "ja3fingerprintmd5": JA3, "ja3hash": JA3, "ja3sfingerprintmd5": JA3S, "ja3shash": JA3S,
	"x509serialnumber": CertSerial, "x509certificateserialnumber": CertSerial, "certserial": CertSerial,
	"certificaatnummer": CertSerial, "certhash": CertHash, "certificatefingerprint": CertHash, "x509fingerprintsha1": CertHash,
	"x509fingerprintsha256": CertHash, "x509fingerprintmd5": CertHash, "certificaatvingerafdruk": CertHash,
}

// foldName makes names comparable: lower case, letters and digits only.
func foldName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// ParseKind reads the name of a kind: our own, that of a STIX object or path ("ipv4-addr:value"), and the usual ones of
// other tools in English and Dutch. Case, spaces and hyphens do not matter.
func ParseKind(name string) (Kind, error) {
	head, _, _ := strings.Cut(name, ":value")
	folded := foldName(head)
	for _, k := range kinds {
		if folded == foldName(string(k)) {
			return k, nil
		}
	}
	if k, ok := kindNames[folded]; ok {
		return k, nil
	}
	return "", fmt.Errorf("%.40q is no kind of indicator; use one of %s", name, kindList())
}

func kindList() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}
