package release

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/stix"
)

// naive is a text in lower case and without diacritics, made by other means than the package's own.
func naive(s string) string {
	out, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), strings.ToLower(s))
	if err != nil {
		return s
	}
	return out
}

// holds says which fact a naive search finds in a text as a whole word, or "".
func holds(text string, facts []string) string {
	text = naive(text)
	for _, f := range facts {
		f = naive(f)
		for from := 0; ; {
			i := strings.Index(text[from:], f)
			if i < 0 {
				break
			}
			i += from
			before, after := []rune(text[:i]), []rune(text[i+len(f):])
			if (len(before) == 0 || !wordRune(before[len(before)-1])) && (len(after) == 0 || !wordRune(after[0])) {
				return f
			}
			from = i + 1
		}
	}
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef.:", r) }) {
		if a, err := netip.ParseAddr(strings.Trim(field, ".")); err == nil && (netip.MustParsePrefix("10.41.0.0/16").Contains(a) || netip.MustParsePrefix("2001:db8:77::/48").Contains(a)) {
			return field
		}
	}
	return ""
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// searched are the facts that the naive search looks for: as given, whatever else the rules find.
func searched() (out []string) {
	f := optics().Facts
	for _, l := range [][]string{f.Names, f.Domains, f.Addresses, f.Hosts, f.Words, {"198.51.100.7", "Meridiaan Lithografie", "Müller Vakuum"}} {
		out = append(out, l...)
	}
	for _, p := range f.Staff {
		out = append(out, p.Name, p.Mail)
	}
	return out
}

// texts draws what people write: facts in several dresses between words, with all kinds of signs between.
func texts() *rapid.Generator[string] {
	dress := []func(string) string{
		func(s string) string { return s }, strings.ToUpper, strings.ToLower, func(s string) string { return strings.ReplaceAll(s, " ", "-") }, func(s string) string { return strings.ReplaceAll(s, ".", "[.]") },
		func(s string) string { return norm.NFD.String(s) }, func(s string) string { return strings.ReplaceAll(s, " ", "\n") }, func(s string) string { return "https://" + s + "/x" },
		func(s string) string { return strings.NewReplacer("a", "а", "e", "е", "o", "ο").Replace(s) }, func(s string) string { return s + "s" }, func(s string) string { return strings.ReplaceAll(s, "e", `\u0065`) },
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte("about " + s + " and others")) }, func(s string) string { return strings.ReplaceAll(s, ".", " (dot) ") },
	}
	words := []string{"de", "zag", "the", "at", "van", "Dijk", "B.V.", "BV", "Jan", "Wil", "[organisation]", "[host]", "10.42.0.1", "evil.example", "klep", "werk", ".nl", "@", "ij", "7", "réseau", "\u200b", "/24", "::1", "%20", "x_y", "\"", "\\", "A1", "é"}
	facts := append(searched(), "10.41.3.4", "2001:db8:77::9", "+31 40 123 45 67", "pc7.fab5.klepwerk", "jpdevries")
	between := []string{" ", "  ", "", "\n", ", ", ".", "/", "_", "-", "(", ")", "'", ": "}
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 12).Draw(t, "pieces") {
			if rapid.Bool().Draw(t, "fact") {
				b.WriteString(rapid.SampledFrom(dress).Draw(t, "dress")(rapid.SampledFrom(facts).Draw(t, "of")))
			} else {
				b.WriteString(rapid.SampledFrom(words).Draw(t, "word"))
			}
			b.WriteString(rapid.SampledFrom(between).Draw(t, "between"))
		}
		return b.String()
	})
}

