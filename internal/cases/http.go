package cases

import (
	"slices"

	"github.com/polder-exchange/polder/internal/web"
)

// API is the REST API of cases.
type API struct{ *Service }

// NewAPI makes the REST API of s.
func NewAPI(s *Service) *API { return &API{s} }

// Routes are all routes of the API.
func (a *API) Routes() []web.Route {
	return slices.Concat(a.reportRoutes(), a.caseRoutes(), a.deadlineRoutes(), a.jewelRoutes(), a.exportRoutes())
}
