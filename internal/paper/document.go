package paper

import (
	"io"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/polder-exchange/polder/stix"
)

// Measures of a page, in millimetres and points: A4 upright.
const (
	width  = 210.0
	height = 297.0
	margin = 18.0
	band   = 12.0 // height of the bands on top and at the foot
	top    = band + 8
	bottom = height - band - 8
	font   = "go"
	body   = 9.5 // points
)

// MaxPages is how many pages a document has at most: the whole of it is held until it is written.
const MaxPages = 1000

// maxRun bounds one paragraph or cell, in bytes.
const maxRun = 200_000

// Options say what stands on every page.
type Options struct {
	Title    string
	Language string // of the text: "en", "nl"
	Made     time.Time
	Level    stix.Marking // printed in head and foot in the colours of FIRST; None prints none
	PAP      stix.PAP
	Foot     string                     // who made it and when
	Page     func(n, all string) string // "page 3 of 7"
	Cut      string                     // what a document says that was cut
}

// Document is a document that grows. It belongs to one goroutine.
type Document struct {
	o       Options
	f       *fpdf.Fpdf
	y       float64
	full    bool
	strange bool
}

// New begins a document with its first page.
func New(o Options) *Document {
	d := &Document{o: o, f: fpdf.New("P", "mm", "A4", "")}
	f := d.f
	f.SetAutoPageBreak(false, 0)
	f.SetMargins(margin, margin, margin)
	f.SetCellMargin(0)
	f.SetCreationDate(o.Made)
	f.SetModificationDate(o.Made)
	f.SetProducer("Polder", true)
	f.SetTitle(d.plain(o.Title), true)
	f.SetLang(o.Language)
	f.AddUTF8FontFromBytes(font, "", goregular.TTF)
	f.AddUTF8FontFromBytes(font, "B", gobold.TTF)
	f.AliasNbPages(allPages)
	f.SetHeaderFunc(func() { d.mark(0) })
	f.SetFooterFunc(d.foot)
	d.page()
	return d
}

// allPages stands for the number of pages until it is known.
const allPages = "{nb}"

// colours of FIRST for TLP 2.0, on black.
var colours = map[stix.Marking][3]int{
	stix.Clear: {0xff, 0xff, 0xff}, stix.Green: {0x33, 0xff, 0x00}, stix.Amber: {0xff, 0xc0, 0x00}, stix.AmberStrict: {0xff, 0xc0, 0x00}, stix.Red: {0xff, 0x2b, 0x2b},
}

// mark prints the band with the level at a height, right-justified as FIRST asks.
func (d *Document) mark(y float64) {
	if d.o.Level == stix.None {
		return
	}
	f := d.f
	f.SetFillColor(0, 0, 0)
	f.Rect(0, y, width, band, "F")
	c := colours[d.o.Level]
	f.SetTextColor(c[0], c[1], c[2])
	f.SetFont(font, "B", 12)
	label := d.o.Level.Label()
	f.Text(width-margin-f.GetStringWidth(label), y+band/2+1.6, label)
	if p := d.o.PAP.Label(); p != "" {
		f.SetTextColor(255, 255, 255)
		f.Text(margin, y+band/2+1.6, p)
	}
	f.SetTextColor(0, 0, 0)
}

func (d *Document) foot() {
	d.mark(height - band)
	f := d.f
	f.SetTextColor(70, 80, 78)
	f.SetFont(font, "", 7)
	f.Text(margin, height-band-3, fit(f, d.plain(d.o.Foot), width-2*margin-30))
	if d.o.Page != nil {
		f.Text(width-margin-26, height-band-3, d.o.Page(strconv.Itoa(f.PageNo()), allPages))
	}
	f.SetTextColor(0, 0, 0)
}

// fit shortens a text to a width.
func fit(f *fpdf.Fpdf, s string, w float64) string {
	runes := []rune(s)
	if len(runes) > 300 {
		runes = runes[:300]
	}
	for len(runes) > 1 && f.GetStringWidth(string(runes)) > w {
		runes = append(runes[:len(runes)-2], '…')
	}
	return string(runes)
}

// page begins a page, unless the document is full.
func (d *Document) page() {
	if d.f.PageNo() >= MaxPages {
		if !d.full {
			d.full = true
			d.f.SetFont(font, "B", body)
			d.f.Text(margin, bottom+4, fit(d.f, d.plain(d.o.Cut), width-2*margin))
		}
		return
	}
	d.f.AddPage()
	d.y = top
}

// Cut tells whether the document was longer than it may be.
func (d *Document) Cut() bool { return d.full }

// Strange tells whether some text is not printed as it is.
func (d *Document) Strange() bool { return d.strange }

func (d *Document) plain(s string) string {
	out, as := Text(s)
	d.strange = d.strange || !as
	return out
}

// Room begins a page when fewer than so many lines of text fit.
func (d *Document) Room(lines float64) {
	if d.y+lines*step(body) > bottom && d.y > top {
		d.page()
	}
}

// Space leaves millimetres free.
func (d *Document) Space(mm float64) {
	if d.y > top {
		d.y += mm
	}
}

