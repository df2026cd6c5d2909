package cases

import (
	"net/http/httptest"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestBrowserReportLooks holds every page to the rules of the console, as a browser without script shows it, at every
// width, light and dark, in both languages.
func TestBrowserReportLooks(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	site := reportSite(t)
	reports := embeddedReportPages(site)
	server := httptest.NewServer(reportHandler(t, reports, site, ""))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/report/closed")
	p.Script(false)
	for name := range reportViews(t, reports, site, "") {
		if name == "fault" {
			continue // it answers 500, of which a browser complains; its parts are those of other pages
		}
		for _, lang := range []string{"en", "nl"} {
			p.Go(server.URL + "/report/" + name + "?lang=" + lang)
			if p.Script(true); lang == "en" {
				p.Check(t)
			}
			p.Pictures("report-" + name + "-" + lang)
			p.Script(false)
		}
	}
}
