package screen

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/polder-exchange/polder"
)

// printedText tells whether a document that is not compressed prints a text.
func printedText(pdf []byte, text string) bool {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return bytes.Contains(pdf, b)
}

// TestPrintedRecordIsCut: a document that cannot hold all says on its first page and where it ends that it is cut, where
// the record goes on, and which part of the period to print; one that holds all says nothing of the kind.
func TestPrintedRecordIsCut(t *testing.T) {
	w := ready(t)
	manyDecisions(t, w, 500)
	print := func(most int) []byte {
		sum, err := sumRecord(w.reader(t.Context()), ours, year)
		must(t, err)
		d, err := w.printed(t.Context(), dirk, year, sum, most)
		must(t, err)
		d.f.SetCompression(false)
		var out bytes.Buffer
		must(t, d.f.Output(&out))
		return out.Bytes()
	}
	cut := print(100)
	_, rest, _ := bytes.Cut(cut, []byte("endstream"))
	for _, c := range []struct {
		in   []byte
		what string
	}{{cut[:len(cut)-len(rest)], "the first page"}, {rest, "the end"}} {
		if !printedText(c.in, "This document is cut: it ends after 100 lines") || !printedText(c.in, "CSV, which is whole") {
			t.Errorf("%s does not say that it is cut, and where all is", c.what)
		}
	}
	d := newRecordPDF(dirk, Period{From: year.From, To: year.From.AddDate(0, 0, 100)}, w.pass(0))
	d.most = 100
	if got := d.parts(1000); got != "10 days, the first 2026-01-01 to 2026-01-10" {
		t.Errorf("a tenth of 100 days is %q", got)
	}
	if printedText(print(5_000), "is cut") {
		t.Error("a whole document says that it is cut")
	}
}

// TestFilesAreStreamed: a file goes out while it is made, an error before its head is told, and one behind it cuts the
// connection.
func TestFilesAreStreamed(t *testing.T) {
	w := filled(t)
	manyDecisions(t, w.serviceWorld, 1_000)
	out := w.send("reader", "GET", "/screen/record.csv?from=2026-01-01&to=2026-12-31", "", nil)
	text := answered(t, "the record", out, 200)
	if out.Header().Get("Content-Length") != "" || strings.Count(text, "\n") < 1_000 || !strings.Contains(out.Header().Get("Content-Disposition"), "screening-2026-01-01-2026-12-31.csv") {
		t.Errorf("the record comes with %v", out.Header())
	}
	why := polder.Errorf(polder.Unavailable, "the disk is gone")
	early := httptest.NewRecorder()
	if err := sendFile(early, "text/csv", "x.csv", func(out io.Writer) error { _, _ = io.WriteString(out, "head\n"); return why }); !errors.Is(err, why) || early.Body.Len() > 0 || len(early.Header()) > 0 {
		t.Errorf("an early error: %v, after %d bytes", err, early.Body.Len())
	}
	defer func() {
		if fell := recover(); fell != http.ErrAbortHandler {
			t.Errorf("a late error ends with %v", fell)
		}
	}()
	_ = sendFile(httptest.NewRecorder(), "text/csv", "x.csv", func(out io.Writer) error {
		_, err := out.Write(make([]byte, 3*heldBack))
		return errors.Join(err, why)
	})
}
