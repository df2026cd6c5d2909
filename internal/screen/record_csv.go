package screen

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// recordHead are the columns of the record as CSV.
var recordHead = []string{"kind", "time", "by", "person", "token", "id", "party", "group", "reference", "name", "type", "country", "birth", "identifiers",
	"list", "listing", "listed name", "score", "list date", "list sha256", "what", "state", "reason", "threshold", "lists asked"}

// WriteCSV writes the auditor's record of a period: one line for each thing that happened, under a line of column names.
// Cells that a spreadsheet would take for a formula begin with an apostrophe. It asks for a reader, and is noted in the
// audit. It holds no more than a page of lines at a time.
func (s *Service) WriteCSV(ctx context.Context, by polder.Actor, p Period, w io.Writer) error {
	if err := s.noteExport(ctx, by, p, "csv"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(recordHead); err != nil {
		return err
	}
	cells := make([]string, 0, len(recordHead))
	for l, err := range s.Record(ctx, by, p) {
		if err != nil {
			return err
		}
		cells = l.cells(cells[:0])
		for i, c := range cells {
			cells[i] = csvCell(c)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvCell is a text that is one cell of one line in every program: no formula, and no break that some programs take for
// the end of the line.
func csvCell(s string) string {
	if fail.Bug("formula-cells") {
		return s
	}
	s = indicator.GuardCell(s)
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// cells are the cells of a line, in the order of recordHead.
func (l RecordLine) cells(c []string) []string {
	q := l.Query
	kind := ""
	if q.Name != "" {
		kind = q.Type.String()
	}
	return append(c, string(l.Kind), recordTime(l.At), l.By, string(l.Person), string(l.Token), l.ID, l.Party, l.Group, q.Ref, q.Name, kind, q.Country, q.Birth, identifiersText(q.Identifiers),
		l.Listing.List, l.Listing.ID, l.Listing.Name, scoreText(l.Listing.Score), l.ListDate, l.SHA256, l.What, string(l.State), l.Reason, scoreText(l.Asked), listsText(l.Lists))
}

func recordTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// scoreText is a score with four digits; "" for none.
func scoreText(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'f', 4, 64)
}

func identifiersText(ids []lists.Identifier) string {
	var out []string
	for _, id := range ids {
		text := id.Kind + " " + id.Value
		if id.Country != "" {
			text += " (" + id.Country + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// listsText names lists with their dates and hashes.
func listsText(ms []lists.Meta) string {
	var out []string
	for _, m := range ms {
		out = append(out, strings.TrimSpace(m.Name+" "+m.Date)+" sha256:"+m.SHA256)
	}
	return strings.Join(out, "; ")
}
