package pattern

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustParse(t testing.TB, s string) *Pattern {
	t.Helper()
	p, err := Parse(s)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return p
}

func TestPrint(t *testing.T) {
	for _, c := range []struct{ in, want, why string }{
		{"[a:b=1]", "[a:b = 1]", "spaces"},
		{"[ a:b == 1 ]", "[a:b = 1]", "== is ="},
		{"[a:b <> 'x']", "[a:b != 'x']", "<> is !="},
		{"[a:'b' = 'x']", "[a:b = 'x']", "needless quotes go"},
		{"[a:b.'c-d'[*].e[-1] = 'x']", "[a:b.'c-d'[*].e[-1] = 'x']", "needed quotes stay"},
		{"[a:'true' = true]", "[a:'true' = true]", "a keyword as a property needs quotes"},
		{`[a:b = 'it\'s \\ here']`, `[a:b = 'it\'s \\ here']`, "escapes"},
		{"[a:b = 'two\nlines']", "[a:b = 'two\nlines']", "a text may have lines"},
		{"[((a:b = 1))]", "[a:b = 1]", "needless parentheses go"},
		{"[a:b = 1 OR a:c = 2 AND a:d = 3]", "[a:b = 1 OR a:c = 2 AND a:d = 3]", "AND binds tighter than OR"},
		{"[(a:b = 1 OR a:c = 2) AND a:d = 3]", "[(a:b = 1 OR a:c = 2) AND a:d = 3]", "so these stay"},
		{"[a:b = 1 OR (a:c = 2 OR a:d = 3)]", "[a:b = 1 OR (a:c = 2 OR a:d = 3)]", "the shape stays"},
		{"[a:b IN ()] OR [a:b IN (1,'x',true)]", "[a:b IN ()] OR [a:b IN (1, 'x', true)]", "sets"},
		{"[NOT EXISTS a:b] AND [EXISTS a:c]", "[NOT EXISTS a:b] AND [EXISTS a:c]", "EXISTS"},
		{"[a:b NOT LIKE 'x%']", "[a:b NOT LIKE 'x%']", "NOT"},
		{"[a:b=1]REPEATS 2TIMES WITHIN.5SECONDS", "[a:b = 1] REPEATS 2 TIMES WITHIN .5 SECONDS", "words need no space after a number"},
		{"[a:b = 1] /* one */ AND // two\n [a:b = +2]", "[a:b = 1] AND [a:b = +2]", "comments"},
		{"[a:b = 1] FOLLOWEDBY [a:b = 2] OR [a:b = 3] AND [a:b = 4]",
			"[a:b = 1] FOLLOWEDBY [a:b = 2] OR [a:b = 3] AND [a:b = 4]", "FOLLOWEDBY binds loosest"},
		{"([a:b = 1] FOLLOWEDBY [a:b = 2]) OR [a:b = 3]", "([a:b = 1] FOLLOWEDBY [a:b = 2]) OR [a:b = 3]", "the shape stays"},
		{"([a:b = 1]) WITHIN 5 SECONDS WITHIN 6 SECONDS", "([a:b = 1] WITHIN 5 SECONDS) WITHIN 6 SECONDS",
			"in parentheses a kind of qualifier may come again"},
		{"[a:b = 1]\u00a0AND\u2003[a:b = 2]", "[a:b = 1] AND [a:b = 2]", "white space of other scripts"},
		{"[a:b=1]START t'2024-01-01T00:00:00Z'STOP t'2024-01-02T00:00:60.5Z'",
			"[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:60.5Z'", "a leap second"},
		{"[a:b = h'' OR a:b = b'AA==']", "[a:b = h'' OR a:b = b'AA==']", "bytes"},
	} {
		if got := mustParse(t, c.in).String(); got != c.want {
			t.Errorf("%s: Parse(%q) prints\n got %s\nwant %s", c.why, c.in, got, c.want)
		}
	}
}

