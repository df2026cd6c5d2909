package screen

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/names"
)

// maxShownErased is how many erasures the page of the record tells of.
const maxShownErased = 20

// screeningTable lists answers on record.
func screeningTable(words web.Words, all []Screening) pageTable {
	t := pageTable{Label: words.T("screen.record"), Heads: web.PlainHeads(words.T("screen.yours"), words.T("screen.record.answer"), words.T("screen.record.by"), words.T("screen.screened")), Empty: web.Empty{Icon: "doc", Title: words.T("screen.record.none"), Text: words.T("screen.record.none-text")}}
	for _, s := range all {
		answer := pageMark{"", "list", words.T("screen.parties.no-hit")}
		if n := len(s.Hits) + s.More; n > 0 {
			answer = pageMark{"warn", "eye", words.T("screen.hits.count", "n", n)}
		}
		t.add(pageRow{Name: web.Clip(s.Query.Name, maxLine), Foreign: true, Href: pagePath("/screen/record", s.ID), Sub: web.Clip(s.Note, 120), Cells: []pageCell{{Mark: answer}, {Text: s.By}, {At: s.At}}})
	}
	return t
}

// recordPage lists what is on record, and gives it to an auditor.
func (p *Pages) recordPage(w http.ResponseWriter, r *http.Request) error {
	words, by, q := web.WordsOf(r), web.ActorOf(r), r.URL.Query()
	f := ScreeningFilter{Hit: q.Get("hit") == "yes", Next: q.Get("next")}
	page, err := p.Screenings(r.Context(), by, f)
	if err != nil {
		return err
	}
	gone, err := p.Tombstones(r.Context(), by, maxShownErased)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/record")}
	t := screeningTable(words, page.Screenings)
	t.Pager = web.NextPart(r.URL, page.Next, f.Next != "")
	head := pageBlock(words.T("screen.record.answers"), "", "table", t)
	head.More = web.Link{Text: words.T("screen.record.only-hits"), Href: "/screen/record?hit=yes"}
	if f.Hit {
		head.More = web.Link{Text: words.T("screen.record.all"), Href: "/screen/record"}
	}
	v.add(head)
	year := strconv.Itoa(p.more.Now().UTC().Year())
	export := func(form string) web.Block {
		return pageBlock(words.T("screen.record.get-"+form), "", "form", pageForm{Action: "/screen/record." + form, Get: true, Submit: words.T("screen.record.get-" + form), Note: words.T("screen.record.note-" + form), Fields: []web.Field{
			{Name: "from", Label: words.T("screen.record.from"), Type: "date", Value: year + "-01-01", Short: true, Required: true}, {Name: "to", Label: words.T("screen.record.to"), Type: "date", Value: p.more.Now().UTC().Format(time.DateOnly), Short: true, Required: true}}})
	}
	for i, form := range []string{"csv", "pdf"} {
		b := export(form)
		if i > 0 { // the two forms stand on one page: their fields have names of their own
			data := b.Data.(pageForm)
			data.Fields[0].Name, data.Fields[1].Name = "since", "until"
			b.Data = data
		}
		v.beside(b)
	}
	if len(gone) > 0 {
		v.beside(pageBlock(words.T("screen.erased"), "", "history", erasedEvents(words, gone)))
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: words.T("screen.record"), Lede: words.T("screen.record.lede"), Crumbs: p.crumbs(words), Data: v})
	return nil
}

func erasedEvents(words web.Words, gone []Tombstone) (out []web.Event) {
	for _, g := range gone {
		out = append(out, web.Event{At: g.At, Title: words.T("screen.erased.by", "who", pageOr(g.By, words.T("screen.node")), "why", words.T("screen.ground."+string(g.Ground))),
			Text: words.T("screen.erased.what", "parties", g.Parties, "answers", g.Screenings, "reviews", g.Reviews, "decisions", g.Decisions, "rows", g.Rows)})
	}
	return out
}

