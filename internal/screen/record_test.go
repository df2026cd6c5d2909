package screen

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// year is a period that holds all that tests do.
var year = Period{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Organisation: "Meridiaan Optics"}

// readRecord re-reads a record with the standard library, by the names of its columns.
func readRecord(t testing.TB, text []byte) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	must(t, err)
	var out []map[string]string
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, c := range line {
			row[all[0][i]] = c
		}
		out = append(out, row)
	}
	return out
}

// recordLines are the lines of a kind.
func recordLines(rows []map[string]string, k LineKind) (out []map[string]string) {
	for _, r := range rows {
		if r["kind"] == string(k) {
			out = append(out, r)
		}
	}
	return out
}

// TestS14RecordInjection (S14): whatever a name or a reason begins with or holds, it is one cell of one line when it is
// read again, and no formula.
func TestS14RecordInjection(t *testing.T) {
	w := newServiceWorld(t)
	bad := []string{"=cmd|' /C calc'!A0", "+1+1", "-1+2", "@SUM(A1)", "\tTAB", "\r=1+1", "a\nb,\"c\";d", "'=quoted", "x\x00y", "normal\r\n=2+2", "＝1"}
	for i, name := range bad {
		e := entry(fmt.Sprint(i), name)
		a := Answer{Query: company(name, "A "+name), Hits: []Hit{{ID: name + fmt.Sprint(i), List: "alpha", Name: name, Score: 0.9, Listing: &e}}, Lists: []lists.Meta{{Name: "alpha", SHA256: "00", Date: "2026-11-01"}}, Threshold: 0.8}
		c, err := w.Keep(t.Context(), anna, a, KeepOptions{Note: name + " is why"})
		must(t, err)
		_, err = w.Decide(t.Context(), anna, c.Hits[0].Review, Judgement{VerdictFalse, name + " and that is the reason", 1})
		must(t, err)
	}
	var out bytes.Buffer
	must(t, w.WriteCSV(t.Context(), anna, year, &out))
	rows := readRecord(t, out.Bytes())
	if n := len(recordLines(rows, LineScreening)); n != len(bad) {
		t.Fatalf("%d answers in the record, want %d", n, len(bad))
	}
	if n := len(recordLines(rows, LineDecision)); n != 2*len(bad) {
		t.Fatalf("%d lines of history in the record, want %d", n, 2*len(bad))
	}
	for _, r := range rows {
		for column, cell := range r {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("%s begins as a formula: %q", column, cell)
			}
			if strings.ContainsAny(cell, "\x00\r") {
				t.Errorf("%s holds a character that breaks lines: %q", column, cell)
			}
		}
	}
	if first := recordLines(rows, LineScreening)[0]; first["listed name"] != "'"+bad[0] || first["reference"] != "'"+bad[0] {
		t.Errorf("a formula is written as %q", first["listed name"])
	}
}

func TestRecordTellsAll(t *testing.T) {
	w := ready(t)
	_, err := w.AddParty(t.Context(), anna, Suppliers, company("S1", firmOne))
	must(t, err)
	w.work()
	r := w.all("")[0]
	_, err = w.say(bram, r.ID, VerdictTrue)
	must(t, err)
	w.review(company("", firmTwo))
	b, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "fair.csv"}, rowsOf(company("1", "Harmless Bakery"), company("2", firmTwo), company("3", "")))
	must(t, err)
	w.work()
	p, err := w.AddParty(t.Context(), anna, Suppliers, company("S2", firmTwo))
	must(t, err)
	_, err = w.EraseParty(t.Context(), carla, p.ID, GroundMistake)
	must(t, err)

	var out bytes.Buffer
	must(t, w.WriteCSV(t.Context(), dirk, year, &out))
	rows := readRecord(t, out.Bytes())
	for kind, want := range map[LineKind]int{LineScreening: 0, LineRow: 3, LineBatch: 1, LineRescreening: 1, LineDecision: 3, LineWaiting: 0, LineErasure: 1} {
		// Erasing the second party took what was kept of a query with the very same fields along.
		if kind == LineRow {
			want = 2
		}
		if kind == LineDecision {
			want = 2
		}
		if got := recordLines(rows, kind); len(got) != want {
			t.Errorf("%d lines of kind %s, want %d: %v", len(got), kind, want, got)
		}
	}
	for _, d := range recordLines(rows, LineDecision) {
		if d["list date"] != "2026-11-01" || len(d["list sha256"]) != 64 || d["score"] == "" || d["id"] != r.ID {
			t.Errorf("a decision without its list: %v", d)
		}
	}
	if d := recordLines(rows, LineDecision)[1]; d["by"] != "bram" || d["what"] != "true" || d["state"] != "true" || d["reason"] == "" || d["name"] != firmOne || d["listed name"] != firmOne {
		t.Errorf("the decision is told as %v", d)
	}
	if l := recordLines(rows, LineBatch)[0]; l["id"] != b.ID || !strings.Contains(l["lists asked"], "alpha 2026-11-01 sha256:") {
		t.Errorf("the batch is told as %v", l)
	}
	empty := Period{From: year.To, To: year.To.AddDate(1, 0, 0)}
	out.Reset()
	must(t, w.WriteCSV(t.Context(), dirk, empty, &out))
	if rows := readRecord(t, out.Bytes()); len(rows) != 0 {
		t.Errorf("another year tells %v", rows)
	}
	isKind(t, w.WriteCSV(t.Context(), dirk, Period{From: year.To, To: year.From}, io.Discard), polder.Invalid)
}

