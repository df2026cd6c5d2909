package screen

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/paper"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// Measures of a page, in millimetres and points: A4 upright.
const (
	pdfWidth  = 210.0
	pdfHeight = 297.0
	pdfMargin = 15.0
	pdfText   = 8.0 // points
	pdfLine   = 3.7 // millimetres from line to line
	pdfFont   = "go"
)

// WritePDF writes the auditor's record of a period for people who print it: the same lines as [Service.WriteCSV], with
// who made it and when, the numbers of the period in front and the lists with their hashes at the end. A name in a script
// that the document's letters lack is printed romanised, in brackets, or by code points, and the document says so; the
// CSV has it as it is. It asks for a reader, and is noted in the audit. A document holds [MostPrinted] lines; one that
// would be longer ends there, and says on its first page and its last that it does, where, and how to print the rest.
func (s *Service) WritePDF(ctx context.Context, by polder.Actor, p Period, w io.Writer) error {
	if err := s.noteExport(ctx, by, p, "pdf"); err != nil {
		return err
	}
	sum, err := sumRecord(s.reader(ctx), by.Org, p)
	if err != nil {
		return err
	}
	d, err := s.printed(ctx, by, p, sum, MostPrinted)
	if err != nil {
		return err
	}
	return d.f.Output(w)
}

// printed is a document of at most so many lines of the record.
func (s *Service) printed(ctx context.Context, by polder.Actor, p Period, sum recordSum, most int) (*recordPDF, error) {
	d := newRecordPDF(by, p, s.o.Now().UTC())
	d.most = most
	d.front(sum)
	for l, err := range s.Record(ctx, by, p) {
		if err != nil {
			return nil, err
		}
		if l.Kind == LineRow && l.Listing.Name == "" && !l.At.IsZero() {
			continue // a row of a batch without a hit is in the numbers of its batch, and in the CSV
		}
		if d.lines == d.most {
			d.cut(l, sum.lines())
			break
		}
		d.line(l)
	}
	d.end()
	return d, nil
}

// MostPrinted is how many lines of the record one printed document holds: the whole of it is held until it is written.
const MostPrinted = 30_000

// cut ends a document that would be too long, before a line, and says so on its first page too.
func (d *recordPDF) cut(next RecordLine, all int) {
	where := fmt.Sprintf("it ends after %d lines. The record goes on with: %s, %s.", d.most, strings.ToLower(sectionTitles[next.Kind]), minute(next.At))
	how := "Take the record as CSV, which is whole, or print the period in parts of at most " + d.parts(all) + "."
	d.room(5)
	d.y += 4
	d.write("B", 10, 0, "This document is cut: "+where)
	d.write("B", 10, 0, how)
	last, y := d.f.PageNo(), d.y
	d.f.SetPage(1)
	d.f.SetFont(pdfFont, "", 5) // so that the font is named on this page again
	d.y = d.note
	d.write("B", 9, 0, "This document is cut: "+where+" "+how)
	d.f.SetPage(last)
	d.f.SetFont(pdfFont, "", 5)
	d.y = y
}

// parts says how much of the period one document holds, and which part comes first.
func (d *recordPDF) parts(all int) string {
	whole := max(1, int(d.p.To.Sub(d.p.From).Hours()/24))
	n := max(1, whole*d.most/max(all, d.most+1))
	return fmt.Sprintf("%d days, the first %s to %s", n, day(d.p.From), lastDay(d.p.From.AddDate(0, 0, n)))
}

// recordPDF is the record as a document that grows.
type recordPDF struct {
	f       *fpdf.Fpdf
	by      polder.Actor
	p       Period
	made    time.Time
	y       float64
	lines   int
	most    int     // lines that it holds
	note    float64 // where the first page has room for a note
	section LineKind
	strange bool // something was not printed as it is
	lists   map[string]lists.Meta
}

func newRecordPDF(by polder.Actor, p Period, made time.Time) *recordPDF {
	d := &recordPDF{f: fpdf.New("P", "mm", "A4", ""), by: by, p: p, made: made, most: MostPrinted, lists: map[string]lists.Meta{}}
	if d.p.Organisation == "" {
		d.p.Organisation = string(by.Org)
	}
	f := d.f
	f.SetAutoPageBreak(false, 0)
	f.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	f.SetCellMargin(0)
	f.SetCreationDate(made)
	f.SetModificationDate(made)
	f.SetProducer("Polder", true)
	f.SetTitle("Record of screening", true)
	f.SetLang("en")
	f.AddUTF8FontFromBytes(pdfFont, "", goregular.TTF)
	f.AddUTF8FontFromBytes(pdfFont, "B", gobold.TTF)
	f.SetFooterFunc(func() {
		f.SetFont(pdfFont, "", 7)
		f.Text(pdfMargin, pdfHeight-9, fmt.Sprintf("Record of screening, %s to %s. Made %s by %s. It is confidential to the organisation.", day(p.From), lastDay(p.To), minute(made), d.plain(whoActs(by), 60)))
		f.Text(pdfWidth-pdfMargin-14, pdfHeight-9, fmt.Sprintf("page %d", f.PageNo()))
	})
	d.page()
	return d
}

