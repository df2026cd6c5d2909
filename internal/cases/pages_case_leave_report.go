package cases

import (
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// releaseReport shares something of a report for which there is no case: what its reader chose and wrote on the device comes
// here as a form, is shown as it would leave, and leaves on the reader's word. The node learns no more of the report.
func (p *Pages) releaseReport(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	by, d := web.ActorOf(r), caseReleaseDraftOf(values)
	if d.Report == "" {
		return polder.Errorf(polder.Invalid, "the form does not say which report this is of; open the report and begin there")
	}
	d.Items = nil
	if len(d.Values) > releaseMost {
		return polder.Errorf(polder.TooLarge, "values: %d are more than %d; share them in parts", len(d.Values), releaseMost)
	}
	if values.Get("start") == "yes" {
		if d.Level == stix.None {
			d.Level = stix.Amber
		}
		return p.showReportRelease(w, r, d, nil, p.releaseOfReport(r.Context(), by, ReleaseAsk{Report: d.Report}))
	}
	send := values.Get("send") == "yes"
	a, err := p.ReleaseFrom(r.Context(), by, d.ask("", !send))
	if web.Mendable(err) {
		return p.showReportRelease(w, r, d, nil, err)
	}
	if err != nil {
		return err
	}
	if a.Left {
		return p.caseDone(w, r, casePath("/cases/reports", d.Report), "cases.release.done", "n", len(a.IDs))
	}
	return p.showReportRelease(w, r, d, &a, nil)
}

func (p *Pages) showReportRelease(w http.ResponseWriter, r *http.Request, d caseReleaseDraft, shown *ReleaseAnswer, failed error) error {
	if failed != nil && !web.Mendable(failed) {
		return failed
	}
	words := web.WordsOf(r)
	c := &caseSheet{p: p, ctx: r.Context(), by: web.ActorOf(r), words: words, home: "/cases"}
	t, v := words.T, caseView{Tabs: caseTabs(words, c.by, "/cases/reports"), Alerts: caseNotDone(words, failed)}
	if shown != nil {
		v.across(caseReleaseBlocks(words, "/cases/release", d.hidden(shown.Digest), *shown)...)
	}
	f, ready, err := c.releaseForm(d)
	if err != nil {
		return err
	}
	if ready {
		f.Back, f.Hidden = casePath("/cases/reports", d.Report), []web.Hidden{{Name: "report", Value: d.Report}}
		v.add(caseBlock(t("cases.release.what"), "", "case-form", f))
	} else {
		v.add(caseBlock(t("cases.release.what"), "", "case-nothing", web.Empty{Icon: "people", Title: t("cases.release.nowhere"), Text: t("cases.release.nowhere-text")}))
	}
	v.beside(caseBlock(t("cases.release.rules"), "", "case-marks", []web.Mark{{Icon: "veil", Text: t("cases.release.blind")}, {Icon: "eye", Text: t("cases.release.first")}, {Icon: "lock", Text: t("cases.release.report-rest")}}))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.release.report-title"), Lede: t("cases.release.lede"), Crumbs: []web.Link{{Text: t("cases.tab.reports"), Href: "/cases/reports"}}, Status: caseStatus(failed), Data: v})
	return nil
}
