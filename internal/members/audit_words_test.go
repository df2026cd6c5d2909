package members

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web"
)

var actionForm = regexp.MustCompile(`^[a-z]+(\.[a-z-]+)+$`)

// recorders are the functions by which packages write entries of the audit, with the action among their arguments.
var recorders = []string{"log", "note", "noteTx", "noteOwn", "reportNote", "noteArrival", "caseAudit", "onReport", "onSuppression", "beginErasing", "change", "set", "endServed"}

// TestAuditWords: whatever any part of the node writes into the audit, the page says in words, in each language.
func TestAuditWords(t *testing.T) {
	actions := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			ast.Inspect(file, func(n ast.Node) bool {
				for _, action := range actionsIn(n) {
					actions[action] = path
				}
				return true
			})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"peer.accept", "peer.stop", "keys.dispute", "match.ask", "log.evidence", "release.override", "report.close", "passkey.add", "list.import"} {
		if actions[must] == "" {
			t.Errorf("the test does not find %s any more", must)
		}
	}
	for _, lang := range []string{"en", "nl"} {
		texts, err := web.ReadCatalogue(files, lang)
		if err != nil {
			t.Fatal(err)
		}
		for action, path := range actions {
			if !saidIn(texts, action) {
				t.Errorf("%s: %s is in the audit and has no words in %s: add members.audit.action.%s", path, action, lang, action)
			}
		}
		for _, kind := range auditKinds {
			if key := "members.audit.kind." + strings.TrimSuffix(kind, "."); texts[key] == "" {
				t.Errorf("%s: no %s", lang, key)
			}
		}
	}
}

func saidIn(texts web.Catalogue, action string) bool {
	for part := action; part != ""; part = part[:max(strings.LastIndexByte(part, '.'), 0)] {
		if texts["members.audit.action."+part] != "" {
			return true
		}
	}
	return false
}

// actionsIn are the actions that a piece of code writes: as the field Action of an entry, or by a function that writes one.
func actionsIn(n ast.Node) (out []string) {
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && actionForm.MatchString(s) {
				out = append(out, s)
			}
		}
	}
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Action" {
			add(n.Value)
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "Action" && i < len(n.Rhs) {
				add(n.Rhs[i])
			}
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(recorders, f.Sel.Name) {
			for _, arg := range n.Args {
				add(arg)
			}
		}
	}
	return out
}