func day(t time.Time) string     { return t.UTC().Format(time.DateOnly) }
func lastDay(t time.Time) string { return t.Add(-time.Second).UTC().Format(time.DateOnly) }
func minute(t time.Time) string  { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

// page begins a page.
func (d *recordPDF) page() {
	d.f.AddPage()
	d.y = pdfMargin + 2
}

// write writes a paragraph, over as many lines and pages as it takes.
func (d *recordPDF) write(style string, size, indent float64, text string) {
	if text == "" {
		return
	}
	d.f.SetFont(pdfFont, style, size)
	step := pdfLine * size / pdfText
	for _, line := range d.f.SplitText(text, pdfWidth-2*pdfMargin-indent) {
		if d.y+step > pdfHeight-pdfMargin {
			d.page()
			d.f.SetFont(pdfFont, style, size)
		}
		d.y += step
		d.f.Text(pdfMargin+indent, d.y, strings.TrimRight(line, " "))
	}
}

// room begins a page when fewer than n lines fit.
func (d *recordPDF) room(n float64) {
	if d.y+n*pdfLine > pdfHeight-pdfMargin {
		d.page()
	}
}

// plain is a text of others, fit to be printed, at most n characters.
func (d *recordPDF) plain(s string, n int) string {
	s, as := paper.Text(clip(s, n))
	d.strange = d.strange || !as
	return s
}

// front is the first page: what this is, of whom, and the numbers.
func (d *recordPDF) front(sum recordSum) {
	d.write("B", 18, 0, "Record of screening")
	d.y += 3
	d.write("", 11, 0, d.plain(d.p.Organisation, 300))
	d.write("", 11, 0, "From "+day(d.p.From)+" to "+lastDay(d.p.To))
	d.y += 3
	d.write("", pdfText, 0, "Made "+minute(d.made)+" by "+d.plain(whoActs(d.by), 100)+". Times are in UTC. The lists that were asked, with their dates and hashes, are at the end.")
	d.note = d.y
	d.y += 5 * pdfLine
	for _, l := range [][2]string{
		{"Answers on record", number(sum.screenings) + ", of which " + number(sum.screeningsHit) + " met a listing"},
		{"Rows of batches", number(sum.rows) + ", of which " + number(sum.rowsHit) + " met a listing"},
		{"Reviews opened", number(sum.verdicts[StepOpened]) + ", and " + number(sum.verdicts[StepReopened]+sum.verdicts[StepRelisted]) + " seen again after a change"},
		{"Decisions", number(sum.verdicts[VerdictTrue]) + " times the same party, " + number(sum.verdicts[VerdictFalse]) + " times another one, " + number(sum.verdicts[VerdictMore]) + " questions"},
		{"Waiting for a person", number(sum.waiting) + ", as this was made"},
	} {
		d.write("B", 9, 0, l[0])
		d.write("", 9, 4, l[1])
	}
	d.y += 3
	d.write("", pdfText, 0, "No hit means that the lists named, of the dates named, do not have the party under a name that is alike enough. It is no finding that a party is harmless or may be dealt with. What was decided, a person decided.")
	d.write("", pdfText, 0, "Names in scripts that this document has no letters for are romanised in [brackets], or given by their code points, as are characters that would hide or turn what is beside them. The same record as CSV has every name as it is, and every row of a batch; here stand those that met a listing or could not be asked.")
}

func number(n int) string { return strconv.Itoa(n) }

// sectionTitles head the parts of the record.
var sectionTitles = map[LineKind]string{
	LineScreening: "Answers on record", LineBatch: "Batches", LineRow: "Batches", LineRescreening: "Known parties asked again", LineDecision: "Decisions, and what was seen between them",
	LineWaiting: "Waiting for a person", LineErasure: "Erased",
}

// verdictWords are verdicts and steps for people.
var verdictWords = map[Verdict]string{
	VerdictTrue: "THE SAME PARTY", VerdictFalse: "ANOTHER PARTY", VerdictMore: "more must be known", StepOpened: "met for the first time", StepReopened: "opened again",
	StepChanged: "changed", StepUnlisted: "no longer listed", StepRelisted: "listed or met again", StepRemoved: "party no longer known",
}

// line writes one line of the record.
func (d *recordPDF) line(l RecordLine) {
	d.lines++
	if title := sectionTitles[l.Kind]; d.section == "" || sectionTitles[d.section] != title {
		d.room(8)
		d.y += 4
		d.write("B", 12, 0, title)
		d.section = l.Kind
	}
	for _, m := range l.Lists {
		d.lists[listVersion(m)] = m
	}
	if l.SHA256 != "" {
		m := lists.Meta{Name: l.Listing.List, Date: l.ListDate, SHA256: l.SHA256}
		d.lists[m.Name+m.SHA256] = m
	}
	d.room(4)
	d.y += 1.2
	d.write("B", pdfText, 0, d.heading(l))
	if l.Query.Name != "" {
		d.write("", pdfText, 4, "Asked: "+d.asked(l))
	}
	if l.Listing.Name != "" {
		d.write("", pdfText, 4, "Listed: "+d.listed(l))
	}
	if l.Reason != "" {
		d.write("", pdfText, 4, d.plain(l.Reason, maxReason))
	}
	if l.Kind != LineDecision && len(l.Lists) > 0 && l.Kind != LineRow {
		d.write("", pdfText, 4, "Lists: "+d.plain(listNames(l.Lists), 2000))
	}
}

// heading says when, what and who.
func (d *recordPDF) heading(l RecordLine) string {
	what := l.What
	if l.Kind == LineDecision {
		what = verdictWords[Verdict(l.What)]
	}
	when := "not yet"
	if !l.At.IsZero() {
		when = minute(l.At)
	}
	out := when + "  " + what
	if l.Kind == LineDecision && l.State == StateSecond {
		out += ", waits for a second person"
	}
	if l.By != "" {
		out += "  by " + d.plain(l.By, 100)
	}
	if l.Listing.Score > 0 {
		out += "  score " + scoreText(l.Listing.Score)
	}
	return out
}

// asked names the party.
func (d *recordPDF) asked(l RecordLine) string {
	q, parts := l.Query, []string{d.plain(l.Query.Name, 300)}
	for _, p := range []string{q.Ref, q.Country, q.Birth, identifiersText(q.Identifiers)} {
		if p != "" {
			parts = append(parts, d.plain(p, 200))
		}
	}
	if q.Type > 0 {
		parts = append(parts, q.Type.String())
	}
	if l.Group != "" {
		parts = append(parts, "in "+d.plain(l.Group, 50))
	}
	return strings.Join(parts, ", ")
}

// listed names the listing.
func (d *recordPDF) listed(l RecordLine) string {
	out := d.plain(l.Listing.Name, 300) + ", " + d.plain(l.Listing.List, 60) + " " + d.plain(l.Listing.ID, 100)
	if l.ListDate != "" {
		out += ", list of " + d.plain(l.ListDate, 20)
	}
	if l.SHA256 != "" {
		out += ", sha256 " + d.plain(l.SHA256, 12)
	}
	return out
}

func listNames(ms []lists.Meta) string {
	var out []string
	for _, m := range ms {
		out = append(out, strings.TrimSpace(m.Name+" "+m.Date))
	}
	return strings.Join(out, ", ")
}

// end writes the lists.
func (d *recordPDF) end() {
	if d.lines == 0 {
		d.y += 4
		d.write("B", 10, 0, "Nothing is on record for this period.")
	}
	var all []lists.Meta
	seen := map[string]bool{}
	for _, m := range d.lists {
		if key := m.Name + m.SHA256; !seen[key] {
			seen[key] = true
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b lists.Meta) int {
		return strings.Compare(a.Name+"\x00"+a.Date+a.SHA256, b.Name+"\x00"+b.Date+b.SHA256)
	})
	if len(all) > 0 {
		d.room(8)
		d.y += 4
		d.write("B", 12, 0, "Lists")
	}
	for _, m := range all {
		d.room(3)
		d.y += 1
		d.write("B", pdfText, 0, strings.TrimSpace(d.plain(m.Name, 100)+" "+d.plain(m.Date, 20)))
		d.write("", pdfText, 4, "sha256 "+d.plain(m.SHA256, 64))
	}
	if d.strange {
		d.room(3)
		d.y += 3
		d.write("B", pdfText, 0, "This document holds names in [brackets] or code points that are written otherwise; the CSV of the same record has them as they are.")
	}
}
