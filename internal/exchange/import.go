package exchange

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/misp"
	"github.com/polder-exchange/polder/stix"
)

// Source is what somebody hands in: a file, a form, the body of a request.
type Source struct {
	Community   string // alias or id
	Name        string // of the file, for messages; its ending helps to tell the format
	ContentType string
	Body        []byte
}

// Format is what a source was read as.
type Format string

const (
	FormatSTIX Format = "stix"
	FormatMISP Format = "misp"
	FormatCSV  Format = "csv"
	FormatText Format = "text"
)

// Reading is what a source became: objects to share, and what was left out and why.
type Reading struct {
	Format  Format
	Objects []Incoming
	LeftOut []Warning
}

// Read makes objects of a source: STIX as it is; MISP events, tables and free text as objects that Polder makes.
// An object of STIX that is broken is told by the share; a source that is none of these is refused here.
func (s *Service) Read(ctx context.Context, a polder.Actor, src Source) (Reading, error) {
	switch f := formatOf(src); f {
	case FormatSTIX:
		objects, err := readSTIX(src)
		return Reading{Format: f, Objects: objects}, err
	case FormatMISP:
		return s.readMISP(src)
	default:
		m, err := s.membership(ctx, a, src.Community)
		if err == nil {
			err = s.refreshShield(ctx)
		}
		if err != nil {
			return Reading{}, err
		}
		by := maker{s, a.Org, m.Community.ID, src.Name, stix.FormatTime(s.now().Truncate(time.Millisecond))}
		if f == FormatCSV {
			return by.table(src.Body)
		}
		return by.text(src.Body)
	}
}

// formatOf tells what a source is: by its content, and where that can be several things by its type or name.
func formatOf(src Source) Format {
	head := src.Body[:min(len(src.Body), 1<<16)]
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	kind, _, _ := strings.Cut(strings.ToLower(src.ContentType), ";")
	ending := strings.ToLower(filepath.Ext(src.Name))
	switch {
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && mispMark.Match(trimmed):
		return FormatMISP
	case LooksLikeSTIX(head) || strings.HasSuffix(strings.TrimSpace(kind), "json"):
		return FormatSTIX
	case kind == "text/csv" || ending == ".csv" || ending == ".tsv" || tableMark.Match(trimmed):
		return FormatCSV
	}
	return FormatText
}

// LooksLikeSTIX tells from the first bytes of a file whether it is JSON with STIX objects.
func LooksLikeSTIX(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return false
	}
	return stixMark.Match(head) && !mispMark.Match(head)
}

var (
	stixMark  = regexp.MustCompile(`"(id|type)"\s*:\s*"([a-z0-9-]+--[0-9a-fA-F-]{36}|bundle|[a-z0-9-]{3,250})"|"objects"\s*:\s*\[`)
	mispMark  = regexp.MustCompile(`^[\[{\s]*("[A-Za-z_]+"\s*:\s*[\[{]?\s*[\[{]?\s*)?\{?\s*"(Event|response)"\s*:`)
	tableMark = regexp.MustCompile(`(?i)^"?(type|value|indicator|ioc|waarde|soort)"?\s*[,;\t]`)
)

func readSTIX(src Source) (out []Incoming, err error) {
	r := stix.NewReader(bytes.NewReader(src.Body), stix.Limits{})
	for {
		raw, pos, err := r.NextRaw()
		if errors.Is(err, io.EOF) {
			if len(out) == 0 {
				return nil, polder.Errorf(polder.Invalid, "there is no object in it")
			}
			return out, nil
		}
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "%s%w", prefix(Where{src.Name, pos.Line}), err)
		}
		out = append(out, Incoming{Raw: raw, Where: Where{src.Name, pos.Line}})
	}
}

func prefix(w Where) string {
	if w == (Where{}) {
		return ""
	}
	return w.String() + ": "
}

func (s *Service) readMISP(src Source) (Reading, error) {
	got, err := misp.ToSTIX(src.Body, misp.Options{Now: s.now})
	if err != nil {
		return Reading{}, polder.Errorf(polder.Invalid, "%w", err)
	}
	out := Reading{Format: FormatMISP}
	for _, raw := range got.Objects {
		out.Objects = append(out.Objects, Incoming{Raw: raw, Where: Where{File: src.Name}, Made: true})
	}
	for _, skip := range got.Skipped {
		out.LeftOut = append(out.LeftOut, Warning{Value: skip.Path, Reason: skip.Reason})
	}
	return out, nil
}

// maker makes indicators of values, for one organisation in one community.
type maker struct {
	s         *Service
	org       polder.OrgID
	community polder.CommunityID
	file      string
	now       string
}

