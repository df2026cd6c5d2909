package indicator

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polder-exchange/polder/internal/testdata"
)

func TestGateWays(t *testing.T) {
	g := NewGate()
	for _, l := range []List{
		{Name: "strings", Matching: MatchString, Kinds: []Kind{Domain, URL, Filename, IPv4}, Entries: []string{"Big.example.org", ".wide.example.org", "http://page.org/Index", "Setup.EXE", "45.1.1.1"}},
		{Name: "names", Matching: MatchHostname, Kinds: []Kind{Domain, URL}, Entries: []string{"cdn.net", ".dot.net", "*.star.net"}},
		{Name: "blocks", Matching: MatchCIDR, Kinds: []Kind{IPv4, IPv6, CIDR, URL}, Entries: []string{"45.2.0.0/16", "2a03:2880::/32", "45.3.3.3"}},
		{Name: "parts", Matching: MatchSubstring, Kinds: []Kind{Email, Domain}, Entries: []string{"throwaway.com", "x.y"}},
		{Name: "expressions", Matching: MatchRegex, Kinds: []Kind{Email}, Entries: []string{`/^(security|abuse)\@.*\..*$/i`}},
	} {
		ok(t, g.Add(l))
	}
	for _, c := range []struct {
		kind        Kind
		value, want string
		why         string
	}{
		{Domain, "big.EXAMPLE.org.", "strings", "the value itself, in another spelling"},
		{Domain, "a.big.example.org", "", "a string is the whole value"},
		{Domain, "example.org", "", "a parent of what is listed is not listed"},
		{Domain, "a.wide.example.org", "strings", "a string with a dot before it is a name with all below"},
		{URL, "http://big.example.org/", "strings", "a URL that asks for nothing but the host"},
		{URL, "http://big.example.org/evil.exe", "", "something evil on a good host"},
		{URL, "http://page.org/index#x", "strings", "the URL itself"},
		{Filename, "setup.exe", "strings", "Windows tells no case"},
		{Domain, "x.cdn.net", "names", "below a listed name"}, {Domain, "cdn.net", "names", "the name"}, {Domain, "xcdn.net", "", "another name"},
		{URL, "https://u@x.cdn.net:8443/evil.exe", "names", "the host of a URL"},
		{Domain, "a.dot.net", "names", "a dot before a name means the same"}, {Domain, "a.star.net", "names", "so does a star"},
		{IPv4, "45.2.255.255", "blocks", "the last of a block"}, {IPv4, "45.3.0.0", "", "the next"}, {IPv6, "2a03:2880::1", "blocks", "IPv6"},
		{IPv6, "::ffff:45.2.1.1", "blocks", "IPv4 in the form of IPv6"}, {CIDR, "45.2.3.0/24", "blocks", "inside a block"},
		{CIDR, "45.0.0.0/8", "", "a block around a listed one is not listed"}, {URL, "http://45.2.3.4/x", "blocks", "the address in a URL"},
		{URL, "http://[2a03:2880::1]:81/x", "blocks", "the IPv6 address in a URL"}, {Domain, "45.2.3.4", "", "no name"},
		{IPv4, "45.1.1.1", "strings", "an address among strings"},
		{Email, "A@Throwaway.com", "parts", "a part in any case"}, {Domain, "throwaway.com.evil.net", "parts", "a part anywhere"}, {Email, "ax.yz@b.de", "parts", "a short part"},
		{URL, "http://throwaway.com/", "", "the list is not for URLs"}, {Email, "Abuse@b.de", "expressions", "an expression"}, {Email, "x@b.de", "", "nothing"},
		{SHA256, strings.Repeat("ab", 32), "", "nothing"}, {"colour", "red", "", "no kind"},
	} {
		list, gated := g.Check(c.kind, c.value)
		if list != c.want || gated != (c.want != "") {
			t.Errorf("Check(%s, %q) = %q, %v, want %q: %s", c.kind, c.value, list, gated, c.want, c.why)
		}
	}
}

