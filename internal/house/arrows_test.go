package house

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// libraries are useful to any Go program: they import each other where listed, and nothing else of the project.
var libraries = map[string][]string{
	"stix":         {},
	"stix/pattern": {},
	"taxii":        {"stix"},
	"indicator":    {"stix", "stix/pattern"},
	"misp":         {"stix", "stix/pattern", "indicator"},
	"evtx":         {},
	"event":        {"evtx"},
	"sigma":        {"event"},
	"names":        {},
	"deadline":     {},
}

// foundations know the root package and the libraries, no capability, and of each other only what is listed.
var foundations = map[string][]string{
	"internal/fail":     nil, // nothing at all
	"internal/db":       {},
	"internal/audit":    {"internal/db"},
	"internal/journal":  {"internal/db", "internal/audit"},
	"internal/policy":   {},
	"internal/accounts": {"internal/db", "internal/audit"},
	"internal/jobs":     {"internal/db"},
	"internal/notify":   {"internal/db"},
	"internal/blob":     {"internal/db"},
	"internal/backup":   {"internal/db"},
	"internal/paper":    {},
	"internal/seal":     {"internal/journal"},
	"internal/web":      {"internal/accounts"},
	"internal/cli":      {"internal/cli/sbom"},
	"internal/cli/sbom": nil,
}

// testOnly are packages that only test files import. So are those named after the package they test with: webtest.
var testOnly = []string{"internal/testdata", "internal/policy/sightmodel", "internal/db/crashdisk"}

// forTest is the package whose tests dir helps; "" when it is not such a helper.
func forTest(dir string) string {
	if parent := path.Dir(dir); slices.Contains(testOnly, dir) || path.Base(dir) == path.Base(parent)+"test" {
		return parent
	}
	return ""
}

// capabilities use every foundation and every library; they do not know each other.
var capabilities = []string{"internal/members", "internal/exchange", "internal/detect", "internal/screen", "internal/cases"}

// allowed is the list of what dir may import in files that are not tests; ok is false for a folder that is not in the house.
func allowed(dir string) (list []string, ok bool) {
	libs, founds := sorted(libraries), sorted(foundations)
	below := slices.Concat(libs, []string{"."}, founds)
	if list, ok := libraries[dir]; ok {
		return list, true
	}
	if list, ok := foundations[dir]; ok {
		switch {
		case list == nil:
			return nil, true
		case dir == "internal/policy":
			return []string{".", "stix"}, true
		}
		return slices.Concat(libs, []string{".", "internal/fail"}, list), true
	}
	switch {
	case dir == "internal/testdata":
		return nil, true
	case forTest(dir) != "":
		list, ok := allowed(forTest(dir))
		return slices.Concat(list, forTests(forTest(dir))), ok
	case dir == ".":
		return []string{"stix"}, true
	case slices.Contains(capabilities, dir):
		return below, true
	case within(dir, capabilities) != "":
		return append(below, within(dir, capabilities)), true
	case dir == "internal/node":
		return slices.Concat(below, capabilities), true
	case dir == "cmd/polder":
		return []string{"internal/node", "internal/cli"}, true
	case dir == "internal/house" || strings.HasPrefix(dir, "internal/house/"):
		return []string{"internal/house", "internal/cli/sbom"}, true
	}
	return nil, false
}

// within is the capability that a sub-package belongs to. A sub-package does not import its capability's siblings either.
func within(dir string, of []string) string {
	for _, c := range of {
		if strings.HasPrefix(dir, c+"/") {
			return c
		}
	}
	return ""
}

// forTests is what test files may import beyond what their package may: the data they read, failpoints, and whatever
// lies below or beside in the house; a library's tests stay as independent as the library.
func forTests(dir string) []string {
	more := []string{"internal/testdata", "internal/fail", dir}
	if _, lib := libraries[dir]; lib || dir == "." {
		return append(more, sorted(libraries)...)
	}
	more = slices.Concat(more, sorted(libraries), []string{"."}, sorted(foundations))
	if dir == "cmd/polder" || dir == "internal/node" {
		more = slices.Concat(more, capabilities, []string{"internal/node", "internal/cli"})
	}
	return more
}

