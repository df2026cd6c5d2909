package indicator

import (
	"errors"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/stix/pattern"
	"pgregory.net/rapid"
)

func TestNormalise(t *testing.T) {
	for _, c := range []struct {
		kind          Kind
		in, want, why string
	}{
		{IPv4, " 192.0.2.1 ", "192.0.2.1", ""},
		{IPv4, "192.0.2.01", "", "a leading zero is octal to some"},
		{IPv4, "::1", "", "the other kind"},
		{IPv6, "2001:DB8:0:0:0:0:0:1", "2001:db8::1", "the short form"},
		{IPv6, "fe80::1%eth0", "", "a zone means nothing elsewhere"},
		{CIDR, "192.0.2.77/24", "192.0.2.0/24", "host bits"},
		{CIDR, "192.0.2.0/33", "", ""},
		{Domain, "EVIL.Example.", "evil.example", "case and the last dot"},
		{Domain, "bücher.example", "xn--bcher-kva.example", "punycode"},
		{Domain, "com", "com", "a top-level domain is a name"},
		{Domain, "a_b.example", "a_b.example", "underscores are in the DNS"},
		{Domain, "a..b", "", "an empty part"},
		{Domain, "-a.b", "", "a hyphen at the edge"},
		{Domain, "a b.c", "", "a space"},
		{Domain, "192.0.2.1", "", "an address"},
		{Domain, strings.Repeat("a", 64) + ".com", "", "a long part"},
		{Domain, strings.Repeat("a.", 127) + "com", "", "a long name"},
		{Domain, "*.evil.example", "", "a wildcard"},
		{URL, "HTTP://EVIL.example./Path?Q#F", "http://evil.example/Path?Q#F", "scheme and host only"},
		{URL, "http://evil.example/%zz", "http://evil.example/%zz", "malware keeps no standard"},
		{URL, "http://a b.example/", "", "a space"},
		{URL, "evil.example/x", "", "no scheme"},
		{URL, "http://[::0001]:80/", "http://[::1]:80/", "an address"},
		{URL, "http://evil.example:99999/", "", "a port"},
		{URL, "http:///x", "", "no host"},
		{Email, "A.B@EVIL.example", "a.b@evil.example", "case"},
		{Email, "@evil.example", "", "no name"},
		{Email, "a b@evil.example", "", "a space"},
		{SHA1, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "case"},
		{MD5, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "", "another hash"},
		{SHA256, strings.Repeat("g", 64), "", "no hex"},
		{CVE, "cve-2024-12345", "CVE-2024-12345", "case"},
		{CVE, "2024-12345", "", ""},
		{ASN, "asn 064500", "AS64500", "one spelling"},
		{ASN, "64500", "AS64500", "a number alone"},
		{ASN, "AS4294967296", "", "beyond 32 bits"},
		{MAC, "00-1A-2B-3C-4D-5E", "00:1a:2b:3c:4d:5e", "one spelling"},
		{MAC, "00:11:22:33:44:55:66:77", "", "eight bytes"},
		{Filename, "a b.exe", "a b.exe", "as given"},
		{Mutex, `Global\x`, `Global\x`, "as given"},
		{Filename, "a\x00b", "", "a NUL"},
		{Filename, "a\xffb", "", "not UTF-8"},
		{Filename, "  ", "", "empty"},
		{Kind("nonsense"), "x", "", "no kind"},
	} {
		got, err := Normalise(c.kind, c.in)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: Normalise(%s, %q) = %q, %v; want %q", c.why, c.kind, c.in, got, err, c.want)
		}
		if err != nil {
			continue
		}
		if again, err := Normalise(c.kind, got); again != got || err != nil {
			t.Errorf("Normalise(%s, %q) again = %q, %v", c.kind, got, again, err)
		}
	}
}

func TestEqual(t *testing.T) {
	if !Equal(IPv6, "2001:db8::1", "2001:0DB8::0001") || Equal(IPv4, "192.0.2.1", "192.0.2.2") || Equal(IPv4, "x", "x") {
		t.Error("equality is not that of normal values")
	}
}

