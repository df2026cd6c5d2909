package cases

import (
	"net/http"
	"time"

	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// reportKeyPage is the page of who can read for a desk, and how anybody checks it.
type reportKeyPage struct {
	Desk DeskView
	Logs []reportKeyLog
	Back string
}

// reportKeyLog is the list of keys of a desk, each change with its day.
type reportKeyLog struct {
	Name    string // of the desk, where there are two
	Broken  bool
	Entries []reportKeyEntry
}

// reportKeyEntry is one change of a list of keys.
type reportKeyEntry struct{ Stamp, Date, Text, Fingerprint string }

func (p *Pages) reportReaders(w http.ResponseWriter, r *http.Request) {
	desk, err := p.DeskNamed(r.Context(), r.PathValue("alias"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	words := p.reporter.leaflet.Words(r)
	page := reportKeyPage{Desk: desk, Logs: []reportKeyLog{newReportKeyLog(words, "", desk.Log)}, Back: reportPagePath(desk)}
	if desk.Team != nil {
		page.Logs[0].Name = desk.Name
		page.Logs = append(page.Logs, newReportKeyLog(words, desk.Team.Name, desk.Team.Log))
	}
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "readers", Title: words.T("readers.title", "desk", desk.Name), Lede: words.T("readers.lede"), Data: page})
}

// newReportKeyLog reads a list of keys. One that does not hold together is shown as such, as far as it can be read.
func newReportKeyLog(words web.Words, name string, log []seal.LogEntry) reportKeyLog {
	page := reportKeyLog{Name: name, Broken: seal.VerifyLog(log) != nil}
	for _, e := range log {
		page.Entries = append(page.Entries, reportKeyEntry{e.At.UTC().Format(time.RFC3339), reportPageDate(words, e.At), words.T("readers.log."+string(e.Did), "name", e.Name), e.Key.Fingerprint()})
	}
	return page
}