// TestArrows holds the whole list of who may import whom.
func TestArrows(t *testing.T) {
	for dir, files := range packages(t) {
		list, known := allowed(dir)
		if !known {
			t.Errorf("%s: not a package of the house; write in internal/house/arrows_test.go what it may import, or put it where it belongs", dir)
			continue
		}
		for _, s := range files {
			for _, to := range s.paths() {
				if why := wrong(dir, to, s.test, list); why != "" {
					t.Errorf("%s imports %s: %s", s.path, to, why)
				}
			}
		}
	}
}

// wrong says why the import from dir points the wrong way; "" when it does not.
func wrong(dir, imported string, test bool, list []string) string {
	to, ours := strings.CutPrefix(imported, module)
	if !ours {
		return ""
	}
	if to = strings.TrimPrefix(to, "/"); to == "" {
		to = "."
	}
	capability := within(dir, capabilities)
	switch {
	case slices.Contains(list, to), test && slices.Contains(forTests(dir), to):
		return ""
	case test && forTest(to) != "":
		return wrong(dir, module+"/"+forTest(to), true, list) // as the package it helps to test
	case capability != "" && within(to, capabilities) == capability, slices.Contains(capabilities, dir) && strings.HasPrefix(to, dir+"/"):
		return "" // a capability and its own sub-packages
	case dir == "internal/node" && within(to, capabilities) != "":
		return "" // node plugs the parts of a capability together too
	}
	return "the arrows run libraries <- root <- foundations <- capabilities <- node <- cmd; this is not one of them"
}

// TestArrowsBite shows that the list refuses what it should: without it an empty list would pass for a strict one.
func TestArrowsBite(t *testing.T) {
	for _, c := range []struct {
		dir, to, why string
		test, ok     bool
	}{
		{"stix", "internal/testdata", "a library's test reads the real data", true, true},
		{"stix", "internal/testdata", "a library itself knows nothing internal", false, false},
		{"stix", "", "a library does not know the vocabulary above it", false, false},
		{"stix/pattern", "stix", "the grammar stands alone", false, false},
		{"", "internal/db", "the root imports the standard library and stix only", false, false},
		{"internal/db", "internal/audit", "db lies below audit", false, false},
		{"internal/audit", "internal/db", "audit lies over db", false, true},
		{"internal/policy", "internal/db", "policy is pure", false, false},
		{"internal/policy", "misp", "policy knows stix only", false, false},
		{"internal/notify", "internal/jobs", "notify stands over db alone", false, false},
		{"internal/exchange", "internal/members", "capabilities do not import each other", false, false},
		{"internal/exchange", "internal/members", "nor do their tests", true, false},
		{"internal/exchange", "internal/web", "a capability uses the foundations", false, true},
		{"internal/exchange", "internal/exchange/layout", "a capability may have a sub-package", false, true},
		{"internal/exchange", "internal/node", "node lies above", false, false},
		{"internal/cli", "internal/exchange", "cli knows no capability", false, false},
		{"internal/node", "internal/exchange/peers", "node plugs the parts of a capability together", false, true},
		{"internal/screen", "internal/exchange/peers", "another capability knows none of them", false, false},
		{"internal/journal", "internal/policy/sightmodel", "a model is for tests", false, false},
		{"internal/journal", "internal/policy/sightmodel", "and every test may ask it", true, true},
		{"internal/exchange", "internal/web/webtest", "a helper named after what it tests", true, true},
		{"internal/exchange", "internal/members/memberstest", "but never across capabilities", true, false},
		{"internal/exchange", "internal/testdata", "test data is for tests", false, false},
	} {
		dir := c.dir
		if dir == "" {
			dir = "."
		}
		list, known := allowed(dir)
		if !known {
			t.Fatalf("%s is not in the house", dir)
		}
		got := wrong(dir, strings.TrimSuffix(module+"/"+c.to, "/"), c.test, list) == ""
		if got != c.ok {
			t.Errorf("%s -> %q (test %v): allowed %v, want %v: %s", dir, c.to, c.test, got, c.ok, c.why)
		}
	}
	if _, known := allowed("internal/util"); known {
		t.Error("internal/util passes for a package of the house")
	}
}