// TestNothingStays is the law of minimising: whatever stands in an object, afterwards an independent search for the
// facts finds none in any form in which it is written, or the object was stopped; it is sound, keeps id, version,
// references and marks, and doing it again changes nothing.
func TestNothingStays(t *testing.T) {
	p := optics()
	p.Keep = []string{"x_kept"}
	r := rulesOfProfile(t, p)
	facts := searched()
	rapid.Check(t, func(t *rapid.T) {
		draw := texts()
		values := map[string]any{
			"type": "report", "spec_version": "2.1", "id": "report--00000000-0000-4000-8000-000000000001", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
			"published": "2026-01-01T00:00:00Z", "object_refs": []string{"indicator--00000000-0000-4000-8000-000000000001"}, "object_marking_refs": []string{stix.Amber.ID()},
			"name": draw.Draw(t, "name"), "description": draw.Draw(t, "description"), "labels": []string{draw.Draw(t, "label") + "l"},
			"x_kept": map[string]any{"k": draw.Draw(t, "kept")}, "x_gone": draw.Draw(t, "gone"),
			"external_references": []any{map[string]any{"source_name": draw.Draw(t, "source") + "s", "description": draw.Draw(t, "said")}},
		}
		raw, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		o, err := stix.Parse(raw)
		if err != nil {
			t.Skip("not sound by itself: " + err.Error())
		}
		out, changes, stops := r.Apply(o)
		if len(stops) > 0 {
			t.Fatalf("texts stop: %+v", stops)
		}
		root, err := parse(out.Raw())
		if err != nil {
			t.Fatal(err)
		}
		root.texts("", func(path, text string) {
			if found := holds(text, facts); found != "" {
				t.Fatalf("%s still holds %q: %q of %q", path, found, text, raw)
			}
		})
		if found := holds(out.Text(), facts); found != "" {
			t.Fatalf("as JSON it still holds %q: %s", found, out.Text())
		}
		if out.ID != o.ID || out.Version() != o.Version() || len(out.ObjectRefs) != 1 || out.MarkingRefs[0] != stix.Amber.ID() || out.Property("x_gone") != nil {
			t.Fatalf("%s became %s", raw, out.Raw())
		}
		again, more, _ := r.Apply(out)
		if len(more) > 0 || again.Text() != out.Text() {
			t.Fatalf("a second time: %+v\n%s\n%s", more, out.Text(), changes[0].Before)
		}
	})
}

// FuzzText: any text at all is minimised, holds no fact afterwards, and stays as it is the second time.
func FuzzText(f *testing.F) {
	r := rulesOfProfile(f, optics())
	for _, s := range []string{"Klepwerk B.V.", "w.vandijk@klepwerk[.]nl", "10.41.3.4/24", "2001:db8:77::1%eth0", "%4b%6C", "::", "[:]", "a\u0301", "1.0.0.0.ip6.arpa", "0x0a290304", "&amp;", "[organisation", "dhr. de Vries", "..", "@klepwerk.nl"} {
		f.Add(s)
	}
	facts := searched()
	f.Fuzz(func(t *testing.T, text string) {
		out, _ := r.Text(text)
		if again, more := r.Text(out); again != out || len(more) > 0 {
			t.Errorf("%q becomes %q, then %q", text, out, again)
		}
		if found := holds(out, facts); found != "" && !strings.ContainsRune(text, unicode.ReplacementChar) {
			t.Errorf("%q becomes %q, which holds %q", text, out, found)
		}
	})
}

// FuzzApply: any object that is sound stays sound, and its walls and parts are found without trouble.
func FuzzApply(f *testing.F) {
	p := optics()
	p.Forbidden = []Forbidden{{Label: "L", Words: []string{"Zeekomkommer"}, Expression: `KW-\d+`}}
	r := rulesOfProfile(f, p)
	f.Add([]byte(sdo("malware", `,"is_family":false,"name":"Klepwerk","granular_markings":[{"marking_ref":"`+stix.Red.ID()+`","selectors":["name"]}],"object_marking_refs":["`+stix.Green.ID()+`"]`)))
	f.Add([]byte(sdo("indicator", `,"pattern":"[ipv4-addr:value = '10.41.7.1'] /* Klepwerk */","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`)))
	f.Add([]byte(sdo("report", `,"name":"N","published":"2026-01-01T00:00:00Z","labels":["klepwerk","x"],"object_refs":["indicator--00000000-0000-4000-8000-000000000001"]`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := stix.Parse(raw)
		if err != nil {
			return
		}
		out, changes, stops := r.Apply(o)
		if _, err := stix.Parse(out.Raw()); err != nil || len(changes) == 0 && out.Text() != o.Text() {
			t.Errorf("%s became %s: %v", raw, out.Raw(), err)
		}
		if _, more, _ := r.Apply(out); len(more) > 0 && len(stops) == 0 {
			t.Errorf("%s: a second time %+v", raw, more)
		}
		level, err := o.Level()
		if err != nil {
			return
		}
		r.Breaches(out, level)
		left, _, err := Parts(o, stix.Green)
		if mark, lerr := left.Level(); err == nil && lerr == nil && mark > stix.Green {
			t.Errorf("%s: what is left is %s: %s", raw, mark, left.Raw())
		}
	})
}
