package sigma

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/event"
)

// TestMatchAllocatesNothing holds that an event that no rule matches costs no memory once its like has been met.
func TestMatchAllocatesNothing(t *testing.T) {
	m, w := engineOf(t, loadWindows(t)).NewMatcher(), newWalker()
	var miss [][]byte
	for i, line := range lines(t, "detect", "events", "windows_purplesharp_25993.jsonl.gz") {
		if i%97 == 0 && len(m.Match(w.read(line))) == 0 {
			miss = append(miss, line)
		}
	}
	if len(miss) < 100 {
		t.Fatalf("only %d events without a match", len(miss))
	}
	n := testing.AllocsPerRun(5, func() {
		for _, line := range miss {
			m.Match(w.read(line))
		}
	})
	if n > 0 {
		t.Errorf("%v allocations for %d events", n, len(miss))
	}
}

// adversarial are questions that take other engines more than linear time, and values made for them.
var adversarial = []struct{ name, item, unit string }{
	{"stars", `{a: '*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b'}`, "a"},
	{"question marks", `{a|contains: '` + strings.Repeat("?a", 100) + `b'}`, "a"},
	{"long piece", `{a: '*` + strings.Repeat("a", 4000) + `?b*'}`, "a"},
	{"nested repetition", `{a|re: '(a+)+$b'}`, "a"},
	{"alternatives", `{a|re: '(a|aa|aaa|a?){30}[^a]b'}`, "a"},
	{"counted", `{a|re: 'a[ab]{500}c'}`, "ab"},
	{"many states", `{a|re: '(a|b)*a(a|b){14}c'}`, "abbaab"},
	{"all keywords", `['*a*b*c*', 'aaaaaaaaaab', '?????????????x']`, "a"},
	{"dashes", `{a|windash|contains: ' -a -b -c -d -e'}`, " -a /b"},
	{"folding", `{a|contains: 'ééééé'}`, "É"},
}

// TestTimeIsLinear holds that no rule makes an event cost more than time linear in its length: four times the value
// costs at most about four times as much. The shortest of several runs counts, and the factor leaves room for what else
// the machine does.
func TestTimeIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	const small, times, slack = 32 << 10, 4, 3
	for _, c := range adversarial {
		r := parseOne(t, "  s: "+c.item+"\n  condition: s\n", LoadOptions{})
		m := engineOf(t, &Collection{Rules: []*Rule{r}}).NewMatcher()
		cost := func(n int) time.Duration {
			ev := logged("a", strings.Repeat(c.unit, n/len(c.unit)))
			least := time.Hour
			for range 5 {
				start := time.Now()
				m.Match(ev)
				least = min(least, time.Since(start))
			}
			return least
		}
		one, four := cost(small), cost(times*small)
		if four > slack*times*one+5*time.Millisecond {
			t.Errorf("%s: %v for %d bytes, %v for four times as many", c.name, one, small, four)
		}
	}
}

// TestTimeIsBounded holds that the greatest value costs the worst rules seconds at most, on any machine.
func TestTimeIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, c := range adversarial {
		r := parseOne(t, "  s: "+c.item+"\n  condition: s\n", LoadOptions{})
		m := engineOf(t, &Collection{Rules: []*Rule{r}}).NewMatcher()
		ev := logged("a", strings.Repeat(c.unit, 2*MaxValue/len(c.unit)))
		start := time.Now()
		m.Match(ev)
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: %v for one event", c.name, d)
		}
	}
}

