package indicator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

// told is what a file gave, a line each: kind, value, line, confidence, title.
func told(t testing.TB, text, name string) (lines []string, report LoadReport, err error) {
	t.Helper()
	report, err = Load(strings.NewReader(text), LoadOptions{Name: name}, func(i *Item) error {
		what := string(i.Kind) + " " + i.Value.Value
		if i.Pattern != nil {
			what = "pattern " + i.Pattern.String()
		}
		if i.Expression != nil {
			what = "expression " + i.Expression.Text
		}
		if i.Confidence != NoConfidence {
			what += fmt.Sprintf(" %d%%", i.Confidence)
		}
		if i.Title != "" {
			what += " (" + i.Title + ")"
		}
		lines = append(lines, fmt.Sprintf("%d: %s", i.Line, what))
		return nil
	})
	return lines, report, err
}

func object(members string) string {
	return `{"type":"indicator","spec_version":"2.1","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z",` + members + `}`
}

func TestLoadFormats(t *testing.T) {
	id := `"id":"indicator--00000000-0000-4000-8000-00000000000`
	for _, c := range []struct {
		name, text string
		format     LoadFormat
		want       []string
		wrong      []string
		skipped    int
	}{
		{"plain list", "# comment\nevil[.]com\n45.155.205.233;65\n\nhxxp://evil.net/x # seen in May\n" + strings.Repeat("ab", 16) + ";Some Malware; 2024\nnot an indicator\n||ads.evil.org^\n0.0.0.0 a.evil.io b.evil.io\n45.1.1.1:8443\n*.wild.com\nx@evil.com\nC2.evil.zzz\n", LoadPlain,
			[]string{"2: domain evil.com", "3: ipv4 45.155.205.233 65%", "5: url http://evil.net/x (seen in May)", "6: md5 " + strings.Repeat("ab", 16) + " (Some Malware; 2024)",
				"8: domain ads.evil.org", "9: domain a.evil.io", "9: domain b.evil.io", "10: ipv4 45.1.1.1", "11: domain wild.com", "12: email x@evil.com", "13: domain c2.evil.zzz"},
			[]string{"plain list:7:"}, 2},
		{"what would match everybody", "com\n0.0.0.0/0\nco.uk\nevil.co.uk\n", LoadPlain, []string{"4: domain evil.co.uk"},
			[]string{"what would match everybody:1:", "what would match everybody:2:", "what would match everybody:3:"}, 0},
		{"table", "type,value,confidence,valid_until,tlp,description\ndomain,evil[.]com,high,2027-01-01,amber,Bad\nipv4,nonsense,,,,\nmd5," + strings.Repeat("AB", 16) + ",20,,,\ndomain,x.com,,,purple,\n", LoadCSV,
			[]string{"2: domain evil.com 85% (Bad)", "4: md5 " + strings.Repeat("ab", 16) + " 20%"}, []string{"table:3:", "table:5:"}, 0},
		{"table with semicolons", "soort;waarde\ndomein;evil.com\n", LoadCSV, []string{"2: domain evil.com"}, nil, 0},
		{"filename-iocs.txt", "# regex\n\\\\evil\\.exe;80\n(?i)\\\\x;y\\.dll;60;(?i)\\\\good\\\\\n(?<=x)y;50\n.*;10\n", LoadFilenames,
			[]string{`2: expression \\evil\.exe 80%`, `3: expression (?i)\\x;y\.dll 60%`}, []string{"filename-iocs.txt:4:", "filename-iocs.txt:5:"}, 1},
		{"bundle", `{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[` + "\n" +
			object(id+`1","name":"One","confidence":85,"pattern":"[domain-name:value = 'evil.com' OR ipv4-addr:value = '45.1.1.1']"`) + ",\n" +
			object(id+`2","pattern":"[file:name = 'a.exe' AND file:size > 5]"`) + ",\n" +
			object(id+`3","revoked":true,"pattern":"[domain-name:value = 'gone.com']"`) + ",\n" +
			`{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-4000-8000-000000000001","value":"seen.com"}` + ",\n" +
			object(id+`4","pattern":"[domain-name:value = "`) + ",\n" +
			strings.Replace(object(id+`5","pattern":"rule x { condition: true }"`), `"stix"`, `"yara"`, 1) + "]}", LoadSTIX,
			[]string{"2: domain evil.com 85% (One)", "2: ipv4 45.1.1.1 85% (One)", "3: pattern [file:name = 'a.exe' AND file:size > 5]"}, []string{"bundle:6:"}, 3},
		{"lines of objects", object(id+`1","pattern":"[url:value = 'http://evil.com/']"`) + "\n" + object(id+`2","pattern":"[x509-certificate:serial_number = '0A:1B']"`) + "\n", LoadSTIX,
			[]string{"1: url http://evil.com/", "2: certificate-serial a1b"}, nil, 0},
	} {
		got, report, err := told(t, c.text, c.name)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var wrong []string
		for _, e := range report.Errors {
			where, _, _ := strings.Cut(e.Error(), ": ")
			wrong = append(wrong, where+":")
		}
		skipped := 0
		for _, n := range report.Skipped {
			skipped += n
		}
		if report.Format != c.format || !slices.Equal(got, c.want) || !slices.Equal(wrong, c.wrong) || skipped != c.skipped || report.Wrong != len(c.wrong) ||
			report.Values+report.Patterns+report.Expressions != len(got) {
			t.Errorf("%s:\nformat %s\ngot   %q\nwant  %q\nwrong %q, want %q\nskipped %v, want %d\n%+v", c.name, report.Format, got, c.want, wrong, c.wrong, report.Skipped, c.skipped, report)
		}
	}
}