func TestShape(t *testing.T) {
	p := mustParse(t, "[a:x = 1 OR a:y = 2 AND a:z = 3] WITHIN 5 SECONDS FOLLOWEDBY [EXISTS a:w]")
	top := p.Root.(*Combination)
	if top.Op != FollowedBy || len(top.Terms) != 2 {
		t.Fatalf("top is %v with %d terms", top.Op, len(top.Terms))
	}
	q := top.Terms[0].(*Qualified)
	if w := q.Qualifiers[0].(Within); w.Seconds != (Literal{Int, "5"}) {
		t.Errorf("WITHIN %v", w)
	}
	or := q.Of.(*Single).Test.(*Junction)
	if or.Op != Or || or.Terms[1].(*Junction).Op != And {
		t.Errorf("AND does not bind tighter than OR: %v", p)
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("(", MaxDepth+1) + "[a:b = 1]" + strings.Repeat(")", MaxDepth+1)
	for _, c := range []struct {
		in   string
		pos  Pos
		want string
	}{
		{"", Pos{1, 1, 0}, "expected [ or ("},
		{"[a:b = ]", Pos{1, 8, 7}, `found "]", expected a literal`},
		{"[a:b = 1", Pos{1, 9, 8}, "the end of the pattern"},
		{"[a:b = 1]]", Pos{1, 10, 9}, "expected AND, OR, FOLLOWEDBY"},
		{"[a:b = 1] AND", Pos{1, 14, 13}, "expected [ or ("},
		{"[a:b\n = 'é' AND\n x]", Pos{3, 3, 19}, "a colon after the object type"},
		{"[é:b = 1]", Pos{1, 2, 1}, "cannot stand here"},
		{"['é' = 1]", Pos{1, 2, 1}, "an object path"},
		{"[a:b = 'é' é]", Pos{1, 12, 12}, "cannot stand here"},
		{`[a:b = "x"]`, Pos{1, 8, 7}, "straight single quotes"},
		{`[a:b = 'C:\Windows']`, Pos{1, 11, 10}, `write \\ for a backslash`},
		{`[a:b = 'x]`, Pos{1, 8, 7}, "close it with a single quote"},
		{"[a:b MATCHES /x/]", Pos{1, 14, 13}, "MATCHES 'expression'"},
		{"[a:b MATCHES 5]", Pos{1, 14, 13}, "a text in single quotes after MATCHES"},
		{"[a:b > true]", Pos{1, 8, 7}, "after >"},
		{"[a:b-c = 1]", Pos{1, 4, 3}, "needs quotes: 'b-c'"},
		{"[a:IN = 1]", Pos{1, 4, 3}, "needs quotes: 'IN'"},
		{"[a:b[1.5] = 1]", Pos{1, 6, 5}, "a position in the list"},
		{"[a:b[99999999999999999999] = 1]", Pos{1, 6, 5}, "a position in the list"},
		{"[NOT a:b = 1]", Pos{1, 6, 5}, "NOT stands after the path"},
		{"[a:b NOT EXISTS]", Pos{1, 10, 9}, "a comparison"},
		{"[a:b = 01]", Pos{1, 9, 8}, "AND, OR or ]"},
		{"[a:b = 1.]", Pos{1, 9, 8}, "AND, OR or ]"},
		{"[a:b = -]", Pos{1, 8, 7}, "followed by a number"},
		{"[a:b = t'2024-13-01T00:00:00Z']", Pos{1, 8, 7}, "this is no timestamp"},
		{"[a:b = h'fff']", Pos{1, 8, 7}, "no hex"},
		{"[a:b = b'']", Pos{1, 8, 7}, "no base64"},
		{"[a:b IN 'x']", Pos{1, 9, 8}, "a list in parentheses"},
		{"[a:b IN ('x',)]", Pos{1, 14, 13}, "a literal"},
		{"[a:b IN ('x' 'y')]", Pos{1, 14, 13}, ", or )"},
		{"[a:b = 1] WITHIN 0 SECONDS", Pos{1, 18, 17}, "above zero"},
		{"[a:b = 1] REPEATS 1.5 TIMES", Pos{1, 19, 18}, "a whole number"},
		{"[a:b = 1] REPEATS 99999999999 TIMES", Pos{1, 19, 18}, "a whole number"},
		{"[a:b = 1] WITHIN 5 HOURS", Pos{1, 20, 19}, "expected SECONDS"},
		{"[a:b = 1] START 'x'", Pos{1, 17, 16}, "a timestamp"},
		{"[a:b = 1] /* x", Pos{1, 11, 10}, "close it with */"},
		{"[a:b = 1] /*/", Pos{1, 11, 10}, "close it with */"},
		{"[a:b = '\xff']", Pos{1, 9, 8}, "not UTF-8"},
		{deep, Pos{1, MaxDepth + 1, MaxDepth}, "nested more than"},
		{"[" + deep + "]", Pos{1, MaxDepth + 2, MaxDepth + 1}, "nested more than"},
		{strings.Repeat(" ", MaxBytes+1), Pos{1, 1, 0}, "at most"},
	} {
		p, err := Parse(c.in)
		if err == nil {
			t.Errorf("Parse(%.60q) = %v, want an error with %q", c.in, p, c.want)
			continue
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Pos != c.pos || !strings.Contains(e.Text, c.want) {
			t.Errorf("Parse(%.60q): %v (offset %d), want %q at %v offset %d", c.in, err, e.Pos.Offset, c.want, c.pos, c.pos.Offset)
		}
	}
}

func TestDeepest(t *testing.T) {
	in := strings.Repeat("(", MaxDepth-1) + "[(a:b = 1)]" + strings.Repeat(")", MaxDepth-1)
	if got := mustParse(t, in).String(); got != "[a:b = 1]" {
		t.Errorf("got %s", got)
	}
}

func TestComparisonsAndValues(t *testing.T) {
	p := mustParse(t, `([file:hashes.'SHA-256' = 'aa' AND file:size > 5] FOLLOWEDBY [domain-name:value IN ('a.example', 7, 'b.example')`+
		` OR domain-name:value != 'no.example' OR url:value NOT = 'no' OR NOT EXISTS url:x]) REPEATS 2 TIMES`)
	comparisons := p.Comparisons()
	var got []string
	for _, c := range comparisons {
		got = append(got, c.String())
	}
	want := []string{"file:hashes.'SHA-256' = 'aa'", "file:size > 5", "domain-name:value IN ('a.example', 7, 'b.example')",
		"domain-name:value != 'no.example'", "url:value NOT = 'no'", "NOT EXISTS url:x"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Comparisons\n got %q\nwant %q", got, want)
	}
	if c := comparisons[5]; !c.Exists || !c.Negated || c.Op != "" || c.Values != nil {
		t.Errorf("NOT EXISTS is %+v", c)
	}
	values := []Value{{"file", "hashes.'SHA-256'", "aa"}, {"domain-name", "value", "a.example"}, {"domain-name", "value", "b.example"}}
	if got := p.Values(); !reflect.DeepEqual(got, values) {
		t.Errorf("Values\n got %q\nwant %q", got, values)
	}
}

func TestLiterals(t *testing.T) {
	if n, ok := (Literal{Int, "+5"}).Int(); n != 5 || !ok {
		t.Errorf("+5 is %d, %v", n, ok)
	}
	if _, ok := (Literal{Int, "99999999999999999999"}).Int(); ok {
		t.Error("a number beyond 64 bits passes as one")
	}
	if f, ok := (Literal{Float, "-.5"}).Float(); f != -0.5 || !ok {
		t.Errorf("-.5 is %v, %v", f, ok)
	}
	if v, ok := (Literal{Bool, "true"}).Bool(); !v || !ok {
		t.Error("true is not true")
	}
	if v, ok := (Literal{String, "true"}).Bool(); ok {
		t.Errorf("the text 'true' is %v", v)
	}
	leap, ok := (Literal{Timestamp, "2016-12-31T23:59:60.25Z"}).Time()
	if want := time.Date(2017, 1, 1, 0, 0, 0, 250e6, time.UTC); !leap.Equal(want) || !ok {
		t.Errorf("a leap second is %v, %v; want %v", leap, ok, want)
	}
	if _, ok := (Literal{Timestamp, "2023-02-29T00:00:00Z"}).Time(); ok {
		t.Error("29 February 2023 is a day")
	}
	if b, ok := (Literal{Hex, "fFd8"}).Bytes(); string(b) != "\xff\xd8" || !ok {
		t.Errorf("hex is %x, %v", b, ok)
	}
	if b, ok := (Literal{Binary, "dGVzdA=="}).Bytes(); string(b) != "test" || !ok {
		t.Errorf("base64 is %q, %v", b, ok)
	}
	if _, ok := (Literal{String, "ff"}).Bytes(); ok {
		t.Error("a text has bytes of its own")
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"[file:hashes.'SHA-256' = 'f00']", "64 hex digits"},
		{"[file:hashes.SHA256 IN ('f00')]", "64 hex digits"},
		{"[file:hashes.MD5 = 'zz5054025255fb1a26e4bc422aef54eb']", "32 hex digits"},
		{"[file:hashes.MD5 LIKE 'f00%']", ""},
		{"[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']", ""},
		{"[file:hashes.SSDEEP = '3:a:b']", ""},
		{"[file:hashes[*] = 'f00']", ""},
		{"[x:y = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", "WITHIN twice"},
		{"[x:y = 2] OR ([x:y = 1] REPEATS 5 TIMES WITHIN 6 SECONDS REPEATS 5 TIMES) REPEATS 6 TIMES", "REPEATS twice"},
		{"([x:y = 1] WITHIN 5 SECONDS) WITHIN 6 SECONDS", ""},
		{"([x:y = 1]) WITHIN 5 SECONDS WITHIN 6 SECONDS", ""},
	} {
		found := mustParse(t, c.in).Check()
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("Check(%s) = %v", c.in, found[0])
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0].Text, c.want) || found[0].Pos.Line != 1):
			t.Errorf("Check(%s) = %v, want %q", c.in, found, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		p, err := Parse("[a:b = " + Quote(s) + "]")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Values(); len(got) != 1 || got[0].Value != s {
			t.Fatalf("got %q, want %q", got, s)
		}
	})
}

