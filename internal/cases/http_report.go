package cases

import "github.com/polder-exchange/polder/internal/web"

func (a *API) reportRoutes() []web.Route { return nil }
