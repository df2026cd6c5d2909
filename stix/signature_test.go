package stix_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/stix"
)

// form8785 is the canonical form by RFC 8785, written a second time and by other means, so that two readers of the
// standard must agree on what is signed. ok is false for what it refuses.
func form8785(raw []byte) (string, bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", false
	}
	var b strings.Builder
	ok := write8785(&b, v)
	return b.String(), ok
}

func write8785(b *strings.Builder, v any) bool {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for n := range v {
			names = append(names, n)
		}
		slices.SortFunc(names, func(a, b string) int { return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b))) })
		b.WriteByte('{')
		for i, n := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			quote8785(b, n)
			b.WriteByte(':')
			if !write8785(b, v[n]) {
				return false
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if !write8785(b, e) {
				return false
			}
		}
		b.WriteByte(']')
	case string:
		quote8785(b, v)
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || math.IsInf(f, 0) {
			return false
		}
		b.WriteString(number8785(f))
	case bool:
		fmt.Fprint(b, v)
	default:
		b.WriteString("null")
	}
	return true
}

func quote8785(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ':
			b.WriteRune(r)
		case strings.ContainsRune("\b\t\n\f\r", r):
			b.WriteString(map[rune]string{'\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`}[r])
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}

// number8785 writes a double as ECMAScript does (Number::toString): digits and exponent by hand.
func number8785(f float64) string {
	if f == 0 {
		return "0"
	}
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	e, _ := strconv.Atoi(exponent)
	n, k := e+1, len(digits)
	switch {
	case k <= n && n <= 21:
		return sign + digits + strings.Repeat("0", n-k)
	case 0 < n && n <= 21:
		return sign + digits[:n] + "." + digits[n:]
	case -6 < n && n <= 0:
		return sign + "0." + strings.Repeat("0", -n) + digits
	}
	if k > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	return fmt.Sprintf("%s%se%+d", sign, digits, n-1)
}

const signedNote = `{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48Z",%s"pattern":"[ipv4-addr:value = '203.0.113.9']","pattern_type":"stix","valid_from":"2026-04-06T20:03:48Z"}`

func noteWith(members string) []byte { return fmt.Appendf(nil, signedNote, members) }

var someSignature = stix.Signature{Signer: "identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11", Key: "00112233445566778899aabbccddeeff", Value: bytes.Repeat([]byte{0xa5}, 64)}

// TestS24TwoReadersOfWhatIsSigned: for nasty values an object is refused at the door, or what is signed is the same bytes
// by two implementations that share nothing.
func TestS24TwoReadersOfWhatIsSigned(t *testing.T) {
	for _, c := range []struct {
		why, value string
		refused    bool
	}{
		{"beyond double precision", `1e400`, true},
		{"below it", `-1e400`, true},
		{"rounds to zero", `1e-400`, false},
		{"minus zero", `-0`, false},
		{"minus zero with a fraction", `-0.0`, false},
		{"one with a fraction", `1.0`, false},
		{"one with an exponent", `10e-1`, false},
		{"2^53+1 in full", `9007199254740993`, true},
		{"2^53 in full", `9007199254740992`, false},
		{"2^53+1 with a fraction", `9007199254740993.0`, false},
		{"the largest double", `1.7976931348623157e308`, false},
		{"the smallest double", `5e-324`, false},
		{"twenty-one digits", `100000000000000000000`, false},
		{"twenty-two digits", `1000000000000000000000`, false},
		{"small", `0.000001`, false},
		{"smaller", `0.0000001`, false},
		{"halfway", `0.1`, false},
		{"a lone surrogate", `"\ud800"`, true},
		{"a pair", `"\ud83d\ude00"`, false},
		{"composed", `"é"`, false},
		{"decomposed", `"é"`, false},
		{"escaped in capitals", `"\u00E9"`, false},
		{"control characters", `"\u0000\u001f\u007f\u2028\b\f"`, false},
		{"a slash that is escaped", `"\/"`, false},
		{"names that sort otherwise by code point", `{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"1":4,"\r":5}`, false},
		{"duplicate names", `{"a":1,"a":2}`, true},
		{"duplicate names by escape", `{"a":1,"\u0061":2}`, true},
		{"names in two cases", `{"a":1,"A":2}`, false},
		{"deep", strings.Repeat("[", 40) + strings.Repeat("]", 40), false},
		{"too deep", strings.Repeat("[", 70) + strings.Repeat("]", 70), true},
		{"null", `null`, false},
		{"invalid UTF-8", "\"\xff\"", true},
	} {
		raw := noteWith(`"x_value":[` + c.value + `],`)
		o, err := stix.Parse(raw)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.why, err)
		}
		if err != nil {
			continue
		}
		want, ok := form8785(raw)
		got, err := o.SignedBytes()
		if !ok || err != nil || string(got) != want {
			t.Errorf("%s:\n%s\n%s\n%v", c.why, got, want, err)
		}
		signed, err := o.WithSignature(someSignature)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := signed.SignedBytes(); err != nil || string(again) != want {
			t.Errorf("%s, signed:\n%s\n%s", c.why, again, want)
		}
	}
}

