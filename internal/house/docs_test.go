package house

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// longest is how many lines a file that is not a test may have: beyond that a second idea lives in it.
const longest = 800

// TestPackageComments: every package says in its first sentence what it is for.
func TestPackageComments(t *testing.T) {
	for dir, files := range packages(t) {
		var docs []string
		name := ""
		for _, s := range files {
			if strings.HasSuffix(s.path, "_test.go") {
				continue
			}
			name = s.file.Name.Name
			if s.file.Doc != nil {
				docs = append(docs, s.file.Doc.Text())
			}
		}
		if name == "" || dir == "internal/deps" {
			continue // tests only
		}
		want := "Package " + name + " "
		if name == "main" {
			want = "Command " // and what it does
		}
		if !slices.ContainsFunc(docs, func(d string) bool { return strings.HasPrefix(d, want) }) {
			t.Errorf("%s: no package comment; write one that begins with %q and says what the package is for, its invariant, and what it does not do", dir, want)
		}
	}
}

// obvious methods need no comment: their contract is that of the interface they satisfy.
var obvious = []string{"String", "Error", "Unwrap", "Is", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "Len", "Less", "Swap", "Close", "Read", "Write", "ServeHTTP"}

// TestExportedIdentifiers: whoever reads the public packages finds a comment on every exported name.
func TestExportedIdentifiers(t *testing.T) {
	for _, s := range tree(t) {
		_, lib := libraries[s.dir]
		if s.test || !lib && s.dir != "." {
			continue
		}
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s:%d: exported %s has no comment; say what it is for, what its zero value does, which error comes back", s.path, s.line(d.Pos()), name)
			}
		}
	}
}

func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil || !d.Name.IsExported() || d.Recv != nil && (slices.Contains(obvious, d.Name.Name) || !exportedReceiver(d.Recv)) {
			return nil
		}
		return []string{d.Name.Name}
	case *ast.GenDecl:
		return undocumentedSpecs(d)
	}
	return nil
}

func exportedReceiver(r *ast.FieldList) bool {
	e := r.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// undocumentedSpecs finds exported names of a group. A comment on the group, on the line or behind it is enough, and
// so is the type of an enumeration, which says what its values are.
func undocumentedSpecs(d *ast.GenDecl) []string {
	var out []string
	grouped := d.Doc != nil
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
				out = append(out, spec.Name.Name)
			}
		case *ast.ValueSpec:
			if id, ok := spec.Type.(*ast.Ident); ok && d.Tok == token.CONST && id.IsExported() {
				grouped = true
			}
			for _, n := range spec.Names {
				if n.IsExported() && !grouped && spec.Doc == nil && spec.Comment == nil {
					out = append(out, n.Name)
				}
			}
		}
	}
	return out
}

// TestFileLength: a file over 800 lines is two files.
func TestFileLength(t *testing.T) {
	for _, s := range tree(t) {
		if n := bytes.Count(s.text, []byte("\n")); n > longest && !s.test {
			t.Errorf("%s has %d lines; at most %d: split it by noun", s.path, n, longest)
		}
	}
}
