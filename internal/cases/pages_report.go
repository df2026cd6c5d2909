package cases

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// The pages for who reports stand beside the console: in a shell and languages of their own, without an account, and
// without a cookie, read or set. What a browser with script seals goes to the API and never comes here; what comes here
// is sealed by the service in the same breath. No answer is kept by a browser, and no address holds more than the alias
// of a desk and a language.
type reportPages struct {
	leaflet *web.Leaflet
	help    Help
}

// newReportPages reads the pages from files: [reportFiles], or a folder like it with more languages.
func newReportPages(site *web.Site, files fs.FS) (*reportPages, error) {
	l, err := site.Leaflet(files)
	if err != nil {
		return nil, err
	}
	help, err := LoadHelp()
	return &reportPages{l, help}, err
}

// embeddedReportPages are those in the binary, which a test reads.
func embeddedReportPages(site *web.Site) *reportPages {
	files, err := fs.Sub(reportFiles, "report")
	if err != nil {
		panic(err)
	}
	pages, err := newReportPages(site, files)
	if err != nil {
		panic(err)
	}
	return pages
}

// SetHelp takes the contacts for people who are pressed. It is called before [Pages.Routes], if at all.
func (p *Pages) SetHelp(h Help) { p.reporter.help = h }

func (p *Pages) reportRoutes() []web.Route {
	open := func(method, pattern, exit string, h http.HandlerFunc) web.Route {
		return web.Route{Method: method, Pattern: pattern, Need: web.Public, Unseen: true, Exit: "cases." + exit, Handler: h, Fail: p.reportFail}
	}
	sends := func(pattern, exit string, h http.HandlerFunc) web.Route {
		r := open("POST", pattern, exit, h)
		r.MaxBody, r.Timeout = reportFormBody, reportTimeout
		return r
	}
	return []web.Route{
		open("GET", "/report", "report form", p.reportStart),
		open("GET", "/report/d/{alias}", "report form", p.reportForm),
		sends("/report/d/{alias}", "report form", p.reportSend),
		open("GET", "/report/d/{alias}/readers", "report readers", p.reportReaders),
		open("GET", "/report/thread", "report thread", p.reportEnter),
		open("POST", "/report/thread", "report thread", p.reportOpen),
		open("POST", "/report/thread/say", "report thread", p.reportSay),
		open("GET", "/report/pressed", "report pressed", p.reportPressed),
		open("GET", "/report/pressed/{alias}", "report pressed", p.reportPressedDesk),
		sends("/report/pressed/{alias}", "report pressed", p.reportPressedSend),
		open("GET", "/report/closed", "report closed", p.reportClosed),
		open("GET", "/report/mail.txt", "report mail", p.reportMail),
	}
}

// reportFail says in plain words that a page cannot be shown.
func (p *Pages) reportFail(w http.ResponseWriter, r *http.Request, err error) {
	words := p.reporter.leaflet.Words(r)
	key := map[polder.Kind]string{polder.NotFound: "fault.gone", polder.TooLarge: "fault.large", polder.Limited: "fault.limited", polder.Unavailable: "fault.limited"}[polder.KindOf(web.Translate(err))]
	if key == "" {
		key = "fault.later"
	}
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "fault", Title: words.T("fault.page"), Status: web.Status(err), Stays: r.Method == http.MethodPost, Data: words.T(key)})
}

// reportDesk is a desk to choose.
type reportDesk struct{ Name, Organisation, Path string }

// reportListed are the desks that anybody may know of, those for people who are pressed or the others.
func (p *Pages) reportListed(r *http.Request, pressed bool) ([]DeskView, error) {
	desks, err := p.Desks(r.Context())
	return slices.DeleteFunc(desks, func(d DeskView) bool { return (d.Kind == DeskPressed) != pressed }), err
}

func reportDeskLinks(desks []DeskView, below string) []reportDesk {
	var all []reportDesk
	for _, d := range desks {
		all = append(all, reportDesk{d.Name, d.Organisation, below + d.Alias})
	}
	return all
}

// reportStart is the form of the only desk, or the choice between several.
func (p *Pages) reportStart(w http.ResponseWriter, r *http.Request) {
	desks, err := p.reportListed(r, false)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	words := p.reporter.leaflet.Words(r)
	switch len(desks) {
	case 0:
		p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "none", Title: words.T("none.title"), Lede: words.T("none.lede")})
	case 1:
		p.reportShow(w, r, p.newReportForm(r, desks[0], false))
	default:
		p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "choose", Title: words.T("choose.title"), Lede: words.T("choose.lede"), Data: reportDeskLinks(desks, "/report/d/")})
	}
}

// reportForm is the form of a desk by its alias, listed or not.
func (p *Pages) reportForm(w http.ResponseWriter, r *http.Request) {
	desk, ok := p.reportDeskOf(w, r, false)
	if !ok {
		return
	}
	others, err := p.reportListed(r, false)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	p.reportShow(w, r, p.newReportForm(r, desk, len(others) > 1))
}

