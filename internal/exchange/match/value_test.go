package match

import (
	"strings"
	"testing"
)

// TestNormalise holds what is equal on both sides, and what is not.
func TestNormalise(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		a, b string
		same bool
		why  string
	}{
		{"ipv4", "198.51.100.7", "198.51.100[.]7", true, "defanged"},
		{"ipv6", "2001:DB8:0:0::1", "2001:db8::1", true, "one address, two spellings"},
		{"domain", "Gate.Example.", "gate[.]example", true, "case and the dot at the end"},
		{"domain", "gate.example", "a.gate.example", false, "a name below is another name"},
		{"sha256", strings.Repeat("AB", 32), strings.Repeat("ab", 32), true, "case of digits"},
		{Party, "Acme Optics Ltd", "ACME OPTICS, Inc.", true, "legal forms and case"},
		{Party, "Severnaya Vakuumnaya Tekhnika LLC", "ООО Северная Вакуумная Техника", true, "script and legal form"},
		{Party, "Müller Feinmechanik GmbH", "Muller Feinmechanik", true, "diacritics"},
		{Party, "Acme Optics", "Optics Acme", false, "another order"},
		{Party, "Lenswerk", "Lenswerq", false, "one letter"},
		{Party, "Acme Optics", "Acme Optics Europe", false, "a part of a name"},
		{Party, "LEI: 5493 001k jtii gc8y 1r12", "lei:5493001KJTIIGC8Y1R12", true, "punctuation and case of a number"},
		{Party, "lei:5493001KJTIIGC8Y1R12", "kvk:5493001KJTIIGC8Y1R12", false, "of another register"},
		{Party, "lei:5493001KJTIIGC8Y1R12", "5493001KJTIIGC8Y1R12", false, "a number without its register is read as a name"},
		{Party, "Stichting B.V.", "N.V.", false, "names of legal forms alone keep them"},
	} {
		a, err := Normalise(c.kind, c.a)
		if err != nil {
			t.Errorf("%s: %q: %v", c.why, c.a, err)
		}
		b, err := Normalise(c.kind, c.b)
		if err != nil {
			t.Errorf("%s: %q: %v", c.why, c.b, err)
		}
		if (a == b) != c.same {
			t.Errorf("%s: %q is %q, %q is %q; same: want %v", c.why, c.a, a, c.b, b, c.same)
		}
		if again, err := Normalise(c.kind, c.a); err != nil || again != a {
			t.Errorf("%q is not read the same twice", c.a)
		}
	}
	for _, c := range []struct {
		kind  Kind
		value string
	}{{"ipv4", "gate.example"}, {"ipv4", ""}, {"sha256", "abc"}, {Party, ""}, {Party, "…"}, {Party, "\xff"}, {Party, strings.Repeat("a", 5000)}} {
		if v, err := Normalise(c.kind, c.value); err == nil {
			t.Errorf("%s %.20q was read as %q", c.kind, c.value, v)
		}
	}
}

func TestParseKind(t *testing.T) {
	for in, want := range map[string]Kind{"ipv4": "ipv4", "IPv4-addr": "ipv4", "hostname": "domain", "Party": Party, "sha-256": "sha256"} {
		if got, err := ParseKind(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "cidr", "colour", "user-agent"} {
		if got, err := ParseKind(in); err == nil {
			t.Errorf("%q was read as %q: a set of it makes no sense", in, got)
		}
	}
	for _, k := range Kinds() {
		if Budget(k) <= 0 {
			t.Errorf("%s has no budget", k)
		}
	}
}

// FuzzNormalise: whatever stands in a file, it is refused or read, and what was read of an indicator is read as itself.
func FuzzNormalise(f *testing.F) {
	f.Add(0, "198.51.100.7")
	f.Add(9, "ООО Северная Вакуумная Техника")
	f.Add(9, "lei:1")
	f.Fuzz(func(t *testing.T, k int, value string) {
		all := Kinds()
		kind := all[uint(k)%uint(len(all))]
		v, err := Normalise(kind, value)
		if err != nil || kind == Party {
			return
		}
		if again, err := Normalise(kind, v); err != nil || again != v {
			t.Errorf("%s %q is %q, and that is %q, %v", kind, value, v, again, err)
		}
	})
}
