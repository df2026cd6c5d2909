package web

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Charts are SVG at natural size, drawn once for a wide panel and once for a narrow one; the style shows the one
// that fits. Each has a name that says what it shows; its figures belong beside it as a table ("figures").

const (
	wide   = 560.0
	narrow = 326.0
)

// both draws a chart at both widths.
func both(draw func(width float64, class string) template.HTML) template.HTML {
	var m markup
	return m.add(draw(wide, "wide-only")).add(draw(narrow, "narrow-only")).html()
}

func chart(m *markup, width, height float64, class, label string) {
	m.open("svg", "class", "chart "+class, "width", num(width), "height", num(height), "viewBox", "0 0 "+num(width)+" "+num(height),
		"role", "img", "aria-label", label)
}

func rect(m *markup, class string, x, y, w, h float64) {
	m.open("rect", "class", class, "x", num(x), "y", num(y), "width", num(max(0, w)), "height", num(h))
}

func label(m *markup, class string, x, y float64, text string) {
	attrs := []string{"x", num(x), "y", num(y)}
	if class != "" {
		attrs = append(attrs, "class", class)
	}
	m.leaf("text", text, attrs...)
}

// Bar is one bar, and one share of a whole. Text is its figure as people say it.
type Bar struct {
	Label string
	Value float64
	Text  string
}

// Bars are bars that lie beside their names, from zero. They are drawn in the order given: sort them.
type Bars struct {
	Label string
	Items []Bar
}

func (c Bars) svg(width float64, class string) template.HTML {
	var m markup
	chart(&m, width, float64(29*len(c.Items)+5), class, c.Label)
	names, top := 0.0, 0.0
	for _, b := range c.Items {
		names, top = max(names, textWidth(b.Label, 12)), max(top, b.Value)
	}
	names = min(names+10, width*0.45)
	room := width - names - 50
	for i, b := range c.Items {
		y := float64(29*i) + 6
		length := 0.0
		if top > 0 && b.Value > 0 {
			length = b.Value / top * room
		}
		label(&m, "strong end", names-8, y+14, fit(b.Label, names-9, 12))
		rect(&m, "s1", names, y, length, 19)
		m.close()
		label(&m, "", names+length+6, y+14, b.Text)
	}
	return m.html()
}

// Line is one line of a chart of Lines.
type Line struct {
	Name   string
	Values []float64
	Text   string // the last figure as people say it
}

// Lines are up to two lines over time, named at their end, the second dashed.
type Lines struct {
	Label       string
	Lines       []Line
	First, Last string  // the ends of the axis of time
	Limit       float64 // a dashed line to hold them against, 0 for none
	LimitText   string
}

func (c Lines) svg(width float64, class string) template.HTML {
	const left, top, bottom, height = 36.0, 12.0, 150.0, 176.0
	right := width - 102
	var m markup
	chart(&m, width, height, class, c.Label)
	high := c.Limit
	for _, l := range c.Lines {
		for _, v := range l.Values {
			high = max(high, v)
		}
	}
	step := niceStep(high)
	high = max(step, math.Ceil(high/step)*step)
	y := func(v float64) float64 { return bottom - v/high*(bottom-top) }
	for v := 0.0; v <= high+step/2; v += step {
		m.open("path", "class", "grid", "d", fmt.Sprintf("M%s %sH%s", num(left), num(y(v)), num(right))).close()
		label(&m, "end", left-8, y(v)+4, strconv.FormatFloat(v, 'f', -1, 64))
	}
	var ends []float64
	if c.Limit > 0 {
		m.open("path", "class", "limit", "fill", "none", "d", fmt.Sprintf("M%s %sH%s", num(left), num(y(c.Limit)), num(right))).close()
		label(&m, "", right+6, freeLine(&ends, y(c.Limit)-6), c.LimitText)
	}
	for i, l := range c.Lines {
		if len(l.Values) == 0 || i > 1 {
			continue
		}
		m.open("path", "class", "line l"+strconv.Itoa(i+1), "d", polyline(l.Values, left, right, y)).close()
		label(&m, "strong", right+6, freeLine(&ends, y(l.Values[len(l.Values)-1])+4), strings.TrimSpace(l.Name+" "+l.Text))
	}
	label(&m, "", left, 170, c.First)
	label(&m, "end", right, 170, c.Last)
	return m.html()
}

func polyline(values []float64, left, right float64, y func(float64) float64) string {
	var b strings.Builder
	step := (right - left) / float64(max(1, len(values)-1))
	for i, v := range values {
		b.WriteByte("ML"[min(i, 1)])
		b.WriteString(num(left+float64(i)*step) + " " + num(y(v)))
	}
	return b.String()
}

// freeLine moves a label down until it stands on no other.
func freeLine(taken *[]float64, y float64) float64 {
	for slices.ContainsFunc(*taken, func(other float64) bool { return math.Abs(other-y) < 12 }) {
		y++
	}
	*taken = append(*taken, y)
	return y
}

// niceStep is a distance of grid lines: 1, 2 or 5 times a power of ten, at most five lines.
func niceStep(high float64) float64 {
	if high <= 0 || math.IsInf(high, 0) || math.IsNaN(high) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(high)))
	for _, n := range [...]float64{0.2, 0.5, 1, 2, 5} {
		if high/(n*power) <= 5 {
			return max(n*power, 1)
		}
	}
	return 10 * power
}

