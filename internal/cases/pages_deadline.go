package cases

import "github.com/polder-exchange/polder/internal/web"

func (p *Pages) deadlineRoutes() []web.Route { return nil }
