package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	polder "github.com/polder-exchange/polder"
)

// This file lays a graph out in layers: edges run from one layer to a later one, a cycle is cut where it closes,
// an edge over several layers goes through an invisible item in each. Layers are ordered by barycentres, the order
// with the fewest crossings kept; then every item moves as near to its neighbours as its own neighbours in the layer
// let it. Layers are rows when they are short and columns when one is long. No step depends on maps or on chance.

// item is a node, or one bend of a long edge.
type item struct {
	layer        int
	at           int     // place in the layer
	pos          float64 // centre along the layer
	size         float64 // along the layer
	x, y, w, h   float64
	before, next []*item // neighbours in the layer before and after
	bend         bool
}

// wire is a laid-out edge: the items it passes, from the upper layer to the lower.
type wire struct {
	through    []*item
	down, up   bool // an arrow at the lower end, at the upper end
	label      string
	class      string
	start, end float64 // where it leaves and arrives, along the layer, from the centre of the node
}

// route is a drawn edge.
type route struct {
	path           string
	heads          []string
	label, class   string
	labelX, labelY float64
}

type layout struct {
	items         []*item // nodes first, in the order of the graph
	wires         []*wire
	edges         []*route
	layers        [][]*item
	columns       bool // layers stand
	depth         []float64
	width, height float64
}

const (
	nodeHeight = 40.0
	nodeGap    = 22.0
	bendSize   = 10.0
	labelSize  = 11.0
	border     = 8.0
	longLayer  = 680.0 // when a layer is longer than this as a row, layers stand
)

func newLayout(g Graph) (*layout, error) {
	l := &layout{}
	index := make(map[string]int, len(g.Nodes))
	for i, n := range g.Nodes {
		if _, twice := index[n.ID]; twice {
			return nil, polder.Errorf(polder.Invalid, "graph: node %q is there twice", n.ID)
		}
		index[n.ID] = i
		w := max(textWidth(n.Label, 13), textWidth(n.Kind, 11)) + 26
		l.items = append(l.items, &item{w: min(220, max(96, w)), h: nodeHeight})
	}
	ends := make([][2]int, 0, len(g.Edges))
	for _, e := range g.Edges {
		from, ok := index[e.From]
		to, ok2 := index[e.To]
		if !ok || !ok2 {
			return nil, polder.Errorf(polder.Invalid, "graph: edge from %q to %q has no such node", e.From, e.To)
		}
		ends = append(ends, [2]int{from, to})
	}
	back := cut(len(g.Nodes), ends)
	l.wire(g, ends, back)
	return l, nil
}

// cut finds the edges that close a cycle, by a walk in the order of the nodes.
func cut(nodes int, ends [][2]int) []bool {
	out := make([][]int, nodes)
	for e, end := range ends {
		out[end[0]] = append(out[end[0]], e)
	}
	back := make([]bool, len(ends))
	state := make([]uint8, nodes) // 1: above us on the walk, 2: done
	var walk func(n int)
	walk = func(n int) {
		state[n] = 1
		for _, e := range out[n] {
			switch to := ends[e][1]; state[to] {
			case 0:
				walk(to)
			case 1:
				back[e] = true
			}
		}
		state[n] = 2
	}
	for n := range nodes {
		if state[n] == 0 {
			walk(n)
		}
	}
	return back
}

// wire makes one wire of all edges between two nodes, whichever way they go.
func (l *layout) wire(g Graph, ends [][2]int, back []bool) {
	between := map[[2]int]*wire{}
	for e, end := range ends {
		if end[0] == end[1] {
			continue
		}
		key, down := end, true
		if back[e] {
			key, down = [2]int{end[1], end[0]}, false
		}
		w := between[key]
		if w == nil {
			w = &wire{through: []*item{l.items[key[0]], l.items[key[1]]}, class: g.Edges[e].Class}
			between[key] = w
			l.wires = append(l.wires, w)
		}
		w.down, w.up = w.down || down, w.up || !down
		if text := g.Edges[e].Label; text != "" && !slices.Contains(strings.Split(w.label, ", "), text) {
			w.label = strings.TrimPrefix(w.label+", "+text, ", ")
		}
	}
}

func (l *layout) run() {
	l.rank()
	l.bends()
	l.order()
	l.turn()
	l.place()
	l.draw()
}