// TestS24TwoReadersLaw is the same of drawn JSON.
func TestS24TwoReadersLaw(t *testing.T) {
	var draw func(t *rapid.T, depth int) any
	draw = func(t *rapid.T, depth int) any {
		switch k := rapid.IntRange(0, 7).Draw(t, "kind"); {
		case k == 0 && depth > 0:
			out := map[string]any{}
			for range rapid.IntRange(0, 4).Draw(t, "members") {
				out[rapid.String().Draw(t, "name")+"_"] = draw(t, depth-1)
			}
			return out
		case k == 1 && depth > 0:
			out := []any{}
			for range rapid.IntRange(0, 4).Draw(t, "elements") {
				out = append(out, draw(t, depth-1))
			}
			return out
		case k <= 3:
			return rapid.String().Draw(t, "string")
		case k <= 5:
			return rapid.Float64().Draw(t, "number")
		case k == 6:
			return rapid.Int64Range(-1<<53, 1<<53).Draw(t, "integer")
		}
		return rapid.Bool().Draw(t, "truth")
	}
	rapid.Check(t, func(t *rapid.T) {
		value, err := json.Marshal(draw(t, 4))
		if err != nil {
			t.Skip("not JSON")
		}
		raw := noteWith(`"x_value":[` + string(value) + `],`)
		o, err := stix.Parse(raw)
		if err != nil {
			t.Skip("refused at the door")
		}
		want, ok := form8785(raw)
		got, err := o.SignedBytes()
		if !ok || err != nil || string(got) != want {
			t.Fatalf("%s\n%s\n%v", got, want, err)
		}
	})
}

// TestSignatureLeavesTheRest: signing adds a property and changes no other byte, and what is signed does not depend on
// whether and by whom an object is signed. Signed and unsigned copies are equal (X16).
func TestSignatureLeavesTheRest(t *testing.T) {
	other := `"extension-definition--a3d1c9b2-6f0e-4f57-8a43-1be7d25c8f60":{"extension_type":"property-extension","weight":1.50}`
	for why, members := range map[string]string{
		"no extensions":                  ``,
		"others":                         `"extensions" : { ` + other + ` } ,`,
		"odd spelling of what is custom": `"x_b" : 1.0e1, "x_a" :[ "\u0041" , 2 ],`,
	} {
		raw := noteWith(members)
		o, err := stix.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := o.WithSignature(someSignature)
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := signed.Signature()
		if err != nil || !ok || got.Signer != someSignature.Signer || got.Key != someSignature.Key || !bytes.Equal(got.Value, someSignature.Value) {
			t.Fatalf("%s: %+v %v %v", why, got, ok, err)
		}
		text := signed.Text()
		member := `"` + stix.SignatureExtension + `":{"extension_type":"property-extension","signer":"` + someSignature.Signer + `","key":"` + someSignature.Key + `","signature":"` + base64.RawURLEncoding.EncodeToString(someSignature.Value) + `"}`
		left := strings.Replace(strings.Replace(strings.Replace(text, ","+member, "", 1), `,"extensions":{`+member+`}`, "", 1), member, "", 1)
		if left != string(raw) {
			t.Errorf("%s: without the signature it reads\n%s\nand it was\n%s", why, left, raw)
		}
		a, _ := o.SignedBytes()
		b, _ := signed.SignedBytes()
		if !bytes.Equal(a, b) || len(a) == 0 {
			t.Errorf("%s: what is signed depends on the signature", why)
		}
		again, err := signed.WithSignature(stix.Signature{Signer: "x", Key: "y", Value: []byte{1}})
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := again.SignedBytes(); !bytes.Equal(a, c) || strings.Count(again.Text(), stix.SignatureExtension) != 1 {
			t.Errorf("%s: signed by another: %s", why, again.Text())
		}
		for name, digest := range map[string]func(stix.Object) ([32]byte, error){"digest": stix.Object.Digest, "digest without level": stix.Object.DigestWithoutLevel} {
			plain, err1 := digest(o)
			with, err2 := digest(signed)
			if plain != with || err1 != nil || err2 != nil {
				t.Errorf("%s: %s of the signed copy differs", why, name)
			}
		}
	}
	// But another extension counts, and so does a signature anywhere else.
	plain, _ := stix.Parse(noteWith(``))
	for why, members := range map[string]string{
		"another extension":   `"extensions":{` + other + `},`,
		"deeper":              `"x_extensions":{"` + stix.SignatureExtension + `":{}},`,
		"in a custom subtree": `"x_custom":{"extensions":{"` + stix.SignatureExtension + `":{}}},`,
	} {
		o, err := stix.Parse(noteWith(members))
		if err != nil {
			t.Fatal(err)
		}
		a, _ := plain.Digest()
		b, _ := o.Digest()
		form, _ := o.SignedBytes()
		if a == b || !bytes.Contains(form, []byte("extension")) {
			t.Errorf("%s is taken for nothing", why)
		}
	}
}

