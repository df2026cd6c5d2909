package paper

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/polder-exchange/polder/stix"
)

// printed tells whether a document that is not compressed prints a text.
func printed(pdf []byte, text string) bool {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		for _, c := range []byte{byte(u >> 8), byte(u)} {
			if c == '(' || c == ')' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
		}
	}
	return bytes.Contains(pdf, b)
}

func made(t *testing.T, o Options, fill func(*Document)) (*Document, []byte) {
	t.Helper()
	o.Made = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	d := New(o)
	d.Uncompressed()
	fill(d)
	var out bytes.Buffer
	if n, err := d.WriteTo(&out); err != nil || n != int64(out.Len()) {
		t.Fatalf("writing: %d of %d bytes, %v", n, out.Len(), err)
	}
	if !bytes.HasPrefix(out.Bytes(), []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(out.Bytes()), []byte("%%EOF")) {
		t.Fatalf("no PDF: %.20q", out.Bytes())
	}
	return d, out.Bytes()
}

// pages are the drawing instructions of each page.
func pages(pdf []byte) (out [][]byte) {
	for _, part := range bytes.Split(pdf, []byte("stream\n"))[1:] {
		if bytes.Contains(part, []byte(" Tj")) || bytes.Contains(part, []byte(")Tj")) || bytes.Contains(part, []byte("BT ")) {
			out = append(out, part)
		}
	}
	return out
}

// TestMarkOnEveryPage: the level stands on top and at the foot of each page in the colour of FIRST on black, whatever is on it.
func TestMarkOnEveryPage(t *testing.T) {
	for _, c := range []struct {
		level        stix.Marking
		label, color string
	}{
		{stix.Clear, "TLP:CLEAR", "1.000 g"}, {stix.Green, "TLP:GREEN", "0.200 1.000 0.000 rg"}, {stix.Amber, "TLP:AMBER", "1.000 0.753 0.000 rg"},
		{stix.AmberStrict, "TLP:AMBER+STRICT", "1.000 0.753 0.000 rg"}, {stix.Red, "TLP:RED", "1.000 0.169 0.169 rg"},
	} {
		_, pdf := made(t, Options{Title: "x", Level: c.level, PAP: stix.PAPAmber, Page: func(n, all string) string { return n + " of " + all }}, func(d *Document) {
			for n := range 200 {
				d.Paragraph(fmt.Sprint("line ", n))
			}
		})
		all := pages(pdf)
		if len(all) < 3 {
			t.Fatalf("%s: %d pages", c.label, len(all))
		}
		for n, page := range all {
			var label []byte
			for _, u := range utf16.Encode([]rune(c.label)) {
				label = append(label, byte(u>>8), byte(u))
			}
			if got := bytes.Count(page, label); got != 2 {
				t.Errorf("%s: page %d bears it %d times, want head and foot", c.label, n+1, got)
			}
			if !bytes.Contains(page, []byte(c.color)) {
				t.Errorf("%s: page %d has no text of its colour", c.label, n+1)
			}
			if !printed(page, "PAP:AMBER") || !printed(page, fmt.Sprintf("%d of %d", n+1, len(all))) {
				t.Errorf("page %d lacks PAP or its number", n+1)
			}
		}
	}
	_, pdf := made(t, Options{Title: "x"}, func(d *Document) { d.Paragraph("unmarked") })
	if printed(pdf, "TLP:") {
		t.Error("a document without a level bears one")
	}
}

// TestLongAndHostileText: what no line can hold is broken, and nothing is lost, whatever it is.
func TestLongAndHostileText(t *testing.T) {
	word := strings.Repeat("a0", 700)
	d, pdf := made(t, Options{Title: "a\u202eb"}, func(d *Document) {
		d.Title("T)itle \\ (x")
		d.Heading("Head")
		d.Paragraph("first\nsecond\r\nthird\x00end")
		d.Paragraph(word)
		d.Pair("empty", "  ")
		d.Pair("name", "value")
		d.Table([]float64{0.2, 0.8}, []string{"One", "Two"}, [][]string{{"北京", word}, {"short"}, {"a", "b", "too many"}}, false)
		d.Small("small")
		d.Strong("strong")
		d.Indented("indented")
	})
	for _, want := range []string{"T)itle \\ (x", "first", "second", "third[U+0000]end", "value", "strong", "indented", "small", "[beijing]"} {
		if !printed(pdf, want) {
			t.Errorf("%q is not printed", want)
		}
	}
	if printed(pdf, "empty") || printed(pdf, "too many") {
		t.Error("a pair without a value, or a cell without a column, is printed")
	}
	if !d.Strange() || d.Cut() {
		t.Errorf("strange %v, cut %v", d.Strange(), d.Cut())
	}
	if got := bytes.Count(pdf, []byte("\x000")); got < 1400 {
		t.Errorf("of the 1400 noughts of two long words %d are printed", got)
	}
}

// TestDocumentIsBounded: a document of any length ends, and says that it was cut.
func TestDocumentIsBounded(t *testing.T) {
	d, pdf := made(t, Options{Title: "x", Cut: "it ends here"}, func(d *Document) {
		for range MaxPages * 70 {
			d.Paragraph("x")
			if d.Cut() {
				break
			}
		}
		d.Heading("more")
		d.Table([]float64{1}, []string{"h"}, [][]string{{"late row"}}, false)
	})
	if !d.Cut() || !printed(pdf, "it ends here") || printed(pdf, "late row") {
		t.Errorf("cut %v, or it does not say so", d.Cut())
	}
}

// TestHeadsStandAgain: a table over pages has its heads on each.
func TestHeadsStandAgain(t *testing.T) {
	_, pdf := made(t, Options{Title: "x"}, func(d *Document) {
		var rows [][]string
		for n := range 150 {
			rows = append(rows, []string{fmt.Sprint("row ", n), strings.Repeat("text ", 40)})
		}
		d.Table([]float64{0.3, 0.7}, []string{"Columnhead", "Other"}, rows, true)
	})
	for n, page := range pages(pdf) {
		if !printed(page, "Columnhead") {
			t.Errorf("page %d has no heads", n+1)
		}
	}
	if !printed(pdf, "row 149") {
		t.Error("the last row is lost")
	}
}