func TestGateErrors(t *testing.T) {
	g := NewGate()
	for _, c := range []struct {
		list List
		want string
	}{
		{List{Name: "a", Matching: "fuzzy", Entries: []string{"x"}}, "no way of matching"},
		{List{Name: "b", Matching: MatchCIDR, Entries: []string{"nonsense", "45.1.1.1"}}, `entry "nonsense" is left out`},
		{List{Name: "c", Matching: MatchRegex, Entries: []string{"(", "//"}}, "missing closing"},
		{List{Name: "d", Matching: MatchHostname, Entries: []string{"corona helden"}}, "is no domain name"},
	} {
		if err := g.Add(c.list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("list %s: %v, want %q", c.list.Name, err, c.want)
		}
	}
	if _, gated := g.Check(IPv4, "45.1.1.1"); !gated {
		t.Error("a wrong entry took the others along")
	}
}

// TestGateBuiltin: what the built-in lists warn of is gated, and one can be left away.
func TestGateBuiltin(t *testing.T) {
	g, less := NewGate(), NewGate()
	g.AddBuiltin()
	less.AddBuiltin(ListSpecialNetworks, ListDocumentation)
	for _, l := range builtin {
		for _, entry := range l.Entries {
			for _, kind := range l.Kinds {
				value := sample(kind, l.Matching, entry)
				if value == "" {
					continue
				}
				if _, gated := g.Check(kind, value); !gated {
					t.Errorf("%s %s of list %s is not gated", kind, value, l.Name)
				}
			}
		}
	}
	if list, gated := less.Check(IPv4, "10.1.1.1"); gated {
		t.Errorf("gated by %s, which was left away", list)
	}
}

// TestGateOwn: what one names oneself in one's own network counts, unless a list that was loaded says otherwise.
func TestGateOwn(t *testing.T) {
	g := NewGate()
	g.AddBuiltin()
	ok(t, g.Add(List{Name: "loaded", Matching: MatchCIDR, Kinds: []Kind{IPv4}, Entries: []string{"192.168.7.0/24"}}))
	for value, want := range map[Value]string{{IPv4, "192.168.0.4"}: "", {IPv4, "192.168.7.4"}: "loaded", {IPv4, "203.0.113.7"}: "", {Domain, "evil.example"}: "",
		{Domain, "dc.corp"}: "", {IPv4, "8.8.8.8"}: ListResolvers, {Filename, "cmd.exe"}: ListSystemFiles} {
		if list, gated := g.CheckOwn(value.Kind, []byte(value.Value)); list != want || gated != (want != "") {
			t.Errorf("%v is gated by %q, want %q", value, list, want)
		}
		if _, gated := g.CheckKey(value.Kind, []byte(value.Value)); !gated {
			t.Errorf("%v is not gated for what others share", value)
		}
	}
}

// sample is a value of a kind that an entry of a list must gate; "" where there is none.
func sample(kind Kind, how Matching, entry string) string {
	entry = strings.TrimSpace(entry)
	network, errNetwork := parseNetwork(entry)
	name, errName := normaliseDomain(strings.TrimLeft(entry, ".*"))
	below := how == MatchHostname || strings.HasPrefix(entry, ".")
	switch {
	case errNetwork == nil && how != MatchSubstring:
		switch kind {
		case CIDR:
			return network.String()
		case IPv4, IPv6:
			if network.Addr().Is4() == (kind == IPv4) {
				return last(network).String()
			}
		case URL:
			return fmt.Sprintf("http://%s/x", netip.AddrPortFrom(last(network), 8080))
		}
		return ""
	case kind == URL && errName == nil && below:
		return "https://x." + name + "/y?z"
	case kind == URL && errName == nil && how == MatchString:
		return "http://" + name
	case kind == URL && errName == nil && how == MatchSubstring:
		return "http://a." + name + "/b"
	case kind == Domain && errName == nil && below:
		return "x." + name
	case kind == Email && how == MatchSubstring:
		return "Somebody@" + entry
	}
	if _, err := Normalise(kind, entry); err != nil {
		return ""
	}
	return entry
}