func TestPDF(t *testing.T) {
	w := ready(t)
	e := entry("9", "北京大学")
	a := Answer{Query: Query{Name: "北京大学\u202e", Type: names.Company}, Hits: []Hit{{ID: "9", List: "alpha", Name: "北京大学", Score: 0.9, Listing: &e}}, Lists: w.lists.screener.Lists(), Threshold: 0.8}
	c, err := w.Keep(t.Context(), anna, a, KeepOptions{Note: strings.Repeat("a deal ", 300)})
	must(t, err)
	_, err = w.Decide(t.Context(), anna, c.Hits[0].Review, Judgement{VerdictMore, strings.Repeat("長い理由", 200), 1})
	must(t, err)
	for _, p := range []Period{year, {From: year.To, To: year.To.AddDate(1, 0, 0)}} {
		var out bytes.Buffer
		must(t, w.WritePDF(t.Context(), dirk, p, &out))
		if !bytes.HasPrefix(out.Bytes(), []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(out.Bytes()), []byte("%%EOF")) {
			t.Fatalf("no PDF: %.20q", out.Bytes())
		}
	}
}

// TestPrintedRowsAreThoseThatMatter: rows of a batch without a hit do not crowd decisions out of a printed record.
func TestPrintedRowsAreThoseThatMatter(t *testing.T) {
	w := ready(t)
	_, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, manyRows(400, 100))
	must(t, err)
	w.work()
	d := newRecordPDF(dirk, year, w.pass(0))
	size := func() int {
		var out bytes.Buffer
		must(t, w.WritePDF(t.Context(), dirk, year, &out))
		return out.Len()
	}
	before := size()
	_, err = w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, manyRows(400, 0))
	must(t, err)
	w.work()
	if after := size(); after > before+2_000 {
		t.Errorf("400 rows without a hit make the document %d bytes longer", after-before)
	}
	if d.plain("x", 5) != "x" || d.strange {
		t.Error("a plain text is taken for a strange one")
	}
}

// manyDecisions fills a database with n reviews, each decided once.
func manyDecisions(t testing.TB, w *serviceWorld, n int) {
	t.Helper()
	e := entry("1", firmOne)
	list := lists.Meta{Name: "alpha", Date: "2026-11-01", SHA256: strings.Repeat("ab", 32)}
	parts := []Part{{Kind: "word", Query: "zarkonta", Listed: "zarkonta", Score: 1, Points: 0.5, How: "same"}, {Kind: "word", Query: "optics", Listed: "optics", Score: 1, Points: 0.45, How: "same"}}
	for from := 0; from < n; from += 500 {
		must(t, w.db.Write(t.Context(), func(tx *db.Tx) error {
			now := w.pass(time.Second)
			for i := from; i < min(n, from+500); i++ {
				q := company(fmt.Sprint("R", i), fmt.Sprintf("%s %d", firmOne, i))
				r := Review{ID: newScreenID(), Org: ours, Group: "", Query: q, List: "alpha", Listing: "1", Name: firmOne, Score: 0.8 + float64(i%1000)/5001, Why: "the name is alike", State: StateOpen, Made: now, Changed: now, Version: 1, listed: "f", asked: fmt.Sprint(i), current: 1, checked: list.SHA256}
				if err := insertReview(tx, &r, subjectOf("", r.asked)); err != nil {
					return err
				}
				if err := insertSnapshot(tx, r.n, Snapshot{N: 1, At: now, Query: q, Hit: Hit{ID: "1", List: "alpha", Name: firmOne, Score: r.Score, Parts: parts}, Listing: e, List: list, Threshold: 0.8}); err != nil {
					return err
				}
				d := Decision{At: now, By: "anna", Person: "anna", Verdict: VerdictFalse, Reason: "other country, other trade, other owners", ListDate: list.Date, SHA256: list.SHA256}
				if err := insertDecision(tx, r, d); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// peakWhile is how much the heap grew while fn ran.
func peakWhile(fn func()) uint64 {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(20 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	fn()
	close(stop)
	most := <-peak
	if most < before.HeapInuse {
		return 0
	}
	return most - before.HeapInuse
}

// TestRecordIsBounded: the record of 100,000 decisions is written as CSV in some megabytes of memory, and printed in less
// than 300 MB.
func TestRecordIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes many decisions")
	}
	decisions := 20_000
	if os.Getenv("POLDER_SOAK") != "" {
		decisions = 100_000
	}
	w := newServiceWorld(t)
	manyDecisions(t, w, decisions)
	var n int64
	start := time.Now()
	grew := peakWhile(func() { must(t, w.WriteCSV(t.Context(), dirk, year, countTo{&n})) })
	t.Logf("CSV: %d MB in %v, %d MB of memory", n>>20, time.Since(start).Round(time.Millisecond), grew>>20)
	if grew > 64<<20 {
		t.Errorf("the CSV took %d MB of memory", grew>>20)
	}
	n, start = 0, time.Now()
	grew = peakWhile(func() { must(t, w.WritePDF(t.Context(), dirk, year, countTo{&n})) })
	t.Logf("PDF: %d MB in %v, %d MB of memory", n>>20, time.Since(start).Round(time.Millisecond), grew>>20)
	if grew > 220<<20+1<<10*uint64(decisions) {
		t.Errorf("the PDF took %d MB of memory", grew>>20)
	}
}

// countTo counts what is written.
type countTo struct{ n *int64 }

func (c countTo) Write(p []byte) (int, error) {
	*c.n += int64(len(p))
	return len(p), nil
}
