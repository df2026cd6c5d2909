package web

import (
	"html/template"
	"strconv"
	"strings"
)

// This file is the only one that makes template.HTML. What it lets through:
//
//   - elements and attributes that are named below, opened and closed in order;
//   - text and attribute values, always escaped;
//   - addresses on this site, telephone numbers, or https, http and mailto links in what people wrote (Markdown), each checked;
//   - what our own templates have rendered, which html/template has escaped.

// elements that may be made, and whether they are empty (have no end tag).
var elements = map[string]bool{
	"a": false, "b": false, "blockquote": false, "br": true, "button": false, "code": false, "del": false, "details": false, "div": false,
	"em": false, "figure": false, "h2": false, "h3": false, "h4": false, "h5": false, "h6": false, "hr": true, "i": false, "ins": false,
	"kbd": false, "li": false, "mark": false, "ol": false, "p": false, "pre": false, "small": false, "span": false, "strong": false,
	"summary": false, "table": false, "tbody": false, "td": false, "th": false, "thead": false, "time": false, "tr": false, "ul": false,
	"caption": false, "tfoot": false,
	"svg": false, "g": false, "path": false, "rect": false, "polygon": false, "circle": false, "text": false, "title": false, "use": false,
}

// attributes that may be set. None of them runs, styles or fetches; href is checked besides.
var attributes = map[string]bool{
	"aria-hidden": true, "aria-label": true, "aria-labelledby": true, "aria-describedby": true, "class": true, "cx": true, "cy": true,
	"d": true, "data-copy": true, "data-tlp": true, "datetime": true, "height": true, "href": true, "id": true, "points": true,
	"preserveAspectRatio": true, "r": true, "rel": true, "role": true, "rx": true, "scope": true, "start": true, "text-anchor": true,
	"title": true, "transform": true, "type": true, "vector-effect": true, "viewBox": true, "width": true, "x": true,
	"y": true, "fill": true, "tabindex": true,
}

// markup builds markup that is safe by construction. Names come from our own code: one that is not listed above is
// a fault of ours and panics. The zero value is ready to use.
type markup struct {
	b        strings.Builder
	stack    []string
	external bool // whether links may leave this site
}

// open begins an element; attrs are pairs of name and value. An href that may not be followed is left out.
func (m *markup) open(name string, attrs ...string) *markup {
	empty, ok := elements[name]
	if !ok {
		panic("web: markup has no element " + name)
	}
	m.b.WriteByte('<')
	m.b.WriteString(name)
	for i := 0; i+1 < len(attrs); i += 2 {
		m.attr(attrs[i], attrs[i+1])
	}
	m.b.WriteByte('>')
	if !empty {
		m.stack = append(m.stack, name)
	}
	return m
}

func (m *markup) attr(name, value string) {
	if !attributes[name] {
		panic("web: markup has no attribute " + name)
	}
	if name == "href" && !strings.HasPrefix(value, "#") && !sameSite(value) && !callable(value) && !(m.external && followable(value)) {
		return
	}
	m.b.WriteByte(' ')
	m.b.WriteString(name)
	m.b.WriteString(`="`)
	m.b.WriteString(template.HTMLEscapeString(value))
	m.b.WriteByte('"')
}

// text adds s as text.
func (m *markup) text(s string) *markup {
	m.b.WriteString(template.HTMLEscapeString(s))
	return m
}

// add adds what another builder made.
func (m *markup) add(h template.HTML) *markup {
	m.b.WriteString(string(h))
	return m
}

// close ends the element that was opened last.
func (m *markup) close() *markup {
	last := len(m.stack) - 1
	m.b.WriteString("</" + m.stack[last] + ">")
	m.stack = m.stack[:last]
	return m
}

// leaf is an element with text alone.
func (m *markup) leaf(name, text string, attrs ...string) *markup {
	m.open(name, attrs...)
	if !elements[name] {
		m.text(text).close()
	}
	return m
}

// html is what was built, every element closed.
func (m *markup) html() template.HTML {
	for len(m.stack) > 0 {
		m.close()
	}
	return template.HTML(m.b.String())
}

// rendered is what one of our own templates has made: html/template has escaped it.
func rendered(out string) template.HTML { return template.HTML(out) }

// sameSite tells whether a link stays on this site: a path from the root, or a query alone.
func sameSite(link string) bool {
	return strings.HasPrefix(link, "?") && !strings.ContainsAny(link, "\\\r\n\t") || LocalPath(link) == link && link != ""
}

// followable tells whether a person may follow a link that leaves this site.
func followable(link string) bool {
	for _, scheme := range [...]string{"https://", "http://", "mailto:"} {
		if len(link) > len(scheme) && strings.EqualFold(link[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// callable tells whether a link calls a number, and does nothing else.
func callable(link string) bool {
	number, ok := strings.CutPrefix(link, "tel:")
	return ok && len(number) > 2 && len(number) < 20 && strings.Trim(strings.TrimPrefix(number, "+"), "0123456789") == ""
}

// Telephone is a number as people write it, which a telephone calls. What is no number is text.
func Telephone(number string) template.HTML {
	dialled := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, strings.ReplaceAll(number, "(0)", ""))
	var m markup
	if !callable("tel:" + dialled) {
		return m.text(number).html()
	}
	return m.leaf("a", number, "href", "tel:"+dialled).html()
}

// num writes a length of a picture, one decimal at most.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	if s = strings.TrimSuffix(s, ".0"); s == "-0" {
		return "0"
	}
	return s
}