// TestPrintedParsesEqual is the law of the package: what is printed reads back as an equal tree.
func TestPrintedParsesEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &Pattern{Root: drawObservation(t, 3)}
		text := want.String()
		got, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		forgetPositions(got)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("printed %s\nreads   %s", text, got)
		}
	})
}

func forgetPositions(p *Pattern) {
	eachComparison(p.Root, func(c *Comparison) { c.Pos = Pos{} })
}

func drawObservation(t *rapid.T, depth int) Observation {
	shape := 0
	if depth > 0 {
		shape = rapid.IntRange(0, 3).Draw(t, "shape")
	}
	switch shape {
	case 1, 2:
		c := &Combination{Op: rapid.SampledFrom([]ObservationOp{FollowedBy, ObservationOr, ObservationAnd}).Draw(t, "op")}
		for range rapid.IntRange(2, 3).Draw(t, "terms") {
			c.Terms = append(c.Terms, drawObservation(t, depth-1))
		}
		return c
	case 3:
		q := &Qualified{Of: drawObservation(t, depth-1)}
		_, simple := q.Of.(*Single)
		for range rapid.IntRange(1, 3).Draw(t, "qualifiers") {
			if one := drawQualifier(t); simple || !hasKind(q.Qualifiers, one) {
				q.Qualifiers = append(q.Qualifiers, one)
			}
		}
		return q
	}
	return &Single{Test: drawTest(t, depth)}
}

