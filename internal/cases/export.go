package cases

import (
	"context"

	"github.com/polder-exchange/polder"
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
	Named    bool         // whether a STIX bundle names the organisation
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
	return Exported{}, polder.Errorf(polder.Unavailable, "exports are being built")
}
