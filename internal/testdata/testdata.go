// Package testdata finds the real data that tests and benchmarks read (rule X27).
// It lies outside the project; a test without it is skipped and says so.
package testdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir is the folder of the real data: $POLDER_TEST_DATA, or ../shared/data beside the checkout.
// Without either the test is skipped; a folder that was named but is not there fails it.
func Dir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("POLDER_TEST_DATA"); dir != "" {
		if _, err := os.Stat(dir); err != nil {
			t.Fatalf("POLDER_TEST_DATA: %v", err)
		}
		return dir
	}
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("real data not found: set POLDER_TEST_DATA or put it at %s", "../shared/data beside the checkout")
	}
	return dir
}

// File is a file of the real data. When the folder is there but the file is not, the test fails.
func File(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{Dir(t)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("real data is incomplete: %v", err)
	}
	return path
}
