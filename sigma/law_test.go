package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/event"
	"pgregory.net/rapid"
)

// sameAsPlain fails when the engine and the rules in plain words do not agree on an event.
func sameAsPlain(t interface{ Fatalf(string, ...any) }, m *Matcher, rules []*Rule, ev *event.Event) int {
	got := slices.Clone(m.Match(ev))
	for _, r := range rules {
		want := ev.Source != nil && r.LogSource.Covers(ev.Source) && r.Matches(ev)
		if want != slices.Contains(got, r) {
			t.Fatalf("rule %q (%s): plain says %v\nevent %q", r.Title, r.File, want, show(ev))
		}
		if ev := m.Evidence(ev, r); !want && ev != nil {
			t.Fatalf("rule %q does not match and has evidence %v", r.Title, ev)
		}
	}
	return len(got)
}

func show(ev *event.Event) string {
	var b strings.Builder
	for i := range ev.Fields {
		f := &ev.Fields[i]
		fmt.Fprintf(&b, "%s(%d,%v)=%q ", f.Name, f.Kind, f.Escaped, f.Value)
	}
	return b.String()
}

// TestEngineIsPlain holds the engine against the rules in plain words on real events.
func TestEngineIsPlain(t *testing.T) {
	rules := loadWindows(t)
	m, w := engineOf(t, rules).NewMatcher(), newWalker()
	step := 1501
	if testing.Short() {
		step = 9001
	}
	for _, set := range benchSets {
		all, found := lines(t, "detect", "events", set.file), 0
		for i := 0; i < len(all); i += step {
			found += sameAsPlain(t, m, rules.Rules, w.read(all[i]))
		}
		t.Logf("%s: %d matches", set.name, found)
	}
}

// TestEngineIsPlainOnLanes holds the two against each other on made events that match often, of several products, with
// all rules of all products.
func TestEngineIsPlainOnLanes(t *testing.T) {
	c, _ := Load([]string{loadedTree(t)}, LoadOptions{})
	m, w := engineOf(t, c).NewMatcher(), newWalker()
	step := 997
	if testing.Short() {
		step = 4999
	}
	for _, lane := range []string{"structured_windows", "raw_windows", "cisco_syslog", "sysmon_file_event", "match_heavy", "no_match"} {
		all, found := lines(t, "detect", "rsigma-lanes", lane+".ndjson.gz"), 0
		for i := 0; i < len(all); i += step {
			found += sameAsPlain(t, m, c.Rules, w.read(all[i]))
		}
		if none := lane == "no_match"; none != (found == 0) && (none || lane == "match_heavy") {
			t.Errorf("%s: %d matches", lane, found)
		}
	}
}

// word draws texts that are likely to meet: few letters, in both cases, with what is special to patterns and values.
func word() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune(`abAB12*?\-/ .é–ſK`+"\n\"")), 0, 6, -1)
}

// drawItem draws a detection item as YAML.
func drawItem(t *rapid.T) string {
	field := rapid.SampledFrom([]string{"a", "b", "c.d"}).Draw(t, "field")
	mods := rapid.SampledFrom([]string{
		"", "", "|contains", "|startswith", "|endswith", "|contains|all", "|cased", "|contains|cased", "|neq", "|contains|neq",
		"|windash", "|contains|windash", "|re", "|re|i", "|re|s", "|exists", "|fieldref", "|fieldref|contains", "|fieldref|endswith",
		"|cidr", "|lt", "|gte", "|base64", "|base64offset|contains", "|wide", "|utf16|contains", "|hour", "|all",
	}).Draw(t, "modifiers")
	var values []string
	for range rapid.IntRange(1, 3).Draw(t, "values") {
		values = append(values, drawValue(t, mods))
	}
	return fmt.Sprintf("{%q: [%s]}", field+mods, strings.Join(values, ", "))
}

func drawValue(t *rapid.T, mods string) string {
	switch {
	case strings.HasPrefix(mods, "|re"):
		return yamlText(rapid.SampledFrom([]string{
			"a+b", "^a", "b$", `\ba`, "a.b", "(a|b)1?2", "[ab]{2}", "a*", "(?m)^b", `\w\W`, "é", "k", "s", `[^a]b`, ".", "a|", `\d{1,2}-`, `\Aab?\z`, "",
		}).Draw(t, "expression"))
	case mods == "|exists":
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "exists")
	case strings.Contains(mods, "fieldref"):
		return rapid.SampledFrom([]string{"a", "b", "c.d", "e"}).Draw(t, "other")
	case mods == "|cidr":
		return rapid.SampledFrom([]string{"10.0.0.0/8", "'2001:db8::/32'", "10.1.2.3"}).Draw(t, "network")
	case mods == "|lt" || mods == "|gte" || mods == "|hour":
		return rapid.SampledFrom([]string{"1", "12", "2.5"}).Draw(t, "number")
	case strings.Contains(mods, "base64"):
		return rapid.SampledFrom([]string{"abab", "hello"}).Draw(t, "plain")
	case mods == "" || mods == "|neq":
		return rapid.OneOf(rapid.SampledFrom([]string{"null", "''", "1", "true", "'*'", "'?'", "12.0"}), rapid.Map(word(), yamlText)).Draw(t, "value")
	}
	return yamlText(word().Draw(t, "text"))
}