// Columns are bars that stand, one per period; Items[i].Text stands above the bar where it is given.
type Columns struct {
	Label       string
	Items       []Bar
	First, Last string
}

func (c Columns) svg(width float64, class string) template.HTML {
	const base, height = 66.0, 84.0
	var m markup
	chart(&m, width, height, class, c.Label)
	m.open("path", "class", "axis", "fill", "none", "d", "M0 66.5H"+num(width)).close()
	top := 0.0
	for _, b := range c.Items {
		top = max(top, b.Value)
	}
	step := width / float64(max(1, len(c.Items)))
	bar := min(step*0.64, 32)
	for i, b := range c.Items {
		h := 0.0
		if top > 0 && b.Value > 0 {
			h = b.Value / top * 48
		}
		x := float64(i)*step + (step-bar)/2
		rect(&m, "s1", x, base-h, bar, h)
		m.leaf("title", b.Label).close()
		if b.Text != "" {
			label(&m, "strong mid", x+bar/2, base-h-5, b.Text)
		}
	}
	label(&m, "", 0, 80, c.First)
	label(&m, "end", width, 80, c.Last)
	return m.html()
}

// Shares are the parts of a whole, at most six: sort them, put the rest together as the last one. Values add up to
// the whole; Mark (0 to 1) is a share that they are held against.
type Shares struct {
	Label    string
	Items    []Bar
	Mark     float64
	MarkText string
}

var shareColours = [...]string{"s1", "s3", "s4", "s5", "s2", "s6"}

func (c Shares) svg(width float64, class string) template.HTML {
	var m markup
	chart(&m, width, 56, class, c.Label)
	total := 0.0
	for _, b := range c.Items {
		total += max(0, b.Value)
	}
	x := 0.0
	for i, b := range c.Items {
		if total == 0 || b.Value <= 0 {
			continue
		}
		w := b.Value / total * width
		rect(&m, shareColours[min(i, len(shareColours)-1)], x, 0, w-2, 34)
		m.leaf("title", b.Label+" "+b.Text).close()
		if said := strings.TrimSpace(b.Label + " " + b.Text); textWidth(said, 11) < w-8 {
			label(&m, "on mid", x+w/2-1, 22, said)
		}
		x += w
	}
	if c.Mark > 0 && c.Mark < 1 {
		at := c.Mark * width
		m.open("path", "class", "limit", "d", "M"+num(at)+" -4v44").close()
		label(&m, "mid", at, 53, c.MarkText)
	}
	return m.html()
}

// Spark is a line as large as a word.
type Spark struct {
	Label  string
	Values []float64
}

func (c Spark) svg() template.HTML {
	if len(c.Values) == 0 {
		return ""
	}
	high := 0.0
	for _, v := range c.Values {
		high = max(high, v)
	}
	y := func(v float64) float64 {
		if high == 0 {
			return 16
		}
		return 16 - v/high*14
	}
	var m markup
	m.open("svg", "class", "spark", "viewBox", "0 0 80 18", "role", "img", "aria-label", c.Label)
	return m.open("path", "d", polyline(c.Values, 0, 80, y)).html()
}

// ticks is the scale of a gauge: a long one at each quarter.
var ticks = func() string {
	var b strings.Builder
	for i := range 21 {
		length := "-3"
		if i%5 == 0 {
			length = "-6"
		}
		b.WriteString("M" + strconv.Itoa(10*i) + " 18v" + length)
	}
	return b.String()
}()

func (g Gauge) svg() template.HTML {
	clamp := func(v float64) float64 { return 200 * min(1, max(0, v)) }
	var m markup
	m.open("svg", "class", "gauge", "viewBox", "0 0 200 18", "preserveAspectRatio", "none", "role", "img", "aria-label", g.Label)
	rect(&m, "track", 0, 3, 200, 9)
	m.close()
	if len(g.Parts) == 0 {
		rect(&m, "level", 0, 3, clamp(g.Level), 9)
		m.close()
	}
	at := 0.0
	for i, p := range g.Parts {
		rect(&m, "p"+strconv.Itoa(i%5+1), clamp(at), 3, clamp(at+p)-clamp(at)-0.8, 9)
		m.close()
		at += p
	}
	m.open("path", "class", "ticks", "d", ticks, "vector-effect", "non-scaling-stroke").close()
	if g.Mark > 0 {
		x := num(clamp(g.Mark))
		m.open("path", "class", "halo", "d", "M"+x+" 2v11", "vector-effect", "non-scaling-stroke").close()
		m.open("path", "class", "mark", "d", "M"+x+" -1v18", "vector-effect", "non-scaling-stroke").close()
	}
	return m.html()
}

// textWidth is about how wide a text is in the console's font at size px. It errs on the wide side.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("fijlrtI.,:;'|!()[]-· ", r):
			w += 0.36
		case strings.ContainsRune("mwMW@%", r):
			w += 0.95
		case r >= 'A' && r <= 'Z':
			w += 0.72
		case r >= 0x2e80:
			w += 1.05
		default:
			w += 0.6
		}
	}
	return w * size
}

// fit cuts a text, with an ellipsis, to a width.
func fit(s string, width, size float64) string {
	if textWidth(s, size) <= width {
		return s
	}
	r := []rune(s)
	for len(r) > 1 && textWidth(string(r), size)+size > width {
		r = r[:len(r)-1]
	}
	return strings.TrimRight(string(r), " ") + "…"
}
