package indicator

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polder-exchange/polder/internal/testdata"
)

// lists are the names of the lists that warn of a value.
func warningLists(w *Warnings, kind Kind, value string) string {
	var names []string
	for _, one := range w.Check(kind, value) {
		names = append(names, one.List)
	}
	return strings.Join(names, ", ")
}

// TestS13Poison: what must never become a block is warned of by the built-in lists alone.
func TestS13Poison(t *testing.T) {
	w := NewWarnings()
	const wide = "blocks that are too wide"
	for _, c := range []struct {
		kind        Kind
		value, want string
	}{
		{CIDR, "0.0.0.0/0", wide}, {CIDR, "::/0", wide}, {CIDR, "8.0.0.0/8", ListResolvers},
		{IPv4, "10.1.2.3", ListSpecialNetworks}, {IPv4, "127.0.0.1", ListSpecialNetworks}, {IPv4, "224.0.0.5", ListSpecialNetworks},
		{IPv6, "::1", ListSpecialNetworks}, {IPv6, "fe80::1", ListSpecialNetworks}, {IPv6, "::ffff:8.8.8.8", ListResolvers},
		{IPv4, "192.0.2.1", ListDocumentation}, {IPv6, "2001:db8::1", ListDocumentation},
		{IPv4, "8.8.8.8", ListResolvers}, {CIDR, "9.9.9.0/24", ListResolvers}, {URL, "http://1.1.1.1/x", ListResolvers},
		{IPv4, "198.41.0.4", ListResolvers}, {Domain, "dns.google", ListResolvers},
		{Domain, "com", "public suffixes"}, {Domain, "co.uk", "public suffixes"}, {Domain, "github.io", "public suffixes"},
		{Domain, "printer.local", ListSpecialNames}, {Domain, "mail.example", ListDocumentation},
		{Domain, "time.windows.com", ListUpdates}, {URL, "http://archive.ubuntu.com/x", ListUpdates}, {Domain, "0.pool.ntp.org", ListUpdates},
		{Domain, "download.microsoft.com", ListUpdates}, {Domain, "microsoft.com", ListUpdates},
		{SHA256, "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", ListEmptyFiles},
		{Filename, "Svchost.EXE", ListSystemFiles},
		{Domain, ".*", "values that are wrong"}, {IPv4, "", "values that are wrong"},
	} {
		if got := warningLists(w, c.kind, c.value); !strings.Contains(got, c.want) {
			t.Errorf("Check(%s, %q) = %q, want %q", c.kind, c.value, got, c.want)
		}
	}
	for _, c := range []Value{
		{IPv4, "45.155.205.233"}, {IPv6, "2a03:2880::1"}, {CIDR, "45.155.205.0/24"}, {Domain, "evil.com"}, {Domain, "evil.github.io"},
		{Domain, "microsoft.com.evil.net"}, {Domain, "notmicrosoft.com"}, {URL, "http://evil.com/download.microsoft.com"},
		{Email, "a@example.com"}, {SHA256, strings.Repeat("ab", 32)}, {Filename, "invoice.exe"}, {CVE, "CVE-2024-1234"}, {ASN, "AS64500"},
	} {
		if got := w.Check(c.Kind, c.Value); got != nil {
			t.Errorf("Check(%s, %q) = %v, want no warning", c.Kind, c.Value, got)
		}
	}
}

// TestS13ParentAndChild: a listed name covers the names below it, and the names above that would take it along.
func TestS13ParentAndChild(t *testing.T) {
	var w Warnings
	if err := w.Add(List{Name: "own", Reason: "ours", Matching: MatchHostname, Entries: []string{"parent.com", "deep.down.other.co.uk"}}); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"parent.com": "parent.com", "download.parent.com": "parent.com", "a.b.parent.com": "parent.com", "notparent.com": "",
		"deep.down.other.co.uk": "deep.down.other.co.uk", "x.deep.down.other.co.uk": "deep.down.other.co.uk",
		"down.other.co.uk": "deep.down.other.co.uk", "other.co.uk": "deep.down.other.co.uk", "up.other.co.uk": "",
	} {
		got := ""
		for _, one := range w.Check(Domain, value) {
			if one.List != "own" || one.Reason != "ours" {
				t.Errorf("Check(%q) = %+v", value, one)
			}
			got = one.Matched
		}
		if got != want {
			t.Errorf("Check(%q) matched %q, want %q", value, got, want)
		}
	}
	if got := w.Check(Domain, "co.uk"); len(got) != 1 || got[0].List != "public suffixes" {
		t.Errorf("a public suffix is no parent: %v", got)
	}
	if got := w.Check(URL, "http://other.co.uk/x"); got != nil {
		t.Errorf("a URL on the parent takes nothing along: %v", got)
	}
}