func drawQualifier(t *rapid.T) Qualifier {
	at := Literal{Timestamp, "2024-01-02T03:04:05.6Z"}
	return rapid.SampledFrom([]Qualifier{Within{Literal{Int, "5"}}, Within{Literal{Float, "+.5"}}, Repeats{3}, StartStop{at, at}}).Draw(t, "qualifier")
}

func drawTest(t *rapid.T, depth int) Test {
	if depth > 0 && rapid.Bool().Draw(t, "junction") {
		j := &Junction{Op: rapid.SampledFrom([]JunctionOp{Or, And}).Draw(t, "op")}
		for range rapid.IntRange(2, 3).Draw(t, "terms") {
			j.Terms = append(j.Terms, drawTest(t, depth-1))
		}
		return j
	}
	return drawComparison(t)
}

func drawComparison(t *rapid.T) *Comparison {
	c := &Comparison{Negated: rapid.Bool().Draw(t, "not")}
	c.Path.ObjectType = rapid.StringMatching(`[a-z_][a-z0-9_-]{0,5}x`).Draw(t, "type")
	c.Path.Steps = []Step{{Kind: Key, Key: drawKey(t)}}
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		c.Path.Steps = append(c.Path.Steps, rapid.OneOf(
			rapid.Just(Step{Kind: Any}),
			rapid.Map(rapid.IntRange(-3, 300), func(i int) Step { return Step{Kind: Index, Index: i} }),
			rapid.Map(rapid.Just(0), func(int) Step { return Step{Kind: Key, Key: drawKey(t)} }),
		).Draw(t, "step"))
	}
	if c.Exists = rapid.Bool().Draw(t, "exists"); c.Exists {
		return c
	}
	c.Op = rapid.SampledFrom([]Op{Equal, NotEqual, Greater, Less, GreaterOrEqual, LessOrEqual, In, Like, Matches, IsSubset, IsSuperset}).Draw(t, "op")
	text := rapid.Map(rapid.String(), func(s string) Literal { return Literal{String, s} })
	orderable := rapid.OneOf(text, rapid.SampledFrom([]Literal{{Int, "-7"}, {Int, "+0"}, {Float, "00.50"}, {Hex, "fFd8"}, {Binary, "dGVzdA=="}, {Timestamp, "2024-02-31T03:04:60Z"}}))
	anything := rapid.OneOf(orderable, rapid.SampledFrom([]Literal{{Bool, "true"}, {Bool, "false"}}))
	switch c.Op {
	case In:
		c.Values = append([]Literal{}, rapid.SliceOfN(anything, 0, 3).Draw(t, "set")...)
	case Like, Matches, IsSubset, IsSuperset:
		c.Values = []Literal{text.Draw(t, "text")}
	case Equal, NotEqual:
		c.Values = []Literal{anything.Draw(t, "value")}
	default:
		c.Values = []Literal{orderable.Draw(t, "value")}
	}
	return c
}

func drawKey(t *rapid.T) string {
	return rapid.OneOf(rapid.StringMatching(`[a-z_][A-Za-z0-9_]{0,6}`), rapid.String(),
		rapid.SampledFrom([]string{"IN", "true", "SHA-256", "", "LAST", "t", "h", "b"})).Draw(t, "key")
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"[a:b = 1]", "([file:hashes.'SHA-256' = 'aa'] FOLLOWEDBY [a:b NOT IN (1,.5,'x',true,h'ff',b'AA==')]) WITHIN 5 SECONDS",
		"[NOT EXISTS a:b[*].c[-1]] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z' // x", "[a:b = '\\'\\\\'] /* */ REPEATS 2 TIMES",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Text == "" || e.Pos.Line < 1 || e.Pos.Column < 1 || e.Pos.Offset > len(s) {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		p.Check()
		again, err := Parse(p.String())
		if err != nil {
			t.Fatalf("%q printed as %q: %v", s, p, err)
		}
		forgetPositions(p)
		forgetPositions(again)
		if !reflect.DeepEqual(p, again) {
			t.Fatalf("%q printed as %q reads as %q", s, p, again)
		}
	})
}
