package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// repo is a small program under version control: what is true of its build is true of ours, in a second.
func repo(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.org/small\n\ngo 1.26\n",
		"main.go": "package main\n\nimport \"runtime\"\n\nfunc main() { _, f, _, _ := runtime.Caller(0); println(f) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "small"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, text)
		}
	}
	return dir
}

// TestC3Reproducible: the same commit gives the same bytes, wherever, whenever and by whom it is built.
func TestC3Reproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the standard library twice; not with -short")
	}
	var out bytes.Buffer
	if err := repeat(t.Context(), &out, repo(t), "."); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if os.Getenv("POLDER_SOAK") == "" {
		return
	}
	if err := repeat(t.Context(), &out, filepath.Join("..", "..", ".."), program); err != nil {
		t.Fatalf("polder: %v\n%s", err, out.String())
	}
}

// TestC3NoPath: the binary does not hold the path it was built in. Without -trimpath it does, so the check can fail.
func TestC3NoPath(t *testing.T) {
	src, bin := repo(t), filepath.Join(t.TempDir(), "bin")
	holds := func() bool {
		data, err := os.ReadFile(bin)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(data, []byte(src))
	}
	if err := build(t.Context(), src, ".", bin, runtime.GOOS+"/"+runtime.GOARCH); err != nil {
		t.Fatal(err)
	}
	if holds() {
		t.Error("the binary holds the path of its source")
	}
	cmd := exec.Command("go", "build", "-o", bin, ".")
	cmd.Dir = src
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !holds() {
		t.Error("built without -trimpath the path is not there either: this test proves nothing")
	}
}

// TestSums: the list is what sha256sum -c reads, and does not list itself.
func TestSums(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := os.WriteFile(filepath.Join(dir, "b"), []byte("abc"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := sums(dir); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBill: the bill beside a binary names it, its hash, and what the database brings along.
func TestBill(t *testing.T) {
	bin := filepath.Join(t.TempDir(), fileName("windows/arm64"))
	if err := build(t.Context(), repo(t), ".", bin, "windows/arm64"); err != nil {
		t.Fatal(err)
	}
	inside, err := shipped(t.Context(), filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if err := bill(bin, inside); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(bin, ".exe") + ".cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	sum, _ := sha(bin)
	for _, want := range []string{`"example.org/small"`, sum, "SQLite", `"CycloneDX"`, `"go:build:GOARCH"`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the bill does not hold %s", want)
		}
	}
}