func TestParseKind(t *testing.T) {
	for in, want := range map[string]Kind{
		"ipv4": IPv4, "ipv4-addr:value": IPv4, "FileHash-SHA256": SHA256, "Domain Name": Domain, "hostname": Domain, "e-mail": Email,
		"SHA-1": SHA1, "domeinnaam": Domain, "bestandsnaam": Filename, "regkey": RegistryKey, "registry-key": RegistryKey, "nonsense": "", "": "",
	} {
		if got, err := ParseKind(in); got != want || (err != nil) != (want == "") {
			t.Errorf("ParseKind(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, k := range Kinds() {
		if got, err := ParseKind(string(k)); got != k || err != nil {
			t.Errorf("ParseKind(%q) = %q, %v", k, got, err)
		}
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		kind        Kind
		value, want string
	}{
		{IPv4, "192.0.2.1", "[ipv4-addr:value = '192.0.2.1']"},
		{CIDR, "192.0.2.0/24", "[ipv4-addr:value ISSUBSET '192.0.2.0/24']"},
		{CIDR, "2001:db8::/32", "[ipv6-addr:value ISSUBSET '2001:db8::/32']"},
		{SHA256, "aa", "[file:hashes.'SHA-256' = 'aa']"},
		{ASN, "AS64500", "[autonomous-system:number = 64500]"},
		{Filename, `it's\x`, `[file:name = 'it\'s\\x']`},
		{RegistryKey, `HKLM\Run`, `[windows-registry-key:key = 'HKLM\\Run']`},
		{CVE, "CVE-2024-1234", ""},
		{CIDR, "x", ""},
		{ASN, "x", ""},
	} {
		if got := Pattern(c.kind, c.value); got != c.want {
			t.Errorf("Pattern(%s, %q) = %s, want %s", c.kind, c.value, got, c.want)
		}
	}
}

func TestFromPattern(t *testing.T) {
	for _, c := range []struct {
		in    string
		kind  Kind
		value string
	}{
		{"[ipv4-addr:value = '192.0.2.1']", IPv4, "192.0.2.1"},
		{"[ipv4-addr:value = '192.0.2.0/24']", CIDR, "192.0.2.0/24"},
		{"[ipv6-addr:value IN ('2001:DB8::1')]", IPv6, "2001:db8::1"},
		{"[file:hashes.SHA256 = '" + strings.Repeat("A", 64) + "']", SHA256, strings.Repeat("a", 64)},
		{"[network-traffic:dst_ref.value = 'Evil.example']", Domain, "evil.example"},
		{"[network-traffic:dst_ref.value = '192.0.2.1']", IPv4, "192.0.2.1"},
		{"[email-message:from_ref.value = 'a@evil.example']", Email, "a@evil.example"},
		{"[autonomous-system:number = 64500]", ASN, "AS64500"},
		{"[ipv4-addr:value = '::1']", "", ""},
		{"[ipv6-addr:value ISSUBSET '192.0.2.0/24']", "", ""},
		{"[url:value ISSUBSET 'http://x.example/']", "", ""},
		{"[url:value NOT = 'http://x.example/']", "", ""},
		{"[url:value LIKE 'http://x.example/%']", "", ""},
		{"[url:value = 'http://x.example/'] WITHIN 5 SECONDS", "", ""},
		{"[url:value = 'http://x.example/' AND file:name = 'a.exe']", "", ""},
		{"[url:value = 'http://x.example/'] AND [file:name = 'a.exe']", "", ""},
		{"[EXISTS url:value]", "", ""},
		{"[url:value IN ()]", "", ""},
		{"[x-own:thing = 'x']", "", ""},
		{"[autonomous-system:number = '64500']", "", ""},
		{"[file:name = h'ff']", "", ""},
	} {
		kind, value, err := FromPattern(c.in)
		if kind != c.kind || value != c.value || (c.kind == "") != errors.Is(err, ErrNoSingleValue) {
			t.Errorf("FromPattern(%s) = %s, %q, %v; want %s, %q", c.in, kind, value, err, c.kind, c.value)
		}
	}
	if _, _, err := FromPattern("[x"); err == nil || errors.Is(err, ErrNoSingleValue) {
		t.Errorf("a wrong pattern: %v", err)
	} else if _, ok := errors.AsType[*pattern.Error](err); !ok {
		t.Errorf("a wrong pattern gives %T", err)
	}
}

func TestAnyFromPattern(t *testing.T) {
	got, err := AnyFromPattern("[domain-name:value IN ('a.example', 'b.example') OR ipv4-addr:value = '192.0.2.1'] OR [file:name = 'c.exe']")
	want := []Value{{Domain, "a.example"}, {Domain, "b.example"}, {IPv4, "192.0.2.1"}, {Filename, "c.exe"}}
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("value %d is %v, want %v", i, got[i], want[i])
		}
	}
	if _, err := AnyFromPattern("[file:name = 'c.exe'] OR ([file:name = 'a'] FOLLOWEDBY [file:name = 'b'])"); !errors.Is(err, ErrNoSingleValue) {
		t.Errorf("a sequence gives %v", err)
	}
}

// TestPatternRoundTrip: whatever a value is, its pattern reads back as that value.
func TestPatternRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{Filename, Mutex, RegistryKey}).Draw(t, "kind")
		value, err := Normalise(kind, rapid.String().Draw(t, "value"))
		if err != nil {
			return
		}
		k, v, err := FromPattern(Pattern(kind, value))
		if err != nil || k != kind || v != value {
			t.Fatalf("got %s %q, %v; want %s %q", k, v, err, kind, value)
		}
	})
}

func FuzzFromPattern(f *testing.F) {
	for _, s := range []string{"[ipv4-addr:value = '192.0.2.1']", "[domain-name:value IN ('a.example', 'b.example')] OR [autonomous-system:number = +1]",
		"[ipv6-addr:value ISSUBSET '::/0']", "[file:hashes.'SHA-256' = 'x' OR url:value = 'http://[::1]']"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		values, err := AnyFromPattern(s)
		if err != nil {
			return
		}
		for _, v := range values {
			p := Pattern(v.Kind, v.Value)
			if k, n, err := FromPattern(p); err != nil || k != v.Kind || n != v.Value {
				t.Fatalf("%q: %v as %s reads as %s %q, %v", s, v, p, k, n, err)
			}
		}
	})
}
