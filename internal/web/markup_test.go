package web

import (
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// One place makes template.HTML (DESIGN, trust.md S36); html/template's other ways round its escaping are used nowhere.
func TestOnePlaceMakesHTML(t *testing.T) {
	maker := regexp.MustCompile(`template\.(HTML|JS|JSStr|CSS|URL|Srcset|HTMLAttr)\(`)
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if maker.Match(text) && filepath.Base(path) != "markup.go" {
			t.Errorf("%s makes trusted markup; build it with the builder of internal/web/markup.go", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("markup.go")
	if err != nil || !maker.Match(text) {
		t.Fatalf("the test does not find the one place: %v", err)
	}
}

// Our own templates and words must hold nothing that the marking of hidden characters would mark.
func TestOwnTextsHideNothing(t *testing.T) {
	for _, dir := range []string{"templates", "locale"} {
		entries, err := own.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := own.ReadFile(dir + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			if Visible(string(text)) != string(text) {
				t.Errorf("%s/%s hides something", dir, e.Name())
			}
		}
	}
}

// elementsOf parses markup and gives every element and attribute; it fails on what is not on the lists.
func elementsOf(t *testing.T, h template.HTML) (text string, links []string) {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(string(h)), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch n.Type {
		case html.TextNode:
			b.WriteString(n.Data)
		case html.ElementNode:
			if _, ok := elements[n.Data]; !ok {
				t.Errorf("element <%s> came through", n.Data)
			}
			for _, a := range n.Attr {
				if !attributes[a.Key] {
					t.Errorf("attribute %s came through", a.Key)
				}
				if a.Key == "href" {
					links = append(links, a.Val)
				}
			}
		case html.CommentNode, html.DoctypeNode:
			t.Errorf("a comment came through: %q", n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	for _, n := range nodes {
		walk(n)
	}
	return b.String(), links
}

func FuzzMarkup(f *testing.F) {
	for _, s := range []string{"", "plain", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "//evil.example", "/ok?x=1#y", "a&b", "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var m markup
		m.open("p", "title", s, "class", s).open("a", "href", s).text(s).close().text(s)
		text, links := elementsOf(t, m.html())
		for _, to := range links {
			if LocalPath(to) != to && !strings.HasPrefix(to, "?") && !strings.HasPrefix(to, "#") {
				t.Errorf("a link leads to %q", to)
			}
		}
		if want := parsed(s); text != want+want {
			t.Errorf("text %q, want %q twice", text, want)
		}
	})
}

// parsed is what a browser makes of s as text: NUL and broken UTF-8 cannot come through as they are.
func parsed(s string) string {
	nodes, err := html.ParseFragment(strings.NewReader(template.HTMLEscapeString(s)), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil || len(nodes) == 0 {
		return ""
	}
	return nodes[0].Data
}

func TestMarkupRefusesWhatIsNotListed(t *testing.T) {
	for why, build := range map[string]func(m *markup){
		"an element": func(m *markup) { m.open("script") }, "an attribute": func(m *markup) { m.open("p", "onclick", "x") },
		"a style": func(m *markup) { m.open("p", "style", "x") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was made", why)
				}
			}()
			build(&markup{})
		}()
	}
}

func TestMarkdown(t *testing.T) {
	for _, c := range []struct{ why, in, want string }{
		{"a paragraph", "Block *it* **now**", "<p>Block <em>it</em> <strong>now</strong></p>\n"},
		{"headings are below those of the page", "# A\n\n## B", "<h3>A</h3>\n<h4>B</h4>\n"},
		{"a list and code", "- `a<b`", "<ul>\n<li><code>a&lt;b</code></li>\n</ul>\n"},
		{"a link out", "[x](https://example.com/a?b=c)", `<p><a href="https://example.com/a?b=c" rel="noopener noreferrer nofollow">x</a></p>` + "\n"},
		{"a link here", "[x](/objects/1)", `<p><a href="/objects/1" rel="noopener noreferrer nofollow">x</a></p>` + "\n"},
		{"a script as link", "[x](javascript:alert(1))", `<p><a>x</a></p>` + "\n"},
		{"a script as link, hidden", "[x](&#106;avascript:alert(1))", `<p><a>x</a></p>` + "\n"},
		{"data as link", "[x](data:text/html,hi)", `<p><a>x</a></p>` + "\n"},
		{"another host without scheme", "[x](//evil.example)", `<p><a>x</a></p>` + "\n"},
		{"a picture is its words", "![a cat](https://evil.example/c.png)", "<p><em>a cat</em></p>\n"},
		{"raw HTML is dropped", "a <b onclick=x>b</b> <script>alert(1)</script>", "<p>a b alert(1)</p>\n"},
		{"a block of HTML is dropped", "<div><script>alert(1)</script></div>\n\nafter", "\n<p>after</p>\n"},
		{"a table", "|a|\n|-|\n|b|", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>\n"},
		{"nothing", "", ""},
	} {
		if got := string(Markdown(c.in)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}

// What would take long is shown as it was written; what is just within the bounds is quick.
func TestMarkdownIsBounded(t *testing.T) {
	for why, c := range map[string]struct {
		text string
		pre  bool
	}{
		"links in each other":     {strings.Repeat("[a](", 1001), true},
		"just few enough":         {strings.Repeat("[a](", 1000), false},
		"deep quotes":             {strings.Repeat("> ", 5000) + "x", true},
		"deep quotes, tight":      {strings.Repeat(">", 5000) + "x", true},
		"deep lists":              {strings.Repeat("- ", 5000) + "x", true},
		"lists of lists in lists": {strings.Repeat("- ", 20) + "x", false},
		"a table of nothing":      {"|" + strings.Repeat("a|", 1000) + "\n|" + strings.Repeat("-|", 1000) + "\n" + strings.Repeat("|\n", 1000), true},
		"a long text":             {strings.Repeat("words ", 20000), true},
		"emphasis":                {strings.Repeat("*a**b", 12000), false},
	} {
		began := time.Now()
		got := Markdown(c.text)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: took %v", why, took)
		}
		if pre := strings.HasPrefix(string(got), "<pre>"); pre != c.pre {
			t.Errorf("%s: as written %v, want %v", why, pre, c.pre)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"# a\n\n*b* [c](d)", "<script>", "[x](javascript:y)", "```\ncode\n```", "|a|b|\n|-|-|\n|1|2|", "<!-- c -->", "&#0;", strings.Repeat("> ", 300) + "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		began := time.Now()
		out := Markdown(s)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%d bytes took %v", len(s), took)
		}
		_, links := elementsOf(t, out)
		for _, to := range links {
			if !sameSite(to) && !followable(to) && !strings.HasPrefix(to, "#") {
				t.Errorf("a link leads to %q", to)
			}
		}
	})
}

func TestVisible(t *testing.T) {
	for _, c := range []struct{ why, in, want string }{
		{"plain", "Meridiaan Lithografie, 12 µm", "Meridiaan Lithografie, 12 µm"},
		{"other scripts are text", "Северный вакуум 北方真空 オプティック", "Северный вакуум 北方真空 オプティック"},
		{"accents, also combined", "Zoë, Zoe\u0308 – “x” · €", "Zoë, Zoe\u0308 – “x” · €"},
		{"units", "5 μm, 3 kΩ", "5 μm, 3 kΩ"},
		{"reading direction", "invoice\u202egnp.exe", "invoice⟦U+202E⟧gnp.exe"},
		{"isolates", "\u2066a\u2069", "⟦U+2066⟧a⟦U+2069⟧"},
		{"zero width", "pay\u200bpal\ufeff", "pay⟦U+200B⟧pal⟦U+FEFF⟧"},
		{"soft hyphen", "pay\u00adpal", "pay⟦U+00AD⟧pal"},
		{"escape and NUL", "a\x1b[31mb\x00", "a⟦U+001B⟧[31mb⟦U+0000⟧"},
		{"C1", "a\u009bb", "a⟦U+009B⟧b"},
		{"lines and tabs stay", "a\n\tb\r\n", "a\n\tb\r\n"},
		{"line separator", "a\u2028b", "a⟦U+2028⟧b"},
		{"tags nobody sees", "a\U000e0041", "a⟦U+E0041⟧"},
		{"mixed scripts", "paypаl x", "paypаl⟦Cyrillic+Latin⟧ x"},
		{"mixed scripts at the end", "Аcme", "Аcme⟦Cyrillic+Latin⟧"},
		{"Greek in Latin", "αcme", "αcme⟦Greek+Latin⟧"},
		{"two words, one script each", "Acme Северный", "Acme Северный"},
	} {
		if got := Visible(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}

func TestShown(t *testing.T) {
	in := "<p title=\"a\u202eb\" data-copy=\"a\u202eb\">x\u200b</p><input value=\"a\u200b\" aria-label='é'><textarea>\u200b<b></textarea><i>\u200b</i>"
	want := "<p title=\"a⟦U+202E⟧b\" data-copy=\"a\u202eb\">x⟦U+200B⟧</p><input value=\"a\u200b\" aria-label='é'><textarea>\u200b<b></textarea><i>⟦U+200B⟧</i>"
	if got := string(shown([]byte(in))); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if plain := []byte("<p>a</p>"); &shown(plain)[0] != &plain[0] {
		t.Error("a plain page is copied")
	}
}

func FuzzShown(f *testing.F) {
	for _, s := range []string{"<p>a\u202e</p>", "<", "<a href=\"", "<textarea>\u200b", "é<b title=\"\u200b\">"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := shown([]byte(s))
		if again := shown(once); string(again) != string(once) && !strings.Contains(s, "⟦") && !mixed(s) {
			t.Errorf("a second pass changes %q to %q", once, again)
		}
	})
}

// mixed tells whether s holds letters of scripts that are marked by name: a second pass marks them again.
func mixed(s string) bool { return strings.Contains(Visible(s), "+") && Visible(s) != s }
