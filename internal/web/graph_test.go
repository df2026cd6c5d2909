package web

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGraphGolden(t *testing.T) {
	long := Graph{Nodes: []GraphNode{{ID: "a", Label: "A"}, {ID: "b", Label: "B"}, {ID: "c", Label: "C"}, {ID: "d", Label: "D", Href: "/d"}},
		Edges: []GraphEdge{{"a", "b", "x", ""}, {"b", "c", "x", ""}, {"c", "d", "x", ""}, {"a", "d", "far", "weak"}, {"d", "a", "back", ""}, {"b", "b", "itself", ""}}}
	star := Graph{Nodes: []GraphNode{{ID: "hub", Label: "Hub", Class: "self"}}}
	for i := range 9 {
		id := strconv.Itoa(i)
		star.Nodes = append(star.Nodes, GraphNode{ID: id, Label: "Leaf " + id, Kind: "address"})
		star.Edges = append(star.Edges, GraphEdge{"hub", id, "resolves to", ""})
	}
	for name, g := range map[string]Graph{"specimen": specimenGraph(), "long": long, "star": star, "empty": {}, "alone": {Nodes: []GraphNode{{ID: "x", Label: "X"}}}} {
		svg, err := g.SVG("Relations")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "graph-"+name+".svg", []byte(strings.ReplaceAll(string(svg), "><", ">\n<")+"\n"))
	}
}

func TestGraphBounds(t *testing.T) {
	many := Graph{}
	for i := range MaxGraphNodes + 1 {
		many.Nodes = append(many.Nodes, GraphNode{ID: strconv.Itoa(i)})
	}
	if _, err := many.SVG("x"); err != ErrTooLarge {
		t.Errorf("%d nodes: %v", len(many.Nodes), err)
	}
	dense := Graph{Nodes: many.Nodes[:20]}
	for i := range MaxGraphEdges + 1 {
		dense.Edges = append(dense.Edges, GraphEdge{From: strconv.Itoa(i % 20), To: strconv.Itoa(i * 7 % 20)})
	}
	if _, err := dense.SVG("x"); err != ErrTooLarge {
		t.Errorf("%d edges: %v", len(dense.Edges), err)
	}
	p, err := NewPicture(dense, "x", nil)
	if err != nil || p.SVG != "" || len(p.Edges) != len(dense.Edges) {
		t.Errorf("the list is not shown: %v", err)
	}
	for why, g := range map[string]Graph{"an edge to nowhere": {Nodes: many.Nodes[:1], Edges: []GraphEdge{{From: "0", To: "zz"}}},
		"a node twice": {Nodes: []GraphNode{{ID: "a"}, {ID: "a"}}}} {
		if _, err := g.SVG("x"); err == nil {
			t.Errorf("%s: drawn", why)
		}
	}
}

// S36: what is in a graph becomes text, and links stay on this site.
func TestS36GraphIsText(t *testing.T) {
	for _, s := range []string{`x"]; evil [URL="javascript:alert(1)"`, `<script>alert(1)</script>`, `\N\G\l`, `{a|b}`, `</svg><img src=x onerror=alert(1)>`, `</title><script>`, "javascript:alert(1)", "https://evil.example", "//evil.example"} {
		g := Graph{Nodes: []GraphNode{{ID: "a", Label: s, Kind: s, Class: s, Href: s}, {ID: s, Label: "b"}}, Edges: []GraphEdge{{"a", s, s, s}}}
		svg, err := g.SVG(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, links := elementsOf(t, svg); len(links) > 0 {
			t.Errorf("%q became a link: %v", s, links)
		}
	}
}

func randomGraph(t *rapid.T) Graph {
	var g Graph
	n := rapid.IntRange(0, 25).Draw(t, "nodes")
	for i := range n {
		g.Nodes = append(g.Nodes, GraphNode{ID: strconv.Itoa(i), Label: rapid.StringN(0, 30, 60).Draw(t, "label"), Kind: "kind"})
	}
	for range rapid.IntRange(0, 3*n).Draw(t, "edges") {
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		g.Edges = append(g.Edges, GraphEdge{From: strconv.Itoa(from), To: strconv.Itoa(to), Label: "is"})
	}
	return g
}

// The laws of a layout: the same every time; no two nodes meet; edges go from a layer to a later one; all is inside.
func TestLayoutLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := randomGraph(t)
		l, err := newLayout(g)
		if err != nil {
			t.Fatal(err)
		}
		l.run()
		for i, a := range l.items {
			if a.x-a.w/2 < 0 || a.y-a.h/2 < 0 || a.x+a.w/2 > l.width || a.y+a.h/2 > l.height {
				t.Fatalf("item %d is outside: %+v", i, *a)
			}
			for j, b := range l.items[:i] {
				if !a.bend && !b.bend && a.x-a.w/2 < b.x+b.w/2-0.01 && b.x-b.w/2 < a.x+a.w/2-0.01 && a.y-a.h/2 < b.y+b.h/2-0.01 && b.y-b.h/2 < a.y+a.h/2-0.01 {
					t.Fatalf("nodes %d and %d meet", i, j)
				}
			}
		}
		for _, w := range l.wires {
			for i, it := range w.through[1:] {
				if it.layer != w.through[i].layer+1 {
					t.Fatalf("a wire jumps from layer %d to %d", w.through[i].layer, it.layer)
				}
			}
		}
		one, _ := g.SVG("x")
		two, _ := g.SVG("x")
		if one != two {
			t.Fatal("the same graph gives two pictures")
		}
	})
}

