package cases

import "github.com/polder-exchange/polder/internal/web"

func (p *Pages) reportRoutes() []web.Route { return nil }
