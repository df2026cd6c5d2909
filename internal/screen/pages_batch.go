package screen

import (
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

const (
	maxShownBatches = 50
	batchPage       = 100 // rows of results on a page
)

// batches is the page of files of parties that are asked in the background.
func (p *Pages) batches(w http.ResponseWriter, r *http.Request) error {
	return p.showBatches(w, r, nil)
}

func (p *Pages) showBatches(w http.ResponseWriter, r *http.Request, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	all, err := p.Batches(r.Context(), by, maxShownBatches)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/batches"), Alerts: pageNotDone(words, failed)}
	t := pageTable{Label: words.T("screen.tab.batches"), Heads: web.PlainHeads(words.T("screen.batch"), words.T("screen.state"), "#"+words.T("screen.batch.rows"), "#"+words.T("screen.batch.met"), words.T("screen.batch.made")), Empty: web.Empty{Icon: "layers", Title: words.T("screen.batches.none"), Text: words.T("screen.batches.none-text")}}
	for _, b := range all {
		t.add(pageRow{Name: pageOr(b.Name, b.ID), Href: pagePath("/screen/batches", b.ID), Sub: b.By, Cells: []pageCell{{Mark: batchMark(words, b)}, {Text: words.T("screen.batch.done-of", "n", b.Done, "of", b.Total)}, {Text: words.Number(int64(b.Met))}, {At: b.Made}}})
	}
	v.add(pageBlock(words.T("screen.batches.count", "n", len(all)), "", "table", t))
	if contributes(by) {
		v.beside(pageBlock(words.T("screen.batches.add"), "", "form", pageForm{Action: "/screen/batches", Files: true, Primary: true, Submit: words.T("screen.batches.do"), Note: words.T("screen.batches.note"), Fields: []web.Field{
			{Name: "name", Label: words.T("screen.batches.name"), Help: words.T("screen.batches.name-help"), Max: maxShort}, {Name: "file", Label: words.T("screen.file"), Help: words.T("screen.file.help"), Type: "file", Required: true}}}))
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: words.T("screen.batches"), Lede: words.T("screen.batches.lede", "n", MaxBatchRows), Status: pageStatus(failed), Crumbs: p.crumbs(words), Data: v})
	return nil
}

func batchMark(words web.Words, b Batch) pageMark {
	m := map[BatchState]pageMark{BatchStoring: {"info", "clock", ""}, BatchWaiting: {"info", "clock", ""}, BatchRunning: {"info", "radar", ""}, BatchDone: {"ok", "check", ""}, BatchCancelled: {"", "cross", ""}, BatchCut: {"bad", "alert", ""}}[b.State]
	m.Text = words.T("screen.batch.state." + string(b.State))
	return m
}

