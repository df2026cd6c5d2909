package web

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// written is what goldmark makes of Markdown: tables, struck text and bare links beside the common ones; raw HTML
// is dropped by it, and by rebuild.
var written = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify))

// tame tells whether text is within the bounds of what people write. Beyond them Markdown takes time that grows with
// the square of the text: many links in each other, deep quotes and lists, tables of many empty cells.
func tame(text string) bool {
	if len(text) > 64<<10 || strings.Count(text, "[") > 1000 {
		return false
	}
	lines, widest := 0, 0
	for line := range strings.Lines(text) {
		lines++
		widest = max(widest, strings.Count(line, "|"))
		start := line[:len(line)-len(strings.TrimLeft(line, "> \t-+*0123456789.)"))]
		if strings.Count(start, " ")-strings.Count(start, "  ") > 24 || strings.Count(start, ">") > 24 || len(start) > 200 {
			return false
		}
	}
	return widest*lines < 20000
}

// Markdown renders what a person wrote. Raw HTML, pictures, scripts, styles and ids do not come through: the result
// is rebuilt from a short list of elements. Links lead to this site, or to http, https and mailto, and carry
// rel="noopener noreferrer nofollow". Headings begin at the third level, below those of the page. A text that is
// beyond what people write is shown as it was written.
func Markdown(text string) template.HTML {
	var m markup
	if !tame(text) {
		return m.leaf("pre", text).html()
	}
	var out bytes.Buffer
	if err := written.Convert([]byte(text), &out); err != nil {
		return m.leaf("pre", text).html()
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(&out, root)
	if err != nil {
		return m.leaf("pre", text).html()
	}
	m.external = true
	for _, n := range nodes {
		rebuild(&m, n, 0)
	}
	return m.html()
}

// markdownElements are those that come through, and what they become.
var markdownElements = map[string]string{
	"p": "p", "h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6", "ul": "ul", "ol": "ol", "li": "li", "em": "em",
	"strong": "strong", "del": "del", "code": "code", "pre": "pre", "blockquote": "blockquote", "hr": "hr", "br": "br", "a": "a",
	"table": "table", "thead": "thead", "tbody": "tbody", "tr": "tr", "th": "th", "td": "td",
}

func rebuild(m *markup, n *html.Node, depth int) {
	if n.Type == html.TextNode {
		m.text(n.Data)
		return
	}
	name, ok := markdownElements[n.Data]
	if n.Type != html.ElementNode || depth > 100 {
		return
	}
	if ok {
		m.open(name, linkAttributes(n)...)
	}
	switch n.Data {
	case "script", "style", "iframe", "object", "template", "noscript", "svg", "math", "img":
		if alt := attribute(n, "alt"); n.Data == "img" && alt != "" {
			m.leaf("em", alt)
		}
		return
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		rebuild(m, c, depth+1)
	}
	if ok && !elements[name] {
		m.close()
	}
}

func linkAttributes(n *html.Node) []string {
	href := strings.TrimSpace(attribute(n, "href"))
	if n.Data != "a" || !sameSite(href) && !followable(href) {
		return nil
	}
	return []string{"href", href, "rel", "noopener noreferrer nofollow"}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Namespace == "" && a.Key == name {
			return a.Val
		}
	}
	return ""
}
