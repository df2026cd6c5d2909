package cases

import (
	"embed"
	"slices"

	"github.com/polder-exchange/polder/internal/cases/triage"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale static
var pageFiles embed.FS

// ConsolePart is what this capability brings to the console.
func ConsolePart() web.Part { return web.Part{Name: "cases", Files: pageFiles} }

// Parts are all that cases bring: the scripts that seal and that propose, and [ConsolePart].
func Parts() []web.Part {
	return []web.Part{{Name: "seal", Files: seal.Files}, {Name: "triage", Files: triage.Files}, ConsolePart()}
}

// Pages are the console pages of cases, and the pages for who reports. They decide nothing: each asks the service.
type Pages struct {
	*Service
	site     *web.Site
	reporter *reportPages
}

// Pages makes the pages of s, on a site that was made with [ConsolePart].
func (s *Service) Pages(site *web.Site) *Pages { return &Pages{s, site, embeddedReportPages(site)} }

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	return slices.Concat(p.reportRoutes(), p.deskRoutes(), p.caseRoutes(), p.deadlineRoutes(), p.jewelRoutes())
}