// rank gives every node the longest way from a source as its layer, then moves sources down to what they lead to.
func (l *layout) rank() {
	for range l.items { // at most one round per layer
		moved := false
		for _, w := range l.wires {
			if from, to := w.through[0], w.through[1]; to.layer <= from.layer {
				to.layer, moved = from.layer+1, true
			}
		}
		if !moved {
			break
		}
	}
	first := make(map[*item]int, len(l.items))
	fed := make(map[*item]bool, len(l.items))
	for _, w := range l.wires {
		from, to := w.through[0], w.through[1]
		if at, seen := first[from]; !seen || to.layer < at {
			first[from] = to.layer
		}
		fed[to] = true
	}
	for _, n := range l.items {
		if at, leads := first[n]; leads && !fed[n] {
			n.layer = at - 1
		}
	}
}

// bends puts an item in every layer that a wire passes, and fills the layers.
func (l *layout) bends() {
	for _, w := range l.wires {
		from, to := w.through[0], w.through[1]
		w.through = []*item{from}
		for layer := from.layer + 1; layer < to.layer; layer++ {
			b := &item{layer: layer, w: bendSize, h: bendSize, bend: true}
			l.items = append(l.items, b)
			w.through = append(w.through, b)
		}
		w.through = append(w.through, to)
		for i, it := range w.through[1:] {
			it.before = append(it.before, w.through[i])
			w.through[i].next = append(w.through[i].next, it)
		}
	}
	deepest := -1
	for _, it := range l.items {
		deepest = max(deepest, it.layer)
	}
	l.layers = make([][]*item, deepest+1)
	seen := make(map[*item]bool, len(l.items))
	var add func(it *item)
	add = func(it *item) { // what hangs together begins beside each other
		if seen[it] {
			return
		}
		seen[it] = true
		it.at = len(l.layers[it.layer])
		l.layers[it.layer] = append(l.layers[it.layer], it)
		for _, n := range it.next {
			add(n)
		}
		for _, n := range it.before {
			add(n)
		}
	}
	for _, it := range l.items {
		add(it)
	}
}

// order sweeps down and up, each layer sorted by the mean place of its neighbours, and keeps the best order seen.
func (l *layout) order() {
	best, fewest := l.snapshot(), l.crossings()
	for sweep := 0; sweep < 16 && fewest > 0; sweep++ {
		for i := range l.layers {
			if sweep%2 == 0 {
				sortLayer(l.layers[i], func(it *item) []*item { return it.before })
			} else {
				sortLayer(l.layers[len(l.layers)-1-i], func(it *item) []*item { return it.next })
			}
		}
		if c := l.crossings(); c < fewest {
			best, fewest = l.snapshot(), c
		}
	}
	l.layers = best
	for _, layer := range l.layers {
		for i, it := range layer {
			it.at = i
		}
	}
}

func (l *layout) snapshot() [][]*item {
	copied := make([][]*item, len(l.layers))
	for i := range l.layers {
		copied[i] = slices.Clone(l.layers[i])
	}
	return copied
}

func sortLayer(layer []*item, near func(*item) []*item) {
	key := make(map[*item]float64, len(layer))
	for _, it := range layer {
		key[it] = float64(it.at)
		if n := near(it); len(n) > 0 {
			sum := 0.0
			for _, other := range n {
				sum += float64(other.at)
			}
			key[it] = sum / float64(len(n))
		}
	}
	slices.SortStableFunc(layer, func(a, b *item) int { return cmp.Compare(key[a], key[b]) })
	for i, it := range layer {
		it.at = i
	}
}

// crossings counts the pairs of wires that cross between two layers.
func (l *layout) crossings() int {
	n := 0
	for _, layer := range l.layers {
		var ends []int // lower ends, in the order of the upper ones
		for _, it := range layer {
			from := len(ends)
			for _, to := range it.next {
				ends = append(ends, to.at)
			}
			slices.Sort(ends[from:])
		}
		for i, a := range ends {
			for _, b := range ends[i+1:] {
				if a > b {
					n++
				}
			}
		}
	}
	return n
}

