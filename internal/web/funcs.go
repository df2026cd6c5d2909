package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// funcs are what templates may call. Words are bound to one language; pages are those of that language, for show.
func (s *Site) funcs(words Words, pages map[string]*page) template.FuncMap {
	return template.FuncMap{
		"t":      words.T,
		"tlink":  words.Link,
		"number": func(n any) string { return words.Say(n) },
		"size":   words.Size,
		"span":   words.Span,
		"date":   words.Date,
		"when":   func(t time.Time) template.HTML { return timeElement(t, words.When(t)) },
		"clock":  func(t time.Time) template.HTML { return timeElement(t, words.Clock(t)) },
		"zone":   words.ZoneName,
		"lang":   words.Lang,

		"local": local,

		"icon": Icon,
		"sign": func(class, name string) (template.HTML, error) { return icon(name, "16", class) },
		"tlp":  TLP,
		"tag":  Tag,
		"code": Code,
		"kind": func(icon, text string) (template.HTML, error) {
			h, err := Icon(icon)
			var m markup
			return m.open("span", "class", "kind").add(h).text(text).html(), err
		},
		"defang": Defang,
		"dict":   dict,
		"list":   func(items ...any) []any { return items },

		"gauge":   func(g Gauge) template.HTML { return g.svg() },
		"bars":    func(c Bars) template.HTML { return both(c.svg) },
		"lines":   func(c Lines) template.HTML { return both(c.svg) },
		"columns": func(c Columns) template.HTML { return c.svg(290, "") },
		"shares":  func(c Shares) template.HTML { return both(c.svg) },
		"spark":   func(c Spark) template.HTML { return c.svg() },

		"markdown": Markdown,
		"show": func(name string, data any) (template.HTML, error) {
			out, err := fragment(pages, name, data)
			return rendered(string(out)), err
		},
	}
}

// local is a link of a component: an address on this site as it is, anything else the start page.
func local(link string) string {
	if sameSite(link) {
		return link
	}
	return "/"
}

// dict makes the data of a component from pairs of name and value.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %d values are no pairs; write a name before each value", len(pairs))
	}
	d := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: name %v is a %T; write it in quotes", pairs[i], pairs[i])
		}
		d[name] = pairs[i+1]
	}
	return d, nil
}

// Icon is a sign of the sprite, 16 px. A name that the sprite has not is an error; the empty name is nothing.
func Icon(name string) (template.HTML, error) { return icon(name, "16", "") }

func icon(name, size, class string) (template.HTML, error) {
	if name == "" {
		return "", nil
	}
	if !sprite[name] {
		return "", fmt.Errorf("icon %q is not in templates/sprite.part.html", name)
	}
	var m markup
	attrs := []string{"width", size, "height", size, "aria-hidden", "true"}
	if class != "" {
		attrs = append(attrs, "class", class)
	}
	return m.open("svg", attrs...).open("use", "href", "#i-"+name).html(), nil
}

// TLP is the chip of a marking, in full. None is nothing.
func TLP(level stix.Marking) template.HTML {
	if level == stix.None {
		return ""
	}
	var m markup
	return m.leaf("span", level.Label(), "class", "tlp", "data-tlp", level.String()).html()
}

// Tag is a state in a word with its sign. Class is "ok", "warn", "bad", "info" or empty.
func Tag(class, sign, text string) (template.HTML, error) {
	h, err := icon(sign, "12", "")
	var m markup
	return m.open("span", "class", strings.TrimSpace("tag "+class)).add(h).text(text).html(), err
}

// Code is an id or a value in the type of machines, shortened in the middle above 24 characters. With script a
// button beside it copies the whole.
func Code(value string) template.HTML {
	short := value
	if r := []rune(value); len(r) > 24 {
		short = string(r[:14]) + "…" + string(r[len(r)-6:])
		if kind, rest, ok := strings.Cut(value, "--"); ok && len(rest) == 36 {
			short = kind + "--" + rest[:4] + "…" + rest[32:]
		}
	}
	var m markup
	return m.leaf("code", short, "title", value, "data-copy", value).html()
}

func timeElement(t time.Time, said string) template.HTML {
	var m markup
	if t.IsZero() {
		return m.text(said).html()
	}
	return m.leaf("time", said, "datetime", t.UTC().Format(time.RFC3339)).html()
}
