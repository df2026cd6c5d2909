package pattern

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// one is an observation of one object of type x with these properties.
func one(t testing.TB, properties string) []*Observed {
	t.Helper()
	seen, err := ReadObserved(strings.NewReader(`{"type":"observed-data","first_observed":"2024-01-01T00:00:00Z",`+
		`"last_observed":"2024-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"x",`+properties+`},`+
		`"1":{"type":"y","v":"other","up_ref":"0","up_refs":["0","9","2"]},"2":{"type":"z","v":"third"}}}`), 0)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestComparisons(t *testing.T) {
	for _, c := range []struct {
		pattern, data string
		want          bool
		why           string
	}{
		{"[x:a = 5]", `"a":5.0`, true, "a whole number equals the same decimal one"},
		{"[x:a = 9007199254740993]", `"a":9007199254740993`, true, "whole numbers compare exactly"},
		{"[x:a = 9007199254740993]", `"a":9007199254740992`, false, "even where a float would round"},
		{"[x:a > 9007199254740992.0]", `"a":9007199254740993`, true, "and against a decimal one"},
		{"[x:a < 9007199254740993]", `"a":9007199254740992.0`, true, "on either side"},
		{"[x:a > 1]", `"a":1e400`, true, "a number too large is larger"},
		{"[x:a = '5']", `"a":5`, false, "a text is no number (9.6.1: incompatible types are false)"},
		{"[x:a != '5']", `"a":5`, true, "but for != (9.6.1)"},
		{"[x:a NOT != '5']", `"a":5`, false, "and NOT turns it round"},
		{"[x:a = true]", `"a":1`, false, "true is no number"},
		{"[x:a < 'b']", `"a":"B"`, true, "by code point"},
		{"[x:a < '\U0001F600']", `"a":"\uffee"`, true, "by code point, not by UTF-16"},
		{"[x:a = 'x']", `"a":["x"]`, false, "a list is no text"},
		{"[x:a[*] = 'x']", `"a":["y","x"]`, true, "any element"},
		{"[x:a[1] = 'x']", `"a":["y","x"]`, true, "the second"},
		{"[x:a[-1] = 'x']", `"a":["y","x"]`, false, "lists count from the front"},
		{"[x:a[2] != 'x']", `"a":["y","x"]`, false, "no value, no verdict"},
		{"[x:b != 'x']", `"a":1`, false, "no value, no verdict"},
		{"[x:b NOT = 'x']", `"a":1`, false, "no value, no verdict"},
		{"[x:a[*] NOT = 'x']", `"a":["y","x"]`, true, "NOT is asked of each value"},
		{"[x:a != 'x']", `"a":{"b":1}`, true, "an object is not the text"},
		{"[x:a.b = 1]", `"a":{"b":1}`, true, "a dictionary"},
		{"[x:a.'b.c' = 1]", `"a":{"b.c":1}`, true, "a quoted key"},
		{"[x:a LIKE '%b_d%']", `"a":"abcde"`, true, "wildcards"},
		{"[x:a LIKE 'b_d']", `"a":"abcde"`, false, "LIKE is of the whole text"},
		{"[x:a LIKE 'a%']", `"a":"a\nb"`, true, "% passes line breaks"},
		{"[x:a LIKE '_']", `"a":"é"`, true, "_ is one character"},
		{"[x:a LIKE 'a.c']", `"a":"abc"`, false, "a point is a point"},
		{"[x:a MATCHES '^b$']", `"a":"b"`, true, "anchors"},
		{"[x:a MATCHES '^b$']", `"a":"b\n"`, true, "$ stands before a last line break too"},
		{"[x:a MATCHES '^b$']", `"a":"b\nc"`, false, "but before no other"},
		{"[x:a MATCHES 'a.c']", `"a":"a\nc"`, true, "a point passes line breaks"},
		{"[x:a MATCHES '(?i)ABC']", `"a":"xabcx"`, true, "flags"},
		{`[x:a MATCHES '\\x{e9}\\h\\e\\Z']`, `"a":"é\t\u001b\n"`, true, "escapes of PCRE"},
		{`[x:a MATCHES '^[\\h\\]]+$']`, `"a":"] \u00a0"`, true, "and in a class"},
		{`[x:a MATCHES '[]a]+[^]]']`, `"a":"]ab"`, true, "a bracket first in a class"},
		{`[x:a MATCHES '\\Q(?=\\E']`, `"a":"(?="`, true, "quoted, this is no look-around"},
		{`[x:a MATCHES '[(?=]']`, `"a":"?"`, true, "nor is it in a class"},
		{`[x:a MATCHES '[[:digit:]]{2}']`, `"a":"a12"`, true, "a named class"},
		{"[x:a ISSUBSET '192.0.2.0/24']", `"a":"192.0.2.7"`, true, "an address in a subnet"},
		{"[x:a ISSUBSET '192.0.2.0/24']", `"a":"192.0.2.0/25"`, true, "a subnet in a subnet"},
		{"[x:a ISSUBSET '192.0.2.0/24']", `"a":"192.0.2.0/24"`, true, "the same"},
		{"[x:a ISSUBSET '192.0.2.0/24']", `"a":"192.0.0.0/16"`, false, "a wider one"},
		{"[x:a ISSUBSET '::/0']", `"a":"192.0.2.7"`, false, "another family"},
		{"[x:a ISSUPERSET '2001:db8::1']", `"a":"2001:0db8::/32"`, true, "IPv6"},
		{"[x:a NOT ISSUPERSET '2001:db8::1']", `"a":"no address"`, true, "NOT of a text that is none"},
		{"[EXISTS x:a]", `"a":[]`, true, "a property is there"},
		{"[EXISTS x:a[*]]", `"a":[]`, false, "an element is not"},
		{"[EXISTS x:a]", `"b":1`, false, "no such property"},
		{"[NOT EXISTS x:a]", `"b":1`, true, "NOT EXISTS"},
		{"[NOT EXISTS x:a]", `"a":1`, false, "NOT EXISTS of one that is there"},
		{"[EXISTS x:a.b]", `"a":{"b":false}`, true, "deeper"},
		{"[NOT EXISTS w:a]", `"b":1`, false, "there is no object of the type"},
		{"[EXISTS y:up_ref.a]", `"a":1`, true, "through a reference"},
		{"[EXISTS y:up_refs[*].v]", `"a":1`, true, "through a list of references, one of which leads nowhere"},
		{"[EXISTS y:up_refs[1].v]", `"a":1`, false, "the one that leads nowhere"},
		{"[y:up_ref = '0']", `"a":1`, true, "the reference itself"},
		{"[y:up_ref.type = 'x']", `"a":1`, true, "the type of what it leads to"},
		{"[x:a = 1 OR y:v = 'no']", `"a":1`, true, "OR of two types"},
		{"[x:a_hex = h'FFd8']", `"a_hex":"fFD8"`, true, "bytes against bytes"},
		{"[x:a_hex = 'ffd8']", `"a_hex":"FFD8"`, true, "a text as it is written"},
		{"[x:a_hex != 'ffd8']", `"a_hex":"FFD8"`, false, "and != agrees"},
		{"[x:a_bin IN ('AAE=', 'x')]", `"a_bin":"AAE="`, true, "in a list"},
		{"[x:a_hex > h'ff']", `"a_hex":"ff00"`, true, "the longer is the larger"},
		{"[x:a_hex[*] = h'00']", `"a_hex":["01","00"]`, true, "a list of bytes"},
		{"[x:a_bin = 'no base64']", `"a_bin":"no base64"`, true, "what is no base64 is a text"},
		{"[x:a = t'2024-01-01T00:00:00.0Z']", `"a":"2024-01-01T00:00:00Z"`, true, "timestamps by instant"},
		{"[x:a != t'2024-01-01T00:00:00Z']", `"a":5`, true, "a number is no timestamp"},
	} {
		got, err := matchText(c.pattern, one(t, c.data))
		if err != nil || (len(got) > 0) != c.want {
			t.Errorf("%s: %s against {%s}: got %v, %v", c.why, c.pattern, c.data, got, err)
		}
	}
}

func TestRefusedAtCompile(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"[x:a MATCHES 'a(?=b)']", "look-around (?=)"},
		{"[x:a MATCHES '(?<!a)b']", "look-around (?<!)"},
		{`[x:a MATCHES '(a)\\1']`, "back-references"},
		{`[x:a MATCHES '(?P<n>a)(?P=n)']`, "back-references"},
		{"[x:a MATCHES '(?>a)']", "atomic groups"},
		{"[x:a MATCHES 'a++']", "possessive"},
		{"[x:a MATCHES 'a(']", "no expression that can be read: missing closing )"},
		{"[x:a MATCHES 'a{1001}']", "no expression"},
		{"[x:a MATCHES '" + strings.Repeat("a", maxExpression+1) + "']", "at most"},
		{"[x:a MATCHES '(" + strings.Repeat("(abc|d)", 100) + "){200}']", "too large when its repetitions"},
		{"[" + strings.Repeat("x:a MATCHES '(abc|d){999}' OR ", 60) + "x:a = 1]", "too large together"},
		{"[x:a IN (1, 'x')]", "mixes a whole number and a text"},
		{"[x:a IN (1, 2.5, true)]", "mixes a whole number and true or false"},
		{"[x:a ISSUBSET '192.0.2']", "no address and no subnet"},
		{"[x:a ISSUBSET '192.0.2.0/33']", "no address and no subnet"},
		{"[x:a = t'2023-02-29T00:00:00Z']", "no calendar"},
		{"[x:a = 1] START t'2023-02-29T00:00:00Z' STOP t'2024-01-01T00:00:00Z'", "no calendar"},
		{"[x:a = 1" + strings.Repeat("0", 400) + "]", "10^308"},
		{"[x:a = 1 AND y:a = 1]", "different object types"},
		{"[x:a = 1 AND (y:a = 1 OR z:a = 1)]", "different object types"},
	} {
		_, err := Compile(mustParse(t, c.in))
		e, ok := errors.AsType[*Error](err)
		if !ok || !strings.Contains(e.Text, c.want) || e.Pos.Line != 1 {
			t.Errorf("Compile(%.60s): %v, want %q at a place", c.in, err, c.want)
		}
	}
	var many []string
	for i := range MaxTests + 1 {
		many = append(many, fmt.Sprintf("[x:a = %d]", i))
	}
	if _, err := Compile(mustParse(t, strings.Join(many, " AND "))); err == nil {
		t.Errorf("a pattern of %d tests is compiled", len(many))
	}
	if _, err := Compile(&Pattern{}); err == nil {
		t.Error("a pattern of nothing is compiled")
	}
}