func (m maker) table(body []byte) (Reading, error) {
	rows, err := indicator.ReadCSV(bytes.NewReader(body), indicator.CSVLimits{})
	if err != nil {
		return Reading{}, polder.Errorf(polder.Invalid, "%w", err)
	}
	out := Reading{Format: FormatCSV}
	seen := map[string]bool{}
	for _, row := range rows {
		if key := string(row.Kind) + " " + row.Value; !seen[key] {
			seen[key] = true
			if err := m.add(&out, row); err != nil {
				return Reading{}, err
			}
		}
	}
	if len(rows) == 0 {
		return out, polder.Errorf(polder.Invalid, "the table has no rows")
	}
	return out, nil
}

func (m maker) text(body []byte) (Reading, error) {
	if !utf8.Valid(body) {
		return Reading{}, polder.Errorf(polder.Invalid, "it is neither STIX, MISP, CSV nor text in UTF-8")
	}
	out := Reading{Format: FormatText}
	seen := map[string]bool{}
	for _, f := range indicator.Find(string(body)) {
		if key := string(f.Kind) + " " + f.Value; !seen[key] {
			seen[key] = true
			line := 1 + bytes.Count(body[:f.Start], []byte("\n"))
			if err := m.add(&out, indicator.Row{Line: line, Kind: f.Kind, Value: f.Value, Confidence: -1}); err != nil {
				return Reading{}, err
			}
		}
	}
	if len(seen) == 0 {
		return out, polder.Errorf(polder.Invalid, "it is neither STIX, MISP nor CSV, and no indicator is found in the text")
	}
	return out, nil
}

// add makes the object of one value, unless it must never be blocked.
func (m maker) add(out *Reading, row indicator.Row) error {
	where := Where{m.file, row.Line}
	if stops := m.s.Stops(row.Kind, row.Value); len(stops) > 0 {
		out.LeftOut = append(out.LeftOut, Warning{Value: row.Value, Reason: stops[0]})
		return nil
	}
	make := m.indicator
	if row.Kind == indicator.CVE {
		make = m.vulnerability
	}
	raw, err := make(row)
	if err != nil {
		return polder.Errorf(polder.Invalid, "%s%w", prefix(where), err)
	}
	out.Objects = append(out.Objects, Incoming{Raw: raw, Where: where, Made: true})
	return nil
}

func (m maker) indicator(row indicator.Row) ([]byte, error) {
	text := indicator.Pattern(row.Kind, row.Value)
	if text == "" {
		return nil, fmt.Errorf("%q is no %s that a pattern can say", row.Value, row.Kind)
	}
	return m.object("indicator", row, func(o *stix.Members) {
		o.Set("pattern", text)
		o.Set("pattern_type", "stix")
		from := m.now
		if !row.ValidFrom.IsZero() {
			from = stix.FormatTime(row.ValidFrom)
		}
		o.Set("valid_from", from)
		if row.ValidUntil.After(row.ValidFrom) {
			o.Set("valid_until", row.ValidUntil)
		}
	})
}

func (m maker) vulnerability(row indicator.Row) ([]byte, error) {
	return m.object("vulnerability", row, func(o *stix.Members) {
		o.Set("external_references", []func(*stix.Members){func(r *stix.Members) {
			r.Set("source_name", "cve")
			r.Set("external_id", row.Value)
		}})
	})
}

func (m maker) object(typ string, row indicator.Row, rest func(*stix.Members)) ([]byte, error) {
	mark := stix.None
	if row.TLP != "" {
		var err error
		if mark, err = stix.ParseMarking(row.TLP); err != nil {
			return nil, err
		}
	}
	name := row.Name
	if name == "" {
		name = row.Value
	}
	made, err := stix.Make(typ, func(o *stix.Members) {
		o.Set("id", m.id(typ, string(row.Kind)+" "+row.Value))
		o.Set("created", m.now)
		o.Set("modified", m.now)
		o.Set("name", name)
		o.Set("description", row.Description)
		o.Set("labels", row.Labels)
		if row.Confidence >= 0 {
			o.Set("confidence", row.Confidence)
		}
		rest(o)
		if mark != stix.None {
			o.Set("object_marking_refs", []string{mark.ID()})
		}
	})
	return made.Raw(), err
}

// id is that of the object that this organisation makes of a value in this community.
func (m maker) id(typ, value string) string { return m.s.keyedID(typ, m.org, m.community, value) }

// keyedID is the same each time the same organisation makes the same thing in the same community, and tells nobody
// without the node's secret who that was.
func (s *Service) keyedID(typ string, org polder.OrgID, c polder.CommunityID, what string) string {
	h := hmac.New(sha256.New, s.secret)
	for _, part := range []string{"object", typ, string(org), string(c), what} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	x := hex.EncodeToString(u)
	return typ + "--" + x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