// A graph at the bounds is drawn in well under a second, whatever its shape (S37).
func TestS37LayoutIsQuick(t *testing.T) {
	shapes := map[string]func(i int, r *rand.Rand) (int, int){
		"random":    func(_ int, r *rand.Rand) (int, int) { return r.IntN(MaxGraphNodes), r.IntN(MaxGraphNodes) },
		"long path": func(i int, r *rand.Rand) (int, int) { return i % (MaxGraphNodes - 1), i%(MaxGraphNodes-1) + 1 },
		"path and far edges": func(i int, r *rand.Rand) (int, int) {
			if i < MaxGraphNodes-1 {
				return i, i + 1
			}
			return i % 10, MaxGraphNodes - 1 - i%11
		},
		"star": func(i int, _ *rand.Rand) (int, int) { return 0, 1 + i%(MaxGraphNodes-1) },
		"two sides": func(i int, r *rand.Rand) (int, int) {
			return r.IntN(MaxGraphNodes / 2), MaxGraphNodes/2 + r.IntN(MaxGraphNodes/2)
		},
	}
	for name, edge := range shapes {
		r := rand.New(rand.NewPCG(1, 2))
		var g Graph
		for i := range MaxGraphNodes {
			g.Nodes = append(g.Nodes, GraphNode{ID: strconv.Itoa(i), Label: "Node " + strconv.Itoa(i), Kind: "thing"})
		}
		for i := range MaxGraphEdges {
			from, to := edge(i, r)
			g.Edges = append(g.Edges, GraphEdge{From: strconv.Itoa(from), To: strconv.Itoa(to), Label: "uses"})
		}
		began := time.Now()
		if _, err := g.SVG("x"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func BenchmarkGraph(b *testing.B) {
	g := specimenGraph()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.SVG("x"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCharts(t *testing.T) {
	number := regexp.MustCompile(`(?:NaN|Inf|-\d)`)
	draw := map[string]func(width float64, class string) string{
		"bars": func(w float64, c string) string {
			return string(Bars{"x", []Bar{{"<b>", 3, "3"}, {"y", 0, "0"}}}.svg(w, c))
		},
		"lines": func(w float64, c string) string {
			return string(Lines{Label: "x", Lines: []Line{{"a", []float64{0, 5, 1e6}, "5"}}, Limit: 3}.svg(w, c))
		},
		"shares": func(w float64, c string) string {
			return string(Shares{Label: "x", Items: []Bar{{"a", 1, ""}, {"b", 2, ""}}, Mark: 0}.svg(w, c))
		},
		"columns": func(w float64, c string) string {
			return string(Columns{Label: "x", Items: []Bar{{"a", 1, ""}, {"b", 0, "0"}}}.svg(w, c))
		},
		"nothing": func(w float64, c string) string {
			return string(Bars{}.svg(w, c)) + string(Lines{}.svg(w, c)) + string(Shares{}.svg(w, c)) + string(Columns{}.svg(w, c)) + string(Spark{}.svg()) + string(Gauge{}.svg())
		},
		"zeros": func(w float64, c string) string {
			return string(Spark{"x", []float64{0, 0}}.svg()) + string(Lines{Lines: []Line{{"a", []float64{0}, ""}}}.svg(w, c)) + string(Shares{Items: []Bar{{"a", 0, ""}}}.svg(w, c))
		},
	}
	for name, d := range draw {
		for _, width := range []float64{wide, narrow} {
			out := strings.ReplaceAll(strings.ReplaceAll(d(width, "c"), "v-3", ""), "v-6", "")
			if found := number.FindString(out); found != "" {
				t.Errorf("%s at %v holds %s: %s", name, width, found, out)
			}
			if strings.Contains(out, "<b>") {
				t.Errorf("%s: data became markup", name)
			}
		}
	}
	if got := string(Gauge{Label: "half", Level: 2, Mark: 0.5}.svg()); !strings.Contains(got, `width="200" height="9"`) || !strings.Contains(got, "M100 -1") {
		t.Errorf("gauge: %s", got)
	}
	if out := string(both(Bars{"x", []Bar{{"a", 1, ""}}}.svg)); strings.Count(out, "<svg") != 2 || !strings.Contains(out, "wide-only") || !strings.Contains(out, "narrow-only") {
		t.Error("a chart is not drawn for both widths")
	}
}

func TestNiceStep(t *testing.T) {
	for high, want := range map[float64]float64{0: 1, 3: 1, 5: 1, 52: 20, 100: 20, 49: 10, 1e6: 200000} {
		if got := niceStep(high); got != want {
			t.Errorf("niceStep(%v) = %v, want %v", high, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	if got := fit("short", 100, 12); got != "short" {
		t.Error(got)
	}
	long := fit("a very long name of a firm", 80, 12)
	if !strings.HasSuffix(long, "…") || textWidth(long, 12) > 92 {
		t.Errorf("%q is %v wide", long, textWidth(long, 12))
	}
	if got := fit(strings.Repeat("é", 500), 50, 12); slices.Contains([]rune(got), '\uFFFD') {
		t.Error("cut inside a letter")
	}
}