// TestLoadVersions: of one object in one file the newest version counts, and a revoked one takes back what went before.
func TestLoadVersions(t *testing.T) {
	at := func(second int, rest string) string {
		o := object(`"id":"indicator--00000000-0000-4000-8000-000000000001",` + rest)
		return strings.Replace(o, `"modified":"2026-01-01T00:00:00`, fmt.Sprintf(`"modified":"2026-01-01T00:00:%02d`, second), 1)
	}
	text := at(2, `"pattern":"[domain-name:value = 'b.com']"`) + "\n" + at(1, `"pattern":"[domain-name:value = 'a.com']"`) + "\n" + at(3, `"pattern":"[domain-name:value = 'c.com']"`) + "\n" + at(4, `"revoked":true,"pattern":"[domain-name:value = 'c.com']"`)
	var got []string
	report, err := Load(strings.NewReader(text), LoadOptions{Name: "x"}, func(i *Item) error {
		got = append(got, fmt.Sprint(i.Value.Value, i.Replaces))
		return nil
	})
	if want := []string{"b.comfalse", "c.comtrue", "true"}; err != nil || !slices.Equal(got, want) || report.Values != 2 {
		t.Errorf("got %q, want %q, %v, %+v", got, want, err, report)
	}
}

func TestLoadTerms(t *testing.T) {
	for _, c := range []struct {
		why, created string
		from         time.Time
	}{
		{"a valid_from of its own bounds", "2026-01-05T00:00:00.000Z", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"one that is the time of its making does not: it says nothing of the past", "2026-01-01T00:00:00.000Z", time.Time{}},
	} {
		text := strings.ReplaceAll(object(`"id":"indicator--00000000-0000-4000-8000-000000000001","pattern":"[domain-name:value = 'b.com']","valid_until":"2026-02-01T00:00:00Z","indicator_types":["malicious-activity"],
		"object_marking_refs":["`+stix.Amber.ID()+`","`+stix.PAPRed.ID()+`"]`), `"2026-01-01T00:00:00.000Z"`, `"`+c.created+`"`)
		n := 0
		_, err := Load(strings.NewReader(text), LoadOptions{}, func(i *Item) error {
			n++
			r := i.Reference([16]byte{1}, 7)
			if r.Marking != stix.Amber || r.PAP != stix.PAPRed || r.Confidence != NoConfidence || r.List != 7 || !slices.Equal(i.Types, []string{"malicious-activity"}) ||
				!r.ValidFrom.Equal(c.from) || !r.ValidUntil.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("%s: read as %+v", c.why, r)
			}
			return nil
		})
		if err != nil || n != 1 {
			t.Errorf("%s: %d, %v", c.why, n, err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for name, text := range map[string]string{"misp": `{"Event":{"uuid":"x","Attribute":[]}}`, "misp response": `{"response":[{"Event":{}}]}`} {
		if _, _, err := told(t, text, name); !errors.Is(err, ErrMISP) {
			t.Errorf("%s: %v, want ErrMISP", name, err)
		}
	}
	stop := errors.New("enough")
	if _, err := Load(strings.NewReader("a.com\nb.com\n"), LoadOptions{Name: "x"}, func(*Item) error { return stop }); err != stop {
		t.Errorf("%v, want the error of the caller", err)
	}
	if _, _, err := told(t, "\xff\xfea\x00", "x"); err == nil || !strings.Contains(err.Error(), "UTF-16") {
		t.Errorf("UTF-16: %v", err)
	}
	if _, err := Load(strings.NewReader("a"), LoadOptions{Format: "tarot"}, nil); err == nil {
		t.Error("a format that is none")
	}
	var cut bytes.Buffer
	z := gzip.NewWriter(&cut)
	fmt.Fprint(z, strings.Repeat("a.com\n", 100_000))
	ok(t, z.Close())
	if _, _, err := told(t, cut.String(), "x"); err != nil {
		t.Errorf("gzip: %v", err)
	}
	if _, _, err := told(t, cut.String()[:cut.Len()/2], "x"); err == nil {
		t.Error("a gzip that ends early is no whole file")
	}
	if _, report, err := told(t, strings.Repeat("a", 3*maxLine)+"\nb.com\n", "x"); err != nil || report.Wrong != 1 || report.Values != 1 {
		t.Errorf("a line without end: %v, %+v", err, report)
	}
}

// TestLoadRealLists reads the lists of the field and accounts for each of their lines.
func TestLoadRealLists(t *testing.T) {
	for name, want := range map[string]struct {
		format            LoadFormat
		atLeast, mayWrong int
	}{"hash-iocs.txt": {LoadPlain, 3200, 10}, "c2-iocs.txt": {LoadPlain, 1500, 20}, "filename-iocs.txt": {LoadFilenames, 3700, 250}} {
		file := testdata.File(t, "detect", "ioc", name)
		raw, err := os.ReadFile(file)
		ok(t, err)
		report, err := Load(bytes.NewReader(raw), LoadOptions{Name: name}, func(*Item) error { return nil })
		ok(t, err)
		lines := strings.Count(strings.TrimRight(string(raw), "\n"), "\n") + 1
		given := report.Values + report.Expressions
		if report.Format != want.format || given < want.atLeast || report.Wrong > want.mayWrong || given+report.Wrong+report.Skipped[SkippedBlank] != lines {
			t.Errorf("%s: %d lines, %+v", name, lines, report)
		}
		t.Logf("%s: %d given, %d wrong, first %v", name, given, report.Wrong, report.Errors[:min(3, len(report.Errors))])
	}
}

func TestPathTable(t *testing.T) {
	var table PathTable
	for i, text := range []string{`\\evil\.exe$`, `(?i)\\Tools\\[a-z]+\.DLL`, `^.{3}$`, `(foo|bar)\.jsp`, `\\x\.bin`} {
		exclude := ""
		if i == 4 {
			exclude = `(?i)\\good\\`
		}
		e, err := NewPathExpression(text, exclude)
		ok(t, err)
		table.Add(e)
	}
	for path, want := range map[string]string{`C:\a\evil.exe`: "[0]", `C:\a\EVIL.exe`: "[]", `C:\TOOLS\abc.dll`: "[1]", `abc`: "[2]", `/srv/bar.jsp`: "[3]",
		`C:\x.bin`: "[4]", `C:\Good\x.bin`: "[]", ``: "[]", `\evil.exe\evil.exe`: "[0]"} {
		if got := fmt.Sprint(table.Lookup(nil, []byte(path), nil)); got != want {
			t.Errorf("%s meets %s, want %s", path, got, want)
		}
	}
}

// TestPathTableAgrees: looking for a part first never changes what matches.
func TestPathTableAgrees(t *testing.T) {
	raw, err := os.ReadFile(testdata.File(t, "detect", "ioc", "filename-iocs.txt"))
	ok(t, err)
	var table PathTable
	var all []*PathExpression
	_, err = Load(bytes.NewReader(raw), LoadOptions{Name: "filename-iocs.txt"}, func(i *Item) error {
		all = append(all, i.Expression)
		table.Add(i.Expression)
		return nil
	})
	ok(t, err)
	hits := 0
	for i := 0; i < len(all); i += 7 {
		path := `C:\Windows` + strings.NewReplacer(`\\`, `\`, `\.`, `.`, `(?i)`, ``, `$`, ``, `^`, ``).Replace(all[i].Text)
		var want []int
		for no, e := range all {
			if e.Match([]byte(path)) {
				want = append(want, no)
			}
		}
		got := table.Lookup(nil, []byte(path), nil)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s meets %v, one by one %v", path, got, want)
		}
		hits += len(got)
	}
	if hits < 100 {
		t.Errorf("%d hits: the paths do not try it", hits)
	}
}

// FuzzLoad: nothing that is read breaks the reader, and what it gives can be put into a table.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{"evil.com;65\n", "type,value\nipv4,1.2.3.4\n", "[{}]", `{"type":"bundle","objects":[` + object(`"id":"indicator--00000000-0000-4000-8000-000000000001","pattern":"[domain-name:value = 'b.com']"`) + `]}`, "\\\\a\\.exe;5\n", "\x1f\x8b", "\xef\xbb\xbfa.b"} {
		f.Add(seed, "x")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		table := NewTable()
		_, _, _ = told(t, text, name)
		_, err := Load(strings.NewReader(text), LoadOptions{Name: name}, func(i *Item) error {
			if i.Pattern == nil && i.Expression == nil && i.Kind != "" {
				if err := table.Add(Known{i.Kind, i.Value.Value, i.Reference([16]byte{}, 1)}); err != nil && !errors.Is(err, errManySources) {
					t.Fatalf("%s %q was given and is refused: %v", i.Kind, i.Value.Value, err)
				}
			}
			return nil
		})
		_ = err
	})
}
