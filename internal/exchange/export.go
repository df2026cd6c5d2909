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
	return s.ExportWorth(ctx, a, community, f, 0, w)
}

// ExportWorth is Export where a list of indicators holds those alone that are worth at least least now, by [Decay]; 0
// asks for no worth.
func (s *Service) ExportWorth(ctx context.Context, a polder.Actor, community string, f ExportFormat, least int, w io.Writer) ([]LeftOut, error) {
	sight, err := s.SightIn(ctx, a, community)
	if err != nil {
		return nil, err
	}
	if least > 0 && (f == AsSTIX || f == AsMISP) {
		return nil, polder.Errorf(polder.Invalid, "min_worth: %s carries everything as it is; ask for a list of indicators", f)
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
	l := exportList{s: s, format: f, least: least, places: map[string]polder.CommunityID{}}
	if err := l.gather(ctx, sight); err != nil {
		return nil, err
	}
	skipped, err := s.writeList(f, w, l.entries)
	for _, k := range skipped {
		l.left = append(l.left, LeftOut{k.Entry.Value, k.Reason, k.Entry.ID})
	}
	if err == nil && f.Blocks() {
		s.tookList(ctx, a.Org, l.objects(skipped))
	}
	return l.left, err
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

// exportList is a list of indicators in the making.
type exportList struct {
	s       *Service
	format  ExportFormat
	least   int // worth
	entries []indicator.Entry
	left    []LeftOut
	places  map[string]polder.CommunityID // by alias
}

// gather finds the indicators in sight that count now, one for each value.
func (l *exportList) gather(ctx context.Context, sight polder.Sight) error {
	names, err := l.s.aliases(ctx)
	if err != nil {
		return err
	}
	for id, alias := range names {
		l.places[alias] = id
	}
	var worths map[string]int
	if l.least > 0 {
		if worths, err = l.s.worths(ctx, sight); err != nil {
			return err
		}
	}
	seen := map[indicator.Value]bool{}
	return l.s.everything(ctx, sight, []string{"indicator"}, func(d journal.Delivery) error {
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return err
		}
		why := l.s.unfit(o, l.format)
		if why == "" && worths[o.ID] < l.least {
			why = "is worth " + strconv.Itoa(worths[o.ID]) + " now, and the list asks for " + strconv.Itoa(l.least)
		}
		if why != "" {
			if why != notNow {
				l.left = append(l.left, LeftOut{title(o), why, o.ID})
			}
			return nil
		}
		l.add(o, d, names[d.Community], seen)
		return nil
	})
}

// add puts the values of an indicator into the list.
func (l *exportList) add(o stix.Object, d journal.Delivery, place string, seen map[indicator.Value]bool) {
	values, err := indicator.AnyFromPattern(o.Pattern)
	if err != nil {
		l.left = append(l.left, LeftOut{o.Pattern, "its pattern asks for more than single values", o.ID})
		return
	}
	for _, v := range values {
		if seen[v] {
			continue
		}
		seen[v] = true
		if stops := l.s.Stops(v.Kind, v.Value); l.format.Blocks() && len(stops) > 0 {
			l.left = append(l.left, LeftOut{v.Value, stops[0], o.ID})
			continue
		}
		l.entries = append(l.entries, indicator.Entry{Kind: v.Kind, Value: v.Value, ID: o.ID, Description: o.Name, Source: place, Label: d.Level.Label(), ValidUntil: o.ValidUntil.Time})
	}
}

// objects are those of which a value stands in the list, each once.
func (l *exportList) objects(skipped []indicator.Skipped) (out []Ref) {
	left := map[[2]string]bool{}
	for _, k := range skipped {
		left[[2]string{k.Entry.ID, k.Entry.Value}] = true
	}
	seen := map[Ref]bool{}
	for _, e := range l.entries {
		r := Ref{l.places[e.Source], e.ID}
		if !seen[r] && !left[[2]string{e.ID, e.Value}] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
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
	least, err := ParseMinWorth(r.URL.Query().Get("min_worth"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	w.Header().Set("Trailer", "Polder-Left-Out")
	out := &lateHeader{w: w, kind: exportKinds[f], day: s.now().UTC().Format("20060102")}
	left, err := s.ExportWorth(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"), f, least, out)
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