// TestSignatureForm: a signature is exactly what it is; nothing beside it goes unjudged, and no algorithm can be chosen.
func TestSignatureForm(t *testing.T) {
	value := base64.RawURLEncoding.EncodeToString(someSignature.Value)
	good := map[string]string{"extension_type": `"property-extension"`, "signer": `"s"`, "key": `"k"`, "signature": `"` + value + `"`}
	for _, c := range []struct{ why, name, value string }{
		{"an algorithm", "alg", `"none"`},
		{"another type", "extension_type", `"toplevel-property-extension"`},
		{"no signer", "signer", `""`},
		{"a number for a signer", "signer", `1`},
		{"a signer with a line break", "signer", `"a\nb"`},
		{"a signer without end", "signer", `"` + strings.Repeat("s", 129) + `"`},
		{"an empty signature", "signature", `""`},
		{"padding", "signature", `"` + value + `=="`},
		{"a line break", "signature", `"` + value[:40] + `\n` + value[40:] + `"`},
		{"the other alphabet", "signature", `"` + strings.ReplaceAll(value, "p", "+") + `"`},
		{"bits that count for nothing", "signature", `"` + value[:len(value)-1] + `R"`},
		{"too long", "signature", `"` + strings.Repeat("AAAA", 400) + `"`},
		{"null", "key", `null`},
	} {
		var members []string
		for name, v := range good {
			if name != c.name {
				members = append(members, `"`+name+`":`+v)
			}
		}
		members = append(members, `"`+c.name+`":`+c.value)
		o, err := stix.Parse(noteWith(`"extensions":{"` + stix.SignatureExtension + `":{` + strings.Join(members, ",") + `}},`))
		if err != nil {
			continue // refused at the door
		}
		if _, ok, err := o.Signature(); !ok || err == nil {
			t.Errorf("%s passes for a signature", c.why)
		}
	}
	o, _ := stix.Parse(noteWith(``))
	if _, ok, err := o.Signature(); ok || err != nil {
		t.Errorf("without one: %v %v", ok, err)
	}
	for _, s := range []stix.Signature{{}, {Signer: "a b", Key: "k", Value: []byte{1}}, {Signer: "a", Key: "k"}, {Signer: "a", Key: `"`, Value: []byte{1}}} {
		if _, err := o.WithSignature(s); err == nil {
			t.Errorf("%+v is written", s)
		}
	}
	var zero stix.Object
	if _, _, err := zero.Signature(); err == nil {
		t.Error("no object has a signature")
	}
	if _, err := zero.SignedBytes(); err == nil {
		t.Error("no object has signed bytes")
	}
}

func FuzzSignature(f *testing.F) {
	o, err := stix.Parse(noteWith(``))
	if err != nil {
		f.Fatal(err)
	}
	signed, err := o.WithSignature(someSignature)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed.Raw())
	f.Add(noteWith(`"extensions":{"` + stix.SignatureExtension + `":{"extension_type":"property-extension"}},`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := stix.Parse(raw)
		if err != nil {
			return
		}
		s, ok, err := o.Signature()
		if err != nil || !ok {
			return
		}
		again, err := o.WithSignature(s)
		if err != nil {
			t.Fatalf("%s: what was read is not written: %v", raw, err)
		}
		a, _ := o.SignedBytes()
		b, _ := again.SignedBytes()
		if got, _, err := again.Signature(); err != nil || got.Signer != s.Signer || !bytes.Equal(got.Value, s.Value) || !bytes.Equal(a, b) {
			t.Fatalf("%s: written and read it is %+v", raw, got)
		}
	})
}