// last is the last address of a block.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// TestGateWarningLists: every value of every MISP warning list is gated under each kind that the list is for.
func TestGateWarningLists(t *testing.T) {
	archive := testdata.File(t, "detect", "warninglists", "lists.tar.gz")
	g := NewGate()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, err := g.LoadFS(os.DirFS(path.Dir(archive)))
	if err != nil {
		t.Logf("left out: %.300s", err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if mb := float64(after.HeapAlloc-before.HeapAlloc) / 1e6; mb > 64 {
		t.Errorf("%d lists take %.0f MB, want at most 64", n, mb)
	}
	checked, lists, none := 0, 0, 0
	for _, l := range warningListsOf(t, archive) {
		lists++
		kinds := l.Kinds
		if len(kinds) == 0 {
			kinds = Kinds()
		}
		for _, entry := range l.Entries {
			some := false
			for _, kind := range kinds {
				value := sample(kind, l.Matching, entry)
				if value == "" || l.Matching == MatchRegex {
					continue
				}
				some = true
				if list, gated := g.Check(kind, value); !gated || list == "" {
					t.Fatalf("%s %q of list %q is not gated", kind, value, l.Name)
				}
				checked++
			}
			if !some {
				none++
			}
		}
	}
	if lists < 130 || checked < 800_000 || none > 2000 {
		t.Errorf("%d lists with %d values checked, %d entries of no kind: that is not all of them", lists, checked, none)
	}
	for value, want := range map[Value]bool{{Email, "security@evil.net"}: true, {Email, "eve@evil-mail.example"}: false, {Domain, "surely-not-listed-1234.net"}: false,
		{IPv4, "8.8.8.8"}: true, {SHA1, strings.Repeat("ab", 20)}: false} {
		if list, gated := g.Check(value.Kind, value.Value); gated != want {
			t.Errorf("%v gated: %v by %q, want %v", value, gated, list, want)
		}
	}
}

func warningListsOf(t *testing.T, archive string) (out []List) {
	f, err := os.Open(archive)
	ok(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	ok(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		ok(t, err)
		if path.Base(h.Name) != "list.json" {
			continue
		}
		l, applies, err := ReadWarningList(r)
		ok(t, err)
		if applies {
			out = append(out, l)
		}
	}
}

// TestGateFirstList: of several lists the first that is for the kind is named.
func TestGateFirstList(t *testing.T) {
	g := NewGate()
	ok(t, g.Add(List{Name: "mail", Matching: MatchString, Kinds: []Kind{Email}, Entries: []string{"a.net"}}))
	ok(t, g.Add(List{Name: "wide", Matching: MatchHostname, Kinds: []Kind{Domain}, Entries: []string{"net"}}))
	ok(t, g.Add(List{Name: "exact", Matching: MatchString, Entries: []string{"a.net"}}))
	if list, _ := g.Check(Domain, "a.net"); list != "wide" {
		t.Errorf("gated by %q, want wide", list)
	}
}

func TestGateLoadFS(t *testing.T) {
	g := NewGate()
	n, err := g.LoadFS(fstest.MapFS{"one/list.json": {Data: []byte(`{"name":"One","type":"hostname","matching_attributes":["hostname"],"list":["a.net"]}`)},
		"two/list.json": {Data: []byte(`{"broken"`)}})
	if n != 1 || err == nil || !strings.Contains(err.Error(), "two/list.json") {
		t.Errorf("loaded %d, %v", n, err)
	}
}

func TestGateNoAllocation(t *testing.T) {
	g := NewGate()
	g.AddBuiltin()
	ok(t, g.Add(List{Name: "parts", Matching: MatchSubstring, Entries: []string{"throwaway.com"}}))
	ok(t, g.Add(List{Name: "expressions", Matching: MatchRegex, Entries: []string{`/^abuse\@.*$/i`}}))
	for _, v := range []Value{{Domain, "A.b.c.evil.net"}, {IPv4, "45.1.1.1"}, {IPv6, "2a03:2880::1"}, {SHA256, strings.Repeat("AB", 32)}, {URL, "http://evil.net/x"}, {Filename, "Evil.EXE"}, {Email, "A@evil.net"}} {
		if n := testing.AllocsPerRun(100, func() { g.Check(v.Kind, v.Value) }); n > 0 {
			t.Errorf("%v allocates %v times", v, n)
		}
	}
}