// turn decides whether layers lie or stand, and measures the items and the gaps between layers.
func (l *layout) turn() {
	longest := 0.0
	for _, layer := range l.layers {
		length := 0.0
		for _, it := range layer {
			length += it.w + nodeGap
		}
		longest = max(longest, length)
	}
	l.columns = longest > longLayer
	labels := 0.0
	for _, w := range l.wires {
		w.label = fit(w.label, 130, labelSize)
		labels = max(labels, textWidth(w.label, labelSize))
	}
	for _, it := range l.items {
		it.size = it.w
		if l.columns {
			it.size = it.h
		}
	}
	edge := border
	for _, layer := range l.layers {
		thick := nodeHeight
		if l.columns {
			thick = 0
			for _, it := range layer {
				thick = max(thick, it.w)
			}
		}
		l.depth = append(l.depth, edge+thick/2)
		edge += thick + 46
		if l.columns {
			edge += max(0, labels-10)
		}
	}
}

// place sets every item along its layer: packed first, then sixteen sweeps towards the neighbours.
func (l *layout) place() {
	for _, layer := range l.layers {
		at := 0.0
		for _, it := range layer {
			it.pos = at + it.size/2
			at += it.size + nodeGap
		}
	}
	for sweep := range 16 {
		for i := range l.layers {
			layer := l.layers[i]
			if sweep%2 == 1 {
				layer = l.layers[len(l.layers)-1-i]
			}
			settle(layer, sweep)
		}
	}
	l.close()
	for _, it := range l.items {
		along, across := it.pos+border, l.depth[it.layer]
		it.x, it.y = along, across
		if l.columns {
			it.x, it.y = across, along
		}
		l.width, l.height = max(l.width, it.x+it.w/2+border), max(l.height, it.y+it.h/2+border)
	}
}

// close moves everything to begin at 0, and takes out the bands that no item of any layer stands in.
func (l *layout) close() {
	sorted := slices.Clone(l.items)
	slices.SortStableFunc(sorted, func(a, b *item) int { return cmp.Compare(a.pos-a.size/2, b.pos-b.size/2) })
	end, shift := math.Inf(-1), 0.0
	for _, it := range sorted {
		start := it.pos - it.size/2
		switch {
		case math.IsInf(end, -1):
			shift = start
		case start-end > nodeGap:
			shift += start - end - nodeGap
		}
		end = max(end, start+it.size)
		it.pos -= shift
	}
}

// settle moves the items of a layer to the mean of their neighbours, as near as their order and sizes allow: the
// least squares under fixed distances, by pooling those that would overlap.
func settle(layer []*item, sweep int) {
	type pool struct {
		sum, weight float64
		n           int
	}
	var pools []pool
	offset := make([]float64, len(layer))
	for i, it := range layer {
		if i > 0 {
			offset[i] = offset[i-1] + (layer[i-1].size+it.size)/2 + nodeGap
		}
		near := it.before
		if sweep%2 == 1 || len(near) == 0 {
			near = it.next
		}
		want, weight := it.pos, 0.1
		if len(near) > 0 {
			want = 0
			for _, n := range near {
				want += n.pos / float64(len(near))
			}
			weight = 1
			if it.bend {
				weight = 4 // long edges run straight
			}
		}
		pools = append(pools, pool{(want - offset[i]) * weight, weight, 1})
		for k := len(pools) - 1; k > 0 && pools[k-1].sum/pools[k-1].weight > pools[k].sum/pools[k].weight; k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].weight += pools[k].weight
			pools[k-1].n += pools[k].n
			pools = pools[:k]
		}
	}
	i := 0
	for _, p := range pools {
		for range p.n {
			layer[i].pos = p.sum/p.weight + offset[i]
			i++
		}
	}
}

// draw makes the curves, the arrow heads and the places of the labels.
func (l *layout) draw() {
	l.ports()
	var taken []box
	for _, it := range l.items {
		if !it.bend {
			taken = append(taken, box{it.x - it.w/2, it.y - it.h/2, it.x + it.w/2, it.y + it.h/2})
		}
	}
	for _, w := range l.wires {
		points := l.points(w)
		e := &route{path: l.curve(points), label: w.label, class: w.class}
		if w.down {
			e.heads = append(e.heads, l.head(points[len(points)-1], 1))
		}
		if w.up {
			e.heads = append(e.heads, l.head(points[0], -1))
		}
		if w.label != "" {
			e.labelX, e.labelY = l.labelAt(points, w.label, &taken)
		}
		l.edges = append(l.edges, e)
	}
}