func (p *Pages) startBatch(w http.ResponseWriter, r *http.Request) error {
	b, err := p.takeBatch(r)
	if web.Mendable(err) {
		return p.showBatches(w, r, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, pagePath("/screen/batches", b.ID), "screen.batches.added")
}

func (p *Pages) takeBatch(r *http.Request) (Batch, error) {
	f, err := fileOf(r, "file")
	if err != nil {
		return Batch{}, err
	}
	defer f.Close()
	in, err := NewPartyReader(f.name, f.file, PartyOptions{})
	if err != nil {
		return Batch{}, err
	}
	defer in.Close()
	return p.AddBatch(r.Context(), web.ActorOf(r), BatchOrder{Name: pageOr(f.get("name"), f.name)}, fileQueries(in))
}

// progressView is the data of "progress", and of "progress-now", which the stream sends again.
type progressView struct {
	Feed  string
	Done  int
	Says  string
	Gauge web.Gauge
	Text  string
	More  web.Link // to the page as it is now
}

func progressOf(words web.Words, b Batch) progressView {
	v := progressView{Done: b.Done, Says: words.T("screen.batch.of-rows", "n", b.Total), Text: batchText(words, b)}
	if b.Total > 0 {
		v.Gauge.Level = float64(b.Done) / float64(b.Total)
	}
	v.Gauge.Label = words.T("screen.batch.done-of", "n", b.Done, "of", b.Total)
	v.More = web.Link{Text: words.T("screen.batch.look"), Href: pagePath("/screen/batches", b.ID)}
	if !b.State.ended() {
		v.Feed = pagePath("/screen/batches", b.ID, "progress")
	}
	return v
}

// batchText says how a batch stands.
func batchText(words web.Words, b Batch) string {
	return words.T("screen.batch.state."+string(b.State)) + " · " + words.T("screen.batch.met-so-far", "n", b.Met)
}

// batch is the page of one batch: how far it is, and what it met.
func (p *Pages) batch(w http.ResponseWriter, r *http.Request) error {
	words, by, id := web.WordsOf(r), web.ActorOf(r), r.PathValue("id")
	b, err := p.Batch(r.Context(), by, id)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/batches")}
	v.add(pageBlock(words.T("screen.batch.progress"), "", "progress", progressOf(words, b)))
	if b.Refused > 0 {
		refused, err := p.BatchRows(r.Context(), by, id, BatchFilter{Fault: true, Limit: maxShownFaults})
		if err != nil {
			return err
		}
		v.Alerts = append(v.Alerts, faultsAlert(words, b.Refused, rowFaults(refused)))
	}
	results, err := p.resultsBlock(r, words, b)
	if err != nil {
		return err
	}
	v.add(results)
	v.beside(pageBlock(words.T("screen.batch.about"), "", "facts", aboutBatch(words, b)))
	v.Actions = append(v.Actions, web.Action{Label: words.T("screen.batch.queue"), Href: "/screen/queue?state=all&batch=" + id, Icon: "list"}, web.Action{Label: words.T("screen.batch.download"), Href: pagePath("/screen/batches", id, "results"), Icon: "save"})
	if contributes(by) && !b.State.ended() {
		v.Dialogs = append(v.Dialogs, web.Dialog{ID: "stop", Title: words.T("screen.batch.stop.title"), Text: words.T("screen.batch.stop.text"), Action: pagePath("/screen/batches", id, "stop"), Page: pagePath("/screen/batches", id), Open: words.T("screen.batch.stop.open"), Submit: words.T("screen.batch.stop.do"), Keep: words.T("screen.batch.stop.keep")})
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: pageOr(b.Name, b.ID), Lede: batchLede(words, b), Crumbs: p.crumbs(words, web.Link{Text: words.T("screen.batches"), Href: "/screen/batches"}), Data: v})
	return nil
}

// resultsBlock lists the rows of a batch: those that met something, or all.
func (p *Pages) resultsBlock(r *http.Request, words web.Words, b Batch) (web.Block, error) {
	after, every := 0, r.URL.Query().Get("rows") == "all"
	if text := r.URL.Query().Get("next"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return web.Block{}, polder.Errorf(polder.Invalid, "next: %.40q is not where a page of this batch begins", text)
		}
		after = n
	}
	rows, err := p.BatchRows(r.Context(), web.ActorOf(r), b.ID, BatchFilter{Hit: !every, After: after, Limit: batchPage})
	if err != nil {
		return web.Block{}, err
	}
	t := pageTable{Label: words.T("screen.batch.results"), Heads: web.PlainHeads(words.T("screen.yours"), "#"+words.T("screen.batch.row"), words.T("screen.batch.met"), "#"+words.T("screen.score")), Empty: emptyRows(words, b, after)}
	for _, row := range rows {
		t.add(batchRow(words, b, row))
	}
	next := ""
	if len(rows) == batchPage {
		next = strconv.Itoa(rows[len(rows)-1].N)
	}
	t.Pager = web.NextPart(r.URL, next, after > 0)
	out := pageBlock(words.T("screen.batch.results"), "", "table", t)
	out.More = web.Link{Text: words.T("screen.batch.all-rows"), Href: pagePath("/screen/batches", b.ID) + "?rows=all"}
	if every {
		out.More = web.Link{Text: words.T("screen.batch.met-rows"), Href: pagePath("/screen/batches", b.ID)}
	}
	return out, nil
}

