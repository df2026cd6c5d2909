package stix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/stix"
)

func TestCanonical(t *testing.T) {
	for _, v := range []struct{ name, in, want string }{
		{"white space", " { \"b\" : [ 1 , true,null ] ,\n\"a\":\t\"x\" } ", `{"a":"x","b":[1,true,null]}`},
		{"empty", "[{},[],\"\"]", `[{},[],""]`},
		{"a scalar", " true ", "true"},
		{"escapes are the shortest", `"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\b\f\n\r\t\u007f"`, "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\n\\r\\t\u007f\""},
		{"names by UTF-16, not by bytes", `{"€":1,"\r":2,"\ufb33":3,"1":4,"😀":5,"\u0080":6,"ö":7}`, "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{"names that are escaped", `{"b":1,"\u0061":2}`, `{"a":2,"b":1}`},
		{"a name that begins another", `{"ab":1,"a":2,"":3}`, `{"":3,"a":2,"ab":1}`},
		{"no normalisation", "[\"\u00e5\",\"a\u030a\"]", "[\"\u00e5\",\"a\u030a\"]"},
	} {
		got, err := stix.Canonical([]byte(v.in))
		if err != nil || string(got) != v.want {
			t.Errorf("%s: got %s, %v; want %s", v.name, got, err, v.want)
		}
	}
}

// TestCanonicalNumbers has numbers on the edges of ECMAScript's form, and those that no two readers take alike.
func TestCanonicalNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "-0.0": "0", "0e5": "0", "1.0": "1", "1e0": "1", "10e-1": "1", "-1": "-1", "4.50": "4.5", "2e-3": "0.002",
		"333333333.33333329": "333333333.3333333", "1E30": "1e+30", "0.000000000000000000000000001": "1e-27", "1e-400": "0",
		"0.000001": "0.000001", "0.0000001": "1e-7", "999999999999999900000": "999999999999999900000", "1e20": "100000000000000000000",
		"1e21": "1e+21", "123456789012345680000": "123456789012345680000", "5e-324": "5e-324", "1.7976931348623157e308": "1.7976931348623157e+308",
		"9007199254740991": "9007199254740991", "9007199254740992": "9007199254740992", "-9007199254740992": "-9007199254740992",
		"9007199254740993": "", "-9007199254740993": "", "9007199254740994": "9007199254740994", "1234567890123456789": "", "1e400": "", "-1e400": "",
		"295147905179352825856": "295147905179352830000", "295147905179352830000": "295147905179352830000", "295147905179352830001": "",
		"1e-7": "1e-7", "123456789012345": "123456789012345", "1234567890123456": "1234567890123456", "0.1": "0.1", "-1.5e-9": "-1.5e-9",
	} {
		got, err := stix.Canonical([]byte(in))
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %s, %v; want %s", in, got, err, want)
		}
	}
}

// TestCanonicalNumbersAreShortest compares with the shortest digits that read back, over random doubles.
func TestCanonicalNumbersAreShortest(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		f := math.Float64frombits(random.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		in := strconv.FormatFloat(f, 'e', 20, 64)
		got, err := stix.Canonical([]byte(in))
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		back, err := strconv.ParseFloat(string(got), 64)
		if err != nil || back != f {
			t.Fatalf("%s became %s", in, got)
		}
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, strings.SplitN(string(got), "e", 2)[0])
		shortest := strings.Split(strconv.FormatFloat(f, 'e', -1, 64), "e")[0]
		if want := strings.Trim(strings.Map(digitsOnly, shortest), "0"); strings.Trim(digits, "0") != want {
			t.Fatalf("%s became %s; the shortest digits are %s", in, got, want)
		}
	}
}

func digitsOnly(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// anyJSON draws a JSON value as Go value.
func anyJSON(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Int64Range(-1<<53+1, 1<<53-1), func(i int64) any { return i }),
		rapid.Map(rapid.Float64Range(-1e300, 1e300), func(f float64) any { return f }),
	)
	if depth == 0 {
		return scalar
	}
	below := rapid.Deferred(func() *rapid.Generator[any] { return anyJSON(depth - 1) })
	return rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(below, 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.String(), below, 0, 5), func(m map[string]any) any { return m }),
	)
}

// shuffled writes a value with the members of its objects in random order, random white space and random escapes.
func shuffled(t *rapid.T, v any) []byte {
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "space")
	switch v := v.(type) {
	case map[string]any:
		keys := rapid.Permutation(keysOf(v)).Draw(t, "order")
		var b []byte
		for _, k := range keys {
			b = append(append(append(append(b, ','), space...), shuffled(t, k)...), ':')
			b = append(b, shuffled(t, v[k])...)
		}
		return append(append([]byte("{"+space), bytes.TrimPrefix(b, []byte(","))...), '}')
	case []any:
		var b []byte
		for _, item := range v {
			b = append(append(b, ','), shuffled(t, item)...)
		}
		return append(append([]byte("["+space), bytes.TrimPrefix(b, []byte(","))...), ']')
	case string:
		if rapid.Bool().Draw(t, "escape") {
			b := []byte{'"'}
			for _, u := range utf16Of(v) {
				b = fmt.Appendf(b, `\u%04x`, u)
			}
			return append(b, '"')
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, space...)
}

