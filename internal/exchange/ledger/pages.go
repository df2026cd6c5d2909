package ledger

import (
	"context"
	"embed"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale
var pageFiles embed.FS

// ConsolePart is what this package brings to the console.
func ConsolePart() web.Part { return web.Part{Name: "log", Files: pageFiles} }

// Pages are the console's page of transparency logs, for the administrator: sizes and times of a log tell how much a node
// delivers, which is nobody else's business.
type Pages struct {
	*Service
	site *web.Site
}

// Pages makes the page of s, on a site that was made with [ConsolePart].
func (s *Service) Pages(site *web.Site) *Pages { return &Pages{s, site} }

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	return []web.NavItem{{Group: web.Node, Path: "/log", Icon: "chain", Title: "log.nav", Need: web.Admin, Order: 60}}
}

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/log", Need: web.Admin, Exit: "log", Handler: web.Handler(p.page).Serve},
		{Method: "GET", Pattern: "/log/checkpoint", Need: web.Admin, Exit: "log.checkpoint", Handler: web.Handler(p.downloadCheckpoint).Serve},
		{Method: "GET", Pattern: "/log/evidence/{n}", Need: web.Admin, Exit: "log.evidence", Handler: web.Handler(p.downloadEvidence).Serve},
	}
}

// logView is the data of templates/page.html.
type logView struct {
	Alerts []web.Alert
	Main   []web.Block
	Aside  []web.Block
}

// logTable is the data of "table".
type logTable struct {
	Label string
	Heads []web.Head
	Rows  []logRow
	Empty web.Empty
	Foot  string
}

type logRow struct {
	Name, Sub string
	Cells     []logCell
}

// logCell is a text, a time, a tag (with Class) or a link, or several of them.
type logCell struct {
	Label, Text string
	Num         bool
	At          time.Time
	Tags        []logTag
	Link        web.Link
}

type logTag struct{ Class, Icon, Text string }

func (t *logTable) add(row logRow) {
	for i := range row.Cells {
		row.Cells[i].Label, row.Cells[i].Num = t.Heads[i+1].Label, t.Heads[i+1].Num
	}
	t.Rows = append(t.Rows, row)
}

func logBlock(title, note, template string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "log/" + template, Data: data}
}

func (p *Pages) page(w http.ResponseWriter, r *http.Request) error {
	words := web.WordsOf(r)
	all, err := p.States(r.Context())
	if err != nil {
		return err
	}
	found, err := p.allEvidence(r.Context())
	if err != nil {
		return err
	}
	v := logView{Alerts: alertsOf(words, all), Aside: []web.Block{tells(words)}}
	own, others := ownTable(words), othersTable(words)
	for _, st := range all {
		if st.Own {
			own.add(logRow{Name: words.T("log.this-node"), Sub: st.Origin, Cells: []logCell{{Text: words.Number(st.Size)}, {At: st.Accepted}, witnessCell(words, st), stateCell(words, st), checkpointCell(words, st)}})
			continue
		}
		others.add(logRow{Name: st.called(), Sub: st.Origin, Cells: []logCell{{Text: words.Number(st.Size)}, {Text: words.Number(int64(st.Logged))}, {Text: words.Number(int64(st.Waiting))},
			{At: st.Accepted}, witnessCell(words, st), stateCell(words, st), checkpointCell(words, st)}})
	}
	v.Main = append(v.Main, logBlock(words.T("log.own"), "", "table", own), logBlock(words.T("log.others"), "", "table", others))
	if len(found) > 0 {
		v.Main = append(v.Main, logBlock(words.T("log.evidence"), "", "table", evidenceTable(words, all, found)))
	}
	p.site.Render(w, r, web.Page{Template: "log/page", Title: words.T("log.title"), Lede: lede(words, all), Crumbs: []web.Link{{Text: words.T("nav.node"), Href: "/"}}, Data: v})
	return nil
}

// called is how a log's node is shown.
func (st State) called() string {
	if st.Name == "" {
		return string(st.Node)
	}
	return st.Name
}

// lede says the finding first.
func lede(words web.Words, all []State) string {
	bad, warn := 0, 0
	for _, st := range all {
		switch {
		case slices.ContainsFunc(st.Alarms, Alarm.Bad):
			bad++
		case len(st.Alarms) > 0:
			warn++
		}
	}
	switch {
	case bad > 0:
		return words.T("log.lede-bad", "n", bad)
	case warn > 0:
		return words.T("log.lede-warn", "n", warn)
	}
	return words.T("log.lede")
}

// tells says what a log tells and what it does not: it stands beside every log.
func tells(words web.Words) web.Block {
	return logBlock(words.T("log.tells"), "", "notes", []web.Mark{
		{Class: "yes", Text: words.T("log.tells.shows")},
		{Class: "no", Text: words.T("log.tells.not")},
		{Class: "mind", Text: words.T("log.tells.size")},
		{Class: "mind", Text: words.T("log.tells.one-story")},
	})
}

func ownTable(words web.Words) logTable {
	return logTable{Label: words.T("log.own"), Heads: web.PlainHeads(words.T("log.log"), "#"+words.T("log.leaves"), words.T("log.signed"), words.T("log.witnesses"), words.T("log.state"), words.T("log.checkpoint")),
		Empty: web.Empty{Icon: "chain", Title: words.T("log.own-none"), Text: words.T("log.own-none-text")}, Foot: words.T("log.own-foot")}
}

