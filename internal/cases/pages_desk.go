package cases

import "github.com/polder-exchange/polder/internal/web"

func (p *Pages) deskRoutes() []web.Route { return nil }