func TestMatching(t *testing.T) {
	var w Warnings
	for _, l := range []List{
		{Name: "strings", Matching: MatchString, Entries: []string{"evil.com", "192.0.2.1", ".dotted.com", "Big.EXE"}},
		{Name: "parts", Matching: MatchSubstring, Kinds: []Kind{Email}, Entries: []string{"Mailinator"}},
		{Name: "expressions", Matching: MatchRegex, Entries: []string{`/^ABUSE\@/i`, `^noc@`}},
		{Name: "blocks", Matching: MatchCIDR, Entries: []string{"198.51.100.77/24", "2001:db8::/48"}},
	} {
		if err := w.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		kind        Kind
		value, want string
	}{
		{Domain, "evil.com", "strings"}, {Domain, "a.evil.com", ""}, {IPv4, "192.0.2.1", "strings"}, {URL, "http://evil.com/x", "strings"},
		{CIDR, "192.0.2.0/24", "strings"}, {Domain, "a.dotted.com", "strings"}, {Filename, "big.exe", "strings"},
		{Email, "a@mailinator.org", "parts"}, {Domain, "mailinator.org", ""}, {Email, "abuse@evil.org", "expressions"},
		{Email, "noc@evil.org", "expressions"}, {IPv4, "198.51.100.1", "blocks"}, {CIDR, "198.51.0.0/16", "blocks"},
		{CIDR, "198.51.100.128/25", "blocks"}, {IPv6, "2001:db8::5", "blocks"}, {IPv4, "198.51.101.1", ""},
	} {
		if got := warningLists(&w, c.kind, c.value); got != c.want {
			t.Errorf("Check(%s, %q) = %q, want %q", c.kind, c.value, got, c.want)
		}
	}
}

func TestAddReportsWhatIsLeftOut(t *testing.T) {
	var w Warnings
	for _, c := range []struct {
		list List
		want string
	}{
		{List{Name: "a", Matching: MatchRegex, Entries: []string{"(?!x)", "^ok$"}}, `entry "(?!x)" is left out`},
		{List{Name: "b", Matching: MatchCIDR, Entries: []string{"192.0.2.0/24", "nonsense"}}, `entry "nonsense" is left out`},
		{List{Name: "c", Matching: MatchHostname, Entries: []string{"a b", "fine.com"}}, `entry "a b" is left out`},
		{List{Name: "d", Matching: MatchCIDR, Entries: strings.Fields(strings.Repeat("x ", 50))}, "and 40 more entries"},
		{List{Name: "e", Matching: "glob"}, "is no way of matching"},
	} {
		if err := w.Add(c.list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("list %s: %v, want %q", c.list.Name, err, c.want)
		}
	}
	if warningLists(&w, Filename, "ok") != "a" || warningLists(&w, IPv4, "192.0.2.1") != "b" || warningLists(&w, Domain, "fine.com") != "c" {
		t.Error("the entries that fit are not in force")
	}
}

func TestLoadFS(t *testing.T) {
	var w Warnings
	n, err := w.LoadFS(fstest.MapFS{
		"a/list.json":   {Data: []byte(`{"name":"A","type":"string","matching_attributes":["domain|ip"],"list":["evil.com"]}`)},
		"b/list.json":   {Data: []byte(`{"name":"B","list":["evil.com"]}`)},
		"tel/list.json": {Data: []byte(`{"name":"C","type":"string","matching_attributes":["phone-number"],"list":["evil.com"]}`)},
		"d/list.json":   {Data: []byte(`{"name":"D","type":"cidr","list":["x"]}`)},
		"e/list.json":   {Data: []byte(`{"nonsense":1}`)},
		"f/list.json":   {Data: []byte(`{"name":"F","list":[1]}`)},
		"README.md":     {Data: []byte(`no list`)},
	})
	if n != 3 {
		t.Errorf("%d lists are in force, want 3", n)
	}
	for _, want := range []string{"d/list.json", "e/list.json", "f/list.json"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error names no %s: %v", want, err)
		}
	}
	if got := warningLists(&w, Domain, "evil.com"); got != "A, B" {
		t.Errorf("got %q, want both lists", got)
	}
}

