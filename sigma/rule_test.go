package sigma

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/polder-exchange/polder/event"
)

// logged makes an event of names and values; a value may be text, a number, a bool or nil for null.
func logged(pairs ...any) *event.Event {
	ev := &event.Event{Source: source("windows", "process_creation", "sysmon")}
	for i := 0; i < len(pairs); i += 2 {
		f := event.Field{Name: event.Intern(pairs[i].(string))}
		switch v := pairs[i+1].(type) {
		case nil:
			f.Kind = event.Null
		case bool:
			f.Kind, f.Value = event.Bool, fmt.Append(nil, v)
		case string:
			f.Value = []byte(v)
		default:
			f.Kind, f.Value = event.Number, fmt.Append(nil, v)
		}
		ev.Fields = append(ev.Fields, f)
	}
	return ev
}

const head = "title: t\nlogsource: {product: windows}\n"

// parseOne reads one rule from its detection.
func parseOne(t *testing.T, detection string, o LoadOptions) *Rule {
	t.Helper()
	c, errs := Parse([]byte("title: t\nlogsource: {category: process_creation}\ndetection:\n"+detection), "t.yml", o)
	if len(errs) > 0 {
		t.Fatalf("%v", errs[0])
	}
	return c.Rules[0]
}

// both asks the rule in plain words and the engine.
func both(t *testing.T, r *Rule, ev *event.Event) bool {
	t.Helper()
	e := engineOf(t, &Collection{Rules: []*Rule{r}})
	m := e.NewMatcher()
	plain, fast := r.Matches(ev), len(m.Match(ev)) > 0
	if plain != fast {
		t.Errorf("plain says %v, the engine %v", plain, fast)
	}
	return plain
}

