package history

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/indicator"
)

func TestParseValue(t *testing.T) {
	for _, c := range []struct {
		text, why string
		want      Value
	}{
		{"Evil[.]Example.COM", "defanged, in any case", Value{Kind: indicator.Domain, Value: "evil.example.com"}},
		{"10.1.2.3/16", "a network is its base", Value{Kind: indicator.CIDR, Value: "10.1.0.0/16"}},
		{"hxxps://evil.example.com/A", "a path keeps its case", Value{Kind: indicator.URL, Value: "https://evil.example.com/A"}},
		{`mutex:Global\abc`, "a kind without a form is named", Value{Kind: indicator.Mutex, Value: `Global\abc`}},
		{"filename:notes", "a file without an ending is named", Value{Kind: indicator.Filename, Value: "notes"}},
		{"domain:fileserver", "a name of one part is named", Value{Kind: indicator.Domain, Value: "fileserver"}},
	} {
		if got, err := ParseValue(c.text); err != nil || got != c.want {
			t.Errorf("%s (%s): %v, %v", c.text, c.why, got, err)
		}
	}
	for _, text := range []string{"", "just words", "nothing:abc", "ipv4:1.2.3"} {
		if v, err := ParseValue(text); err == nil {
			t.Errorf("%q is taken for %v", text, v)
		}
	}
}

func TestMatches(t *testing.T) {
	v := func(kind indicator.Kind, value string) Value { return Value{Kind: kind, Value: value} }
	for _, c := range []struct {
		want, have Value
		is         bool
		why        string
	}{
		{v(indicator.Domain, "example.com"), v(indicator.Domain, "a.b.example.com"), true, "a subdomain"},
		{v(indicator.Domain, "example.com"), v(indicator.Domain, "notexample.com"), false, "not at a dot"},
		{v(indicator.Domain, "a.example.com"), v(indicator.Domain, "example.com"), false, "the domain above"},
		{v(indicator.CIDR, "10.0.0.0/8"), v(indicator.IPv4, "10.9.8.7"), true, "an address within"},
		{v(indicator.CIDR, "10.0.0.0/8"), v(indicator.CIDR, "10.1.0.0/16"), true, "a network within"},
		{v(indicator.CIDR, "10.1.0.0/16"), v(indicator.CIDR, "10.0.0.0/8"), false, "the network around"},
		{v(indicator.CIDR, "::/0"), v(indicator.IPv4, "10.9.8.7"), false, "the other kind of address"},
		{v(indicator.Filename, "Plan.DOCX"), v(indicator.Filename, "plan.docx"), true, "file names without case"},
		{v(indicator.Mutex, "Abc"), v(indicator.Mutex, "abc"), false, "mutexes with case"},
		{v(indicator.MD5, "0"), v(indicator.SHA1, "0"), false, "another kind"},
	} {
		if Matches(spelled(c.want), spelled(c.have)) != c.is {
			t.Errorf("%v in %v is %v: %s", c.want, c.have, !c.is, c.why)
		}
	}
}

// TestKeysFindWhatMatches: whatever matches shares a key, so no filter hides it.
func TestKeysFindWhatMatches(t *testing.T) {
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		if rapid.Bool().Draw(t, "four") {
			return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr")))
		}
		return netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr")))
	})
	rapid.Check(t, func(t *rapid.T) {
		a := addr.Draw(t, "address").Unmap()
		kind := indicator.IPv6
		if a.Is4() {
			kind = indicator.IPv4
		}
		have := Value{Kind: kind, Value: a.String()}
		if rapid.Bool().Draw(t, "network") {
			p, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
			have = Value{Kind: indicator.CIDR, Value: p.String()}
		}
		around, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "around"))
		want := Value{Kind: indicator.CIDR, Value: around.String()}
		asked, ok := probes(want)
		if len(asked) > maxProbes+1 {
			t.Fatalf("%s is asked as %d keys", want.Value, len(asked))
		}
		if !ok || !Matches(want, have) {
			return
		}
		keys := keysOf(nil, have)
		if !slices.ContainsFunc(asked, func(k uint64) bool { return slices.Contains(keys, k) }) {
			t.Fatalf("filters hide %v from %v", have, want)
		}
	})
}

func TestNetworksThatFiltersCannotTell(t *testing.T) {
	for text, can := range map[string]bool{"10.0.0.0/8": true, "0.0.0.0/0": true, "10.1.2.3/32": true, "10.0.0.0/9": true,
		"2001:db8::/24": true, "2001:d00::/23": false, "2001:db8::/56": true} {
		if _, ok := networkProbes(text); ok != can {
			t.Errorf("%s: %v", text, ok)
		}
	}
}

// TestKeyIsStable: filters on disk are read by later programs.
func TestKeyIsStable(t *testing.T) {
	if got := fmt.Sprintf("%x", key("domain", "example.com")); got != "7f5c3240352f4a4d" {
		t.Errorf("the key of example.com is %s", got)
	}
}
