package indicator

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// hostile are texts that try to be more than one record, another field, a comment or a formula.
var hostile = []string{
	"a\nb.evil.com", "a\r\nb", "a\tb", `a"b`, `a'b`, "a;b", "=cmd|'/c calc'!A1", "@SUM(1)", "-1+2", "+1", "a\x00b", "CNAME .", "x CNAME .\ny",
	"#comment", "a,b", `a\nb`, `a\`, `a|b`, `a:b`, "-", "(empty)", "// x", "; x", "a\u2028b", "a\u0085b", "' =1", "'=1", "a\") sid:1;", "é", "\xff", " ", "",
	"$ORIGIN evil.", "*.", "@ IN NS evil.", "http://a.com/x\n", `any any (msg:"x"; sid:5;)`,
}

// hostileEntries puts each hostile text into each place of an entry, beside plain values of every kind.
func hostileEntries() []Entry {
	values := []Value{{IPv4, "192.0.2.1"}, {IPv6, "2001:db8::1"}, {CIDR, "192.0.2.0/24"}, {CIDR, "2001:db8::/32"}, {Domain, "evil.com"},
		{URL, "http://evil.com/a;b|c\"d'e\\f:g,h"}, {URL, "https://evil.com/a"}, {Email, "a'b@evil.com"}, {MD5, strings.Repeat("ab", 16)},
		{SHA256, strings.Repeat("ab", 32)}, {Filename, "a b.exe"}, {Mutex, `Global\x`}, {CVE, "CVE-2024-1234"}, {ASN, "AS64500"}}
	var entries []Entry
	for _, v := range values {
		entries = append(entries, Entry{Kind: v.Kind, Value: v.Value, ID: "indicator--1", Description: "plain", Source: "a", Label: "TLP:AMBER"})
	}
	for i, h := range hostile {
		for _, k := range Kinds() {
			entries = append(entries, Entry{Kind: k, Value: h})
		}
		entries = append(entries, Entry{Kind: Domain, Value: fmt.Sprintf("d%d.evil.com", i), ID: h, Description: h, Source: h, Label: h})
		entries = append(entries, Entry{Kind: URL, Value: "http://evil.com/" + h})
	}
	return entries
}

// writers are the block lists under one signature, with a reader of each that shares no code with the writer.
var writers = map[string]struct {
	write func(io.Writer, []Entry) ([]Skipped, error)
	read  func(testing.TB, string) []string // the value of each record
	value func(Entry) string                // what a record of the entry reads as
}{
	"plain":    {WritePlain, readPlain, func(e Entry) string { return e.Value }},
	"suricata": {WriteSuricata, readSuricata, suricataKey},
	"zeek":     {WriteZeek, readZeek, zeekKey},
	"rpz":      {RPZ{Serial: 7}.Write, readRPZ, rpzKey},
	"csv":      {WriteCSV, readCSVTable, func(e Entry) string { return string(e.Kind) + " " + strings.ReplaceAll(e.Value, "\r\n", "\n") }},
}

// TestS14OneRecordEach: re-read by an independent reader, every entry that is not skipped is exactly one record.
func TestS14OneRecordEach(t *testing.T) {
	for name := range writers {
		t.Run(name, func(t *testing.T) { checkRecords(t, name, hostileEntries()) })
	}
}

func checkRecords(t testing.TB, name string, entries []Entry) {
	w := writers[name]
	var out bytes.Buffer
	skipped, err := w.write(&out, entries)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]int{}
	for _, s := range skipped {
		if s.Reason == "" {
			t.Errorf("%+v is skipped without a reason", s.Entry)
		}
		left[string(s.Entry.Kind)+"\x00"+s.Entry.Value]++
	}
	var want []string
	for _, e := range entries {
		v, err := Normalise(e.Kind, e.Value)
		if err != nil {
			v = e.Value
		}
		// A duplicate is skipped after its first, so the order of taking away does not matter.
		if key := string(e.Kind) + "\x00" + v; left[key] > 0 {
			left[key]--
			continue
		}
		e.Value = v
		want = append(want, w.value(e))
	}
	got := w.read(t, out.String())
	if len(got) != len(want) || len(got)+len(skipped) != len(entries) {
		t.Fatalf("%d records and %d skipped of %d entries, want %d records", len(got), len(skipped), len(entries), len(want))
	}
	count := map[string]int{}
	for i := range want {
		count[want[i]]++
		count[got[i]]--
	}
	for v, n := range count {
		if n != 0 {
			t.Errorf("record %q: %+d times too few", v, n)
		}
	}
}

func TestS14AnyText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile))
		var entries []Entry
		for range rapid.IntRange(1, 5).Draw(rt, "n") {
			kind := rapid.SampledFrom(Kinds()).Draw(rt, "kind")
			entries = append(entries, Entry{Kind: kind, Value: text.Draw(rt, "value"), ID: text.Draw(rt, "id"),
				Description: text.Draw(rt, "description"), Source: text.Draw(rt, "source"), Label: text.Draw(rt, "label")})
		}
		for name := range writers {
			checkRecords(t, name, entries)
		}
	})
}

func readPlain(t testing.TB, s string) (values []string) {
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line != strings.TrimSpace(line) || strings.ContainsAny(line, "\r\x00") || line[0] == '#' {
			t.Errorf("the line %q is no value", line)
		}
		values = append(values, line)
	}
	return values
}

// readSuricata reads rules the way Suricata does: an action, a header, options to an unescaped semicolon.
func readSuricata(t testing.TB, s string) (values []string) {
	sids := map[string]bool{}
	for line := range strings.Lines(s) {
		head, options, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " (")
		if fields := strings.Fields(head); !ok || len(fields) != 7 || fields[0] != "alert" || !strings.HasSuffix(options, ";)") {
			t.Errorf("%q is no rule", line)
			continue
		}
		key := strings.Fields(head)[1]
		if key == "ip" {
			key += " " + strings.Trim(strings.Fields(head)[5], "[]")
		}
		for _, option := range splitOptions(t, strings.TrimSuffix(options, ")")) {
			name, value, _ := strings.Cut(option, ":")
			switch name {
			case "content":
				key += " " + decodeContent(t, value)
			case "sid":
				if n, err := strconv.Atoi(value); err != nil || n < SIDFirst || n > SIDLast || sids[value] {
					t.Errorf("sid %s is used before or out of range", value)
				}
				sids[value] = true
			case "msg", "dns.query", "dotprefix", "nocase", "endswith", "http.host", "http.uri.raw", "bsize", "rev", "metadata":
			default:
				t.Errorf("option %q was not asked for", option)
			}
		}
		values = append(values, key)
	}
	return values
}

func splitOptions(t testing.TB, s string) (options []string) {
	quoted, start := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '\\':
			t.Errorf("an escape in %q", s)
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && quoted:
			t.Errorf("Suricata ends an option at the semicolon in %q", s)
		case s[i] == ';':
			options = append(options, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return options
}

func decodeContent(t testing.TB, s string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.Trim(s, `"`), "|") {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		for hex := range strings.FieldsSeq(part) {
			n, err := strconv.ParseUint(hex, 16, 8)
			if err != nil {
				t.Errorf("content %q: %v", s, err)
			}
			b.WriteByte(byte(n))
		}
	}
	return b.String()
}