func othersTable(words web.Words) logTable {
	return logTable{Label: words.T("log.others"), Heads: web.PlainHeads(words.T("log.node"), "#"+words.T("log.leaves"), "#"+words.T("log.logged"), "#"+words.T("log.waiting"), words.T("log.accepted"), words.T("log.witnesses"), words.T("log.state"), words.T("log.checkpoint")),
		Empty: web.Empty{Icon: "chain", Title: words.T("log.others-none"), Text: words.T("log.others-none-text")}, Foot: words.T("log.others-foot")}
}

func witnessCell(words web.Words, st State) logCell {
	return logCell{Text: words.T("log.n-of-m", "n", st.Witnessed, "m", st.Witnesses), At: st.Signed}
}

func checkpointCell(words web.Words, st State) logCell {
	if st.Size == 0 {
		return logCell{}
	}
	return logCell{Link: web.Link{Text: words.T("log.download"), Href: "/log/checkpoint?log=" + st.Origin}}
}

func stateCell(words web.Words, st State) (c logCell) {
	switch {
	case !st.Ended.IsZero():
		c.Tags, c.At = append(c.Tags, logTag{"info", "clock", words.T("log.restored")}), st.Ended
	case st.Left:
		c.Tags = append(c.Tags, logTag{"info", "block", words.T("log.left")})
	}
	for _, a := range st.Alarms {
		tag := logTag{"warn", "clock", words.T("log.alarm." + a.Kind)}
		if a.Bad() {
			tag.Class, tag.Icon = "bad", "alert"
		}
		if !slices.Contains(c.Tags, tag) {
			c.Tags = append(c.Tags, tag)
		}
	}
	if len(c.Tags) == 0 {
		c.Tags = []logTag{{"ok", "check", words.T("log.sound")}}
	}
	return c
}

// alertsOf are the alarms in sentences, what shows a lie first.
func alertsOf(words web.Words, all []State) (out []web.Alert) {
	for _, bad := range []bool{true, false} {
		for _, st := range all {
			said := map[string]bool{}
			for _, a := range st.Alarms {
				if a.Bad() != bad || said[a.Kind] {
					continue
				}
				said[a.Kind] = true
				alert := web.Alert{Class: "warn", Title: words.T("log.alarm." + a.Kind), Text: words.T("log.alarm."+a.Kind+"-text", "name", st.called(), "at", words.Date(a.Since), "why", a.Text)}
				if bad {
					alert.Class = "bad"
				}
				out = append(out, alert)
			}
		}
	}
	return out
}

func evidenceTable(words web.Words, all []State, found []evidence) logTable {
	names := map[polder.OrgID]string{}
	for _, st := range all {
		names[st.Node] = st.called()
		if st.Own {
			names[st.Node] = words.T("log.this-node")
		}
	}
	t := logTable{Label: words.T("log.evidence"), Heads: web.PlainHeads(words.T("log.what"), words.T("log.node"), words.T("log.when"), words.T("log.evidence-file")), Foot: words.T("log.evidence-foot")}
	for _, e := range found {
		t.add(logRow{Name: words.T("log.alarm." + e.Kind), Cells: []logCell{{Text: names[e.Node]}, {At: e.At}, {Link: web.Link{Text: words.T("log.download"), Href: "/log/evidence/" + strconv.FormatInt(e.ID, 10)}}}})
	}
	return t
}

func (p *Pages) downloadCheckpoint(w http.ResponseWriter, r *http.Request) error {
	_, raw, err := p.Checkpoint(r.Context(), r.URL.Query().Get("log"))
	if err != nil {
		return err
	}
	attach(w, "text/plain; charset=utf-8", "checkpoint.txt")
	_, err = w.Write(raw)
	return err
}

func attach(w http.ResponseWriter, media, name string) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// evidenceFile is a piece of evidence as it is downloaded.
type evidenceFile struct {
	Node   polder.OrgID   `json:"node"`
	Origin string         `json:"origin"`
	Kind   string         `json:"kind"`
	First  string         `json:"first"`
	Second string         `json:"second,omitempty"`
	Detail map[string]any `json:"detail"`
	At     string         `json:"at"`
}

func (p *Pages) downloadEvidence(w http.ResponseWriter, r *http.Request) error {
	found, err := p.allEvidence(r.Context())
	if err != nil {
		return err
	}
	for _, e := range found {
		if strconv.FormatInt(e.ID, 10) != r.PathValue("n") {
			continue
		}
		attach(w, "application/json", "evidence-"+strconv.FormatInt(e.ID, 10)+".json")
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(evidenceFile{e.Node, e.Origin, e.Kind, string(e.First), string(e.Second), e.Detail, stamp(e.At)})
	}
	return polder.Errorf(polder.NotFound, "there is no such evidence")
}

// Card is what the administrator's overview shows while something is wrong.
func (p *Pages) Card(ctx context.Context, by polder.Actor, words web.Words) (web.Block, error) {
	if !web.Admin.Allows(by) {
		return web.Block{}, nil
	}
	all, err := p.States(ctx)
	if err != nil {
		return web.Block{}, err
	}
	var marks []web.Mark
	for _, a := range alertsOf(words, all) {
		marks = append(marks, web.Mark{Class: map[string]string{"bad": "no", "warn": "mind"}[a.Class], Text: a.Text, Href: "/log"})
	}
	if len(marks) == 0 {
		return web.Block{}, nil
	}
	return web.Block{Title: words.T("log.title"), Template: "log/notes", Data: marks, Order: 5, More: web.Link{Text: words.T("log.nav"), Href: "/log"}}, nil
}