// screening is the page of one answer on record.
func (p *Pages) screening(w http.ResponseWriter, r *http.Request) error {
	words, by, id := web.WordsOf(r), web.ActorOf(r), r.PathValue("id")
	s, err := p.Screening(r.Context(), by, id)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/record")}
	t := pageTable{Label: words.T("screen.hits"), Heads: web.PlainHeads(words.T("screen.listed"), words.T("screen.list"), "#"+words.T("screen.score")), Empty: web.Empty{Icon: "list", Title: words.T("screen.answer.none", "n", len(s.Lists)), Text: askedText(words, s.Lists) + " " + words.T("screen.answer.no-clearance")}}
	for _, h := range s.Hits {
		row := pageRow{Name: web.Clip(h.Name, maxLine), Foreign: true, Cells: []pageCell{{Text: h.List, Sub: h.ID}, {Text: strconv.Itoa(pageHundred(h.Score))}}}
		if h.Review != "" {
			row.Href = pagePath("/screen/reviews", h.Review) + "?state=all"
		}
		t.add(row)
	}
	if s.More > 0 {
		t.Foot = words.T("screen.and-more", "n", s.More)
	}
	v.add(pageBlock(words.T("screen.hits"), words.T("screen.hits.count", "n", len(s.Hits)+s.More), "table", t))
	asked := pageTable{Label: words.T("screen.lists.asked"), Heads: web.PlainHeads(words.T("screen.list"), words.T("screen.list.date"), words.T("screen.list.hash"))}
	for _, m := range s.Lists {
		asked.add(pageRow{Name: listTitle(m), Cells: []pageCell{{Text: listDate(words, m), Sub: m.Version}, {Text: web.Clip(m.SHA256, 16)}}})
	}
	asked.Empty = web.Empty{Icon: "list", Title: words.T("screen.lists.none"), Text: words.T("screen.lists.none-text")}
	v.add(pageBlock(words.T("screen.lists.asked"), "", "table", asked))
	one := Party{Query: s.Query}
	facts := []web.Pair{{Term: words.T("screen.screened"), Text: words.When(s.At)}, {Term: words.T("screen.record.by"), Text: s.By}, {Term: words.T("screen.threshold"), Text: meaningText(words, s.Threshold)}}
	if s.Note != "" {
		facts = append(facts, web.Pair{Term: words.T("screen.keep.for"), Text: s.Note})
	}
	if one.Query.Type != names.Any {
		facts = append(facts, web.Pair{Term: words.T("screen.type"), Text: words.T("screen.type." + one.Query.Type.String())})
	}
	v.beside(pageBlock(words.T("screen.record.about"), "", "facts", facts))
	if stewards(by) {
		v.Dialogs = append(v.Dialogs, eraseDialog(words, pagePath("/screen/record", id), "screen.record.erase."))
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: web.Clip(oneLine(s.Query.Name), 160), Lede: screeningLede(words, s), Crumbs: p.crumbs(words, web.Link{Text: words.T("screen.record"), Href: "/screen/record"}), Data: v})
	return nil
}

func screeningLede(words web.Words, s Screening) string {
	if n := len(s.Hits) + s.More; n > 0 {
		return words.T("screen.answer.some", "n", n)
	}
	return words.T("screen.answer.none", "n", len(s.Lists)) + ". " + words.T("screen.answer.no-clearance")
}

func (p *Pages) eraseScreening(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if _, err := p.EraseScreening(r.Context(), web.ActorOf(r), r.PathValue("id"), Ground(values.Get("ground"))); err != nil {
		return err
	}
	return p.done(w, r, "/screen/record", "screen.record.erased")
}

// periodOf reads the days of a record, the last one included. from and to are the names of its values.
func periodOf(r *http.Request, from, to string) (Period, error) {
	q := r.URL.Query()
	day := func(name string) (time.Time, error) {
		t, err := time.Parse(time.DateOnly, q.Get(name))
		if err != nil {
			return t, polder.Errorf(polder.Invalid, "%s: %.40q is no date; write it as 2026-11-22", name, q.Get(name))
		}
		return t, nil
	}
	a, err := day(from)
	if err != nil {
		return Period{}, err
	}
	b, err := day(to)
	if err != nil {
		return Period{}, err
	}
	if b.Before(a) {
		return Period{}, polder.Errorf(polder.Invalid, "%s: lies before %s", to, from)
	}
	return Period{From: a, To: b.AddDate(0, 0, 1), Organisation: web.IdentityIn(r.Context()).OrgName}, nil
}

// download is a file that is sent while it is made. Its head goes out with its first bytes, so that an error before them
// can still be told.
type download struct {
	w         http.ResponseWriter
	mediaType string
	name      string
	began     bool
}

func (d *download) Write(p []byte) (int, error) {
	if !d.began {
		d.began = true
		h := d.w.Header()
		h.Set("Content-Type", d.mediaType)
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, d.name))
		d.w.WriteHeader(http.StatusOK)
	}
	return d.w.Write(p)
}

// heldBack is how much of a file is made before its head goes out.
const heldBack = 64 << 10

// sendFile answers with a file while it is made. When that fails half-way the connection is cut, so that nobody takes
// the half for the whole.
func sendFile(w http.ResponseWriter, mediaType, name string, write func(io.Writer) error) error {
	d := &download{w: w, mediaType: mediaType, name: name}
	out := bufio.NewWriterSize(d, heldBack)
	err := write(out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil && d.began {
		panic(http.ErrAbortHandler)
	}
	return err
}

func (p *Pages) recordCSV(w http.ResponseWriter, r *http.Request) error {
	return sendRecord(w, r, p.Service, "csv", "from", "to")
}

func (p *Pages) recordPDF(w http.ResponseWriter, r *http.Request) error {
	return sendRecord(w, r, p.Service, "pdf", "since", "until")
}

// sendRecord sends the auditor's record of the days that an address names.
func sendRecord(w http.ResponseWriter, r *http.Request, s *Service, form, from, to string) error {
	period, err := periodOf(r, from, to)
	if err != nil {
		return err
	}
	name := "screening-" + period.From.Format(time.DateOnly) + "-" + period.To.AddDate(0, 0, -1).Format(time.DateOnly) + "." + form
	if form == "pdf" {
		return sendFile(w, "application/pdf", name, func(out io.Writer) error { return s.WritePDF(r.Context(), web.ActorOf(r), period, out) })
	}
	return sendFile(w, "text/csv; charset=utf-8", name, func(out io.Writer) error { return s.WriteCSV(r.Context(), web.ActorOf(r), period, out) })
}