func TestLoadTar(t *testing.T) {
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	tw := tar.NewWriter(z)
	body := `{"name":"A","type":"hostname","list":["evil.com"]}`
	if err := tw.WriteHeader(&tar.Header{Name: "lists/a/list.json", Size: int64(len(body)), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	tw.Close()
	z.Close()
	var w Warnings
	if n, err := w.LoadTar(bytes.NewReader(file.Bytes())); n != 1 || err != nil {
		t.Errorf("LoadTar = %d, %v", n, err)
	}
	if n, err := w.LoadTar(bytes.NewReader(file.Bytes()[:60])); err == nil {
		t.Errorf("a cut archive loads %d lists", n)
	}
	if _, err := w.LoadTar(strings.NewReader("nonsense")); err == nil {
		t.Error("nonsense is an archive")
	}
}

// realWarnings has the built-in lists and all of the MISP project's.
func realWarnings(t testing.TB) *Warnings {
	f, err := os.Open(testdata.File(t, "detect", "warninglists", "lists.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := NewWarnings()
	n, err := w.LoadTar(f)
	if n < 120 {
		t.Fatalf("%d lists loaded: %v", n, err)
	}
	if err != nil && strings.Contains(err.Error(), "MISP warning list") {
		t.Fatalf("a real list cannot be read: %v", err)
	}
	return w
}

func TestRealWarningLists(t *testing.T) {
	w := realWarnings(t)
	for _, c := range []Value{
		{IPv4, "8.8.8.8"}, {Domain, "google.com"}, {Domain, "www.facebook.com"}, {Domain, "duckdns.org"}, {URL, "https://bit.ly/x"},
		{Email, "abuse@evil.net"}, {Email, "x@0-mail.com"}, {IPv4, "52.95.110.1"}, {Domain, "download.microsoft.com"},
	} {
		if got := w.Check(c.Kind, c.Value); len(got) == 0 {
			t.Errorf("Check(%s, %q) warns of nothing", c.Kind, c.Value)
		}
	}
	if got := w.Check(Domain, "drivres-update.info"); got != nil {
		t.Errorf("a command server is warned of: %v", got)
	}
}

func FuzzWarningList(f *testing.F) {
	f.Add([]byte(`{"name":"A","type":"hostname","matching_attributes":["domain|ip"],"list":["evil.com",".x.y"]}`), "evil.com")
	f.Add([]byte(`{"name":"A","type":"regex","list":["/a(b/i","//","/"]}`), "192.0.2.1")
	f.Add([]byte(`{"name":"A","type":"cidr","list":["::/0","192.0.2.1"]}`), "::1")
	f.Add([]byte(`{"name":"A","type":"substring","list":["",null]}`), "x")
	f.Fuzz(func(t *testing.T, raw []byte, value string) {
		l, applies, err := ReadWarningList(bytes.NewReader(raw))
		if err != nil || !applies {
			return
		}
		var w Warnings
		_ = w.Add(l) // what is left out is told; the rest must work
		for _, kind := range kinds {
			for _, one := range w.Check(kind, value) {
				if one.Matched == "" && value != "" {
					t.Fatalf("a warning names no entry: %+v", one)
				}
			}
		}
	})
}

func BenchmarkLoadWarningLists(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		realWarnings(b)
	}
}

func BenchmarkCheck(b *testing.B) {
	w := realWarnings(b)
	for _, c := range []Value{{IPv4, "45.155.205.233"}, {Domain, "a.b.drivres-update.info"}, {URL, "http://drivres-update.info/x"}, {Email, "a@evil.net"}} {
		b.Run(string(c.Kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.Check(c.Kind, c.Value)
			}
		})
	}
}