func utf16Of(s string) []uint16 {
	var all []uint16
	for _, r := range s {
		if r >= 0x10000 {
			all = append(all, uint16(0xD800+(r-0x10000)>>10), uint16(0xDC00+(r-0x10000)&0x3FF))
			continue
		}
		all = append(all, uint16(r))
	}
	return all
}

// TestCanonicalLaws: it changes nothing the second time, is the same however a value is written, and is what another
// implementation makes of it.
func TestCanonicalLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyJSON(3).Draw(t, "value")
		first, err := stix.Canonical(shuffled(t, v))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := stix.Canonical(first); err != nil || !bytes.Equal(again, first) {
			t.Fatalf("%s became %s, %v", first, again, err)
		}
		if other, err := stix.Canonical(shuffled(t, v)); err != nil || !bytes.Equal(other, first) {
			t.Fatalf("%s and %s, %v", first, other, err)
		}
		theirs := jsontext.Value(bytes.Clone(first))
		if err := theirs.Canonicalize(); err != nil || !bytes.Equal(theirs, first) {
			t.Fatalf("%s and %s, %v", first, theirs, err)
		}
	})
}

// TestDigestLaws is rule X16: equal objects have equal digests, whatever the order of their properties, white space,
// escapes and precision of time; others have not. And the level alone makes no difference without the level.
func TestDigestLaws(t *testing.T) {
	all := samples(t)
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom(all).Draw(t, "sample")
		var v map[string]any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		v["id"] = typeOf(raw) + "--00000000-0000-4000-8000-000000000001" // a version-5 one is bound to the text of times
		v["x_own"] = anyJSON(2).Filter(taken).Draw(t, "own")
		a, err := stix.Parse(shuffled(t, v))
		if err != nil {
			t.Fatal(err)
		}
		b, err := stix.Parse(bytes.ReplaceAll(shuffled(t, v), []byte(`.500Z"`), []byte(`.`+rapid.SampledFrom([]string{"5", "50", "5000000000000"}).Draw(t, "fraction")+`Z"`)))
		if err != nil {
			t.Fatal(err)
		}
		if digest(t, a) != digest(t, b) || bare(t, a) != bare(t, b) {
			t.Fatalf("%s\n%s", a.Raw(), b.Raw())
		}
		v["x_own"] = []any{v["x_own"]}
		c, err := stix.Parse(shuffled(t, v))
		if err != nil || digest(t, c) == digest(t, a) || bare(t, c) == bare(t, a) {
			t.Fatalf("another object has the digest of %s, %v", a.Raw(), err)
		}
	})
}

// taken tells whether a custom property may have this value.
func taken(v any) bool {
	list, isList := v.([]any)
	return v != nil && (!isList || len(list) > 0)
}

type fatal interface {
	Helper()
	Fatal(args ...any)
}

func digest(t fatal, o stix.Object) [32]byte {
	t.Helper()
	d, err := o.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bare(t fatal, o stix.Object) [32]byte {
	t.Helper()
	d, err := o.DigestWithoutLevel()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDigestIsOfTheCanonicalForm(t *testing.T) {
	o := parse(t, []byte(campaign(`,"x_a":1.0`)))
	// printf '%s' '{"created":…}' | sha256sum, over the canonical form with ".123Z" as it stands
	want := fmt.Sprintf("%x", sha(`{"created":"2024-03-05T06:07:08.123Z","id":"campaign--00000000-0000-4000-8000-000000000001",`+
		`"modified":"2024-03-05T06:07:08.123Z","name":"Tulip","spec_version":"2.1","type":"campaign","x_a":1}`))
	if got := fmt.Sprintf("%x", digest(t, o)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, same := range map[string]string{
		"trailing zeros":        strings.ReplaceAll(campaign(`,"x_a":1`), ".123Z", ".123000Z"),
		"the number otherwise":  campaign(`,"x_a":10e-1`),
		"the name with escapes": strings.Replace(campaign(`,"x_a":1`), "Tulip", `T\u0075lip`, 1),
	} {
		if digest(t, parse(t, []byte(same))) != digest(t, o) {
			t.Errorf("%s: another digest", name)
		}
	}
	for name, other := range map[string]string{
		"a microsecond":                  strings.ReplaceAll(campaign(`,"x_a":1`), ".123Z", ".123001Z"),
		"a time in text is text":         strings.Replace(campaign(`,"x_a":1`), "Tulip", "2024-03-05T06:07:08.1230Z", 1),
		"another spelling of the letter": strings.Replace(campaign(`,"x_a":1`), "Tulip", "tulip", 1),
	} {
		if digest(t, parse(t, []byte(other))) == digest(t, o) {
			t.Errorf("%s: the same digest", name)
		}
	}
}
