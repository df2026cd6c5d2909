package webtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/polder-exchange/polder/internal/web"
	"golang.org/x/net/html"
)

// Catalogues fails when the texts of a part are not whole: a key that one language lacks, one that nothing uses, one
// that is used and not there, a form for one without a form for many, or placeholders that differ between languages.
//
// Dir is the folder of the part's Go files. A key counts as used when it stands there, or in a template, as a text of
// its own; a text that ends with "." uses every key that begins with it, as in T("road." + road).
func Catalogues(t testing.TB, part web.Part, dir string) {
	t.Helper()
	base := web.Languages[0]
	texts := map[string]web.Catalogue{}
	for _, lang := range web.Languages {
		c, err := web.ReadCatalogue(part.Files, lang)
		if err != nil {
			t.Fatal(err)
		}
		texts[lang] = c
	}
	for _, fault := range compare(texts) {
		t.Errorf("catalogue: %s", fault)
	}
	u := usage{all: map[string]bool{}, asked: map[string]string{}}
	u.templates(t, part.Files)
	u.sources(t, dir)
	for _, key := range slices.Sorted(maps.Keys(texts[base])) {
		if !u.uses(key) {
			t.Errorf("catalogue: key %q is used nowhere", key)
		}
	}
	words := siteOf(t, part).Words(base)
	for _, key := range slices.Sorted(maps.Keys(u.asked)) {
		if !words.Has(key) && !words.Has(key+".other") && !strings.HasSuffix(key, ".") {
			t.Errorf("%s: key %q is in no catalogue", u.asked[key], key)
		}
	}
}

func siteOf(t testing.TB, part web.Part) *web.Site {
	t.Helper()
	var parts []web.Part
	if part.Name != "web" {
		parts = append(parts, part)
	}
	s, err := web.New(web.Options{}, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compare finds what differs between the languages.
func compare(texts map[string]web.Catalogue) []string {
	var faults []string
	base := web.Languages[0]
	for _, lang := range web.Languages {
		for _, key := range slices.Sorted(maps.Keys(texts[lang])) {
			for _, other := range web.Languages {
				if _, held := texts[other][key]; !held {
					faults = append(faults, fmt.Sprintf("key %q is in %s and not in %s", key, lang, other))
				}
			}
			for form, twin := range map[string]string{".one": ".other", ".other": ".one"} {
				if stem, ok := strings.CutSuffix(key, form); ok {
					if _, held := texts[lang][stem+twin]; !held {
						faults = append(faults, fmt.Sprintf("%s: key %q has no form %q", lang, key, twin))
					}
				}
			}
			a, b := placeholders(key, texts[base][key]), placeholders(key, texts[lang][key])
			if _, held := texts[base][key]; held && !slices.Equal(a, b) {
				faults = append(faults, fmt.Sprintf("key %q has %v in %s and %v in %s", key, a, base, b, lang))
			}
		}
	}
	return faults
}

// placeholders leaves {n} out of the form for one: some languages write the word.
func placeholders(key, text string) []string {
	names := web.Placeholders(text)
	if strings.HasSuffix(key, ".one") {
		names = slices.DeleteFunc(names, func(n string) bool { return n == "n" })
	}
	return names
}

// usage is every text that may be a key, and where keys are asked for by name.
type usage struct {
	all   map[string]bool
	asked map[string]string
}

func (u usage) uses(key string) bool {
	stem := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
	if u.all[key] || u.all[stem] {
		return true
	}
	for text := range u.all {
		if strings.HasSuffix(text, ".") && len(text) > 2 && strings.HasPrefix(key, text) {
			return true
		}
	}
	return false
}

func (u usage) templates(t testing.TB, files fs.FS) {
	t.Helper()
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		tree := parse.New(name)
		tree.Mode = parse.SkipFuncCheck
		set := map[string]*parse.Tree{}
		if _, err := tree.Parse(string(text), "", "", set); err != nil {
			t.Fatal(err)
		}
		for _, one := range set {
			u.walk(name, one.Root)
		}
	}
}

// walk collects the texts of a template's commands.
func (u usage) walk(name string, n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, c := range n.Nodes {
				u.walk(name, c)
			}
		}
	case *parse.ActionNode:
		u.walk(name, n.Pipe)
	case *parse.TemplateNode:
		u.walk(name, n.Pipe)
	case *parse.IfNode:
		u.branch(name, &n.BranchNode)
	case *parse.RangeNode:
		u.branch(name, &n.BranchNode)
	case *parse.WithNode:
		u.branch(name, &n.BranchNode)
	case *parse.PipeNode:
		if n != nil {
			for _, c := range n.Cmds {
				u.command(name, c)
			}
		}
	}
}