func step(size float64) float64 { return size * 0.48 }

// Title is the name of the document, on its first page.
func (d *Document) Title(text string) { d.write("B", 20, 0, text) }

// Heading begins a part; what follows stands with it.
func (d *Document) Heading(text string) {
	d.Room(6)
	d.Space(5)
	d.write("B", 13, 0, text)
	d.y += 1.2
	if !d.full {
		d.f.SetDrawColor(190, 198, 196)
		d.f.Line(margin, d.y, width-margin, d.y)
	}
	d.y += 0.8
}

// Paragraph is running text; its own line breaks stay.
func (d *Document) Paragraph(text string) { d.write("", body, 0, text) }

// Strong is a line that stands out.
func (d *Document) Strong(text string) { d.write("B", body, 0, text) }

// Indented is text below another.
func (d *Document) Indented(text string) { d.write("", body, 5, text) }

// Small is text that explains.
func (d *Document) Small(text string) { d.write("", 7.5, 0, text) }

// Pair is a name with what belongs to it, beside each other. Without a value it prints nothing.
func (d *Document) Pair(name, value string) {
	if strings.TrimSpace(value) == "" {
		return
	}
	d.Table([]float64{0.28, 0.72}, nil, [][]string{{name, value}}, true)
}

func (d *Document) write(style string, size, indent float64, text string) {
	for _, line := range d.lines(style, size, width-2*margin-indent, text) {
		if d.y+step(size) > bottom {
			d.page()
		}
		if d.full {
			return
		}
		d.f.SetFont(font, style, size)
		d.y += step(size)
		d.f.Text(margin+indent, d.y, line)
	}
}

// lines is a text broken to a width.
func (d *Document) lines(style string, size, w float64, text string) (out []string) {
	if len(text) > maxRun {
		text = strings.ToValidUTF8(text[:maxRun], "") + " …"
	}
	d.f.SetFont(font, style, size)
	text = strings.ReplaceAll(strings.TrimRight(text, " \r\n\t"), "\r\n", "\n")
	for part := range strings.SplitSeq(text, "\n") {
		part = strings.TrimRight(d.plain(part), " ")
		if part == "" {
			out = append(out, "")
			continue
		}
		for _, line := range d.f.SplitText(part, w) {
			out = append(out, strings.TrimRight(line, " "))
		}
	}
	if len(out) == 1 && out[0] == "" {
		return nil
	}
	return out
}

// Table prints rows in columns, whose widths are parts of the page's. The heads stand again on each page. bold prints
// the first column so.
func (d *Document) Table(widths []float64, heads []string, rows [][]string, bold bool) {
	const size = 8.5
	style := func(column int, head bool) string {
		if head || bold && column == 0 {
			return "B"
		}
		return ""
	}
	all := width - 2*margin
	print := func(row []string, head bool) {
		cells, most := make([][]string, len(widths)), 0
		for i, w := range widths {
			if i < len(row) {
				cells[i] = d.lines(style(i, head), size, all*w-2, row[i])
				most = max(most, len(cells[i]))
			}
		}
		high := float64(most)*step(size) + 1.9
		if d.y+high > bottom && high < (bottom-top)/2 || d.y+2*step(size) > bottom {
			d.page()
			if heads != nil && !head && !d.full {
				d.head(widths, heads, all)
			}
		}
		d.cells(cells, most, widths, all, func(i int) string { return style(i, head) })
		if heads != nil && !d.full {
			d.f.SetDrawColor(213, 220, 218)
			d.f.Line(margin, d.y+1.3, width-margin, d.y+1.3)
		}
		d.y += 1.9
	}
	if heads != nil && len(rows) > 0 {
		d.Room(4)
		print(heads, true)
	}
	for _, row := range rows {
		if d.full {
			return
		}
		print(row, false)
	}
}

// head prints the heads of a table again, one line each.
func (d *Document) head(widths []float64, heads []string, all float64) {
	x := margin
	d.f.SetFont(font, "B", 8.5)
	d.y += step(8.5)
	for i, w := range widths {
		if i < len(heads) {
			d.f.Text(x, d.y, fit(d.f, d.plain(heads[i]), all*w-2))
		}
		x += all * w
	}
	d.y += 1.4
}

// cells prints the lines of a row's cells beside each other, over as many pages as it takes.
func (d *Document) cells(cells [][]string, most int, widths []float64, all float64, style func(int) string) {
	for n := range most {
		if d.y+step(8.5) > bottom {
			d.page()
		}
		if d.full {
			return
		}
		d.y += step(8.5)
		x := margin
		for i, w := range widths {
			if n < len(cells[i]) {
				d.f.SetFont(font, style(i), 8.5)
				d.f.Text(x, d.y, cells[i][n])
			}
			x += all * w
		}
	}
}

// Uncompressed makes the document's text readable to tests.
func (d *Document) Uncompressed() { d.f.SetCompression(false) }

// WriteTo writes the document; nothing is added afterwards.
func (d *Document) WriteTo(w io.Writer) (int64, error) {
	c := &counter{w: w}
	err := d.f.Output(c)
	return c.n, err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
