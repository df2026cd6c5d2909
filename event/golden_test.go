package event

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

// dump is a stream in words: its format, then each event with its source, its time and its fields, then what could not be
// read.
func dump(t testing.TB, data []byte, o Options) string {
	t.Helper()
	events, errs, s := readAll(t, bytes.NewReader(data), o)
	var b strings.Builder
	fmt.Fprintf(&b, "format %s, mapping %q\n", s.Format(), s.mapping.Name())
	for _, e := range events {
		when := "no time"
		if w := e.Time(); !w.IsZero() {
			when = w.Format(time.RFC3339Nano)
		}
		fmt.Fprintf(&b, "\n%d %s/%s/%s %s %s\n", e.Index, e.Source.Product, strings.Join(e.Source.Categories, "+"),
			strings.Join(e.Source.Services, "+"), when, e.Mapping.Name())
		for _, f := range e.Fields {
			fmt.Fprintf(&b, "  %s = %s\n", f.Name, value(f))
		}
	}
	for _, err := range errs {
		fmt.Fprintf(&b, "\nrefused %d: %v\n", err.Index, err)
	}
	return b.String()
}

func value(f Field) string {
	switch f.Kind {
	case String:
		return fmt.Sprintf("%q", f.Text(nil))
	case Null:
		return "null"
	}
	return string(f.Value)
}

// checkGolden compares what the file holds with the file beside it that ends in .golden.
func checkGolden(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := dump(t, data, Options{Name: filepath.Base(path)})
	golden := path + ".golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", path, got, want)
	}
}

func TestGoldenJSON(t *testing.T) {
	files, err := filepath.Glob("testdata/json/*json*")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	for _, path := range files {
		if !strings.HasSuffix(path, ".golden") {
			t.Run(filepath.Base(path), func(t *testing.T) { checkGolden(t, path) })
		}
	}
}
