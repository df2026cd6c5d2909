package exchange

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/misp"
	"github.com/polder-exchange/polder/stix"
)

// ExportFormat is a form in which what a reader may see leaves as a file.
type ExportFormat string

// The formats of an export. The last four are block lists.
const (
	AsSTIX     ExportFormat = "stix"
	AsMISP     ExportFormat = "misp"
	AsCSV      ExportFormat = "csv"
	AsSuricata ExportFormat = "suricata"
	AsZeek     ExportFormat = "zeek"
	AsRPZ      ExportFormat = "rpz"
	AsPlain    ExportFormat = "plain"
)

// ExportFormats lists them.
var ExportFormats = []ExportFormat{AsSTIX, AsMISP, AsCSV, AsSuricata, AsZeek, AsRPZ, AsPlain}

// Blocks tells whether f is a block list: something that machines act on.
func (f ExportFormat) Blocks() bool {
	return slices.Contains([]ExportFormat{AsSuricata, AsZeek, AsRPZ, AsPlain}, f)
}

// ParseExportFormat reads the name of a format.
func ParseExportFormat(s string) (ExportFormat, error) {
	if slices.Contains(ExportFormats, ExportFormat(s)) {
		return ExportFormat(s), nil
	}
	var names []string
	for _, f := range ExportFormats {
		names = append(names, string(f))
	}
	return "", polder.Errorf(polder.Invalid, "format: %q is unknown; use one of %s", s, strings.Join(names, ", "))
}

// maxMISP is how many objects one MISP event is made of at most: it is built in memory.
const maxMISP = 50_000

// LeftOut is an indicator that a list does not hold, and why.
type LeftOut struct {
	Value, Reason string
	ID            string
}

// Export writes what the actor may see, as it is now, to w (X7, X17): TLP:RED is in no file; STIX and MISP carry every
// other object as it is, the other formats the indicators that count today; block lists leave out what must never be
// blocked (X22) and what PAP:AMBER or PAP:RED keeps from being acted on (X5). It returns what was left out.
func (s *Service) Export(ctx context.Context, a polder.Actor, community string, f ExportFormat, w io.Writer) ([]LeftOut, error) {
	sight, err := s.SightIn(ctx, a, community)
	if err != nil {
		return nil, err
	}
	switch f {
	case AsSTIX:
		return nil, s.exportSTIX(ctx, sight, w)
	case AsMISP:
		return s.exportMISP(ctx, sight, w)
	}
	if err := s.refreshShield(ctx); err != nil {
		return nil, err
	}
	entries, left, err := s.entries(ctx, sight, f)
	if err != nil {
		return nil, err
	}
	skipped, err := s.writeList(f, w, entries)
	for _, k := range skipped {
		left = append(left, LeftOut{k.Entry.Value, k.Reason, k.Entry.ID})
	}
	return left, err
}

// everything calls f with the last version of each object in sight that may stand in a file, page by page.
func (s *Service) everything(ctx context.Context, sight polder.Sight, types []string, f func(journal.Delivery) error) error {
	q := journal.Query{Limit: 1000, Types: types}
	for {
		page, err := s.journal.Page(ctx, sight, q)
		if err != nil {
			return err
		}
		for _, d := range page.Deliveries {
			q.After = d.Seq
			if d.Level == stix.Red || d.Erased {
				continue
			}
			if err := f(d); err != nil {
				return err
			}
		}
		if !page.More {
			return nil
		}
	}
}

func (s *Service) exportSTIX(ctx context.Context, sight polder.Sight, w io.Writer) error {
	out := stix.WriteBundle(w)
	if err := s.everything(ctx, sight, nil, func(d journal.Delivery) error { return out.Add(d.Raw) }); err != nil {
		return err
	}
	return out.Close()
}

func (s *Service) exportMISP(ctx context.Context, sight polder.Sight, w io.Writer) ([]LeftOut, error) {
	var objects []json.RawMessage
	err := s.everything(ctx, sight, nil, func(d journal.Delivery) error {
		if len(objects) == maxMISP {
			return polder.Errorf(polder.TooLarge, "format: more than %d objects are too many for one MISP event; export one community, or as STIX", maxMISP)
		}
		objects = append(objects, d.Raw)
		return nil
	})
	if err != nil {
		return nil, err
	}
	got, err := misp.FromSTIX(objects, misp.ExportOptions{Now: s.now})
	if err != nil {
		return nil, err
	}
	var left []LeftOut
	for _, k := range got.Skipped {
		left = append(left, LeftOut{Value: k.Path, Reason: k.Reason})
	}
	_, err = w.Write(got.Event)
	return left, err
}

