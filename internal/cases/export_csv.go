package cases

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
)

// The tables of a CSV export. Without one, all items stand in one table.
const (
	tableTimeline    = "timeline"
	tableObservables = "observables"
	tableRSIT        = "rsit"
)

var (
	exportTimelineHead   = []string{"at", "tlp", "kind", "title", "text", "reason", "who", "made", "weighs", "due", "done", "sha256", "id"}
	exportObservableHead = []string{"type", "value", "tlp", "adversary", "first_seen", "last_seen", "title", "text", "made", "id"}
	exportAllHead        = []string{"at", "tlp", "kind", "title", "text", "reason", "who", "made", "weighs", "due", "done", "sha256", "type", "value", "adversary", "first_seen", "last_seen", "id"}
	exportRSITHead       = []string{"id", "tlp", "classification", "incident_type", "severity", "status", "occurred", "detected", "closed", "countries", "cross_border", "title"}
)

// exportCSV is a table of a case: one line for each thing, under a line of names. A cell that a spreadsheet would take
// for a formula begins with an apostrophe.
func exportCSV(c *exportCase) ([]byte, error) {
	var head []string
	var rows [][]string
	switch c.Ask.Table {
	case "":
		head = exportAllHead
		for _, it := range c.Items {
			row := c.timelineRow(it)
			rows = append(rows, append(append(row[:12:12], observableCells(it)...), it.ID))
		}
	case tableTimeline:
		head = exportTimelineHead
		for _, it := range c.Items {
			rows = append(rows, c.timelineRow(it))
		}
	case tableObservables:
		head = exportObservableHead
		for _, it := range c.Items {
			o := observableCells(it)
			rows = append(rows, []string{o[0], o[1], it.Level.Label(), o[2], o[3], o[4], it.Title, it.Text, exportStamp(it.Made), it.ID})
		}
	case tableRSIT:
		head = exportRSITHead
		r := rsitOf(c)
		rows = [][]string{{r.ID, r.TLP, r.Classification, r.IncidentType, string(r.Severity), string(r.Status), exportStamp(c.View.Occurred), exportStamp(c.View.Aware), exportStamp(c.View.Closed),
			strings.Join(r.Countries, " "), strconv.FormatBool(r.CrossBorder), r.Title}}
	default:
		return nil, polder.Errorf(polder.Invalid, "table: %q is none of timeline, observables and rsit", exportClip(c.Ask.Table, 40))
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			row[i] = exportCell(cell)
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// exportCell is a text that is one cell of one line in every program.
func exportCell(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n"), "\r", "\n")
	return indicator.GuardCell(strings.ReplaceAll(s, "\x00", "\uFFFD"))
}

// timelineRow are the cells of an item in the order of exportTimelineHead.
func (c *exportCase) timelineRow(it Item) []string {
	row := []string{exportStamp(exportAt(it)), it.Level.Label(), string(it.Kind), it.Title, it.Text, "", c.who(it.MadeBy), exportStamp(it.Made), exportYes(it.Weighs), "", "", "", it.ID}
	switch {
	case it.Decision != nil:
		row[5], row[6] = it.Decision.Reason, c.who(it.Decision.Person)
	case it.Task != nil:
		row[6], row[9], row[10] = c.who(it.Task.Owner), exportStamp(it.At), exportStamp(it.Task.Done)
	case it.Evidence != nil:
		row[11] = it.Evidence.SHA256
		if row[3] == "" {
			row[3] = it.Evidence.Name
		}
	}
	return row
}

func observableCells(it Item) []string {
	o := it.Observable
	if o == nil {
		return make([]string, 5)
	}
	return []string{string(o.Type), o.Value, exportYes(o.Bad), exportStamp(o.First), exportStamp(o.Last)}
}

// who is what somebody of the actor's organisation is called; nobody else is named.
func (c *exportCase) who(id polder.PersonID) string { return c.Names[id] }

func exportYes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func exportStamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
