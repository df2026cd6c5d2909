package house

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// TestProof: every test that docs/proof.md names exists, every promise and bug names one, and every bug that the code
// can put back is in the table.
func TestProof(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "proof.md"))
	if err != nil {
		t.Fatal(err)
	}
	have, code := map[Test]bool{}, map[string]string{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	point := regexp.MustCompile(`\bfail\.Bug\("([^"]+)"\)`)
	for _, s := range tree(t) {
		for _, m := range function.FindAllStringSubmatch(string(s.text), -1) {
			have[Test{s.dir, m[1]}] = true
		}
		for _, m := range point.FindAllStringSubmatch(string(s.text), -1) {
			if s.dir != "internal/house" {
				code[m[1]] = s.path
			}
		}
	}
	promises, bugs := Proof(string(text))
	if len(promises) == 0 {
		t.Error("docs/proof.md holds no promise: has the table changed its form?")
	}
	check := func(name string, tests []Test) {
		if len(tests) == 0 {
			t.Errorf("docs/proof.md: %s names no test", name)
		}
		for _, test := range tests {
			if !have[test] {
				t.Errorf("docs/proof.md: %s: there is no %s in %s", name, test.Name, test.Package)
			}
		}
	}
	for _, p := range promises {
		check(p.Name, p.Tests)
	}
	table := map[string]bool{}
	for _, b := range bugs {
		check(b.Name, b.Tests)
		table[b.Name] = true
		if code[b.Name] == "" {
			t.Errorf("docs/proof.md: no code puts bug %q back", b.Name)
		}
	}
	for _, name := range sorted(code) {
		if !table[name] {
			t.Errorf("%s: bug %q is not in docs/proof.md; write there which test notices it", code[name], name)
		}
	}
}

// TestProofReads: the reader of the two tables.
func TestProofReads(t *testing.T) {
	promises, bugs := Proof("# Proof\n\nSome `words | here`.\n\n| name | promise | tests |\n|---|---|---|\n" +
		"| S20 | guarded | `internal/notify TestA` `internal/notify TestB`, and more |\n\n" +
		"| bug | what | tests | found |\n|---|---|---|---|\n| `late-stamp` | stamped late | `internal/journal TestF12` | a reader |\n")
	if want := []Promise{{"S20", "guarded", []Test{{"internal/notify", "TestA"}, {"internal/notify", "TestB"}}}}; !reflect.DeepEqual(promises, want) {
		t.Errorf("promises: %v, want %v", promises, want)
	}
	if want := []Bug{{"late-stamp", "stamped late", []Test{{"internal/journal", "TestF12"}}, "a reader"}}; !reflect.DeepEqual(bugs, want) {
		t.Errorf("bugs: %v, want %v", bugs, want)
	}
}