func suricataKey(e Entry) string {
	switch e.Kind {
	case Domain:
		return "dns ." + e.Value
	case Email:
		return "smtp <" + e.Value + ">"
	case URL:
		after := strings.TrimPrefix(e.Value, "http://")
		end := strings.IndexAny(after+"/", "/?#\\")
		host, path := after[:end], after[end:]
		host = host[strings.LastIndex(host, "@")+1:]
		if !strings.HasPrefix(host, "[") {
			host, _, _ = strings.Cut(host, ":")
		} else {
			host = host[1:strings.Index(host, "]")]
		}
		path, _, _ = strings.Cut(path, "#")
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		return "http " + host + " " + path
	}
	return "ip " + e.Value
}

// readZeek reads a table as Zeek's reader does: tabs part fields, \xNN is a byte.
func readZeek(t testing.TB, s string) (values []string) {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	columns := strings.Count(lines[0], "\t")
	if !strings.HasPrefix(lines[0], "#fields\t") {
		t.Errorf("the heading is %q", lines[0])
	}
	for _, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != columns || line[0] == '#' {
			t.Errorf("the row %q has %d fields, the heading names %d", line, len(fields), columns)
			continue
		}
		values = append(values, fields[1]+" "+unescapeZeek(fields[0]))
	}
	return values
}

