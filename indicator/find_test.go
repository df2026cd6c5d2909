package indicator

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/polder-exchange/polder/internal/testdata"
)

// brief writes matches as "kind value", defanged ones with a star.
func brief(matches []Match) string {
	var parts []string
	for _, m := range matches {
		star := ""
		if m.Defanged {
			star = "*"
		}
		parts = append(parts, string(m.Kind)+star+" "+m.Value)
	}
	return strings.Join(parts, ", ")
}

func TestFind(t *testing.T) {
	const md5, sha256 = "79054025255fb1a26e4bc422aef54eb4", "aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f"
	for _, c := range []struct{ text, want, why string }{
		{"seen at 192.0.2.1.", "ipv4 192.0.2.1", "the full stop is not part of it"},
		{"(192.0.2.1), '192.0.2.2';", "ipv4 192.0.2.1, ipv4 192.0.2.2", "brackets and quotes"},
		{"192.0.2[.]1 and 192[.]0(.)2{.}2", "ipv4* 192.0.2.1, ipv4* 192.0.2.2", "defanged"},
		{"192.0.2.1:8080", "ipv4 192.0.2.1", "a port"},
		{"192.0.2.1/192.0.2.2", "ipv4 192.0.2.1, ipv4 192.0.2.2", "a slash between"},
		{"192.0.2.1-192.0.2.9", "ipv4 192.0.2.1, ipv4 192.0.2.9", "a range has two ends"},
		{"192.0.2.0/24 and 2001:db8::/32", "cidr 192.0.2.0/24, cidr 2001:db8::/32", "blocks"},
		{"192.0.2.77/24", "cidr 192.0.2.0/24", "host bits go"},
		{"1.2.3.4.5 256.1.1.1 1.2.3 01.02.03.04", "", "no addresses"},
		{"version 1.2.3.4, v1.2.3.4, Firmware: 10.0.0.1", "", "versions"},
		{"Mozilla/5.0 Chrome/120.0.0.0 Safari", "", "a version in a user agent"},
		{"version 1.2.3[.]4", "ipv4* 1.2.3.4", "nobody defangs a version"},
		{"from 2001:DB8::0:1, fe80::1%eth0 and [2001:db8::2]:443", "ipv6 2001:db8::1, ipv6 fe80::1, ipv6 2001:db8::2", "IPv6"},
		{"2001[:]db8[:][:]1", "ipv6* 2001:db8::1", "defanged IPv6"},
		{"::ffff:192.0.2.1", "ipv6 ::ffff:192.0.2.1", "a mapped address stays what it is"},
		{"std::string a::b dead::beef 12:30:45 00:11:22:33:44:55:66:77", "", "program text, times and fingerprints"},
		{"evil.example.com, EVIL.Example.COM.", "domain evil.example.com, domain evil.example.com", "names"},
		{"evil[.]com evil(dot)com evil [dot] com evil[punt]nl", "domain* evil.com, domain* evil.com, domain* evil.com, domain* evil.nl", "defanged"},
		{"example . com and foo", "", "a sign alone is no name"},
		{"*.evil.com", "domain evil.com", "a wildcard"},
		{"evil.com:8443", "domain evil.com", "a port"},
		{"münchen.de xn--mnchen-3ya.de", "domain xn--mnchen-3ya.de, domain xn--mnchen-3ya.de", "international names"},
		{"пример.рф", "domain xn--e1afmkfd.xn--p1ai", "international top-level domains"},
		{"report.pdf setup.exe invoice.docm", "filename report.pdf, filename setup.exe, filename invoice.docm", "files, not domains"},
		{"README.md main.go config.yaml", "", "files in which no attack travels, and md"},
		{"run.sh x.py tool.rs lib.so", "filename run.sh, filename x.py, filename lib.so", "endings that are countries too"},
		{"poczta.onet.pl run[.]sh", "domain poczta.onet.pl, domain* run.sh", "three parts, or defanged"},
		{"update.zip update[.]zip http://update.zip/x", "filename update.zip, domain* update.zip, url http://update.zip/x", "zip"},
		{"evil.vercel.app evil.app", "domain evil.vercel.app, filename evil.app", "app"},
		{`C:\Users\a\evil.exe and /opt/x/run.elf`, "filename evil.exe, filename run.elf", "the folder is no part"},
		{"ASP.NET and done.It was over.In all", "", "products and sentences"},
		{"co.uk com", "", "suffixes alone"},
		{"foo_bar.com a_b.foo.com", "domain a_b.foo.com", "an underscore where no registry allows it"},
		{"node.foo foo.notatld 3.14", "domain node.foo", "only top-level domains that exist"},
		{"http://evil.com/a?b=c#d.", "url http://evil.com/a?b=c#d", "a URL"},
		{"hxxps[:]//evil[.]com/a hXXp://evil.com h**p://evil.com", "url* https://evil.com/a, url* http://evil.com, url* http://evil.com", "defanged URLs"},
		{"hxxp[://]evil.com[/]x", "url* http://evil.com/x", "every sign in brackets"},
		{"[text](http://evil.com/x), <http://evil.com/y>", "url http://evil.com/x, url http://evil.com/y", "markup"},
		{"http://evil.com/a_(b) (http://evil.com/c)", "url http://evil.com/a_(b), url http://evil.com/c", "brackets of its own"},
		{"http://a.com/x,http://b.com/y;z", "url http://a.com/x, url http://b.com/y;z", "a list of URLs"},
		{"http://EVIL.com/Path http://MÜNCHEN.de/", "url http://evil.com/Path, url http://xn--mnchen-3ya.de/", "only the host has no case"},
		{"http://[2001:DB8::1]:8080/x http://192.0.2.1/x", "url http://[2001:db8::1]:8080/x, url http://192.0.2.1/x", "addresses in URLs"},
		{"http://localhost/ http://intranet/x http:// foo://evil.com", "domain evil.com", "URLs that mean nothing elsewhere"},
		{"http://u:p@evil.com/", "url http://u:p@evil.com/", "a user"},
		{"evil.com/payload.exe?x=1, 192.0.2.1/a", "url http://evil.com/payload.exe?x=1, url http://192.0.2.1/a", "no scheme but a path"},
		{"evil.com/ and/or TCP/IP", "domain evil.com", "no path"},
		{"user@evil.com, <User@EVIL.com> mailto:a@evil.com", "email user@evil.com, email user@evil.com, email a@evil.com", "mail"},
		{"user[at]evil[dot]com user (at) evil (dot) com", "email* user@evil.com, email* user@evil.com", "defanged mail"},
		{"@evil.com user@localhost a@b@c.com meet (at) noon", "domain evil.com", "no mail"},
		{md5 + " SHA256:" + strings.ToUpper(sha256), "md5 " + md5 + ", sha256 " + sha256, "hashes"},
		{"sha256=" + sha256 + " " + strings.Repeat("1", 32) + " " + md5[:31], "sha256 " + sha256, "a number and too short"},
		{"CVE-2024-12345 cve-2024-0001 CVE-24-1", "cve CVE-2024-12345, cve CVE-2024-0001", "CVE ids"},
		{"AS64500 ASN64501 as64502 AS99999999999", "asn AS64500, asn AS64501", "AS numbers"},
		{"“evil.com” «evil.org»、evil.net。", "domain evil.com, domain evil.org, domain evil.net", "signs of other scripts"},
		{"evil.com\u200b", "domain evil.com", "a character without width"},
		{"", "", "nothing"},
	} {
		if got := brief(Find(c.text)); got != c.want {
			t.Errorf("%s: Find(%q)\n got %s\nwant %s", c.why, c.text, got, c.want)
		}
	}
}

