package cases

import "github.com/polder-exchange/polder/internal/web"

func (p *Pages) caseRoutes() []web.Route { return nil }