func TestItems(t *testing.T) {
	o := LoadOptions{Placeholders: map[string][]string{"admins": {"root", "adm*"}, "n": {"1", "2"}}}
	for _, c := range []struct {
		item string // one detection item, or a list
		ev   []any
		want bool
		why  string
	}{
		{`{a: Foo}`, []any{"a", "fOO"}, true, "case does not count"},
		{`{a: É}`, []any{"a", "é"}, true, "nor beyond ASCII"},
		{`{a|cased: Foo}`, []any{"a", "foo"}, false, "cased"},
		{`{a|cased: Foo}`, []any{"a", "Foo"}, true, "cased"},
		{`{a|contains|cased: oO}`, []any{"a", "FoO"}, true, "cased in the middle"},
		{`{a: Foo}`, []any{"a", "Foo "}, false, "the whole value"},
		{`{a: f*o}`, []any{"a", "f\nx\no"}, true, "a wildcard crosses line ends"},
		{`{a: f?o}`, []any{"a", "f€o"}, true, "? is one character of any length"},
		{`{a: f?o}`, []any{"a", "fo"}, false, "? is not nothing"},
		{`{a: f??o}`, []any{"a", "f€o"}, false, "one character is not two"},
		{`{a: 'f\*o'}`, []any{"a", "f*o"}, true, "a plain star"},
		{`{a: 'f\*o'}`, []any{"a", "fxo"}, false, "a plain star"},
		{`{a: 'f\?o'}`, []any{"a", "f?o"}, true, "a plain question mark"},
		{`{a: 'f\\*o'}`, []any{"a", `f\xo`}, true, "a backslash and a wildcard"},
		{`{a: 'f\\\*o'}`, []any{"a", `f\*o`}, true, "a backslash and a plain star"},
		{`{a: 'f\x'}`, []any{"a", `f\x`}, true, "a backslash before another letter is itself"},
		{`{a: '\\\\srv'}`, []any{"a", `\\srv`}, true, "four backslashes are two"},
		{`{a|endswith: '\'}`, []any{"a", `c:\`}, true, "a last backslash is itself"},
		{`{a|contains: b}`, []any{"a", "abc"}, true, "contains"},
		{`{a|startswith: ab}`, []any{"a", "ABc"}, true, "startswith"},
		{`{a|startswith: b}`, []any{"a", "abc"}, false, "startswith"},
		{`{a|endswith: bc}`, []any{"a", "abc"}, true, "endswith"},
		{`{a|contains: [x, b]}`, []any{"a", "abc"}, true, "one of a list"},
		{`{a|contains|all: [a, c]}`, []any{"a", "abc"}, true, "all of a list"},
		{`{a|contains|all: [a, x]}`, []any{"a", "abc"}, false, "all of a list"},
		{`{a|all|contains: [a, x]}`, []any{"a", "a", "a", "x"}, true, "each in another of the field's values"},
		{`{a: 4688}`, []any{"a", 4688}, true, "number to number"},
		{`{a: 4688}`, []any{"a", "4688"}, true, "number to text"},
		{`{a: 4688}`, []any{"a", 46880}, false, "the whole number"},
		{`{a: 0x10}`, []any{"a", 16}, true, "hexadecimal of YAML"},
		{`{a: 4688.0}`, []any{"a", 4688}, true, "a fraction of zeros"},
		{`{a: true}`, []any{"a", true}, true, "bool"},
		{`{a: true}`, []any{"a", "True"}, true, "bool as text"},
		{`{a: true}`, []any{"a", false}, false, "bool"},
		{`{a: null}`, []any{"b", 1}, true, "null: not there"},
		{`{a: null}`, []any{"a", nil}, true, "null: there with null"},
		{`{a: null}`, []any{"a", ""}, false, "empty is not null"},
		{`{a: ''}`, []any{"a", ""}, true, "empty"},
		{`{a: ''}`, []any{"b", ""}, false, "empty must be there"},
		{`{a: ''}`, []any{"a", nil}, false, "null is not empty"},
		{`{a: [null, x]}`, []any{"b", 1}, true, "null in a list"},
		{`{a: '*'}`, []any{"a", ""}, true, "anything, nothing included"},
		{`{a: '*'}`, []any{"b", ""}, false, "anything must be there"},
		{`{a|exists: true}`, []any{"a", nil}, true, "exists"},
		{`{a|exists: false}`, []any{"b", 1}, true, "exists not"},
		{`{a|exists: false}`, []any{"a", 1}, false, "exists not"},
		{`{a|neq: x}`, []any{"a", "y"}, true, "not equal"},
		{`{a|neq: x}`, []any{"a", "X"}, false, "not equal"},
		{`{a|neq: x}`, []any{"b", "y"}, true, "not equal, not there"},
		{`{a|contains|neq: [x, y]}`, []any{"a", "ayb"}, false, "none of the list"},
		{`{a|re: 'b.d'}`, []any{"a", "abcd"}, true, "an expression anywhere"},
		{`{a|re: 'B.D'}`, []any{"a", "abcd"}, false, "case counts in expressions"},
		{`{a|re|i: 'B.D'}`, []any{"a", "abcd"}, true, "flag i"},
		{`{a|re: 'a.b'}`, []any{"a", "a\nb"}, false, "a dot is no line end"},
		{`{a|re|s: 'a.b'}`, []any{"a", "a\nb"}, true, "flag s"},
		{`{a|re: '^b$'}`, []any{"a", "a\nb\nc"}, false, "ends of the value"},
		{`{a|re|m: '^b$'}`, []any{"a", "a\nb\nc"}, true, "flag m"},
		{`{a|re|i|m: '^B$'}`, []any{"a", "a\nb\nc"}, true, "two flags"},
		{`{a|re: 'b$'}`, []any{"a", "ab\n"}, true, "$ before a last line end"},
		{`{a|re: '\bfoo\b'}`, []any{"a", "x foo-y"}, true, "word boundaries"},
		{`{a|re: ['x', 'b']}`, []any{"a", "abc"}, true, "one of several expressions"},
		{`{a|cidr: 10.0.0.0/8}`, []any{"a", "10.9.8.7"}, true, "network"},
		{`{a|cidr: 10.0.0.0/8}`, []any{"a", "11.9.8.7"}, false, "network"},
		{`{a|cidr: 10.0.0.0/8}`, []any{"a", "::ffff:10.9.8.7"}, true, "IPv4 in IPv6"},
		{`{a|cidr: '2001:db8::/32'}`, []any{"a", "2001:DB8:1::1"}, true, "IPv6"},
		{`{a|cidr: [10.0.0.0/8, 'fe80::/10']}`, []any{"a", "fe80::1%eth0"}, true, "a zone"},
		{`{a|cidr: 10.0.0.0/8}`, []any{"a", "host"}, false, "no address"},
		{`{a|lt: 5}`, []any{"a", 4.5}, true, "lt"},
		{`{a|lt: 5}`, []any{"a", "x"}, false, "no number"},
		{`{a|lte: 5}`, []any{"a", "5"}, true, "lte"},
		{`{a|gt: 5}`, []any{"a", 5}, false, "gt"},
		{`{a|gte: 5}`, []any{"a", 5}, true, "gte"},
		{`{a|gte: -3}`, []any{"a", -2}, true, "negative"},
		{`{a|hour: 23}`, []any{"a", "2024-02-29T23:05:01Z"}, true, "hour"},
		{`{a|hour|gte: 20}`, []any{"a", "2024-02-29 23:05:01.123"}, true, "hour compared"},
		{`{a|gte|hour: 20}`, []any{"a", "2024-02-29 19:05:01"}, false, "in either order"},
		{`{a|minute: 5}`, []any{"a", "2024-02-29T23:05:01Z"}, true, "minute"},
		{`{a|day: 29}`, []any{"a", "2024-02-29T23:05:01Z"}, true, "day"},
		{`{a|week: 9}`, []any{"a", "2024-02-29T23:05:01Z"}, true, "week of ISO 8601"},
		{`{a|month: 2}`, []any{"a", 1709247901}, true, "seconds since 1970"},
		{`{a|year: 2024}`, []any{"a", 1709247901000}, true, "milliseconds since 1970"},
		{`{a|year: 2024}`, []any{"a", "yesterday"}, false, "no time"},
		{`{a|fieldref: b}`, []any{"a", "X", "b", "x"}, true, "two fields alike"},
		{`{a|fieldref: b}`, []any{"a", "X"}, false, "the other is not there"},
		{`{a|fieldref|cased: b}`, []any{"a", "X", "b", "x"}, false, "two fields, cased"},
		{`{a|fieldref|startswith: b}`, []any{"a", "xyz", "b", "XY"}, true, "begins with the other"},
		{`{a|fieldref|endswith: b}`, []any{"a", "xyz", "b", "yz"}, true, "ends with the other"},
		{`{a|contains|fieldref: b}`, []any{"a", "xyz", "b", "y"}, true, "contains the other"},
		{`{a|fieldref|endswith: b}`, []any{"a", "xyz", "b", "xy"}, false, "ends with the other"},
		{`{a|base64: foo}`, []any{"a", "Zm9v"}, true, "Base64"},
		{`{a|base64|contains: foobar}`, []any{"a", "xxZm9vYmFyxx"}, true, "Base64 within"},
		{`{a|base64offset|contains: foobar}`, []any{"a", "eGZvb2Jhcnk="}, true, "Base64 at offset 1"},
		{`{a|base64offset|contains: foobar}`, []any{"a", "eHhmb29iYXJ5"}, true, "Base64 at offset 2"},
		{`{a|wide|base64offset|contains: foobar}`, []any{"a", "ZgBvAG8AYgBhAHIA"}, true, "UTF-16 in Base64"},
		{`{a|utf16le: ab}`, []any{"a", "a\x00b\x00"}, true, "utf16le"},
		{`{a|utf16be: ab}`, []any{"a", "\x00a\x00b"}, true, "utf16be"},
		{`{a|utf16: ab}`, []any{"a", "\xff\xfea\x00b\x00"}, true, "utf16 with its mark"},
		{`{a|windash|contains: ' -f '}`, []any{"a", "x /f y"}, true, "a slash for a dash"},
		{`{a|windash|contains: ' /f '}`, []any{"a", "x —F y"}, true, "an em dash for a slash"},
		{`{a|contains|windash: ' -f -g'}`, []any{"a", "x ―f /g"}, true, "each dash by itself"},
		{`{a|windash|contains: 'a-b'}`, []any{"a", "a/b"}, false, "a hyphen in a word is no option"},
		{`{a|windash|contains|base64offset: ' -f'}`, nil, false, "refused below"},
		{`{a|expand: 'x%admins%'}`, []any{"a", "xadmin"}, true, "placeholder, with its wildcard"},
		{`{a|expand: '%n%-%n%'}`, []any{"a", "2-1"}, true, "two placeholders"},
		{`{a|expand|contains: ['y', '%n%']}`, []any{"a", "z1z"}, true, "placeholder in a list"},
		{`{a: '%TEMP%'}`, []any{"a", "%temp%"}, true, "without expand it is a text"},
		{`[word]`, []any{"b", "some WORDS"}, true, "keyword in any value"},
		{`[one, two]`, []any{"b", "two"}, true, "one of the keywords"},
		{`{'|all': [one, two]}`, []any{"a", "one", "b", "two"}, true, "all keywords"},
		{`{'|all': [one, two]}`, []any{"a", "one"}, false, "all keywords"},
		{`['o*e']`, []any{"a", "xone "}, true, "wildcard in a keyword"},
		{`[4728]`, []any{"a", "id 4728."}, true, "number as keyword"},
		{`{'|re': 'w.rd'}`, []any{"a", "xword"}, true, "expression over all values"},
		{`[{a: x}, {b: y}]`, []any{"b", "y"}, true, "one of several maps"},
		{`[{a: x}, word]`, []any{"b", "sword"}, true, "maps and keywords"},
		{`{a: x, b: y}`, []any{"b", "y"}, false, "all of a map"},
		{`{a.b.c: x}`, []any{"a.b.c", "x"}, true, "a path"},
		{`{a: x}`, []any{"a", "y", "a", "x"}, true, "one of the values of a list"},
	} {
		if c.ev == nil {
			continue
		}
		r := parseOne(t, "  s: "+c.item+"\n  condition: s\n", o)
		if got := both(t, r, logged(c.ev...)); got != c.want {
			t.Errorf("%s on %v: %v, want %v (%s)", c.item, c.ev, got, c.want, c.why)
		}
	}
}

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		condition string
		fields    string // those that are 1
		want      bool
		why       string
	}{
		{"a and b or c", "c", true, "and binds stronger than or"},
		{"a or b and c", "a", true, "and binds stronger than or"},
		{"(a or b) and c", "a", false, "brackets"},
		{"not a and b", "b", true, "not binds strongest"},
		{"not a or b", "ab", true, "not binds strongest"},
		{"not (a or b)", "c", true, "not before brackets"},
		{"not not a", "a", true, "twice not"},
		{"a AND NOT b", "a", true, "any case"},
		{"1 of x*", "", false, "one of a pattern"},
		{"1 of x*", "e", true, "one of a pattern"},
		{"any of x*", "d", true, "any is one"},
		{"all of x*", "d", false, "all of a pattern"},
		{"all of x*", "de", true, "all of a pattern"},
		{"1 of them", "c", true, "them"},
		{"all of them", "abcde", true, "them leaves out what begins with an underscore"},
		{"a and not 1 of x*", "ad", false, "as filters are written"},
		{"1 of _*", "", false, "an underscore can be named"},
		{"[a and b, c]", "c", true, "one of a list of conditions"},
		{"a\n    and\n    b", "ab", true, "over several lines"},
	} {
		text := ""
		for _, f := range []string{"a", "b", "c"} {
			text += fmt.Sprintf("  %s: {%s: 1}\n", f, f)
		}
		text += "  x_d: {d: 1}\n  x_e: {e: 1}\n  _off: {off: 1}\n  condition: " + c.condition + "\n"
		var ev []any
		for _, f := range c.fields {
			ev = append(ev, string(f), 1)
		}
		if got := both(t, parseOne(t, text, LoadOptions{}), logged(ev...)); got != c.want {
			t.Errorf("%s with %s: %v, want %v (%s)", c.condition, c.fields, got, c.want, c.why)
		}
	}
}

func TestStarMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"sel*", "selection", true}, {"*tion", "selection", true}, {"s*c*n", "selection", true}, {"*", "a/b", true},
		{"sel*tion", "seltion", true}, {"aa*aa", "aaa", false}, {"s*x*n", "selection", false}, {"sel", "selection", false},
	} {
		if got := starMatch(c.pattern, c.name); got != c.want {
			t.Errorf("%s for %s: %v", c.pattern, c.name, got)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	det := head + "detection:\n"
	for _, c := range []struct {
		name, text string
		line       int
		want       []string // all in the error
	}{
		{"unknown modifier", det + "  s:\n    a|contians: x\n  condition: s\n", 5, []string{`"contians"`, "did you mean contains?"}},
		{"undefined search", det + "  selection: {a: x}\n  condition: selectoin\n", 5, []string{`"selectoin"`, "did you mean selection?"}},
		{"pattern of nothing", det + "  s: {a: x}\n  condition: 1 of filter_*\n", 5, []string{`"filter_*"`, "no such search"}},
		{"missing placeholder", det + "  s:\n    a|expand: '%admins%'\n  condition: s\n", 5, []string{"%admins%", "placeholder"}},
		{"look-ahead", det + "  s: {a|re: 'x(?!y)'}\n  condition: s\n", 4, []string{"look-ahead", "not"}},
		{"look-behind", det + "  s: {a|re: '(?<=x)y'}\n  condition: s\n", 4, []string{"look-behind"}},
		{"backreference", det + "  s: {a|re: '(x)\\1'}\n  condition: s\n", 4, []string{"backreference", `\1`}},
		{"broken expression", det + "  s: {a|re: '(x'}\n  condition: s\n", 4, []string{"missing closing )"}},
		{"great expression", det + "  s: {a|re: '" + strings.Repeat("(a{900}b{900})", 20) + "'}\n  condition: s\n", 4, []string{"instructions"}},
		{"no network", det + "  s: {a|cidr: 10.0.0/8}\n  condition: s\n", 4, []string{"10.0.0.0/8"}},
		{"no number", det + "  s: {a|lt: x}\n  condition: s\n", 4, []string{"lt takes a number"}},
		{"exists of a text", det + "  s: {a|exists: x}\n  condition: s\n", 4, []string{"true or false"}},
		{"flag without re", det + "  s: {a|i: x}\n  condition: s\n", 4, []string{"after re"}},
		{"contains null", det + "  s: {a|contains: null}\n  condition: s\n", 4, []string{"contains cannot be applied to nothing"}},
		{"encoded wildcard", det + "  s: {a|contains|base64: x}\n  condition: s\n", 4, []string{"wildcards"}},
		{"empty list", det + "  s: {a: []}\n  condition: s\n", 4, []string{"list of \"a\" is empty"}},
		{"map of maps", det + "  s: {a: {b: c}}\n  condition: s\n", 4, []string{"a.b"}},
		{"key twice", det + "  s:\n    a: x\n    a: y\n  condition: s\n", 6, []string{"a"}},
		{"counting", det + "  s: {a: x}\n  condition: s | count() > 5\n", 5, []string{"event_count"}},
		{"bracket", det + "  s: {a: x}\n  condition: (s\n", 5, []string{")"}},
		{"ends early", det + "  s: {a: x}\n  condition: s and\n", 5, []string{"ends"}},
		{"two of", det + "  s: {a: x}\n  condition: 2 of them\n", 5, []string{"1 of"}},
		{"no condition", det + "  s: {a: x}\n", 4, []string{"condition: selection"}},
		{"no detection", head, 1, []string{"detection"}},
		{"no log source", "title: t\ndetection: {s: {a: x}, condition: s}\n", 1, []string{"logsource"}},
		{"no title", "logsource: {product: p}\n", 1, []string{"title"}},
		{"unknown level", "title: t\nlevel: hihg\n", 2, []string{"did you mean high?"}},
		{"unknown status", "title: t\nstatus: tset\n", 2, []string{"did you mean test?"}},
		{"unknown action", "action: gloabl\n", 1, []string{"did you mean global?"}},
		{"not YAML", "title: t\nlevel: [a\n", 2, []string{"not YAML"}},
		{"a list", "- a\n- b\n", 1, []string{"a list"}},
		{"empty", "# nothing\n", 0, []string{"holds no rule"}},
		{"alias of nothing", "title: *x\n", 1, []string{"x"}},
		{"flow too deep", "a: " + strings.Repeat("[", 100000), 1, []string{"too deep"}},
		{"entries too deep", strings.Repeat("- ", 100000) + "a", 1, []string{"too deep"}},
		{"too many keys", manyKeys(20000), 1, []string{"20000 keys"}},
		{"too many keys in one map", manyKeys(5000), 1, []string{"5000 keys in one map"}},
		{"condition too deep", det + "  s: {a: x}\n  condition: " + strings.Repeat("(", 2000) + "s" + strings.Repeat(")", 2000) + "\n", 5, []string{"deeper"}},
	} {
		collection, errs := Parse([]byte(c.text), "f.yml", LoadOptions{})
		if len(errs) == 0 {
			t.Errorf("%s: no error", c.name)
			continue
		}
		e := errs[0]
		for _, w := range c.want {
			if !strings.Contains(e.Text, w) {
				t.Errorf("%s: %q does not say %q", c.name, e.Text, w)
			}
		}
		if e.File != "f.yml" || e.Line != c.line {
			t.Errorf("%s: at %s:%d, want f.yml:%d: %s", c.name, e.File, e.Line, c.line, e.Text)
		}
		if len(collection.Rules) > 0 {
			t.Errorf("%s: a rule was loaded", c.name)
		}
	}
}

func TestAnchors(t *testing.T) {
	c, errs := Parse([]byte(`title: &t T
logsource: &l {product: windows}
x-base: &b {a: 1, b: 2}
x-more: &m {b: 3, c: 4}
detection:
  s: {<<: [*b, *m], a: 5}
  condition: s
description: *t
`), "a.yml", LoadOptions{})
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	if r := c.Rules[0]; r.Description != "T" || !r.Matches(logged("a", 5, "b", 2, "c", 4)) || r.Matches(logged("a", 1, "b", 2, "c", 4)) {
		t.Errorf("aliases and merge keys read as %q, %+v", r.Description, r.match)
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: v\n", i)
	}
	return b.String()
}

// TestEffortIsBounded holds that a file of many great maps is refused before it costs minutes.
func TestEffortIsBounded(t *testing.T) {
	effort := maxEffort
	doc, refused := []byte(manyKeys(maxKeys)), 0
	for range 3 {
		if _, err := parseYAML(doc, 0, &effort); err != nil {
			t.Fatal(err)
		}
	}
	effort = maxKeys*maxKeys - 1
	if _, err := parseYAML(doc, 0, &effort); err != nil && strings.Contains(err.Error(), "cut it into several") {
		refused++
	}
	if refused != 1 {
		t.Error("what is more than the effort left is read all the same")
	}
}

func TestCollections(t *testing.T) {
	const text = `action: global
title: shared
logsource: {product: windows}
author: Alex
---
id: one
logsource: {service: security}
detection: {s: {a: 1}, condition: s}
---
action: repeat
id: two
detection: {s: {a: 2}}
---
this: [is, not, a rule
---
id: three
detection: {s: {a: 3}, condition: s}
---
action: reset
---
id: four
title: alone
logsource: {product: linux}
detection: {s: {a: '--- x'}, condition: s}
...
`
	c, errs := Parse([]byte(text), "c.yml", LoadOptions{})
	if len(errs) != 1 || errs[0].Line != 14 {
		t.Fatalf("errors %v, want one at line 14", errs)
	}
	var got []string
	for _, r := range c.Rules {
		got = append(got, fmt.Sprintf("%s/%s/%s/%s/%s/%d", r.ID, r.Title, r.Author, r.LogSource.Product, r.LogSource.Service, r.Line))
	}
	want := []string{"one/shared/Alex/windows/security/6", "two/shared/Alex/windows/security/10", "three/shared/Alex/windows//16", "four/alone//linux//21"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if !c.Rules[1].Matches(logged("a", 2)) || c.Rules[1].Matches(logged("a", 1)) {
		t.Error("repeat keeps what it should replace")
	}
}

func TestMetadata(t *testing.T) {
	c, errs := Parse([]byte(`title: T
id: 5f2f4d3c-0000-4000-8000-000000000001
name: n
status: test
level: HIGH
author: [A, B]
license: DRL-1.1
description: |
  d
date: 2024-01-02
modified: 2024/02/03
references: https://example.com/x
tags: [attack.t1059, tlp.clear]
falsepositives: [none known]
fields: [Image]
logsource: {product: Windows, category: process_creation, definition: audit it}
detection: {s: {a: 1}, condition: s}
custom: [1]
`), "m.yml", LoadOptions{})
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	r := c.Rules[0]
	got := fmt.Sprintf("%s|%s|%s|%s|%s|%s|%q|%s|%s|%v|%v|%v|%v|%v|%s:%d", r.Title, r.Name, r.Status, r.Level, r.Author, r.License, r.Description,
		r.Date, r.Modified, r.References, r.Tags, r.FalsePositives, r.Fields, r.LogSource, r.File, r.Line)
	want := `T|n|test|high|A, B|DRL-1.1|"d\n"|2024-01-02|2024/02/03|[https://example.com/x]|[attack.t1059 tlp.clear]|[none known]|[Image]|{windows process_creation  audit it}|m.yml:1`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCovers(t *testing.T) {
	sysmon, security := source("windows", "process_creation", "sysmon"), source("windows", "", "security")
	for _, c := range []struct {
		l    LogSource
		s    *event.Source
		want bool
		why  string
	}{
		{LogSource{Product: "windows", Category: "process_creation"}, sysmon, true, "the usual rule"},
		{LogSource{Category: "process_creation"}, sysmon, true, "a rule for every product"},
		{LogSource{Product: "linux", Category: "process_creation"}, sysmon, false, "another product"},
		{LogSource{Product: "windows", Category: "process_creation"}, security, false, "another category"},
		{LogSource{Product: "windows", Service: "sysmon"}, sysmon, true, "service"},
		{LogSource{Product: "windows"}, sysmon, false, "Windows without a channel is not every channel"},
		{LogSource{Product: "windows"}, source("windows", "", ""), true, "but those nobody names"},
		{LogSource{Product: "linux"}, source("linux", "", "auditd"), true, "elsewhere a product is all its logs"},
		{LogSource{Category: "webserver"}, &event.Source{}, false, "an unknown source has no category"},
		{LogSource{}, &event.Source{}, false, "nothing asks for nothing"},
		{LogSource{Product: "windows"}, nil, false, "no source"},
	} {
		if got := c.l.Covers(c.s); got != c.want {
			t.Errorf("%+v covers %+v: %v (%s)", c.l, c.s, got, c.why)
		}
	}
}

func TestLoad(t *testing.T) {
	rule := "title: %s\nlogsource: {product: p}\ndetection: {s: {a: 1}, condition: s}\n"
	fsys := fstest.MapFS{
		"r/b.yml":       {Data: fmt.Appendf(nil, rule, "b")},
		"r/a/a.yaml":    {Data: fmt.Appendf(nil, rule, "a")},
		"r/a/README.md": {Data: []byte("# no rule")},
		"r/c.yml":       {Data: []byte("\xef\xbb\xbf" + fmt.Sprintf(rule, "c"))},
		"r/d.yml":       {Data: []byte("title: [")},
		"x.txt":         {Data: fmt.Appendf(nil, rule, "x")},
	}
	c, errs := Load([]string{"r", "x.txt", "none"}, LoadOptions{FS: fsys})
	var titles []string
	for _, r := range c.Rules {
		titles = append(titles, r.Title)
	}
	if want := []string{"a", "b", "c", "x"}; !slices.Equal(titles, want) {
		t.Errorf("loaded %q, want %q", titles, want)
	}
	if len(errs) != 2 {
		t.Fatalf("errors %v, want one for d.yml and one for none", errs)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "one.yml")
	if err := os.WriteFile(path, fmt.Appendf(nil, rule, "disk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, errs := Load([]string{dir}, LoadOptions{}); len(errs) > 0 || len(c.Rules) != 1 || c.Rules[0].File != path {
		t.Errorf("from a disk: %v %v", c.Rules, errs)
	}
}

func TestAliasesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	start := time.Now()
	_, errs := Parse([]byte(b.String()), "bomb.yml", LoadOptions{})
	if len(errs) != 1 || !strings.Contains(errs[0].Text, "aliases resolved") {
		t.Errorf("errors %v", errs)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("refused after %v", d)
	}
}
