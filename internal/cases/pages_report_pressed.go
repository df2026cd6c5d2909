package cases

import (
	"net/http"

	"github.com/polder-exchange/polder/internal/web"
)

// reportPressedPage is the way in for somebody who is pressed: whom to call first, then whom to write to. Nothing of it
// is proposed, scored or classified.
type reportPressedPage struct {
	Help   []HelpShown
	Choose []reportDesk
	None   bool // no desk for this was set up
	Form   *reportForm
}

func (p *Pages) reportPressed(w http.ResponseWriter, r *http.Request) {
	desks, err := p.reportListed(r, true)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	page := reportPressedPage{}
	switch len(desks) {
	case 0:
		page.None = true
	case 1:
		f := p.newReportForm(r, desks[0], false)
		page.Form = &f
	default:
		page.Choose = reportDeskLinks(desks, "/report/pressed/")
	}
	p.reportShowPressed(w, r, page)
}

func (p *Pages) reportPressedDesk(w http.ResponseWriter, r *http.Request) {
	if desk, ok := p.reportDeskOf(w, r, true); ok {
		f := p.newReportForm(r, desk, true)
		p.reportShowPressed(w, r, reportPressedPage{Form: &f})
	}
}

func (p *Pages) reportShowPressed(w http.ResponseWriter, r *http.Request, page reportPressedPage) {
	words := p.reporter.leaflet.Words(r)
	page.Help = p.reporter.help.In(words)
	status := 0
	if page.Form != nil {
		status = page.Form.status()
	}
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "pressed", Title: words.T("pressed.title"), Lede: words.T("pressed.lede"), Scripts: []string{"report.js"},
		Status: status, Stays: r.Method == http.MethodPost, Data: page})
}

// reportPressedSend takes the three answers of a browser without script.
func (p *Pages) reportPressedSend(w http.ResponseWriter, r *http.Request) {
	desk, ok := p.reportDeskOf(w, r, true)
	if !ok {
		return
	}
	values, _, err := p.readReportForm(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	f := p.newReportForm(r, desk, true)
	f.take(values)
	again := func(w http.ResponseWriter, r *http.Request, f reportForm) {
		p.reportShowPressed(w, r, reportPressedPage{Form: &f})
	}
	answers := f.pressed()
	if len(f.Errors) > 0 {
		again(w, r, f)
		return
	}
	p.reportPost(w, r, f, ReportPost{To: desk.Alias, Answers: &answers, Anonymous: true, Once: f.Once}, again)
}

// pressed is what somebody who is pressed has said. It is always without a name, and for the desk alone.
func (f *reportForm) pressed() Answers {
	v := f.Values
	f.need("what", v.What != "", "error.asked")
	f.fits("what", "pressed.q1", v.What, reportLongWhat)
	f.fits("call", "pressed.q3", v.Call, reportLongCall)
	return Answers{What: v.What, Call: v.Call, MayKnow: "desk", Language: f.words.Lang(), More: map[string]string{"danger": v.Danger}}
}
