package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// unescaped is the one file that may make text which html/template does not escape, so that a reader can check it whole.
const unescaped = "internal/web/markup.go"

// rule forbids names of one package. A comment "//house:allow NAME: reason" on the line, or the line above, excuses one use.
type rule struct {
	pkg   string
	names []string // none: the import itself is forbidden
	calls bool     // a call is forbidden, the value is not: Now: time.Now is how a clock is handed in
	only  []string // the folders that the rule is for; none means all
	not   []string // the folders that it is not for
	file  string   // the one file that it is not for
	why   string
}

// starts are the places where a program begins: there the clock, randomness and the process are taken up and handed in.
var starts = []string{"cmd/polder", "internal/node", "internal/house", "internal/house/dist", "internal/house/proof"}

var rules = []rule{
	{pkg: "time", names: []string{"Now", "Since", "Until"}, calls: true, not: starts, why: "the clock is a field or a parameter, so that a test can set it"},
	{pkg: "net/http", names: []string{"DefaultClient", "DefaultTransport", "DefaultServeMux", "Get", "Head", "Post", "PostForm", "Handle", "HandleFunc", "ListenAndServe", "ListenAndServeTLS", "Serve"},
		why: "it has no limits of time or size, and is shared by everybody; make a client or server with its own"},
	{pkg: "html/template", names: []string{"HTML", "JS", "JSStr", "URL", "CSS", "HTMLAttr", "Srcset"}, calls: true, file: unescaped, why: "it switches escaping off; only " + unescaped + " may"},
	{pkg: "os", names: []string{"Open", "OpenFile"}, only: []string{"internal/journal"}, why: "opening and closing the database file drops SQLite's locks on it"},
	{pkg: "os", names: []string{"Exit"}, not: starts, why: "only main ends the process, so that everything else can be tested and closed"},
	{pkg: "os", names: []string{"Getenv", "LookupEnv", "Environ"}, not: append([]string{"internal/fail", "internal/testdata", "internal/cli"}, starts...), why: "configuration is handed in"},
	{pkg: "log/slog", names: []string{"Default", "SetDefault", "Debug", "Info", "Warn", "Error", "Log", "DebugContext", "InfoContext", "WarnContext", "ErrorContext"}, why: "the logger is passed in"},
	{pkg: "log", why: "use log/slog, passed in"},
	{pkg: "math/rand", why: "it can be guessed; use crypto/rand, passed in as an io.Reader"},
	{pkg: "math/rand/v2", why: "it can be guessed; use crypto/rand, passed in as an io.Reader"},
	{pkg: "text/template", not: starts, why: "it does not escape; pages are html/template"},
	{pkg: "unsafe", why: "nothing here is worth it"},
	{pkg: "plugin", why: "nothing here is worth it"},
}

func (r rule) covers(s source) bool {
	dir := s.dir
	if slices.Contains(r.not, dir) || r.file == s.path {
		return false
	}
	return len(r.only) == 0 || slices.ContainsFunc(r.only, func(o string) bool { return dir == o || strings.HasPrefix(dir, o+"/") })
}

// finding is a place where a rule is broken.
type finding struct {
	line int
	name string // what an exception would have to name
	why  string
}

// findings are the places where s breaks a rule, exceptions not yet taken off.
func findings(s source) []finding {
	var out []finding
	imports := s.imports()
	for _, r := range rules {
		if len(r.names) == 0 && r.covers(s) {
			for _, spec := range s.file.Imports {
				if p, _ := strconv.Unquote(spec.Path.Value); p == r.pkg {
					out = append(out, finding{s.line(spec.Pos()), r.pkg, r.why})
				}
			}
		}
	}
	called, deadline, inner := map[ast.Expr]bool{}, map[ast.Expr]bool{}, map[ast.Expr]bool{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if !deadline[n] {
				called[n.Fun] = true
			}
			deadlines(n, deadline)
			if why := builtSQL(n, imports); why != "" {
				out = append(out, finding{s.line(n.Pos()), "sql", why})
			}
		case *ast.BinaryExpr:
			inner[n.X] = true
			if !inner[n] && n.Op == token.ADD && sqlText(n.X) && !constant(s.dir, n) {
				out = append(out, finding{s.line(n.Pos()), "sql", "a statement is put together from parts; use ? and arguments"})
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			for _, r := range rules {
				if imports[x.Name] == r.pkg && r.covers(s) && slices.Contains(r.names, n.Sel.Name) && (!r.calls || called[n]) {
					out = append(out, finding{s.line(n.Pos()), x.Name + "." + n.Sel.Name, r.why})
				}
			}
		}
		return true
	})
	return out
}

// deadlines excuses the clock in an argument of Set…Deadline: a connection knows no other clock than the machine's.
func deadlines(c *ast.CallExpr, excused map[ast.Expr]bool) {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || !strings.HasPrefix(sel.Sel.Name, "Set") || !strings.HasSuffix(sel.Sel.Name, "Deadline") {
		return
	}
	for _, arg := range c.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				excused[call] = true
			}
			return true
		})
	}
}

var statement = regexp.MustCompile(`(?is)^\s*(select\s.+\sfrom|insert\s+(or\s+\w+\s+)?into|update\s+\S+\s+set|delete\s+from|create\s+(table|index|view|trigger)|drop\s+(table|index)|alter\s+table|pragma|attach|vacuum)\b`)

// sqlText tells whether e is a string literal, or a sum that begins with one, that begins a statement.
func sqlText(e ast.Expr) bool {
	if b, ok := e.(*ast.BinaryExpr); ok {
		return sqlText(b.X)
	}
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return false
	}
	text, err := strconv.Unquote(lit.Value)
	return err == nil && statement.MatchString(text)
}