func yamlText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// drawRule draws a rule as YAML.
func drawRule(t *rapid.T) string {
	item := rapid.Custom(drawItem)
	key := rapid.Map(word(), func(s string) string { return "[" + yamlText("x"+s) + "]" })
	s := rapid.SliceOfN(item, 1, 3).Draw(t, "list")
	cond := rapid.SampledFrom([]string{
		"s1", "not s1", "s1 and s2", "s1 or s2", "s1 and not s2", "not (s1 or not s2)", "1 of s*", "all of them", "words or s1", "words and not s2", "not not s1",
	}).Draw(t, "condition")
	return fmt.Sprintf("title: t\nlogsource: {product: p}\ndetection:\n  s1: [%s]\n  s2: %s\n  words: %s\n  condition: %s\n",
		strings.Join(s, ", "), item.Draw(t, "s2"), key.Draw(t, "words"), cond)
}

// drawEvent draws an event in which the fields of the rules are often there.
func drawEvent(t *rapid.T, src *event.Source) *event.Event {
	ev := &event.Event{Source: src}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		f := event.Field{Name: event.Intern(rapid.SampledFrom([]string{"a", "b", "c.d", "f"}).Draw(t, "name"))}
		f.Kind = rapid.SampledFrom([]event.Kind{event.String, event.String, event.String, event.Number, event.Bool, event.Null}).Draw(t, "kind")
		switch f.Kind {
		case event.Number:
			f.Value = []byte(rapid.SampledFrom([]string{"1", "12", "12.0", "2.5", "-1", "1594980000"}).Draw(t, "number"))
		case event.Bool:
			f.Value = []byte("true")
		case event.String:
			f.Value = []byte(rapid.OneOf(word(), rapid.SampledFrom([]string{
				"10.1.2.3", "::ffff:10.0.0.1", "2001:db8::1", "2020-07-17T12:30:00Z", "YWJhYg==", "xaGVsbG8=", "a\x00b\x00", "\xff\xfea\x00", "\xc3", "ab12",
			})).Draw(t, "text"))
			if f.Escaped = rapid.Bool().Draw(t, "escaped"); f.Escaped {
				f.Value = []byte(rapid.StringMatching(`([abAB12 ]|\\\\|\\n|\\u00[46][19]|\\")*`).Draw(t, "json"))
			}
		}
		ev.Fields = append(ev.Fields, f)
	}
	return ev
}

func TestLawEngineIsPlain(t *testing.T) {
	src := source("p", "", "")
	rapid.Check(t, func(t *rapid.T) {
		var text []string
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			text = append(text, drawRule(t))
		}
		c, errs := Parse([]byte(strings.Join(text, "---\n")), "law.yml", LoadOptions{})
		for _, e := range errs {
			if !strings.Contains(e.Text, "longer text") && !strings.Contains(e.Text, "cannot encode") {
				t.Fatalf("%v in\n%s", e, strings.Join(text, "---\n"))
			}
		}
		e, err := Compile(c, Options{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		m := e.NewMatcher()
		for range 5 {
			sameAsPlain(t, m, c.Rules, drawEvent(t, src))
		}
	})
}

// FuzzMatch holds the engine against the rule in plain words for any rule and value.
func FuzzMatch(f *testing.F) {
	f.Add("detection:\n  s: {a|contains: 'b*c?'}\n  condition: s", "xb\\nCd", true)
	f.Add("detection:\n  s: {a|re: '(?i)k+\\b'}\n  condition: not s", "\xe2\x84\xaa", false)
	f.Add("detection:\n  s: ['é', \"\\\\*\"]\n  condition: s", "É*", false)
	f.Add("detection:\n  s: {a|windash|contains: ' -x'}\n  condition: s", "y –x", false)
	f.Fuzz(func(t *testing.T, body, value string, escaped bool) {
		if len(body) > 4<<10 || len(value) > 1<<10 {
			return
		}
		c, _ := Parse([]byte("title: t\nlogsource: {product: p}\n"+body), "fuzz.yml", LoadOptions{})
		e, err := Compile(c, Options{})
		if err != nil {
			return
		}
		ev := &event.Event{Source: source("p", "", "")}
		ev.Fields = []event.Field{{Name: event.Intern("a"), Value: []byte(value), Escaped: escaped}, {Name: event.Intern("b"), Value: []byte("b")}}
		sameAsPlain(t, e.NewMatcher(), c.Rules, ev)
	})
}

// FuzzParse holds that no rule, however broken, ends the process, and that what is wrong has a place.
func FuzzParse(f *testing.F) {
	f.Add("title: t\nlogsource: {product: p}\ndetection:\n  s: {a|contains: 'b*c?'}\n  condition: s\n")
	f.Add("action: global\ntitle: t\n---\naction: repeat\n---\naction: reset\n")
	f.Add("a: &a [*a, *a]\nb: {<<: *a}\n")
	f.Add("title: |\n  x\n--- {title: y}\n...\n? - - -\n: !!str 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 16<<10 {
			return
		}
		c, errs := Parse([]byte(text), "fuzz.yml", LoadOptions{Placeholders: map[string][]string{"p": {"1", "2"}}})
		for _, e := range errs {
			if e.File != "fuzz.yml" || e.Text == "" || e.Line > 2+strings.Count(text, "\n")+strings.Count(text, "\r") {
				t.Errorf("the error %v has no place or no words", e)
			}
		}
		if _, err := Compile(c, Options{}); err != nil {
			t.Errorf("what was loaded does not compile: %v", err)
		}
	})
}
