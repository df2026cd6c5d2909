package event

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGoldenText reads each sample of a text format and compares every event, field and refusal with its golden file.
func TestGoldenText(t *testing.T) {
	files, err := filepath.Glob("testdata/text/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	for _, path := range files {
		if !strings.HasSuffix(path, ".golden") {
			t.Run(filepath.Base(path), func(t *testing.T) { goldenText(t, path) })
		}
	}
}

// march is the time at which the samples are read, for dates without a year.
var march = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

func goldenText(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := dump(t, data, Options{Name: filepath.Base(path), Now: march})
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