func unescapeZeek(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], `\x`) {
			if n, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func zeekKey(e Entry) string {
	value := e.Value
	if e.Kind == URL {
		value = value[strings.Index(value, "://")+3:]
	}
	return map[Kind]string{IPv4: "Intel::ADDR", IPv6: "Intel::ADDR", CIDR: "Intel::SUBNET", Domain: "Intel::DOMAIN", URL: "Intel::URL",
		Email: "Intel::EMAIL", Filename: "Intel::FILE_NAME"}[e.Kind] + strings.Repeat("Intel::FILE_HASH", btoi(strings.HasPrefix(string(e.Kind), "sha") || e.Kind == MD5)) + " " + value
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// readRPZ reads a zone: owner, CNAME, a dot. A name and its wildcard are one.
func readRPZ(t testing.TB, s string) (values []string) {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	if len(lines) < 3 || lines[0] != "$TTL 300" || lines[1] != "@ IN SOA localhost. hostmaster.localhost. 7 3600 600 604800 300" || lines[2] != "@ IN NS localhost." {
		t.Fatalf("the zone starts with %q", lines)
	}
	wild := map[string]bool{}
	for _, line := range lines[3:] {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[1] != "CNAME" || fields[2] != "." || strings.ContainsAny(fields[0], `$@;"()\`) {
			t.Errorf("the record %q is more than a name that is gone", line)
			continue
		}
		if name, ok := strings.CutPrefix(fields[0], "*."); ok {
			wild[name] = true
		} else {
			values = append(values, fields[0])
		}
	}
	for _, v := range values {
		if address := strings.HasSuffix(v, ".rpz-ip"); address == wild[v] {
			t.Errorf("%s: wildcard %v", v, wild[v])
		}
		delete(wild, v)
	}
	if len(wild) > 0 {
		t.Errorf("wildcards without their names: %v", wild)
	}
	return values
}

func rpzKey(e Entry) string {
	switch e.Kind {
	case Domain:
		return e.Value
	default:
		return rpzFixed[e.Value]
	}
}

// rpzFixed are the owners of the addresses that the tests use.
var rpzFixed = map[string]string{
	"192.0.2.1": "32.1.2.0.192.rpz-ip", "192.0.2.0/24": "24.0.2.0.192.rpz-ip", "2001:db8::1": "128.1.zz.db8.2001.rpz-ip",
	"2001:db8::/32": "32.zz.db8.2001.rpz-ip",
}

func TestRPZOwners(t *testing.T) {
	for value, want := range map[string]string{
		"::": "128.zz.rpz-ip", "::1": "128.1.zz.rpz-ip", "2001:db8:0:1:1:1:1:1": "128.1.1.1.1.1.0.db8.2001.rpz-ip",
		"::ffff:192.0.2.1": "128.201.c000.ffff.zz.rpz-ip", "1::": "128.zz.1.rpz-ip",
	} {
		if got, why := rpzOwner(Entry{Kind: IPv6, Value: value}); got != want || why != "" {
			t.Errorf("owner of %s is %s (%s), want %s", value, got, why, want)
		}
	}
	for _, name := range []string{"evil.rpz-ip", strings.Repeat("a.", 101) + "com"} {
		if got, why := rpzOwner(Entry{Kind: Domain, Value: name}); got != "" || why == "" {
			t.Errorf("owner of %s is %s, want none", name, got)
		}
	}
}

func readCSVTable(t testing.TB, s string) (values []string) {
	rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) || strings.ContainsRune(cell, 0) {
				t.Errorf("a spreadsheet runs the cell %q", cell)
			}
		}
		value := row[1]
		if strings.HasPrefix(value, "'") && strings.TrimLeft(value, "'") != "" && strings.ContainsRune("=+-@\t\r", rune(strings.TrimLeft(value, "'")[0])) {
			value = value[1:]
		}
		values = append(values, row[0]+" "+value)
	}
	return values
}

func TestSuricataRules(t *testing.T) {
	var out bytes.Buffer
	skipped, err := WriteSuricata(&out, []Entry{
		{Kind: Domain, Value: "Evil.com", Description: `C2; of "X"`, ID: "indicator--1", Source: "Chip Dike", Label: "TLP:GREEN"},
		{Kind: URL, Value: "http://evil.com:8080/a b"},
		{Kind: URL, Value: "http://evil.com:8080?x=1#y"},
		{Kind: URL, Value: "https://evil.com/"},
		{Kind: Domain, Value: "evil.com."},
	})
	want := fmt.Sprintf(`alert dns any any -> any any (msg:"Polder domain C2 of X"; dns.query; dotprefix; content:".evil.com"; nocase; endswith; sid:%d; rev:1; metadata:polder_kind domain, polder_id indicator--1, polder_source Chip_Dike, tlp GREEN;)
alert http any any -> any any (msg:"Polder url"; http.host; content:"evil.com"; bsize:8; http.uri.raw; content:"/|3f|x|3d|1"; bsize:5; sid:%d; rev:1; metadata:polder_kind url;)
`, wantedSID(Domain, "evil.com"), wantedSID(URL, "http://evil.com:8080?x=1#y"))
	if err != nil || out.String() != want {
		t.Errorf("got\n%swant\n%s%v", out.String(), want, err)
	}
	var why []string
	for _, one := range skipped {
		why = append(why, one.Reason)
	}
	all := strings.Join(why, "\n")
	if len(skipped) != 3 || !strings.Contains(all, "holds a space") || !strings.Contains(all, "https does not show the path") || !strings.Contains(all, "in the list already") {
		t.Errorf("skipped because of\n%s", all)
	}
}

// TestSuricataIDs: ids do not depend on the order or on what else is in the list, and never meet.
func TestSuricataIDs(t *testing.T) {
	rules := make([]suricataRule, 50_000)
	for i := range rules {
		rules[i].entry = Entry{Kind: Domain, Value: fmt.Sprintf("d%d.example", i)}
	}
	giveSIDs(rules)
	seen, moved := map[uint32]bool{}, 0
	for _, r := range rules {
		if seen[r.sid] || r.sid < SIDFirst || r.sid > SIDLast {
			t.Fatalf("id %d is used twice or out of range", r.sid)
		}
		seen[r.sid] = true
		if r.sid != wantedSID(r.entry.Kind, r.entry.Value) {
			moved++
		}
	}
	if moved == 0 || moved > 100 {
		t.Errorf("%d ids moved; among 50,000 some must and few may", moved)
	}
	last := rules[len(rules)-1]
	rules[0], rules[len(rules)-1] = rules[len(rules)-1], rules[0]
	giveSIDs(rules)
	if rules[0].sid != last.sid {
		t.Errorf("the id of %s changes with the order: %d and %d", last.entry.Value, last.sid, rules[0].sid)
	}
}

func TestGuardCell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`['=+@\-\t]{0,4}x?`)).Draw(t, "s")
		g := GuardCell(s)
		if g != "" && strings.ContainsRune("=+-@\t\r", rune(g[0])) {
			t.Fatalf("GuardCell(%q) = %q starts a formula", s, g)
		}
		if got := UnguardCell(g); got != strings.ReplaceAll(s, "\x00", "") {
			t.Fatalf("UnguardCell(GuardCell(%q)) = %q", s, got)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	entries := make([]Entry, 10_000)
	for i := range entries {
		entries[i] = Entry{Kind: Domain, Value: fmt.Sprintf("d%d.evil.example", i), Description: "C2", ID: "indicator--1", ValidUntil: time.Unix(math.MaxInt32, 0)}
	}
	for name, w := range writers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if skipped, err := w.write(io.Discard, entries); err != nil || skipped != nil {
					b.Fatal(skipped, err)
				}
			}
		})
	}
}
