package exchange

import (
	"slices"

	"github.com/polder-exchange/polder/internal/web"
)

// Routes are everything that the exchange answers, but TAXII.
func (s *Service) Routes() []web.Route {
	return slices.Concat(s.apiRoutes(), s.searchRoutes(), s.madeRoutes(), s.proposalAPI(), s.decayAPI(), s.advisoryAPI(), s.releaseAPI(), s.signRoutes())
}
