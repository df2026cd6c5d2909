package event

import (
	"strings"
	"testing"
	"time"
)

// TestTextLimits: a record made of as many parts as fit is refused with a word, or read, in a bounded time.
func TestTextLimits(t *testing.T) {
	many := func(s string) string { return strings.Repeat(s, 3<<20/len(s)) }
	for _, c := range []struct {
		why    string
		format Format
		data   string
		want   string // in the refusal, "" when the record is read
	}{
		{"pairs", Syslog, "<13>date=2026-03-02 time=10:00:00 devname=x logid=1 " + many("a=b "), "more than"},
		{"pairs without a device", Syslog, "<13>" + many("a=b "), "more than"},
		{"structured data", Syslog, "<13>1 - - - - - [x " + many(`a="b" `) + `z="1"] m`, "more than"},
		{"parts of structured data", Syslog, "<13>1 - - - - - " + many(`[x a="b"]`), "more than"},
		{"keys of CEF", CEF, "CEF:0|a|b|1|2|n|3|" + many("a=b "), "more than"},
		{"labels of CEF", CEF, "CEF:0|a|b|1|2|n|3|" + strings.Repeat("cs1Label=x ", 60000), ""},
		{"bars of CEF", CEF, "CEF:0|" + many("|"), ""},
		{"fields of auditd", Auditd, "type=SYSCALL msg=audit(1.1:1): arch=c000003e " + many("syscall=59 "), "more than"},
		{"a list of Zeek", ZeekTSV, "#fields\ta\n#types\tset[string]\n" + many("x,"), "more than"},
		{"columns of Zeek", ZeekTSV, "#fields\t" + many("a\t") + "\nx\n", "values under a header"},
		{"columns of a table", CSV, many("a,") + "\nx\n", "values under a header"},
		{"quotes of a table", CSV, "a,b\n\"" + many(`""`) + "\",2\n", ""},
		{"elements", Wevtutil, "<Event><System><EventID>1</EventID>" + many("<a/>") + "</System></Event>", "more than"},
		{"elements in each other", Wevtutil, "<Event>" + strings.Repeat("<a>", 100) + "</Event>", "nests deeper"},
		{"a long name", Wevtutil, "<Event><" + strings.Repeat("a", 1000) + "/></Event>", "name longer"},
		{"attributes", Wevtutil, "<Event><System><EventID>1</EventID><a " + many(`b="c" `) + "/></System></Event>", "more than"},
		{"references", Wevtutil, "<Event><System><EventID>1</EventID><a>" + many("&#65;") + "</a></System></Event>", ""},
		{"values of an extended log", W3C, "#Fields: time\n" + many("a "), "values under a header"},
	} {
		began := time.Now()
		events, errs, _ := readAll(t, strings.NewReader(c.data), Options{Format: c.format})
		took := time.Since(began)
		switch {
		case c.want == "" && len(events) != 1:
			t.Errorf("%s: %d events, %v", c.why, len(events), errs)
		case c.want != "" && (len(events) != 0 || len(errs) != 1 || !strings.Contains(errs[0].Text, c.want)):
			t.Errorf("%s: %d events, %.200v, want %q", c.why, len(events), errs, c.want)
		case took > 10*time.Second:
			t.Errorf("%s took %v", c.why, took)
		}
	}
}
