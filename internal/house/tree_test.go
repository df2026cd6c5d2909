package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/polder-exchange/polder"

// source is one Go file of the project.
type source struct {
	path string // from the root of the project, with slashes
	dir  string // its folder; "." is the root package
	test bool   // a _test.go file, or a file of a package that helps tests
	text []byte
	file *ast.File
	set  *token.FileSet
}

func (s source) line(p token.Pos) int { return s.set.Position(p).Line }

// paths returns the imported paths.
func (s source) paths() []string {
	var out []string
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, p)
	}
	return out
}

// imports returns the imported paths by the name they have in this file.
func (s source) imports() map[string]string {
	out := map[string]string{}
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(p)
		if strings.HasPrefix(name, "v") && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		out[name] = p
	}
	return out
}

// root is the folder of the project: tests run in the folder of their package.
func root(t testing.TB) string {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(filepath.Dir(wd))
}

// skipped tells whether a folder holds nothing that these rules are about.
func skipped(name string) bool {
	return name == "testdata" || name == "tools" ||
		name != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_"))
}

var sources = sync.OnceValues(func() ([]source, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(filepath.Dir(wd))
	var out []source
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if d.IsDir() {
			if rel == "dist" || rel != "." && skipped(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		s, err := parse(p, filepath.ToSlash(rel))
		out = append(out, s)
		return err
	})
	return out, err
})

func parse(file, rel string) (source, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return source{}, err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, rel, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	test := strings.HasSuffix(rel, "_test.go") || forTest(path.Dir(rel)) != "" || path.Dir(rel) == "internal/testdata"
	return source{path: rel, dir: path.Dir(rel), test: test, text: text, file: f, set: set}, nil
}

// tree is every Go file of the project, whatever its build tags.
func tree(t testing.TB) []source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatalf("read the project: %v", err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d Go files found: these tests must run in the folder of their package", len(all))
	}
	return all
}

// packages groups the files by folder.
func packages(t testing.TB) map[string][]source {
	out := map[string][]source{}
	for _, s := range tree(t) {
		out[s.dir] = append(out[s.dir], s)
	}
	return out
}

// sorted returns the keys of m in order, so that failures come in the same order every time.
func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fromText makes a source of text, as if it lay in dir.
func fromText(t *testing.T, dir, text string) source {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, dir+"/x.go", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{path: dir + "/x.go", dir: dir, text: []byte(text), file: f, set: set}
}