func TestFindPositions(t *testing.T) {
	text := "é see hxxp[:]//evil[.]com/a, then user (at) evil (dot) com\nand 192.0.2[.]1!"
	var got []string
	for _, m := range Find(text) {
		got = append(got, text[m.Start:m.End])
	}
	want := []string{"hxxp[:]//evil[.]com/a", "user (at) evil (dot) com", "192.0.2[.]1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkMatches holds the promises of Find for any text.
func checkMatches(t testing.TB, text string) {
	t.Helper()
	last := 0
	for _, m := range Find(text) {
		if m.Start < last || m.End <= m.Start || m.End > len(text) {
			t.Fatalf("Find(%q): %+v is out of order or range, last end %d", text, m, last)
		}
		last = m.End
		v, err := Normalise(m.Kind, m.Value)
		if err != nil || v != m.Value {
			t.Fatalf("Find(%q): %+v is not normal: %q, %v", text, m, v, err)
		}
		if p := Pattern(m.Kind, m.Value); m.Kind != CVE {
			if kind, value, err := FromPattern(p); err != nil || kind != m.Kind || value != m.Value {
				t.Fatalf("Find(%q): %+v as pattern %s reads as %s %q, %v", text, m, p, kind, value, err)
			}
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{
		"hxxps[:]//evil[.]com/a(b) user[at]evil[dot]com 192.0.2.1/24 [::1] a::1 CVE-2024-1234 AS1 x.zip",
		"((([.])))[://]{at}", "http://[::1]:80/ ftp://a@b:c", "1.2.3.4-1.2.3.5 evil.com/a,b;http://x.org", "é.de\u200b.com/\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkMatches(t, s)
		Refang(s)
		if k, v, err := Recognise(s); err == nil {
			if n, err := Normalise(k, v); err != nil || n != v {
				t.Fatalf("Recognise(%q) = %s %q, normal %q, %v", s, k, v, n, err)
			}
		}
	})
}

// TestFindInIndicatorLists: in a list of real command servers, each one line, every line gives its value.
func TestFindInIndicatorLists(t *testing.T) {
	raw, err := os.ReadFile(testdata.File(t, "detect", "ioc", "c2-iocs.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines, found := 0, 0
	var missed []string
	for line := range strings.Lines(string(raw)) {
		value := strings.TrimSpace(line)
		if value == "" || strings.HasPrefix(line, "#") || !utf8.ValidString(line) {
			continue
		}
		lines++
		if len(Find(value)) == 1 {
			found++
		} else {
			missed = append(missed, value)
		}
		checkMatches(t, line)
	}
	if lines < 500 || found*100 < lines*98 {
		t.Errorf("%d of %d values found; missed %q", found, lines, missed[:min(20, len(missed))])
	}
}

func TestRefangDefang(t *testing.T) {
	for _, c := range []struct {
		kind         Kind
		value, shown string
	}{
		{IPv4, "192.0.2.1", "192[.]0[.]2[.]1"},
		{IPv6, "2001:db8::1", "2001[:]db8[:][:]1"},
		{CIDR, "192.0.2.0/24", "192[.]0[.]2[.]0/24"},
		{CIDR, "2001:db8::/32", "2001[:]db8[:][:]/32"},
		{Domain, "evil.example.com", "evil[.]example[.]com"},
		{URL, "http://evil.com:80/a.b?c", "hxxp://evil[.]com:80/a.b?c"},
		{URL, "https://evil.com", "hxxps://evil[.]com"},
		{URL, "ftp://evil.com/x", "fxp://evil[.]com/x"},
		{URL, "sftp://evil.com/x", "sftp[://]evil[.]com/x"},
		{Email, "a.b@evil.com", "a[.]b[@]evil[.]com"},
		{MD5, "79054025255fb1a26e4bc422aef54eb4", "79054025255fb1a26e4bc422aef54eb4"},
		{Filename, "a.exe", "a.exe"},
	} {
		if got := Defang(c.kind, c.value); got != c.shown {
			t.Errorf("Defang(%s, %q) = %q, want %q", c.kind, c.value, got, c.shown)
		}
		if got := Refang(c.shown); got != c.value {
			t.Errorf("Refang(%q) = %q, want %q", c.shown, got, c.value)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct {
		in   string
		kind Kind
		out  string
	}{
		{" 192[.]0.2.1 ", IPv4, "192.0.2.1"},
		{"::1", IPv6, "::1"},
		{"0.0.0.0/0", CIDR, "0.0.0.0/0"},
		{"hxxp://evil.com", URL, "http://evil.com"},
		{"evil.zip", Filename, "evil.zip"},
		{"evil[.]zip", Domain, "evil.zip"},
		{"a@evil.com", Email, "a@evil.com"},
		{"two words", "", ""},
		{"", "", ""},
		{strings.Repeat("a", MaxValue) + ".com", "", ""},
	} {
		kind, out, err := Recognise(c.in)
		if kind != c.kind || out != c.out || (err != nil) != (c.kind == "") {
			t.Errorf("Recognise(%.60q) = %s, %q, %v; want %s, %q", c.in, kind, out, err, c.kind, c.out)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("On 3 March the actor used hxxps://evil[.]example.com/a/b.php from 192.0.2[.]44 and dropped setup.exe "+
		"(SHA-256 aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f); the mail came from a.b@evil.example.net, see CVE-2024-12345. ", 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if len(Find(text)) != 600 {
			b.Fatal(len(Find(text)))
		}
	}
}
