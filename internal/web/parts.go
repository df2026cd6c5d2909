package web

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// This file holds the data of the components: each type names the template that shows it, as in
// {{template "field" .Email}}. Texts are in the reader's language; links lead to this site.

// Pair is a row of "pairs" (a list of them) and of the line of facts below a heading.
type Pair struct {
	Term, Text string
	Href       string       // of the text, or empty
	Code       bool         // the text is an id or value: shown by [Code]
	TLP        stix.Marking // shown after the text
}

// Action is a button that leads somewhere.
type Action struct {
	Label, Href, Icon string
	Primary           bool
	Shortcut          string // one key, or empty
}

// Alert is the data of "alert". Class is "warn", "bad" or empty.
type Alert struct {
	Class, Title, Text string
	Links              []Link
}

// Empty is the data of "empty": what would be here, and what to do first.
type Empty struct {
	Icon, Title, Text string
	Actions           []Action
}

// Option is one value of a select or a choice.
type Option struct {
	Value, Label, Help string
	Chosen             bool
	Closed             bool         // policy closes it: stays in view, dashed; the field's help says why
	TLP                stix.Marking // shown in place of the label
}

// Field is the data of "field" (a text, a text area with Rows, a select with Options) and of "choice" (radio
// buttons, or check boxes with Many).
type Field struct {
	Name         string // of the form value, and the id
	Label, Help  string
	Error        string // what is wrong and what would be right; marks the field
	Value        string
	Type         string // of the input; empty is "text"
	Autocomplete string
	Accept       string // kinds of file
	Options      []Option
	Rows         int
	Short        bool
	Required     bool
	Many         bool   // "choice": several may be chosen
	Class        string // "choice": "across" or "three" sets them beside each other
	Max          int    // longest text, 0 for none
}

// FieldError is one entry of "errors", the summary above a form; it leads to the field.
type FieldError struct{ Name, Text string }

// ErrorsOf are the errors of a form's fields, in order, for "errors".
func ErrorsOf(fields ...Field) []FieldError {
	var errs []FieldError
	for _, f := range fields {
		if f.Error != "" {
			errs = append(errs, FieldError{f.Name, strings.TrimSuffix(f.Label, "?") + ": " + f.Error})
		}
	}
	return errs
}

// Dialog is the data of "dialog", and of "dialog-button" which opens it. Page is the address of a page with the
// same form, for browsers that cannot open a dialog.
type Dialog struct {
	ID, Title, Text string
	Action, Page    string
	Open, Submit    string // the words of the opening button and of the one that does it
	Keep            string // of the safe button; empty is "Keep it"
	Danger          bool
	Fields          []Field
	Hidden          []Hidden
}

// Hidden is a value that a form carries along.
type Hidden struct{ Name, Value string }

// Drawer is the data of "drawer", and of "drawer-button" which opens it: a look aside that changes nothing. Page is
// where its content has its own address.
type Drawer struct {
	ID, Title, Text, Open string
	Pairs                 []Pair
	Page                  Link
}

// Gauge is a level against a mark, on a staff gauge, for the function gauge. Values run from 0 to 1.
type Gauge struct {
	Label string    // what it says, for those who cannot see it
	Level float64   // one level, or
	Parts []float64 // several, in the colours of a score's parts
	Mark  float64   // 0 for none
}

// Clock is the data of "clock-face": a deadline. Class is "ok", "warn", "bad" or empty.
type Clock struct {
	Class, Title string
	Left         string  // "19 h 12 m left"
	Used         float64 // 0 to 1
	Label        string  // of the gauge
	Text         string  // due time and law
	Tag          string
	TagIcon      string
}

// Gauge is the picture of c: the time used, against all of it.
func (c Clock) Gauge() Gauge { return Gauge{Label: c.Label, Level: c.Used, Mark: 1} }

// Score is the data of "score". It says how it came about.
type Score struct {
	Value, Of int
	Mark      int    // from where it counts
	Says      string // "of 100 · acted on from 60"
	Label     string // the whole in a sentence, for those who cannot see the gauge
	Parts     []ScorePart
}