// TestReach holds how much of an event is looked at.
func TestReach(t *testing.T) {
	r := parseOne(t, "  s: {a|contains: needle}\n  condition: s\n", LoadOptions{})
	for _, c := range []struct {
		name string
		ev   *event.Event
		want bool
	}{
		{"at the end of the longest value", logged("a", strings.Repeat("x", MaxValue-6)+"needle"), true},
		{"behind it", logged("a", strings.Repeat("x", MaxValue-5)+"needle"), false},
		{"at the end of all values", logged(
			"b", strings.Repeat("x", MaxValue), "b", strings.Repeat("x", MaxValue), "b", strings.Repeat("x", MaxValue),
			"a", strings.Repeat("x", MaxEventBytes-3*MaxValue-6)+"needle"), true},
		{"behind them", logged(
			"b", strings.Repeat("x", MaxValue), "b", strings.Repeat("x", MaxValue), "b", strings.Repeat("x", MaxValue),
			"b", strings.Repeat("x", MaxValue), "a", "needle"), false},
	} {
		if got := both(t, r, c.ev); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestEvidence(t *testing.T) {
	const text = `  s:
    Image|endswith: \cmd.exe
    CommandLine|contains: ['foo', 'bar']
  gone: {ParentImage: null}
  filter: {User: SYSTEM}
  words: ['secret']
  condition: (s and gone or words) and not filter
`
	r := parseOne(t, text, LoadOptions{})
	m := engineOf(t, &Collection{Rules: []*Rule{r}}).NewMatcher()
	long := strings.Repeat("é", maxEvidenceBytes)
	for _, c := range []struct {
		name string
		ev   *event.Event
		want string
	}{
		{"what matched, as it was written", logged("Image", `C:\CMD.exe`, "CommandLine", "x Bar", "Other", "y"), `[{Image C:\CMD.exe} {CommandLine x Bar}]`},
		{"keywords by the path of their value", logged("Other", "a Secret", "More", "secret"), `[{Other a Secret}]`},
		{"nothing when the rule does not match", logged("Image", `C:\cmd.exe`, "CommandLine", "bar", "User", "system"), `[]`},
		{"a long value is cut", logged("Other", long+"secret"), ""},
	} {
		got := m.Evidence(c.ev, r)
		if c.want == "" {
			if len(got) != 1 || !strings.HasSuffix(got[0].Value, "é…") || len(got[0].Value) > maxEvidenceBytes+4 {
				t.Errorf("%s: %d pieces", c.name, len(got))
			}
			continue
		}
		if s := fmt.Sprint(got); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
	if m.Evidence(logged("Other", "secret"), &Rule{}) != nil {
		t.Error("evidence for a rule of another engine")
	}
}

// TestMatchIsIndependent holds that what a matcher saw before changes nothing: the same event, after one of another
// source and mapping and after the marks went round, gives the same rules.
func TestMatchIsIndependent(t *testing.T) {
	r := parseOne(t, "  s: {a|re: 'x+y', b|contains: [q, w, e, r, t, y, u, i]}\n  condition: s\n", LoadOptions{})
	m := engineOf(t, &Collection{Rules: []*Rule{r}}).NewMatcher()
	yes, no := logged("a", "xxy", "b", "tt"), logged("a", "xx", "b", "tt")
	other := logged("a", "xxy", "b", "tt")
	other.Source, other.Mapping = source("linux", "process_creation", ""), &event.Mapping{}
	for i := range 10 {
		if i == 5 {
			m.now = 1<<31 - 2
		}
		if len(m.Match(yes)) != 1 || len(m.Match(no)) != 0 || len(m.Match(other)) != 1 {
			t.Fatalf("round %d: not the same rules", i)
		}
	}
	if other.Source = nil; len(m.Match(other)) != 0 {
		t.Error("an event without a source matches")
	}
}

// TestLazyIsRegexp holds the automaton against the expression it runs, also where its table overflows.
func TestLazyIsRegexp(t *testing.T) {
	for _, c := range []struct{ expr, unit string }{
		{`(a|b)*a(a|b){14}c`, "abbaabab"}, {`a[ab]{40}c`, "ab"}, {`\bfoo\b`, "foo fo"}, {`[\x{100}-\x{10FFFF}]x`, "Āx"}, {`\z`, ""}, {`^$`, ""}, {`(?m)^$`, "a\n"},
	} {
		x, err := newExpr(c.expr, "")
		if err != nil {
			t.Fatal(err)
		}
		l := newLazy(x)
		for n := range 300 {
			s := []byte(strings.Repeat(c.unit, n))
			for i := range s { // bring in some disorder, the same each time
				if i*i%7 == 3 {
					s[i], s[i/2] = s[i/2], s[i]
				}
			}
			if n%3 == 0 {
				s = append(s, 'c', 0xff)
			}
			if got, want := l.match(s), x.re.Match(s); got != want {
				t.Fatalf("%s on %d bytes: %v, the expression says %v", c.expr, len(s), got, want)
			}
			if len(l.table) > maxTable {
				t.Fatalf("%s: a table of %d entries", c.expr, len(l.table))
			}
		}
	}
}

// TestAutomaton holds the automaton against looking for each text by itself.
func TestAutomaton(t *testing.T) {
	texts := []needle{{text: "he"}, {text: "she"}, {text: "hers", end: true}, {text: "us", begin: true}, {begin: true, end: true}, {text: "ushers", begin: true, end: true}, {text: "é"}}
	for i := range texts {
		texts[i].id = int32(i)
	}
	a := newAutomaton(texts)
	m := &Matcher{now: 1, found: make([]uint32, len(texts))}
	for i := range texts {
		m.hits = append(m.hits, hit{questions: []int32{int32(i)}})
	}
	look := func(scan func()) []bool {
		clear(m.found)
		scan()
		got := make([]bool, len(texts))
		for i, f := range m.found {
			got[i] = f == m.now
		}
		return got
	}
	for _, v := range []string{"", "ushers", "USHERS", "xushers", "ushersx", "she", "He", "É", "\xc3", "usé", "s\\he"} {
		low, want := fold(nil, []byte(v)), make([]bool, len(texts))
		for i, n := range texts {
			p := pattern{}
			for _, x := range []part{{kind: anyText}, {literal, n.text}, {kind: anyText}} {
				if x.kind == literal && n.text == "" || x.kind == anyText && (len(p.parts) == 0 && n.begin || len(p.parts) > 0 && n.end) {
					continue
				}
				p.add(x)
			}
			if n.text == "" {
				p = pattern{}
			}
			want[i] = p.accepts(low)
		}
		got := look(func() { m.scanFolded(a, low) })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: found %v, want %v", v, got, want)
		}
		ok := false
		raw := look(func() { ok = m.scanRaw(a, []byte(v), false) })
		if ascii := bytes.IndexFunc([]byte(v), func(r rune) bool { return r > 0x7f }) < 0; ok != ascii || ok && fmt.Sprint(raw) != fmt.Sprint(want) {
			t.Errorf("%q as written: %v %v, want %v", v, ok, raw, want)
		}
	}
}

// TestNeeds holds that every match of an expression holds one of the texts that are looked for in its place.
func TestNeeds(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{`foo.*barbar`, "[barbar]"},
		{`(?i)FOO`, "[foo]"},
		{`(abc|de)f`, "[abcf def]"},
		{`a?b+c{2}`, "[cc]"},
		{`x*`, "[]"},
		{`[abc]xyz`, "[axyz bxyz cxyz]"},
		{`[^a]`, "[]"},
		{`foo|.*`, "[]"},
		{`"(\{\d\}){2,}"`, `["{0} "{1} "{2} "{3} "{4} "{5} "{6} "{7} "{8} "{9}]`},
	} {
		x, err := newExpr(c.expr, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(x.some); got != c.want {
			t.Errorf("%s needs %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestCompile(t *testing.T) {
	if _, err := Compile(&Collection{Rules: make([]*Rule, MaxRules+1)}, Options{}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("too many rules: %v", err)
	}
	const text = head + "id: a\ndetection: {s: {a: 1}, condition: s}\n---\ntitle: f\nlogsource: {product: windows}\n" +
		"filter: {rules: [nowhere], s: {b: 1}, condition: not s}\n"
	c, errs := Parse([]byte(text), "f.yml", LoadOptions{})
	if len(errs) != 1 {
		t.Fatalf("errors %v, want one about the rule that is nowhere", errs)
	}
	if e, err := Compile(c, Options{}); err != nil || len(e.Rules()) != 1 {
		t.Errorf("a filter for a rule that is not there costs the others: %v", err)
	}
}

func TestSeveralMatchersAtOnce(t *testing.T) {
	e := engineOf(t, loadWindows(t))
	all := lines(t, "detect", "gold", "sigma_regression_events.jsonl")
	done := make(chan int)
	for range 4 {
		go func() {
			m, w, n := e.NewMatcher(), newWalker(), 0
			for _, line := range all {
				n += len(m.Match(w.read(line)))
			}
			done <- n
		}()
	}
	first := <-done
	for range 3 {
		if n := <-done; n != first {
			t.Errorf("%d matches in one goroutine, %d in another", n, first)
		}
	}
}
