package house

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mostModules bounds what the program depends on (trust.md C1).
const mostModules = 80

// required reads the modules and versions of a go.mod; direct tells those that the project imports itself.
func required(t *testing.T, file string) (version map[string]string, direct map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	version, direct = map[string]string{}, map[string]bool{}
	line := regexp.MustCompile(`(?m)^(?:\t|require )([\w./~-]+\.[\w./~-]+) (v\S+)( // indirect)?`)
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		version[m[1]] = m[2]
		direct[m[1]] = m[3] == ""
	}
	return version, direct
}

// listed is a line of docs/dependencies.txt: why a module is there, and whether only tests may import it.
type listed struct {
	tests bool
	why   string
}

func dependencies(t *testing.T) map[string]listed {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "dependencies.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]listed{}
	sc := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; sc.Scan(); n++ {
		if sc.Text() == "" || strings.HasPrefix(sc.Text(), "#") {
			continue
		}
		mod, why, ok := strings.Cut(sc.Text(), " — ")
		mod, tests := strings.CutSuffix(mod, " (tests)")
		if !ok || why == "" || out[mod].why != "" {
			t.Errorf("docs/dependencies.txt:%d: want \"module — why\", each module once", n)
		}
		out[mod] = listed{tests, why}
	}
	return out
}

// TestC1Dependencies: every module that the project depends on is listed with a reason, and no other is.
func TestC1Dependencies(t *testing.T) {
	version, _ := required(t, filepath.Join(root(t), "go.mod"))
	list := dependencies(t)
	for _, m := range sorted(version) {
		if list[m].why == "" {
			t.Errorf("%s is in go.mod but not in docs/dependencies.txt; write there why it is needed", m)
		}
	}
	for _, m := range sorted(list) {
		if version[m] == "" {
			t.Errorf("%s is in docs/dependencies.txt but no longer in go.mod", m)
		}
	}
	if len(version) > mostModules {
		t.Errorf("%d modules; at most %d", len(version), mostModules)
	}
	if info, err := os.Stat(filepath.Join(root(t), "go.sum")); err != nil || info.Size() == 0 {
		t.Errorf("go.sum must be there and not empty: %v", err)
	}
}

// TestC1Imports: nothing is imported but the standard library, the project, and the direct requirements of go.mod;
// what is there for tests stays in tests; and a requirement that nothing imports is taken out.
func TestC1Imports(t *testing.T) {
	_, direct := required(t, filepath.Join(root(t), "go.mod"))
	list, used := dependencies(t), map[string]bool{}
	for _, s := range tree(t) {
		for _, p := range s.paths() {
			first, _, _ := strings.Cut(p, "/")
			if !strings.Contains(first, ".") || p == module || strings.HasPrefix(p, module+"/") {
				continue
			}
			m := owner(p, direct)
			used[m] = true
			switch {
			case m == "":
				t.Errorf("%s imports %s, which is no direct requirement of go.mod", s.path, p)
			case list[m].tests && !s.test && s.dir != "internal/deps":
				t.Errorf("%s imports %s, which docs/dependencies.txt keeps for tests", s.path, p)
			}
		}
	}
	for _, m := range sorted(direct) {
		if direct[m] && !used[m] {
			t.Errorf("go.mod requires %s, which nothing imports", m)
		}
	}
}

// owner is the longest module of direct that holds the package p.
func owner(p string, direct map[string]bool) string {
	best := ""
	for m, d := range direct {
		if d && (p == m || strings.HasPrefix(p, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// TestLibcPin: modernc.org/sqlite is tested with exactly one version of modernc.org/libc; another is a different database.
func TestLibcPin(t *testing.T) {
	ours, _ := required(t, filepath.Join(root(t), "go.mod"))
	cmd := exec.Command("go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	theirs, _ := required(t, strings.TrimSpace(string(out)))
	if want := theirs["modernc.org/libc"]; want == "" || ours["modernc.org/libc"] != want {
		t.Errorf("modernc.org/libc is %s; modernc.org/sqlite wants exactly %s", ours["modernc.org/libc"], want)
	}
}

// TestNoFloatingVersions: the build takes the versions that were checked in, never the latest.
func TestNoFloatingVersions(t *testing.T) {
	for _, name := range []string{".ci/run", "Makefile", "go.mod", "tools/go.mod", "tools/parquet/go.mod"} {
		text, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Error(err)
			continue
		}
		if bytes.Contains(text, []byte("@"+"latest")) {
			t.Errorf("%s asks for the latest version of something; name one", name)
		}
	}
	if _, err := os.Stat(filepath.Join(root(t), "vendor")); err == nil {
		t.Error("there is a vendor folder; modules come by go.mod and go.sum")
	}
}

// TestNoReplace: go.mod replaces nothing, so that others who import the libraries build the same code.
func TestNoReplace(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(strings.Split(string(text), "\n"), func(l string) bool { return strings.HasPrefix(l, "replace ") }) {
		t.Error("go.mod replaces a module")
	}
}
