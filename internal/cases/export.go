package cases

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// Format is a form in which a case leaves as a file.
type Format string

// The forms of an export.
const (
	FormatPDF   Format = "pdf"   // a document to hand over
	FormatVERIS Format = "veris" // an incident of the VERIS schema, as JSON
	FormatRSIT  Format = "rsit"  // class and kind by the Reference Security Incident Taxonomy, as JSON
	FormatSTIX  Format = "stix"  // a STIX 2.1 bundle
	FormatCSV   Format = "csv"   // timeline and observables as a table
	FormatJSON  Format = "json"  // everything that Polder keeps, in its own words
)

// Formats are all forms of an export, in the order in which they are offered.
var Formats = []Format{FormatPDF, FormatSTIX, FormatVERIS, FormatRSIT, FormatCSV, FormatJSON}

// ExportAsk says how a case leaves as a file.
type ExportAsk struct {
	Format   Format
	Ceiling  stix.Marking // nothing stricter is in it; None: TLP:AMBER+STRICT, or what the reader may see where that is less
	Red      bool         // the lead's word that what is marked TLP:RED may be in the file; without it RED is left out
	PAP      stix.PAP     // what may be done with it, where somebody says so; only written on it
	Language string       // of a document: "en" or "nl"; "" is "en"
	Table    string       // of a CSV: "timeline", "observables", "rsit", or "" for timeline and observables together
	Named    bool         // whether a STIX bundle or a VERIS incident names the organisation
}

// Exported is a case as a file.
type Exported struct {
	Name  string       // of the file
	Type  string       // media type
	Level stix.Marking // the strictest level in it, which is also written in it
	Body  []byte
}

// Export writes a case as a file, from what the actor may see of it. What is above the ceiling is not in it, and nothing
// in it says that something was left out. Every export is in the audit.
func (s *Service) Export(ctx context.Context, by polder.Actor, id CaseID, ask ExportAsk) (Exported, error) {
	if !slices.Contains(Formats, ask.Format) {
		return Exported{}, polder.Errorf(polder.Invalid, "format: %q is none of pdf, stix, veris, rsit, csv and json", exportClip(string(ask.Format), 40))
	}
	c, err := s.exportCase(ctx, by, id, ask)
	if err != nil {
		return Exported{}, err
	}
	out := Exported{Level: c.Level}
	switch ask.Format {
	case FormatPDF:
		out.Type = "application/pdf"
		out.Body, err = exportPDF(c)
	case FormatSTIX:
		out.Type = "application/stix+json;version=2.1"
		out.Body, err = incidentBundle(c)
	case FormatVERIS:
		out.Type = "application/json"
		out.Body, err = exportIndented(verisOf(c))
	case FormatRSIT:
		out.Type = "application/json"
		out.Body, err = exportIndented(rsitOf(c))
	case FormatCSV:
		out.Type = "text/csv; charset=utf-8"
		out.Body, err = exportCSV(c)
	case FormatJSON:
		out.Type = "application/json"
		out.Body, err = exportIndented(exportWhole(c))
	}
	if err != nil {
		return Exported{}, err
	}
	out.Name = exportName(c)
	return out, s.exportNote(ctx, by, c)
}

// exportName tells what a file is and how far it may go, and nothing of what is in it.
func exportName(c *exportCase) string {
	id := strings.TrimPrefix(string(c.View.ID), "case--")
	level := strings.ReplaceAll(c.Level.String(), "+", "-")
	kind, end := "", string(c.Ask.Format)
	switch c.Ask.Format {
	case FormatSTIX, FormatVERIS, FormatRSIT:
		kind, end = "-"+string(c.Ask.Format), "json"
	case FormatCSV:
		if c.Ask.Table != "" {
			kind = "-" + c.Ask.Table
		}
	}
	return "case-" + id[:min(8, len(id))] + "-tlp-" + level + kind + "." + end
}

// exportNote keeps in the case's history and in the audit that it left as a file, in which form and up to which level.
func (s *Service) exportNote(ctx context.Context, by polder.Actor, c *exportCase) error {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return err
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if _, _, err := s.caseAt(tx, v, c.View.ID, PartRead); err != nil {
			return err
		}
		return s.caseNote(tx, by, v, c.View.ID, CaseRevision{What: "export", Did: string(c.Ask.Format), Reason: c.Level.Label(), Level: c.Level})
	})
}

// exportIndented is v as JSON that people can read too.
func exportIndented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

// exportClip shortens what an error repeats.
func exportClip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