func (u usage) branch(name string, b *parse.BranchNode) {
	u.walk(name, b.Pipe)
	u.walk(name, b.List)
	u.walk(name, b.ElseList)
}

func (u usage) command(name string, c *parse.CommandNode) {
	for i, arg := range c.Args {
		switch arg := arg.(type) {
		case *parse.StringNode:
			u.all[arg.Text] = true
			if f, ok := c.Args[0].(*parse.IdentifierNode); ok && i == 1 && (f.Ident == "t" || f.Ident == "tlink") {
				u.asked[arg.Text] = name
			}
		case *parse.PipeNode:
			u.walk(name, arg)
		}
	}
}

// sources collects the texts of a folder's Go files, tests left out.
func (u usage) sources(t testing.TB, dir string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, ok := literal(n); ok {
					u.all[text] = true
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "T" || s.Sel.Name == "Link") && len(n.Args) > 0 {
					if text, ok := literal(n.Args[0]); ok {
						u.asked[text] = filepath.Base(name)
					}
				}
			}
			return true
		})
	}
}

func literal(n ast.Node) (string, bool) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// Renders renders every page of a part with each of its data, full and empty, in every language, and fails when a
// template does, when the markup is broken, or when a page of the part has no data here. Pages are by their full
// name, "part/name". It returns what was rendered, for tests that look closer.
func Renders(t testing.TB, s *web.Site, part string, pages map[string][]any) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, name := range s.PageNames() {
		if strings.HasPrefix(name, part+"/") && len(pages[name]) < 2 {
			t.Errorf("page %s: give it full and empty data", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		for i, data := range pages[name] {
			for _, lang := range web.Languages {
				h, err := s.Handler(web.Route{Method: "GET", Pattern: "/render-test", Exit: "test", Handler: func(w http.ResponseWriter, r *http.Request) {
					s.Render(w, r, web.Page{Template: name, Title: "T", Data: data})
				}})
				if err != nil {
					t.Fatal(err)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", "/render-test?lang="+lang, nil))
				where := fmt.Sprintf("page %s, data %d, %s", name, i, lang)
				if w.Code != http.StatusOK {
					t.Errorf("%s: answers %d: %s", where, w.Code, failed(s, lang, name, data))
					continue
				}
				for _, fault := range Broken(w.Body.Bytes()) {
					t.Errorf("%s: %s", where, fault)
				}
				out[name] = append(out[name], w.Body.String())
			}
		}
	}
	return out
}

// failed is why a template fails, which no answer tells.
func failed(s *web.Site, lang, name string, data any) string {
	if err := s.Try(lang, name, data); err != nil {
		return err.Error()
	}
	return "not by itself; look at the shell"
}

// Broken finds elements that are not closed or closed twice, and signs of a template gone wrong.
func Broken(page []byte) []string {
	var faults, open []string
	for _, bad := range []string{"<no value>", "ZgotmplZ", "%!", "<nil>", "map["} {
		if bytes.Contains(page, []byte(bad)) {
			faults = append(faults, fmt.Sprintf("it holds %q", bad))
		}
	}
	void := map[string]bool{"meta": true, "link": true, "input": true, "br": true, "hr": true, "img": true}
	z := html.NewTokenizer(bytes.NewReader(page))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		switch token.Type {
		case html.StartTagToken:
			if !void[token.Data] {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				return append(faults, fmt.Sprintf("</%s> closes nothing; open are %v", token.Data, open))
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		faults = append(faults, fmt.Sprintf("not closed: %v", open))
	}
	return faults
}