// TestBadTimestamp: a value that ought to be a timestamp is an error with its path.
func TestBadTimestamp(t *testing.T) {
	_, err := matchText("[x:a.at > t'2024-01-01T00:00:00Z']", one(t, `"a":{"at":"yesterday"}`))
	if err == nil || !strings.Contains(err.Error(), "x:a.at is 'yesterday'") {
		t.Errorf("got %v", err)
	}
}

// TestRenamed: patterns of one version find data of the other.
func TestRenamed(t *testing.T) {
	for _, c := range []struct{ pattern, object string }{
		{"[file:created = t'2024-01-01T00:00:00Z']", `{"type":"file","ctime":"2024-01-01T00:00:00Z"}`},
		{"[file:ctime = t'2024-01-01T00:00:00Z']", `{"type":"file","created":"2024-01-01T00:00:00Z"}`},
		{"[process:name = 'a.exe']", `{"type":"process","image_ref":"1"}`},
		{"[process:binary_ref.name = 'a.exe']", `{"type":"process","image_ref":"1"}`},
		{"[process:image_ref.name = 'a.exe']", `{"type":"process","binary_ref":"1"}`},
		{"[process:image_ref.name = 'a.exe']", `{"type":"process","name":"a.exe"}`},
	} {
		seen, err := ReadObserved(strings.NewReader(`{"type":"observed-data","first_observed":"2024-01-01T00:00:00Z",`+
			`"last_observed":"2024-01-01T00:00:00Z","objects":{"0":`+c.object+`,"1":{"type":"file","name":"a.exe"}}}`), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := matchText(c.pattern, seen); err != nil || len(got) != 1 {
			t.Errorf("%s against %s: %v, %v", c.pattern, c.object, got, err)
		}
	}
}

// TestReadObserved: every shape in which observed data comes, and what is no such thing.
func TestReadObserved(t *testing.T) {
	const times = `"first_observed":"2024-01-01T00:00:00Z","last_observed":"2024-01-01T00:00:01Z"`
	const data = `{"type":"observed-data","id":"o",` + times + `,"object_refs":["x--1","x--0"]}`
	const object = `{"type":"x","id":"x--1","a":1}`
	for _, c := range []struct {
		in   string
		want int // observations of [x:a = 1]
		all  int
		why  string
	}{
		{`{"type":"bundle","objects":[` + data + `,` + object + `]}`, 1, 1, "a bundle"},
		{`[` + object + `,` + data + `]`, 1, 1, "a list"},
		{data + "\n" + object, 1, 1, "JSON lines"},
		{`[{"type":"bundle","objects":[` + data + `,` + object + `]},{"type":"bundle","objects":[` + data + `]}]`, 2, 2, "a list of bundles"},
		{`{"objects":[` + data + `,` + object + `]}`, 1, 1, "a TAXII envelope"},
		{`{"type":"observed-data",` + times + `,"objects":{"0":{"type":"x","a":1}}}`, 1, 1, "the dictionary of 2.0"},
		{data, 0, 1, "a reference that leads nowhere"},
		{object, 1, 1, "an object alone"},
		{"\xef\xbb\xbf" + object, 1, 1, "a byte order mark"},
		{`[` + object + `,{"type":"x","a":1},{"type":"identity","created":"","modified":""}]`, 2, 2, "objects without observed-data"},
		{`{"type":"bundle","objects":[{"type":"observed-data",` + times + `},` + object + `]}`, 0, 1, "an object that was not observed"},
	} {
		seen, err := ReadObserved(strings.NewReader(c.in), 0)
		if err != nil || len(seen) != c.all {
			t.Errorf("%s: %d observations, %v", c.why, len(seen), err)
			continue
		}
		hits := 0
		for _, o := range seen {
			if got, err := matchText("[x:a = 1]", []*Observed{o}); err != nil {
				t.Error(err)
			} else {
				hits += len(got)
			}
		}
		if hits != c.want {
			t.Errorf("%s: %d observations match, want %d", c.why, hits, c.want)
		}
	}
	for _, c := range []struct{ in, want string }{
		{``, "no observed-data"},
		{`[]`, "no observed-data"},
		{`5`, "neither a bundle"},
		{`[5]`, "entry 0"},
		{`{"type":"observed-data"`, "unexpected EOF"},
		{`{"type":"observed-data","id":"o"}`, "o: first_observed is ''"},
		{`{"type":"observed-data","first_observed":"2024-01-01T00:00:00Z","last_observed":"2023-01-01T00:00:00Z"}`, "observed-data number 1: last_observed is before"},
		{`{"type":"observed-data",` + times + `,"number_observed":0}`, "number_observed"},
		{`{"type":"observed-data",` + times + `,"number_observed":1.5}`, "number_observed"},
		{strings.Repeat("[", 100), "nested more than 64"},
		{`{"type":"identity","created":"","modified":""}`, "no observed-data"},
	} {
		if _, err := ReadObserved(strings.NewReader(c.in), 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: %v, want %q", c.in, err, c.want)
		}
	}
	if _, err := readObserved(strings.NewReader(data), 0, 5); err == nil || !strings.Contains(err.Error(), "too many values") {
		t.Errorf("too many values: %v", err)
	}
	if _, err := ReadObserved(strings.NewReader(data), 20); err == nil || !strings.Contains(err.Error(), "more than 20 bytes") {
		t.Errorf("a stream that is too long: %v", err)
	}
}

// TestUnknownTime: what was observed at no known time meets no qualifier.
func TestUnknownTime(t *testing.T) {
	seen := make([]*Observed, 2)
	for i := range seen {
		x := new(Object)
		x.Reset("x")
		x.Int([]Step{{Kind: Key, Key: "a"}}, 1)
		seen[i] = new(Observed)
		seen[i].Add(x)
	}
	for text, want := range map[string]int{
		"[x:a = 1] REPEATS 2 TIMES":                                              2,
		"[x:a = 1] AND [x:a = 1]":                                                2,
		"[x:a = 1] FOLLOWEDBY [x:a = 1]":                                         0,
		"[x:a = 1] REPEATS 2 TIMES WITHIN 5 SECONDS":                             0,
		"[x:a = 1] START t'0001-01-01T00:00:00Z' STOP t'9999-01-01T00:00:00Z'":   0,
		"([x:a = 1] AND [x:a = 1]) WITHIN 99999999999999999999999999999 SECONDS": 0,
		"[x:a = 1] WITHIN 1 SECONDS":                                             1,
	} {
		if got, err := matchText(text, seen); err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// TestObject: an object made by hand is found as one that was read.
func TestObject(t *testing.T) {
	x := new(Object)
	for range 2 { // used again, it holds nothing of before
		x.Reset("x")
		put := func(path string, do func([]Step) bool) {
			p, err := ParsePath("x:" + path)
			if err != nil {
				t.Fatal(err)
			}
			if !do(p.Steps) {
				t.Errorf("%s is refused", path)
			}
		}
		put("dst_ref.value", func(s []Step) bool { return x.Text(s, "192.0.2.1") })
		put("list[*]", func(s []Step) bool { return x.Int(s, 1) })
		put("list[*]", func(s []Step) bool { return x.Int(s, 2) })
		put("values[1].name", func(s []Step) bool { return x.Text(s, "n") })
		put("values[1].yes", func(s []Step) bool { return x.Bool(s, true) })
		put("half", func(s []Step) bool { return x.Float(s, .5) })
		if x.Int([]Step{{Kind: Key, Key: "half"}, {Kind: Key, Key: "b"}}, 1) {
			t.Error("a number has a property")
		}
		if x.Int([]Step{{Kind: Key, Key: "list"}, {Kind: Index, Index: 1 << 20}}, 1) {
			t.Error("a list of a million is made")
		}
	}
	o := &Observed{First: time.Unix(5, 0)}
	o.Add(x)
	for text, want := range map[string]int{
		"[x:dst_ref.value ISSUBSET '192.0.2.0/24']": 1,
		"[x:list[*] = 2 AND x:list[0] = 1]":         1,
		"[EXISTS x:list[2]]":                        0,
		"[x:values[*].name = 'n' AND x:values[1].yes = true AND x:half < 1 AND x:type = 'x']": 1,
		"[x:half = .5] START t'1970-01-01T00:00:05Z' STOP t'1970-01-01T00:00:06Z'":            1,
	} {
		if got, err := matchText(text, []*Observed{o}); err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	o.Reset()
	if got, err := matchText("[EXISTS x:half]", []*Observed{o}); err != nil || got != nil {
		t.Errorf("after Reset: %v, %v", got, err)
	}
}

func TestParsePath(t *testing.T) {
	if p, err := ParsePath("file:hashes.'SHA-256'"); err != nil || p.String() != "file:hashes.'SHA-256'" {
		t.Errorf("%v, %v", p, err)
	}
	for _, in := range []string{"", "file", "file:a-b", "file:a] OR [EXISTS file:b", "file:a OR file:b = 1"} {
		if p, err := ParsePath(in); err == nil {
			t.Errorf("ParsePath(%q) = %v", in, p)
		}
	}
}

// TestSharedScopes: a reference is looked up near before far.
func TestSharedScopes(t *testing.T) {
	const data = `{"type":"observed-data","first_observed":"2024-01-01T00:00:00Z","last_observed":"2024-01-01T00:00:00Z","object_refs":["x--1"]}`
	in := `[{"type":"bundle","objects":[` + data + `,{"type":"x","id":"x--1","a":1}]},{"type":"bundle","objects":[` + data + `,{"type":"x","id":"x--1","a":2}]}]`
	seen, err := ReadObserved(strings.NewReader(in), 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := matchText("[x:a = 2]", seen)
	if err != nil || !slices.Equal(got, []int{1}) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestEvidence: the values that made a pattern match, and no others.
func TestEvidence(t *testing.T) {
	seen := one(t, `"a":5,"l":["u","v"],"b":true,"f":0.5`)
	for _, c := range []struct{ in, want string }{
		{"[x:a = 5 AND (x:l[*] = 'v' OR x:l[*] = 'w') AND x:b = true]", "[{x a 5} {x l[*] v} {x b true}]"},
		{"[x:a > 4] AND [y:v LIKE 'o%']", "[{x a 5} {y v other}]"},
		{"[x:l[*] != 'u' OR x:f < 1]", "[{x l[*] v} {x f 0.5}]"},
		{"[EXISTS x:a AND NOT EXISTS x:q]", "[{x a 5}]"},
		{"[x:a = 6 OR x:b = true]", "[{x b true}]"},
		{"[x:a = 6]", "[]"},
	} {
		m, err := Compile(mustParse(t, c.in))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(m.Evidence(seen[0])); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}