// entries are the indicators in sight that count now, one for each value.
func (s *Service) entries(ctx context.Context, sight polder.Sight, f ExportFormat) (out []indicator.Entry, left []LeftOut, err error) {
	names, err := s.aliases(ctx)
	if err != nil {
		return nil, nil, err
	}
	seen := map[indicator.Value]bool{}
	err = s.everything(ctx, sight, []string{"indicator"}, func(d journal.Delivery) error {
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return err
		}
		if why := s.unfit(o, f); why != "" {
			if why != notNow {
				left = append(left, LeftOut{title(o), why, o.ID})
			}
			return nil
		}
		values, err := indicator.AnyFromPattern(o.Pattern)
		if err != nil {
			left = append(left, LeftOut{o.Pattern, "its pattern asks for more than single values", o.ID})
			return nil
		}
		for _, v := range values {
			if seen[v] {
				continue
			}
			seen[v] = true
			if stops := s.Stops(v.Kind, v.Value); f.Blocks() && len(stops) > 0 {
				left = append(left, LeftOut{v.Value, stops[0], o.ID})
				continue
			}
			out = append(out, indicator.Entry{Kind: v.Kind, Value: v.Value, ID: o.ID, Description: o.Name, Source: names[d.Community], Label: d.Level.Label(), ValidUntil: o.ValidUntil.Time})
		}
		return nil
	})
	return out, left, err
}

// notNow is why an indicator that does not count today is in no list; it is not worth telling.
const notNow = "does not count now"

// unfit says why an indicator is in no list of format f, or "".
func (s *Service) unfit(o stix.Object, f ExportFormat) string {
	switch {
	case o.Revoked || !o.ValidUntil.IsZero() && !o.ValidUntil.Time.After(s.now()):
		return notNow
	case o.PatternType != "stix":
		return "its pattern is of type " + o.PatternType
	case f.Blocks() && o.PAP() >= stix.PAPAmber:
		return "is marked " + o.PAP().Label() + ", so nothing acts on it"
	}
	return ""
}

func (s *Service) writeList(f ExportFormat, w io.Writer, entries []indicator.Entry) ([]indicator.Skipped, error) {
	switch f {
	case AsCSV:
		return indicator.WriteCSV(w, entries)
	case AsSuricata:
		return indicator.WriteSuricata(w, entries)
	case AsZeek:
		return indicator.WriteZeek(w, entries)
	case AsRPZ:
		return indicator.RPZ{Serial: uint32(s.now().Unix())}.Write(w, entries)
	}
	return indicator.WritePlain(w, entries)
}

var exportKinds = map[ExportFormat][2]string{ // content type and file ending
	AsSTIX: {"application/stix+json;version=2.1", "json"}, AsMISP: {"application/json", "misp.json"}, AsCSV: {"text/csv; charset=utf-8", "csv"},
	AsSuricata: {"text/plain; charset=utf-8", "rules"}, AsZeek: {"text/plain; charset=utf-8", "intel"}, AsRPZ: {"text/plain; charset=utf-8", "rpz"}, AsPlain: {"text/plain; charset=utf-8", "txt"},
}

// apiExport streams an export as a file. An error after the first bytes cuts the answer, so a file that arrives whole is whole.
func (s *Service) apiExport(w http.ResponseWriter, r *http.Request) {
	f, err := ParseExportFormat(r.URL.Query().Get("format"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	w.Header().Set("Trailer", "Polder-Left-Out")
	out := &lateHeader{w: w, kind: exportKinds[f], day: s.now().UTC().Format("20060102")}
	left, err := s.Export(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"), f, out)
	if err != nil && !out.begun {
		w.Header().Del("Trailer")
		web.Problem(w, r, err)
		return
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.begin()
	w.Header().Set("Polder-Left-Out", strconv.Itoa(len(left)))
}

// lateHeader says what the answer is only when its first byte comes, so that an error before it can still be told.
type lateHeader struct {
	w     http.ResponseWriter
	kind  [2]string
	day   string
	begun bool
}

func (l *lateHeader) begin() {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", l.kind[0])
		l.w.Header().Set("Content-Disposition", `attachment; filename="polder-`+l.day+"."+l.kind[1]+`"`)
		l.w.WriteHeader(http.StatusOK)
	}
}

func (l *lateHeader) Write(p []byte) (int, error) {
	l.begin()
	return l.w.Write(p)
}