// rowFaults say of rows why each cannot be asked about.
func rowFaults(rows []BatchRow) (out []string) {
	for _, r := range rows {
		out = append(out, rowFault(r.N, r.Fault))
	}
	return out
}

// faultsAlert tells of rows that were refused: how many, and of the first of them why.
func faultsAlert(words web.Words, n int, faults []string) web.Alert {
	shown := faults[:min(len(faults), maxShownFaults)]
	text := strings.Join(shown, "; ")
	if more := n - len(shown); more > 0 {
		text += "; " + words.T("screen.and-more", "n", more)
	}
	return web.Alert{Class: "warn", Title: words.T("screen.parties.refused", "n", n), Text: text}
}

func batchLede(words web.Words, b Batch) string {
	switch {
	case b.State == BatchCut:
		return words.T("screen.batch.lede.cut")
	case b.Met > 0:
		return words.T("screen.batch.lede.met", "n", b.Met, "of", b.Done)
	case b.Done == 0:
		return words.T("screen.batch.lede.waits")
	}
	return words.T("screen.batch.lede.none", "n", b.Done, "lists", len(b.Lists)) + " " + words.T("screen.answer.no-clearance")
}

func emptyRows(words web.Words, b Batch, after int) web.Empty {
	switch {
	case after > 0:
		return web.Empty{Icon: "layers", Title: words.T("screen.batch.no-more"), Text: words.T("screen.batch.no-more-text")}
	case !b.State.ended():
		return web.Empty{Icon: "clock", Title: words.T("screen.batch.nothing-yet"), Text: words.T("screen.batch.nothing-yet-text")}
	}
	return web.Empty{Icon: "list", Title: words.T("screen.batch.none"), Text: askedText(words, b.Lists) + " " + words.T("screen.answer.no-clearance")}
}

func batchRow(words web.Words, b Batch, row BatchRow) pageRow {
	out := pageRow{Name: web.Clip(row.Query.Name, maxLine), Foreign: true, Sub: row.Query.Ref, Cells: []pageCell{{Text: words.Number(int64(row.N))}, {Text: words.T("screen.batch.no-hit")}, {}}}
	switch {
	case row.Fault != "":
		out.Cells[1].Text = row.Fault
	case row.At.IsZero():
		out.Cells[1].Text = words.T("screen.batch.not-yet")
	}
	if len(row.Hits) > 0 {
		best := row.Hits[0]
		out.Cells[1] = pageCell{Text: web.Clip(best.Name, maxLine), Foreign: true, Sub: listTitle(metaOf(b.Lists, best.List))}
		if more := len(row.Hits) - 1; more > 0 {
			out.Cells[1].Sub += " · " + words.T("screen.and-more", "n", more)
		}
		out.Cells[2].Text = strconv.Itoa(pageHundred(best.Score))
		if best.Review != "" {
			out.Href = pagePath("/screen/reviews", best.Review) + "?state=all&batch=" + b.ID
		}
	}
	return out
}

func aboutBatch(words web.Words, b Batch) []web.Pair {
	out := []web.Pair{{Term: words.T("screen.state"), Text: words.T("screen.batch.state." + string(b.State))}, {Term: words.T("screen.batch.made"), Text: words.When(b.Made)}, {Term: words.T("screen.batch.by"), Text: b.By},
		{Term: words.T("screen.threshold"), Text: meaningText(words, b.Threshold)}, {Term: words.T("screen.batch.opened"), Text: words.Number(int64(b.New))}}
	if !b.Ended.IsZero() {
		out = append(out, web.Pair{Term: words.T("screen.batch.ended"), Text: words.When(b.Ended)})
	}
	if len(b.Lists) > 0 {
		out = append(out, web.Pair{Term: words.T("screen.lists.asked"), Text: againstText(words, b.Lists)})
	}
	return out
}

