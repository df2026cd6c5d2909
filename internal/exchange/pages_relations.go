package exchange

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// picture draws what stands one step from the object.
func (p *Pages) picture(sh *sheet) (web.Picture, error) {
	d := drawing{rd: sh.rd, self: sh.now.ID, known: map[string]shown{}, drawn: map[string]bool{}}
	for _, s := range sh.refs {
		d.known[s.ID] = s
	}
	var ends []string
	for _, s := range sh.refers {
		d.known[s.ID] = s
		if s.Type() == "relationship" {
			ends = append(ends, s.o.SourceRef, s.o.TargetRef)
		}
	}
	titles, err := p.titles(sh.rd, ends)
	if err != nil {
		return web.Picture{}, err
	}
	d.titles = titles
	d.node(sh.now.ID, sh.now.Title, sh.rd.words.T("exchange.graph.self", "type", sh.rd.kind(sh.now.Type())), "self", "")
	for _, s := range sh.refs {
		d.other(s.ID)
	}
	for _, ref := range sh.now.o.Refs() {
		if d.drawn[ref.ID] && ref.ID != d.self && ref.Property != "created_by_ref" {
			d.edge(d.self, ref.ID, refWord(ref.Property), "")
		}
	}
	for _, s := range sh.refers {
		d.refers(s)
	}
	words := sh.rd.words
	return web.NewPicture(d.graph, words.T("exchange.graph.of", "what", sh.now.Title), []web.LegendItem{{Class: "self", Text: words.T("exchange.graph.this")},
		{Class: "threat", Text: words.T("exchange.graph.threat")}, {Class: "org", Text: words.T("exchange.graph.org")}, {Class: "plain", Text: words.T("exchange.graph.rest")}})
}

// drawing collects nodes and edges, each once.
type drawing struct {
	rd     *reader
	self   string
	known  map[string]shown
	titles map[string]stix.Object
	drawn  map[string]bool
	graph  web.Graph
}

func (d *drawing) node(id, label, kind, class, href string) {
	if !d.drawn[id] {
		d.drawn[id] = true
		d.graph.Nodes = append(d.graph.Nodes, web.GraphNode{ID: id, Label: label, Kind: kind, Class: class, Href: href})
	}
}

func (d *drawing) edge(from, to, label, class string) {
	d.graph.Edges = append(d.graph.Edges, web.GraphEdge{From: from, To: to, Label: label, Class: class})
}

// other draws an object by id. What is not in sight has no address.
func (d *drawing) other(id string) {
	typ := stix.TypeOf(id)
	if s, ok := d.known[id]; ok {
		d.node(id, s.Title, d.rd.kind(typ), class(typ), link(id))
		return
	}
	if o, ok := d.titles[id]; ok {
		d.node(id, d.rd.title(id, o, nil), d.rd.kind(typ), class(typ), link(id))
		return
	}
	d.node(id, d.rd.words.T("exchange.not-here", "type", d.rd.kind(typ)), "", "hidden", "")
}

// refers draws what refers to the object: a relationship as an edge, everything else as a node.
func (d *drawing) refers(s shown) {
	if s.Type() == "relationship" && (s.o.SourceRef == d.self || s.o.TargetRef == d.self) {
		d.other(s.o.SourceRef)
		d.other(s.o.TargetRef)
		d.edge(s.o.SourceRef, s.o.TargetRef, strings.ReplaceAll(s.o.RelationshipType, "-", " "), "")
		return
	}
	for _, ref := range s.o.Refs() {
		if ref.ID == d.self {
			label, kind := s.Title, d.rd.kind(s.Type())
			if said := d.rd.says(s.o); said != "" {
				label, kind = said, kind+" · "+s.By
			}
			d.node(s.ID, label, kind, class(s.Type()), link(s.ID))
			d.edge(s.ID, d.self, refWord(ref.Property), "")
			return
		}
	}
}

// says is what an answer says of the object that it is about; "" for everything else.
func (rd *reader) says(o stix.Object) string {
	switch o.Type {
	case "sighting":
		return rd.words.T("exchange.seen.times", "n", max(1, number(o, "count")))
	case "opinion":
		if value := text(o, "opinion"); slices.Contains(opinionValues, value) {
			return rd.words.T("exchange.opinion." + value)
		}
	case "note":
		return muzzled(title(o))
	}
	return ""
}

// class is the colour of a type in a picture.
func class(typ string) string {
	switch typ {
	case "malware", "intrusion-set", "threat-actor", "campaign", "infrastructure":
		return "threat"
	case "identity", "location":
		return "org"
	}
	return ""
}

// refWord is the name of a property that refers, as the word on an edge.
func refWord(name string) string {
	name, _, _ = strings.Cut(name, "[")
	for _, end := range []string{"_refs", "_ref"} {
		name = strings.TrimSuffix(name, end)
	}
	if name == "object" {
		return ""
	}
	return strings.ReplaceAll(name, "_", " ")
}

// saying is a row of "said": what somebody said of the object.
type saying struct {
	Href, Title, By, Text string
	At                    time.Time
	TLP                   stix.Marking
}

// answers are the sightings, opinions and notes about the object.
func (p *Pages) answers(sh *sheet) (blocks []web.Block) {
	words := sh.rd.words
	rows := map[string][]saying{}
	for _, s := range sh.refers {
		row := saying{Href: link(s.ID), By: s.By, At: s.Seq.Time(), TLP: s.Level, Text: clip(s.o.Description, 300)}
		switch s.Type() {
		case "sighting":
			row.Title = seen(words, s.o)
		case "opinion":
			row.Title, row.Text = words.T("exchange.opinion."+text(s.o, "opinion")), clip(text(s.o, "explanation"), 300)
		case "note":
			row.Title, row.Text = muzzled(title(s.o)), clip(text(s.o, "content"), 300)
		default:
			continue
		}
		rows[s.Type()] = append(rows[s.Type()], row)
	}
	for _, typ := range []string{"sighting", "opinion", "note"} {
		if n := len(rows[typ]); n > 0 {
			blocks = append(blocks, block(words.T("exchange.said."+typ), words.T("exchange.said.count", "n", n), "said", rows[typ]))
		}
	}
	return blocks
}

// seen says when and how often something was seen.
func seen(words web.Words, o stix.Object) string {
	var n int64
	if json.Unmarshal(o.Property("count"), &n) != nil || n < 1 {
		n = 1
	}
	first, err := stix.ParseTimestamp(text(o, "first_seen"))
	last, err2 := stix.ParseTimestamp(text(o, "last_seen"))
	switch {
	case err == nil && err2 == nil:
		return words.T("exchange.seen.between", "n", n, "first", first.Time, "last", last.Time)
	case err == nil:
		return words.T("exchange.seen.from", "n", n, "first", first.Time)
	case err2 == nil:
		return words.T("exchange.seen.from", "n", n, "first", last.Time)
	}
	return words.T("exchange.seen.times", "n", n)
}
