package cases

import "github.com/polder-exchange/polder/internal/web"

func (p *Pages) jewelRoutes() []web.Route { return nil }