// constants are the names that each folder declares as constants.
var constants = sync.OnceValue(func() map[string]bool {
	all, _ := sources()
	out := map[string]bool{}
	for _, s := range all {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						out[s.dir+" "+name.Name] = true
					}
				}
			}
			return true
		})
	}
	return out
})

// constant tells whether e is a literal, a constant of the package in dir, a call of marks (which writes "?,?,?"), or
// a sum of such.
func constant(dir string, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.ParenExpr:
		return constant(dir, e.X)
	case *ast.BinaryExpr:
		return constant(dir, e.X) && constant(dir, e.Y)
	case *ast.Ident:
		return constants()[dir+" "+e.Name]
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.Ident)
		return ok && f.Name == "marks"
	}
	return false
}

// builtSQL says what is wrong with a call that formats a statement.
func builtSQL(c *ast.CallExpr, imports map[string]string) string {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || len(c.Args) == 0 {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok || imports[x.Name] != "fmt" || !strings.HasPrefix(sel.Sel.Name, "Sprint") || !sqlText(c.Args[0]) {
		return ""
	}
	return "a statement is formatted; use ? and arguments"
}

var exception = regexp.MustCompile(`^//house:allow ([\w./]+): \S`)

// exceptions are the lines that an exception excuses: its own and the next, by the name it gives.
func exceptions(s source) map[int]string {
	out := map[int]string{}
	for _, g := range s.file.Comments {
		for _, c := range g.List {
			if m := exception.FindStringSubmatch(c.Text); m != nil {
				out[s.line(c.Pos())] = m[1]
			}
		}
	}
	return out
}

// broken applies the exceptions of s and returns what is left, stale exceptions included.
func broken(s source) []string {
	var out []string
	excused, used := exceptions(s), map[int]bool{}
	for _, f := range findings(s) {
		at := f.line
		if excused[at] != f.name {
			at--
		}
		if excused[at] == f.name && !strings.HasPrefix(f.name, "template.") {
			used[at] = true
			continue
		}
		out = append(out, fmt.Sprintf("%s:%d: %s: %s (or say \"//house:allow %s: reason\")", s.path, f.line, f.name, f.why, f.name))
	}
	for line, name := range excused {
		if !used[line] {
			out = append(out, fmt.Sprintf("%s:%d: the exception for %s excuses nothing; take it away", s.path, line, name))
		}
	}
	return out
}

// TestForbiddenCalls finds calls that no package makes (trust.md C6).
func TestForbiddenCalls(t *testing.T) {
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		for _, b := range broken(s) {
			t.Error(b)
		}
	}
}

// TestForbiddenCallsBite feeds the finder what it must and must not find.
func TestForbiddenCallsBite(t *testing.T) {
	const head = "package p\nimport (\"fmt\"; \"time\"; \"net/http\"; \"html/template\"; \"os\"; \"math/rand/v2\")\n"
	for _, c := range []struct {
		name, dir, body string
		want            int
	}{
		{"a call of the clock", "internal/db", "var a = time.Now()", 1},
		{"the clock of a connection", "internal/db", "func f() { c.SetReadDeadline(time.Now().Add(w)) }", 0},
		{"the clock in another argument", "internal/db", "func f() { c.SetExpiry(time.Now().Add(w)) }", 1},
		{"a statement in many parts", "internal/db", "var q = \"delete from t where x = \" + y + \" and z = \" + z", 1},
		{"the clock as a value", "internal/db", "var a = time.Now", 0},
		{"where the program starts", "internal/node", "var a = time.Now()", 0},
		{"the shared client", "internal/db", "var c = http.DefaultClient", 1},
		{"a client of one's own", "internal/db", "var c = http.Client{}", 0},
		{"unescaped text", "internal/web", "var h = template.HTML(\"x\")", 1},
		{"unescaped text with an excuse", "internal/web", "//house:allow template.HTML: it is safe\nvar h = template.HTML(\"x\")", 2},
		{"the type of what another file made", "internal/web", "func f() template.HTML", 0},
		{"opening the database", "internal/journal", "var f, _ = os.Open(\"x\")", 1},
		{"opening another file", "internal/blob", "var f, _ = os.Open(\"x\")", 0},
		{"a formatted statement", "internal/db", "var q = fmt.Sprintf(\"select a from t where x = '%s'\", y)", 1},
		{"a statement in parts", "internal/db", "var q = \"delete from t where x = \" + y", 1},
		{"a statement of constants", "internal/db", "var q = \"delete from t \" + (\"where\" + \" 1\")", 0},
		{"a statement of question marks", "internal/db", "var q = \"select a from t where b in (\" + marks(len(l)) + \")\"", 0},
		{"a sentence that only begins like one", "internal/db", "var q = \"select a file or \" + y", 0},
		{"an excused call", "internal/db", "//house:allow time.Now: the test of the test\nvar a = time.Now()", 0},
		{"an exception without a reason", "internal/db", "//house:allow time.Now:\nvar a = time.Now()", 1},
		{"an exception that excuses nothing", "internal/db", "//house:allow time.Now: none\nvar a = 1", 1},
		{"an exception for something else", "internal/db", "//house:allow os.Open: wrong name\nvar a = time.Now()", 2},
	} {
		s := fromText(t, c.dir, head+c.body)
		got := slices.DeleteFunc(broken(s), func(b string) bool { return strings.Contains(b, "math/rand") })
		if len(got) != c.want {
			t.Errorf("%s: found %d, want %d: %q", c.name, len(got), c.want, got)
		}
	}
	if got := broken(fromText(t, "internal/db", head)); len(got) != 1 {
		t.Errorf("importing math/rand: found %q", got)
	}
}