// reportDeskOf is the desk in the address. One of the other kind has its own page, and the browser is sent there.
func (p *Pages) reportDeskOf(w http.ResponseWriter, r *http.Request, pressed bool) (DeskView, bool) {
	desk, err := p.DeskNamed(r.Context(), r.PathValue("alias"))
	if err != nil {
		web.Problem(w, r, err)
		return desk, false
	}
	if (desk.Kind == DeskPressed) != pressed {
		http.Redirect(w, r, web.InLanguage(reportPagePath(desk), p.reporter.leaflet.Words(r).Lang()), http.StatusSeeOther)
		return desk, false
	}
	return desk, true
}

// reportPagePath is where the form of a desk stands.
func reportPagePath(d DeskView) string {
	if d.Kind == DeskPressed {
		return "/report/pressed/" + d.Alias
	}
	return "/report/d/" + d.Alias
}

func (p *Pages) reportShow(w http.ResponseWriter, r *http.Request, f reportForm) {
	words := p.reporter.leaflet.Words(r)
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "form", Title: words.T("form.title"), Lede: words.T("form.lede"), Scripts: []string{"report.js"},
		Status: f.status(), Stays: r.Method == http.MethodPost, Data: f})
}

// reportSend takes a form of a browser without script: what it says is sealed before anything is answered.
func (p *Pages) reportSend(w http.ResponseWriter, r *http.Request) {
	desk, ok := p.reportDeskOf(w, r, false)
	if !ok {
		return
	}
	values, files, err := p.readReportForm(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	f := p.newReportForm(r, desk, true)
	f.take(values)
	answers := f.answers(files)
	if len(f.Errors) > 0 {
		p.reportShow(w, r, f)
		return
	}
	post := ReportPost{To: desk.Alias, Answers: &answers, Anonymous: !f.Values.Named, Plain: files.kept, Once: f.Once}
	if answers.MayKnow == "team" {
		post.Also = "team"
	}
	p.reportPost(w, r, f, post, p.reportShow)
}

// reportPost hands a report to the service and shows the receipt, or the form again with what went wrong.
func (p *Pages) reportPost(w http.ResponseWriter, r *http.Request, f reportForm, post ReportPost, again func(http.ResponseWriter, *http.Request, reportForm)) {
	posted, err := p.PostReport(r.Context(), web.From(r), post)
	switch {
	case err == nil:
		p.reportSent(w, r, f, post, posted)
	case web.Mendable(err) || polder.KindOf(err) == polder.Limited || polder.KindOf(err) == polder.Unavailable:
		f.Fault, f.code = f.words.T("fault.text"), web.Status(err)
		again(w, r, f)
	default:
		web.Problem(w, r, err)
	}
}

// reportSentView is the panel of a receipt. Where script runs it waits in the form, hidden and empty.
type reportSentView struct {
	Shown   bool
	Receipt string
	ID      string
	Where   string // where one comes back
	Desk    DeskView
	Readers []Reader // who can read it
}

func (p *Pages) reportSent(w http.ResponseWriter, r *http.Request, f reportForm, post ReportPost, posted ReportPosted) {
	sent := f.Sent()
	sent.Shown, sent.Receipt, sent.ID = true, string(posted.Receipt), posted.ID
	sent.Readers = slices.Clone(f.Desk.Readers)
	if post.Also != "" && f.Desk.Team != nil {
		sent.Readers = append(sent.Readers, f.Desk.Team.Readers...)
	}
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "sent", Title: f.words.T("sent.title"), Lede: f.words.T("sent.lede.server"), Stays: true,
		Data: sent})
}

// reportClosed is where one is after leaving quickly: a page that says nothing.
func (p *Pages) reportClosed(w http.ResponseWriter, r *http.Request) {
	words := p.reporter.leaflet.Words(r)
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "closed", Title: words.T("closed.title"), Bare: true})
}

// reportMail is the text of an e-mail with the six questions, addressed to the desk that ?to= names, or the only one.
func (p *Pages) reportMail(w http.ResponseWriter, r *http.Request) {
	desks, err := p.reportListed(r, false)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	name := ""
	if len(desks) == 1 {
		name = desks[0].Name
	}
	if alias := r.URL.Query().Get("to"); alias != "" {
		desk, err := p.DeskNamed(r.Context(), alias)
		if err != nil {
			web.Problem(w, r, err)
			return
		}
		name = desk.Name
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, mailTemplateFor(p.reporter.leaflet.Words(r).Lang(), name))
}

// reportPageOnce names one sending, so that the same one again makes no second report.
func reportPageOnce() string { return rand.Text() }

// reportMonths are the names of the months, for scripts.
func reportMonths(words web.Words) string {
	var names []string
	for m := range 12 {
		names = append(names, words.T(fmt.Sprintf("month.%d", m+1)))
	}
	return strings.Join(names, "|")
}

// reportPageDate is a day as people of a language write it.
func reportPageDate(words web.Words, t time.Time) string {
	t = words.Local(t)
	return words.T("date", "day", t.Day(), "month", words.T(fmt.Sprintf("month.%d", t.Month())), "year", fmt.Sprint(t.Year()))
}