// ScorePart is one reason of a score.
type ScorePart struct {
	Name       string
	Value, Max int
	Evidence   []string
	Against    string
	More       Link
}

// Colour is the number of the colour that part i has in the gauge.
func (ScorePart) Colour(i int) int { return i%5 + 1 }

// Gauge is the picture of s.
func (s Score) Gauge() Gauge {
	g := Gauge{Label: s.Label, Mark: ratio(s.Mark, s.Of)}
	for _, p := range s.Parts {
		g.Parts = append(g.Parts, ratio(p.Value, s.Of))
	}
	if len(g.Parts) == 0 {
		g.Level = ratio(s.Value, s.Of)
	}
	return g
}

func ratio(n, of int) float64 {
	if of <= 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Event is a row of "timeline" (a list of them, newest first). Class is "main", "ok", "bad" or empty.
type Event struct {
	At          time.Time
	Class       string
	Title, Text string
	Changes     []Change
	More        Link
}

// Change is a property that was changed: what it was, what it is.
type Change struct{ Property, Was, Is string }

// Diff is a row of "diff" (a list of them): what happens to a property on the way out.
type Diff struct {
	Outcome  string // "cut", "blind", "keep" or "add"
	Property string
	Before   []Segment
	After    []Segment
}

// Segment is a piece of text in a diff.
type Segment struct {
	Text string
	Mark string       // "del", "ins", "gone" (what is not sent), "code" or empty
	TLP  stix.Marking // shown in place of the text
}

// Todo is a row of "todo" (a list of them): one thing that waits for the reader. Class is "bad", "warn" or empty.
type Todo struct {
	Class, Icon, Title, Href, Text string
	Tag, TagIcon                   string
}

// Feed is the data of "feed": what arrives, newest first. URL is the stream of rows, Since where the page ends.
type Feed struct {
	URL, Since string
	Label      string
	Rows       []FeedRow
	Newer      string // the same page, newer: what the pill leads to without script
	Empty      Empty
}

// FeedRow is the data of "feed-row", which is also what the stream sends. Key tells rows apart, so that one that is
// withdrawn can be taken out.
type FeedRow struct {
	Key, Icon, Title, Href, Text string
	At                           time.Time
	TLP                          stix.Marking
}

// Mark is a row of "marks" (a list of them). Class is "yes", "no", "mind" or empty.
type Mark struct{ Class, Icon, Text, Href string }

// Sign is the icon of m: its own, or that of its class.
func (m Mark) Sign() string {
	if m.Icon != "" {
		return m.Icon
	}
	return map[string]string{"yes": "check", "no": "cross", "mind": "alert"}[m.Class]
}

// Pager is the data of "pager". Says is "1 – 50 of 1 290" or empty.
type Pager struct{ Says, Newer, Older string }

// NextPart leads from a list that is shown in parts to the part that begins at next, if there is one, and from a further
// part back to the first.
func NextPart(at *url.URL, next string, further bool) (p Pager) {
	if next != "" {
		q := at.Query()
		q.Set("next", next)
		p.Older = address(at, q)
	}
	if further {
		p.Newer = With(at, "next", "")
	}
	return p
}

// Head is a column of a table, in "heads" (a list of them).
type Head struct {
	Label string
	Num   bool
	Href  string // sorts by it, or empty
	Order string // "ascending" or "descending" when the table is sorted by it
}

// Column is what [Heads] makes a [Head] of. Without a key the column cannot be sorted by.
type Column struct {
	Key, Label string
	Num        bool
	Down       bool // the first click sorts from large or new
}

// PlainHeads are heads of a table that does not sort, the first of them for the name. A label that begins with "#" heads
// numbers.
func PlainHeads(labels ...string) []Head {
	heads := make([]Head, len(labels))
	for i, l := range labels {
		text, num := strings.CutPrefix(l, "#")
		heads[i] = Head{Label: text, Num: num}
	}
	return heads
}

// Heads are the heads of a table that is sorted in its address: sort=KEY upwards, sort=-KEY downwards. By is how it
// is sorted now, in the same form. A sorted page begins at its first page again.
func Heads(at *url.URL, by string, columns ...Column) []Head {
	heads := make([]Head, len(columns))
	for i, c := range columns {
		heads[i] = Head{Label: c.Label, Num: c.Num}
		if c.Key == "" {
			continue
		}
		next := c.Key
		if c.Down {
			next = "-" + c.Key
		}
		switch by {
		case c.Key:
			heads[i].Order, next = "ascending", "-"+c.Key
		case "-" + c.Key:
			heads[i].Order, next = "descending", c.Key
		}
		heads[i].Href = With(at, "sort", next)
	}
	return heads
}

// With is the address at with one value of its query set (or, with an empty value, taken out) and its page cursor
// dropped.
func With(at *url.URL, name, value string) string {
	q := at.Query()
	q.Del("next")
	q.Del(name)
	if value != "" {
		q.Set(name, value)
	}
	return address(at, q)
}

func address(at *url.URL, q url.Values) string {
	to := ""
	if at != nil {
		to = at.EscapedPath()
	}
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return to
}

// Facets is the data of "facets" (the form), "facets-open" (its button on a small screen) and "chips" (what is
// chosen, each to take out). Every count is for this reader.
type Facets struct {
	At     *url.URL // the page
	Groups []FacetGroup
	Keep   []string // names of other values in the address that stay
}

// FacetGroup is one thing to choose by.
type FacetGroup struct {
	Name, Legend string
	Options      []FacetOption
}

// FacetOption is one value, and how many there are.
type FacetOption struct {
	Value, Label string
	Count        int
	Chosen       bool
}

// Path is where the form goes.
func (f Facets) Path() string {
	if f.At == nil {
		return ""
	}
	return f.At.EscapedPath()
}

// Clear is the page with nothing chosen.
func (f Facets) Clear() string {
	q := url.Values{}
	for _, h := range f.Hidden() {
		q.Set(h.Name, h.Value)
	}
	return address(f.At, q)
}

// Hidden are the values that the form carries along.
func (f Facets) Hidden() []Hidden {
	var kept []Hidden
	for _, name := range f.Keep {
		if v := f.At.Query().Get(name); v != "" {
			kept = append(kept, Hidden{name, v})
		}
	}
	return kept
}

// Chips are the chosen values, each with the address of the page without it.
func (f Facets) Chips() []Link {
	var chips []Link
	for _, g := range f.Groups {
		for _, o := range g.Options {
			if !o.Chosen {
				continue
			}
			q := f.At.Query()
			q.Del("next")
			q[g.Name] = slices.DeleteFunc(slices.Clone(q[g.Name]), func(v string) bool { return v == o.Value })
			chips = append(chips, Link{o.Label, address(f.At, q)})
		}
	}
	return chips
}

// OneOfEach is the data of "choose" and of the chips beside it: facets of which one option of each group counts. An option
// "" of each group stands for none, is called none (the last of them in further groups), and is chosen where no other is.
func OneOfEach(f Facets, none ...string) (Facets, []Link) {
	var chosen []Link
	for i := range f.Groups {
		g := &f.Groups[i]
		open := true
		for _, o := range g.Options {
			if o.Chosen {
				open = false
				chosen = append(chosen, Link{Text: o.Label, Href: With(f.At, g.Name, "")})
			}
		}
		g.Options = append([]FacetOption{{Label: none[min(i, len(none)-1)], Chosen: open}}, g.Options...)
	}
	return f, chosen
}

// Row is a row of a figure's table: what a chart shows, in words.
type Row struct {
	Name  string
	Cells []string
}

// Table is the data of "figures": the same as a chart or a picture, as a table to open.
type Table struct {
	Label string
	Heads []Head
	Rows  []Row
	Open  bool
}

// Picture is the data of "picture": a graph with the same as a list below it. A graph that is too large is shown as
// the list alone.
type Picture struct {
	Label  string // what it is a picture of
	SVG    template.HTML
	Edges  []PictureRow
	Legend []LegendItem
	More   []Link
}

// PictureRow is one relation of a picture's list.
type PictureRow struct {
	From, To Link
	Label    string
}

// LegendItem explains a class of nodes.
type LegendItem struct{ Class, Text string }