// progress is the stream behind the page of a batch: an event "now" each time it has moved, with the figures as they
// are then. It ends when the batch does, or when whoever reads may not any more.
func (p *Pages) progress(w http.ResponseWriter, r *http.Request) error {
	words, by, id := web.WordsOf(r), web.ActorOf(r), r.PathValue("id")
	changed := p.Changed()
	b, err := p.Batch(r.Context(), by, id)
	if err != nil {
		return err
	}
	out, err := web.OpenStream(w, r)
	if err != nil {
		return nil // whoever asked has gone
	}
	for last := (Batch{Done: -1}); ; {
		if b.Done != last.Done || b.State != last.State {
			now, err := p.site.Fragment(words, "screen/progress-now", progressOf(words, b))
			if err == nil {
				name := "now"
				if b.State.ended() {
					name = "end"
				}
				err = out.Send(web.ServerEvent{ID: strconv.Itoa(b.Done), Name: name, Data: now})
			}
			if err != nil {
				return nil
			}
			last = b
		}
		if b.State.ended() || out.Wait(r.Context(), changed) != nil {
			return nil
		}
		changed = p.Changed()
		if p.more.Accounts != nil {
			if by, err = p.more.Accounts.Refresh(r.Context(), by); err != nil {
				return nil
			}
		}
		if b, err = p.Batch(r.Context(), by, id); err != nil {
			return nil
		}
	}
}

func (p *Pages) stopBatch(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := p.CancelBatch(r.Context(), web.ActorOf(r), id); err != nil {
		return err
	}
	return p.done(w, r, pagePath("/screen/batches", id), "screen.batch.stopped")
}

// results sends what a batch met as a table that a spreadsheet opens safely.
func (p *Pages) results(w http.ResponseWriter, r *http.Request) error {
	return sendResults(w, r, p.Service)
}

// sendResults sends the rows of a batch as CSV: a line for each hit, and one for each row that met nothing.
func sendResults(w http.ResponseWriter, r *http.Request, s *Service) error {
	by, id := web.ActorOf(r), r.PathValue("id")
	if _, err := s.Batch(r.Context(), by, id); err != nil {
		return err
	}
	return sendFile(w, "text/csv; charset=utf-8", "batch-"+id+".csv", func(out io.Writer) error {
		table := csv.NewWriter(out)
		if err := table.Write([]string{"row", "ref", "name", "asked", "fault", "list", "id", "listed", "score", "decided", "review"}); err != nil {
			return err
		}
		for after := 0; ; {
			rows, err := s.BatchRows(r.Context(), by, id, BatchFilter{After: after, Limit: 1000})
			if err != nil || len(rows) == 0 {
				table.Flush()
				return errors.Join(err, table.Error())
			}
			for _, row := range rows {
				if err := table.WriteAll(resultLines(row)); err != nil {
					return err
				}
			}
			after = rows[len(rows)-1].N
		}
	})
}

func resultLines(row BatchRow) [][]string {
	first := []string{strconv.Itoa(row.N), guardCell(row.Query.Ref), guardCell(row.Query.Name), strconv.FormatBool(!row.At.IsZero()), guardCell(row.Fault)}
	if len(row.Hits) == 0 {
		return [][]string{append(first, "", "", "", "", "", "")}
	}
	var out [][]string
	for _, h := range row.Hits {
		out = append(out, append(slices.Clone(first), guardCell(h.List), guardCell(h.ID), guardCell(h.Name), strconv.FormatFloat(h.Score, 'f', 3, 64), h.Known, h.Review))
	}
	return out
}
