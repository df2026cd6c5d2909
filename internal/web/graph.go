package web

import (
	"html/template"
	"math"

	polder "github.com/polder-exchange/polder"
)

// Graph is a picture of things and how they are related. It is drawn by a layered layout of our own: the same graph
// gives the same picture, byte for byte.
type Graph struct {
	Nodes []GraphNode
	Edges []GraphEdge
}

// GraphNode is one thing. Label and Kind are its two lines; Class is one of "self", "threat", "org", "state",
// "hidden", "new" or empty; Href is a path on this site, or empty.
type GraphNode struct{ ID, Label, Kind, Class, Href string }

// GraphEdge is one relation, by the ids of its ends. Class is "new", "weak" or empty.
type GraphEdge struct{ From, To, Label, Class string }

// The bounds of a picture: beyond them nobody reads it, and the work to draw it grows fast (trust.md S37).
const (
	MaxGraphNodes = 60
	MaxGraphEdges = 150
)

// ErrTooLarge says that a graph is beyond the bounds of a picture: show it as a list.
var ErrTooLarge = polder.Errorf(polder.TooLarge, "the graph is above %d nodes or %d edges; show it as a list", MaxGraphNodes, MaxGraphEdges)

var graphClasses = map[string]bool{"self": true, "threat": true, "org": true, "state": true, "hidden": true, "new": true, "weak": true}

// SVG draws g, named label. An edge to a node that is not there is an error; one from a node to itself is left to
// the list. Nothing in g becomes markup, and links leave this site nowhere.
func (g Graph) SVG(name string) (template.HTML, error) {
	if len(g.Nodes) > MaxGraphNodes || len(g.Edges) > MaxGraphEdges {
		return "", ErrTooLarge
	}
	l, err := newLayout(g)
	if err != nil {
		return "", err
	}
	l.run()
	var m markup
	w, h := num(math.Ceil(l.width)), num(math.Ceil(l.height))
	m.open("svg", "class", "graph"+breadth(l.width), "role", "group", "aria-label", name, "width", w, "height", h, "viewBox", "0 0 "+w+" "+h)
	for _, e := range l.edges {
		drawEdge(&m, e)
	}
	for i := range g.Nodes {
		drawNode(&m, g.Nodes[i], l.items[i])
	}
	return m.html(), nil
}

// breadth are the classes by which the style sheet fits a picture into its panel: "wide" may shrink, "far" not without
// end, "vast" not at all.
func breadth(width float64) string {
	switch {
	case width > 1040:
		return " wide far vast"
	case width > 672:
		return " wide far"
	case width > 500:
		return " wide"
	}
	return ""
}

func classed(base, class string) string {
	if graphClasses[class] {
		return base + " " + class
	}
	return base
}

func drawNode(m *markup, n GraphNode, at *item) {
	said := n.Label
	if n.Kind != "" {
		said = n.Kind + " " + n.Label
	}
	m.open("g", "class", classed("node", n.Class))
	if n.Href != "" {
		m.open("a", "href", n.Href, "aria-label", said)
	} else {
		m.open("g", "role", "img", "aria-label", said)
	}
	m.leaf("title", said)
	rect(m, "box", at.x-at.w/2, at.y-at.h/2, at.w, at.h)
	m.close()
	line := at.y - 3
	if n.Kind == "" {
		line = at.y + 4
	}
	label(m, "mid", at.x, line, fit(n.Label, at.w-16, 12.5))
	if n.Kind != "" {
		label(m, "mid", at.x, at.y+11, fit(n.Kind, at.w-16, 11))
	}
	m.close().close()
}

func drawEdge(m *markup, e *route) {
	m.open("g", "class", classed("edge", e.class))
	m.open("path", "d", e.path).close()
	for _, head := range e.heads {
		m.open("polygon", "points", head).close()
	}
	if e.label != "" {
		label(m, "mid", e.labelX, e.labelY, e.label)
	}
	m.close()
}

// NewPicture is the picture of g with its list; without the picture when g is too large.
func NewPicture(g Graph, name string, legend []LegendItem, more ...Link) (Picture, error) {
	p := Picture{Label: name, Legend: legend, More: more}
	svg, err := g.SVG(name)
	if err != nil && err != ErrTooLarge {
		return p, err
	}
	p.SVG = svg
	nodes := make(map[string]Link, len(g.Nodes))
	for _, n := range g.Nodes {
		nodes[n.ID] = Link{n.Label, n.Href}
	}
	for _, e := range g.Edges {
		p.Edges = append(p.Edges, PictureRow{From: nodes[e.From], To: nodes[e.To], Label: e.Label})
	}
	return p, nil
}