// ports spreads the wires of a node along its side, in the order of where they go.
func (l *layout) ports() {
	leaving, arriving := map[*item][]*wire{}, map[*item][]*wire{}
	for _, w := range l.wires {
		from, to := w.through[0], w.through[len(w.through)-1]
		leaving[from] = append(leaving[from], w)
		arriving[to] = append(arriving[to], w)
	}
	for _, it := range l.items {
		out, in := leaving[it], arriving[it]
		slices.SortStableFunc(out, func(a, b *wire) int { return cmp.Compare(a.through[1].pos, b.through[1].pos) })
		slices.SortStableFunc(in, func(a, b *wire) int {
			return cmp.Compare(a.through[len(a.through)-2].pos, b.through[len(b.through)-2].pos)
		})
		for i, w := range out {
			w.start = spread(i, len(out), it.size)
		}
		for i, w := range in {
			w.end = spread(i, len(in), it.size)
		}
	}
}

func spread(i, n int, size float64) float64 {
	step := min(18, (size-16)/float64(max(1, n)))
	return (float64(i) - float64(n-1)/2) * step
}

type point struct{ x, y float64 }

// points are the bends of a wire, from the side of its upper node to the side of its lower one.
func (l *layout) points(w *wire) []point {
	var points []point
	for i, it := range w.through {
		p := point{it.x, it.y}
		side, along := 0.0, 0.0
		switch i {
		case 0:
			side, along = 1, w.start
		case len(w.through) - 1:
			side, along = -1, w.end
		}
		if l.columns {
			p.x, p.y = p.x+side*it.w/2, p.y+along
		} else {
			p.x, p.y = p.x+along, p.y+side*it.h/2
		}
		points = append(points, p)
	}
	return points
}

func (l *layout) curve(points []point) string {
	var b strings.Builder
	b.WriteString("M" + num(points[0].x) + " " + num(points[0].y))
	for i, to := range points[1:] {
		c1, c2 := l.controls(points[i], to)
		fmt.Fprintf(&b, "C%s %s %s %s %s %s", num(c1.x), num(c1.y), num(c2.x), num(c2.y), num(to.x), num(to.y))
	}
	return b.String()
}

// controls make a curve leave and arrive across the layers.
func (l *layout) controls(from, to point) (point, point) {
	if l.columns {
		mid := (from.x + to.x) / 2
		return point{mid, from.y}, point{mid, to.y}
	}
	mid := (from.y + to.y) / 2
	return point{from.x, mid}, point{to.x, mid}
}

// head is an arrow head at p, pointing along (1) or against (-1) the layers.
func (l *layout) head(p point, way float64) string {
	at := func(along, side float64) string {
		if l.columns {
			return num(p.x-way*along) + "," + num(p.y+side)
		}
		return num(p.x+side) + "," + num(p.y-way*along)
	}
	return at(0, 0) + " " + at(7, 3.5) + " " + at(7, -3.5)
}

type box struct{ left, top, right, bottom float64 }

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

// labelAt finds a place on the wire where its label stands on nothing else, the middle first.
func (l *layout) labelAt(points []point, text string, taken *[]box) (x, y float64) {
	segment := (len(points) - 1) / 2
	from, to := points[segment], points[segment+1]
	c1, c2 := l.controls(from, to)
	w := textWidth(text, labelSize)
	var b box
	for _, t := range [...]float64{0.5, 0.6, 0.4, 0.7, 0.3, 0.8, 0.2, 0.5} {
		u := 1 - t
		x = u*u*u*from.x + 3*u*u*t*c1.x + 3*u*t*t*c2.x + t*t*t*to.x
		y = u*u*u*from.y + 3*u*u*t*c1.y + 3*u*t*t*c2.y + t*t*t*to.y
		b = box{x - w/2, y - 7, x + w/2, y + 7}
		if !slices.ContainsFunc(*taken, b.meets) {
			break
		}
	}
	*taken = append(*taken, b)
	x = min(max(x, w/2+1), max(l.width-w/2-1, w/2+1))
	l.width = max(l.width, x+w/2+1)
	return x, y + 4
}
